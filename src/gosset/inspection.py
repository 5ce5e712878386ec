"""Tells all that the store knows of one thing, as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from . import wire
from .entities import (
    Computation,
    Dataset,
    Execution,
    Experiment,
    Launch,
    Project,
    Run,
)
from .exceptions import NotFoundError
from .explain import Explanation, Made, explain
from .lookup import Entity
from .outcome import runs_of
from .storage.base import ArtifactSummary
from .store import Store
from .types import JSONValue


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
            return run_details(store, entity)
        case Launch():
            return launch_details(store, entity)
        case Execution():
            return {**wire.to_json(entity), "code": wire.plain(entity.code)}
        case Experiment():
            return _experiment_details(store, entity)
        case Project():
            names = [
                e.name
                for e in store.catalog.select("experiments")
                if isinstance(e, Experiment) and e.project == entity.name
            ]
            return {**wire.to_json(entity), "experiments": list(names)}
        case Dataset():
            content = [wire.artifact_to_json(artifact) for artifact in entity.content]
            return {**wire.to_json(entity), "content": list(content)}
        case ArtifactSummary():
            present = store.artifacts.contains(entity.digest)
            return {**wire.to_json(entity), "present": present}


def run_details(store: Store, run: Run) -> dict[str, JSONValue]:
    """Return all that the store knows of a run.

    Returns
    -------
    dict
        ``computations``, ``attempts``, ``code``, ``environment``, ``artifacts``,
        ``exception`` and ``hyperparameters`` beside what lists print.
    """
    computations = store.catalog.computations(run.id)
    launch = launch_of(store, run)
    execution = execution_of(store, run)
    artifacts: list[JSONValue] = [
        {"stage": c.stage, "fold": c.fold, **wire.artifact_to_json(artifact)}
        for c in computations
        for artifact in c.outputs
    ]
    return {
        **wire.run_to_json(run),
        "hyperparameters": [wire.hyperparameter_to_json(h) for h in run.hyperparameters],
        "computations": [wire.computation_to_json(c) for c in computations],
        "attempts": [wire.attempt_to_json(a) for a in store.catalog.attempts(run.id)],
        "code": {
            **({} if execution is None else {"fingerprint": execution.fingerprint}),
            **({} if execution is None else wire.plain_mapping(execution.code)),
            "version": {} if launch is None else wire.plain(launch.provenance),
        },
        "command": None if launch is None else launch.command,
        "environment": None if launch is None else _environment(store, launch),
        "artifacts": artifacts,
        "exception": wire.exception_to_json(run.exception),
    }


def launch_details(store: Store, launch: Launch) -> dict[str, JSONValue]:
    """Return all that the store knows of a launch, with its runs."""
    return {
        **wire.to_json(launch),
        "settings": wire.plain(launch.settings),
        "provenance": wire.plain(launch.provenance),
        "environment": _environment(store, launch),
        "runs": [wire.run_to_json(run) for run in runs_of(store, launch)],
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


def explanation(store: Store, run: Run, stage: str, fold: int | None = None) -> list[Explained]:
    """Say why a stage of a run was or was not taken from the cache.

    Parameters
    ----------
    store : Store
    run : Run
    stage : str
    fold : int, optional
        By default all folds.

    Returns
    -------
    list of (Computation, Explanation)
        One for each fold.

    Raises
    ------
    NotFoundError
        The run has no such computation.
    """
    computations = store.catalog.computations(run.id)
    chosen = [c for c in computations if c.stage == stage and fold in (None, c.fold)]
    if not chosen:
        raise _no_computation(run, stage, fold, computations)
    history = _History(store, run, stage)
    return [(c, history.explain(c)) for c in chosen]


Explained = tuple[Computation, Explanation]


class _History:
    """The computations of one stage in one experiment, each looked up once."""

    def __init__(self, store: Store, run: Run, stage: str) -> None:
        self._store = store
        self._run = run
        made = [
            c
            for c in store.select("computations", f"stage == {wire.quoted(stage)}")
            if isinstance(c, Computation) and c.started is not None and c.key is not None
        ]
        self._carried_out = sorted(made, key=lambda c: (c.started is None, c.started, c.id))
        self._runs: dict[str, Run] = {
            r.id: r for r in store.runs(f"project == {wire.quoted(run.project)}")
        }
        self._launches: dict[int, Launch | None] = {}
        self._executions: dict[int, Execution | None] = {}

    def explain(self, computation: Computation) -> Explanation:
        others = [c for c in self._carried_out if c.id != computation.id]
        same = [c for c in others if c.key == computation.key and computation.key is not None]
        earlier = [
            c
            for c in others
            if c.key != computation.key
            and c.fold == computation.fold
            and computation.started is not None
            and c.started is not None
            and c.started < computation.started
        ]
        entries = self._store.catalog.entries({c.key for c in (computation, *earlier) if c.key})
        return explain(
            self._made(computation, entries.get(computation.key or ""), self._run),
            [self._made(c, None, self._runs[c.run]) for c in same if c.run in self._runs],
            [
                self._made(c, entries.get(c.key or ""), self._runs[c.run])
                for c in earlier
                if c.run in self._runs and self._alike(self._runs[c.run])
            ],
        )

    def _alike(self, run: Run) -> bool:
        return run.experiment == self._run.experiment

    def _made(self, computation: Computation, entry: object, run: Run) -> Made:
        ...


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
