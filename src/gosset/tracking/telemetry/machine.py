"""How busy this machine and this process are: from ``/proc`` on Linux, elsewhere from psutil."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from .gpus import open_gpus

_MIB: Final = 1 << 20
_SECTOR: Final = 512
_VIRTUAL: Final = ("loop", "ram", "zram", "dm-", "md")
"""Disks that are made of others."""

Counters = dict[str, float]
"""Name → what only grows, in seconds or MiB; what it grows by in a second is of interest."""

Levels = dict[str, float]
"""Name → what is so at the moment."""


class Machine:
    """How busy the machine is, since the last look.

    Raises
    ------
    MissingExtraError
        Not on Linux, where psutil is not installed.

    Examples
    --------
    >>> 0 < Machine().look()["system/memory"] < 100
    True
    """

    def __init__(self) -> None:
        self._read = reader()
        self._gpus = open_gpus()
        self._before, _ = self._read()
        self._moment = time.monotonic()

    def look(self) -> dict[str, float]:
        """Return name → value.

        ``system/cpu``, ``system/memory`` and ``system/disk`` (of the current folder) are shares
        of what there is, in percent; ``system/process/cpu`` is in percent of one core and
        ``system/process/memory`` in MiB. ``system/disk/read``, ``system/disk/written``,
        ``system/network/received`` and ``system/network/sent`` are in MiB a second. See
        :mod:`.gpus` for those of each GPU.
        """
        counters, levels = self._read()
        moment = time.monotonic()
        seconds = max(moment - self._moment, 1e-3)
        grown = {n: max(v - self._before[n], 0) for n, v in counters.items() if n in self._before}
        self._before, self._moment = counters, moment
        found = {f"system/{name}": value for name, value in levels.items()}
        busy, idle = grown.pop("busy", 0.0), grown.pop("idle", 0.0)
        if busy + idle > 0:
            found["system/cpu"] = 100 * busy / (busy + idle)
        for name, value in grown.items():
            rate = value / seconds
            found[f"system/{name}"] = 100 * rate if name == "process/cpu" else rate
        if self._gpus is not None:
            found |= self._gpus()
        return found


def reader() -> Callable[[], tuple[Counters, Levels]]:
    """Return what reads counters and levels here; see :class:`Machine`."""
    if sys.platform == "linux":
        return from_proc
    try:
        import psutil  # noqa: F401 - whether it is there
    except ImportError:
        from ...exceptions import MissingExtraError

        raise MissingExtraError(
            "system metrics need psutil on this platform", hint="pip install 'gosset[telemetry]'"
        ) from None
    return from_psutil


def from_proc() -> tuple[Counters, Levels]:
    """Read the files in which Linux tells of itself; what is not there is left out."""
    counters: Counters = {"process/cpu": time.process_time()}
    levels: Levels = {}
    for part in (_cpu, _disks, _network):
        try:
            counters |= part()
        except (OSError, ValueError, IndexError):
            continue
    for level in (_memory, _process_memory, _disk):
        try:
            levels |= level()
        except (OSError, ValueError, IndexError, KeyError, ZeroDivisionError):
            continue
    return counters, levels


def from_psutil() -> tuple[Counters, Levels]:
    """Read the same by psutil."""
    import psutil

    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    # What guests take stands among what users take already.
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    counters = {
        "process/cpu": time.process_time(),
        "busy": sum(times) - idle - guests,
        "idle": idle,
    }
    disks: Any = psutil.disk_io_counters()
    if disks is not None:
        counters["disk/read"] = disks.read_bytes / _MIB
        counters["disk/written"] = disks.write_bytes / _MIB
    cards = {n: c for n, c in psutil.net_io_counters(pernic=True).items() if n not in ("lo", "lo0")}
    counters["network/received"] = sum(card.bytes_recv for card in cards.values()) / _MIB
    counters["network/sent"] = sum(card.bytes_sent for card in cards.values()) / _MIB
    memory = psutil.virtual_memory()
    return counters, {
        "memory": 100 * (1 - memory.available / memory.total),
        "process/memory": psutil.Process().memory_info().rss / _MIB,
        "disk": psutil.disk_usage(".").percent,
    }


def _lines(path: str) -> list[str]:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()


def _cpu() -> Counters:
    user, nice, system, idle, wait, *others = map(int, _lines("/proc/stat")[0].split()[1:9])
    idle += wait
    ticks = os.sysconf("SC_CLK_TCK")
    return {"busy": (user + nice + system + sum(others)) / ticks, "idle": idle / ticks}


def _disks() -> Counters:
    disks = set(os.listdir("/sys/block"))
    rows = [line.split() for line in _lines("/proc/diskstats")]
    real = [row for row in rows if row[2] in disks and not row[2].startswith(_VIRTUAL)]
    return {
        "disk/read": sum(int(row[5]) for row in real) * _SECTOR / _MIB,
        "disk/written": sum(int(row[9]) for row in real) * _SECTOR / _MIB,
    }


def _network() -> Counters:
    rows = [line.partition(":") for line in _lines("/proc/net/dev")[2:]]
    cards = [numbers.split() for name, _, numbers in rows if name.strip() != "lo"]
    return {
        "network/received": sum(int(card[0]) for card in cards) / _MIB,
        "network/sent": sum(int(card[8]) for card in cards) / _MIB,
    }


def _memory() -> Levels:
    rows = (line.split() for line in _lines("/proc/meminfo"))
    sizes = {row[0].rstrip(":"): int(row[1]) for row in rows}
    return {"memory": 100 * (1 - sizes["MemAvailable"] / sizes["MemTotal"])}


def _process_memory() -> Levels:
    pages = int(_lines("/proc/self/statm")[0].split()[1])
    return {"process/memory": pages * os.sysconf("SC_PAGE_SIZE") / _MIB}


def _disk() -> Levels:
    place = os.statvfs(".")
    used = place.f_blocks - place.f_bfree
    return {"disk": 100 * used / (used + place.f_bavail)}
