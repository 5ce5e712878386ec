"""What the outputs of a run's computations say of it: metrics, fields and tags."""

from __future__ import annotations

import math
import numbers
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar

from ..artifacts.base import ArtifactStore
from ..artifacts.fields import Keep, put_together, take_apart
from ..artifacts.values import load
from ..compare.averages import deviation, mean
from ..entities import ArtifactRef, Direction, Metric
from ..exceptions import ArtifactDamagedError, ArtifactMissingError, StageError
from ..planner.works import LOGGED
from ..series import Number, Summary, merged
from ..stages import Stage
from ..storage.news import Kept, News, field_place
from ..tracking.artifacts import Keeper
from ..tracking.fields import as_kept
from ..types import JSONValue
from .logged import read_logged

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run measured.

    Attributes
    ----------
    metrics : list of Metric
        Over folds, of all folds: one that is missing on some fold, or that a stage logged
        there before it failed, is not among them.
    fields : mapping
        What stages on folds keep under one name: the value where all have the same, else the
        list of them, in fold order, with None for a fold that has none. Their plain forms.
    exact : mapping
        Those of `fields` that folds have and JSON has no word for.
    kept : tuple of Kept
        Where their exact values lie.
    damaged : tuple of str
        Digests of logs that could not be read, and are missing from the rest.
    clashes : mapping
        Name that two stages give, in words; it is missing from the rest.
    partial : tuple of str
        Metrics that are missing on a fold although nothing failed there, in words.
    """

    metrics: list[Metric]
    fields: dict[str, JSONValue]
    exact: dict[str, JSONValue] = field(default_factory=dict)
    kept: tuple[Kept, ...] = ()
    damaged: tuple[str, ...] = ()
    clashes: Mapping[str, str] = field(default_factory=dict)
    partial: tuple[str, ...] = ()


def measure(
    outputs: Iterable[tuple[Stage, int | None, tuple[ArtifactRef, ...]]],
    artifacts: ArtifactStore,
    earlier: Mapping[str, Metric] | None = None,
) -> Measured:
    """Gather what the computations of a run measured.

    Parameters
    ----------
    outputs : iterable of (Stage, int or None, tuple of ArtifactRef)
        Stage, fold and outputs of every computation.
    artifacts : ArtifactStore
    earlier : mapping, optional
        Name → metric, of a run that goes on: what is logged further joins their series.
    """
    scores, kept = _Gathered[Number]("metric"), _Gathered[_Field]("field")
    directions: dict[str, Direction] = {}
    series: dict[str, Summary] = {}
    damaged: list[str] = []
    for stage, fold, given in outputs:
        for gathered in (scores, kept):
            gathered.expect(stage, fold)
        if not {artifact.name for artifact in given}.issuperset(stage.outputs):
            scores.lack(stage, fold)
        for artifact in given:
            if artifact.name == LOGGED:
                try:
                    said = read_logged(given, artifacts)
                except (ArtifactDamagedError, ArtifactMissingError):
                    damaged.append(artifact.digest)
                    continue
                assert said is not None
                news = said.news
                scores.add(stage, fold, {n: s.last for n, s in news.summaries.items()})
                kept.add(stage, fold, {name: _field(name, news) for name in news.fields})
                if fold is None:
                    for name, new in news.summaries.items():
                        series[name] = merged(series[name], new) if name in series else new
            elif stage.metric and artifact.inline is not None:
                score = number(load(artifact, artifacts, trust=True))
                if score is not None:
                    scores.add(stage, fold, {artifact.name: score})
                    directions[artifact.name] = stage.direction
    missing = scores.missing()
    metrics = [
        replace(
            summarise(name, by_fold, directions.get(name, Direction.NONE)),
            series=series.get(name) if None in by_fold else None,
        )
        for name, by_fold in scores.settled().items()
        if name not in missing
    ]
    metrics = joined(earlier or {}, metrics)
    keep = Keeper(artifacts, (), strict=True).keep
    fields: dict[str, JSONValue] = {}
    exact: dict[str, JSONValue] = {}
    refs: list[Kept] = []
    for name, by_fold in kept.settled().items():
        try:
            fields[name], found = _over_folds(name, by_fold, kept.expected(name), artifacts, keep)
        except (ArtifactDamagedError, ArtifactMissingError):
            damaged.extend(part.digest for one in by_fold.values() for part in one.kept)
            continue
        if found:
            exact[name] = fields[name]
            refs.extend(found)
    clashes = {**scores.clashes, **kept.clashes}
    partial = tuple(_told(name, folds) for name, folds in missing.items() if folds)
    return Measured(metrics, fields, exact, tuple(refs), tuple(damaged), clashes, partial)


class _Gathered(Generic[T]):
    """Values by name and fold, and the stage that gave each.

    Where several stages log one name in one place, the last one counts, as within a stage.
    """

    def __init__(self, kind: str) -> None:
        self.clashes: dict[str, str] = {}
        self._kind = kind
        self._values: dict[str, dict[int | None, tuple[Stage, T]]] = defaultdict(dict)
        self._folds: dict[str, set[int]] = defaultdict(set)
        self._failed: dict[str, set[int]] = defaultdict(set)

    def expect(self, stage: Stage, fold: int | None) -> None:
        """Note that a stage is carried out on a fold."""
        if fold is not None:
            self._folds[stage.name].add(fold)

    def lack(self, stage: Stage, fold: int | None) -> None:
        """Note that a stage did not come to its end on a fold."""
        if fold is not None:
            self._failed[stage.name].add(fold)

    def expected(self, name: str) -> set[int]:
        """Return the folds of the stages that give a name."""
        givers = {stage.name for stage, _ in self._values[name].values()}
        return {fold for giver in givers for fold in self._folds[giver]}

    def missing(self) -> dict[str, list[int]]:
        """Return the names that are not of all folds, with the folds where nothing failed."""
        found = {}
        for name, by_fold in self._values.items():
            givers = {stage.name for stage, _ in by_fold.values()}
            failed = {fold for giver in givers for fold in self._failed[giver]}
            # What a stage logged before it failed is no score of its fold, another's is.
            kept = {f for f, (stage, _) in by_fold.items() if f not in self._failed[stage.name]}
            lacking = set() if None in by_fold else self.expected(name) - kept
            if lacking:
                found[name] = sorted(lacking - failed)
        return found

    def add(self, stage: Stage, fold: int | None, values: Mapping[str, T]) -> None:
        """Take what a stage gave; None is the fold of the run as a whole."""
        for name, value in values.items():
            places = self._values[name]
            # Where it was given already; for the rest of the folds, the first stands.
            place = fold if fold in places else next(iter(places), fold)
            if place in places:
                other = places[place][0]
                twice = other.name != stage.name and (other.metric or stage.metric)
                if (place is None) is not (fold is None) or (place == fold and twice):
                    self._tell(name, (other, place), (stage, fold))
            places[fold] = stage, value

    def settled(self) -> dict[str, dict[int | None, T]]:
        """Return name → fold → value, of the names that say one thing."""
        return {
            name: {fold: value for fold, (_, value) in by_fold.items()}
            for name, by_fold in self._values.items()
            if name not in self.clashes
        }

    def _tell(self, name: str, *sources: tuple[Stage, int | None]) -> None:
        one, other = (
            f"stage {stage.name!r} {'for the whole run' if fold is None else 'on each fold'}"
            for stage, fold in sources
        )
        self.clashes[name] = (
            f"{self._kind} {name!r} comes from {one} and from {other}; "
            "give one of them another name"
        )


class _Field(NamedTuple):
    """A field as one stage set it: its plain form, and where its exact value lies."""

    plain: JSONValue
    kept: tuple[Kept, ...] = ()


def _field(name: str, news: News) -> _Field:
    place = field_place(name)
    return _Field(news.fields[name], tuple(k for k in news.artifacts if k.name.startswith(place)))


def _over_folds(
    name: str,
    values: Mapping[int | None, _Field],
    folds: Iterable[int],
    artifacts: ArtifactStore,
    keep: Keep,
) -> tuple[JSONValue, Sequence[Kept]]:
    """Return the plain form of a field over folds, and where its exact value lies."""
    if None in values:
        return values[None].plain, ()  # it was told already
    first, *others = values.values()
    if all(value == first for value in others):
        return first
    if not any(value.kept for value in values.values()):
        return [values[fold].plain if fold in values else None for fold in sorted(folds)], ()
    exact = [_exact(name, values[f], artifacts) if f in values else None for f in sorted(folds)]
    plain, refs = take_apart(exact, field_place(name), keep)
    return plain, [as_kept(ref) for ref in refs]


def _exact(name: str, value: _Field, artifacts: ArtifactStore) -> object:
    refs = [ArtifactRef(**part._asdict()) for part in value.kept]
    whole = next((ref for ref in refs if ref.name == field_place(name)), None)
    return value.plain if whole is None else put_together(whole, refs, artifacts)


def _told(name: str, folds: Sequence[int]) -> str:
    """Tell of a metric that stages logged on some folds only.

    Examples
    --------
    >>> _told("loss", [1, 3])
    "metric 'loss' is not logged on folds 1, 3: a mean over the others ..."
    """
    where = f"fold{'s' * (len(folds) > 1)} {', '.join(map(str, folds))}"
    return (
        f"metric {name!r} is not logged on {where}: a mean over the others would be one of "
        "something else, so the run has none; log it on every fold"
    )


def summarise(name: str, scores: Mapping[int | None, Number], direction: Direction) -> Metric:
    """Return a metric over folds: mean, standard deviation (``ddof=1``) and every value.

    Examples
    --------
    >>> summarise("accuracy", {0: 0.5, 1: 1.0}, Direction.MAXIMIZE).value
    0.75
    """
    if None in scores:
        return Metric(name=name, value=scores[None], direction=direction)
    folds = tuple(scores[fold] for fold in sorted(f for f in scores if f is not None))
    std = deviation(folds) if len(folds) > 1 else None
    return Metric(name=name, value=mean(folds), std=std, folds=folds, direction=direction)


def joined(earlier: Mapping[str, Metric], metrics: Sequence[Metric]) -> list[Metric]:
    """Return the metrics of a run that goes on: all points of a series count.

    Those on folds that nothing new was said of are told again: the catalog has the single
    values from the end of a run alone.

    Examples
    --------
    >>> before = Metric(name="loss", value=0.5, series=Summary(1, 9, 10, 0.5, 0.5, 0.5, 0.5, 1))
    >>> new = Metric(name="loss", value=0.75, series=Summary(1, 3, 20, 0.75, 0.75, 0.75, 0.75, 1))
    >>> [loss] = joined({"loss": before}, [new])
    >>> loss.value, loss.series.count
    (0.5, 2)
    """
    new = {metric.name for metric in metrics}
    left = [m for name, m in earlier.items() if m.folds and name not in new]
    return [*(_further(earlier.get(metric.name), metric) for metric in metrics), *left]


def _further(before: Metric | None, new: Metric) -> Metric:
    if before is None or before.series is None:
        return new
    if new.series is None:
        return replace(new, series=before.series)
    series = merged(before.series, new.series)
    return replace(new, value=series.last, series=series)


def scored(name: str, value: object) -> float:
    """Return what a metric gave as a number.

    Raises
    ------
    StageError
        It is none.

    Examples
    --------
    >>> scored("cost", {"total": 1})
    Traceback (most recent call last):
        ...
    gosset.exceptions.StageError: metric 'cost' returned a dict, not a number; return one, ...
    """
    score = number(value)
    if score is None:
        shown = "None" if value is None else f"a {type(value).__name__}"
        raise StageError(
            f"metric {name!r} returned {shown}, not a number",
            hint="return one, or several by outputs=(…)",
        )
    return score


def number(value: object) -> float | None:
    """Return a real number, Python's or an array's without dimensions; None for all else.

    Examples
    --------
    >>> number(True), number("0.5"), number(10**400)
    (1.0, None, inf)
    """
    if isinstance(value, numbers.Real | Decimal):
        real: Any = value
    elif getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        real = value.item()
        if not isinstance(real, bool | int | float):
            return None
    else:
        return None
    try:
        return float(real)
    except OverflowError:  # an integer, or a fraction of them, beyond any float
        return math.inf if real > 0 else -math.inf
