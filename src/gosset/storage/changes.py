"""What is written to a catalog: runs that are added, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ..entities import (
    Attempt,
    CacheEntry,
    Computation,
    ExceptionInfo,
    Hyperparameter,
    Metric,
    Status,
)
from ..types import JSONValue


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run to be added: its parameters are complete or it is not there.

    Attributes
    ----------
    id : str or None
        The UUID that it is known by already; by default it gets one.
    """

    params: Mapping[str, JSONValue]
    group: str
    id: str | None = None
    seed: int | None = None
    name: str = ""
    tags: tuple[str, ...] = ()
    dataset: str | None = None
    split: str | None = None
    config: Mapping[str, JSONValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunUpdate:
    """What became of a run. ``None`` leaves a value as it is.

    ``metrics`` and ``fields`` are merged over those that are there; ``exception`` is
    cleared by ``clear_exception`` when a run is taken up again. ``launch`` is the id of the
    launch that takes it up: one of the same experiment, while no other is at work on it.
    """

    id: str
    launch: str | None = None
    status: Status | None = None
    started: datetime | None = None
    ended: datetime | None = None
    metrics: Sequence[Metric] = ()
    fields: Mapping[str, JSONValue] = field(default_factory=dict)
    hyperparameters: tuple[Hyperparameter, ...] | None = None
    tags: tuple[str, ...] | None = None
    exception: ExceptionInfo | None = None
    clear_exception: bool = False
    cached: bool | None = None
    dataset: str | None = None
    split: str | None = None
    execution: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Everything that one transaction writes.

    - ``entries``: cache entries; a key that is there already is left as it is, unless it
      is evicted, when the new outputs replace it.
    - ``computations``: replace those of the same run (or launch), stage and fold.
    - ``attempts``: replace those of the same run and number.
    - ``runs``: updates.
    """

    entries: Sequence[CacheEntry] = ()
    computations: Sequence[Computation] = ()
    attempts: Sequence[Attempt] = ()
    runs: Sequence[RunUpdate] = ()
