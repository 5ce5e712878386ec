"""Writing what becomes of a launch to the catalog, in batches."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from .entities import Attempt, CacheEntry, Computation
from .identifiers import now
from .parameters import jsonable
from .planner import Item
from .storage.base import Batch, Catalog, RunUpdate
from .works import Outcome

FLUSH_EVERY = 0.25
"""Seconds between transactions while outcomes come in: what a kill can lose."""


@dataclass(slots=True)
class Recorder:
    """Collects what happened and writes it in one transaction now and then.

    A run's end is written together with, or after, everything that led to it. ``stale``
    holds the keys of entries whose bytes are gone: they make room for those of ``entries``.
    """

    catalog: Catalog
    entries: list[CacheEntry] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    computations: list[Computation] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    runs: list[RunUpdate] = field(default_factory=list)
    _flushed: float = field(default_factory=time.monotonic)

    def flush(self, *, if_due: bool = False) -> None:
        """Write what was collected; with `if_due` only when the last time is long enough ago."""
        if if_due and time.monotonic() - self._flushed < FLUSH_EVERY:
            return
        self._flushed = time.monotonic()
        if self.stale:
            self.catalog.evict(self.stale)
        if self.entries or self.computations or self.attempts or self.runs:
            self.catalog.record(
                Batch(
                    entries=self.entries,
                    computations=self.computations,
                    attempts=self.attempts,
                    runs=self.runs,
                )
            )
        self.entries, self.stale, self.computations = [], [], []
        self.attempts, self.runs = [], []


def entry_of(item: Item, outcome: Outcome) -> CacheEntry:
    """Return the cache entry of a piece of work that was computed."""
    assert outcome.key is not None
    return CacheEntry(
        key=outcome.key,
        recipe=item.recipe,
        stage=item.stage.name,
        parts={
            "code": item.code,
            "parameters": {name: jsonable(value) for name, value in item.parameters.items()},
            "inputs": dict(outcome.inputs),
        },
        outputs=outcome.outputs,
        wall=outcome.wall,
        created=outcome.started or now(),
    )
