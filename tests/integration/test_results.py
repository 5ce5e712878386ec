"""What a launch says of itself when it is over."""

from dataclasses import replace

import numpy as np
from sklearn.ensemble import IsolationForest

import gosset as gs
from gosset.entities import Direction

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


def scored(lr):
    return 1 - lr


scored_stage = gs.stage(scored, name="scored")


@gs.metric(direction="maximize", name="train/gain")
def gain(scored):
    return scored


@gs.metric(direction="maximize", name="accuracy")
def accuracy(scored):
    return -scored


def carried_out(*stages, store, **declared):
    """Carry out stages inline."""
    return gs.Experiment("e", stages=stages, **declared).execute(store=store, progress=False)


def test_the_set_that_is_the_best_by_training_scores_is_marked_beside_scores_of_the_test():
    # The objective that was declared comes first, whatever the part that it is of.
    with gs.open_store("memory://") as store:
        result = carried_out(
            scored_stage, gain, accuracy, store=store, parameters={"lr": [0.1, 0.5]}
        )
        told = replace(result, objective=("train/gain", Direction.MAXIMIZE))
        summary = told.summary()
    assert told.to_dict()["best"]["params"] == {"lr": 0.1}
    assert summary.table.best == 0
    assert summary.table.measured == ("accuracy", "train/gain")
    assert "best: lr=0.1 (train/gain 0.9000, to maximize)" in summary.tail


def test_the_last_line_leads_to_the_best_run(tmp_path):
    with gs.open_store(f"sqlite:///{tmp_path / 'lab.db'}") as store:
        result = carried_out(
            scored_stage, gain, accuracy, store=store, parameters={"lr": [0.1, 0.5, 0.2]}
        )
        assert result.best.name == "e#2"
        assert result.summary().tail[-1].endswith("; see gosset show e#2")


def test_of_a_store_in_memory_no_command_is_said_to_show_anything():
    with gs.open_store("memory://") as store:
        result = carried_out(scored_stage, accuracy, store=store, parameters={"lr": [0.1]})
    assert result.summary().tail[-1] == "kept in memory, until this process ends"
