"""Points that are alone in their series: what is kept ready of such a metric says all of it.

A run that logs what came out at its end, and nothing more, has one point of each metric. A
chunk for each would cost more than all else that is kept of the run, and say nothing new.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..series import Chunk, Points, Summary, pack
from .values import decode


def told_by_chunks(
    points: Sequence[tuple[str, int, Chunk]], summaries: Mapping[str, Summary]
) -> Iterator[tuple[str, int, Chunk]]:
    """Iterate over the chunks of a run, all said at once, that its summaries do not give back."""
    for name, number, chunk in points:
        summary = summaries.get(name)
        if (
            chunk.count != 1
            or number != 0
            or summary is None
            or summary.count != 1
            or (summary.step, summary.time) != (chunk.step, chunk.time)
            or summary.last != summary.last  # NaN is of many kinds, and databases know one
        ):
            yield name, number, chunk


def chunk_of(value: float | None, whole: str | None, step: int, time: int) -> Chunk:
    """Return the chunk of a point, from the columns of its metric.

    Examples
    --------
    >>> chunk_of(3.0, "3", 0, 10) == pack(Points([0], [3], [10]))
    True
    """
    last: Any = value if whole is None else decode(whole)
    return pack(Points([step], [math.nan if last is None else last], [time]))
