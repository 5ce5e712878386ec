"""Signals to a worker and to everything that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

TERMINATE = int(signal.SIGTERM)
KILL = int(getattr(signal, "SIGKILL", signal.SIGTERM))  # Windows has no such signal


class ProcessTree:
    """A worker, which leads a process group, and its descendants.

    Descendants outside the group (that began a session of their own) are looked up
    while the worker lives, because nothing leads to them afterwards.

    Parameters
    ----------
    pid : int
        The worker's.
    """

    __slots__ = ("_strays", "pid")

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._strays: set[int] = set()

    def signal(self, number: int) -> None:
        """Send signal `number` to all of them; on Windows, end them."""
        if sys.platform == "win32":
            subprocess.run(
                ["taskkill", "/F", "/T", "/PID", str(self.pid)], capture_output=True, check=False
            )
            return
        self._strays.update(_descendants_outside(self.pid))
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:  # it was forked a moment ago and does not lead a group yet
            _send(self.pid, number)
        for stray in self._strays:
            _send(stray, number)

    def clear(self) -> None:
        """Kill what outlived the worker: to be called when it is dead, best before it is reaped.

        Until then no other process can get its number.
        """
        if sys.platform == "win32":
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, KILL)
        for stray in self._strays:
            _send(stray, KILL)


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _descendants_outside(leader: int) -> set[int]:
    """Return the descendants of `leader` that are not in its process group (Linux only)."""
    found: set[int] = set()
    parents = [leader]
    while parents:
        for pid in _children(parents.pop()):
            parents.append(pid)
            found.add(pid)
    return {pid for pid in found if _group(pid) not in (leader, None)}


def _children(pid: int) -> list[int]:
    children: list[int] = []
    with contextlib.suppress(OSError):  # it, or one of its threads, ended meanwhile
        for thread in os.listdir(f"/proc/{pid}/task"):
            listing = Path(f"/proc/{pid}/task/{thread}/children").read_text()
            children.extend(map(int, listing.split()))
    return children


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None
