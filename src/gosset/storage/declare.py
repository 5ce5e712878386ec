"""Declared things: found, or made when they are not there.

Each has a function that finds, inside a transaction that reads, and one that makes. To
make is to insert what is missing and to find again, because another process may have been
faster.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from ..entities import Dataset, Environment, Execution, Experiment, Project
from ..exceptions import NotFoundError
from ..identifiers import new_id, now
from ..naming import checked_name
from ..types import JSONValue
from . import rows
from . import schema as s
from .base import Split
from .documents import encode_columns
from .read import load
from .values import encode


def _one(connection: sa.Connection, kind: str, statement: sa.Select[Any]) -> Any:
    pk = connection.execute(statement).scalar()
    return None if pk is None else load(connection, kind, [pk])[0]


def find_project(connection: sa.Connection, name: str) -> Project | None:
    """Return the project of that name, if there is one."""
    c = s.projects.c
    found: Project | None = _one(connection, "projects", sa.select(c.pk).where(c.name == name))
    return found


def make_project(connection: sa.Connection, name: str, description: str) -> Project:
    """Return the project of that name, made when it is not there."""
    row = {
        "id": new_id(),
        "name": checked_name("a project", name),
        "description": description,
        "created": now(),
    }
    rows.insert_missing(connection, s.projects, row)
    project = find_project(connection, name)
    assert project is not None
    return project


def find_experiment(connection: sa.Connection, project: str, name: str) -> Experiment | None:
    """Return the experiment of that name in `project`, if there is one."""
    c = s.experiments.c
    statement = sa.select(c.pk).join(s.projects).where(s.projects.c.name == project, c.name == name)
    found: Experiment | None = _one(connection, "experiments", statement)
    return found


def make_experiment(
    connection: sa.Connection,
    project: str,
    name: str,
    description: str,
    definition: Mapping[str, JSONValue] | None,
    id_: str,
) -> Experiment:
    """Return the experiment, made when it is not there, with what is given written anew."""
    make_project(connection, project, "")
    text = encode({} if definition is None else definition, "the definition")
    parent = sa.select(s.projects.c.pk).where(s.projects.c.name == project)
    row = {
        "id": id_,
        "project": connection.execute(parent).scalar_one(),
        "name": checked_name("an experiment", name),
        "description": description,
        "definition": text,
        "created": now(),
        "last_execution": 0,
        "last_launch": 0,
        "last_run": 0,
    }
    rows.insert_missing(connection, s.experiments, row)
    changes = {} if definition is None else {"definition": text}
    if description:
        changes["description"] = description
    if changes:
        c = s.experiments.c
        chosen = sa.update(s.experiments).where(c.project == row["project"], c.name == name)
        connection.execute(chosen.values(**changes))
    experiment = find_experiment(connection, project, name)
    assert experiment is not None
    return experiment


def find_execution(
    connection: sa.Connection, experiment_id: str, fingerprint: str
) -> Execution | None:
    """Return the execution of that code version, if there is one."""
    c = s.executions.c
    statement = (
        sa.select(c.pk)
        .join(s.experiments)
        .where(s.experiments.c.id == experiment_id, c.fingerprint == fingerprint)
    )
    found: Execution | None = _one(connection, "executions", statement)
    return found


def make_execution(
    connection: sa.Connection, experiment_id: str, fingerprint: str, code: Mapping[str, JSONValue]
) -> Execution:
    """Return the execution of that code version, numbered anew when it is not there."""
    # Taking the number first locks the experiment, so that nobody makes the same one.
    experiment, number = next_number(connection, experiment_id, "last_execution")
    found = find_execution(connection, experiment_id, fingerprint)
    if found is not None:
        give_back = sa.update(s.experiments).where(s.experiments.c.pk == experiment)
        connection.execute(give_back.values(last_execution=number - 1))
        return found
    row = {
        "id": new_id(),
        "experiment": experiment,
        "number": number,
        "fingerprint": fingerprint,
        "code": encode(code, "the code"),
        "created": now(),
    }
    rows.insert(connection, s.executions, [row])
    made = find_execution(connection, experiment_id, fingerprint)
    assert made is not None
    return made


def next_number(
    connection: sa.Connection, experiment_id: str, counter: str, count: int = 1
) -> tuple[int, int]:
    """Return the experiment's primary key and the first of `count` fresh numbers."""
    column = s.experiments.c[counter]
    statement = (
        sa.update(s.experiments)
        .where(s.experiments.c.id == experiment_id)
        .values({counter: column + count})
        .returning(s.experiments.c.pk, column)
    )
    row = connection.execute(statement).first()
    if row is None:
        raise NotFoundError(f"no experiment {experiment_id!r} in the store")
    return row[0], row[1] - count + 1


