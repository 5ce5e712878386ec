"""Computes further metrics from stored results, without fitting anything again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias, cast

from ..blueprints.scoring import labels_view
from ..entities import Dataset, Experiment, Metric, Run
from ..exceptions import MetricError, NotFoundError, StageError
from ..metrics import Resolved, resolve
from ..metrics.results import PARTS
from ..storage.changes import Batch, RunUpdate
from ..store import Store
from .measuring import scored, summarise

Resolver: TypeAlias = Callable[[Sequence[Any]], Resolved]
"""Metrics → the stages that compute them."""

RESULTS = "results"
"""Name of the output that holds the per-row results of a fold."""


def compute_metrics(
    store: Store, runs: Sequence[Run], metrics: Sequence[Any]
) -> dict[str, list[Metric]]:
    """Compute metrics of runs from their stored results, and keep them with the runs.

    Parameters
    ----------
    store : Store
    runs : sequence of Run
    metrics : sequence
        Names (also ``"train/accuracy"``), metric stages or functions. Without a part they
        are computed of every part that the run was evaluated on, as by the run itself.

    Returns
    -------
    dict
        Run id → its new metrics, in the order asked for.

    Raises
    ------
    MetricError
        A metric is unknown, does not fit the task, or needs what was not stored; or a run
        has no stored results. Nothing was written then.
    """
    if not runs:
        resolve(metrics)  # an unknown name is told also where there is no run
    found = {run.id: _of_run(store, run, metrics) for run in runs}
    updates = [RunUpdate(id=run_id, metrics=scores) for run_id, scores in found.items()]
    store.catalog.record(Batch(runs=updates))
    return found


def with_results(store: Store, runs: Sequence[Run]) -> list[Run]:
    """Return those of `runs` that have stored results, on every fold that they have.

    Results are those of an estimator, or ``truth`` and ``predicted`` of stages.
    """
    return [run for run in runs if _folds_with_results(_outputs(store, run))]


def _of_run(store: Store, run: Run, metrics: Sequence[Any]) -> list[Metric]:
    by_fold = _outputs(store, run)
    folds = _folds_with_results(by_fold)
    if not folds:
        task = _task(store, run)
        resolve(metrics, task, labels=_labels(store, run, task))  # an unknown name is told first
        lacking = any(_has_results(refs) for refs in by_fold.values())
        raise MetricError(
            f"run {run.name} has no stored results to compute metrics from"
            + " on some of its folds" * lacking,
            hint="a metric is over all folds: resume the launch first"
            if lacking
            else "it takes an estimator's, or outputs of stages named 'truth' and 'predicted'",
        )
    stored = {fold: _Stored(store, run, refs) for fold, refs in folds.items()}
    of_stages = not all(RESULTS in refs for refs in folds.values())
    resolver = _resolver_of_stages(stored) if of_stages else _resolver(store, run, stored)
    resolved = resolver(metrics)
    scores: dict[str, dict[int | None, float]] = {name: {} for name in resolved.metrics}
    for fold, on_fold in stored.items():
        values = _evaluate(resolved, on_fold)
        for name in resolved.metrics:
            try:
                scores[name][fold] = scored(name, values[name])
            except StageError as error:
                raise MetricError(error.message, hint=error.hint) from None
    return [summarise(n, by, resolved.directions[n]) for n, by in scores.items()]


def _resolver(store: Store, run: Run, stored: Mapping[int | None, _Stored]) -> Resolver:
    """Return what finds metrics of an estimator, of the parts that it was evaluated on."""
    task = _task(store, run)
    evaluated = {part for on_fold in stored.values() for part in on_fold[RESULTS]["part"].unique()}
    return partial(
        resolve,
        task=task,
        parts=[part for part in reversed(PARTS) if part in evaluated],
        labels=_labels(store, run, task),
    )


def _resolver_of_stages(stored: Mapping[int | None, _Stored]) -> Resolver:
    """Return what finds metrics of stages, which may take all that these gave."""
    given = {name for on_fold in stored.values() for name in on_fold.names} | {"labels"}

    def resolver(metrics: Sequence[Any]) -> Resolved:
        # What is asked for is computed, also where the run has it already.
        found = resolve(
            metrics, provided=given.difference(m for m in metrics if isinstance(m, str))
        )
        return replace(found, stages=(labels_view(), *found.stages))

    return resolver


def _outputs(store: Store, run: Run) -> Mapping[int | None, dict[str, Any]]:
    """Return fold → name → artifact; a fold on which everything failed is there, too."""
    by_fold: dict[int | None, dict[str, Any]] = defaultdict(dict)
    for computation in store.catalog.computations(run.id):
        by_fold[computation.fold].update((a.name, a) for a in computation.outputs)
    return by_fold


def _folds_with_results(
    by_fold: Mapping[int | None, dict[str, Any]],
) -> dict[int | None, dict[str, Any]]:
    """Return fold → all that is stored for it; nothing where some of the folds lack results."""
    whole = by_fold.get(None, {})
    if _has_results(whole):
        return {None: whole}
    folds: dict[int | None, dict[str, Any]] = {
        fold: {**whole, **refs} for fold, refs in by_fold.items() if fold is not None
    }
    return folds if all(map(_has_results, folds.values())) else {}


def _has_results(refs: Mapping[str, Any]) -> bool:
    return RESULTS in refs or refs.keys() >= {"truth", "predicted"}


def _evaluate(resolved: Resolved, stored: _Stored) -> Mapping[str, Any]:
    """Call the stages in order, on one fold."""
    values: dict[str, Any] = {}
    for stage in resolved.stages:
        arguments = dict(stage.parameters)
        for argument, name in stage.inputs.items():
            arguments[argument] = values[name] if name in values else stored[name]
        given = stage.function(**arguments)
        parts = (given,) if len(stage.outputs) == 1 else given
        values |= dict(zip(stage.outputs, parts, strict=True))
    return values


class _Stored:
    """The stored outputs of a run on one fold, each loaded once."""

    def __init__(self, store: Store, run: Run, refs: Mapping[str, Any]) -> None:
        self._store = store
        self._run = run
        self._refs = refs
        self._values: dict[str, Any] = {}

    @property
    def names(self) -> Collection[str]:
        """Names of what is stored."""
        return self._refs.keys()

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            if name not in self._refs:
                raise MetricError(
                    f"run {self._run.name} has no stored {name!r}, which a metric needs"
                )
            self._values[name] = self._store.load(self._refs[name])
        return self._values[name]


def _task(store: Store, run: Run) -> str:
    experiment = store.catalog.find("experiments", run.experiment, project=run.project)
    return str(cast("Experiment", experiment).definition.get("task") or "")


def _labels(store: Store, run: Run, task: str) -> tuple[str, ...]:
    """Return the labels that the run's dataset declares; none where it is gone."""
    if run.dataset is None:
        return ()
    try:
        dataset = cast("Dataset", store.catalog.find("datasets", run.dataset))
    except NotFoundError:
        return ()
    if task in ("multilabel", "multioutput"):
        return dataset.targets
    targets = [column for column in dataset.columns if column.role == "target"]
    return targets[0].labels if len(targets) == 1 else ()
