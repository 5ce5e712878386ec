"""Executions: which launches are at work with one version of an experiment's code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import max_error

import gosset as gs

X = np.arange(20.0).reshape(10, 2)


def worst(truth: Any, predicted: Any) -> float:
    return float(abs(truth - predicted).max())


def best(truth: Any, predicted: Any) -> float:
    return float(abs(truth - predicted).min())


@gs.stage(outputs=("truth", "predicted"))
def guessed(X: Any) -> Any:
    return X[:, 0], X[:, 1]


def scored(metrics: list[Any] | None) -> gs.Experiment:
    return gs.Experiment("e", dataset=(X, X[:, 0]), estimator=Ridge(), splits=2, metrics=metrics)


def staged(metrics: list[Any] | None) -> gs.Experiment:
    return gs.Experiment("e", dataset=(X, X[:, 0]), stages=[guessed], metrics=metrics)


def executions(*launches: tuple[gs.Experiment, list[Any] | None]) -> list[int]:
    """Return the number of the execution of each launch."""
    with gs.open_store("memory://") as store:
        return [
            experiment.execute(
                store=store, executor="inline", progress=False, metrics=asked
            ).launch.execution
            for experiment, asked in launches
        ]


@pytest.mark.parametrize("declared", [scored, staged])
def test_other_metrics_of_the_library_are_no_other_code(declared: Callable[..., Any]) -> None:
    given = declared(["r2"])
    launches = [(given, None), (given, ["rmse", "mae"]), (given, [max_error]), (given, None)]
    assert executions(*launches, (declared(["mae"]), None)) == [1, 1, 1, 1, 1]


@pytest.mark.parametrize("declared", [scored, staged])
def test_a_metric_of_the_users_own_is_code_where_it_is_declared(
    declared: Callable[..., Any],
) -> None:
    plain, own, other = declared(["r2"]), declared(["r2", worst]), declared(["r2", best])
    launches = [(plain, None), (own, None), (other, None), (own, ["rmse"]), (plain, [worst])]
    assert executions(*launches) == [1, 2, 3, 2, 1]


def test_the_code_of_a_declared_metric_is_kept_also_where_a_launch_does_without() -> None:
    with gs.open_store("memory://") as store:
        scored([worst]).execute(store=store, executor="inline", progress=False, metrics=["r2"])
        [execution] = store.catalog.select("executions")
        assert any("worst" in name for name in execution.code["sources"])  # type: ignore[attr-defined]
