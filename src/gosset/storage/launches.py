"""Launches: added, changed, and found dead."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ..entities import Launch, Status
from ..exceptions import NotFoundError
from ..identifiers import new_id, now
from ..types import JSONValue
from . import rows
from . import schema as s
from .declare import next_number
from .owners import alive
from .read import load
from .values import encode

_OPEN = [status for status in Status if not status.ended]


def add(
    connection: sa.Connection,
    experiment_id: str,
    *,
    settings: Mapping[str, JSONValue] | None,
    **given: Any,
) -> Launch:
    """Add a launch under the next number of its experiment."""
    experiment, number = next_number(connection, experiment_id, "last_launch")
    [pk] = rows.reserve(connection, s.launches, 1)
    time = now()
    row = {
        "pk": pk,
        "id": new_id(),
        "experiment": experiment,
        "number": number,
        "settings": encode({} if settings is None else settings, "settings"),
        "provenance": "{}",
        "created": time,
        "heartbeat": time,
        **given,
    }
    rows.insert(connection, s.launches, [row])
    launch: Launch = load(connection, "launches", [pk])[0]
    return launch


def update(
    connection: sa.Connection,
    launch_id: str,
    *,
    expected: Status | None,
    provenance: Mapping[str, JSONValue] | None,
    **given: Any,
) -> bool:
    """Change what is given, i.e. not None; return whether the status was as expected."""
    values = {name: value for name, value in given.items() if value is not None}
    status = values.get("status")
    if status is not None and not Status(status).ended:
        values["ended"] = None
    if provenance is not None:
        values["provenance"] = encode(provenance, "provenance")
    c = s.launches.c
    pk = connection.execute(sa.select(c.pk).where(c.id == launch_id)).scalar()
    if pk is None:
        raise NotFoundError(f"no launch {launch_id!r} in the store")
    if values:
        chosen = [c.pk == pk, *([] if expected is None else [c.status == expected])]
        changed = connection.execute(sa.update(s.launches).where(*chosen).values(**values))
        if not changed.rowcount:
            return False
    if provenance is not None:
        rows.unlink(connection, "launches", [pk])
        links = list(rows.link_rows("launches", pk, rows.references(provenance)))
        rows.insert(connection, s.artifact_links, links)
    return True


def orphans(connection: sa.Connection, lease: float) -> list[int]:
    """Return the primary keys of launches that have not ended, but whose owner is gone."""
    c = s.launches.c
    statement = sa.select(c.pk, c.host, c.pid, c.heartbeat).where(c.status.in_(_OPEN))
    latest = now() - timedelta(seconds=lease)
    host = socket.gethostname()
    return [
        pk
        for pk, owner_host, pid, heartbeat in connection.execute(statement)
        if _stale(heartbeat, latest) or (owner_host == host and not alive(pid))
    ]


def mark_crashed(connection: sa.Connection, pks: list[int]) -> None:
    """Mark launches as crashed, with their runs and attempts that have not ended."""
    crashed = {"status": Status.CRASHED, "ended": now()}
    unfinished = sa.select(s.runs.c.pk).where(s.runs.c.launch.in_(pks))
    for table, chosen in (
        (s.attempts, s.attempts.c.run.in_(unfinished)),
        (s.runs, s.runs.c.launch.in_(pks)),
        (s.launches, s.launches.c.pk.in_(pks)),
    ):
        open_ = sa.update(table).where(chosen, table.c.status.in_(_OPEN))
        connection.execute(open_.values(**crashed))


def _stale(heartbeat: datetime | None, latest: datetime) -> bool:
    return heartbeat is None or heartbeat < latest
