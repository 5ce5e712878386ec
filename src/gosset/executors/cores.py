"""How many cores this process may use, and how many threads a worker should."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Environment variables by which numerical libraries are told their number of threads."""


def usable_cores() -> int:
    """Return how many cores this process may use, at least one.

    The machine's cores, less those that the process's affinity or the quota of its
    control group (a container's limit) keeps from it.

    Examples
    --------
    >>> usable_cores() >= 1
    True
    """
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS and Windows
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    quota = _cgroup_quota(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))
    return max(1, min(cores, cores if quota is None else math.ceil(quota)))


def thread_limits(jobs: int, environment: Mapping[str, str]) -> dict[str, str]:
    """Return `environment` with thread limits by which `jobs` workers share the cores.

    A variable that is set already stays as it is.

    Examples
    --------
    >>> thread_limits(10_000, {"OMP_NUM_THREADS": "3"})["OMP_NUM_THREADS"]
    '3'
    >>> thread_limits(10_000, {})["MKL_NUM_THREADS"]
    '1'
    """
    share = str(max(1, usable_cores() // jobs))
    return dict.fromkeys(THREAD_VARIABLES, share) | dict(environment)


def _cgroup_quota(membership: Path, root: Path) -> float | None:
    """Return the tightest CPU quota, in cores, from a process's control group upwards.

    `membership` has one line for each hierarchy, ``ID:CONTROLLERS:PATH``; the unified
    one (version 2) names no controllers, that of version 1 names ``cpu``.
    """
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return None
    quotas: list[float] = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = root if not controllers else root / "cpu"
        folder = top / path.lstrip("/")
        # A container may see a path from outside, which is not there; its own limit is at `top`.
        for place in {folder, *folder.parents, top}:
            if place == top or top in place.parents:
                quotas.extend(_quota_of(place))
    return min(quotas, default=None)


def _quota_of(place: Path) -> list[float]:
    try:
        if (place / "cpu.max").exists():
            quota, period = (place / "cpu.max").read_text().split()
        else:
            quota = (place / "cpu.cfs_quota_us").read_text()
            period = (place / "cpu.cfs_period_us").read_text()
    except (OSError, ValueError):
        return []
    if quota == "max" or float(quota) <= 0:
        return []
    return [float(quota) / float(period)]
