"""What a launch says of itself when it is over."""

import numpy as np
from sklearn.ensemble import IsolationForest

import gosset as gs

X = np.random.default_rng(0).normal(size=(30, 2))


def test_folds_are_counted_where_nothing_was_measured():
    experiment = gs.Experiment(
        "odd",
        dataset=gs.datasets.from_arrays(X, name="noise"),
        splits=gs.splits.kfold(3),
        estimator=IsolationForest(n_estimators=2, random_state=0),
        metrics=[],
    )
    with gs.open_store("memory://") as store:
        result = experiment.execute(store=store, progress=False)
        (row,) = result.summary().table.to_dicts()
    assert row["folds"] == 3
