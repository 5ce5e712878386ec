"""Points and printed lines: chunks with more points replace those with fewer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from ...series import Chunk, summarise, unpack
from .. import rows
from .. import schema as s
from ..numbers import as_double
from ..rows import Row
from ..values import decode, encode, whole_number
from .reading import rows_of
from .runs import Change, Side
from .states import metric_document

_AT_ONCE = 200
"""Chunks that are held in memory at once: about 40 MB where they are full."""

_COLUMNS = ("count", "kind", "step", "stride", "time", "steps", "values", "times")


def carry_points(
    source: sa.Connection,
    target: sa.Connection,
    theirs: Side,
    mine: Side,
    changes: Sequence[Change],
) -> None:
    """Take over the chunks of series that have more points in the source."""
    wanted: dict[int, int] = {}
    dropped: list[int] = []
    for change in changes:
        there = theirs.states[change.id].points
        here = {} if change.before is None else change.before.points
        for chunk, count in there.items():
            if count > here.get(chunk, 0):
                wanted[theirs.chunks[change.id][chunk]] = change.pk
                if chunk in here:
                    dropped.append(mine.chunks[change.id][chunk])
    c = s.series.c
    for start in range(0, len(dropped), _AT_ONCE):
        some = dropped[start : start + _AT_ONCE]
        target.execute(sa.delete(s.series).where(c.pk.in_(some)))
    pks = list(wanted)
    for start in range(0, len(pks), _AT_ONCE):
        statement = sa.select(s.series)
        found = rows_of(source, statement, c.pk, pks[start : start + _AT_ONCE])
        rows.insert(target, s.series, [row | {"run": wanted[row.pop("pk")]} for row in found])
    for change in changes:
        if change.unknown:
            _sum_up(target, change)


def _sum_up(target: sa.Connection, change: Change) -> None:
    """Make the summaries of series anew, of which each store had only a part."""
    c = s.series.c
    document = decode(change.state.metrics or "{}")
    for name in change.unknown:
        statement = sa.select(*(c[column] for column in _COLUMNS))
        statement = statement.where(c.run == change.pk, c.name == name)
        found = target.execute(statement.order_by(c.writer, c.number))
        summary = summarise(unpack(Chunk(*row) for row in found))
        row: Row = {
            **change.state.measured[name],
            "value": as_double(summary.last),
            "whole": whole_number(summary.last),
            **{part: getattr(summary, part) for part in _SUMMED},
            "run": change.pk,
        }
        rows.upsert(target, s.run_metrics, [row])
        document[name] = metric_document(row, [])
    if change.state.metrics:
        chosen = sa.update(s.runs).where(s.runs.c.pk == change.pk)
        target.execute(chosen.values(metrics=encode(document, "metrics")))


_SUMMED = ("count", "step", "time", "minimum", "maximum", "total", "numbers")


def carry_texts(
    source: sa.Connection, target: sa.Connection, theirs: Side, keys: Mapping[str, int]
) -> set[str]:
    """Take over what runs printed, and their alerts, each line as often as there; whose it was."""
    changed: set[str] = set()
    for table in (s.console, s.alerts):
        there = _told(source, table, {row["pk"]: id_ for id_, row in theirs.rows.items()})
        here = _told(target, table, {pk: id_ for id_, pk in keys.items()})
        differ = [id_ for id_, told in there.items() if here.get(id_) != told]
        if not differ:
            continue
        kept = _lines(target, table, [keys[id_] for id_ in differ if id_ in here])
        brought = _lines(source, table, [theirs.rows[id_]["pk"] for id_ in differ])
        made: list[Row] = []
        for id_ in differ:
            left = Counter(_values(row) for row in kept.get(keys[id_], ()))
            for row in brought[theirs.rows[id_]["pk"]]:
                if left[_values(row)] > 0:
                    left[_values(row)] -= 1
                else:
                    made.append(row | {"run": keys[id_]})
                    changed.add(id_)
        rows.insert(target, table, made)
    return changed


def _told(
    connection: sa.Connection, table: sa.Table, ids: Mapping[int, str]
) -> dict[str, tuple[int, ...]]:
    """Return something that differs where lines do, of each run that has any."""
    c = table.c
    sums = sa.func.count(), sa.func.sum(sa.func.length(c.text)), sa.func.sum(c.time % 1_000_003)
    statement = sa.select(c.run, *(each.label(f"n{i}") for i, each in enumerate(sums)))
    found = rows_of(connection, statement.group_by(c.run), c.run, ids)
    return {ids[row["run"]]: (int(row["n0"]), int(row["n1"]), int(row["n2"])) for row in found}


def _lines(connection: sa.Connection, table: sa.Table, pks: Iterable[int]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in rows_of(connection, sa.select(table).order_by(table.c.pk), table.c.run, pks):
        row.pop("pk")
        found.setdefault(row.pop("run"), []).append(row)
    return found


def _values(row: Row) -> tuple[object, ...]:
    return tuple(row.values())
