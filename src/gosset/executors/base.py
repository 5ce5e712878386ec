"""The contract of an executor: tasks in, events out.

Executors know nothing of stages, runs or stores. They carry a picklable payload to a
worker, call the handler that was set up there, and report what became of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from ..entities import ExceptionInfo

Send: TypeAlias = Callable[[object], None]
"""Given to the handler: sends a picklable message to the controller at once."""

Handler: TypeAlias = Callable[[object, Send], object]
"""``handler(payload, send) -> result``; lives in the worker, called task after task."""

Setup: TypeAlias = Callable[[], Handler]
"""Makes the handler, once in each worker; shipped there by cloudpickle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One piece of work.

    Attributes
    ----------
    id : int
        Chosen by the caller, unique while the executor is open.
    payload : object
        Picklable; given to the handler as it is.
    priority : int
        Higher goes first; equal ones in the order in which they were submitted.
    timeout : float or None
        Seconds after which the task is ended by force.
    """

    id: int
    payload: object
    priority: int = 0
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """A worker took the task up."""

    task: int
    worker: str


@dataclass(frozen=True, slots=True)
class Message:
    """The handler sent something while at work."""

    task: int
    content: object


@dataclass(frozen=True, slots=True)
class Done:
    """The handler returned `result`."""

    task: int
    result: object


@dataclass(frozen=True, slots=True)
class Failed:
    """The handler raised, or its result could not be sent."""

    task: int
    exception: ExceptionInfo


@dataclass(frozen=True, slots=True)
class Lost:
    """The worker died under the task; `reason` names the exit code or the signal."""

    task: int
    reason: str


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The task ran past its limit of `seconds` and was ended."""

    task: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The task was cancelled, before it started or while it ran."""

    task: int


Event: TypeAlias = Started | Message | Done | Failed | Lost | TimedOut | Cancelled
"""Each task ends with exactly one event that is neither Started nor Message."""


class Executor(Protocol):
    """Carries tasks out, in workers of some kind.

    Life: ``open`` → any number of ``submit``, ``events``, ``cancel`` → ``close``. One
    thread at a time uses an executor. A dead worker costs its one task and is replaced.
    """

    name: str

    def open(self, setup: Setup) -> None:
        """Remember `setup`; workers start when there is work.

        Raises
        ------
        UsageError
            `setup` cannot be pickled; the message names what stands in the way.
        """
        ...

    @property
    def capacity(self) -> int:
        """How many tasks run at once."""
        ...

    def submit(self, task: Task) -> None:
        """Queue `task`. Returns at once (`inline` may carry it out in :meth:`events`)."""
        ...

    def events(self, timeout: float | None = None) -> Sequence[Event]:
        """Return what happened since the last call, in order.

        Blocks until something did, at most `timeout` seconds (None: without limit);
        returns an empty sequence at the limit, or at once when no task is left.
        """
        ...

    def cancel(self, task: int) -> None:
        """Take `task` out of the queue, or end it where it runs. Unknown ids are ignored."""
        ...

    def close(self) -> None:
        """End all workers and forget all tasks. Leaves no process behind; may be repeated."""
        ...
