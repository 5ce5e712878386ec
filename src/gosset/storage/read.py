"""Rows to entities."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from ..entities import (
    ArtifactRef,
    Attempt,
    CacheEntry,
    Computation,
    ComputationStatus,
    Dataset,
    Environment,
    Execution,
    Experiment,
    Launch,
    Project,
    Status,
)
from ..exceptions import NotFoundError
from . import answers
from . import documents as d
from . import schema as s
from .base import ArtifactSummary, MetricSummary, Split
from .chunking import chunks
from .sink import Statements
from .values import decode


def _by(statement: sa.Select[*tuple[Any, ...]], column: sa.ColumnElement[Any]) -> Any:
    return statement.where(column.in_(sa.bindparam("chosen", expanding=True)))


def fetch(connection: sa.Connection, statement: Any, chosen: Iterable[Any]) -> Iterator[Any]:
    """Iterate over the rows of a statement made by :func:`_by`."""
    for chunk in chunks(chosen):
        yield from connection.execute(statement, {"chosen": chunk}).all()


_links = s.artifact_links.c
_LINKS = _by(
    sa.select(
        _links.owner, _links.name, _links.format, _links.digest, _links.size, _links.inline
    ).where(_links.kind == sa.bindparam("owners")),
    _links.owner,
).order_by(_links.owner, _links.position)


def links(
    connection: sa.Connection, owner: str, pks: Iterable[int]
) -> dict[int, tuple[ArtifactRef, ...]]:
    """Return the artifacts of the owners with these keys."""
    found: defaultdict[int, list[ArtifactRef]] = defaultdict(list)
    for chunk in chunks(pks):
        rows = connection.execute(_LINKS, {"owners": s.OWNER[owner], "chosen": chunk})
        for pk, name, format_, digest, size, inline in rows.all():
            reference = ArtifactRef(
                name=name, format=format_, digest=digest, size=size, inline=inline
            )
            found[pk].append(reference)
    return defaultdict(tuple, {pk: tuple(references) for pk, references in found.items()})


_PLACE = s.experiments.join(s.projects)
_PLACE_NAMES = (s.projects.c.name.label("project_name"), s.experiments.c.name.label("experiment_name"))  # fmt: skip

_PROJECTS = _by(sa.select(s.projects), s.projects.c.pk)
_EXPERIMENTS = _by(
    sa.select(s.experiments, _PLACE_NAMES[0]).select_from(_PLACE), s.experiments.c.pk
)
_EXECUTIONS = _by(
    sa.select(s.executions, *_PLACE_NAMES).select_from(s.executions.join(_PLACE)),
    s.executions.c.pk,
)
_LAUNCHES = _by(
    sa.select(s.launches, *_PLACE_NAMES).select_from(s.launches.join(_PLACE)), s.launches.c.pk
)
_COMPUTATIONS = _by(
    sa.select(
        s.computations, s.launches.c.id.label("launch_id"), s.runs.c.id.label("run_id")
    ).select_from(
        s.computations.join(s.launches, s.computations.c.launch == s.launches.c.pk).outerjoin(
            s.runs, s.computations.c.run == s.runs.c.pk
        )
    ),
    s.computations.c.pk,
)
_DATASETS = _by(
    sa.select(s.datasets, s.dataset_names.c.name.label("dataset_name")).select_from(
        s.datasets.join(s.dataset_names)
    ),
    s.datasets.c.pk,
)

_e = s.cache_entries.c
_ENTRIES = sa.select(_e.pk, _e.key, _e.recipe, _e.stage, _e.parts, _e.wall, _e.created, _e.evicted)


def _project(row: Any) -> Project:
    return Project(id=row.id, name=row.name, description=row.description, created=row.created)


def _experiment(row: Any) -> Experiment:
    return Experiment(
        id=row.id,
        project=row.project_name,
        name=row.name,
        description=row.description,
        definition=decode(row.definition),
        created=row.created,
    )


def _execution(row: Any) -> Execution:
    return Execution(
        id=row.id,
        project=row.project_name,
        experiment=row.experiment_name,
        number=row.number,
        fingerprint=row.fingerprint,
        code=decode(row.code),
        created=row.created,
    )


def _launch(row: Any) -> Launch:
    return Launch(
        id=row.id,
        project=row.project_name,
        experiment=row.experiment_name,
        execution=row.execution,
        number=row.number,
        status=Status(row.status),
        command=row.command,
        user=row.user,
        host=row.host,
        pid=row.pid,
        notes=row.notes,
        settings=decode(row.settings),
        provenance=decode(row.provenance),
        environment=row.environment,
        created=row.created,
        started=row.started,
        ended=row.ended,
        heartbeat=row.heartbeat,
    )


def _computation(row: Any, outputs: tuple[ArtifactRef, ...]) -> Computation:
    return Computation(
        id=row.id,
        launch=row.launch_id,
        run=row.run_id,
        stage=row.stage,
        fold=row.fold,
        status=ComputationStatus(row.status),
        key=row.key,
        inputs=decode(row.inputs),
        outputs=outputs,
        started=row.started,
        wall=row.wall,
        cpu=row.cpu,
        memory=row.memory,
        log=decode(row.log),
        exception=d.decode_exception(row.exception),
    )


def _dataset(row: Any, content: tuple[ArtifactRef, ...]) -> Dataset:
    return Dataset(
        name=row.dataset_name,
        version=row.version,
        digest=row.digest,
        columns=d.decode_columns(row.columns),
        rows=row.rows,
        content=content,
        description=row.description,
        source=row.source,
        created=row.created,
    )


def _entry(row: Any, outputs: tuple[ArtifactRef, ...]) -> CacheEntry:
    return CacheEntry(
        key=row.key,
        recipe=row.recipe,
        stage=row.stage,
        parts=decode(row.parts),
        outputs=outputs,
        wall=row.wall,
        created=row.created,
        evicted=row.evicted,
    )


_ROWS: dict[str, tuple[Any, Callable[[Any], object]]] = {
    "projects": (_PROJECTS, _project),
    "experiments": (_EXPERIMENTS, _experiment),
    "executions": (_EXECUTIONS, _execution),
    "launches": (_LAUNCHES, _launch),
}
"""Kind → what its rows are read by, and what is made of each."""

_OWNERS: dict[str, tuple[Any, Callable[[Any, tuple[ArtifactRef, ...]], object]]] = {
    "computations": (_COMPUTATIONS, _computation),
    "datasets": (_DATASETS, _dataset),
    "cache": (_by(_ENTRIES, _e.pk), _entry),
}
"""The same for the owners of artifacts."""

_SUMMARIES: dict[str, Callable[..., object]] = {
    "artifacts": ArtifactSummary,
    "metrics": MetricSummary,
}


def entities(connection: sa.Connection, kind: str, rows: Sequence[sa.Row[Any]]) -> list[Any]:
    """Return the entities of the rows that :meth:`Query.rows` gave, in their order."""
    if kind in _SUMMARIES:
        return [_SUMMARIES[kind](**row._mapping) for row in rows]
    return load(connection, kind, [row[0] for row in rows])


def load(connection: sa.Connection, kind: str, pks: Iterable[int]) -> list[Any]:
    """Return the entities with these primary keys, in the order of the keys."""
    pks = list(pks)
    if kind == "runs":
        return list(answers.runs(Statements(connection), pks))
    if kind in _ROWS:
        statement, make = _ROWS[kind]
        rows = list(fetch(connection, statement, pks))
        found: dict[int, Any] = {row.pk: make(row) for row in rows}
    else:
        statement, own = _OWNERS[kind]
        held = links(connection, kind, pks)
        found = {row.pk: own(row, held[row.pk]) for row in fetch(connection, statement, pks)}
    return [found[pk] for pk in pks]


def entries(connection: sa.Connection, keys: Iterable[str]) -> list[CacheEntry]:
    """Return the cache entries that are there under `keys`."""
    rows = list(fetch(connection, _by(_ENTRIES, _e.key), keys))
    outputs = links(connection, "cache", [row.pk for row in rows])
    return [_entry(row, outputs[row.pk]) for row in rows]


def computations(
    connection: sa.Connection, run_id: str | None, launch_id: str | None
) -> list[Computation]:
    """Return the computations of a run, or those of a launch that belong to no run."""
    c = s.computations.c
    statement = sa.select(c.pk).order_by(c.pk)
    if run_id is not None:
        run = sa.select(s.runs.c.pk).where(s.runs.c.id == run_id).scalar_subquery()
        statement = statement.where(c.run == run)
    if launch_id is not None:
        launch = sa.select(s.launches.c.pk).where(s.launches.c.id == launch_id).scalar_subquery()
        statement = statement.where(c.launch == launch)
        statement = statement.where(c.run.is_(None)) if run_id is None else statement
    return load(connection, "computations", connection.execute(statement).scalars())


def attempts(connection: sa.Connection, run_id: str) -> list[Attempt]:
    """Return the attempts of a run, first to last."""
    c = s.attempts.c
    statement = (
        sa.select(s.attempts)
        .join(s.runs, c.run == s.runs.c.pk)
        .where(s.runs.c.id == run_id)
        .order_by(c.number)
    )
    return [
        Attempt(
            run=run_id,
            number=row.number,
            status=Status(row.status),
            resource=row.resource,
            execution=row.execution,
            started=row.started,
            ended=row.ended,
            exception=d.decode_exception(row.exception),
        )
        for row in connection.execute(statement)
    ]


def environment(connection: sa.Connection, digest: str) -> Environment:
    """Return an environment by its digest."""
    c = s.environments.c
    content = connection.execute(sa.select(c.content).where(c.digest == digest)).scalar()
    if content is None:
        raise NotFoundError(f"no environment {digest!r} in the store")
    return Environment(digest=digest, content=decode(content))


def split(connection: sa.Connection, digest: str) -> Split:
    """Return a split by its digest."""
    row = connection.execute(sa.select(s.splits).where(s.splits.c.digest == digest)).first()
    if row is None:
        raise NotFoundError(f"no split {digest!r} in the store")
    artifact = links(connection, "splits", [row.pk])[row.pk][0]
    return Split(
        digest=digest, folds=row.folds, artifact=artifact, description=decode(row.description)
    )


def referenced(connection: sa.Connection) -> dict[str, int]:
    """Return digest → number of references that must be kept."""
    statement = sa.select(_links.digest, sa.func.count()).where(_links.kept).group_by(_links.digest)
    return {digest: count for digest, count in connection.execute(statement)}
