"""Runs as columns, straight from the tables: what frames and files are made of.

Entities would cost many times as much, and a table of runs needs none. What is read of each
name are two arrays, its values and where they are missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

from ..exceptions import FilterError, did_you_mean
from ..filters import METRIC_PARTS, Expression, Name, parse_name
from . import schema as s
from .base import Order
from .chunking import CHUNK, chunks
from .compile import Query, distinct, metric_readings, name_of, names
from .operands import metric_part
from .values import decode

if TYPE_CHECKING:
    import numpy as np

FACTS: Final = (
    "id", "number", "name", "project", "experiment", "execution", "launch", "status", "seed",
    "dataset", "tags", "created", "started", "ended",
)  # fmt: skip
"""The columns that come first where none are chosen."""

_DOCUMENTS: Final = ("params", "fields")
_INTEGERS: Final = ("count",)


class Values(NamedTuple):
    """One column: an array, and where it has no value.

    Attributes
    ----------
    values : ndarray, shape (n,)
        Of int64, uint64, float64, bool, ``datetime64[us]`` (UTC), or of objects: text, JSON
        values, or values of several types.
    missing : ndarray of bool, shape (n,), or None
        None where every run has a value. NaN is a value.
    """

    values: np.ndarray
    missing: np.ndarray | None = None


def runs_columns(
    connection: sa.Connection,
    chosen: Sequence[str] | None,
    *,
    where: Expression | None = None,
    order: Sequence[Order] = (),
    limit: int | None = None,
    offset: int = 0,
) -> dict[str, Values]:
    """Return name → column of runs, in the order that was asked for.

    Parameters
    ----------
    chosen : sequence of str, optional
        Names as filters write them; by default all that there is.

    Raises
    ------
    FilterError
        A name that no run has.
    """
    query = Query(connection, "runs", where)
    wanted = _Wanted.of(connection, query, chosen)
    rows = query.rows(order, limit, offset, columns=[s.runs.c.pk, *wanted.columns.values()])
    by_position = list(zip(*rows, strict=True)) or [()] * (1 + len(wanted.columns))
    pks = by_position[0]
    read = dict(zip(wanted.columns, by_position[1:], strict=True))
    found: dict[str, Values] = {}
    for name in wanted.facts:
        found[name] = _fact(name, read[name], wanted.columns[name])
    for head in _DOCUMENTS:
        if head in read:
            found |= _document(head, read[head], wanted.keys[head])
    found |= _metrics(connection, pks, wanted.metrics)
    if chosen is None:
        return found
    for name, meant in wanted.named.items():
        if meant not in found:
            found[meant] = _nothing(len(pks))
        found[name] = found[meant]
    return {name: found[name] for name in wanted.named}


@dataclass
class _Wanted:
    """What is to be read.

    Attributes
    ----------
    named : dict
        Name as it was chosen → name of the column that is meant.
    columns : dict
        Name → column of ``runs`` and its parents.
    keys : dict
        Of documents: which of their values, None for all.
    metrics : list of (key, part), or None
        None: all.
    """

    named: dict[str, str] = field(default_factory=dict)
    facts: list[str] = field(default_factory=list)
    columns: dict[str, sa.ColumnElement[Any]] = field(default_factory=dict)
    keys: dict[str, list[str] | None] = field(default_factory=dict)
    metrics: list[tuple[str, str]] | None = field(default_factory=list)

    @classmethod
    def of(cls, connection: sa.Connection, query: Query, chosen: Sequence[str] | None) -> _Wanted:
        wanted = cls()
        if chosen is None:
            for name in FACTS:
                wanted.add_fact(query, Name((name,)))
            for head in _DOCUMENTS:
                wanted.add_document(head)
            wanted.metrics = None
            return wanted
        known = _Known(connection)
        for name in chosen:
            parsed = parse_name(name)
            wanted.named[name] = wanted.add(query, parsed, known)
        return wanted

    def add(self, query: Query, name: Name, known: _Known) -> str:
        if name.head in _DOCUMENTS and name.rest:
            known.check(name, known.has(name.head, name.rest))
            self.add_document(name.head, name.rest)
            return f"{name.head}.{name.rest}"
        if name.head == "metrics" and name.rest:
            readings = [pair for pair in metric_readings(name) if known.has("metrics", pair[0])]
            known.check(name, bool(readings))
            pair = readings[0] if readings else (name.rest, "last")
            assert self.metrics is not None
            self.metrics.append(pair)
            return _metric_name(*pair)
        self.add_fact(query, name)
        return str(name)

    def add_fact(self, query: Query, name: Name) -> None:
        column = s.runs.c.tags if name.parts == ("tags",) else query.column(name)
        if isinstance(column.type, s.Time):
            # As numbers: a table of 100 000 runs has no need of as many objects.
            column = s.microseconds(column)
        self.columns[str(name)] = column
        self.facts.append(str(name))

    def add_document(self, head: str, key: str | None = None) -> None:
        self.columns[head] = s.runs.c[head]
        keys = self.keys.setdefault(head, [])
        if key is None:
            self.keys[head] = None
        elif keys is not None:
            keys.append(key)


class _Known:
    """Which names occur in the store; those of an empty one may be anything."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def has(self, head: str, key: str) -> bool:
        table = {"params": s.run_params, "fields": s.run_fields, "metrics": s.run_metrics}[head]
        statement = sa.select(table.c.run).where(table.c.name == key).limit(1)
        return self._connection.execute(statement).first() is not None

    def check(self, name: Name, found: bool) -> None:
        some = sa.select(s.runs.c.pk).limit(1)
        if not found and self._connection.execute(some).first() is not None:
            hint = did_you_mean(str(name), names(self._connection, "runs"))
            raise FilterError(f"runs have no {str(name)!r}", hint=hint)


