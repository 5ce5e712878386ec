"""Runs that a filter chooses: read when they are needed, in the form that is needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from ..compare import summary_table
from ..entities import Run
from ..filters import Expression
from ..storage.base import Catalog, Order, Page
from . import frames, pages
from .series import series_frame

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_PAGE = 1000
"""Runs that are read at once where all are wanted, one after another."""


@dataclass(frozen=True, eq=False)
class Runs(Sequence[Run]):
    """Runs of a store, newest first unless ordered otherwise. Made by :meth:`Store.runs`.

    Nothing is read before it is needed, nothing is left out, and the store is asked anew each
    time: runs that come meanwhile are in the next answer. :meth:`to_list` holds them fast.

    Attributes
    ----------
    catalog : Catalog
    where : Expression or None
        Which runs.
    order : tuple of Order
    columns : tuple of str or None
        What frames and files have of each; None: everything.
    limit : int or None
        At most so many.
    offset : int
        So many are left out, from the first.

    Examples
    --------
    >>> from gosset.storage import open_catalog
    >>> Runs(open_catalog("memory://"))
    <0 runs of memory://>
    """

    catalog: Catalog
    where: Expression | None = None
    order: tuple[Order, ...] = ()
    columns: tuple[str, ...] | None = None
    limit: int | None = None
    offset: int = 0

    # -- one after another

    def __len__(self) -> int:
        count = max(self.catalog.count("runs", where=self.where) - self.offset, 0)
        return count if self.limit is None else min(count, self.limit)

    def __bool__(self) -> bool:
        return bool(replace(self, limit=1 if self.limit is None else min(self.limit, 1)).to_list())

    def __iter__(self) -> Iterator[Run]:
        stop = None if self.limit is None else self.offset + self.limit
        return islice(self._all(stop), self.offset, stop)

    def _all(self, stop: int | None) -> Iterator[Run]:
        size = _PAGE if stop is None else max(min(_PAGE, stop), 1)
        page: Page | None = None
        while page is None or page.after is not None:
            page = self.page(size, None if page is None else page.after)
            yield from page.runs

    @overload
    def __getitem__(self, at: int) -> Run: ...
    @overload
    def __getitem__(self, at: slice) -> list[Run]: ...

    def __getitem__(self, at: int | slice) -> Run | list[Run]:
        if isinstance(at, slice) or at < 0:
            return self.to_list()[at]
        if self.limit is not None and at >= self.limit:
            raise IndexError(f"there are at most {self.limit} runs")
        found = replace(self, offset=self.offset + at, limit=1).to_list()
        if not found:
            raise IndexError(f"there are no {at + 1} runs")
        return found[0]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Runs | list | tuple):
            return NotImplemented
        return self.to_list() == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        count = len(self)
        return f"<{count} run{'' if count == 1 else 's'} of {self.catalog.url}>"

    def _repr_html_(self) -> str:
        return pages.shown(self)

    def page(self, size: int = 50, after: str | None = None) -> Page:
        """Return the next few runs behind the place where a page ended.

        What is added or deleted meanwhile neither repeats nor hides another run. `limit` and
        `offset` say nothing here.

        Parameters
        ----------
        size : int
        after : str, optional
            :attr:`Page.after` of the page before; by default the first page.

        Raises
        ------
        UsageError
            `after` is of no page.
        """
        return self.catalog.runs_page(where=self.where, order=self.order, limit=size, after=after)

    # -- all at once

    def to_list(self) -> list[Run]:
        """Return the runs as they are now."""
        found: list[Any] = self.catalog.select(
            "runs", where=self.where, order=self.order, limit=self.limit, offset=self.offset
        )
        return found

    def to_pandas(self) -> pd.DataFrame:
        """Return one row for each run.

        Returns
        -------
        DataFrame
            Columns by their names in filters. Where a run has no value the column is of a
            type that can say so (``Int64``, ``Float64``, ``boolean``); values of several
            types are objects; times are in UTC.

        Raises
        ------
        MissingExtraError
            pandas is not installed.
        """
        return frames.to_pandas(self._read())

    def to_arrow(self) -> pa.Table:
        """Return one row for each run as an Arrow table; see :func:`frames.to_arrow`."""
        return frames.to_arrow(self._read())

    def to_parquet(self, path: str | Path) -> Path:
        """Write one row for each run into a Parquet file, and return its path.

        Values of several types under one name, and lists and mappings, become JSON text.
        """
        from .files import write_parquet

        return write_parquet(self.to_arrow(), Path(path))

    def series(self, names: str | Sequence[str] | None = None) -> pd.DataFrame:
        """Return all points of series of the runs, by default of all, one row each.

        Returns
        -------
        DataFrame
            Columns ``run`` (the id), ``name``, ``step``, ``value`` and ``time``.
        """
        wanted = [names] if isinstance(names, str) else names
        ids = replace(self, columns=("id",))._read()["id"].values
        return series_frame(self.catalog, ids.tolist(), wanted)

    def aggregate(self, metrics: Sequence[str] | None = None) -> pd.DataFrame:
        """Return one row for runs that differ in the seed alone.

        Parameters
        ----------
        metrics : sequence of str, optional
            By default every metric of the test part.

        Returns
        -------
        DataFrame
            The parameters that vary, and of each metric its mean over the complete runs
            (``NAME``), its standard deviation (``NAME_std``, ``ddof=1``) and the number of
            values that went into it (``NAME_n``): see :func:`gosset.compare.summary_table`.

        Raises
        ------
        MetricError
            A metric that none of the runs has.
        """
        table = summary_table(self.to_list(), metrics)
        return frames.of_rows(table.columns, table.to_dicts())

    def _read(self) -> dict[str, Any]:
        return self.catalog.runs_columns(
            self.columns, where=self.where, order=self.order, limit=self.limit, offset=self.offset
        )
