"""The work of each case: the same values for every tracker, and how what is read back is checked."""

from __future__ import annotations

import math

CASES = {
    "start": (1, 1),
    "10x100": (10, 100),
    "10k": (1, 10_000),
    "100k": (1, 100_000),
    "arrays": (1, 10),
    "1000x10": (1000, 10),
    "killed": (1, 1500),
    "killed-later": (1, 1500),
}
"""Case → runs, and what each of them logs."""

ARRAY = 1_000_000
"""Doubles in an array."""


def losses(count: int) -> list[float]:
    """Return the values of one series."""
    return [math.exp(-i / count) + 0.1 * math.sin(i) for i in range(count)]


def results(run: int) -> dict[str, float]:
    """Return the ten metrics of one run of many."""
    return {f"m{i}": math.sin(run * 10 + i) for i in range(10)}


def arrays():
    """Return name → array: random numbers, which nothing can make smaller."""
    import numpy as np

    random = np.random.default_rng(1)
    return {f"a{i}": random.random(ARRAY) for i in range(10)}


def inputs(case: str) -> list:
    """Return what the runs of a case log, made before the clock starts."""
    runs, count = CASES[case]
    if case == "arrays":
        return [arrays()]
    if case == "1000x10":
        return [results(run) for run in range(runs)]
    return [losses(count)] * runs


def check(case: str, found: object) -> str:
    """Return what is wrong with what was read back of a case; empty where nothing is."""
    if case == "arrays":
        return _check_arrays(found)
    if case == "1000x10":
        return _check_table(found)
    runs, count = CASES[case]
    expected = losses(count)
    if len(found) != runs:
        return f"{len(found)} runs of {runs}"
    for run, metrics in found.items():
        values = list(metrics["loss"])
        if len(values) != count:
            return f"{len(values)} values of {count} in {run}"
        if values != expected:
            return f"other values in {run}"
    return ""


def _check_arrays(found) -> str:
    expected = arrays()
    if set(found) != set(expected):
        return f"{len(found)} arrays of {len(expected)}"
    wrong = [name for name, array in expected.items() if array.tobytes() != found[name].tobytes()]
    return f"other values in {wrong[0]}" if wrong else ""


def _check_table(found) -> str:
    if found.shape != (1000, 10):
        return f"a table of {found.shape[0]} by {found.shape[1]}"
    for run in range(1000):
        if dict(found.loc[run_name(run)]) != results(run):
            return f"other values in {run_name(run)}"
    return ""


def run_name(number: int) -> str:
    """Return the name of a run."""
    return f"run-{number:04}"
