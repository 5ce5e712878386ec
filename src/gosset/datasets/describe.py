"""Description of a dataset: counts and statistics, column by column."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..entities import Column
from ..exceptions import require
from ..types import JSONValue
from .values import is_frame, is_sparse

if TYPE_CHECKING:
    import pandas as pd

TOP = 5
"""How many of the most frequent values are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSummary:
    """What is in one column.

    Attributes
    ----------
    missing : int
        Cells without a value.
    distinct : int or None
        Different values; not counted for an array that is one column.
    minimum, mean, median, maximum, std : float or None
        Of numbers, missing ones left out; ``std`` with ``ddof=1``.
    top : tuple of (str, int)
        Most frequent values of anything but numbers, and of a coded target by label.
    """

    name: str
    dtype: str
    role: str
    unit: str
    missing: int
    distinct: int | None
    minimum: float | None = None
    mean: float | None = None
    median: float | None = None
    maximum: float | None = None
    std: float | None = None
    top: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What is in a dataset.

    Attributes
    ----------
    rows : int
    columns : tuple of ColumnSummary
    nodes, edges : int or None
        Of a graph.
    """

    rows: int
    columns: tuple[ColumnSummary, ...]
    nodes: int | None = None
    edges: int | None = None

    def to_dict(self) -> dict[str, JSONValue]:
        """Return the description as JSON values."""
        found = asdict(self)
        found["columns"] = [
            {**column, "top": [list(pair) for pair in column["top"]]} for column in found["columns"]
        ]
        return found

    def __str__(self) -> str:
        lines = [list(_HEADER), *map(list, self._cells())]
        widths = [max(len(line[i]) for line in lines) for i in range(len(_HEADER))]
        table = ("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in lines)
        return "\n".join([self._title(), *(line.rstrip() for line in table)])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in _HEADER)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in line) + "</tr>"
            for line in self._cells()
        )
        return f"<p>{self._title()}</p><table><tr>{head}</tr>{body}</table>"

    def _title(self) -> str:
        counts = [(self.rows, "rows"), (len(self.columns), "columns")]
        counts += [(n, word) for n, word in ((self.nodes, "nodes"), (self.edges, "edges")) if n]
        return ", ".join(f"{count} {word}" for count, word in counts)

    def _cells(self) -> Iterator[tuple[str, ...]]:
        for c in self.columns:
            numbers = (_short(v) for v in (c.minimum, c.mean, c.median, c.maximum, c.std))
            top = ", ".join(f"{value} ({count})" for value, count in c.top)
            distinct = "" if c.distinct is None else str(c.distinct)
            yield c.name, c.dtype, c.role, c.unit, str(c.missing), distinct, *numbers, top


_HEADER = (
    "name", "dtype", "role", "unit", "missing", "distinct",
    "min", "mean", "median", "max", "std", "most frequent",
)  # fmt: skip


def describe(content: Mapping[str, Any], columns: Sequence[Column], rows: int) -> Description:
    """Return counts and statistics of every column of a dataset.

    Parameters
    ----------
    content, columns, rows
        Those of :class:`~gosset.datasets.Data`.

    Examples
    --------
    >>> from gosset.datasets import from_arrays
    >>> data = from_arrays([[1.0], [2.0], [6.0]], ["a", "b", "a"], name="tiny").load()
    >>> print(data.describe())
    3 rows, 2 columns
    name    dtype    role     unit  missing  distinct  min  mean  median  max  std      most frequent
    x0      float64  feature        0        3         1    3     2       6    2.64575
    target  <U1      target         0        2                                          a (2), b (1)
    """
    require("pandas", "frames", "describing a dataset")
    nodes = content.get("nodes")
    return Description(
        rows=rows,
        columns=tuple(_summaries(content, columns)),
        nodes=None if nodes is None else len(nodes),
        edges=None if nodes is None else rows,
    )


def _summaries(content: Mapping[str, Any], columns: Sequence[Column]) -> Iterator[ColumnSummary]:
    if "frame" in content:
        for column in columns:
            yield _summary(column, content["frame"][column.name])
        return
    for role, part in (("feature", "X"), ("target", "y"), ("group", "groups")):
        of_role = [column for column in columns if column.role == role]
        if of_role:
            yield from _of_part(of_role, content[part])


def _of_part(columns: list[Column], values: Any) -> Iterator[ColumnSummary]:
    import pandas as pd

    if is_frame(values):
        yield from (_summary(column, values[column.name]) for column in columns)
    elif is_sparse(values):
        yield from _sparse(columns, values)
    elif values.ndim <= 2 and len(columns) == math.prod(values.shape[1:]):
        table = values.reshape(len(values), -1)
        for position, column in enumerate(columns):
            yield _summary(column, pd.Series(table[:, position], copy=False))
    else:
        yield _summary(columns[0], pd.Series(values.ravel(), copy=False), block=True)


def _sparse(columns: list[Column], values: Any) -> Iterator[ColumnSummary]:
    import pandas as pd

    if len(columns) == values.shape[1]:
        by_column = values.tocsc()
        for position, column in enumerate(columns):
            yield _summary(column, pd.Series(by_column[:, [position]].toarray().ravel()))
        return
    stored = _summary(columns[0], pd.Series(values.data, copy=False), block=True)
    yield ColumnSummary(
        name=stored.name, dtype=stored.dtype, role=stored.role, unit=stored.unit,
        missing=stored.missing, distinct=None,
        minimum=_number(values.min()), mean=_number(values.mean()), maximum=_number(values.max()),
    )  # fmt: skip


def _summary(column: Column, values: pd.Series[Any], *, block: bool = False) -> ColumnSummary:
    import pandas as pd

    shared: dict[str, Any] = {
        "name": column.name,
        "dtype": column.dtype,
        "role": column.role,
        "unit": column.unit,
        "missing": int(values.isna().sum()),
    }
    kind = values.dtype
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind):
        if column.labels:
            shared["top"] = _top(values.map(lambda code: column.labels[int(code)]))
        return ColumnSummary(
            distinct=None if block else int(values.nunique()), **shared, **_statistics(values)
        )
    if pd.api.types.is_object_dtype(kind):
        # Lists and other values that cannot be hashed are told apart by how they read.
        values = values.map(str, na_action="ignore")
    return ColumnSummary(distinct=int(values.nunique()), top=_top(values), **shared)


def _statistics(values: pd.Series[Any]) -> dict[str, Any]:
    if values.dtype.kind == "c":
        return {}
    with np.errstate(all="ignore"):
        return {
            "minimum": _number(values.min()),
            "mean": _number(values.mean()),
            "median": _number(values.median()),
            "maximum": _number(values.max()),
            "std": _number(values.std()),
        }


def _top(values: pd.Series[Any]) -> tuple[tuple[str, int], ...]:
    counts = values.value_counts()
    ordered = sorted(((str(v), int(n)) for v, n in counts.items()), key=lambda p: (-p[1], p[0]))
    return tuple(ordered[:TOP])


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None


def _short(number: float | None) -> str:
    return "" if number is None else f"{number:.6g}"
