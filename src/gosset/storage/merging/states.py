"""What a store knows of a run, and the rule by which what two stores know becomes one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from ..news import field_place
from ..rows import Row
from ..values import decode, encode
from .ranking import progress, told, when

Chunk = tuple[str, int, int]
"""Name, writer and number of a chunk of a series."""

SERIES = ("value", "whole", "count", "step", "time", "minimum", "maximum", "total", "numbers")
"""Columns of a metric that follow from its points."""


@dataclass(frozen=True, kw_only=True)
class RunState:
    """A run as one store knows it, with nothing in it that another store says otherwise.

    Attributes
    ----------
    facts : mapping
        Column → value; launch and execution are told by id and fingerprint.
    params, config, fields, metrics : str
        JSON, as the row has them.
    tags : tuple of str
    writers : mapping
        Writer → how much of what it said is in.
    latest : str
        Id of the latest computation.
    links : tuple
        To artifacts.
    measured : mapping
        Metric → its row.
    points : mapping
        Chunk → how many points are in it.
    beaten : datetime or None
        The last sign of life of its launch.
    """

    facts: Row
    params: str = "{}"
    config: str = "{}"
    fields: str = "{}"
    metrics: str = ""
    tags: tuple[str, ...] = ()
    writers: Mapping[int, int] = field(default_factory=dict)
    latest: str = ""
    links: tuple[Row, ...] = ()
    measured: Mapping[str, Row] = field(default_factory=dict)
    points: Mapping[Chunk, int] = field(default_factory=dict)
    beaten: datetime | None = field(default=None, compare=False)

    @cached_property
    def place(self) -> tuple[Any, ...]:
        """How far the run is here: the greater, the further."""
        began = when(self.facts["started"])
        said = sum(self.writers.values())
        beaten = when(self.beaten)
        return self.facts["launch"], began, said, self.latest, beaten, *progress(self.facts)


def joined(mine: RunState, theirs: RunState) -> tuple[RunState, list[str]]:
    """Return what both know, and the series whose summary neither has.

    Facts are those of the store in which the run is further. Parameters, fields, tags,
    artifacts and metrics are united. Where a name stands for two values, that of the store in
    which the run is further counts; where it is as far in both, the one that sorts last.
    """
    even = mine.place == theirs.place
    mine_first = told(mine.facts) >= told(theirs.facts) if even else mine.place > theirs.place
    pair = Pair(*((mine, theirs) if mine_first else (theirs, mine)), even)
    points = dict(pair.near.points)
    for chunk, count in pair.far.points.items():
        points[chunk] = max(count, points.get(chunk, 0))
    fields, of_near = pair.united("fields")
    measured, unknown = pair.measured(points)
    united = RunState(
        facts=pair.far.facts,
        params=_kept(mine.params, pair.united("params")[0]),
        config=_kept(mine.config, pair.united("config")[0]),
        fields=_kept(mine.fields, fields),
        metrics=_kept(mine.metrics, pair.metrics(measured)),
        tags=mine.tags + tuple(sorted(set(theirs.tags) - set(mine.tags))),
        writers={
            writer: max(mine.writers.get(writer, 0), theirs.writers.get(writer, 0))
            for writer in (*mine.writers, *theirs.writers)
        },
        latest=max(mine.latest, theirs.latest),
        links=pair.links(fields, of_near),
        measured=measured,
        points=points,
        beaten=pair.far.beaten,
    )
    return united, unknown


@dataclass(frozen=True)
class Pair:
    """Two states of one run.

    Attributes
    ----------
    far, near : RunState
        The run is further in the first.
    even : bool
        It is as far in both.
    """

    far: RunState
    near: RunState
    even: bool

    def united(self, column: str) -> tuple[str, set[str]]:
        """Return two documents in one, and the names whose value is that of the nearer state."""
        far, near = getattr(self.far, column), getattr(self.near, column)
        if far == near:
            return far, set()
        here, there = decode(far), decode(near)
        of_near = self._of_near(_content(here), _content(there))
        return encode({**here, **{name: there[name] for name in of_near}}, column), set(of_near)

    def _of_near(self, far: Mapping[str, Any], near: Mapping[str, Any]) -> list[str]:
        """Return the names of which the nearer state's value counts, in its order."""
        return [
            name
            for name, value in near.items()
            if name not in far or (self.even and value > far[name])
        ]

    def links(self, fields: str, of_near: set[str]) -> tuple[Row, ...]:
        """Return the links of both; those of a field come with its value."""
        if self.far.links == self.near.links:
            return self.far.links
        places = {field_place(name): name for name in decode(fields)}
        far = {link["name"]: link for link in self.far.links}
        near = {link["name"]: link for link in self.near.links}
        of_field = {name: _field(name, places) for name in (*far, *near)}
        free = [name for name, owner in of_field.items() if owner is None]
        chosen = self._of_near(
            {name: told(far[name]) for name in free if name in far},
            {name: told(near[name]) for name in free if name in near},
        )
        in_near = {*chosen, *(name for name, owner in of_field.items() if owner in of_near)}
        taken = [link for name, link in far.items() if name not in in_near and of_field[name] not in of_near]  # fmt: skip
        return (*taken, *(link for name, link in near.items() if name in in_near))

    def measured(self, points: Mapping[Chunk, int]) -> tuple[dict[str, Row], list[str]]:
        """Return the metrics of both, and those whose points neither store has summed up."""
        of_near = self._of_near(
            {name: told(row) for name, row in self.far.measured.items()},
            {name: told(row) for name, row in self.near.measured.items()},
        )
        found = {**self.far.measured, **{name: self.near.measured[name] for name in of_near}}
        if not points or self.far.points == self.near.points:
            return found, []
        chunks: dict[str, list[Chunk]] = {}
        for chunk in points:
            chunks.setdefault(chunk[0], []).append(chunk)
        unknown = []
        for name, its in chunks.items():
            summed = next((row for row in self._summed(name, its, points) if row), None)
            if summed is None:
                unknown.append(name)
            else:
                found[name] = found[name] | {column: summed[column] for column in SERIES}
        return found, unknown

    def _summed(
        self, name: str, chunks: Iterable[Chunk], points: Mapping[Chunk, int]
    ) -> Iterable[Row | None]:
        """Return what those say of a series who know all its points."""
        return (
            state.measured.get(name)
            for state in (self.far, self.near)
            if all(state.points.get(chunk) == points[chunk] for chunk in chunks)
        )

    def metrics(self, measured: Mapping[str, Row]) -> str:
        """Return the metrics as the row of the run keeps them; nothing while it is at work."""
        far, near = self.far.metrics, self.near.metrics
        if not far and not (self.even and near):
            return ""
        if far == near and measured == self.far.measured:
            return far
        folds = {**decode(near or "{}"), **decode(far or "{}")}
        document = {}
        for name, row in measured.items():
            state = self.far if row == self.far.measured.get(name) else self.near
            own = decode(state.metrics or "{}").get(name) or folds.get(name)
            document[name] = metric_document(row, own[2] if own else [])
        return encode(document, "metrics")


def metric_document(row: Row, folds: list[float]) -> list[Any]:
    """Return a metric as the row of its run keeps it."""
    value = decode(row["whole"]) if row["whole"] is not None else row["value"]
    series = [] if row["count"] is None else [[row[column] for column in SERIES[2:]]]
    return [float("nan") if value is None else value, row["std"], folds, row["direction"], *series]


def _content(document: Mapping[str, Any]) -> dict[str, str]:
    # Compared as text: NaN is equal to itself there, and 1 is not True.
    return {name: encode(value, name) for name, value in document.items()}


def _kept(mine: str, united: str) -> str:
    """Return `mine` where both say the same in another order."""
    if mine == united or not mine or not united:
        return united
    return mine if _content(decode(mine)) == _content(decode(united)) else united


def _field(name: str, places: Mapping[str, str]) -> str | None:
    """Return the field that an artifact is of."""
    if not name.startswith("fields["):
        return None
    return next((field for place, field in places.items() if name.startswith(place)), None)