# -- facts and documents


def _fact(name: str, values: Sequence[Any], column: sa.ColumnElement[Any]) -> Values:
    import numpy as np

    if isinstance(column.type, s.Microseconds | sa.Integer):
        missing = np.array([value is None for value in values], bool)
        filled = np.array([0 if value is None else value for value in values], np.int64)
        if isinstance(column.type, s.Microseconds):
            filled = filled.astype("datetime64[us]")
        return Values(filled, missing if missing.any() else None)
    if name == "tags":
        return array_of(_decoded(values))
    return array_of(values)


def _document(head: str, texts: Sequence[str], keys: list[str] | None) -> dict[str, Values]:
    documents = _decoded(texts)
    if keys is None:
        keys = list(dict.fromkeys(key for document in documents for key in document))
    return {
        f"{head}.{key}": array_of([document.get(key) for document in documents])
        for key in dict.fromkeys(keys)
    }


def _decoded(texts: Sequence[str]) -> list[Any]:
    found: list[Any] = decode(f"[{','.join(texts)}]")
    return found


def array_of(values: Sequence[Any]) -> Values:
    """Return Python's values as a column: of numbers where all are of one type, or exact as such.

    Examples
    --------
    >>> array_of([1, None, 3]).values.dtype, array_of([1, 0.5]).values.dtype
    (dtype('int64'), dtype('float64'))
    >>> array_of([1, "a", True]).values.tolist()
    [1, 'a', True]
    """
    import numpy as np

    types = set(map(type, values))
    missing = None
    if type(None) in types:
        missing = np.array([value is None for value in values], bool)
        types.discard(type(None))
    dtype = _dtype(types, values)
    if dtype is None:
        found = np.empty(len(values), object)
        found[:] = values
        return Values(found, missing)
    given = values if missing is None else [0 if value is None else value for value in values]
    return Values(np.array(given, dtype), missing)


def _dtype(types: set[type], values: Sequence[Any]) -> str | None:
    """Return the type of an array that has these values exactly; None: objects."""
    if types == {bool}:
        return "?"
    if types == {float}:
        return "f8"
    if types == {int}:
        numbers = [value for value in values if value is not None]
        low, high = min(numbers), max(numbers)
        if low >= -(2**63) and high < 2**63:
            return "i8"
        return "u8" if low >= 0 and high < 2**64 else None
    if types == {int, float} and all(abs(value) <= 2**53 for value in values if type(value) is int):
        return "f8"
    return None


def _nothing(count: int) -> Values:
    import numpy as np

    return Values(np.full(count, np.nan), np.ones(count, bool))


# -- metrics


def _metrics(
    connection: sa.Connection,
    pks: Sequence[int],
    wanted: Iterable[tuple[str, str]] | None,
) -> dict[str, Values]:
    """Return the columns of metrics: of few runs by run, of many by metric."""
    pairs = None if wanted is None else list(dict.fromkeys(wanted))
    if not pks or pairs == []:
        return {}
    if len(pks) <= CHUNK:
        return _metrics_by_run(connection, pks, pairs)
    if pairs is None:
        keys = distinct(connection, s.run_metrics.c.name)
        spread = set(connection.execute(_SPREAD).scalars())
        parts = [(key, part) for key in keys for part in ("last", "std")]
        pairs = [(key, part) for key, part in parts if part == "last" or key in spread]
    places = _Places(pks)
    exact = _exact(connection, places, {key for key, part in pairs if part == "last"})
    found = {}
    for key, part in pairs:
        values = _by_name(connection, places, key, part, exact.get(key))
        if values is not None:
            found[_metric_name(key, part)] = values
    return found


_m = s.run_metrics.c
# Read along the table itself: the index of the names would be left again for each row.
_UNINDEXED = _m.name.concat("")
_SPREAD = sa.select(_UNINDEXED).where(_m.std.is_not(None)).group_by(_UNINDEXED)


