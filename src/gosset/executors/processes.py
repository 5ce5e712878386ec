"""Tasks carried out by worker processes on this machine."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import pickle
import selectors
import socket
import sys
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..exceptions import ExecutionError, UsageError
from .base import (
    Cancelled,
    Done,
    Event,
    Failed,
    Lost,
    Message,
    Setup,
    Started,
    Task,
    TimedOut,
)
from .channel import Channel, Kind
from .cores import thread_limits, usable_cores
from .failures import describe_exception, describe_exit
from .interrupts import Uninterrupted
from .launchers import ForkLauncher, Launcher, SpawnLauncher
from .pickling import PROTOCOL, dumps, obstacle
from .trees import KILL, TERMINATE
from .worker import Context, unpickling

_GRACE_SECONDS = 0.1
"""How long SIGTERM may take before SIGKILL follows."""


@dataclass(slots=True, eq=False)
class _Work:
    """A task that was submitted; its payload is pickled."""

    task: int
    payload: bytes
    priority: int
    timeout: float | None


@dataclass(slots=True, eq=False)
class _Worker:
    """One worker process as the controller knows it.

    Attributes
    ----------
    proven : bool
        It took a task up, or its failure was told as that of a task. One that ends before
        costs a task too, or workers that cannot start would be replaced forever.
    work : _Work or None
        The task at hand.
    verdict : Event or None
        What is to be told of the task at hand when the worker, which is being ended, is dead.
    """

    key: int
    channel: Channel
    name: str = "a worker"
    proven: bool = False
    work: _Work | None = None
    verdict: Event | None = None


class ProcessExecutor:
    """Carries tasks out in worker processes, which start when there is work and stay warm.

    A worker that dies costs its one task. A task that is cancelled or runs out of time is
    ended together with the programs that it started: SIGTERM, and SIGKILL 0.1 s later. All
    workers end within a second when this process does, however it does.

    Workers have this process's ``sys.path``, ``sys.argv`` and current folder as of their
    start, and its environment as of :meth:`open`, with the thread limits of
    numerical libraries set to ``cores // jobs`` unless they are set already. They write to
    the same standard output and error, read nothing, and are not touched by Ctrl-C. Scripts need
    no ``if __name__ == "__main__"``: nothing is imported again. On Linux workers are forked
    from a server that is started afresh; elsewhere each is an interpreter of its own.

    Parameters
    ----------
    jobs : int, optional
        Number of workers; by default the number of usable cores.
    preload : sequence of str
        Modules that the fork server imports once, so that each worker has them at once.
        Those that cannot be imported are passed over.

    Raises
    ------
    UsageError
        `jobs` is less than one.

    Notes
    -----
    Payloads, messages and results are pickled, by cloudpickle where pickle does not do.
    What cannot be pickled is an error of whoever hands it over: ``UsageError`` from
    :meth:`open` and :meth:`submit`, ``SerializationError`` from ``send``, and for a result
    a failed task. The time of a task runs from when a worker whose setup is complete takes it.
    """

    name = "processes"

    def __init__(self, jobs: int | None = None, *, preload: Sequence[str] = ()) -> None:
        if jobs is not None and jobs < 1:
            raise UsageError(f"jobs is {jobs}", hint="it is the number of workers, 1 or more")
        self._jobs = jobs or usable_cores()
        self._preload = tuple(preload)
        self._setup: bytes | None = None

    def open(self, setup: Setup) -> None:
        """Pickle `setup`; workers start with the first task.

        Raises
        ------
        UsageError
            `setup` cannot be pickled, the executor is already open, or this is a worker that
            imports a module which does this when it is imported.
        """
        if self._setup is not None:
            raise UsageError("the executor 'processes' is already open", hint="close it first")
        if unpickling.is_set():
            raise UsageError(
                "a module starts workers when it is imported, and a worker imported it",
                hint="start them in a function of it, or in the script that is run",
            )
        self._setup = _sendable(setup, "setup")
        self._serial = itertools.count(1)
        self._queue: list[tuple[int, int, _Work]] = []
        self._waiting: dict[int, _Work] = {}
        self._running: dict[int, _Worker] = {}
        self._workers: dict[int, _Worker] = {}
        self._starting: set[_Worker] = set()
        self._idle: list[_Worker] = []
        self._deadlines: dict[_Worker, float] = {}
        self._events: list[Event] = []
        self._selector = selectors.DefaultSelector()
        self._launcher = _launcher(self._selector, self._jobs, self._preload)
        self._finalizer = weakref.finalize(
            self, _close, os.getpid(), self._launcher, self._workers, self._selector
        )

    @property
    def capacity(self) -> int:
        """The number of workers."""
        return self._jobs

    def submit(self, task: Task) -> None:
        """Pickle the payload and queue `task`, or give it to an idle worker at once.

        Raises
        ------
        UsageError
            The payload cannot be pickled, the id is in use, or the executor is not open.
        """
        self._require_open()
        if task.id in self._waiting or task.id in self._running:
            raise UsageError(f"task {task.id} is already submitted")
        payload = _sendable(task.payload, "payload")
        self._enqueue(_Work(task.id, payload, task.priority, task.timeout))
        if self._idle or len(self._workers) < self._jobs:
            with Uninterrupted():
                self._assign()

    def events(self, timeout: float | None = None) -> Sequence[Event]:
        """Return what happened since the last call; see :class:`Executor`."""
        self._require_open()
        limit = None if timeout is None else time.monotonic() + timeout
        while True:
            ready = self._selector.select(self._patience(limit))
            with Uninterrupted():
                self._attend(ready)
            if (
                self._events
                or not (self._waiting or self._running)
                or (limit is not None and time.monotonic() >= limit)
            ):
                events, self._events = self._events, []
                return events

    def cancel(self, task: int) -> None:
        """Take `task` out of the queue, or end its worker. Unknown ids are ignored.

        Whatever the task still does, it ends as cancelled.
        """
        self._require_open()
        with Uninterrupted():
            if self._waiting.pop(task, None) is not None:
                self._events.append(Cancelled(task))
            elif task in self._running and self._running[task].verdict is None:
                self._end(self._running[task], Cancelled(task))

    def close(self) -> None:
        """End all workers and forget all tasks.

        Idle workers leave by themselves, busy ones are ended. May be repeated; the executor
        can be opened again.
        """
        if self._setup is None:
            return
        self._setup = None
        self._finalizer()

    def _require_open(self) -> None:
        if self._setup is None:
            raise UsageError("the executor 'processes' is not open", hint="call open(setup) first")

    # Tasks find workers.

    def _enqueue(self, work: _Work) -> None:
        heapq.heappush(self._queue, (-work.priority, next(self._serial), work))
        self._waiting[work.task] = work  # from here on it counts

    def _next(self) -> _Work:
        """Take the first task that waits out of the queue; there is one."""
        while True:
            work = heapq.heappop(self._queue)[2]
            if self._waiting.get(work.task) is work:  # else it was cancelled
                del self._waiting[work.task]
                return work

    def _assign(self) -> None:
        """Give tasks to idle workers, and start workers for the rest."""
        while self._waiting and self._idle:
            worker = self._idle.pop()
            work = self._next()
            try:
                self._send(worker, Kind.TASK, work.payload)
            except OSError:  # it died while it was idle; another shall have the task
                self._enqueue(work)
                self._lose_touch(worker)
                continue
            worker.work, worker.proven = work, True
            self._running[work.task] = worker
            if work.timeout is not None:
                self._deadlines[worker] = time.monotonic() + work.timeout
            self._events.append(Started(work.task, worker.name))
        while len(self._workers) < self._jobs and len(self._starting) < len(self._waiting):
            self._start()

    def _start(self) -> None:
        assert self._setup is not None
        ours, theirs = socket.socketpair()
        worker = _Worker(next(self._serial), Channel(ours))
        try:
            self._launcher.start(worker.key, theirs)
        except OSError as error:
            worker.channel.close()
            raise ExecutionError(f"no worker process can be started: {error}") from error
        finally:
            theirs.close()
        self._workers[worker.key] = worker
        self._starting.add(worker)
        self._selector.register(ours, selectors.EVENT_READ, worker)
        with contextlib.suppress(OSError):  # it is dead already: its exit code is on the way
            self._send(worker, Kind.CONTEXT, _context(self._setup))

    def _send(self, worker: _Worker, kind: Kind, body: bytes) -> None:
        if not worker.channel.send(kind, body):
            self._watch(worker, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def _watch(self, worker: _Worker, mask: int) -> None:
        self._selector.modify(worker.channel, mask, worker)

    # What happens becomes events.

    def _patience(self, limit: float | None) -> float | None:
        """Return how many seconds to wait for something to happen, None for ever."""
        if self._events or not (self._waiting or self._running):
            return 0.0
        now = time.monotonic()
        waits = [moment - now for moment in self._deadlines.values()]
        if limit is not None:
            waits.append(limit - now)
        if self._launcher.period is not None:
            waits.append(self._launcher.period)
        return max(0.0, min(waits)) if waits else None

    def _attend(self, ready: list[tuple[selectors.SelectorKey, int]]) -> None:
        """Read and write what can be, see who died and who must, and give out tasks."""
        look = self._launcher.period is not None
        for key, mask in ready:
            worker = key.data
            if worker is None:
                look = True
            else:
                if mask & selectors.EVENT_WRITE:
                    self._flush(worker)
                if mask & selectors.EVENT_READ:
                    self._receive(worker)
        if look:
            for number, code in self._launcher.ended():
                self._bury(self._workers[number], code)
        if self._deadlines:
            now = time.monotonic()
            for worker in [who for who, moment in self._deadlines.items() if moment <= now]:
                self._expire(worker)
        self._assign()

    def _flush(self, worker: _Worker) -> None:
        try:
            done = worker.channel.flush()
        except OSError:  # what it had sent before it died is still to be read
            done = True
        if done:
            self._watch(worker, selectors.EVENT_READ)

    def _receive(self, worker: _Worker) -> bool:
        """Take in what a worker sent; return whether there was anything."""
        messages = worker.channel.receive()
        for kind, body in messages or ():
            self._note(worker, kind, body)
        if worker.channel.ended:
            self._lose_touch(worker)
        return messages is not None

    def _note(self, worker: _Worker, kind: int, body: bytes) -> None:
        """Act on one message of a worker."""
        if kind == Kind.READY:
            self._starting.discard(worker)
            worker.name = f"process {pickle.loads(body)}"
            self._idle.append(worker)
        elif kind == Kind.BROKEN:
            self._starting.discard(worker)
            worker.proven = True
            self._charge(lambda task: Failed(task, pickle.loads(body)))
        elif worker.work is not None and (worker.verdict is None or kind == Kind.MESSAGE):
            self._tell(worker, worker.work, kind, body)

    def _tell(self, worker: _Worker, work: _Work, kind: int, body: bytes) -> None:
        """Turn a message about the task at hand into an event."""
        try:
            content = pickle.loads(body)
        except Exception as error:  # noqa: BLE001 - becomes the outcome of the task
            event: Event = Failed(work.task, describe_exception(error))
            if kind == Kind.MESSAGE:
                self._end(worker, event)
                return
        else:
            event = _EVENTS[kind](work.task, content)
        self._events.append(event)
        if kind != Kind.MESSAGE:
            del self._running[work.task]
            worker.work = None
            self._deadlines.pop(worker, None)
            self._idle.append(worker)

    # Workers come to their end.

    def _end(self, worker: _Worker, verdict: Event) -> None:
        """End a worker by force; `verdict` is told when it is dead."""
        if worker.verdict is None:
            worker.verdict = verdict
            self._launcher.signal(worker.key, TERMINATE)
            self._deadlines[worker] = time.monotonic() + _GRACE_SECONDS

    def _lose_touch(self, worker: _Worker) -> None:
        """The worker's socket is closed: it is dying, or must."""
        with contextlib.suppress(KeyError):
            self._selector.unregister(worker.channel)
        with contextlib.suppress(ValueError):
            self._idle.remove(worker)
        if worker.verdict is None:
            self._deadlines[worker] = time.monotonic() + _GRACE_SECONDS

    def _expire(self, worker: _Worker) -> None:
        """Act on a deadline: that of the task at hand, or that of the worker's own end."""
        work = worker.work
        if work is None or work.timeout is None or worker.verdict or worker.channel.ended:
            del self._deadlines[worker]
            self._launcher.signal(worker.key, KILL)
        else:
            self._end(worker, TimedOut(work.task, work.timeout))

    def _bury(self, worker: _Worker, code: int) -> None:
        """Tell the outcome of a dead worker's task, after all that it had sent before."""
        while not worker.channel.ended and self._receive(worker):
            pass
        self._lose_touch(worker)
        worker.channel.close()
        self._starting.discard(worker)
        self._deadlines.pop(worker, None)
        del self._workers[worker.key]
        reason = f"{worker.name} ended with {describe_exit(code)}"
        if worker.work is not None:
            task = worker.work.task
            del self._running[task]
            self._events.append(worker.verdict or Lost(task, reason))
        elif not worker.proven:
            self._charge(lambda task: Lost(task, f"{reason} before it could take a task"))

    def _charge(self, event: Callable[[int], Event]) -> None:
        """Let the next task pay for a worker that could not begin."""
        if self._waiting:
            self._events.append(event(self._next().task))


