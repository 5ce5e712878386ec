"""Runs side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gosset.compare import best_group, best_row, runs_frame, summary_table, varying
from gosset.entities import Direction, Metric, Run, Status
from gosset.exceptions import MetricError, UsageError


def run(number: int, folds: tuple[float, ...] = (0.5, 1.0), **given: Any) -> Run:
    params = given.pop("params", {"C": 0.1})
    metric = Metric(
        name="accuracy",
        value=float(np.mean(folds)),
        std=float(np.std(folds, ddof=1)),
        folds=folds,
        direction=Direction.MAXIMIZE,
    )
    values: dict[str, Any] = {
        "id": f"id-{number}",
        "project": "P",
        "experiment": "e",
        "execution": 1,
        "launch": 1,
        "number": number,
        "name": f"e#{number}",
        "status": Status.COMPLETE,
        "seed": 0,
        "group": str(params),
        "params": params,
        "metrics": {"accuracy": metric, "train/accuracy": metric},
    }
    return Run(**(values | given))


def test_runs_that_differ_only_in_the_seed_become_one_row() -> None:
    runs = [run(1, (0.5, 1.0), seed=0), run(2, (0.6, 0.9), seed=1)]
    (row,) = summary_table(runs).to_dicts()
    values = [0.5, 1.0, 0.6, 0.9]
    assert row["accuracy"] == pytest.approx(np.mean(values))
    assert row["accuracy_std"] == pytest.approx(np.std(values, ddof=1))
    assert (row["accuracy_n"], row["seeds"], row["folds"]) == (4, 2, 2)


def test_only_parameters_that_vary_are_columns() -> None:
    runs = [run(1, params={"C": 1, "k": [1]}), run(2, params={"C": 2, "k": [1]})]
    assert varying(runs) == ["C"]
    assert summary_table(runs).columns[0] == "C"
    assert varying([run(1, params={"C": 1}), run(2, params={"C": 1.0})]) == ["C"]
    assert varying([run(1, params={}), run(2, params={"C": None})]) == ["C"]


def test_metrics_of_the_test_part_are_shown_unless_others_are_asked_for() -> None:
    assert summary_table([run(1)]).measured == ("accuracy",)
    assert summary_table([run(1)], ["train/accuracy"]).measured == ("train/accuracy",)
    with pytest.raises(MetricError, match="did you mean 'accuracy'"):
        summary_table([run(1)], ["acuracy"])


def test_a_failed_run_has_a_status_and_no_score() -> None:
    runs = [run(1), run(2, (0.0, 0.0), seed=1, status=Status.FAILED)]
    (row,) = summary_table(runs).to_dicts()
    assert row["accuracy"] == 0.75
    assert row["status"] == "1 complete, 1 failed"


def test_by_run_every_run_is_a_row_with_split_and_dataset() -> None:
    rows = summary_table([run(1, split="s", dataset="iris@1"), run(2)], by="run").to_dicts()
    assert [row["run"] for row in rows] == ["e#1", "e#2"]
    assert (rows[0]["split"], rows[0]["dataset"]) == ("s", "iris@1")
    with pytest.raises(UsageError, match="'params', 'launch' or 'run'"):
        summary_table([], by="seed")  # type: ignore[arg-type]


def test_by_launch_equal_sets_of_two_launches_stay_apart() -> None:
    rows = summary_table([run(1), run(2, launch=2)], by="launch").to_dicts()
    assert [row["launch"] for row in rows] == ["e#1", "e#2"]


def test_the_best_row_goes_by_the_mean_and_the_direction() -> None:
    runs = [
        run(1, (0.9, 0.9)),
        run(2, (0.2, 0.3), params={"C": 2}),
        run(3, (0.9, 0.9), params={"C": 3}),
    ]
    assert best_row(runs, ("accuracy", Direction.MAXIMIZE)) == 0
    assert best_row(runs, ("accuracy", Direction.MINIMIZE)) == 1
    assert best_row(runs, None) is None
    assert best_row(runs, ("other", Direction.MINIMIZE)) is None


def test_a_frame_has_one_row_for_each_run() -> None:
    frame = runs_frame([run(1), run(2, params={"k": "x"})])
    assert list(frame["number"]) == [1, 2]
    assert frame["metrics.accuracy"].tolist() == [0.75, 0.75]
    assert frame.loc[1, "params.k"] == "x"
    assert frame.loc[1].isna()["params.C"]


def test_other_code_data_and_folds_are_columns_where_they_differ() -> None:
    ones = [run(1, dataset="iris@1", split="a"), run(2, launch=2, dataset="iris@1", split="a")]
    (row, _) = summary_table(ones, by="launch").to_dicts()
    assert not {"execution", "dataset", "split"} & row.keys()
    others = [*ones, run(3, launch=3, execution=2, dataset="iris@2", split="b")]
    rows = summary_table(others, by="launch").to_dicts()
    shown = [(row["execution"], row["dataset"], row["split"]) for row in rows]
    assert shown == [(1, "iris@1", "a"), (1, "iris@1", "a"), (2, "iris@2", "b")]
    assert [row["execution"] for row in summary_table(others, by="run").to_dicts()] == [1, 1, 2]
    assert "execution" not in summary_table(ones, by="run").columns


def test_a_parameter_that_is_none_is_told_from_one_that_is_not_there() -> None:
    table = summary_table([run(1, params={}), run(2, params={"C": None})])
    position = table.headers().index("C")
    assert [line[position] for line in table.shown()] == ["–", "None"]
    assert [row["C"] for row in table.to_plain()] == [None, None]


def test_the_best_group_goes_by_the_mean_over_its_seeds_and_may_be_of_one_launch() -> None:
    lucky = [run(1, (0.9, 1.0)), run(2, (0.1, 0.1), seed=1)]
    steady = [run(n, (0.8, 0.8), params={"C": 2}, launch=n, seed=n) for n in (3, 4)]
    accuracy = ("accuracy", Direction.MAXIMIZE)
    found = best_group([*lucky, *steady], accuracy, by_launch=True)
    assert [each.name for each in found] == ["e#3"]
    failed = run(5, params={"C": 2}, status=Status.FAILED)
    found = best_group([failed, *lucky, *steady], accuracy)
    assert [each.name for each in found] == ["e#3", "e#4"]
    assert best_group(lucky, None) == best_group(lucky, ("other", Direction.MINIMIZE)) == []
