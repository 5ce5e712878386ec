"""Computations and attempts: written in the place of those that were there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ..entities import Attempt, Computation
from . import documents as d
from . import rows
from . import schema as s
from .chunking import chunks
from .values import encode


def replace(connection: sa.Connection, new: Sequence[Computation]) -> None:
    """Write computations in the place of those of the same run (or launch), stage and fold."""
    if not new:
        return
    launches = rows.keys(connection, s.launches, "launch", (c.launch for c in new))
    runs = rows.keys(connection, s.runs, "run", (c.run for c in new if c.run is not None))
    latest: dict[tuple[Any, ...], Computation] = {}
    for computation in new:
        latest[_place(launches, runs, computation)] = computation
    _drop_computations(connection, latest)
    pks = rows.reserve(connection, s.computations, len(latest))
    made: list[rows.Row] = []
    links: list[rows.Row] = []
    for pk, computation in zip(pks, latest.values(), strict=True):
        made.append(
            {
                "pk": pk,
                "id": computation.id,
                "launch": launches[computation.launch],
                "run": None if computation.run is None else runs[computation.run],
                "stage": computation.stage,
                "fold": computation.fold,
                "status": computation.status,
                "key": computation.key,
                "inputs": encode(computation.inputs, "inputs"),
                "started": computation.started,
                "wall": computation.wall,
                "cpu": computation.cpu,
                "memory": computation.memory,
                "log": encode(computation.log, "the log"),
                "exception": d.encode_exception(computation.exception),
            }
        )
        links.extend(rows.link_rows("computations", pk, computation.outputs))
    rows.insert(connection, s.computations, made)
    rows.insert(connection, s.artifact_links, links)


def _place(
    launches: dict[str, int], runs: dict[str, int], computation: Computation
) -> tuple[Any, ...]:
    """Return where a computation belongs: no second one has the same place."""
    if computation.run is None:
        return launches[computation.launch], None, computation.stage, computation.fold
    return None, runs[computation.run], computation.stage, computation.fold


def _drop_computations(connection: sa.Connection, places: dict[tuple[Any, ...], Any]) -> None:
    c = s.computations.c
    columns = sa.select(c.pk, c.launch, c.run, c.stage, c.fold)
    in_runs = [columns.where(c.run.in_(some)) for some in chunks({p[1] for p in places} - {None})]
    in_launches = [
        columns.where(c.launch.in_(some), c.run.is_(None))
        for some in chunks({p[0] for p in places} - {None})
    ]
    dropped = [
        pk
        for statement in in_runs + in_launches
        for pk, launch, run, stage, fold in connection.execute(statement)
        if (launch if run is None else None, run, stage, fold) in places
    ]
    rows.unlink(connection, "computations", dropped)
    for some in chunks(dropped):
        connection.execute(sa.delete(s.computations).where(c.pk.in_(some)))


def replace_attempts(connection: sa.Connection, new: Sequence[Attempt]) -> None:
    """Write attempts in the place of those of the same run and number."""
    runs = rows.keys(connection, s.runs, "run", (attempt.run for attempt in new))
    latest = {
        (attempt.run, attempt.number): {
            "run": runs[attempt.run],
            "number": attempt.number,
            "status": attempt.status,
            "resource": attempt.resource,
            "execution": attempt.execution,
            "started": attempt.started,
            "ended": attempt.ended,
            "exception": d.encode_exception(attempt.exception),
        }
        for attempt in new
    }
    rows.upsert(connection, s.attempts, list(latest.values()))
