"""How the process ends, told as it was: by an exception, a signal, or because all was done."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any

from . import context
from .run import _status_of

_watching: int | None = None
_error: BaseException | None = None


def watch() -> None:
    """See to it that runs which are open when this process ends are ended as it was."""
    global _watching
    if _watching == os.getpid():
        return
    first = _watching is None
    _watching = os.getpid()
    if not first:
        return  # a forked copy: what is set up holds there too
    atexit.register(_end_all)
    _hook_exceptions()
    _hook_exit()
    if threading.current_thread() is threading.main_thread():
        _hook_termination()


def _end_all() -> None:
    """End every run of this process; those started last first."""
    status = _status_of(_error)
    for run in reversed(context._started[:]):
        run.finish(status, _error)


def _hook_exceptions() -> None:
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        global _error
        _error = error
        before(kind, error, trace)

    sys.excepthook = hook


def _hook_exit() -> None:
    # What ends the interpreter by ``sys.exit`` passes no hook; only its call can be seen.
    before = sys.exit

    def exit(status: Any = None, /) -> None:
        global _error
        _error = SystemExit(status)
        try:
            before(status)
        except SystemExit as error:
            _error = error
            raise

    sys.exit = exit  # type: ignore[assignment]


def _hook_termination() -> None:
    """End runs as stopped when the process is asked to end, unless it has its own answer."""
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return

    def terminate(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        for run in reversed(context._started[:]):
            run.finish("stopped")
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, terminate)
