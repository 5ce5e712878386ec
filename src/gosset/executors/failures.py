"""Exceptions and exit codes in words, so that they can cross between processes."""

from __future__ import annotations

import signal
import traceback

from ..entities import ExceptionInfo


def describe_exception(error: BaseException, *, skip: int = 0) -> ExceptionInfo:
    """Return `error` as text.

    Parameters
    ----------
    error : BaseException
        Neither it nor what it refers to needs to be picklable.
    skip : int
        How many of the outermost frames to leave out of the traceback.

    Examples
    --------
    >>> describe_exception(ValueError("no rows")).message
    'no rows'
    """
    start = error.__traceback__
    for _ in range(skip):
        start = start.tb_next if start is not None else None
    kind = type(error)
    name = kind.__qualname__
    return ExceptionInfo(
        type=name if kind.__module__ == "builtins" else f"{kind.__module__}.{name}",
        message=_message(error),
        traceback="".join(traceback.format_exception(kind, error, start)),
    )


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as other:  # noqa: BLE001 - __str__ is the user's and may do anything
        return f"<its message cannot be shown: {type(other).__name__}>"


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
