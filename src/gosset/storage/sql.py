"""The catalog in a SQL database: each method one transaction, each duty in its module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ..entities import (
    ArtifactRef,
    Attempt,
    CacheEntry,
    Computation,
    Dataset,
    Environment,
    Execution,
    Experiment,
    Launch,
    Project,
    Run,
    Status,
)
from ..exceptions import StoreReadOnlyError, UsageError
from ..filters import Expression
from ..identifiers import new_id
from ..series import Chunk
from ..types import JSONValue
from . import (
    answers,
    cache,
    columns,
    compile,
    computations,
    declare,
    delete,
    launches,
    paging,
    points,
    read,
)
from . import find as references
from . import runs as run_rows
from .arrays import Values
from .base import Catalog, Merged, Order, Page, Printed, Split
from .changes import Batch, NewRun
from .connect import Database
from .news import Alert, Sink
from .sink import SQLSink, Statements


class SQLCatalog:
    """A catalog in SQLite (a file, or in memory) or PostgreSQL.

    The methods do what :class:`~gosset.storage.base.Catalog` says. May be used from
    several threads, and on both sides of a fork.

    Parameters
    ----------
    url : str
        See :func:`gosset.storage.open_catalog`.
    create : bool
        Whether a store is made where there is none.
    """

    def __init__(self, url: str, *, create: bool = True) -> None:
        self._database = Database(url, create=create)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}>"

    @property
    def url(self) -> str:
        return self._database.url

    def close(self) -> None:
        self._database.close()

    # -- declared things. They are looked for first: most often they are there, and
    #    looking neither waits for those who write nor needs the right to write.

    def ensure_project(self, name: str, *, description: str = "") -> Project:
        with self._database.read() as connection:
            found = declare.find_project(connection, name)
        if found is not None:
            return found
        with self._database.write() as connection:
            return declare.make_project(connection, name, description)

    def ensure_experiment(
        self,
        project: str,
        name: str,
        *,
        description: str = "",
        definition: Mapping[str, JSONValue] | None = None,
        id: str | None = None,
    ) -> Experiment:
        with self._database.read() as connection:
            found = declare.find_experiment(connection, project, name)
        if (
            found is not None
            and (definition is None or found.definition == definition)
            and description in ("", found.description)
        ):
            return found
        with self._database.write() as connection:
            return declare.make_experiment(
                connection, project, name, description, definition, id or new_id()
            )

    def ensure_execution(
        self, experiment_id: str, fingerprint: str, code: Mapping[str, JSONValue]
    ) -> Execution:
        with self._database.read() as connection:
            found = declare.find_execution(connection, experiment_id, fingerprint)
        if found is not None:
            return found
        with self._database.write() as connection:
            return declare.make_execution(connection, experiment_id, fingerprint, code)

    def ensure_environment(self, environment: Environment) -> None:
        with self._database.read() as connection:
            if declare.has_environment(connection, environment.digest):
                return
        with self._database.write() as connection:
            declare.make_environment(connection, environment)

    def ensure_dataset(self, dataset: Dataset) -> Dataset:
        with self._database.read() as connection:
            found = declare.find_dataset(connection, dataset.name, dataset.digest)
        if found is not None and declare.told_alike(found, dataset):
            return found
        with self._database.write() as connection:
            return declare.make_dataset(connection, dataset)

    def ensure_split(self, split: Split) -> None:
        with self._database.read() as connection:
            if declare.has_split(connection, split.digest):
                return
        with self._database.write() as connection:
            declare.make_split(connection, split)

    # -- doing

    def add_launch(
        self,
        experiment_id: str,
        *,
        execution: int,
        command: str = "",
        user: str = "",
        host: str = "",
        pid: int = 0,
        notes: str = "",
        settings: Mapping[str, JSONValue] | None = None,
        status: Status = Status.CREATED,
    ) -> Launch:
        with self._database.write() as connection:
            return launches.add(
                connection,
                experiment_id,
                execution=execution,
                command=command,
                user=user,
                host=host,
                pid=pid,
                notes=notes,
                settings=settings,
                status=status,
            )

    def update_launch(
        self,
        launch_id: str,
        *,
        expected: Status | None = None,
        status: Status | None = None,
        started: datetime | None = None,
        ended: datetime | None = None,
        heartbeat: datetime | None = None,
        host: str | None = None,
        pid: int | None = None,
        provenance: Mapping[str, JSONValue] | None = None,
        environment: str | None = None,
    ) -> bool:
        with self._database.write() as connection:
            return launches.update(
                connection,
                launch_id,
                expected=expected,
                status=status,
                started=started,
                ended=ended,
                heartbeat=heartbeat,
                host=host,
                pid=pid,
                provenance=provenance,
                environment=environment,
            )

    def add_runs(self, launch_id: str, runs: Sequence[NewRun]) -> list[Run]:
        with self._database.write() as connection:
            return run_rows.add(connection, launch_id, runs)

    def record(self, batch: Batch) -> None:
        with self._database.write() as connection:
            run_rows.update(connection, batch.runs)
            computations.replace(connection, batch.computations)
            computations.replace_attempts(connection, batch.attempts)
            cache.add(connection, batch.entries)

    def reap(self, lease: float = 20.0) -> int:
        with self._database.read() as connection:
            if not launches.orphans(connection, lease):
                return 0
        try:
            with self._database.write() as connection:
                # Looked for again: an owner may have given a sign of life in between.
                found = launches.orphans(connection, lease)
                launches.mark_crashed(connection, found)
                return len(found)
        except StoreReadOnlyError:
            return 0

    # -- cache

    def entries(self, keys: Iterable[str]) -> dict[str, CacheEntry]:
        with self._database.read() as connection:
            return {entry.key: entry for entry in read.entries(connection, keys)}

    def candidates(self, recipes: Iterable[str]) -> dict[str, list[CacheEntry]]:
        with self._database.read() as connection:
            return cache.candidates(connection, recipes)

    def evict(self, keys: Iterable[str]) -> int:
        with self._database.write() as connection:
            return cache.evict(connection, keys)

    # -- reading

    def select(
        self,
        kind: str,
        *,
        where: Expression | None = None,
        order: Sequence[Order] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> list[object]:
        with self._database.read() as connection:
            rows = compile.Query(connection, kind, where).rows(order, limit, offset)
            return read.entities(connection, kind, rows)

    def runs_page(
        self,
        *,
        where: Expression | None = None,
        order: Sequence[Order] = (),
        limit: int = 1000,
        after: str | None = None,
    ) -> Page:
        with self._database.read() as connection:
            return paging.runs_page(connection, where=where, order=order, limit=limit, after=after)

    def runs_columns(
        self,
        names: Sequence[str] | None = None,
        *,
        where: Expression | None = None,
        order: Sequence[Order] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> dict[str, Values]:
        with self._database.read() as connection:
            return columns.runs_columns(
                connection, names, where=where, order=order, limit=limit, offset=offset
            )

    def count(self, kind: str, *, where: Expression | None = None) -> int:
        with self._database.read() as connection:
            return compile.Query(connection, kind, where).count()

    def names(self, kind: str) -> list[str]:
        with self._database.read() as connection:
            return compile.names(connection, kind)

    def find(self, kind: str, reference: str, *, project: str | None = None) -> Any:
        with self._database.read() as connection:
            return references.find(connection, kind, reference, project)

    def computations(
        self, run_id: str | None = None, *, launch_id: str | None = None
    ) -> list[Computation]:
        with self._database.read() as connection:
            return read.computations(connection, run_id, launch_id)

    def series(self, run_id: str, names: Sequence[str] | None = None) -> dict[str, list[Chunk]]:
        with self._database.read() as connection:
            return answers.series(Statements(connection), [run_id], names)[run_id]

    def series_of(
        self, run_ids: Sequence[str], names: Sequence[str] | None = None
    ) -> dict[str, dict[str, list[Chunk]]]:
        with self._database.read() as connection:
            return answers.series(Statements(connection), run_ids, names)

    def artifacts(self, run_id: str) -> list[ArtifactRef]:
        with self._database.read() as connection:
            return answers.artifacts(Statements(connection), run_id)

    def alerts(self, run_id: str) -> list[Alert]:
        with self._database.read() as connection:
            return points.alerts(connection, run_id)

    def console(self, run_id: str, *, after: int = 0) -> list[Printed]:
        with self._database.read() as connection:
            return points.console(connection, run_id, after)

    def sink(self) -> Sink:
        return SQLSink(self._database)

    def attempts(self, run_id: str) -> list[Attempt]:
        with self._database.read() as connection:
            return read.attempts(connection, run_id)

    def environment(self, digest: str) -> Environment:
        with self._database.read() as connection:
            return read.environment(connection, digest)

    def split(self, digest: str) -> Split:
        with self._database.read() as connection:
            return read.split(connection, digest)

    def referenced(self) -> dict[str, int]:
        with self._database.read() as connection:
            return read.referenced(connection)

    # -- uniting

    def merge(
        self,
        other: Catalog,
        *,
        where: Expression | None = None,
        bring: Callable[[Mapping[str, int]], None] = lambda digests: None,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Merged:
        from . import merging

        other = getattr(other, "whole", other)
        if not isinstance(other, SQLCatalog):
            raise UsageError(f"{other.url} is no catalog in SQL: it cannot be merged")
        return merging.merge(
            self._database, other._database, where=where, bring=bring, progress=progress
        )

    # -- removing

    def delete(self, kind: str, id: str) -> int:
        with self._database.write() as connection:
            return delete.delete(connection, kind, id)


def _proof(catalog: SQLCatalog) -> Catalog:
    """Let the type checker hold the class to the contract."""
    return catalog
