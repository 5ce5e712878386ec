"""Entities as JSON."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gosset.entities import (
    ArtifactRef,
    Computation,
    ComputationStatus,
    Direction,
    ExceptionInfo,
    Launch,
    Metric,
    Run,
    Status,
)
from gosset.exceptions import SerializationError
from gosset.results.wire import launch_to_json, to_json


def run(number: int, params: dict[str, float], folds: tuple[float, ...]) -> Run:
    metric = Metric(name="accuracy", value=sum(folds) / len(folds), folds=folds)
    return Run(
        id=f"id-{number}",
        project="P",
        experiment="e",
        execution=1,
        launch=1,
        number=number,
        name=f"e#{number}",
        status=Status.COMPLETE,
        seed=number,
        group=str(params),
        params=params,
        metrics={"accuracy": metric},
    )


LAUNCH = Launch(
    id="l",
    project="P",
    experiment="e",
    execution=1,
    number=1,
    status=Status.COMPLETE,
    command="",
    user="",
    host="",
    pid=0,
    notes="",
    settings={},
    provenance={},
    environment=None,
    created=datetime(2026, 1, 1, tzinfo=UTC),
)


def test_the_best_value_is_the_mean_that_won_over_the_seeds_of_its_set() -> None:
    runs = [run(1, {"C": 1}, (0.5, 1.0)), run(2, {"C": 1}, (0.25, 0.25)), run(3, {"C": 2}, (0.0,))]
    told = launch_to_json(
        LAUNCH,
        runs,
        computations={},
        objective=("accuracy", Direction.MAXIMIZE),
    )
    best = told["best"]
    assert isinstance(best, dict)
    assert (best["id"], best["number"], best["params"]) == ("id-1", 1, {"C": 1})
    assert (best["value"], best["seeds"], best["n"]) == (0.5, 2, 4)
    assert best["std"] == pytest.approx(0.125**0.5)  # of 0.5, 1.0, 0.25, 0.25 about 0.5
    assert (best["metric"], best["direction"]) == ("accuracy", "maximize")


def test_every_entity_tells_times_statuses_and_odd_numbers_as_plain_json() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    kept = ArtifactRef(name="model", format="npy", digest="d", size=3, inline=b"...")
    computation = Computation(
        id="c",
        launch="l",
        run=None,
        stage="fit",
        fold=0,
        status=ComputationStatus.FAILED,
        outputs=(kept,),
        started=moment,
        wall=float("nan"),
        exception=ExceptionInfo(type="ValueError", message="no", traceback="…"),
    )
    assert to_json(computation) == {
        "id": "c",
        "run": None,
        "launch": "l",
        "stage": "fit",
        "fold": 0,
        "status": "failed",
        "key": None,
        "inputs": {},
        "outputs": [{"name": "model", "format": "npy", "digest": "d", "size": 3}],
        "started": "2026-01-02T03:04:05+00:00",
        "wall": "NaN",
        "cpu": None,
        "memory": None,
        "log": "",
        "exception": {"type": "ValueError", "message": "no", "traceback": "…"},
    }
    assert type(to_json(computation)["status"]) is str


def test_what_is_no_entity_is_refused() -> None:
    with pytest.raises(SerializationError, match="a dict is no entity"):
        to_json({})
