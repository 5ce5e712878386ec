"""What the outputs of a run's computations say of it: metrics, fields and tags."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .artifacts.base import ArtifactStore
from .artifacts.values import load
from .entities import ArtifactRef, Direction, Metric
from .stages import Stage
from .types import JSONValue
from .works import LOGGED


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run measured."""

    metrics: list[Metric]
    fields: dict[str, JSONValue]
    tags: tuple[str, ...]


def measure(
    outputs: Iterable[tuple[Stage, int | None, tuple[ArtifactRef, ...]]],
    artifacts: ArtifactStore,
) -> Measured:
    """Gather what the computations of a run measured.

    Parameters
    ----------
    outputs : iterable of (Stage, int or None, tuple of ArtifactRef)
        Stage, fold and outputs of every computation.
    artifacts : ArtifactStore
    """
    scores: dict[str, dict[int | None, float]] = defaultdict(dict)
    directions: dict[str, Direction] = {}
    fields: dict[str, JSONValue] = {}
    tags: list[str] = []
    for stage, fold, given in outputs:
        for artifact in given:
            if artifact.name == LOGGED:
                logged = load(artifact, artifacts)
                assert isinstance(logged, dict)
                for name, value in logged["metrics"].items():
                    scores[name][fold] = value
                fields.update(logged["fields"])
                tags.extend(logged["tags"])
            elif stage.metric and artifact.inline is not None:
                for score in _numbers(load(artifact, artifacts, trust=True)):
                    scores[artifact.name][fold] = score
                    directions[artifact.name] = stage.direction
    metrics = [
        summarise(name, by_fold, directions.get(name, Direction.NONE))
        for name, by_fold in scores.items()
    ]
    return Measured(metrics, fields, tuple(dict.fromkeys(tags)))


def summarise(name: str, scores: Mapping[int | None, float], direction: Direction) -> Metric:
    """Return a metric over folds: mean, standard deviation (``ddof=1``) and every value.

    Examples
    --------
    >>> summarise("accuracy", {0: 0.5, 1: 1.0}, Direction.MAXIMIZE).value
    0.75
    """
    if None in scores:
        return Metric(name=name, value=scores[None], direction=direction)
    folds = tuple(scores[fold] for fold in sorted(f for f in scores if f is not None))
    mean = sum(folds) / len(folds)
    std = None
    if len(folds) > 1:
        std = (sum((value - mean) ** 2 for value in folds) / (len(folds) - 1)) ** 0.5
    return Metric(name=name, value=mean, std=std, folds=folds, direction=direction)


def _numbers(value: object) -> Iterator[float]:
    if isinstance(value, bool | int | float):
        yield float(value)
    elif hasattr(value, "dtype") and getattr(value, "ndim", 1) == 0:
        yield float(value)  # type: ignore[arg-type]
