"""JSON documents to tables: which columns, and how their values read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ..compare import Cell, Table
from ..compare.averages import foremost
from ..compare.tables import NULL, as_cell, rounded
from ..exceptions import UsageError, did_you_mean
from ..filters import METRIC_PARTS, parse_name
from ..results.summary import seconds
from .rendering import size

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "projects": ("name", "description", "created"),
    "experiments": ("project", "name", "description", "created"),
    "executions": ("project", "experiment", "number", "fingerprint", "created"),
    "launches": (
        "project", "experiment", "number", "execution", "status", "notes", "started", "duration",
    ),
    "runs": ("name", "status", "launch", "seed", "params", "metrics", "started", "duration"),
    "computations": ("run", "stage", "fold", "status", "wall", "memory", "started", "id"),
    "datasets": ("name", "version", "rows", "targets", "digest", "source", "created"),
    "artifacts": ("digest", "format", "size", "references"),
    "metrics": ("name", "direction", "runs", "minimum", "mean", "maximum"),
    "cache": ("stage", "key", "size", "wall", "created", "evicted"),
}  # fmt: skip
"""Kind → what people are shown of it unless they say."""

_OPEN = ("params", "metrics", "metrics_std", "fields")
"""Names that hold several values each, and become one column for each of them."""

_SERIES = "metrics_series"
"""Holds what is kept ready of series: there to be asked for, as ``metrics.loss.min``."""

_OPENED = tuple(f"{name}." for name in _OPEN)

_DISPENSABLE = ("duration", "started")
"""Columns that a narrow terminal can do without."""

_SCORES = ("minimum", "mean", "maximum")
"""Names of measured numbers, beside those that begin with ``metrics``."""

_MEASURED = ("metrics.", "metrics_std.", "metrics_series.")

_TIMES = ("created", "started", "ended", "heartbeat")


def tabulate(
    kind: str,
    documents: Sequence[Mapping[str, Any]],
    columns: Sequence[str] | None = None,
    known: Iterable[str] = (),
    *,
    for_people: bool = True,
) -> Table:
    """Return documents of one kind as a table.

    Parameters
    ----------
    columns : sequence of str, optional
        Names as filters write them, e.g. ``params.SVC.C``.
    known : iterable of str
        Names that the store knows beside those in `documents`.
    for_people : bool
        Show the usual columns, with times and sizes as people read them; else everything,
        as it is. People are told the project of runs only where they are of several.

    Raises
    ------
    UsageError
        A column that nothing of this kind has.
    """
    rows = [_flat(document) for document in documents]
    keys: list[str] = []
    if columns is None and not rows:
        columns = [name for name in COLUMNS[kind] if name not in _OPEN]
    elif columns is None:
        columns = _usual(kind, rows) if for_people else _names(rows)
    else:
        keys = _keys(columns, rows, known)
        plain = [_plain(column) for column in columns]
        # Where backticks tell two columns apart, they stay.
        columns = [p if plain.count(p) == 1 else c for p, c in zip(plain, columns, strict=True)]
    told = _told if for_people else _given
    keys = keys or list(columns)
    return Table(tuple(columns), tuple(tuple(told(key, row) for key in keys) for row in rows))


def fitted(table: Table, width: int) -> tuple[Table, list[str]]:
    """Return a table that is no wider than `width`, where that can be, and what it hides.

    Hidden are parameters, metrics and fields that not every row has, those with the fewest
    values first, and then times. Other columns are never hidden, however wide they are.

    Examples
    --------
    >>> table = Table(("name", "params.k", "params.C"), (("e#1", 1, None), ("f#1", 2, 0.5)))
    >>> narrow, hidden = fitted(table, 20)
    >>> narrow.columns, hidden
    (('name', 'params.k'), ['params.C'])
    """
    lines = [table.headers(), *table.shown()]
    widths = {
        name: max(len(line[position]) for line in lines) + 2
        for position, name in enumerate(table.columns)
    }
    gaps = {
        name: sum(row[position] is None for row in table.rows)
        for position, name in enumerate(table.columns)
        if name.startswith(_OPENED)
    }
    sparse = sorted((name for name in gaps if gaps[name]), key=lambda name: -gaps[name])
    wide = sum(widths.values()) - 2
    hidden: set[str] = set()
    for name in [*sparse, *(name for name in _DISPENSABLE if name in widths)]:
        if wide <= width:
            break
        wide -= widths.pop(name)
        hidden.add(name)
    kept = [position for position, name in enumerate(table.columns) if name in widths]
    rows = tuple(tuple(row[position] for position in kept) for row in table.rows)
    narrow = Table(tuple(table.columns[position] for position in kept), rows)
    return narrow, [name for name in table.columns if name in hidden]


def _flat(document: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in document.items():
        if name in _OPEN and isinstance(value, Mapping):
            flat |= {f"{name}.{key}": inner for key, inner in value.items()}
        elif name == _SERIES:
            for key, kept in value.items():
                flat |= {f"{_SERIES}.{key}.{part}": inner for part, inner in kept.items()}
        else:
            flat[name] = value
    return flat


def _usual(kind: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    names = _names(rows)
    several = kind == "runs" and len({row["project"] for row in rows}) > 1
    chosen = ["project"] if several else []
    for column in COLUMNS[kind]:
        if column not in _OPEN:
            chosen.append(column)
            continue
        inner = [n for n in names if n.startswith(f"{column}.")]
        if column == "metrics":
            # Beside scores of the test part, others are there to be asked for.
            inner = foremost(inner)
        chosen += inner
    return chosen


def _names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    names = dict.fromkeys(name for row in rows for name in row)
    return [name for name in names if not name.startswith(f"{_SERIES}.")]


def _keys(
    columns: Sequence[str], rows: Sequence[Mapping[str, Any]], known: Iterable[str]
) -> list[str]:
    """Return for each column the key of its values in the rows."""
    names = {name for row in rows for name in row} | {_plain(name) for name in known}
    return [_checked(column, names, empty=not rows) for column in columns]


def _plain(column: str) -> str:
    """Return the name of a column without the backticks that filters need."""
    parsed = parse_name(column)
    return f"{parsed.head}.{parsed.rest}" if parsed.rest else parsed.head


def _checked(column: str, names: Collection[str], *, empty: bool) -> str:
    parsed = parse_name(column)
    *inner, part = parsed.parts[1:] or ("",)
    metric = ".".join(inner)
    if parsed.head == "metrics" and part in METRIC_PARTS and f"metrics.{metric}" in names:
        # As in filters: in backticks, `loss.min` is the name of a metric.
        ready = {"last": f"metrics.{metric}", "std": f"metrics_std.{metric}"}
        return ready.get(part, f"{_SERIES}.{metric}.{part}")
    name = _plain(column)
    if name in names or (parsed.rest and parsed.head in _OPEN and empty):
        return name
    raise UsageError(f"there is no column {column!r}", hint=did_you_mean(column, names))


def _given(name: str, row: Mapping[str, Any]) -> Cell:
    return as_cell(row.get(name))


def _told(name: str, row: Mapping[str, Any]) -> Cell:
    value = row.get(name)
    if value is None and name in row and name.startswith(("params.", "fields.")):
        return NULL
    return humane(name, value)


def humane(name: str, value: Any) -> Cell:
    """Return the value of a column as people read it: times, sizes and scores by its name."""
    if value is None or isinstance(value, bool):
        return value
    if name in _TIMES and isinstance(value, str):
        return f"{datetime.fromisoformat(value).astimezone():%Y-%m-%d %H:%M:%S}"
    if name in ("duration", "wall", "cpu") and isinstance(value, int | float):
        return seconds(value)
    if name in ("size", "memory") and isinstance(value, int | float):
        return size(value)
    if isinstance(value, float) and (name in _SCORES or name.startswith(_MEASURED)):
        return rounded(value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return as_cell(value)
