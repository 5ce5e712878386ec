"""What a name in a filter stands for, as conditions and sort keys of SQL.

There are four sorts: a column, a named value of runs (parameters and fields), a metric of
runs, and the tags of runs. Every value is bound; no name or value becomes part of the SQL.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn, Protocol, TypeGuard

import sqlalchemy as sa

from ..exceptions import FilterError, did_you_mean
from ..filters import Name, Value
from . import schema as s
from .measured import PARTS
from .numbers import EXACT, as_double
from .values import HEAD_LENGTH

Condition = sa.ColumnElement[bool]

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, eq=False)
class Phase:
    """One part of a sorted answer; the parts follow each other.

    Attributes
    ----------
    where : Condition or None
        Which entities are in this part.
    keys : tuple
        What they are sorted by.
    table : FromClause or None
        Further table to join, by `on`.
    """

    where: Condition | None = None
    keys: tuple[sa.ColumnElement[Any], ...] = ()
    table: sa.FromClause | None = None
    on: Condition | None = None


class Operand(Protocol):
    """What a name stands for. Conditions may be NULL where they are not true."""

    def compare(self, symbol: str, value: bool | int | float | str) -> Condition:
        """Return ``name symbol value``; `symbol` is never ``!=``."""
        ...

    def one_of(self, values: Sequence[Value]) -> Condition:
        """Return ``name in (values)``."""
        ...

    def like(self, pattern: str, folded: bool, dialect: str) -> Condition:
        """Return ``name like pattern``."""
        ...

    def missing(self) -> Condition:
        """Return ``name is None``."""
        ...

    def contains(self, value: Value) -> Condition:
        """Return ``value in name``."""
        ...

    def phases(self, descending: bool) -> list[Phase]:
        """Return the parts of an answer sorted by this, missing values last."""
        ...

    def keys(self, descending: bool) -> list[sa.ColumnElement[Any]]:
        """Return sort keys, for a sort in which this is not the first term."""
        ...


def is_number(value: object) -> TypeGuard[float]:
    """Whether a filter's value is a number, which a truth value is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def number(value: float) -> sa.ColumnElement[Any]:
    """Return a number to compare columns with, of a type that does not round it."""
    if isinstance(value, int) and abs(value) < 2**63:
        return sa.literal(value, sa.BigInteger)
    return sa.literal(as_double(value), sa.Double)


def _directed(column: sa.ColumnElement[Any], descending: bool) -> sa.ColumnElement[Any]:
    return column.desc() if descending else column.asc()


def matches(column: sa.ColumnElement[Any], pattern: str, folded: bool, dialect: str) -> Condition:
    """Return whether `column` is like `pattern`, with one meaning on every database."""
    pieces = re.findall(r"\\.|\\$|[^\\]", pattern, re.DOTALL)
    if folded:
        column = sa.func.lower(column)
        pieces = [piece.lower() for piece in pieces]
    plain = [piece[-1] if piece[0] == "\\" else None for piece in pieces]
    if dialect == "sqlite":
        # LIKE of SQLite does not see case; GLOB does, and can use an index.
        wild = {"%": "*", "_": "?"}
        text = "".join(
            f"[{literal or piece}]" if (literal or piece) in ("*", "?", "[")
            else (literal or wild.get(piece, piece))
            for piece, literal in zip(pieces, plain, strict=True)
        )  # fmt: skip
        return column.op("GLOB", is_comparison=True)(sa.literal(text, s.Text))
    text = "".join(
        (re.sub(r"([%_\\])", r"\\\1", literal) if literal else piece)
        for piece, literal in zip(pieces, plain, strict=True)
    )
    return column.like(sa.literal(text, s.Text), escape="\\")


