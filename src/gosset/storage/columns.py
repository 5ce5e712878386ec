"""Runs as columns, straight from the tables: what frames and files are made of.

Entities would cost many times as much, and a table of runs needs none. What is read of each
name are two arrays, its values and where they are missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ..exceptions import FilterError, did_you_mean
from ..filters import Expression, Name, parse_name
from . import measured, table
from . import schema as s
from .arrays import Values
from .base import Order
from .compile import Query, names
from .measured import metric_name, metric_readings
from .sink import Statements
from .table import DOCUMENTS, FACTS, Kind

if TYPE_CHECKING:
    pass


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
    if where is None and not order and table.can_tell(chosen):
        return table.newest(Statements(connection), chosen, limit, offset)
    query = Query(connection, "runs", where)
    wanted = _Wanted.of(connection, query, chosen)
    rows = query.rows(order, limit, offset, columns=[s.runs.c.pk, *wanted.columns.values()])
    by_position = list(zip(*rows, strict=True)) or [()] * (1 + len(wanted.columns))
    pks = by_position[0]
    read = dict(zip(wanted.columns, by_position[1:], strict=True))
    found: dict[str, Values] = {}
    for name in wanted.facts:
        found[name] = table.fact(read[name], wanted.kind(name))
    for head in DOCUMENTS:
        if head in read:
            found |= table.document(head, read[head], wanted.keys[head])
    found |= measured.metrics(Statements(connection), pks, wanted.metrics)
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
            for head in DOCUMENTS:
                wanted.add_document(head)
            wanted.metrics = None
            return wanted
        known = _Known(connection)
        for name in chosen:
            parsed = parse_name(name)
            wanted.named[name] = wanted.add(query, parsed, known)
        return wanted

    def add(self, query: Query, name: Name, known: _Known) -> str:
        if name.head in DOCUMENTS and name.rest:
            known.check(name, known.has(name.head, name.rest))
            self.add_document(name.head, name.rest)
            return f"{name.head}.{name.rest}"
        if name.head == "metrics" and name.rest:
            readings = [pair for pair in metric_readings(name) if known.has("metrics", pair[0])]
            known.check(name, bool(readings))
            pair = readings[0] if readings else (name.rest, "last")
            assert self.metrics is not None
            self.metrics.append(pair)
            return metric_name(*pair)
        self.add_fact(query, name)
        return str(name)

    def add_fact(self, query: Query, name: Name) -> None:
        column = s.runs.c.tags if name.parts == ("tags",) else query.column(name)
        if isinstance(column.type, s.Time):
            # As numbers: a table of 100 000 runs has no need of as many objects.
            column = s.microseconds(column)
        self.columns[str(name)] = column
        self.facts.append(str(name))

    def kind(self, name: str) -> Kind:
        """Return what the column of a fact holds."""
        column = self.columns[name]
        if isinstance(column.type, s.Microseconds):
            return "time"
        return (
            "list" if name == "tags" else "integer" if isinstance(column.type, sa.Integer) else ""
        )

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


def _nothing(count: int) -> Values:
    import numpy as np

    return Values(np.full(count, np.nan), np.ones(count, bool))
