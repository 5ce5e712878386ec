"""What a launch says of itself when it is over."""

import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

import gosset as gs
from gosset.entities import Direction
from gosset.exceptions import NotFoundError, UsageError

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


@gs.stage
def words():
    return ["a", "b"]


@gs.stage
def counted(words, lr):
    return len(words) * lr


@gs.stage
def loud(words, lr):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"lr is {lr}", UserWarning, stacklevel=1)
    return lr


def test_what_is_shared_within_a_launch_was_not_in_the_cache():
    with gs.open_store("memory://") as store:
        first = carried_out(words, counted, store=store, parameters={"lr": [1, 2, 3]})
        again = carried_out(words, counted, store=store, parameters={"lr": [1, 2, 3, 4]})
    assert "4 computed, 2 shared, 0 cached, 0 failed, 0 skipped" in first.summary().tail
    assert first.to_dict()["computations"] == {
        "computed": 4, "cached": 2, "failed": 0, "skipped": 0
    }  # fmt: skip
    assert again.work.shared == 0
    assert any(line.startswith("1 computed, ") for line in again.summary().tail)


def test_warnings_that_computations_printed_are_told_of_with_the_run_that_shows_them(tmp_path):
    with gs.open_store(f"sqlite:///{tmp_path / 'lab.db'}") as store:
        result = carried_out(words, loud, store=store, parameters={"lr": [1, 2, 3]})
        again = carried_out(words, loud, store=store, parameters={"lr": [1, 2, 3]})
    told = "3 computations printed warnings, such as UserWarning; see gosset show e#1"
    assert told in result.summary().tail
    assert not any("printed warnings" in line for line in again.summary().tail)


@gs.stage(cache=False)
def flaky(lr):
    if lr == 2 and not Path("mended").exists():
        raise ValueError("not yet")
    time.sleep(0.05)
    return lr


def test_the_time_for_which_a_launch_lay_idle_is_not_told_as_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    experiment = gs.Experiment("e", stages=[flaky], parameters={"lr": [1, 2]})
    with gs.open_store("memory://") as store:
        first = experiment.execute(store=store, progress=False)
        time.sleep(1.2)
        Path("mended").touch()
        resumed = experiment.resume(store=store, progress=False)
        again = experiment.resume(store=store, progress=False)
    assert first.work.seconds == first.launch.duration
    assert resumed.launch.duration > 1.2 > 1.0 > resumed.work.seconds >= 0.05
    assert resumed.to_dict()["duration"] == resumed.work.seconds
    assert resumed.summary().head.startswith(
        "default/e: launch 1 resumed, execution 1, complete in"
    )
    head = again.summary().head
    assert head == "default/e: launch 1, execution 1, complete: nothing to resume"
    assert not any("computed" in line for line in again.summary().tail)


def logging(lr):
    gs.log({"loss": lr})
    return lr


def test_what_could_be_meant_by_an_output_is_what_stages_name():
    with gs.open_store("memory://") as store:
        result = carried_out(gs.stage(logging), store=store, parameters={"lr": [1]})
        with pytest.raises(NotFoundError) as raised:
            result.output(result.runs[0], "zzz")
    assert raised.value.hint == "known are 'logging'"


def test_a_run_is_tagged_when_it_has_ended_and_keeps_its_own_tags():
    def tagging(run):
        run.set_tags("own")
        with pytest.raises(UsageError, match=r"run e#1 is \w+; tag it when it has ended"):
            store.tag("e#1", "early")

    with gs.open_store("memory://") as store:
        gs.Experiment("e", steps=[tagging]).execute(store=store, progress=False)
        assert store.tag("e#1", "later", "own").tags == ("own", "later")
        assert [run.name for run in store.runs("'later' in tags")] == ["e#1"]
        assert store.tag(store.run("e#1"), "own", remove=True).tags == ("later",)
