"""Deleting an entity with what it holds, and nothing above it."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from ..exceptions import NotFoundError, UsageError, did_you_mean
from . import rows
from . import schema as s

_TABLES: Final = {
    "projects": s.projects,
    "experiments": s.experiments,
    "executions": s.executions,
    "launches": s.launches,
    "runs": s.runs,
}


def delete(connection: sa.Connection, kind: str, id_: str) -> int:
    """Delete one entity; return how many runs (for datasets: versions) went with it."""
    if kind == "datasets":
        return _datasets(connection, id_)
    if kind not in _TABLES:
        known = [*_TABLES, "datasets"]
        raise UsageError(f"{kind} cannot be deleted", hint=did_you_mean(kind, known))
    table = _TABLES[kind]
    pk = connection.execute(sa.select(table.c.pk).where(table.c.id == id_)).scalar()
    if pk is None:
        raise NotFoundError(f"nothing among the {kind} has the id {id_!r}")
    if kind == "executions":
        return _execution(connection, pk)
    runs, launches = _held(kind, pk)
    count = _unlink(connection, runs, launches)
    # What is below goes by the database's own cascade.
    connection.execute(sa.delete(table).where(table.c.pk == pk))
    return count


def _held(kind: str, pk: int) -> tuple[sa.Select[Any], sa.Select[Any]]:
    """Return the runs and the launches that an entity holds, as statements."""
    runs = sa.select(s.runs.c.pk)
    launches = sa.select(s.launches.c.pk)
    if kind == "runs":
        return runs.where(s.runs.c.pk == pk), launches.where(sa.false())
    if kind == "launches":
        return runs.where(s.runs.c.launch == pk), launches.where(s.launches.c.pk == pk)
    chosen = sa.select(s.experiments.c.pk)
    column = s.experiments.c.pk if kind == "experiments" else s.experiments.c.project
    chosen = chosen.where(column == pk)
    return (
        runs.where(s.runs.c.experiment.in_(chosen)),
        launches.where(s.launches.c.experiment.in_(chosen)),
    )


def _execution(connection: sa.Connection, pk: int) -> int:
    """Delete an execution, its runs, and the launches of it that are then empty."""
    c = s.executions.c
    statement = sa.select(c.experiment, c.number).where(c.pk == pk)
    experiment, number = connection.execute(statement).one()
    runs = sa.select(s.runs.c.pk).where(
        s.runs.c.experiment == experiment, s.runs.c.execution == number
    )
    count = _unlink(connection, runs, sa.select(s.launches.c.pk).where(sa.false()))
    connection.execute(sa.delete(s.runs).where(s.runs.c.pk.in_(runs)))
    # A launch that was resumed with other code keeps the runs of that code.
    empty = sa.select(s.launches.c.pk).where(
        s.launches.c.experiment == experiment,
        s.launches.c.execution == number,
        ~sa.exists().where(s.runs.c.launch == s.launches.c.pk),
    )
    _unlink(connection, sa.select(s.runs.c.pk).where(sa.false()), empty)
    connection.execute(sa.delete(s.launches).where(s.launches.c.pk.in_(empty)))
    connection.execute(sa.delete(s.executions).where(c.pk == pk))
    return count


def _unlink(connection: sa.Connection, runs: sa.Select[Any], launches: sa.Select[Any]) -> int:
    """Drop the links of what is about to be deleted; return how many runs that are."""
    c = s.computations.c
    rows.unlink(connection, "computations", sa.select(c.pk).where(c.run.in_(runs)))
    rows.unlink(connection, "computations", sa.select(c.pk).where(c.launch.in_(launches)))
    rows.unlink(connection, "launches", launches)
    rows.unlink(connection, "runs", runs)
    count = sa.select(sa.func.count()).select_from(runs.subquery())
    return int(connection.execute(count).scalar_one())


def _datasets(connection: sa.Connection, digest: str) -> int:
    c = s.datasets.c
    pks = list(connection.execute(sa.select(c.pk).where(c.digest == digest)).scalars())
    if not pks:
        raise NotFoundError(f"no dataset has the digest {digest!r}")
    rows.unlink(connection, "datasets", pks)
    connection.execute(sa.delete(s.datasets).where(c.pk.in_(pks)))
    return len(pks)
