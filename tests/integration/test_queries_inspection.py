"""What is told of a run."""

import re

import numpy as np
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

import gosset as gs
from gosset.cli.sections import sections
from gosset.queries.inspection import details

X, y = load_iris(return_X_y=True)


def test_the_seeds_that_are_shown_reproduce_estimators_without_a_random_state_by_hand():
    experiment = gs.Experiment(
        "forest",
        dataset=gs.datasets.load_iris(),
        splits=gs.splits.stratified(2, seed=0),
        estimator=RandomForestClassifier(n_estimators=3),
        metrics=["accuracy"],
        seed=5,
    )
    with gs.open_store("memory://") as store:
        (run,) = experiment.execute(store=store, progress=False).runs
        document = details(store, run)
        for fold, seed in zip(store.folds(run), document["fold_seeds"], strict=True):
            np.random.seed(seed)
            by_hand = RandomForestClassifier(n_estimators=3).fit(X[fold.train], y[fold.train])
            results = store.results(run, fold=fold.number)
            told = results[results["part"] == "test"].sort_values("row")
            expected = by_hand.predict_proba(X[told["row"]])
            given = told[[name for name in told if name.startswith("probability:")]]
            assert np.array_equal(given, expected)
    first, second = document["fold_seeds"]
    shown = sections(document)
    assert re.search(r"random_state +None +other", shown)
    assert f"FOLD SEEDS\n  0  {first}\n  1  {second}\n" in shown
