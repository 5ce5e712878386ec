"""Which run the calling code works for.

The innermost is meant: the one that a stage, a ``with`` block or the same context started,
told by a context variable, which asynchronous tasks inherit. Threads do not: they work for the
run of who started them. Whoever has none works for the run that was last started in the
process, and else for the one that the environment names: the parent process's.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import os
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from ..exceptions import UsageError

if TYPE_CHECKING:
    from .inside import ActiveRun
    from .run import TrackedRun

VARIABLE: Final = "GOSSET_RUN"
"""Environment variable: id and store of the run that child processes belong to."""

_active: contextvars.ContextVar[ActiveRun | TrackedRun | None] = contextvars.ContextVar(
    "run", default=None
)
_started: list[TrackedRun] = []
"""The runs started in this process and not ended, the latest last."""
_inherited: Final = os.environ.get(VARIABLE)
"""What the parent process said."""
_attaching = threading.Lock()
process_ends = False
"""Whether runs were ended because the process ends."""

_BEST_FIRST: Final = ("complete", "stopped", "failed")
_launches: dict[str, str] = {}
"""Id of each launch of this process → the worst that became of its runs."""


def current_run() -> Any:
    """Return the run that the calling code works for.

    In a stage that may be cached it takes what is logged, but has no ``params``, ``config``
    or ``seed``: the stage takes these as arguments.

    Raises
    ------
    UsageError
        No run is active here.
    """
    run = _innermost() or (_started[-1] if _started else _of_the_parent())
    if run is None:
        raise UsageError(
            "no run is active here",
            hint="start one with gosset.start_run(), or call this from a stage or a step",
        )
    return run


def log(metrics: Mapping[str, float] | str, value: Any = None, step: int | None = None) -> None:
    """Log metrics to the active run; see :meth:`TrackedRun.log`."""
    current_run().log(metrics, value, step)


@contextlib.contextmanager
def active(run: Any) -> Iterator[Any]:
    """Make `run` the active one inside the block."""
    token = _active.set(run)
    try:
        yield run
    finally:
        _active.reset(token)


def entered(run: TrackedRun) -> None:
    """Make a run the one of this context, of this process, and of those that it starts."""
    _follow_threads()
    run._before = _active.get()
    _active.set(run)
    _started.append(run)
    _tell_children()


def left(run: TrackedRun) -> None:
    """Take a run back that has ended."""
    if _active.get() is run:
        before = run._before
        _active.set(None if before is None or before.ended else before)
    run._before = None
    if run in _started:
        _started.remove(run)
    _tell_children()


def leaves(run: TrackedRun) -> str | None:
    """Return how the launch of a run ended with it; None while other runs of it are at work."""
    assert run.launch is not None
    launch = run.launch.id
    worst = max(
        _launches.get(launch, "complete"),
        "complete" if run.status == "pruned" else run.status,
        key=_BEST_FIRST.index,
    )
    _launches[launch] = worst
    others = (other.launch for other in _started[:] if other is not run)
    return None if any(other and other.id == launch for other in others) else worst


def cut_off() -> bool:
    """Whether the calling thread works on while the process ends: nobody hears what it says."""
    return process_ends and threading.current_thread() is not threading.main_thread()


def parent_id() -> str | None:
    """Return the id of the run in which another is being started.

    Runs that other threads and tasks started in this process are not meant: they are beside it.
    """
    run = _innermost()
    return _named(_inherited)[0] if run is None else run.id


def _innermost() -> Any:
    """Return the run of this context, or of the thread, unless it has ended."""
    run = _active.get()
    if run is None:
        run = threading.current_thread().__dict__.get(_OF_THREAD)
    return None if run is None or run.ended else run


_OF_THREAD: Final = "_gosset_run"


def _follow_threads() -> None:
    """Have threads work for the run of who starts them; context variables begin empty there."""
    start = threading.Thread.start
    if start.__dict__.get(_OF_THREAD):
        return

    @functools.wraps(start)
    def followed(thread: threading.Thread) -> None:
        run = _innermost()
        if hasattr(run, "store"):  # a stage's run is for those who carry out the stage
            thread.__dict__[_OF_THREAD] = run
        start(thread)

    followed.__dict__[_OF_THREAD] = True
    threading.Thread.start = followed  # type: ignore[assignment, method-assign]


def _tell_children() -> None:
    if _started:
        run = _started[-1]
        os.environ[VARIABLE] = f"{run.id} {run.store}"
    elif _inherited is not None:
        os.environ[VARIABLE] = _inherited
    else:
        os.environ.pop(VARIABLE, None)


def _named(variable: str | None) -> tuple[str | None, str]:
    run, _, store = (variable or "").partition(" ")
    return run or None, store


def _of_the_parent() -> TrackedRun | None:
    """Return the run that the parent process works for, as one that this process logs to."""
    run, store = _named(os.environ.get(VARIABLE))
    if run is None:
        return None
    from .starting import attach

    with _attaching:  # of several threads one does
        return _started[0] if _started else attach(run, store)


def _forked() -> None:
    global _attaching, process_ends
    _attaching, process_ends = threading.Lock(), False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
