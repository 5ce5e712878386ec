"""Writing what becomes of a launch to the catalog, in batches."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..entities import Attempt, CacheEntry, Computation
from ..fingerprint import codes_in, files_in
from ..identifiers import now
from ..parameters import jsonable
from ..planner.plan import Item
from ..planner.works import Outcome
from ..storage.base import Catalog
from ..storage.changes import Batch, RunUpdate
from ..storage.news import News
from ..types import JSONValue

FLUSH_EVERY = 0.25
"""Seconds between transactions while outcomes come in: what a kill can lose."""


class Recorder:
    """Collects what happens and writes it in one transaction every :data:`FLUSH_EVERY` seconds.

    Used as a context: a thread writes inside the block, so that a stage that blocks this
    process holds nothing back, and what is left is written at its end. A run's end is
    written together with, or after, everything that was added before it.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._pending = _Pending()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="gosset-recorder", daemon=True)
        self._error: BaseException | None = None

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()
        # What the thread could not write is tried once more, and then it is an error.
        self.flush()

    def add(
        self,
        *,
        entries: Iterable[CacheEntry] = (),
        stale: Iterable[str] = (),
        computations: Iterable[Computation] = (),
        attempts: Iterable[Attempt] = (),
        runs: Iterable[RunUpdate] = (),
        news: Iterable[News] = (),
    ) -> None:
        """Take what happened, to be written soon.

        Parameters
        ----------
        stale : iterable of str
            Keys of entries whose bytes are gone: they make room for those of `entries`.
        entries, computations, attempts, runs
            As of :class:`Batch`.
        news : iterable of News
            Of the runs; they are written after their beginnings and before the rest.

        Raises
        ------
        StorageError
            What was taken before could not be written.
        """
        if self._error is not None:
            raise self._error
        with self._lock:
            self._pending.extend(
                _Pending([*entries], [*stale], [*computations], [*attempts], [*runs], [*news])
            )

    def flush(self) -> None:
        """Write what was taken and is not written yet.

        Raises
        ------
        StorageError
            It cannot be written; it is kept for the next call.
        """
        with self._writing:
            with self._lock:
                pending, self._pending = self._pending, _Pending()
            try:
                self._write(pending)
            except BaseException:
                with self._lock:
                    pending.extend(self._pending)
                    self._pending = pending
                raise

    def _write(self, pending: _Pending) -> None:
        """Write what is pending; what was written is no longer."""
        if pending.news:
            begun = [run for run in pending.runs if run.ended is None]
            if begun:
                self._catalog.record(Batch(runs=begun))
                pending.runs = [run for run in pending.runs if run.ended is not None]
            self._catalog.sink().write(pending.news)
            pending.news = []
        if pending.stale:
            self._catalog.evict(pending.stale)
        batch = Batch(
            entries=pending.entries,
            computations=pending.computations,
            attempts=pending.attempts,
            runs=pending.runs,
        )
        if any((batch.entries, batch.computations, batch.attempts, batch.runs)):
            self._catalog.record(batch)

    def _beat(self) -> None:
        while not self._ending.wait(FLUSH_EVERY):
            try:
                self.flush()
            except Exception as error:  # noqa: BLE001 - raised where somebody can act upon it
                self._error = error
                return


@dataclass(slots=True)
class _Pending:
    entries: list[CacheEntry] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    computations: list[Computation] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    runs: list[RunUpdate] = field(default_factory=list)
    news: list[News] = field(default_factory=list)

    def extend(self, other: _Pending) -> None:
        """Add what came later."""
        self.entries += other.entries
        self.stale += other.stale
        self.computations += other.computations
        self.attempts += other.attempts
        self.runs += other.runs
        self.news += other.news


class Entries:
    """Makes the cache entries of what was computed."""

    def __init__(self) -> None:
        # The folds of a run share their parameters, and to describe an estimator takes long.
        self._described: dict[int, dict[str, JSONValue]] = {}

    def entry_of(self, item: Item, outcome: Outcome) -> CacheEntry:
        """Return the cache entry of a piece of work that was computed."""
        assert outcome.key is not None
        shared = id(item.parameters)  # the plan keeps them as long as this object is used
        if shared not in self._described:
            self._described[shared] = _described(item)
        return CacheEntry(
            key=outcome.key,
            recipe=item.recipe,
            stage=item.stage.name,
            parts={
                "code": item.code,
                **self._described[shared],
                "inputs": dict(outcome.inputs),
                **({"reads": [*outcome.reads]} if outcome.reads else {}),
            },
            outputs=outcome.outputs,
            wall=outcome.wall,
            created=outcome.started or now(),
        )


def _described(item: Item) -> dict[str, JSONValue]:
    """Return what is to be told of the parameters of a piece of work."""
    paths = {file.path for file in files_in(item.parameters)}
    parts: dict[str, JSONValue] = {
        "parameters": {name: jsonable(value) for name, value in item.parameters.items()},
        "files": {file.path: file.digest for file in item.files if file.path in paths},
        "reached": _reached(item),
    }
    return {name: part for name, part in parts.items() if part or name == "parameters"}


def _reached(item: Item) -> dict[str, JSONValue]:
    """Return the user's own code in the parameters: parameter → component → digest and heading.

    A component is told by the parameter of the run that brought it, where there is one: a
    whole estimator is a single parameter of its stage.
    """
    own = {name: _components(value) for name, value in item.parameters.items()}
    left = {component for components in own.values() for component in components}
    if left and item.run is not None:
        own = {**{name: _components(v) for name, v in item.run.facts.params.items()}, **own}
    found: dict[str, JSONValue] = {}
    for name, components in own.items():
        found[name] = {c: told for c, told in components.items() if c in left}
        left -= components.keys()
    return {name: components for name, components in found.items() if components}


def _components(value: object) -> dict[str, JSONValue]:
    return {
        component: {"digest": digest, "heading": _heading(code.sources.get(component, ""))}
        for code in codes_in(value)
        for component, digest in code.parts.items()
    }


def _heading(source: str) -> str:
    """Return the line that says what is defined: every entry bears it, so no more is kept."""
    found = re.search(r"^\s*(?:async\s+)?(?:def|class)\b.*", source, re.MULTILINE)
    return found[0].strip() if found else ""
