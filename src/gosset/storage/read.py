"""Rows to entities."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from ..entities import (
    ArtifactRef,
    Attempt,
    CacheEntry,
    Computation,
    ComputationStatus,
    Dataset,
    Direction,
    Environment,
    Execution,
    Experiment,
    Launch,
    Metric,
    Project,
    Run,
    Status,
)
from ..exceptions import NotFoundError
from ..series import Chunk
from . import documents as d
from . import schema as s
from .base import ArtifactSummary, MetricSummary, Split
from .values import decode

T = TypeVar("T")

CHUNK: Final = 5000
"""Values in one IN: far below what SQLite (32 766) and PostgreSQL (65 535) bind."""


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """Iterate over `values` in lists short enough to be bound in one statement."""
    values = list(values)
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))


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


def _projects(connection: sa.Connection, pks: Sequence[int]) -> Iterator[tuple[int, Project]]:
    c = s.projects.c
    statement = _by(sa.select(c.pk, c.id, c.name, c.description, c.created), c.pk)
    for pk, id_, name, description, created in fetch(connection, statement, pks):
        yield pk, Project(id=id_, name=name, description=description, created=created)


_PLACE = s.experiments.join(s.projects)
_PLACE_NAMES = (s.projects.c.name.label("project_name"), s.experiments.c.name.label("experiment_name"))  # fmt: skip

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
_RUNS = _by(
    sa.select(s.runs, s.launches.c.number.label("launch_number"), *_PLACE_NAMES).select_from(
        s.runs.join(s.launches, s.runs.c.launch == s.launches.c.pk)
        .join(s.experiments, s.runs.c.experiment == s.experiments.c.pk)
        .join(s.projects)
    ),
    s.runs.c.pk,
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


def _experiments(connection: sa.Connection, pks: Sequence[int]) -> Iterator[tuple[int, Experiment]]:
    for row in fetch(connection, _EXPERIMENTS, pks):
        yield (
            row.pk,
            Experiment(
                id=row.id,
                project=row.project_name,
                name=row.name,
                description=row.description,
                definition=decode(row.definition),
                created=row.created,
            ),
        )


def _executions(connection: sa.Connection, pks: Sequence[int]) -> Iterator[tuple[int, Execution]]:
    for row in fetch(connection, _EXECUTIONS, pks):
        yield (
            row.pk,
            Execution(
                id=row.id,
                project=row.project_name,
                experiment=row.experiment_name,
                number=row.number,
                fingerprint=row.fingerprint,
                code=decode(row.code),
                created=row.created,
            ),
        )


def _launches(connection: sa.Connection, pks: Sequence[int]) -> Iterator[tuple[int, Launch]]:
    for row in fetch(connection, _LAUNCHES, pks):
        yield (
            row.pk,
            Launch(
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
            ),
        )


def _runs(connection: sa.Connection, pks: Sequence[int]) -> Iterator[tuple[int, Run]]:
    rows = list(fetch(connection, _RUNS, pks))
    live = _live_metrics(connection, [row.pk for row in rows if not row.metrics])
    for row in rows:
        yield (
            row.pk,
            Run(
                id=row.id,
                project=row.project_name,
                experiment=row.experiment_name,
                execution=row.execution,
                launch=row.launch_number,
                number=row.number,
                name=row.name,
                status=Status(row.status),
                seed=row.seed,
                group=row.group,
                params=decode(row.params),
                metrics=d.decode_metrics(row.metrics) if row.metrics else live[row.pk],
                fields=decode(row.fields),
                hyperparameters=d.decode_hyperparameters(row.hyperparameters),
                tags=tuple(decode(row.tags)),
                dataset=row.dataset,
                split=row.split,
                exception=d.decode_exception(row.exception),
                cached=row.cached,
                created=row.created,
                started=row.started,
                ended=row.ended,
                parent=row.parent,
                config=decode(row.config),
                notes=row.notes,
            ),
        )


_m = s.run_metrics.c
_METRICS = _by(
    sa.select(
        *(_m.run, _m.name, _m.value, _m.std, _m.direction, _m.whole),
        *(_m.count, _m.step, _m.time, _m.minimum, _m.maximum, _m.total, _m.numbers),
    ),
    _m.run,
)


def _live_metrics(connection: sa.Connection, pks: Sequence[int]) -> dict[int, dict[str, Metric]]:
    """Return the metrics of runs at work, whose rows do not have them yet."""
    found: defaultdict[int, dict[str, Metric]] = defaultdict(dict)
    for run, name, number, std, direction, whole, *series in fetch(connection, _METRICS, pks):
        value = decode(whole) if whole is not None else math.nan if number is None else number
        found[run][name] = Metric(
            name=name,
            value=value,
            std=std,
            direction=Direction(direction),
            series=None if series[0] is None else d.decode_summary(value, series),
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


def _computations(
    connection: sa.Connection, pks: Sequence[int]
) -> Iterator[tuple[int, Computation]]:
    outputs = links(connection, "computations", pks)
    for row in fetch(connection, _COMPUTATIONS, pks):
        yield (
            row.pk,
            Computation(
                id=row.id,
                launch=row.launch_id,
                run=row.run_id,
                stage=row.stage,
                fold=row.fold,
                status=ComputationStatus(row.status),
                key=row.key,
                inputs=decode(row.inputs),
                outputs=outputs[row.pk],
                started=row.started,
                wall=row.wall,
                cpu=row.cpu,
                memory=row.memory,
                log=decode(row.log),
                exception=d.decode_exception(row.exception),
            ),
        )


def _datasets(connection: sa.Connection, pks: Sequence[int]) -> Iterator[tuple[int, Dataset]]:
    content = links(connection, "datasets", pks)
    for row in fetch(connection, _DATASETS, pks):
        yield (
            row.pk,
            Dataset(
                name=row.dataset_name,
                version=row.version,
                digest=row.digest,
                columns=d.decode_columns(row.columns),
                rows=row.rows,
                content=content[row.pk],
                description=row.description,
                source=row.source,
                created=row.created,
            ),
        )


def _cache(connection: sa.Connection, pks: Sequence[int]) -> Iterator[tuple[int, CacheEntry]]:
    yield from entries(connection, s.cache_entries.c.pk, pks)


_e = s.cache_entries.c
_ENTRIES = sa.select(_e.pk, _e.key, _e.recipe, _e.stage, _e.parts, _e.wall, _e.created, _e.evicted)


def entries(
    connection: sa.Connection, column: sa.ColumnElement[Any], values: Iterable[Any]
) -> Iterator[tuple[int, CacheEntry]]:
    """Iterate over the cache entries whose `column` has one of `values`, in their order."""
    statement = _by(_ENTRIES, column).order_by(_e.pk)
    rows = list(fetch(connection, statement, values))
    outputs = links(connection, "cache", [row[0] for row in rows])
    for pk, key, recipe, stage, parts, wall, created, evicted in rows:
        yield (
            pk,
            CacheEntry(
                key=key,
                recipe=recipe,
                stage=stage,
                parts=decode(parts),
                outputs=outputs[pk],
                wall=wall,
                created=created,
                evicted=evicted,
            ),
        )


_LOADERS: dict[str, Callable[[sa.Connection, Sequence[int]], Iterator[tuple[int, Any]]]] = {
    "projects": _projects,
    "experiments": _experiments,
    "executions": _executions,
    "launches": _launches,
    "runs": _runs,
    "computations": _computations,
    "datasets": _datasets,
    "cache": _cache,
}
_SUMMARIES: dict[str, Callable[..., object]] = {
    "artifacts": ArtifactSummary,
    "metrics": MetricSummary,
}


def entities(connection: sa.Connection, kind: str, rows: Sequence[sa.Row[Any]]) -> list[Any]:
    """Return the entities of the rows that :meth:`Query.rows` gave, in their order."""
    if kind in _SUMMARIES:
        return [_SUMMARIES[kind](**row._mapping) for row in rows]
    pks = [row[0] for row in rows]
    found = dict(_LOADERS[kind](connection, pks))
    return [found[pk] for pk in pks]


def load(connection: sa.Connection, kind: str, pks: Iterable[int]) -> list[Any]:
    """Return the entities with these primary keys, in the order of the keys."""
    pks = list(pks)
    found = dict(_LOADERS[kind](connection, pks))
    return [found[pk] for pk in pks]


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
