"""Which parameter set is the best one, and which metric tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import TypeAlias

from ..entities import Direction, Experiment, Run
from .averages import foremost
from .runs import Score, counted, grouped

Objective: TypeAlias = tuple[str, Direction]
"""The metric that tells the best run, and which end of it is the good one."""


def objective_of(experiment: Experiment, runs: Sequence[Run]) -> Objective | None:
    """Return the metric that tells the best run: as it was declared, else the first that can."""
    declared = experiment.definition.get("objective")
    if isinstance(declared, Mapping):
        return str(declared["metric"]), Direction(str(declared["direction"]))
    return first_objective(runs)


def first_objective(runs: Sequence[Run]) -> Objective | None:
    """Return the first metric that has a better end; None where no metric of `runs` has."""
    names = foremost(name for run in runs for name in run.metrics)
    for run in runs:
        for metric in run.metrics.values():
            if metric.direction is not Direction.NONE and metric.name in names:
                return metric.name, metric.direction
    return None


def best_row(
    runs: Sequence[Run], objective: Objective | None, *, by_launch: bool = False
) -> int | None:
    """Return the position of the best parameter set among the rows of a summary of `runs`.

    Sets are ranked by the mean of the objective over their complete runs, which differ in
    the seed alone: one lucky seed makes no best set. Of equals the first is taken.

    Parameters
    ----------
    runs : sequence of Run
    objective : tuple of (str, Direction) or None
    by_launch : bool
        Take no runs of different launches together.

    Examples
    --------
    >>> best_row([], ("accuracy", Direction.MAXIMIZE)) is None
    True
    """
    if objective is None:
        return None
    name, direction = objective
    sign = -1.0 if direction is Direction.MINIMIZE else 1.0
    means = [Score.of(group, name).mean for group in grouped(runs, by_launch=by_launch)]
    ranked = {
        row: sign * mean for row, mean in enumerate(means) if mean is not None and not isnan(mean)
    }
    return max(ranked, key=ranked.__getitem__, default=None)


def best_group(
    runs: Sequence[Run], objective: Objective | None, *, by_launch: bool = False
) -> list[Run]:
    """Return the runs that make up the score of the best parameter set; empty where none is.

    See :func:`best_row` for the parameters.

    Examples
    --------
    >>> best_group([], ("accuracy", Direction.MAXIMIZE))
    []
    """
    row = best_row(runs, objective, by_launch=by_launch)
    if row is None or objective is None:
        return []
    return counted(grouped(runs, by_launch=by_launch)[row], objective[0])
