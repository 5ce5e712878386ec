"""Series of runs as arrays and frames, in the order in which they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from ..entities import Run
from ..exceptions import NotFoundError, did_you_mean, require
from ..series import Chunk
from ..series.chunks import arrays
from ..series.downsampling import chosen
from ..storage.base import Catalog
from ..storage.numbers import EXACT

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


class Series:
    """The points of one metric of one run, sorted by step, then by time.

    Attributes
    ----------
    run : str
        Id of the run.
    name : str
        Of the metric.
    steps : ndarray of int64, shape (n,)
    values : ndarray, shape (n,)
        Of float64, int64, uint64 or bool, as they were logged; of objects where they are of
        several types.
    times : ndarray of datetime64[us], shape (n,)
        In UTC.
    """

    __slots__ = ("name", "run", "steps", "times", "values")

    def __init__(
        self, run: str, name: str, steps: np.ndarray, values: np.ndarray, times: np.ndarray
    ) -> None:
        self.run = run
        self.name = name
        self.steps = steps
        self.values = values
        self.times = times

    @classmethod
    def of(cls, run: str, name: str, chunks: Sequence[Chunk]) -> Series:
        """Return the points of chunks, in order."""
        steps, values, times = arrays(chunks)
        if _is_sorted(steps, times):
            return cls(run, name, steps, values, times)
        import numpy as np

        order = np.lexsort((times, steps))  # stable: of equals, what was logged first
        return cls(run, name, steps[order], values[order], times[order])

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return f"<series {self.name}: {len(self)} points>"

    def downsample(self, points: int, method: str = "minmax") -> Series:
        """Return at most so many of the points, those that draw the same line.

        Parameters
        ----------
        points : int
            At least 4. Both ends are among them.
        method : {"minmax", "lttb"}
            ``"minmax"`` keeps the lowest and the highest of each stretch, so that no peak is
            lost; ``"lttb"`` those that span the largest triangles.

        Raises
        ------
        UsageError
            Another method, or too few points.
        """
        at = chosen(self.steps, self.values, points, method)
        return Series(self.run, self.name, self.steps[at], self.values[at], self.times[at])

    def to_pandas(self) -> pd.DataFrame:
        """Return a DataFrame with the columns ``step``, ``value`` and ``time``.

        Raises
        ------
        MissingExtraError
            pandas is not installed.
        """
        require("pandas", "frames", "a series as a DataFrame")
        import pandas as pd

        times = pd.Series(self.times).dt.tz_localize("UTC")
        return pd.DataFrame({"step": self.steps, "value": self.values, "time": times})


def _is_sorted(steps: np.ndarray, times: np.ndarray) -> bool:
    rise = steps[1:] - steps[:-1]
    if (rise > 0).all():
        return True
    return bool((rise >= 0).all() and (times[1:] >= times[:-1])[rise == 0].all())


@overload
def read_series(  # type: ignore[overload-overlap]  # a str is one name, if a sequence too
    catalog: Catalog, run: Run, names: str
) -> Series: ...
@overload
def read_series(catalog: Catalog, run: Run, names: Sequence[str] | None) -> dict[str, Series]: ...


def read_series(
    catalog: Catalog, run: Run, names: str | Sequence[str] | None
) -> Series | dict[str, Series]:
    """Return one series of a run by its name; several, or all, by a mapping of their names.

    Raises
    ------
    NotFoundError
        The run has no such series.
    """
    wanted = [names] if isinstance(names, str) else names
    found = catalog.series(run.id, wanted)
    for name in wanted or ():
        if name not in found:
            known = [metric.name for metric in run.metrics.values() if metric.series is not None]
            raise NotFoundError(
                f"run {run.name} has no series {name!r}", hint=did_you_mean(name, known)
            )
    ordered = found if wanted is None else {name: found[name] for name in wanted}
    series = {name: Series.of(run.id, name, chunks) for name, chunks in ordered.items()}
    return series[names] if isinstance(names, str) else series


def series_frame(catalog: Catalog, ids: Sequence[str], names: Sequence[str] | None) -> pd.DataFrame:
    """Return the points of series of several runs, one row each.

    Returns
    -------
    DataFrame
        Columns ``run`` (the id), ``name``, ``step``, ``value`` and ``time``. A run without
        one of the series has no rows of it.
    """
    require("pandas", "frames", "series as a DataFrame")
    import numpy as np
    import pandas as pd

    found = [
        Series.of(id_, name, chunks)
        for id_, of_run in catalog.series_of(ids, names).items()
        for name, chunks in of_run.items()
    ]
    if not found:
        return pd.DataFrame(columns=["run", "name", "step", "value", "time"])
    lengths = [len(series) for series in found]
    times = pd.Series(np.concatenate([series.times for series in found]))
    return pd.DataFrame(
        {
            "run": pd.Series([series.run for series in found]).repeat(lengths).array,
            "name": pd.Series([series.name for series in found]).repeat(lengths).array,
            "step": np.concatenate([series.steps for series in found]),
            "value": _values(found),
            "time": times.dt.tz_localize("UTC").array,
        }
    )


def _values(found: Sequence[Series]) -> np.ndarray:
    """Return the values of all series in one array: doubles where they all are, exactly."""
    import numpy as np

    parts = [series.values for series in found]
    if len({part.dtype for part in parts}) > 1 and not all(map(_are_doubles, parts)):
        parts = [part.astype(object) for part in parts]
    return np.concatenate(parts)


def _are_doubles(values: np.ndarray) -> bool:
    kind = values.dtype.kind
    return kind == "f" or (kind in "iu" and bool((abs(values.astype(float)) < EXACT).all()))
