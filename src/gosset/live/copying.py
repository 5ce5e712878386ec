"""Runs of their own for a copy of an experiment: the same content under other ids."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from ..entities import Attempt, Execution, Experiment, Run, Status
from ..filters import equal
from ..identifiers import new_id, now
from ..provenance import command_line, host, user
from ..storage.base import Batch, NewRun, RunUpdate
from ..storage.news import Kept, News
from ..store import Store

COPIED_FROM = "copied_from"
"""Name of the field that holds the id of the run which a run is a copy of."""


def copied(
    store: Store, records: Sequence[Run], *, project: str, experiment: str, id: str
) -> dict[str, Run]:
    """Copy runs that have ended into an experiment, which is made where it is not there.

    Parameters, metrics, points, fields, tags and artifacts come with them; their computations
    stay with the originals, which the field ``copied_from`` names.

    Parameters
    ----------
    id : str
        Of the experiment, where it is made.

    Returns
    -------
    dict
        Id of the original → copy.
    """
    if not records:
        return {}
    origin = _experiment(store, records[0])
    made = store.catalog.ensure_experiment(
        project, experiment, description=origin.description, definition=origin.definition, id=id
    )
    attempts = [attempt for record in records for attempt in store.catalog.attempts(record.id)]
    executions = _executions(store, records, attempts, made)
    launch = store.catalog.add_launch(
        made.id,
        execution=executions[records[0].id, records[0].execution],
        command=command_line(),
        user=user(),
        host=host(),
        pid=os.getpid(),
        notes=f"copies of runs of {origin.project}/{origin.name}",
        settings={COPIED_FROM: [*dict.fromkeys(f"{r.project}/{r.experiment}" for r in records)]},
        status=Status.RUNNING,
    )
    began = now()
    ids = {record.id: new_id() for record in records}
    store.catalog.add_runs(launch.id, [_new(record, ids[record.id]) for record in records])
    store.catalog.sink().write([_said(store, record, ids[record.id]) for record in records])
    ended = [
        _ended(record, ids[record.id], executions[record.id, record.execution])
        for record in records
    ]
    tried = [
        replace(attempt, run=ids[attempt.run], execution=executions[attempt.run, attempt.execution])
        for attempt in attempts
    ]
    # Last of all, so that none looks complete before it is.
    store.catalog.record(Batch(runs=ended, attempts=tried))
    store.catalog.update_launch(launch.id, status=Status.COMPLETE, started=began, ended=now())
    found = {run.id: run for run in store.runs_of(launch)}
    return {record.id: found[ids[record.id]] for record in records}


def _experiment(store: Store, record: Run) -> Experiment:
    found = store.catalog.find("experiments", record.experiment, project=record.project)
    assert isinstance(found, Experiment)
    return found


def _executions(
    store: Store, records: Sequence[Run], attempts: Sequence[Attempt], made: Experiment
) -> dict[tuple[str, int], int]:
    """Return (run, execution) of the originals → number of the same code in the copy."""
    of_run = {record.id: record for record in records}
    at_work = {(record.id, record.execution) for record in records}
    at_work |= {(attempt.run, attempt.execution) for attempt in attempts}
    known: dict[tuple[str, str, int], int] = {}
    for run, number in sorted(at_work, key=lambda pair: pair[1]):
        record = of_run[run]
        at = record.project, record.experiment, number
        if at not in known:
            of = equal(project=record.project, experiment=record.experiment, number=number)
            (execution,) = store.select("executions", of)
            assert isinstance(execution, Execution)
            same = store.catalog.ensure_execution(made.id, execution.fingerprint, execution.code)
            known[at] = same.number
    return {
        (run, number): known[of_run[run].project, of_run[run].experiment, number]
        for run, number in at_work
    }


def _new(record: Run, id_: str) -> NewRun:
    return NewRun(
        id=id_,
        params=record.params,
        group=record.group,
        seed=record.seed,
        tags=record.tags,
        dataset=record.dataset,
        split=record.split,
        config=record.config,
    )


def _said(store: Store, record: Run, id_: str) -> News:
    """Return the points, fields and artifacts of a run as what another one says."""
    points = [
        (name, number, chunk)
        for name, chunks in store.catalog.series(record.id).items()
        for number, chunk in enumerate(chunks)
    ]
    kept = store.catalog.artifacts(record.id)
    return News(
        run=id_,
        writer=int.from_bytes(os.urandom(8), "big") >> 1,
        number=1,
        points=points,
        summaries={m.name: m.series for m in record.metrics.values() if m.series is not None},
        fields={**record.fields, COPIED_FROM: record.id},
        artifacts=[Kept(r.name, r.format, r.digest, r.size, r.inline) for r in kept],
        notes=record.notes or None,
    )


def _ended(record: Run, id_: str, execution: int) -> RunUpdate:
    return RunUpdate(
        id=id_,
        status=record.status,
        started=record.started,
        ended=record.ended,
        metrics=[*record.metrics.values()],
        hyperparameters=record.hyperparameters,
        exception=record.exception,
        cached=record.cached,
        execution=execution,
    )
