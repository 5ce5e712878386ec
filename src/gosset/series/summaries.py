"""What is kept ready of a series, so that queries need not read its points."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from .chunks import Number, Points


class Summary(NamedTuple):
    """A series in a few numbers.

    Attributes
    ----------
    count : int
        Points, those with NaN included.
    step, time : int
        Of the last point: the one with the highest step, and of these the latest.
    last : float, int or bool
        Its value, exactly.
    minimum, maximum : float or None
        NaN left out; None where nothing else is there.
    total : float
        Sum, NaN left out.
    numbers : int
        Points that are not NaN.
    """

    count: int  # type: ignore[assignment]  # in the place of tuple.count
    step: int
    time: int
    last: Number
    minimum: float | None
    maximum: float | None
    total: float
    numbers: int

    @property
    def mean(self) -> float | None:
        """The mean of all points that are not NaN."""
        return self.total / self.numbers if self.numbers else None


def summarise(points: Points) -> Summary:
    """Return the summary of points, at least one.

    Examples
    --------
    >>> summarise(Points([0, 1, 2], [0.5, float("nan"), 0.25], [10, 20, 30])).mean
    0.375
    """
    steps = points.steps
    if len(steps) == 1:
        return _of_one(points)
    highest = max(steps)
    # The latest among those with the highest step; steps ascend as a rule.
    last = len(steps) - 1
    if steps[last] != highest or steps.count(highest) > 1:
        last = max(range(len(steps)), key=lambda i: (steps[i], points.times[i], i))
    total = _sum(points.values)
    numbers = points.values
    if total != total:  # NaN is among them, or infinities of both signs
        numbers = [value for value in points.values if value == value]
        total = _sum(numbers)
    return Summary(
        count=len(points),
        step=highest,
        time=points.times[last],
        last=points.values[last],
        minimum=double(min(numbers)) if numbers else None,
        maximum=double(max(numbers)) if numbers else None,
        total=total,
        numbers=len(numbers),
    )


def _of_one(points: Points) -> Summary:
    [step], [last], [time] = points.steps, points.values, points.times
    if last != last:
        return Summary(1, step, time, last, None, None, 0.0, 0)
    number = double(last)
    return Summary(1, step, time, last, number, number, number, 1)


def merged(one: Summary, other: Summary) -> Summary:
    """Return the summary of the points of both; `other` is the later where both end alike."""
    last = one if (one.step, one.time) > (other.step, other.time) else other
    lows = [m for m in (one.minimum, other.minimum) if m is not None]
    highs = [m for m in (one.maximum, other.maximum) if m is not None]
    return Summary(
        count=one.count + other.count,
        step=last.step,
        time=last.time,
        last=last.last,
        minimum=min(lows, default=None),
        maximum=max(highs, default=None),
        total=one.total + other.total,
        numbers=one.numbers + other.numbers,
    )


def double(value: Number) -> float:
    """Return the nearest double, infinite for huge integers."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _sum(numbers: Iterable[Number]) -> float:
    try:
        return float(sum(numbers))
    except OverflowError:  # integers that no double holds
        return sum(map(double, numbers))
