"""A series as a few characters: its course at a glance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..entities import Run
    from ..store import Store

WIDTH = 24
"""Characters of a line."""

POINTS = 1000
"""Points of a longer series that are looked at."""

SHOWN = 40
"""Series of a run that are drawn."""

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int = WIDTH) -> str:
    """Return values as bars, each the mean of a stretch of them; a gap where all are NaN.

    Examples
    --------
    >>> sparkline([0.0, 1.0, 2.0, 3.0], width=4), sparkline([5, 5]), sparkline([])
    ('▁▃▆█', '▁▁', '')
    >>> sparkline([1.0, float("nan"), float("inf")]), sparkline([-1.7e308, 1.7e308])
    ('▁ █', '▁█')
    """
    count = min(width, len(values))
    edges = [len(values) * i // count for i in range(count + 1)] if count else [0]
    means = [_mean(values[a:b]) for a, b in pairwise(edges)]
    finite = [m for m in means if math.isfinite(m)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    return "".join(_bar(mean, low, high) for mean in means)


def sparklines(store: Store, run: Run) -> dict[str, str]:
    """Return the first series of a run as bars, by name."""
    names = [metric.name for metric in run.metrics.values() if metric.series is not None][:SHOWN]
    if not names:
        return {}
    from ..series.downsampling import doubles

    found = store.series(run, names)
    return {
        name: sparkline(doubles(found[name].downsample(POINTS).values).tolist()) for name in names
    }


def _mean(values: Sequence[float]) -> float:
    numbers = [value for value in values if value == value]
    if not numbers:
        return math.nan
    mean = sum(value / len(numbers) for value in numbers)  # the sum itself may be too large
    return min(max(mean, min(numbers)), max(numbers))


def _bar(mean: float, low: float, high: float) -> str:
    if math.isnan(mean):
        return " "
    if math.isinf(mean):
        return _BARS[-1] if mean > 0 else _BARS[0]
    span = high / 2 - low / 2  # halves, whose difference is no infinity
    part = (mean / 2 - low / 2) / span if span > 0 else 0.0
    return _BARS[min(int(part * len(_BARS)), len(_BARS) - 1)]
