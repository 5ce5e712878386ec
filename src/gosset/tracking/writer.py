"""Brings what runs have to say to the store: one thread a process, which nobody waits for.

Whoever logs only appends to lists. All else is done by the thread, under one lock that
nobody else takes but to fork: a signal, an exception that comes from outside, or a fork never
finds anything half done. What wakes the thread, and what waits for it, are plain locks: they
may be released in a signal's handler while the same thread is about to do so.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from ..exceptions import GossetError, NotFoundError, StorageError
from ..storage.news import Beat, Beginning, News, Sink
from .spool import NotYetError, Spool, deliver
from .threads import begun

if TYPE_CHECKING:
    from .run import TrackedRun

FLUSH_EVERY: Final = 0.1
"""Seconds that news wait for others, so that they are written together."""

PATIENCE: Final = 0.08
"""Seconds that the store is waited for; then news go to the spool."""

BEAT_EVERY: Final = 5.0
"""Seconds between signs of life."""

RETRY_AFTER: Final = 1.0
"""Seconds until a store that could not be written is tried again."""

RETRY_BUSY: Final = 0.05
"""The same for one that others write."""

WAIT_AT_MOST: Final = 60.0
"""Seconds that who flushes waits for a store that others write."""

MEMORY: Final = 256 << 20
"""Bytes of news that are kept where neither the store nor the spool can be written."""


class Writer:
    """Writes the news of all runs of this process that go to one store.

    Trouble with the store is told once, as a warning: the work that is tracked goes on.
    What cannot be written is kept in the spool, and taken from there when the store can be
    written again, by this process or by the next that opens the store.

    Parameters
    ----------
    sink : Sink
        Returns, or raises, in little more time than its `patience`.
    spool : Spool
    store : str
        URL.
    strict : bool
        Trouble is raised by the next call of a run in place of being told.
    durability : {"process", "power"}
        What the artifacts of the runs survive; `sink` and `spool` answer for the rest.
    """

    def __init__(
        self,
        sink: Sink,
        spool: Spool,
        *,
        store: str,
        strict: bool = False,
        durability: str = "process",
    ) -> None:
        self.sink = sink
        self.store = store
        self.strict = strict
        self.durability = durability
        self.trouble: GossetError | None = None
        self._spool = spool
        self._runs: list[TrackedRun] = []
        self._beginnings: dict[str, Beginning] = {}
        self._known: set[str] = set()
        self._told: set[str] = set()
        self._halted = False
        self._renew()
        _writers.add(self)

    def _renew(self) -> None:
        self.waiting = False
        self._busy = threading.Lock()
        self._starting = threading.Lock()
        self._wake = _closed()
        self._hurry = _closed()
        self._gates: list[threading.Lock] = []
        self._backlog: list[News] = []
        self._sizes: dict[tuple[object, ...], int] = {}
        self._nowhere = ""
        self._others: list[News] = []
        self._due: list[tuple[float, Callable[[], None]]] = []
        self._spooled: set[str] = set()
        self._beaten = time.monotonic()
        self._not_before = 0.0
        self._thread = 0
        self._threadless = False

    @property
    def idle(self) -> bool:
        """Whether nothing is left to write."""
        return not (self._runs or self._others or self._backlog) and self._spool.empty

    def add(self, run: TrackedRun) -> None:
        """Write what `run` has to say from now on."""
        if run.beginning is not None:
            self._beginnings[run.id] = run.beginning
        self._runs.append(run)
        self.awake()

    def say(self, news: News) -> None:
        """Write what somebody else than a run has to say."""
        self._others.append(news)
        self.awake()

    def later(self, seconds: float, work: Callable[[], None]) -> None:
        """Call `work`, which must be quick, in the thread when some time has passed.

        It is not called in a process that ends before.
        """
        self._due.append((time.monotonic() + seconds, work))

    def awake(self) -> None:
        """See that something is written soon. Cheap; called for what is logged."""
        self.waiting = True
        _open(self._wake)
        if not self._thread:
            self._start()

    def flush(self, *, patience: float = WAIT_AT_MOST, last: bool = False) -> None:
        """Have everything written now. Returns when it is in the store, or in the spool.

        A store that others write is waited for `patience` seconds. Of one in trouble it is
        enough that everything is in the spool; the `last` flush tries once more, and so does
        each where the spool cannot be written either.
        """
        if last or self._backlog:
            self._not_before = 0.0
        if threading.get_ident() == self._thread:
            return  # by somebody who listens to warnings
        gate = _closed()
        self._gates.append(gate)
        self.awake()
        _open(self._hurry)
        until = time.monotonic() + patience
        while not gate.acquire(timeout=self._turn(until)):
            if time.monotonic() >= until:
                self._complain(StorageError(f"store {self.sink.url} is written by others"))
                return

    def _turn(self, until: float) -> float:
        """Return how long to wait now; where there is no thread its work is done here."""
        if not self._threadless:
            return max(until - time.monotonic(), 0)
        self._round()
        return RETRY_BUSY if self._gates else 0

    def leave(self) -> None:
        """Let go of the store as the process ends; say so where something was written nowhere."""
        if self._backlog:
            self._complain(StorageError(f"what was logged is lost: {self._nowhere}"), "lost")
        self.sink.close()

    def number(self, run: str) -> int:
        """Return the number of a run in its experiment."""
        self.flush()
        return self.sink.number(run)

    # -- before and after a fork

    def halt(self) -> None:
        """Let go of the store until :meth:`go_on`: it must not be open while forking."""
        self._halted = self._busy.acquire(timeout=WAIT_AT_MOST)
        if self._halted:
            self.sink.close()

    def go_on(self) -> None:
        """Go on as before."""
        if self._halted:
            self._busy.release()

    def forked(self) -> None:
        """Begin anew in a child process; what waits is the parent's to write."""
        self._renew()
        self._spool.forked()
        self.sink.forked()
        for run in self._runs:
            run.forked()

    # -- in the thread

    def _start(self) -> None:
        if self._threadless or not self._starting.acquire(blocking=False):
            return  # another has begun to
        if begun(self._work, "gosset-writer") is None:
            self._threadless = True
            return
        from . import ending

        ending.watch()

    def _work(self) -> None:
        self._thread = threading.get_ident()
        lingers = False
        while True:
            woken = lingers or self._wake.acquire(timeout=self._pause())
            if woken and not self._gates:
                self._hurry.acquire(timeout=FLUSH_EVERY)
            # Whoever opened them while this thread was on its way is served by this round.
            self._wake.acquire(blocking=False)
            self._hurry.acquire(blocking=False)
            lingers = self._round() and not self._gates
            if lingers:
                # Who had something to say often has more: it is looked for once, unasked, so
                # that nobody needs to wake this thread meanwhile.
                self.waiting = True
            self._begin()

    def _pause(self) -> float:
        if self._gates:
            return RETRY_BUSY
        pause = BEAT_EVERY if self._spool.empty and not self._backlog else RETRY_AFTER
        if self._due:
            pause = min(pause, max(min(due for due, _ in self._due) - time.monotonic(), 0))
        return pause

    def _begin(self) -> None:
        """Begin what is due."""
        for due in self._due[:]:
            if due[0] <= time.monotonic():
                self._due.remove(due)
                try:
                    due[1]()
                except Exception as error:  # noqa: BLE001 - the thread must not end
                    self._complain(error)

    def _round(self) -> bool:
        """Bring what there is to the store, or to the spool, and say so to who waits.

        Returns whether there was anything.
        """
        news: list[News] = []
        with self._busy:
            gates = self._gates[:]
            del self._gates[: len(gates)]
            try:
                news = self._collected()
                settled = self._deliver(news)
            except Exception as error:  # noqa: BLE001 - the thread must not end
                self._complain(error)
                settled = True
            if settled:
                for gate in gates:
                    gate.release()
            else:
                self._gates[:0] = gates
        return bool(news)

    def _collected(self) -> list[News]:
        """Return all that was not written yet, in its order."""
        self.waiting = False
        news, self._backlog = self._backlog, []
        for run in self._runs[:]:
            over = run.ended
            try:
                news += run.news()
            except Exception as error:  # noqa: BLE001 - the other runs are not to blame
                self._complain(error, run.id)
            if over:
                self._runs.remove(run)
        count = len(self._others)
        news += self._others[:count]  # of runs that have begun by now
        del self._others[:count]
        return news

    def _beats(self) -> list[Beat]:
        """Return the signs of life that are due."""
        if time.monotonic() - self._beaten < BEAT_EVERY:
            return []
        launches = {run.launch.id for run in self._runs if run.launch and not run.ended}
        return [Beat(launch, time.time_ns() // 1000) for launch in launches]

    # -- to the store, or to the spool

    def _deliver(self, news: list[News]) -> bool:
        """Return whether there is nothing more to wait for."""
        if news and not self._spool.empty:
            self._put_aside(news)  # behind those that came before
            news = []
        beats = self._beats()
        if not news and not beats and self._spool.empty:
            return True
        began = time.monotonic()
        if began < self._not_before:
            self._put_aside(news)
            return True
        try:
            self._drain()
            if not self._spool.empty or self._backlog:
                return False
            deliver(self.sink, news, beats, patience=PATIENCE, refused=self._refused)
        except StorageError as error:
            self._put_aside(news)
            return self._hindered(error)
        if beats:
            self._beaten = began
        for one in news:
            self._known.add(one.run)
            if one.ends is not None:
                self._beginnings.pop(one.run, None)
                self._known.discard(one.run)
        return True

    def _drain(self) -> None:
        self._spool.drain(self.sink, patience=PATIENCE, seconds=PATIENCE, refused=self._refused)
        if self._spool.empty:
            self._spooled.clear()

    def _hindered(self, error: StorageError) -> bool:
        """Return whether it is trouble, whose end nobody waits for; else others write."""
        from ..storage.errors import locked

        if locked(error) or isinstance(error, NotYetError):
            return False
        self._not_before = time.monotonic() + RETRY_AFTER
        self._complain(error)
        return True

    def _put_aside(self, news: list[News]) -> None:
        if not news:
            return
        try:
            self._spool.append([self._complete(one) for one in news])
        except OSError as error:
            place = f"neither {self.sink.url} nor {self._spool.place}"
            self._nowhere = f"{place} can be written ({error.strerror})"
            self._keep(news)
            self._complain(
                StorageError(f"{self._nowhere}; what is logged is kept in memory until one can"),
                "memory",
            )
        else:
            self._spooled.update(one.run for one in news)

    def _complete(self, news: News) -> News:
        """Return news that stand for themselves, should the store be another by then."""
        if news.begins is None and news.run not in self._spooled:
            return news._replace(begins=self._beginnings.get(news.run))
        return news

    def _keep(self, news: list[News]) -> None:
        """Keep news in memory, as long as there are not too many."""
        sizes, self._sizes = self._sizes, {}
        room = MEMORY - sum(map(_size, self._backlog))
        lost = False
        for one in news:
            # Of what waits already it is known.
            size = sizes.get(one[:3]) or _size(one)
            if size > room and one.ends is None:
                lost = True
                continue
            room -= size
            self._sizes[one[:3]] = size
            # The beginning of its run may be among what is lost.
            self._backlog.append(one if one.run in self._known else self._complete(one))
        if lost:
            self._complain(
                StorageError(
                    f"what is logged is lost: {self._nowhere}, and no more is kept in memory"
                ),
                "lost",
            )

    def _refused(self, news: News, error: Exception) -> None:
        if isinstance(error, NotFoundError):
            if news.run not in self._known and news.begins is None:
                # Its process has not said so yet, or could not.
                raise NotYetError(f"run {news.run} is not in the store yet") from error
            for run in self._runs:
                if run.id == news.run:
                    run.forget()
        self._complain(error, news.run)

    def _complain(self, error: Exception, about: str = "trouble") -> None:
        """Tell of trouble, once; where warnings are errors, the next call raises it."""
        told = (
            error
            if isinstance(error, GossetError)
            else StorageError(f"{type(error).__name__}: {error}")
        )
        if self.strict:
            self.trouble = told
        if self.strict or about in self._told:
            return
        # Where there is no place for what is logged, it was said why.
        self._told.update({about, "trouble"} if about == "memory" else {about})
        text = str(told)
        if about == "trouble":
            text += f"; what is logged is kept in {self._spool.place} until it can be written"
        import warnings

        try:
            warnings.warn(text, RuntimeWarning, stacklevel=2)
        except RuntimeWarning:
            self.trouble = told
        except Exception:  # noqa: BLE001 - nobody can be told: standard error is closed
            pass


def _closed() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


def _open(lock: threading.Lock) -> None:
    with contextlib.suppress(RuntimeError):  # it is open
        lock.release()


def _size(news: News) -> int:
    """Return about how many bytes news take."""
    chunks = sum(len(c.values) + len(c.times) + len(c.steps) + 500 for _, _, c in news.points)
    kept = sum(500 + len(artifact.inline or b"") for artifact in news.artifacts)
    printed = sum(100 + len(text) for _, _, text in news.console)
    said = (news.begins, news.params, news.config, news.fields, news.tags, news.notes, news.alerts)
    return 2000 + chunks + kept + printed + _weight(said)


def _weight(value: object) -> int:
    """Return about how many bytes JSON takes, and tuples of it."""
    if isinstance(value, str):
        return 50 + len(value)
    if isinstance(value, Mapping):
        return 200 + sum(_weight(key) + _weight(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return 60 + sum(map(_weight, value))
    return 32


_writers: weakref.WeakSet[Writer] = weakref.WeakSet()


def all_writers() -> list[Writer]:
    """Return the writers of this process."""
    return list(_writers)


def _before_fork() -> None:
    for writer in list(_writers):
        writer.halt()


def _after_fork_here() -> None:
    for writer in list(_writers):
        writer.go_on()


def _after_fork_there() -> None:
    for writer in list(_writers):
        writer.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_here,
        after_in_child=_after_fork_there,
    )
