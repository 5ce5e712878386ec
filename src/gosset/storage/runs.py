"""Runs: added, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ..entities import Metric, Run, Status
from ..exceptions import NotFoundError, UsageError
from ..identifiers import new_id, now
from ..naming import checked_name
from . import documents as d
from . import rows
from . import schema as s
from .changes import NewRun, RunUpdate
from .chunking import chunks
from .declare import next_number
from .numbers import as_double
from .read import load
from .values import decode, encode, side_row, whole_number


def add(connection: sa.Connection, launch_id: str, new: Sequence[NewRun]) -> list[Run]:
    """Add runs in status ``queued``, numbered on in their experiment, in order."""
    launch = _launch(connection, launch_id)
    if not new:
        return []
    experiment, number = next_number(connection, launch.experiment_id, "last_run", len(new))
    pks = rows.reserve(connection, s.runs, len(new))
    time = now()
    made = []
    for offset, (pk, run) in enumerate(zip(pks, new, strict=True)):
        _check(run)
        default = f"{launch.experiment_name}#{number + offset}"
        made.append(
            {
                "pk": pk,
                "id": run.id or new_id(),
                "experiment": experiment,
                "launch": launch.pk,
                "number": number + offset,
                "execution": launch.execution,
                "name": checked_name("a run", run.name) if run.name else default,
                "status": Status.QUEUED,
                "seed": run.seed,
                "group": run.group,
                "dataset": run.dataset,
                "split": run.split,
                "cached": False,
                "created": time,
                "params": encode(run.params, f"parameters {run.params!r}"),
                "metrics": "{}",
                "fields": "{}",
                "hyperparameters": "[]",
                "tags": encode(list(dict.fromkeys(run.tags)), "tags"),
                "config": encode(run.config, "the configuration"),
            }
        )
    rows.insert(connection, s.runs, made)
    pairs = list(zip(pks, new, strict=True))
    params = [side_row(pk, name, v) for pk, run in pairs for name, v in run.params.items()]
    rows.insert(connection, s.run_params, params)
    rows.insert(connection, s.run_tags, [row for pk, run in pairs for row in _tags(pk, run.tags)])
    return load(connection, "runs", pks)


def _launch(connection: sa.Connection, launch_id: str) -> Any:
    statement = (
        sa.select(
            s.launches.c.pk,
            s.launches.c.experiment,
            s.launches.c.execution,
            s.experiments.c.id.label("experiment_id"),
            s.experiments.c.name.label("experiment_name"),
        )
        .join(s.experiments)
        .where(s.launches.c.id == launch_id)
    )
    row = connection.execute(statement).first()
    if row is None:
        raise NotFoundError(f"no launch {launch_id!r} in the store")
    return row


def _check(run: NewRun) -> None:
    for name in run.params:
        checked_name("a parameter", name)
    for tag in run.tags:
        checked_name("a tag", tag)
    if run.seed is not None and not -(2**63) <= run.seed < 2**63:
        raise UsageError(f"the seed {run.seed} has more than 64 bits", hint="use a smaller one")


def _tags(pk: int, tags: Sequence[str]) -> list[rows.Row]:
    return [{"run": pk, "tag": tag} for tag in dict.fromkeys(tags)]


def update(connection: sa.Connection, updates: Sequence[RunUpdate]) -> None:
    """Write what became of runs; several updates of one run are taken in their order."""
    current = _current(connection, {update.id for update in updates})
    _take_up(connection, current, updates)
    metrics: dict[tuple[int, str], rows.Row] = {}
    fields: dict[tuple[int, str], rows.Row] = {}
    tags: dict[int, tuple[str, ...]] = {}
    for change in updates:
        row = current[change.id]
        pk = row["b_pk"]
        _scalars(row, change)
        if change.metrics:
            for metric in change.metrics:
                checked_name("a metric", metric.name)
                if row["metrics"] is not None:
                    row["metrics"][metric.name] = metric
                metrics[pk, metric.name] = _metric_row(pk, metric)
        for name, value in change.fields.items():
            row["fields"][checked_name("a field", name)] = value
            fields[pk, name] = side_row(pk, name, value)
        if change.tags is not None:
            tags[pk] = tuple(checked_name("a tag", tag) for tag in dict.fromkeys(change.tags))
            row["tags"] = encode(list(tags[pk]), "tags")
    for row in current.values():
        # Those of a run at work stand in `run_metrics` alone.
        row["metrics"] = "" if row["metrics"] is None else d.encode_metrics(row["metrics"])
        row["fields"] = encode(row["fields"], "fields")
    if current:
        connection.execute(_UPDATE, list(current.values()))
    rows.upsert(connection, s.run_metrics, list(metrics.values()))
    rows.upsert(connection, s.run_fields, list(fields.values()))
    for chunk in chunks(tags):
        connection.execute(sa.delete(s.run_tags).where(s.run_tags.c.run.in_(chunk)))
    rows.insert(connection, s.run_tags, [row for pk, of in tags.items() for row in _tags(pk, of)])


def _take_up(
    connection: sa.Connection, current: dict[str, rows.Row], updates: Sequence[RunUpdate]
) -> None:
    """Make runs those of the launch that takes them up."""
    launches: dict[str, Any] = {}
    experiments = {run: row.pop("b_experiment") for run, row in current.items()}
    for change in updates:
        if change.launch is None:
            continue
        if change.launch not in launches:
            launches[change.launch] = _launch(connection, change.launch)
        row, launch = current[change.id], launches[change.launch]
        if row["launch"] == launch.pk:
            continue
        if experiments[change.id] != launch.experiment:
            raise UsageError(
                f"run {change.id} is one of another experiment",
                hint="copy it: experiment.copy() makes runs of their own",
            )
        if not Status(row["status"]).ended:
            raise UsageError(
                f"run {change.id} is {row['status']}: another launch is at work on it",
                hint="wait until it has ended, or stop it",
            )
        row["launch"] = launch.pk


_CHANGING = (
    "launch",
    "status",
    "started",
    "ended",
    "metrics",
    "fields",
    "hyperparameters",
    "tags",
    "exception",
    "cached",
    "dataset",
    "split",
    "execution",
)
_UPDATE = (
    sa.update(s.runs)
    .where(s.runs.c.pk == sa.bindparam("b_pk"))
    .values({name: sa.bindparam(name) for name in _CHANGING})
)


def _current(connection: sa.Connection, ids: set[str]) -> dict[str, rows.Row]:
    """Return id → what can change of each run, locked against others that update it."""
    columns = [s.runs.c[name] for name in _CHANGING]
    found: dict[str, rows.Row] = {}
    for chunk in chunks(ids):
        known = (s.runs.c.pk.label("b_pk"), s.runs.c.experiment.label("b_experiment"))
        statement = sa.select(s.runs.c.id, *known, *columns)
        statement = statement.where(s.runs.c.id.in_(chunk)).order_by(s.runs.c.pk)
        for row in connection.execute(statement.with_for_update(key_share=True)).mappings():
            values = dict(row)
            metrics = values["metrics"]
            values["metrics"] = d.decode_metrics(metrics) if metrics else None
            values["fields"] = decode(values["fields"])
            found[values.pop("id")] = values
    if len(found) < len(ids):
        raise NotFoundError(f"no run {min(ids - found.keys())!r} in the store")
    return found


def _scalars(row: rows.Row, change: RunUpdate) -> None:
    for name in ("status", "started", "cached", "dataset", "split", "execution"):
        value = getattr(change, name)
        if value is not None:
            row[name] = value
    if change.ended is not None:
        row["ended"] = change.ended
    elif change.status is not None and not change.status.ended:
        row["ended"] = None
    if change.hyperparameters is not None:
        row["hyperparameters"] = d.encode_hyperparameters(change.hyperparameters)
    if change.clear_exception:
        row["exception"] = None
    if change.exception is not None:
        row["exception"] = d.encode_exception(change.exception)


def _metric_row(pk: int, metric: Metric) -> rows.Row:
    value = d.exact(metric.value)
    return {
        "run": pk,
        "name": metric.name,
        "value": as_double(value),
        "std": None if metric.std is None else as_double(metric.std),
        "direction": metric.direction,
        "whole": whole_number(value),
    }
