"""Tasks carried out in the calling thread."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Sequence

from ..exceptions import UsageError
from .base import (
    Cancelled,
    Done,
    Event,
    Failed,
    Handler,
    Message,
    Send,
    Setup,
    Started,
    Task,
)
from .failures import describe_exception


class InlineExecutor:
    """Carries out one task in each call of :meth:`events`, in the calling thread.

    Nothing is pickled and nothing is isolated: a debugger works, and a crash of a task is
    a crash of the caller. `events` returns what a task did when the task is over, so that
    messages are not live, except those that `listener` takes. Ctrl-C interrupts the task,
    counts as its cancellation, and goes on to the caller. Nothing can end a task by force,
    hence one with a timeout is refused.

    Parameters
    ----------
    jobs : int, optional
        One, if anything.

    Attributes
    ----------
    listener : callable or None
        Given each message at once, in the thread that sends it; returns whether it took it.

    Raises
    ------
    UsageError
        `jobs` is not one.

    Examples
    --------
    >>> executor = InlineExecutor()
    >>> executor.open(lambda: lambda payload, send: payload * 2)
    >>> executor.submit(Task(id=1, payload=21))
    >>> executor.events()
    [Started(task=1, worker='inline'), Done(task=1, result=42)]
    >>> executor.close()
    """

    name = "inline"

    def __init__(self, jobs: int | None = None) -> None:
        if jobs not in (None, 1):
            raise UsageError(
                f"the executor 'inline' cannot carry out {jobs} tasks at once",
                hint="use 'processes'",
            )
        self.listener: Callable[[object], bool] | None = None
        self._setup: Setup | None = None
        self._handler: Handler | None = None
        self._serial = itertools.count()
        self._queue: list[tuple[int, int, Task]] = []
        self._waiting: dict[int, Task] = {}
        self._events: list[Event] = []
        self._current: Task | None = None

    def open(self, setup: Setup) -> None:
        """Remember `setup`, which is called with the first task."""
        if self._setup is not None:
            raise UsageError("the executor 'inline' is already open", hint="close it first")
        self._setup = setup

    @property
    def capacity(self) -> int:
        """One."""
        return 1

    def submit(self, task: Task) -> None:
        """Queue `task`.

        Raises
        ------
        UsageError
            The task has a timeout, its id is in use, or the executor is not open.
        """
        if self._setup is None:
            raise UsageError("the executor 'inline' is not open", hint="call open(setup) first")
        if task.timeout is not None:
            raise UsageError(
                f"task {task.id} has a timeout, which the executor 'inline' cannot enforce",
                hint="use 'processes'",
            )
        if task.id in self._waiting:
            raise UsageError(f"task {task.id} is already submitted")
        self._waiting[task.id] = task
        heapq.heappush(self._queue, (-task.priority, next(self._serial), task))

    def events(self, timeout: float | None = None) -> Sequence[Event]:
        """Carry out the next task and return all that happened; see :class:`Executor`.

        Raises
        ------
        KeyboardInterrupt
            The task was interrupted; the next call tells that it is cancelled.
        """
        while self._queue and not self._events:
            task = heapq.heappop(self._queue)[2]
            if self._waiting.get(task.id) is task:
                del self._waiting[task.id]
                self._carry_out(task)
        events, self._events = self._events, []
        return events

    def cancel(self, task: int) -> None:
        """Take `task` out of the queue; unknown ids are ignored."""
        if self._waiting.pop(task, None) is not None:
            self._events.append(Cancelled(task))

    def close(self) -> None:
        """Forget the handler and all tasks."""
        self._setup = self._handler = None
        self._queue.clear()
        self._waiting.clear()
        self._events.clear()

    def _carry_out(self, task: Task) -> None:
        assert self._setup is not None
        self._current = task
        self._events.append(Started(task.id, "inline"))
        try:
            if self._handler is None:
                self._handler = self._setup()
            outcome: Event = Done(task.id, self._handler(task.payload, self._sender(task)))
        except KeyboardInterrupt:
            outcome = Cancelled(task.id)
            raise
        except BaseException as error:  # noqa: BLE001 - also SystemExit, as in a worker
            outcome = Failed(task.id, describe_exception(error, skip=1))
        finally:
            self._current = None
            self._events.append(outcome)

    def _sender(self, task: Task) -> Send:
        def send(content: object) -> None:
            if self._current is not task:
                raise UsageError("a message was sent after its task had ended")
            if self.listener is None or not self.listener(content):
                self._events.append(Message(task.id, content))

        return send
