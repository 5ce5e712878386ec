"""What each kind of entity is selected from, and the names that filters may use for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from . import schema as s


class elapsed(FunctionElement[float]):
    """Seconds from the first time to the second."""

    type = sa.Double()
    inherit_cache = True


@compiles(elapsed, "sqlite")
def _elapsed_sqlite(element: elapsed, compiler: Any, **options: Any) -> str:
    start, end = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(({end} - {start}) / 1000000.0)"


@compiles(elapsed, "postgresql")
def _elapsed_postgresql(element: elapsed, compiler: Any, **options: Any) -> str:
    start, end = (compiler.process(clause, **options) for clause in element.clauses)
    return f"CAST(extract(epoch FROM ({end} - {start})) AS float8)"


@dataclass(frozen=True, eq=False, kw_only=True)
class Parent:
    """A table that is joined when one of the names in `gives` is used."""

    table: sa.Table
    on: sa.ColumnElement[bool]
    gives: frozenset[str]
    outer: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Source:
    """Where entities of one kind come from.

    Attributes
    ----------
    table : FromClause
    selected : tuple
        What is read of each: its primary key, or all there is of an aggregate.
    columns : mapping
        Name in filters → expression.
    order : tuple
        The default order, complete, so that it is the same each time.
    parents : tuple of Parent
        Those further up after those nearer by.
    """

    table: sa.FromClause
    selected: tuple[sa.ColumnElement[Any], ...]
    columns: Mapping[str, sa.ColumnElement[Any]]
    order: tuple[sa.ColumnElement[Any], ...]
    parents: tuple[Parent, ...] = ()

    def joined(self, used: Collection[str]) -> sa.FromClause:
        """Return the table, joined with the parents that the names in `used` need."""
        result = self.table
        for parent in self.parents:
            if not parent.gives.isdisjoint(used):
                result = result.join(parent.table, parent.on, isouter=parent.outer)
        return result


def _columns(table: sa.FromClause, names: str) -> dict[str, sa.ColumnElement[Any]]:
    return {name: table.c[name] for name in names.split()}


def _place(table: sa.Table) -> tuple[Parent, Parent]:
    """Return the experiment and the project, as parents of `table`."""
    return (
        Parent(
            table=s.experiments,
            on=table.c.experiment == s.experiments.c.pk,
            gives=frozenset({"experiment", "project"}),
        ),
        _PROJECT,
    )


_PROJECT = Parent(
    table=s.projects,
    on=s.experiments.c.project == s.projects.c.pk,
    gives=frozenset({"project"}),
)
_PLACE = {"project": s.projects.c.name, "experiment": s.experiments.c.name}


def _times(table: sa.Table) -> dict[str, sa.ColumnElement[Any]]:
    return {
        **_columns(table, "created started ended"),
        "duration": elapsed(table.c.started, table.c.ended),
    }


_projects = Source(
    table=s.projects,
    selected=(s.projects.c.pk,),
    columns=_columns(s.projects, "id name description created"),
    order=(s.projects.c.name,),
)

_experiments = Source(
    table=s.experiments,
    selected=(s.experiments.c.pk,),
    columns={
        **_columns(s.experiments, "id name description created"),
        "project": s.projects.c.name,
        "runs": sa.select(sa.func.count())
        .where(s.runs.c.experiment == s.experiments.c.pk)
        .correlate(s.experiments)
        .scalar_subquery(),
    },
    order=(s.experiments.c.name, s.experiments.c.pk),
    parents=(_PROJECT,),
)

_executions = Source(
    table=s.executions,
    selected=(s.executions.c.pk,),
    columns={**_columns(s.executions, "id number fingerprint created"), **_PLACE},
    order=(s.executions.c.pk.desc(),),
    parents=_place(s.executions),
)

_launches = Source(
    table=s.launches,
    selected=(s.launches.c.pk,),
    columns={
        **_columns(s.launches, "id number execution status command user host notes"),
        **_PLACE,
        **_times(s.launches),
    },
    order=(s.launches.c.pk.desc(),),
    parents=_place(s.launches),
)

_runs = Source(
    table=s.runs,
    selected=(s.runs.c.pk,),
    columns={
        **_columns(s.runs, "id number name execution status seed group dataset split cached"),
        **_PLACE,
        **_times(s.runs),
        "launch": s.launches.c.number,
    },
    order=(s.runs.c.pk.desc(),),
    parents=(
        Parent(
            table=s.launches,
            on=s.runs.c.launch == s.launches.c.pk,
            gives=frozenset({"launch"}),
        ),
        *_place(s.runs),
    ),
)

_computations = Source(
    table=s.computations,
    selected=(s.computations.c.pk,),
    columns={
        **_columns(s.computations, "id stage fold status key started wall cpu memory log"),
        **_PLACE,
        "launch": s.launches.c.number,
        "run": s.runs.c.number,
    },
    order=(s.computations.c.stage, s.computations.c.pk),
    parents=(
        Parent(
            table=s.runs,
            on=s.computations.c.run == s.runs.c.pk,
            gives=frozenset({"run"}),
            outer=True,
        ),
        Parent(
            table=s.launches,
            on=s.computations.c.launch == s.launches.c.pk,
            gives=frozenset({"launch", "experiment", "project"}),
        ),
        *_place(s.launches),
    ),
)

_datasets = Source(
    table=s.datasets.join(s.dataset_names),
    selected=(s.datasets.c.pk,),
    columns={
        **_columns(s.datasets, "version digest rows description source created"),
        "name": s.dataset_names.c.name,
    },
    order=(s.dataset_names.c.name, s.datasets.c.version),
)

_cache = Source(
    table=s.cache_entries,
    selected=(s.cache_entries.c.pk,),
    columns=_columns(s.cache_entries, "key stage recipe created evicted wall"),
    order=(s.cache_entries.c.stage, s.cache_entries.c.pk),
)

_artifact_rows = (
    sa.select(
        s.artifact_links.c.digest,
        sa.func.min(s.artifact_links.c.format).label("format"),
        sa.func.min(s.artifact_links.c.size).label("size"),
        sa.func.count().label("references"),
    )
    .where(s.artifact_links.c.kept)
    .group_by(s.artifact_links.c.digest)
    .subquery("artifacts")
)
_artifacts = Source(
    table=_artifact_rows,
    selected=tuple(_artifact_rows.c),
    columns=dict(_artifact_rows.c.items()),
    order=(_artifact_rows.c.digest,),
)

_metric_rows = (
    sa.select(
        s.run_metrics.c.name,
        # In the order of the alphabet, a declared direction comes before "none".
        sa.func.min(s.run_metrics.c.direction).label("direction"),
        sa.func.count().label("runs"),
        sa.func.min(s.run_metrics.c.value).label("minimum"),
        sa.func.avg(s.run_metrics.c.value).label("mean"),
        sa.func.max(s.run_metrics.c.value).label("maximum"),
    )
    .group_by(s.run_metrics.c.name)
    .subquery("metrics")
)
_metrics = Source(
    table=_metric_rows,
    selected=tuple(_metric_rows.c),
    columns=dict(_metric_rows.c.items()),
    order=(_metric_rows.c.name,),
)

SOURCES: dict[str, Source] = {
    "projects": _projects,
    "experiments": _experiments,
    "executions": _executions,
    "launches": _launches,
    "runs": _runs,
    "computations": _computations,
    "datasets": _datasets,
    "artifacts": _artifacts,
    "metrics": _metrics,
    "cache": _cache,
}
