"""Exceptions and exit codes in words, so that they can cross between processes."""

from __future__ import annotations

import inspect
import re
import signal
import traceback
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from ..entities import ExceptionInfo
from ..exceptions import GossetError
from ..usercode import is_user_file, told

MEMBERS_TOLD = 3
"""Of the exceptions in a group, so many are told in its message."""

_FRAMING = re.compile(r"^ *[|+] ?", re.MULTILINE)


def describe_exception(
    error: BaseException,
    *,
    skip: int = 0,
    without: str = "",
    function: Callable[..., Any] | None = None,
) -> ExceptionInfo:
    """Return `error` as text.

    Parameters
    ----------
    error : BaseException
        Neither it nor what it refers to needs to be picklable.
    skip : int
        How many of the outermost frames to leave out of the traceback.
    without : str
        A file whose frames are left out of it.
    function : callable, optional
        The user's function that was carried out: where no line of the user's is in the
        traceback, because what it returned is to blame, this is.

    Examples
    --------
    >>> describe_exception(ValueError("no rows")).message
    'no rows'
    >>> describe_exception(ExceptionGroup("both", [ValueError("no rows"), KeyError("x")])).message
    "both (2 sub-exceptions): ValueError: no rows; KeyError: 'x'"
    """
    start = error.__traceback__
    for _ in range(skip):
        start = start.tb_next if start is not None else None
    kind = type(error)
    name = kind.__qualname__
    shown = traceback.TracebackException(kind, error, start)
    frames = [frame for frame in shown.stack if frame.filename != without]
    if function is not None and not any(is_user_file(frame.filename) for frame in frames):
        blamed = _frame_of(function)
        # Where Gosset itself refuses a value, its own lines say nothing about it.
        frames = blamed if blamed and isinstance(error, GossetError) else [*frames, *blamed]
    shown.stack = traceback.StackSummary.from_list(frames)
    text = "".join(shown.format())
    if isinstance(error, BaseExceptionGroup):
        # Without the lines drawn around its members, which hide their frames from whoever
        # looks for them.
        text = _FRAMING.sub("", text)
    return ExceptionInfo(
        type=name if kind.__module__ == "builtins" else f"{kind.__module__}.{name}",
        message=_message(error),
        traceback=text,
    )


def _frame_of(function: Callable[..., Any]) -> list[traceback.FrameSummary]:
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None or not is_user_file(code.co_filename):
        return []
    return [traceback.FrameSummary(code.co_filename, code.co_firstlineno, code.co_qualname)]


def _message(error: BaseException) -> str:
    try:
        said = str(error)
        if isinstance(error, BaseExceptionGroup):
            members = [*islice(_members(error), MEMBERS_TOLD + 1)]
            shown = [*map(told, members[:MEMBERS_TOLD]), *["…"] * (len(members) > MEMBERS_TOLD)]
            said = f"{said}: {'; '.join(shown)}"
        return said
    except Exception as other:  # noqa: BLE001 - __str__ is the user's and may do anything
        return f"<its message cannot be shown: {type(other).__name__}>"


def _members(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """Iterate over the exceptions of a group, those of groups within it included."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _members(error)
        else:
            yield error


def describe_exit(code: int) -> str:
    """Say in words how a process ended.

    Parameters
    ----------
    code : int
        As ``subprocess`` gives it: negative for a signal.

    Examples
    --------
    >>> describe_exit(3)
    'exit code 3'
    >>> describe_exit(-11)
    'signal 11 (SIGSEGV)'
    """
    if code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
    hint = ", as the system sends when memory runs out" if name == "SIGKILL" else ""
    return f"signal {-code} ({name}{hint})"