@dataclass(frozen=True, eq=False)
class Column:
    """A column of the entity itself or of a parent."""

    name: Name
    column: sa.ColumnElement[Any]
    choices: tuple[str, ...] = ()

    def compare(self, symbol: str, value: bool | int | float | str) -> Condition:
        bound = self._bound(value)
        if isinstance(value, bool) and symbol != "==":
            return sa.false()
        return _OPERATORS[symbol](self.column, bound)  # type: ignore[no-any-return]

    def _bound(self, value: Value) -> sa.ColumnElement[Any]:
        """Return the value to compare with, which must be of the column's type."""
        kind = self.column.type
        if isinstance(kind, s.Time):
            return sa.literal(self._time(value), s.Time)
        if isinstance(kind, sa.Boolean):
            if not isinstance(value, bool):
                raise _mismatch(self.name, "True or False", value)
            return sa.literal(value, sa.Boolean)
        if isinstance(kind, sa.Integer | sa.Numeric | sa.Float):
            if not is_number(value):
                raise _mismatch(self.name, "a number", value)
            return number(value)
        if not isinstance(value, str):
            raise _mismatch(self.name, "a text", value, hint=f"write it in quotes: '{value}'")
        if self.choices and value not in self.choices:
            raise FilterError(
                f"{self.name} is never {value!r}", hint=did_you_mean(value, self.choices)
            )
        return sa.literal(value, s.Text)

    def _time(self, value: Value) -> datetime:
        try:
            time = datetime.fromisoformat(str(value))
        except ValueError:
            raise FilterError(
                f"{self.name} is a time and cannot be compared with {value!r}",
                hint="write it as '2026-01-31' or '2026-01-31T12:00:00+01:00'",
            ) from None
        return time if time.tzinfo else time.replace(tzinfo=UTC)

    def one_of(self, values: Sequence[Value]) -> Condition:
        found = self.column.in_([self._bound(value) for value in values if value is not None])
        return sa.or_(found, self.missing()) if None in values else found

    def like(self, pattern: str, folded: bool, dialect: str) -> Condition:
        if isinstance(self.column.type, s.Time | sa.Boolean | sa.Integer | sa.Numeric | sa.Float):
            raise FilterError(f"{self.name} is no text", hint="compare it with < and >")
        return matches(self.column, pattern, folded, dialect)

    def missing(self) -> Condition:
        return self.column.is_(None)

    def contains(self, value: Value) -> Condition:
        _not_several(self.name, value)

    def phases(self, descending: bool) -> list[Phase]:
        return [Phase(keys=tuple(self.keys(descending)))]

    def keys(self, descending: bool) -> list[sa.ColumnElement[Any]]:
        directed = _directed(self.column, descending)
        if isinstance(self.column, sa.Column) and not self.column.nullable:
            return [directed]
        return [self.column.is_(None), directed]


def _mismatch(name: Name, kind: str, value: Value, hint: str = "") -> FilterError:
    """Return the error of a value of another type than all that a name stands for."""
    if isinstance(value, str) and not hint:
        hint = f"write {value} without quotes"
    return FilterError(f"{name} is {kind} and cannot be compared with {value!r}", hint=hint)


def _not_several(name: Name, value: Value) -> NoReturn:
    hint = f"use {name} like '%{value}%'" if isinstance(value, str) else ""
    raise FilterError(f"{name} does not hold several values, so nothing is 'in' it", hint=hint)


class _Side:
    """A value of runs in a side table, found by the name of the value."""

    def __init__(self, name: Name, table: sa.Table, key: str) -> None:
        self.name = name
        self.table = table
        self.key = key

    def having(self, *conditions: Condition) -> Condition:
        """Return "the run has such a row" for conditions on the side table."""
        rows = sa.select(self.table.c.run).where(self.table.c.name == self.key, *conditions)
        return s.runs.c.pk.in_(rows)

    def contains(self, value: Value) -> Condition:
        _not_several(self.name, value)

    def parts(self, table: sa.FromClause) -> list[tuple[Condition, sa.ColumnElement[Any]]]:
        """Return, in the order of the answer, the rows that have a column's value, and it."""
        raise NotImplementedError

    def phases(self, descending: bool) -> list[Phase]:
        table = self.table.alias("sorted_by")
        on = sa.and_(table.c.run == s.runs.c.pk, table.c.name == self.key)
        phases = [
            # The run's key as a tie-break makes these the keys of an index, from end to end.
            Phase(
                where, tuple(_directed(key, descending) for key in (column, table.c.run)), table, on
            )
            for where, column in self.parts(table)
        ]
        anything = sa.or_(*(where for where, _ in self.parts(self.table)))
        return [*phases, Phase(sa.not_(self.having(anything)))]

    def keys(self, descending: bool) -> list[sa.ColumnElement[Any]]:
        result: list[sa.ColumnElement[Any]] = []
        table = self.table.alias()
        for where, column in self.parts(table):
            value = (
                sa.select(column)
                .where(table.c.run == s.runs.c.pk, table.c.name == self.key, where)
                .scalar_subquery()
            )
            result += [value.is_(None), _directed(value, descending)]
        return result


