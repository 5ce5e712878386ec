"""What the outputs of a run's computations say of it: metrics, fields and tags."""

from __future__ import annotations

import math
import numbers
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, TypeVar

from ..artifacts.base import ArtifactStore
from ..artifacts.values import load
from ..compare.averages import deviation, mean
from ..entities import ArtifactRef, Direction, Metric
from ..exceptions import ArtifactDamagedError, ArtifactMissingError, StageError
from ..planner.works import LOGGED
from ..serializers.views import plain_form
from ..stages import Stage
from ..types import JSONValue

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
        list of them, in fold order, with None for a fold that has none.
    damaged : tuple of str
        Digests of logs that could not be read, and are missing from the rest.
    clashes : tuple of str
        What two stages give under one name, in words; it is missing from the rest.
    partial : tuple of str
        Metrics that are missing on a fold although nothing failed there, in words.
    """

    metrics: list[Metric]
    fields: dict[str, JSONValue]
    tags: tuple[str, ...]
    damaged: tuple[str, ...] = ()
    clashes: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()


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
    scores, kept = _Gathered[float]("metric"), _Gathered[JSONValue]("field")
    directions: dict[str, Direction] = {}
    tags: list[str] = []
    damaged: list[str] = []
    for stage, fold, given in outputs:
        for gathered in (scores, kept):
            gathered.expect(stage, fold)
        if not {artifact.name for artifact in given}.issuperset(stage.outputs):
            scores.lack(stage, fold)
        for artifact in given:
            if artifact.name == LOGGED:
                try:
                    logged = load(artifact, artifacts)
                except (ArtifactDamagedError, ArtifactMissingError):
                    damaged.append(artifact.digest)
                    continue
                assert isinstance(logged, dict)
                scores.add(stage, fold, logged["metrics"])
                kept.add(stage, fold, logged["fields"])
                tags.extend(logged["tags"])
            elif stage.metric and artifact.inline is not None:
                score = number(load(artifact, artifacts, trust=True))
                if score is not None:
                    scores.add(stage, fold, {artifact.name: score})
                    directions[artifact.name] = stage.direction
    missing = scores.missing()
    metrics = [
        summarise(name, by_fold, directions.get(name, Direction.NONE))
        for name, by_fold in scores.settled().items()
        if name not in missing
    ]
    fields = {
        name: _over_folds(by_fold, kept.expected(name)) for name, by_fold in kept.settled().items()
    }
    clashes = (*scores.clashes.values(), *kept.clashes.values())
    partial = tuple(_told(name, folds) for name, folds in missing.items() if folds)
    return Measured(metrics, fields, tuple(dict.fromkeys(tags)), tuple(damaged), clashes, partial)


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


def _over_folds(values: Mapping[int | None, object], folds: Iterable[int]) -> JSONValue:
    if None in values:
        return plain_form(values[None])
    first, *others = values.values()
    if all(value == first for value in others):
        return plain_form(first)
    return [plain_form(values.get(fold)) for fold in sorted(folds)]


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
    std = deviation(folds) if len(folds) > 1 else None
    return Metric(name=name, value=mean(folds), std=std, folds=folds, direction=direction)


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