def find_dataset(connection: sa.Connection, name: str, digest: str) -> Dataset | None:
    """Return the version with this name and digest, if there is one."""
    c = s.datasets.c
    statement = sa.select(c.pk).join(s.dataset_names)
    statement = statement.where(s.dataset_names.c.name == name, c.digest == digest)
    found: Dataset | None = _one(connection, "datasets", statement)
    return found


def make_dataset(connection: sa.Connection, dataset: Dataset) -> Dataset:
    """Return the version with this name and digest, kept as the next one when it is new."""
    c = s.dataset_names.c
    first = {"name": checked_name("a dataset", dataset.name), "last_version": 0}
    rows.insert_missing(connection, s.dataset_names, first)
    # As for executions: the row is locked before it is asked what there is.
    lock = sa.select(c.pk, c.last_version).where(c.name == dataset.name).with_for_update()
    name_pk, last = connection.execute(lock).one()
    found = find_dataset(connection, dataset.name, dataset.digest)
    if found is not None:
        return found if told_alike(found, dataset) else _retold(connection, name_pk, dataset)
    connection.execute(
        sa.update(s.dataset_names).where(c.pk == name_pk).values(last_version=last + 1)
    )
    [pk] = rows.reserve(connection, s.datasets, 1)
    row = {
        "pk": pk,
        "name": name_pk,
        "version": last + 1,
        "digest": dataset.digest,
        "columns": encode_columns(dataset.columns),
        "rows": dataset.rows,
        "description": dataset.description,
        "source": dataset.source,
        "created": now(),
    }
    rows.insert(connection, s.datasets, [row])
    links = list(rows.link_rows("datasets", pk, dataset.content))
    rows.insert(connection, s.artifact_links, links)
    made: Dataset = load(connection, "datasets", [pk])[0]
    return made


def told_alike(found: Dataset, dataset: Dataset) -> bool:
    """Whether a version is told as it is kept; what is left empty is not told."""
    told = (dataset.content, dataset.columns)
    return told == (found.content, found.columns) and all(
        new in ("", old)
        for new, old in (
            (dataset.description, found.description),
            (dataset.source, found.source),
        )
    )


def _retold(connection: sa.Connection, name_pk: int, dataset: Dataset) -> Dataset:
    """Write anew where the bytes of a version lie, and what is declared of it."""
    c = s.datasets.c
    kept = sa.select(c.pk).where(c.name == name_pk, c.digest == dataset.digest)
    pk = connection.execute(kept).scalar_one()
    values: dict[str, Any] = {"columns": encode_columns(dataset.columns)}
    for name in ("description", "source"):
        if getattr(dataset, name):
            values[name] = getattr(dataset, name)
    connection.execute(sa.update(s.datasets).where(c.pk == pk).values(**values))
    rows.unlink(connection, "datasets", [pk])
    links = list(rows.link_rows("datasets", pk, dataset.content))
    rows.insert(connection, s.artifact_links, links)
    retold: Dataset = load(connection, "datasets", [pk])[0]
    return retold


def has_environment(connection: sa.Connection, digest: str) -> bool:
    """Whether there is an environment of that digest."""
    return _has(connection, s.environments, digest)


def has_split(connection: sa.Connection, digest: str) -> bool:
    """Whether there is a split of that digest."""
    return _has(connection, s.splits, digest)


def _has(connection: sa.Connection, table: sa.Table, digest: str) -> bool:
    statement = sa.select(table.c.pk).where(table.c.digest == digest)
    return connection.execute(statement).first() is not None


def make_environment(connection: sa.Connection, environment: Environment) -> None:
    """Keep an environment unless its digest is there."""
    content = encode(environment.content, "the environment")
    row = {"digest": environment.digest, "content": content}
    rows.insert_missing(connection, s.environments, row)


def make_split(connection: sa.Connection, split: Split) -> None:
    """Keep a split unless its digest is there."""
    [pk] = rows.reserve(connection, s.splits, 1)
    row = {
        "pk": pk,
        "digest": split.digest,
        "folds": split.folds,
        "description": encode(split.description, "the description of the split"),
    }
    rows.insert_missing(connection, s.splits, row)
    kept = sa.select(s.splits.c.pk).where(s.splits.c.digest == split.digest)
    if connection.execute(kept).scalar() == pk:
        links = list(rows.link_rows("splits", pk, [split.artifact]))
        rows.insert(connection, s.artifact_links, links)
