"""Looks at how busy the machine is from time to time: one thread for all runs of the process."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Final

from ..threads import begun

if TYPE_CHECKING:
    from ..run import TrackedRun

LEAD: Final = 1.0
"""Seconds over which the first value is taken, at most."""

_LOOK_EVERY: Final = 1.0
"""Seconds after which it is noticed that a run has ended, at most."""

_runs: list[tuple[TrackedRun, float, list[float]]] = []
"""Runs, seconds between their values, and when the next are due."""
_thread: threading.Thread | None = None
_starting = threading.Lock()


def begin(run: TrackedRun, seconds: float) -> None:
    """Log system metrics to a run until it ends."""
    global _thread
    with _starting:
        _runs.append((run, seconds, [time.monotonic() + min(seconds, LEAD)]))
        if _thread is None:
            _thread = begun(_work, "gosset-telemetry")


def _work() -> None:
    from .machine import Machine

    machine = Machine()
    while pause := _pause():
        time.sleep(pause)
        now = time.monotonic()
        due = [entry for entry in _runs[:] if entry[2][0] <= now and not entry[0].ended]
        if not due:
            continue
        values = machine.look()
        for run, seconds, next_ in due:
            run.sample(values)
            next_[0] = now + seconds


def _pause() -> float | None:
    """Return how long to wait; None where no run is left, and the thread is to end."""
    global _thread
    with _starting:
        _runs[:] = [entry for entry in _runs if not entry[0].ended]
        if not _runs:
            _thread = None
            return None
        next_ = min(due[0] for _, _, due in _runs)
    return min(max(next_ - time.monotonic(), 0.001), _LOOK_EVERY)


def _forked() -> None:
    global _thread, _starting
    _thread, _starting = None, threading.Lock()
    _runs.clear()  # the parent looks for its own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
