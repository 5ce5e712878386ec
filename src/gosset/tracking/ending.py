"""How the process ends, told as it was: by an exception, a signal, or because all was done."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

from ..exceptions import GossetError
from . import context, threads
from .outcomes import status_of
from .telemetry import origin
from .writer import WAIT_AT_MOST, all_writers

GRACE = 2.0
"""Seconds that a store which others write is waited for when the process was told to end."""

_watching = 0
_hooked = False
_asked: tuple[SystemExit, int] | None = None
"""How ``sys.exit`` was called, and how much had been logged by then."""
_seen: BaseException | None = None
"""What had been raised at a prompt before."""


def watch() -> None:
    """See to it that runs which are open when this process ends are ended as it was."""
    global _watching, _seen
    if _watching == os.getpid():
        return
    first, _watching = not _watching, os.getpid()
    _hook_children()
    if not first:
        return  # a forked copy: what is set up holds there too
    _seen = _uncaught()
    atexit.register(_at_exit)
    _hook_exit()


def watch_signals() -> None:
    """End runs as stopped when the process is asked to end, unless it has its own answer."""
    global _hooked
    if _hooked or threading.current_thread() is not threading.main_thread():
        return
    _hooked = True
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminate)


def _terminate(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)
    try:
        _end_all("stopped", None, GRACE)
    finally:
        os.kill(os.getpid(), number)


def _at_exit() -> None:
    error = _uncaught()
    if error is None or error is _seen or hasattr(sys, "ps1"):
        # At a prompt it is no more than what went wrong last.
        error = _asked[0] if _asked and _asked[1] >= _activity() else None
    _end_all(status_of(error), error)
    origin.at_exit()
    _write_all()
    threads.begin_no_more()
    for writer in all_writers():
        writer.leave()  # the last process leaves the store as one file


def _uncaught() -> BaseException | None:
    found: BaseException | None = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    return found


def _activity() -> int:
    return sum(run.activity for run in context._started)


def _end_all(status: str, error: BaseException | None, patience: float | None = None) -> None:
    """End every run of this process, those started last first, and write what there is."""
    context.process_ends = True
    for run in reversed(context._started[:]):
        with contextlib.suppress(GossetError):
            run.end(status, error)
    _write_all(patience)


def _write_all(patience: float | None = None) -> None:
    for writer in all_writers():
        if not writer.idle:
            writer.flush(patience=WAIT_AT_MOST if patience is None else patience, last=True)


def _hook_exit() -> None:
    # What ends the interpreter by ``sys.exit`` passes no hook; only its call can be seen.
    # Where more is logged afterwards it was caught.
    before = sys.exit

    def exit(status: Any = None, /) -> None:
        global _asked
        if threading.current_thread() is threading.main_thread():
            _asked = SystemExit(status), _activity()
        before(status)

    sys.exit = exit  # type: ignore[assignment]


def _hook_children() -> None:
    """In a child that multiprocessing started: it ends without what ``atexit`` has."""
    process = sys.modules.get("multiprocessing.process")
    if process is not None and process.parent_process() is not None:
        from multiprocessing.util import Finalize

        Finalize(None, _at_child_exit, exitpriority=-100)


def _at_child_exit() -> None:
    error = sys.exc_info()[1]
    _end_all(status_of(error), error)