_EVENTS: dict[int, Callable[[int, Any], Event]] = {
    Kind.MESSAGE: Message,
    Kind.DONE: Done,
    Kind.FAILED: Failed,
}


def _launcher(selector: selectors.BaseSelector, jobs: int, preload: Sequence[str]) -> Launcher:
    environment = thread_limits(jobs, os.environ)
    if sys.platform == "linux":
        return ForkLauncher(selector, environment, preload)
    return SpawnLauncher(environment)


def _close(
    owner: int,
    launcher: Launcher,
    workers: dict[int, _Worker],
    selector: selectors.BaseSelector,
) -> None:
    """End all workers, unless this is a forked copy of the process that has them."""
    if os.getpid() != owner:
        return
    for worker in workers.values():
        if worker.work is not None:
            launcher.signal(worker.key, TERMINATE)
        worker.channel.close()
    workers.clear()
    selector.close()
    launcher.close()


def _context(setup: bytes) -> bytes:
    try:
        folder: str | None = os.getcwd()
    except FileNotFoundError:
        folder = None
    path = tuple(map(str, sys.path))
    context = Context(path=path, folder=folder, arguments=tuple(sys.argv), setup=setup)
    return pickle.dumps(context, PROTOCOL)


def _sendable(value: object, name: str) -> bytes:
    try:
        return dumps(value)
    except Exception as error:
        raise UsageError(
            f"the {name} cannot be sent to a worker: "
            f"{obstacle(value, name)} cannot be pickled ({error})",
            hint="make it inside the function that uses it, or use the executor 'inline'",
        ) from error
