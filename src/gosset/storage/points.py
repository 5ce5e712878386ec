"""What runs logged step by step: their points, and their metrics while they are at work."""

from __future__ import annotations

import math
from collections.abc import Sequence

import sqlalchemy as sa

from ..entities import Direction, Metric
from ..series import Chunk
from . import schema as s
from .base import Printed
from .chunking import chunks
from .documents import decode_summary
from .values import decode

_m = s.run_metrics.c
_METRICS = sa.select(
    *(_m.run, _m.name, _m.value, _m.std, _m.direction, _m.whole),
    *(_m.count, _m.step, _m.time, _m.minimum, _m.maximum, _m.total, _m.numbers),
).order_by(_m.run, _m.name)


def live_metrics(connection: sa.Connection, runs: Sequence[int]) -> dict[int, dict[str, Metric]]:
    """Return the metrics of runs at work, by primary key: their rows do not have them yet."""
    found: dict[int, dict[str, Metric]] = {run: {} for run in runs}
    for chunk in chunks(runs):
        rows = connection.execute(_METRICS.where(_m.run.in_(chunk)))
        for run, name, number, std, direction, whole, *series in rows:
            value = decode(whole) if whole is not None else math.nan if number is None else number
            found[run][name] = Metric(
                name=name,
                value=value,
                std=std,
                direction=Direction(direction),
                series=None if series[0] is None else decode_summary(value, series),
            )
    return found


def series(
    connection: sa.Connection, run_id: str, names: Sequence[str] | None
) -> dict[str, list[Chunk]]:
    """Return name → chunks of the series of a run, those of a writer in their order."""
    c = s.series.c
    statement = (
        sa.select(c.name, c.count, c.kind, c.step, c.stride, c.time, c.steps, c["values"], c.times)
        .join(s.runs, c.run == s.runs.c.pk)
        .where(s.runs.c.id == run_id)
        .order_by(c.name, c.writer, c.number)
    )
    if names is not None:
        statement = statement.where(c.name.in_(names))
    found: dict[str, list[Chunk]] = {}
    for name, *columns in connection.execute(statement):
        found.setdefault(name, []).append(Chunk(*columns))
    return found


def console(connection: sa.Connection, run_id: str, after: int) -> list[Printed]:
    """Return what a run printed behind a piece, in order."""
    c = s.console.c
    statement = (
        sa.select(c.pk, c.stream, c.time, c.text)
        .join(s.runs, c.run == s.runs.c.pk)
        .where(s.runs.c.id == run_id, c.pk > after)
        .order_by(c.pk)
    )
    return [Printed(*row) for row in connection.execute(statement)]
