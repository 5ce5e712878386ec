"""Tells all that the store knows of one thing, as JSON values."""

from __future__ import annotations

from typing import cast

from ..entities import Dataset, Execution, Experiment, Launch, Project, Run
from ..exceptions import NotFoundError
from ..filters import equal
from ..fingerprint import derive_seed
from ..results import wire
from ..storage.base import ArtifactSummary
from ..store import Store
from ..types import JSONValue
from .lookup import Entity


def details(store: Store, entity: Entity) -> dict[str, JSONValue]:
    """Return all that the store knows of an entity, as ``gosset show --json`` prints it.

    Parameters
    ----------
    store : Store
    entity : Run, Launch, Execution, Experiment, Project, Dataset or ArtifactSummary

    Returns
    -------
    dict
        What lists print of it, and what belongs to it.
    """
    match entity:
        case Run():
            return _run_details(store, entity)
        case Launch():
            return _launch_details(store, entity)
        case Execution():
            return {**wire.to_json(entity), "code": wire.plain_mapping(entity.code)}
        case Experiment():
            return _experiment_details(store, entity)
        case Project():
            held = store.catalog.select("experiments", where=equal(project=entity.name))
            names = [experiment.name for experiment in cast("list[Experiment]", held)]
            return {**wire.to_json(entity), "experiments": [*names]}
        case Dataset():
            content = [wire.artifact_to_json(artifact) for artifact in entity.content]
            return {**wire.to_json(entity), "content": list(content)}
        case ArtifactSummary():
            present = store.artifacts.contains(entity.digest)
            return {**wire.to_json(entity), "present": present}


def _run_details(store: Store, run: Run) -> dict[str, JSONValue]:
    computations = store.catalog.computations(run.id)
    launch = launch_of(store, run)
    execution = execution_of(store, run)
    code: dict[str, JSONValue] = {}
    if execution is not None:
        code = {"fingerprint": execution.fingerprint, **wire.plain_mapping(execution.code)}
    artifacts: list[JSONValue] = [
        {"stage": c.stage, "fold": c.fold, **wire.artifact_to_json(artifact)}
        for c in computations
        for artifact in c.outputs
        if not artifact.name.startswith("@")  # those are Gosset's own
    ]
    artifacts += [
        {"stage": None, "fold": None, **wire.artifact_to_json(artifact)}
        for artifact in store.artifacts_of(run).values()
    ]
    return {
        **wire.run_to_json(run),
        "notes": run.notes,
        "parent": run.parent,
        "config": wire.plain_mapping(run.config),
        "alerts": [
            {"time": alert.moment, "level": alert.level, "title": alert.title, "text": alert.text}
            for alert in store.catalog.alerts(run.id)
        ],
        "fold_seeds": _fold_seeds(store, run),
        "hyperparameters": [wire.hyperparameter_to_json(h) for h in run.hyperparameters],
        "computations": [wire.computation_to_json(c) for c in computations],
        "attempts": [wire.attempt_to_json(a) for a in store.catalog.attempts(run.id)],
        "code": {**code, "version": {} if launch is None else wire.plain(launch.provenance)},
        "command": None if launch is None else launch.command,
        "environment": None if launch is None else _environment(store, launch),
        "artifacts": artifacts,
        "exception": wire.exception_to_json(run.exception),
        "console": [
            {"stream": piece.stream, "time": piece.time, "text": piece.text}
            for piece in store.catalog.console(run.id)
        ],
    }


def _fold_seeds(store: Store, run: Run) -> list[JSONValue]:
    """Return what a stage that takes ``seed`` is given on each fold, a fit among them."""
    if run.split is None or run.seed is None:
        return []
    folds = store.catalog.split(run.split).folds
    return [derive_seed(run.seed, "fold", fold) for fold in range(folds)]


def _launch_details(store: Store, launch: Launch) -> dict[str, JSONValue]:
    return {
        **wire.to_json(launch),
        "settings": wire.plain(launch.settings),
        "provenance": wire.plain(launch.provenance),
        "environment": _environment(store, launch),
        "runs": [wire.run_to_json(run) for run in store.runs_of(launch)],
        "computations": [
            wire.computation_to_json(c) for c in store.catalog.computations(launch_id=launch.id)
        ],
    }


def launch_of(store: Store, run: Run) -> Launch | None:
    """Return the launch of a run; None where it was deleted."""
    return cast("Launch | None", _numbered(store, "launches", run, run.launch))


def execution_of(store: Store, run: Run) -> Execution | None:
    """Return the code version of a run; None where it was deleted."""
    return cast("Execution | None", _numbered(store, "executions", run, run.execution))


def latest_execution(store: Store, experiment: Experiment) -> Execution | None:
    """Return the latest code version of an experiment; None before its first launch."""
    reference = f"{experiment.name}#latest"
    try:
        found = store.catalog.find("executions", reference, project=experiment.project)
    except NotFoundError:
        return None
    return cast("Execution", found)


def _numbered(store: Store, kind: str, run: Run, number: int) -> object:
    try:
        return store.catalog.find(kind, f"{run.experiment}#{number}", project=run.project)
    except NotFoundError:
        return None


def _environment(store: Store, launch: Launch) -> JSONValue:
    if launch.environment is None:
        return None
    found = store.catalog.environment(launch.environment)
    return {"digest": found.digest, **wire.plain_mapping(found.content)}


def _experiment_details(store: Store, experiment: Experiment) -> dict[str, JSONValue]:
    within = equal(project=experiment.project, experiment=experiment.name)
    counts = {
        kind: store.catalog.count(kind, where=within) for kind in ("executions", "launches", "runs")
    }
    execution = latest_execution(store, experiment)
    return {
        **wire.to_json(experiment),
        **counts,
        "code": {} if execution is None else wire.plain_mapping(execution.code),
    }
