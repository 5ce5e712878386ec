"""Filters and sorts compiled to SQL: bound values, known names, one order each time."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql import operators

from ..exceptions import FilterError, UsageError, did_you_mean
from ..filters import (
    And,
    Comparison,
    Contains,
    Expression,
    In,
    IsNone,
    Like,
    Name,
    Not,
    Or,
    parse_name,
)
from . import schema as s
from .base import KINDS, Order
from .measured import metric_readings, name_of
from .operands import Column, Condition, Measured, Named, Operand, Phase, Tags
from .sources import SOURCES

_SIDES: Final = {"params": s.run_params, "metrics": s.run_metrics, "fields": s.run_fields}


Place = tuple[int, list[Any]]
"""Where a page ends: the part of the answer, and the values of the sort keys."""


class Query:
    """Entities of one kind, to be counted or selected.

    Parameters
    ----------
    connection : Connection
        Where to look up which parameters, metrics and fields there are.
    kind : str
        One of :data:`gosset.storage.base.KINDS`.
    where : Expression, optional

    Raises
    ------
    UsageError
        An unknown kind.
    FilterError
        An unknown name, or a comparison without a meaning.
    """

    def __init__(
        self, connection: sa.Connection, kind: str, where: Expression | None = None
    ) -> None:
        if kind not in SOURCES:
            raise UsageError(f"nothing of the kind {kind!r}", hint=did_you_mean(kind, KINDS))
        self._connection = connection
        self._kind = kind
        self._source = SOURCES[kind]
        self._used: set[str] = set()
        self._conditions = [] if where is None else [self._condition(where)]

    def count(self) -> int:
        """Return how many there are."""
        source = self._source.joined(self._used)
        statement = sa.select(sa.func.count()).select_from(source).where(*self._conditions)
        return int(self._connection.execute(statement).scalar_one())

    def rows(
        self,
        order: Sequence[Order] = (),
        limit: int | None = None,
        offset: int = 0,
        columns: Sequence[sa.ColumnElement[Any]] | None = None,
    ) -> list[sa.Row[Any]]:
        """Return `columns` of each, by default ``source.selected``, in order.

        The answer comes in parts, e.g. first those that have the metric, read along an
        index, then those that have not: so that a few of many need no sort of all.
        """
        phases, tail = self._parts(order)
        found: list[sa.Row[Any]] = []
        for phase in phases:
            missing = None if limit is None else limit - len(found)
            if missing is not None and missing <= 0:
                break
            statement = self._part(phase, columns or self._source.selected)
            statement = statement.order_by(*self._sorted(phase, tail)).limit(missing)
            rows = self._connection.execute(statement.offset(offset or None)).all()
            found.extend(rows)
            if offset and phase is not phases[-1]:
                offset = 0 if rows else offset - self._size(phase)
        return found

    def page(
        self, order: Sequence[Order], limit: int, after: Place | None
    ) -> tuple[list[int], Place | None]:
        """Return the primary keys of the next few behind a place, and the place they end at.

        The place is that of the last one: its values of all sort keys. What is added or
        deleted meanwhile neither repeats nor hides another. None: there is no more.
        """
        phases, tail = self._parts(order)
        start, values = after or (0, None)
        found: list[int] = []
        for number, phase in enumerate(phases[start:], start):
            sort = self._sorted(phase, tail)
            keys = [_bare(key) for key in sort]
            statement = self._part(phase, [*self._source.selected, *(key for key, _ in keys)])
            if values is not None:
                statement = statement.where(_behind(keys, values))
            missing = limit - len(found)
            statement = statement.order_by(*sort).limit(missing)
            rows = self._connection.execute(statement).all()
            found += [row[0] for row in rows]
            if len(rows) == missing:
                return found, (number, list(rows[-1][1:]))
            values = None
        return found, None

    def column(self, name: Name) -> sa.ColumnElement[Any]:
        """Return a column of the entity or its parents by its name in filters."""
        operand = self._operand(name)
        if not isinstance(operand, Column):
            raise self._unknown(name)
        return operand.column

    def check(self, order: Sequence[Order]) -> None:
        """Raise FilterError where a term names nothing."""
        self._parts(order)

    def _parts(self, order: Sequence[Order]) -> tuple[list[Phase], list[sa.ColumnElement[Any]]]:
        terms = [(self._operand(parse_name(term.name)), term.descending) for term in order]
        tail = [key for operand, descending in terms[1:] for key in operand.keys(descending)]
        return (terms[0][0].phases(terms[0][1]) if terms else [Phase()]), tail

    def _sorted(
        self, phase: Phase, tail: list[sa.ColumnElement[Any]]
    ) -> list[sa.ColumnElement[Any]]:
        if phase.table is not None and tail:
            # Further terms come before the tie-break by the run.
            return [*phase.keys[:-1], *tail, *self._source.order]
        if phase.table is not None:
            return list(phase.keys)
        return [*phase.keys, *tail, *self._source.order]

    def _part(self, phase: Phase, columns: Sequence[Any]) -> sa.Select[Any]:
        table = self._source.joined(self._used)
        if phase.table is not None:
            table = phase.table.join(table, phase.on)
        conditions = [*self._conditions, *([] if phase.where is None else [phase.where])]
        return sa.select(*columns).select_from(table).where(*conditions)

    def _size(self, phase: Phase) -> int:
        statement = self._part(phase, [sa.func.count()])
        return int(self._connection.execute(statement).scalar_one())

    def _condition(self, expression: Expression) -> Condition:
        match expression:
            case And(terms):
                return sa.and_(*map(self._condition, terms))
            case Or(terms):
                return sa.or_(*map(self._condition, terms))
            case Not(term):
                return _contrary(self._condition(term))
            case Comparison(name, "!=", value):
                return _contrary(self._operand(name).compare("==", value))
            case Comparison(name, symbol, value):
                return self._operand(name).compare(symbol, value)
            case In(name, values):
                return self._operand(name).one_of(values)
            case Contains(name, value):
                return self._operand(name).contains(value)
            case Like(name, pattern, folded):
                dialect = self._connection.dialect.name
                return self._operand(name).like(pattern, folded, dialect)
            case IsNone(name):
                return self._operand(name).missing()
        raise FilterError(f"a filter has no {type(expression).__name__}")

    def _operand(self, name: Name) -> Operand:
        if self._kind == "runs":
            if name.parts == ("tags",):
                return Tags()
            if name.head in _SIDES and len(name.parts) > 1:
                return self._side(name)
        if len(name.parts) > 1 or name.head not in self._source.columns:
            raise self._unknown(name)
        self._used.add(name.head)
        choices = s.CHOICES.get(f"{self._kind}.{name.head}") or s.CHOICES.get(name.head, ())
        return Column(name, self._source.columns[name.head], choices)

    def _side(self, name: Name) -> Operand:
        table = _SIDES[name.head]
        if name.head == "metrics":
            for key, part in metric_readings(name):
                if self._occurs(table, key):
                    return Measured(name, key, part)
        elif self._occurs(table, name.rest):
            return Named(name, table, name.rest)
        if self._connection.execute(sa.select(s.runs.c.pk).limit(1)).first():
            raise self._unknown(name)
        return (
            Named(name, table, name.rest) if name.head != "metrics" else Measured(name, name.rest)
        )

    def _occurs(self, table: sa.Table, key: str) -> bool:
        statement = sa.select(table.c.run).where(table.c.name == key).limit(1)
        return self._connection.execute(statement).first() is not None

    def _unknown(self, name: Name) -> FilterError:
        known = names(self._connection, self._kind)
        # A metric or parameter without its prefix is the commonest slip.
        meant = [k for k in known if k.partition(".")[2] == str(name)]
        hint = did_you_mean(str(name), known)
        if not meant and self._kind == "runs" and name.head in _SIDES and name.rest:
            # By what stands behind the prefix, which all of them have alike.
            known = [k for k in known if k.startswith(f"{name.head}.")]
            ends = {k.partition(".")[2]: k for k in known}
            meant = [ends[end] for end in difflib.get_close_matches(name.rest, ends, n=1)]
            hint = did_you_mean("", known) or f"no run has any {name.head}"
        if meant:
            hint = f"did you mean {meant[0]!r}?"
        return FilterError(f"{self._kind} have no {str(name)!r}", hint=hint)


def _bare(key: sa.ColumnElement[Any]) -> tuple[sa.ColumnElement[Any], bool]:
    """Return what a sort key sorts by, and whether the largest come first."""
    if isinstance(key, sa.UnaryExpression) and key.modifier in (
        operators.desc_op,
        operators.asc_op,
    ):
        return key.element, key.modifier is operators.desc_op
    return key, False


def _behind(keys: Sequence[tuple[sa.ColumnElement[Any], bool]], values: Sequence[Any]) -> Condition:
    """Return the condition of what comes after the place with these values of the keys."""
    later: list[Condition] = []
    equal: list[Condition] = []
    for (key, descending), value in zip(keys, values, strict=True):
        if value is None:
            # A key before this one puts those without a value last: none of them comes later.
            equal.append(key.is_(None))
            continue
        bound = sa.literal(value, key.type)
        later.append(sa.and_(*equal, key < bound if descending else key > bound))
        equal.append(key == bound)
    first, value = keys[0], values[0]
    if value is None:
        return sa.or_(*later)
    # Said once more of the first key alone, which an index can answer.
    bound = sa.literal(value, first[0].type)
    return sa.and_(first[0] <= bound if first[1] else first[0] >= bound, sa.or_(*later))


def _contrary(condition: Condition) -> Condition:
    # What is NULL is not true, so its contrary is.
    return sa.not_(sa.func.coalesce(condition, sa.false()))


def names(connection: sa.Connection, kind: str) -> list[str]:
    """Return the names that filters may use for `kind`, as filters write them."""
    if kind not in SOURCES:
        raise UsageError(f"nothing of the kind {kind!r}", hint=did_you_mean(kind, KINDS))
    result = list(SOURCES[kind].columns)
    if kind == "runs":
        result.append("tags")
        for head, table in _SIDES.items():
            keys = distinct(connection, table.c.name)
            result += [str(name_of(head, key)) for key in keys]
    return result


def distinct(connection: sa.Connection, column: sa.Column[str]) -> list[str]:
    """Return the distinct values of an indexed column, leaping from one to the next."""
    leap = sa.select(sa.func.min(column).label("value")).cte("leap", recursive=True)
    following = sa.select(sa.func.min(column)).where(column > leap.c.value).scalar_subquery()
    leap = leap.union_all(sa.select(following).where(leap.c.value.is_not(None)))
    found = connection.execute(sa.select(leap.c.value).where(leap.c.value.is_not(None)))
    return list(found.scalars())