class Named(_Side):
    """A parameter or a field of runs, of any type."""

    def compare(self, symbol: str, value: bool | int | float | str) -> Condition:
        return self.having(self._row(symbol, value))

    def _row(self, symbol: str, value: bool | int | float | str) -> Condition:
        row = self.table.c
        if isinstance(value, bool):
            equal = sa.and_(row.whole == str(value).lower(), row.text.is_(None))
            return equal if symbol == "==" else sa.false()
        if isinstance(value, str):
            return self._text(symbol, value)
        compared: Condition = _OPERATORS[symbol](
            row.number, sa.literal(as_double(value), sa.Double)
        )
        if symbol != "==" or abs(value) < EXACT:
            return compared
        # Integers beyond the doubles are told apart by their text.
        double = row.whole.is_(None) if as_double(value) == value else sa.false()
        digits = str(int(value)) if abs(value) != math.inf else ""
        return sa.and_(compared, sa.or_(double, row.whole == digits))

    def _text(self, symbol: str, value: str) -> Condition:
        row = self.table.c
        if symbol != "==":
            return _OPERATORS[symbol](self._whole_text(), value)  # type: ignore[no-any-return]
        head = row.text == value[:HEAD_LENGTH]
        long = len(value) > HEAD_LENGTH
        return sa.and_(head, row.whole == value if long else row.whole.is_(None))

    def _whole_text(self) -> sa.ColumnElement[Any]:
        row = self.table.c
        return sa.case((row.text.is_not(None), sa.func.coalesce(row.whole, row.text)))

    def one_of(self, values: Sequence[Value]) -> Condition:
        row = self.table.c
        numbers = [as_double(v) for v in values if is_number(v) and abs(v) < EXACT]
        texts = [v for v in values if isinstance(v, str) and len(v) <= HEAD_LENGTH]
        others = [
            v
            for v in values
            if (is_number(v) and abs(v) >= EXACT)
            or (isinstance(v, str) and len(v) > HEAD_LENGTH)
            or isinstance(v, bool)
        ]
        rows = [
            row.number.in_(numbers),
            sa.and_(row.text.in_(texts), row.whole.is_(None)),
            *(self._row("==", other) for other in others if other is not None),
        ]
        found = self.having(sa.or_(*rows))
        return sa.or_(found, self.missing()) if None in values else found

    def like(self, pattern: str, folded: bool, dialect: str) -> Condition:
        return self.having(matches(self._whole_text(), pattern, folded, dialect))

    def missing(self) -> Condition:
        row = self.table.c
        some = sa.or_(row.text.is_not(None), row.whole.is_(None), row.whole != "null")
        return sa.not_(self.having(some))

    def parts(self, table: sa.FromClause) -> list[tuple[Condition, sa.ColumnElement[Any]]]:
        row = table.c
        rest = sa.and_(row.number.is_(None), row.text.is_(None), row.whole.not_in(("null", "NaN")))
        return [
            (row.number.is_not(None), row.number),
            (row.text.is_not(None), row.text),
            (rest, row.whole),
        ]


def metric_part(part: str, table: sa.FromClause = s.run_metrics) -> sa.ColumnElement[Any]:
    """Return the column of what is kept ready of a metric; NULL where there is none."""
    column, *divisor = (table.c[name] for name in PARTS[part])
    return column / sa.func.nullif(divisor[0], 0) if divisor else column


class Measured(_Side):
    """A metric of runs, or what else is kept ready of it: see :data:`gosset.filters.METRIC_PARTS`."""

    def __init__(self, name: Name, key: str, part: str = "last") -> None:
        super().__init__(name, s.run_metrics, key)
        self.part = part

    def compare(self, symbol: str, value: bool | int | float | str) -> Condition:
        bound = sa.literal(self._double(value), sa.Double)
        return self.having(_OPERATORS[symbol](metric_part(self.part), bound))

    def one_of(self, values: Sequence[Value]) -> Condition:
        numbers = [self._double(value) for value in values if value is not None]
        found = self.having(metric_part(self.part).in_(numbers))
        return sa.or_(found, self.missing()) if None in values else found

    def _double(self, value: Value) -> float | None:
        if not is_number(value):
            raise _mismatch(self.name, "a number", value)
        return as_double(value)

    def like(self, pattern: str, folded: bool, dialect: str) -> Condition:
        raise FilterError(f"{self.name} is no text", hint="compare it with < and >")

    def missing(self) -> Condition:
        # A metric that is NaN is there; a standard deviation is not, with one fold.
        there = sa.true() if self.part == "last" else metric_part(self.part).is_not(None)
        return sa.not_(self.having(there))

    def parts(self, table: sa.FromClause) -> list[tuple[Condition, sa.ColumnElement[Any]]]:
        column = metric_part(self.part, table)
        return [(column.is_not(None), column)]


class Tags:
    """The tags of runs."""

    name = Name(("tags",))

    def compare(self, symbol: str, value: bool | int | float | str) -> Condition:
        raise self._error()

    def one_of(self, values: Sequence[Value]) -> Condition:
        raise self._error()

    def like(self, pattern: str, folded: bool, dialect: str) -> Condition:
        return self._having(matches(s.run_tags.c.tag, pattern, folded, dialect))

    def missing(self) -> Condition:
        return sa.not_(self._having())

    def contains(self, value: Value) -> Condition:
        return self._having(s.run_tags.c.tag == value) if isinstance(value, str) else sa.false()

    def phases(self, descending: bool) -> list[Phase]:
        raise FilterError("runs cannot be sorted by their tags")

    def keys(self, descending: bool) -> list[sa.ColumnElement[Any]]:
        raise FilterError("runs cannot be sorted by their tags")

    def _having(self, *conditions: Condition) -> Condition:
        return s.runs.c.pk.in_(sa.select(s.run_tags.c.run).where(*conditions))

    def _error(self) -> FilterError:
        return FilterError("tags are several texts", hint="use 'draft' in tags")
