"""Which run the calling code works for.

The innermost is meant: a stage's or a ``with`` block's, told by a context variable, which
asynchronous tasks inherit. Threads do not, and neither do processes: they work for the run
that was last started in the process, and for the one that the environment names.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from ..exceptions import UsageError

if TYPE_CHECKING:
    from .active import ActiveRun
    from .run import TrackedRun

VARIABLE: Final = "GOSSET_RUN"
"""Environment variable: id and store of the run that child processes belong to."""

_active: contextvars.ContextVar[ActiveRun | TrackedRun | None] = contextvars.ContextVar(
    "run", default=None
)
_started: list[TrackedRun] = []
"""The runs started in this process and not ended, the latest last."""


def current_run() -> Any:
    """Return the run that the calling code works for.

    In a stage that may be cached it takes what is logged, but has no ``params``, ``config``
    or ``seed``: the stage takes these as arguments.

    Raises
    ------
    UsageError
        No run is active here.
    """
    run = _active.get()
    if run is None or run.ended:
        run = _started[-1] if _started else _of_the_parent()
    if run is None:
        raise UsageError(
            "no run is active here",
            hint="start one with gosset.start_run(), or call this from a stage or a step",
        )
    return run


def log(metrics: Mapping[str, float], step: int | None = None) -> None:
    """Log metrics to the active run; see :meth:`TrackedRun.log`."""
    current_run().log(metrics, step=step)


@contextlib.contextmanager
def active(run: Any) -> Iterator[Any]:
    """Make `run` the active one inside the block."""
    token = _active.set(run)
    try:
        yield run
    finally:
        _active.reset(token)


def entered(run: TrackedRun) -> None:
    """Make a run the one of this process, and of the processes that it starts."""
    _started.append(run)
    _tell_children()


def left(run: TrackedRun) -> None:
    """Take a run back that has ended."""
    if run in _started:
        _started.remove(run)
    _tell_children()


def parent_id() -> str | None:
    """Return the id of the run in which another is being started."""
    run = _active.get()
    if run is not None and not run.ended:
        return run.id
    if _started:
        return _started[-1].id
    return _named()[0]


def _tell_children() -> None:
    if _started:
        run = _started[-1]
        os.environ[VARIABLE] = f"{run.id} {run.store}"
    else:
        os.environ.pop(VARIABLE, None)


def _named() -> tuple[str | None, str]:
    run, _, store = os.environ.get(VARIABLE, "").partition(" ")
    return run or None, store


def _of_the_parent() -> TrackedRun | None:
    """Return the run that the parent process works for, as one that this process logs to."""
    run, store = _named()
    if run is None:
        return None
    from .starting import attach

    return attach(run, store)
