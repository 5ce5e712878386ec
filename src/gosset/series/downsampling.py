"""Fewer points that draw the same line: which points of a series a chart needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ..exceptions import UsageError, did_you_mean

if TYPE_CHECKING:
    import numpy as np

FEWEST: Final = 4
"""Points that a series can be brought down to: its two ends, a minimum and a maximum."""


def chosen(steps: np.ndarray, values: np.ndarray, points: int, method: str) -> np.ndarray:
    """Return the positions of the points to keep, ascending, both ends among them.

    Parameters
    ----------
    steps, values : ndarray, shape (m,)
        In the order in which they are drawn.
    points : int
        At most so many are kept, at least 4; all where there are no more.
    method : {"minmax", "lttb"}
        See :func:`minmax` and :func:`lttb`.

    Raises
    ------
    UsageError
        Another method, or too few points.
    """
    import numpy as np

    if method not in METHODS:
        raise UsageError(f"no way of down-sampling {method!r}", hint=did_you_mean(method, METHODS))
    if points < FEWEST:
        raise UsageError(f"a series cannot be told in {points} points", hint=f"take {FEWEST}")
    if len(values) <= points:
        return np.arange(len(values))
    return METHODS[method](steps, doubles(values), points)


def minmax(steps: np.ndarray, values: np.ndarray, points: int) -> np.ndarray:
    """Keep the lowest and the highest of each of equal stretches: no peak is lost.

    A stretch with nothing but NaN keeps one of them, so that a gap stays a gap.

    Examples
    --------
    >>> import numpy as np
    >>> minmax(np.arange(8), np.array([0.0, 1, 9, 1, 1, -5, 1, 0]), 4).tolist()
    [0, 2, 5, 7]
    """
    import numpy as np

    lows, highs = (np.where(np.isnan(values), end, values) for end in (np.inf, -np.inf))
    edges = _edges(len(values), (points - 2) // 2)
    kept = {0, len(values) - 1}
    for start, stop in pairwise(edges):
        kept.add(start + int(lows[start:stop].argmin()))
        kept.add(start + int(highs[start:stop].argmax()))
    return np.array(sorted(kept))


def lttb(steps: np.ndarray, values: np.ndarray, points: int) -> np.ndarray:
    """Keep of each of equal stretches the point that spans the largest triangle.

    Its other corners are the point that was kept before, and the middle of the next
    stretch (Steinarsson 2013, "Largest-Triangle-Three-Buckets").

    Examples
    --------
    >>> import numpy as np
    >>> lttb(np.arange(8), np.array([0.0, 0, 9, 0, 0, -5, 0, 0]), 4).tolist()
    [0, 2, 5, 7]
    """
    import numpy as np

    across = steps.astype(np.float64) - float(steps[0])
    edges = [*_edges(len(values), points - 2), len(values)]
    kept = [0]
    with np.errstate(all="ignore"):  # what is not finite makes no triangle, or the largest
        for start, stop, end in zip(edges[:-2], edges[1:-1], edges[2:], strict=True):
            last = kept[-1]
            height = np.nan_to_num(values[last])
            following = values[stop:end]
            finite = following[np.isfinite(following)]
            ahead = finite.mean() if len(finite) else height
            areas = np.abs(
                (across[last] - across[stop:end].mean()) * (values[start:stop] - height)
                - (across[last] - across[start:stop]) * (ahead - height)
            )
            kept.append(start + int(np.where(np.isnan(areas), -1.0, areas).argmax()))
    return np.array([*kept, len(values) - 1])


METHODS: Final[Mapping[str, Callable[[np.ndarray, np.ndarray, int], np.ndarray]]] = {
    "minmax": minmax,
    "lttb": lttb,
}
"""Name → function."""


def _edges(count: int, stretches: int) -> list[int]:
    """Return where equal stretches of all points but the ends begin, and where the last stops."""
    inner = count - 2
    return [1 + inner * at // stretches for at in range(stretches + 1)]


def doubles(values: np.ndarray) -> np.ndarray:
    """Return values as doubles, the nearest where they have none of their own."""
    import numpy as np

    if values.dtype != object:
        return values.astype(np.float64)
    from .summaries import double

    return np.array([double(value) for value in values], np.float64)
