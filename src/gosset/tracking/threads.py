"""Threads that work in the background, begun as long as the interpreter begins any."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

_lock = threading.RLock()
"""Held while one is begun: the process does not end meanwhile. A signal may come to who holds it."""
_over = False


def begun(work: Callable[[], None], name: str) -> threading.Thread | None:
    """Begin a thread that keeps no process alive; return None where none begins any more.

    That is at the end of the process, or where the system has no room for another.
    """
    thread = threading.Thread(target=work, name=name, daemon=True)
    with _lock:
        if _over:
            return None
        try:
            thread.start()
        except RuntimeError:
            return None
    return thread


def begin_no_more() -> None:
    """Begin none from now on: one that is half begun when the interpreter goes would crash it."""
    global _over
    with _lock:
        _over = True


def _forked() -> None:
    global _lock, _over
    _lock, _over = threading.RLock(), False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
