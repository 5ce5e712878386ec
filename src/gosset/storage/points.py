"""What runs printed, piece by piece."""

from __future__ import annotations

import sqlalchemy as sa

from . import schema as s
from .base import Printed
from .news import Alert


def alerts(connection: sa.Connection, run_id: str) -> list[Alert]:
    """Return the alerts of a run, in order."""
    c = s.alerts.c
    statement = sa.select(c.time, c.level, c.title, c.text).join(s.runs, c.run == s.runs.c.pk)
    found = connection.execute(statement.where(s.runs.c.id == run_id).order_by(c.pk))
    return [Alert(*row) for row in found]


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
