"""Executors: what carries computations out. :func:`open_executor` makes one by name."""

from __future__ import annotations

import importlib
import inspect
from typing import cast

from ..exceptions import UsageError, did_you_mean
from .base import (
    Cancelled,
    Done,
    Event,
    Executor,
    Failed,
    Handler,
    Lost,
    Message,
    Send,
    Setup,
    Started,
    Task,
    TimedOut,
)

__all__ = [
    "EXECUTORS",
    "Cancelled",
    "Done",
    "Event",
    "Executor",
    "Failed",
    "Handler",
    "Lost",
    "Message",
    "Send",
    "Setup",
    "Started",
    "Task",
    "TimedOut",
    "open_executor",
]

EXECUTORS = {
    "inline": f"{__name__}.inline:InlineExecutor",
    "processes": f"{__name__}.processes:ProcessExecutor",
}
"""Name → ``module:class``, imported when first asked for; its first argument is `jobs`."""


def open_executor(name: str, jobs: int | None = None, **options: object) -> Executor:
    """Return the executor of that name, ready for its ``open(setup)``.

    Parameters
    ----------
    name : str
        ``"inline"`` or ``"processes"``.
    jobs : int, optional
        How many tasks run at once; by default as many as the executor thinks fit.
    **options
        As the executor's class takes them, e.g. ``preload=["pandas"]`` for ``processes``.

    Raises
    ------
    UsageError
        An unknown executor, an option that it does not take, or a number of jobs that it
        cannot run.

    Examples
    --------
    >>> open_executor("inline").capacity
    1
    >>> open_executor("proceses")
    Traceback (most recent call last):
        ...
    gosset.exceptions.UsageError: no executor 'proceses'; did you mean 'processes'?
    """
    if name not in EXECUTORS:
        raise UsageError(f"no executor {name!r}", hint=did_you_mean(name, EXECUTORS))
    module, _, kind = EXECUTORS[name].partition(":")
    factory = getattr(importlib.import_module(module), kind)
    known = list(inspect.signature(factory).parameters)
    for option in options:
        if option not in known:
            raise UsageError(
                f"the executor {name!r} takes no option {option!r}",
                hint=did_you_mean(option, known),
            )
    return cast(Executor, factory(jobs, **options))
