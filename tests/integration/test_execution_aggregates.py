"""Aggregates over folds and over runs: who is in them, under what name, and what follows."""

import numpy as np
import pytest

import gosset as gs
from gosset.exceptions import ExecutionError, NotFoundError, PipelineError


@gs.stage
def value(n: int = 1):
    if n < 0:
        raise ValueError(f"{n} is negative")
    return n * 10


@gs.stage(over="runs")
def total(value):
    return dict(value)


def data():
    return np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 1, 0, 1])


def launch_stages(told, *names):
    return {name: told["stages"][name] for name in names}


def test_aggregate_over_runs_gets_each_value_under_its_label_fresh_and_cached(carry_out):
    # Three runs side by side: none of them gets the value of another, also from the cache.
    for executor in ("inline", "inline", "processes"):
        result, told = carry_out(value, total, parameters={"n": [1, 2, 3]}, executor=executor)
        assert result.output(result.launch, "total") == {"n=1": 10, "n=2": 20, "n=3": 30}
        assert [result.output(run, "value") for run in result.runs] == [10, 20, 30]
    assert told["computed"] == []


def test_aggregates_of_different_collections_differ(carry_out):
    carry_out(value, total, parameters={"n": [1, 2, 3]})
    result, told = carry_out(value, total, parameters={"n": [1, 2]})
    assert told["computed"] == ["total"]
    assert result.output(result.launch, "total") == {"n=1": 10, "n=2": 20}

    # The same values under other labels are another collection.
    @gs.stage
    def doubled(n: int = 1, factor: int = 1):
        return n * factor

    @gs.stage(over="runs")
    def labels(doubled):
        return sorted(doubled)

    first, _ = carry_out(doubled, labels, parameters=[{"n": 2, "factor": 1}, {"n": 3, "factor": 1}])
    second, _ = carry_out(
        doubled, labels, parameters=[{"n": 1, "factor": 2}, {"n": 1, "factor": 3}]
    )
    assert first.output(first.launch, "labels") == ["n=2", "n=3"]
    assert second.output(second.launch, "labels") == ["factor=2", "factor=3"]


def test_order_of_the_runs_does_not_mix_their_values(carry_out):
    first, _ = carry_out(value, total, parameters={"n": [1, 2, 3]})
    second, _ = carry_out(value, total, parameters={"n": [3, 1, 2]})
    assert first.output(first.launch, "total") == second.output(second.launch, "total")


def test_equal_parameter_sets_are_one_run(carry_out):
    result, _ = carry_out(value, total, parameters=[{"n": 1}, {"n": 1}, {"n": 2}])
    assert result.output(result.launch, "total") == {"n=1": 10, "n=2": 20}


def test_aggregates_of_aggregates_and_stages_after_aggregates(carry_out):
    @gs.stage
    def part(X, fold):
        return float(X[fold.test].sum())

    @gs.stage(over="folds")
    def of_folds(part, n: int = 1):
        return [n * part[fold] for fold in sorted(part)]

    @gs.stage(over="runs")
    def of_runs(of_folds):
        return {label: sum(parts) for label, parts in of_folds.items()}

    @gs.stage
    def after(of_runs, digits: int = 0):
        return round(max(of_runs.values()), digits)

    options = {"dataset": data(), "splits": gs.splits.kfold(3)}
    stages = (part, of_folds, of_runs, after)
    result, told = carry_out(*stages, parameters={"n": [1, 2]}, **options)
    assert result.output(result.launch, "of_runs") == {"n=1": 66.0, "n=2": 132.0}
    assert result.output(result.launch, "after") == 132.0
    assert told["stages"]["part"] == {"computed": 3, "cached": 3}
    assert launch_stages(told, "of_runs", "after") == {
        "of_runs": {"computed": 1},
        "after": {"computed": 1},
    }
    # Another group of runs gives other aggregates of aggregates.
    other, told = carry_out(*stages, parameters={"n": [1, 3]}, **options)
    assert other.output(other.launch, "after") == 198.0
    assert "part" not in told["computed"]


def test_over_runs_collects_every_fold_of_every_run(carry_out):
    @gs.stage
    def part(X, fold, n: int = 1):
        return n * float(X[fold.test].sum())

    @gs.stage(over="runs")
    def table(part):
        return {label: sum(folds.values()) for label, folds in part.items()}

    result, _ = carry_out(
        part, table, parameters={"n": [1, 2]}, dataset=data(), splits=gs.splits.kfold(2)
    )
    assert result.output(result.launch, "table") == {"n=1": 66.0, "n=2": 132.0}


@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_failed_run_is_left_out_of_the_aggregate_and_named(carry_out, executor):
    result, told = carry_out(value, total, parameters={"n": [1, -2, 3]}, executor=executor)
    assert result.output(result.launch, "total") == {"n=1": 10, "n=3": 30}
    assert any("total" in warning and "n=-2" in warning for warning in told["warnings"])
    assert str(result.status) == "failed"
    # The identity of the collection says who is in it: the whole one is another.
    fewer, told = carry_out(value, total, parameters={"n": [1, 3]})
    assert told["computed"] == []
    assert fewer.output(fewer.launch, "total") == {"n=1": 10, "n=3": 30}


