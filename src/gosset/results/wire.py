"""Entities as JSON: the one form that commands print and files carry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from ..compare import Objective, Score, best_group
from ..compare.tables import finite
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
from ..series import Summary
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
    ``metrics_folds`` name → values in fold order, and ``metrics_series`` name → what is kept
    ready of those logged step by step. JSON knows no NaN or infinity: they appear as text.
    """
    metrics = run.metrics.values()
    return {
        **_named(run, "id number name project experiment execution launch status seed params"),
        "metrics": {m.name: plain(m.value) for m in metrics},
        "metrics_std": {m.name: plain(m.std) for m in metrics if m.std is not None},
        "metrics_folds": {m.name: plain(m.folds) for m in metrics if m.folds},
        "metrics_series": {
            m.name: series_to_json(m.series) for m in metrics if m.series is not None
        },
        **_named(run, "fields tags dataset split started ended duration cached"),
    }


def series_to_json(series: Summary) -> dict[str, JSONValue]:
    """Return what is kept ready of a series as JSON; ``step`` is that of its last point."""
    return {
        **_named(series, "count step"),
        "min": plain(series.minimum),
        "max": plain(series.maximum),
        "mean": plain(series.mean),
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
            **_named(best[0], "id number params"),
            "metric": name,
            "value": plain(score.mean),
            "std": plain(score.std),
            "n": score.n,
            "seeds": score.runs,
            "direction": str(direction),
        }
    return {
        **_named(launch, "project experiment execution"),
        "launch": launch.number,
        **_named(launch, "id status duration"),
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
    return _named(
        launch,
        "id project experiment execution number status command user host notes "
        "created started ended duration",
    )


def project_to_json(project: Project) -> dict[str, JSONValue]:
    """Return a project as JSON."""
    return _named(project, "id name description created")


def experiment_to_json(experiment: Experiment) -> dict[str, JSONValue]:
    """Return an experiment as JSON, with what was declared."""
    return _named(experiment, "id project name description definition created")


def execution_to_json(execution: Execution) -> dict[str, JSONValue]:
    """Return an execution as JSON."""
    return _named(execution, "id project experiment number fingerprint created")


def computation_to_json(computation: Computation) -> dict[str, JSONValue]:
    """Return a computation as ``show RUN --json`` prints it; run and launch are ids."""
    return {
        **_named(computation, "id run launch stage fold status key inputs"),
        "outputs": [artifact_to_json(artifact) for artifact in computation.outputs],
        **_named(computation, "started wall cpu memory log"),
        "exception": exception_to_json(computation.exception),
    }


def artifact_to_json(artifact: ArtifactRef) -> dict[str, JSONValue]:
    """Return where a value lies as JSON."""
    return _named(artifact, "name format digest size")


def attempt_to_json(attempt: Attempt) -> dict[str, JSONValue]:
    """Return an attempt as JSON."""
    return {
        **_named(attempt, "number status resource execution started ended"),
        "exception": exception_to_json(attempt.exception),
    }


def dataset_to_json(dataset: Dataset) -> dict[str, JSONValue]:
    """Return a version of a dataset as JSON, with its columns."""
    return {
        **_named(dataset, "name version digest rows"),
        "columns": [
            _named(column, "name dtype role unit description labels") for column in dataset.columns
        ],
        **_named(dataset, "targets description source created"),
    }


def hyperparameter_to_json(hyperparameter: Hyperparameter) -> dict[str, JSONValue]:
    """Return an effective parameter of an estimator as JSON."""
    return _named(hyperparameter, "name value kind")


def cache_entry_to_json(entry: CacheEntry) -> dict[str, JSONValue]:
    """Return an entry of the cache as JSON."""
    return {
        **_named(entry, "key stage recipe parts"),
        "outputs": [artifact_to_json(artifact) for artifact in entry.outputs],
        "size": sum(artifact.size for artifact in entry.outputs),
        **_named(entry, "wall created evicted"),
    }


def metric_summary_to_json(metric: MetricSummary) -> dict[str, JSONValue]:
    """Return a metric over many runs as JSON."""
    return _named(metric, "name direction runs minimum mean maximum")


def artifact_summary_to_json(artifact: ArtifactSummary) -> dict[str, JSONValue]:
    """Return an artifact that the catalog knows as JSON."""
    return _named(artifact, "digest format size references")


def exception_to_json(exception: ExceptionInfo | None) -> JSONValue:
    """Return an exception as JSON; None stays None."""
    return None if exception is None else _named(exception, "type message traceback")


def _named(entity: object, names: str) -> dict[str, JSONValue]:
    """Return the attributes of an entity that go by the same names in JSON, in this order."""
    return {name: plain(getattr(entity, name)) for name in names.split()}


def plain_mapping(mapping: Mapping[str, object]) -> dict[str, JSONValue]:
    """Return a mapping as JSON values, see :func:`plain`."""
    return {str(name): plain(item) for name, item in mapping.items()}


def plain(value: object) -> JSONValue:
    """Return a value as JSON values: times in ISO 8601, numbers that are not finite as text.

    Examples
    --------
    >>> plain({"folds": (0.5, float("nan"))})
    {'folds': [0.5, 'NaN']}
    """
    if isinstance(value, Mapping):
        return plain_mapping(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return finite(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, StrEnum):
        return value.value
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