def _metrics_by_run(
    connection: sa.Connection, pks: Sequence[int], pairs: list[tuple[str, str]] | None
) -> dict[str, Values]:
    positions = {pk: position for position, pk in enumerate(pks)}
    parts = ["last", "std"] if pairs is None else list(dict.fromkeys(part for _, part in pairs))
    columns = [metric_part(part) for part in parts]
    cells: dict[tuple[str, str], list[Any]] = {}
    for chunk in chunks(pks):
        statement = sa.select(_m.run, _m.name, _m.whole, *columns).where(_m.run.in_(chunk))
        if pairs is not None and len(pairs) <= CHUNK:
            statement = statement.where(_m.name.in_({key for key, _ in pairs}))
        for run, key, whole, *values in connection.execute(statement):
            for part, value in zip(parts, values, strict=True):
                if part == "last":
                    value = decode(whole) if whole is not None else value
                    value = float("nan") if value is None else value
                elif value is None:
                    continue
                at = (key, part)
                if at not in cells:
                    cells[at] = [None] * len(pks)
                cells[at][positions[run]] = value
    chosen = sorted(cells, key=lambda at: (at[0], METRIC_PARTS.index(at[1])))
    return {
        _metric_name(*pair): array_of(cells[pair])
        for pair in (chosen if pairs is None else pairs)
        if pair in cells
    }


class _Places:
    """Where each run stands among those that were asked for."""

    def __init__(self, pks: Sequence[int]) -> None:
        import numpy as np

        self.count = len(pks)
        given = np.array(pks, np.int64)
        # One place for each key there is, and a last one for all those above.
        self._places = np.full(int(given.max()) + 2, -1)
        self._places[given] = np.arange(self.count)

    def of(self, runs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions of those that are among them, and which these are."""
        places = self._places[runs.clip(max=len(self._places) - 1)]
        known = places >= 0
        return places[known], known


def _by_name(
    connection: sa.Connection,
    places: _Places,
    key: str,
    part: str,
    exact: Mapping[int, Any] | None,
) -> Values | None:
    import numpy as np

    column = metric_part(part)
    condition = [_m.name == key, column.is_not(None)]
    runs, numbers = _pairs(connection, column, condition)
    at, known = places.of(runs)
    values = np.full(places.count, np.nan)
    there = np.zeros(places.count, bool)
    values[at], there[at] = numbers[known], True
    if exact:
        there[list(exact)] = True
        if any(type(value) is not float for value in exact.values()):
            mixed = values.astype(object)
            mixed[~there] = None
            mixed[list(exact)] = list(exact.values())
            return array_of(mixed.tolist())
        values[list(exact)] = list(exact.values())
    if not there.any():
        return None
    missing = None if there.all() else ~there
    return Values(values.astype(np.int64) if part in _INTEGERS else values, missing)


def _exact(connection: sa.Connection, places: _Places, keys: set[str]) -> dict[str, dict[int, Any]]:
    """Return key → position → value, of what a column of doubles does not give back."""
    import numpy as np

    statement = sa.select(_m.name, _m.run, _m.whole).where(_m.whole.is_not(None))
    if len(keys) <= CHUNK:
        statement = statement.where(_UNINDEXED.in_(keys))
    rows = connection.execute(statement).all()
    if not rows:
        return {}
    at, known = places.of(np.array([row[1] for row in rows], np.int64))
    values = _decoded([row[2] for row in rows])
    kept = [index for index, is_known in enumerate(known.tolist()) if is_known]
    found: dict[str, dict[int, Any]] = {}
    for index, position in zip(kept, at.tolist(), strict=True):
        found.setdefault(rows[index][0], {})[position] = values[index]
    return found


def _pairs(
    connection: sa.Connection,
    column: sa.ColumnElement[Any],
    conditions: Sequence[sa.ColumnElement[bool]],
) -> tuple[np.ndarray, np.ndarray]:
    """Return the runs that have a value of a column, and it, without an object for each."""
    import numpy as np

    if connection.dialect.name == "postgresql":
        empty = sa.literal(b"", sa.LargeBinary)
        packed = [
            sa.func.string_agg(send, empty)
            for send in (
                sa.func.int8send(_m.run),
                sa.func.float8send(sa.cast(column, sa.Double)),
            )
        ]
        runs, numbers = connection.execute(sa.select(*packed).where(*conditions)).one()
        return np.frombuffer(runs or b"", ">i8"), np.frombuffer(numbers or b"", ">f8")
    with connection.execute(sa.select(_m.run, column).where(*conditions)) as result:
        cursor: Any = result.cursor  # the driver's own rows
        found = np.fromiter(cursor, dtype=[("run", "i8"), ("value", "f8")])
    return found["run"], found["value"]


def _metric_name(key: str, part: str) -> str:
    name = str(name_of("metrics", key))
    return name if part == "last" else f"{name}.{part}"
