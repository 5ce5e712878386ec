"""Brings what runs have to say to the store: one thread a process, which nobody waits for."""

from __future__ import annotations

import os
import threading
import time
import warnings
import weakref
from typing import TYPE_CHECKING, Final

from ..exceptions import GossetError, StorageError
from ..storage.news import Beat, News, Sink
from .spool import Spool

if TYPE_CHECKING:
    from .run import TrackedRun

FLUSH_EVERY: Final = 0.1
"""Seconds that news wait for others, so that they are written together."""

PATIENCE: Final = 0.1
"""Seconds that a flush waits for other processes that write; then it goes to the spool."""

BEAT_EVERY: Final = 5.0
"""Seconds between signs of life."""

RETRY_AFTER: Final = 1.0
"""Seconds until a store that could not be written is tried again."""


class Writer:
    """Writes the news of all runs of this process that go to one store.

    Trouble with the store is told once, as a warning: the work that is tracked goes on.
    What cannot be written is kept in the spool, and taken from there when the store can be
    written again, by this process or by the next that opens the store.

    Parameters
    ----------
    sink : Sink
    spool : Spool
    strict : bool
        Trouble is raised by the next call of a run in place of being told.
    """

    def __init__(self, sink: Sink, spool: Spool, *, strict: bool = False) -> None:
        self.sink = sink
        self.strict = strict
        self.trouble: GossetError | None = None
        self.waiting = False
        self._spool = spool
        self._runs: dict[str, TrackedRun] = {}
        self._beaten = 0.0
        self._told = False
        self._not_before = 0.0
        self._renew()
        _writers.add(self)

    def _renew(self) -> None:
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self.waiting = False

    def add(self, run: TrackedRun) -> None:
        """Write what `run` has to say from now on."""
        with self._lock:
            self._runs[run.id] = run
        self.awake()

    def awake(self) -> None:
        """See that something is written soon. Cheap; called for each value that is logged."""
        self.waiting = True
        self._wake.set()
        if self._thread is None:
            self._start()

    def flush(self, *, patience: float | None = None) -> None:
        """Write everything now. Returns when it is in the store, or in the spool."""
        with self._lock:
            self.waiting = False
            news = [news for run in list(self._runs.values()) for news in run.news()]
            beats = self._beats()
            self._deliver(news, beats, patience)
            for run in list(self._runs.values()):
                if run.ended:
                    del self._runs[run.id]

    def close(self) -> None:
        """Write everything and end; the writer can be used again."""
        self.flush()
        self.sink.close()

    def number(self, run: str) -> int:
        """Return the number of a run in its experiment."""
        self.flush()
        return self.sink.number(run)

    def forked(self) -> None:
        """Begin anew in a child process; what waits is the parent's to write."""
        self._renew()
        self._spool = self._spool.of_a_child()
        for run in self._runs.values():
            run.forked()

    # -- in the thread

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="gosset-writer", daemon=True
                )
                self._thread.start()

    def _work(self) -> None:
        while True:
            if self._wake.wait(BEAT_EVERY):
                time.sleep(FLUSH_EVERY)
                self._wake.clear()
            if self._runs or self.waiting or not self._spool.empty:
                self.flush(patience=PATIENCE)

    # -- to the store, or to the spool

    def _beats(self) -> list[Beat]:
        """Return signs of life: when they are due, and when the last run of a launch ended."""
        moment = time.time()
        due = moment - self._beaten >= BEAT_EVERY
        launches: dict[str, list[TrackedRun]] = {}
        for run in self._runs.values():
            if run.launch is not None:
                launches.setdefault(run.launch.id, []).append(run)
        beats = []
        for launch, runs in launches.items():
            over = all(run.ended for run in runs)
            if over or due:
                status = runs[-1].launch_status() if over else "running"
                beats.append(Beat(launch=launch, moment=int(moment * 1e6), status=status))
        if due:
            self._beaten = moment
        return beats

    def _deliver(self, news: list[News], beats: list[Beat], patience: float | None) -> None:
        now = time.monotonic()
        if not news and not beats and self._spool.empty:
            return
        if patience is None or now >= self._not_before:
            try:
                self._spool.drain(self.sink, patience)
                self.sink.write(news, beats, patience=patience)
            except (StorageError, OSError) as error:
                self._not_before = now + RETRY_AFTER
                self._complain(error)
            except GossetError as error:
                # The store took nothing, and will not: one piece may be to blame for all.
                self._one_by_one(news, error)
                return
            else:
                return
        if news:
            self._put_aside(news)

    def _one_by_one(self, news: list[News], error: GossetError) -> None:
        for one in news:
            try:
                self.sink.write([one])
            except (StorageError, OSError) as trouble:
                self._complain(trouble)
                self._put_aside([one])
            except GossetError as refused:
                self._complain(refused)

    def _put_aside(self, news: list[News]) -> None:
        try:
            self._spool.append(news)
        except OSError as error:
            # Neither the store nor the spool: keep it in memory, and try again.
            self._complain(error)
            for one in news:
                self._runs_by_id(one.run, one)

    def _runs_by_id(self, run: str, news: News) -> None:
        found = self._runs.get(run)
        if found is not None:
            found.unsaid(news)

    def _complain(self, error: Exception) -> None:
        locked = "locked by another process" in str(error)
        if self.strict and not locked:
            self.trouble = error if isinstance(error, GossetError) else StorageError(str(error))
            return
        if self._told or locked:
            return
        self._told = True
        warnings.warn(
            f"{error}; what is logged is kept in {self._spool.path} until it can be written",
            RuntimeWarning,
            stacklevel=2,
        )


_writers: weakref.WeakSet[Writer] = weakref.WeakSet()


def _after_fork() -> None:
    for writer in list(_writers):
        writer.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
