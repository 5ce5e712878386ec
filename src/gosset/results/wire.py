"""Entities as JSON: the one form that commands print and files carry."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime

from ..compare import Objective, Score, best_group
from ..entities import (
    ArtifactRef,
    Attempt,
    CacheEntry,
    Computation,
    Dataset,
    ExceptionInfo,
    Execution,
    Experiment,
    Hyperparameter,
    Launch,
    Project,
    Run,
)
from ..exceptions import SerializationError
from ..planner.plan import Action, Plan
from ..storage.base import ArtifactSummary, MetricSummary
from ..types import JSONValue


def to_json(entity: object) -> dict[str, JSONValue]:
    """Return any entity as lists print it.

    Raises
    ------
    SerializationError
        It is none.
    """
    for kind, convert in _FORMS.items():
        if isinstance(entity, kind):
            return convert(entity)
    raise SerializationError(f"a {type(entity).__name__} is no entity")


def run_to_json(run: Run) -> dict[str, JSONValue]:
    """Return a run as ``list runs --json`` prints it.

    ``metrics`` maps name → mean over the folds, ``metrics_std`` name → standard deviation,
    ``metrics_folds`` name → values in fold order. JSON knows no NaN or infinity: they
    appear as text.
    """
    return {
        "id": run.id,
        "number": run.number,
        "name": run.name,
        "project": run.project,
        "experiment": run.experiment,
        "execution": run.execution,
        "launch": run.launch,
        "status": str(run.status),
        "seed": run.seed,
        "params": plain(run.params),
        "metrics": {name: _number(metric.value) for name, metric in run.metrics.items()},
        "metrics_std": {
            name: _number(metric.std)
            for name, metric in run.metrics.items()
            if metric.std is not None
        },
        "metrics_folds": {
            name: [_number(value) for value in metric.folds]
            for name, metric in run.metrics.items()
            if metric.folds
        },
        "fields": plain(run.fields),
        "tags": list(run.tags),
        "dataset": run.dataset,
        "split": run.split,
        "started": _time(run.started),
        "ended": _time(run.ended),
        "duration": run.duration,
        "cached": run.cached,
    }


def launch_to_json(
    launch: Launch,
    runs: Sequence[Run],
    *,
    computations: Mapping[str, int],
    objective: Objective | None,
) -> dict[str, JSONValue]:
    """Return what ``run --json`` prints of a launch.

    ``best`` has the parameter set that won, with the id and number of its first run: its
    ``value`` and ``std`` are those of the summary, over ``seeds`` runs; ``n`` is how many
    values the deviation is over, those of all their folds.
    """
    told: JSONValue = None
    best = best_group(runs, objective)
    if best and objective is not None:
        name, direction = objective
        score = Score.of(best, name)
        told = {
            "id": best[0].id,
            "number": best[0].number,
            "params": plain(best[0].params),
            "metric": name,
            "value": _number(score.mean),
            "std": _number(score.std),
            "n": score.n,
            "seeds": score.runs,
            "direction": str(direction),
        }
    return {
        "project": launch.project,
        "experiment": launch.experiment,
        "execution": launch.execution,
        "launch": launch.number,
        "id": launch.id,
        "status": str(launch.status),
        "duration": launch.duration,
        "runs": [
            {**run_to_json(run), "exception": exception_to_json(run.exception)} for run in runs
        ],
        "computations": dict(computations),
        "best": told,
    }


def plan_to_json(plan: Plan) -> dict[str, JSONValue]:
    """Return what ``run --plan --json`` prints of a plan: counts and reasons by stage."""
    reasons = plan.reasons()
    stages: list[JSONValue] = [
        {"stage": stage, **_actions(actions), "why": dict(reasons[stage])}
        for stage, actions in plan.by_stage().items()
    ]
    return {"runs": plan.runs, "stages": stages, "counts": _actions(plan.counts())}


def _actions(counted: Counter[Action]) -> dict[str, JSONValue]:
    return {str(action): counted[action] for action in Action}


def launch_entity_to_json(launch: Launch) -> dict[str, JSONValue]:
    """Return a launch as ``list launches --json`` prints it."""
    return {
        "id": launch.id,
        "project": launch.project,
        "experiment": launch.experiment,
        "execution": launch.execution,
        "number": launch.number,
        "status": str(launch.status),
        "command": launch.command,
        "user": launch.user,
        "host": launch.host,
        "notes": launch.notes,
        "created": _time(launch.created),
        "started": _time(launch.started),
        "ended": _time(launch.ended),
        "duration": launch.duration,
    }


def project_to_json(project: Project) -> dict[str, JSONValue]:
    """Return a project as JSON."""
    return {
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "created": _time(project.created),
    }


def experiment_to_json(experiment: Experiment) -> dict[str, JSONValue]:
    """Return an experiment as JSON, with what was declared."""
    return {
        "id": experiment.id,
        "project": experiment.project,
        "name": experiment.name,
        "description": experiment.description,
        "definition": plain(experiment.definition),
        "created": _time(experiment.created),
    }


def execution_to_json(execution: Execution) -> dict[str, JSONValue]:
    """Return an execution as JSON."""
    return {
        "id": execution.id,
        "project": execution.project,
        "experiment": execution.experiment,
        "number": execution.number,
        "fingerprint": execution.fingerprint,
        "created": _time(execution.created),
    }


def computation_to_json(computation: Computation) -> dict[str, JSONValue]:
    """Return a computation as ``show RUN --json`` prints it; run and launch are ids."""
    return {
        "id": computation.id,
        "run": computation.run,
        "launch": computation.launch,
        "stage": computation.stage,
        "fold": computation.fold,
        "status": str(computation.status),
        "key": computation.key,
        "inputs": dict(computation.inputs),
        "outputs": [artifact_to_json(artifact) for artifact in computation.outputs],
        "started": _time(computation.started),
        "wall": computation.wall,
        "cpu": computation.cpu,
        "memory": computation.memory,
        "log": computation.log,
        "exception": exception_to_json(computation.exception),
    }


def artifact_to_json(artifact: ArtifactRef) -> dict[str, JSONValue]:
    """Return where a value lies as JSON."""
    return {
        "name": artifact.name,
        "format": artifact.format,
        "digest": artifact.digest,
        "size": artifact.size,
    }


def attempt_to_json(attempt: Attempt) -> dict[str, JSONValue]:
    """Return an attempt as JSON."""
    return {
        "number": attempt.number,
        "status": str(attempt.status),
        "resource": attempt.resource,
        "execution": attempt.execution,
        "started": _time(attempt.started),
        "ended": _time(attempt.ended),
        "exception": exception_to_json(attempt.exception),
    }


def dataset_to_json(dataset: Dataset) -> dict[str, JSONValue]:
    """Return a version of a dataset as JSON, with its columns."""
    return {
        "name": dataset.name,
        "version": dataset.version,
        "digest": dataset.digest,
        "rows": dataset.rows,
        "columns": [
            {
                "name": column.name,
                "dtype": column.dtype,
                "role": column.role,
                "unit": column.unit,
                "description": column.description,
                "labels": list(column.labels),
            }
            for column in dataset.columns
        ],
        "targets": list(dataset.targets),
        "description": dataset.description,
        "source": dataset.source,
        "created": _time(dataset.created),
    }


def hyperparameter_to_json(hyperparameter: Hyperparameter) -> dict[str, JSONValue]:
    """Return an effective parameter of an estimator as JSON."""
    return {
        field.name: plain(getattr(hyperparameter, field.name)) for field in fields(hyperparameter)
    }


def cache_entry_to_json(entry: CacheEntry) -> dict[str, JSONValue]:
    """Return an entry of the cache as JSON."""
    return {
        "key": entry.key,
        "stage": entry.stage,
        "recipe": entry.recipe,
        "parts": plain(entry.parts),
        "outputs": [artifact_to_json(artifact) for artifact in entry.outputs],
        "size": sum(artifact.size for artifact in entry.outputs),
        "wall": entry.wall,
        "created": _time(entry.created),
        "evicted": entry.evicted,
    }


def metric_summary_to_json(metric: MetricSummary) -> dict[str, JSONValue]:
    """Return a metric over many runs as JSON."""
    return {
        "name": metric.name,
        "direction": metric.direction,
        "runs": metric.runs,
        "minimum": _number(metric.minimum),
        "mean": _number(metric.mean),
        "maximum": _number(metric.maximum),
    }


def artifact_summary_to_json(artifact: ArtifactSummary) -> dict[str, JSONValue]:
    """Return an artifact that the catalog knows as JSON."""
    return {
        "digest": artifact.digest,
        "format": artifact.format,
        "size": artifact.size,
        "references": artifact.references,
    }


def exception_to_json(exception: ExceptionInfo | None) -> JSONValue:
    """Return an exception as JSON; None stays None."""
    if exception is None:
        return None
    return {
        "type": exception.type,
        "message": exception.message,
        "traceback": exception.traceback,
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _number(value: float | None) -> JSONValue:
    if value is None or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def plain_mapping(mapping: Mapping[str, object]) -> dict[str, JSONValue]:
    """Return a mapping as JSON values, in which numbers that are not finite are text."""
    return {str(name): plain(item) for name, item in mapping.items()}


def plain(value: object) -> JSONValue:
    """Return a value as JSON values, in which numbers that are not finite are text."""
    if isinstance(value, Mapping):
        return plain_mapping(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return _number(value)
    return value  # type: ignore[return-value]


_FORMS: Mapping[type, Callable[..., dict[str, JSONValue]]] = {
    Run: run_to_json,
    Launch: launch_entity_to_json,
    Execution: execution_to_json,
    Experiment: experiment_to_json,
    Project: project_to_json,
    Computation: computation_to_json,
    Dataset: dataset_to_json,
    CacheEntry: cache_entry_to_json,
    MetricSummary: metric_summary_to_json,
    ArtifactSummary: artifact_summary_to_json,
}