def test_failed_run_is_left_out_of_every_input_alike(carry_out):
    @gs.stage
    def fine(n: int = 1):
        return n

    @gs.stage(over="runs")
    def pairs(fine, value):
        assert fine.keys() == value.keys()
        return {label: [fine[label], value[label]] for label in value}

    result, _ = carry_out(fine, value, pairs, parameters={"n": [1, -2]})
    assert result.output(result.launch, "pairs") == {"n=1": [1, 10]}


def test_failed_fold_leaves_its_whole_run_out(carry_out):
    @gs.stage
    def part(fold, n: int = 1):
        if n == 2 and fold.number == 1:
            raise ValueError("no")
        return n

    @gs.stage(over="runs")
    def table(part):
        return {label: len(folds) for label, folds in part.items()}

    result, _ = carry_out(
        part, table, parameters={"n": [1, 2]}, dataset=data(), splits=gs.splits.kfold(2)
    )
    assert result.output(result.launch, "table") == {"n=1": 2}


def test_aggregate_over_folds_is_not_made_of_some_of_them(carry_out):
    @gs.stage
    def part(fold, n: int = 1):
        if fold.number == 1:
            raise ValueError("no")
        return n

    @gs.stage(over="folds")
    def mean(part):
        return sum(part.values()) / len(part)

    result, told = carry_out(part, mean, dataset=data(), splits=gs.splits.kfold(2))
    assert told["stages"]["mean"] == {"skipped": 1}
    assert result.runs[0].exception.message == "no"


def test_aggregate_of_nothing_is_skipped(carry_out):
    result, told = carry_out(value, total, parameters={"n": [-1, -2]})
    assert told["stages"]["total"] == {"skipped": 1}
    with pytest.raises(NotFoundError, match="the launch has no output 'total'"):
        result.output(result.launch, "total")


def test_failed_aggregate_fails_the_launch_and_not_its_runs(carry_out):
    @gs.stage(over="runs")
    def broken(value):
        raise RuntimeError("cannot be put together")

    result, told = carry_out(value, broken, parameters={"n": [1, 2]})
    assert set(told["runs"].values()) == {"complete"}
    assert told["status"] == "failed"
    with pytest.raises(ExecutionError, match=r"broken.*cannot be put together"):
        result.raise_for_status()


def test_no_stage_is_dropped_where_an_input_is_missing(carry_out):
    @gs.stage
    def needy(value, nowhere):
        return value

    with pytest.raises(PipelineError, match="'needy' needs 'nowhere'"):
        carry_out(value, needy)


def test_resumed_launch_aggregates_over_all_of_its_runs(folder):
    folder.write(
        "lab.py",
        "import gosset as gs\n"
        "from pathlib import Path\n"
        "@gs.stage\n"
        "def value(n: int = 1):\n"
        "    if n == 2 and not Path('mended').exists():\n"
        "        raise ValueError('not yet')\n"
        "    return n * 10\n"
        "@gs.stage(over='runs')\n"
        "def total(value):\n"
        "    return dict(value)\n"
        "experiment = gs.Experiment('e', stages=[value, total], parameters={'n': [1, 2, 3]})\n",
    )
    first = folder.carry_out()
    assert first["outputs"]["total"] == {"n=1": 10, "n=3": 30}
    folder.write("mended", "")
    resumed = folder.carry_out(resume="1")
    assert resumed["outputs"]["total"] == {"n=1": 10, "n=2": 20, "n=3": 30}
    assert resumed["launch"] == 1
    assert resumed["status"] == "complete"
    with folder.store() as store:
        attempts = {run.name: len(store.catalog.attempts(run.id)) for run in store.runs()}
    assert attempts == {"e#1": 1, "e#2": 2, "e#3": 1}


def test_launch_whose_aggregate_failed_is_resumed(folder):
    folder.write(
        "lab.py",
        "import gosset as gs\n"
        "@gs.stage\n"
        "def value(n: int = 1):\n"
        "    return n\n"
        "@gs.stage(over='runs')\n"
        "def total(value):\n"
        "    raise ValueError('no')\n"
        "experiment = gs.Experiment('e', stages=[value, total], parameters={'n': [1, 2]})\n",
    )
    assert folder.carry_out()["status"] == "failed"
    folder.edit("lab.py", "raise ValueError('no')", "return sum(value.values())")
    resumed = folder.carry_out(resume="1")
    assert resumed["status"] == "complete"
    assert resumed["outputs"]["total"] == 3


def test_labels_tell_seeds_apart(carry_out):
    result, _ = carry_out(value, total, seeds=[0, 1])
    assert list(result.output(result.launch, "total")) == ["seed=0", "seed=1"]
    result, _ = carry_out(value, total, parameters={"n": [1, 2]}, seeds=[0, 1])
    assert list(result.output(result.launch, "total")) == [
        "n=1, seed=0",
        "n=1, seed=1",
        "n=2, seed=0",
        "n=2, seed=1",
    ]
