"""Runs of their own for a copy of an experiment: the same content under other ids."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from ..entities import Attempt, Execution, Experiment, Launch, Run, Status
from ..filters import equal
from ..identifiers import new_id, now
from ..provenance import command_line, host, user
from ..storage.changes import Batch, NewRun, RunUpdate
from ..storage.news import Kept, News
from ..store import Store

COPIED_FROM = "copied_from"
"""Name of the field that holds the id of the run which a run is a copy of."""

_AT_ONCE = 10
"""Runs whose points are in memory together."""


def copied(
    store: Store, entities: Sequence[Run], *, project: str, experiment: str, id: str
) -> dict[str, Run]:
    """Copy runs that have ended into an experiment, which is made where it is not there.

    Parameters, metrics, points, fields, tags and artifacts come with them; their computations
    stay with the originals, which the field ``copied_from`` names. Of a copy that fails nothing
    is left but its launch, failed, where the experiment was there before.

    Parameters
    ----------
    id : str
        Of the experiment, where it is made.

    Returns
    -------
    dict
        Id of the original → copy.
    """
    if not entities:
        return {}
    with ExitStack() as begun:
        launch, ids = _copied(store, entities, project, experiment, id, begun)
        begun.pop_all()
    found = {run.id: run for run in store.runs_of(launch)}
    return {entity.id: found[ids[entity.id]] for entity in entities}


def _copied(
    store: Store, entities: Sequence[Run], project: str, experiment: str, id: str, begun: ExitStack
) -> tuple[Launch, dict[str, str]]:
    """Return the launch of the copies, and their ids; tell `begun` what is to be undone."""
    origin = _experiment(store, entities[0])
    there = store.select("experiments", equal(project=project, name=experiment))
    made = store.catalog.ensure_experiment(
        project, experiment, description=origin.description, definition=origin.definition, id=id
    )
    if not there and made.id == id:
        begun.callback(store.catalog.delete, "experiments", id)
    attempts = [attempt for entity in entities for attempt in store.catalog.attempts(entity.id)]
    executions = _executions(store, entities, attempts, made)
    launch = store.catalog.add_launch(
        made.id,
        execution=executions[entities[0].id, entities[0].execution],
        command=command_line(),
        user=user(),
        host=host(),
        pid=os.getpid(),
        notes=f"copies of runs of {origin.project}/{origin.name}",
        settings={COPIED_FROM: [*dict.fromkeys(f"{r.project}/{r.experiment}" for r in entities)]},
        status=Status.RUNNING,
    )
    began = now()
    begun.callback(
        lambda: store.catalog.update_launch(launch.id, status=Status.FAILED, ended=now())
    )
    ids = {entity.id: new_id() for entity in entities}
    store.catalog.add_runs(launch.id, [_new(entity, ids[entity.id]) for entity in entities])
    for copy in ids.values():
        begun.callback(store.catalog.delete, "runs", copy)
    for start in range(0, len(entities), _AT_ONCE):
        some = entities[start : start + _AT_ONCE]
        store.catalog.sink().write([_said(store, entity, ids[entity.id]) for entity in some])
    ended = [
        _ended(entity, ids[entity.id], executions[entity.id, entity.execution])
        for entity in entities
    ]
    tried = [
        replace(attempt, run=ids[attempt.run], execution=executions[attempt.run, attempt.execution])
        for attempt in attempts
    ]
    # Last of all, so that none looks complete before it is.
    store.catalog.record(Batch(runs=ended, attempts=tried))
    store.catalog.update_launch(launch.id, status=Status.COMPLETE, started=began, ended=now())
    return launch, ids


def _experiment(store: Store, entity: Run) -> Experiment:
    found = store.catalog.find("experiments", entity.experiment, project=entity.project)
    assert isinstance(found, Experiment)
    return found


def _executions(
    store: Store, entities: Sequence[Run], attempts: Sequence[Attempt], made: Experiment
) -> dict[tuple[str, int], int]:
    """Return (run, execution) of the originals → number of the same code in the copy."""
    of_run = {entity.id: entity for entity in entities}
    at_work = {(entity.id, entity.execution) for entity in entities}
    at_work |= {(attempt.run, attempt.execution) for attempt in attempts}
    known: dict[tuple[str, str, int], int] = {}
    for run, number in sorted(at_work, key=lambda pair: pair[1]):
        entity = of_run[run]
        at = entity.project, entity.experiment, number
        if at not in known:
            of = equal(project=entity.project, experiment=entity.experiment, number=number)
            (execution,) = store.select("executions", of)
            assert isinstance(execution, Execution)
            same = store.catalog.ensure_execution(made.id, execution.fingerprint, execution.code)
            known[at] = same.number
    return {
        (run, number): known[of_run[run].project, of_run[run].experiment, number]
        for run, number in at_work
    }


def _new(entity: Run, id_: str) -> NewRun:
    return NewRun(
        id=id_,
        params=entity.params,
        group=entity.group,
        seed=entity.seed,
        tags=entity.tags,
        dataset=entity.dataset,
        split=entity.split,
        config=entity.config,
    )


def _said(store: Store, entity: Run, id_: str) -> News:
    """Return the points, fields and artifacts of a run as what another one says."""
    points = [
        (name, number, chunk)
        for name, chunks in store.catalog.series(entity.id).items()
        for number, chunk in enumerate(chunks)
    ]
    kept = store.catalog.artifacts(entity.id)
    return News(
        run=id_,
        writer=int.from_bytes(os.urandom(8), "big") >> 1,
        number=1,
        points=points,
        summaries={m.name: m.series for m in entity.metrics.values() if m.series is not None},
        fields={**entity.fields, COPIED_FROM: entity.id},
        artifacts=[Kept(r.name, r.format, r.digest, r.size, r.inline) for r in kept],
        notes=entity.notes or None,
    )


def _ended(entity: Run, id_: str, execution: int) -> RunUpdate:
    return RunUpdate(
        id=id_,
        status=entity.status,
        started=entity.started,
        ended=entity.ended,
        metrics=[*entity.metrics.values()],
        hyperparameters=entity.hyperparameters,
        exception=entity.exception,
        cached=entity.cached,
        execution=execution,
    )
