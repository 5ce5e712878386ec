"""The asked-for metrics of an experiment as stages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..entities import Direction
from ..exceptions import MetricError
from ..metrics import Resolved, resolve
from ..stages import Stage, view


@dataclass(frozen=True, slots=True)
class Scoring:
    """The metrics of an experiment.

    Attributes
    ----------
    stages : tuple of Stage
        Every metric stage that is needed, once for each part, and the views they take.
    names : tuple of str
        The asked-for outputs.
    objective : tuple of (str, Direction) or None
        The first of them that has a better end.
    """

    stages: tuple[Stage, ...] = ()
    names: tuple[str, ...] = ()
    objective: tuple[str, Direction] | None = None


def score(
    metrics: Iterable[Any],
    *,
    task: str = "",
    parts: Sequence[str] = ("test",),
    labels: Sequence[object] = (),
    provided: Collection[str] = (),
    silent: Collection[str] = (),
    lacking: Collection[str] = (),
) -> Scoring:
    """Resolve `metrics`, leaving out those that rest on a value in `silent`.

    Parameters
    ----------
    metrics : iterable
        Names, metric stages or plain functions.
    task, parts, labels, provided, lacking
        As of :func:`gosset.metrics.resolve`.
    silent : collection of str
        Outputs of stages declared with ``metrics=False``.

    Raises
    ------
    MetricError
        A metric that is unknown or does not fit.
    """

    def found(asked: list[Any]) -> Resolved:
        return resolve(asked, task, parts=parts, labels=labels, provided=provided, lacking=lacking)

    def rests_on_silent(metric: Any) -> bool:
        taken = {value for stage in found([metric]).stages for value in stage.inputs.values()}
        return bool(taken.intersection(silent))

    wanted = [metric for metric in metrics if not rests_on_silent(metric)]
    if not wanted:
        return Scoring()
    resolved = found(wanted)
    objective = next(
        (
            (name, direction)
            for name, direction in sorted(resolved.directions.items(), key=_test_first)
            if direction is not Direction.NONE
        ),
        None,
    )
    stages = tuple(stage for stage in resolved.stages if not set(stage.outputs) <= set(provided))
    return Scoring(stages, resolved.metrics, objective)


def known_objective(name: str) -> tuple[str, Direction] | None:
    """Return a metric with its better end, where its name is known to have one.

    Examples
    --------
    >>> known_objective("rmse")[1].value, known_objective("my own") is None
    ('minimize', True)
    """
    try:
        direction = resolve([name]).directions.get(name, Direction.NONE)
    except MetricError:
        return None
    return None if direction is Direction.NONE else (name, direction)


def _test_first(item: tuple[str, Direction]) -> bool:
    # sorted() is stable: the order in which metrics were asked for is kept within a part.
    return "/" in item[0]


def labels_view() -> Stage:
    """Return a view that gives ``labels`` where stages give ``truth`` and ``predicted``.

    Examples
    --------
    >>> labels_view()(["b", "a"], ["a", "c"])
    ['a', 'b', 'c']
    """
    return view(_labels, name="labels")


def _labels(truth: Any, predicted: Any) -> list[object]:
    from ..metrics.results import ordered, plain

    return ordered(set(plain(truth)) | set(plain(predicted)))
