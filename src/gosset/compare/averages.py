"""Means and deviations over folds and seeds, and which metrics come first."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Final

_ASIDE: Final = re.compile(r"system/|fold\d+/")
"""What such names begin with is there for who asks for it."""


def foremost(names: Iterable[str]) -> list[str]:
    """Return the scores of the test part, by name; those of other parts where it has none.

    The series of single folds, and of how busy the machine is, come last of all.

    Examples
    --------
    >>> foremost(["train/accuracy", "accuracy"]), foremost(["train/silhouette"])
    (['accuracy'], ['train/silhouette'])
    """
    known = list(dict.fromkeys(names))
    plain = [name for name in known if "/" not in name]
    return plain or [name for name in known if not _ASIDE.match(name)] or known


def mean(values: Sequence[float]) -> float:
    """Return the mean; infinite, or NaN, where the values or their sum are."""
    try:
        return fmean(values)
    except (OverflowError, ValueError):  # a sum beyond any float; infinities of both signs
        return sum(values) / len(values)


def deviation(values: Sequence[float]) -> float:
    """Return the standard deviation (``ddof=1``); NaN where a value is not finite.

    Parameters
    ----------
    values : sequence of float
        At least two.

    Examples
    --------
    >>> deviation([1.0, 2.0, 3.0])
    1.0
    """
    if not all(map(math.isfinite, values)):
        return math.nan
    middle = mean(values)
    # hypot() scales: the squares of a diverged score are no float any more.
    return math.hypot(*(value - middle for value in values)) / math.sqrt(len(values) - 1)
