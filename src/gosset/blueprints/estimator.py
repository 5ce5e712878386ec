"""Experiments of an estimator over folds, as stages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..entities import Hyperparameter
from ..estimators import (
    check_parameters,
    configure,
    describe,
    evaluate,
    fit,
    hyperparameters,
    parameter_names,
    task_of,
)
from ..exceptions import UsageError
from ..metrics import VIEWS, defaults, in_part, results_views
from ..stages import Stage, stage
from ..types import UNSET
from .base import Blueprint, Translation
from .scoring import Scoring, score


def compile_estimator(
    prototype: Any,
    *,
    factory: Callable[..., Any] | None = None,
    preprocess: Callable[..., Any] | Stage | None = None,
    metrics: Sequence[object] | None = None,
    task: str | None = None,
    data: Any,
    parts: Sequence[str] = ("train", "test"),
) -> Blueprint:
    """Return the blueprint of an estimator experiment.

    Parameters
    ----------
    prototype : estimator
        Cloned and configured for each parameter set; never fitted itself.
    factory : callable, optional
        The function that made it, whose code belongs to the code version.
    preprocess : callable, optional
        Applied once to the whole data, before the folds: sees test rows.
    metrics : sequence or None
        None: the usual ones of the task. Empty: none.
    task : str, optional
        Instead of what estimator and target suggest.
    data : Data
    parts : sequence of str
        The parts that the folds have.
    """
    settled = task or task_of(prototype, data.y)
    head, features = _preprocessing(preprocess)
    labels = tuple(data.labels or ())
    body = (
        Stage(
            name="fit",
            function=fit,
            inputs={"X": features, "y": "y", "fold": "fold", "seed": "seed"},
            parameters={"estimator": UNSET},
            outputs=("model",),
        ),
        Stage(
            name="evaluate",
            function=evaluate,
            inputs={"model": "model", "X": features, "y": "y", "fold": "fold"},
            parameters={"task": settled, "labels": labels},
            outputs=("results",),
            formats={"results": "parquet"},
        ),
    )
    scoring = _scoring(metrics, settled, parts, head)
    views = [v for part in parts for v in results_views(part, labels=labels)]
    own = [*head, *scoring.stages]
    names = _Names(prototype, own)
    components: dict[str, object] = {"estimator": factory or prototype}
    return Blueprint(
        kind="estimator",
        stages=(*head, *body, *scoring.stages, *views),
        translate=names.translate,
        names=names.known,
        hyperparameters=names.hyperparameters,
        components=components,
        objective=scoring.objective,
        description={"task": settled, "components": describe(prototype)},
    )


def compile_functions(
    fitting: Callable[..., Any],
    *,
    evaluator: Callable[..., Any] | None,
    preprocess: Callable[..., Any] | Stage | None = None,
    metrics: Sequence[object] | None = None,
    task: str | None = None,
    data: Any,
    parts: Sequence[str] = ("train", "test"),
) -> Blueprint:
    """Return the blueprint of an experiment whose estimator is a plain function.

    Parameters
    ----------
    fitting : callable
        ``(X_train, y_train, …) -> model``; arguments with a default can be varied.
    evaluator : callable or None
        ``(model, X_test, …) -> predicted`` or ``(predicted, probabilities)``; None: the
        model's own ``predict``, or the model itself where it can be called.
    """
    from ..estimators import evaluation_of

    settled = task or task_of(None, data.y)
    head, features = _preprocessing(preprocess)
    fit_stage = fitting if isinstance(fitting, Stage) else stage(fitting)
    fit_stage = fit_stage.renamed(
        fit_stage.name,
        inputs={a: "X_train" if v == "X" else v for a, v in fit_stage.inputs.items()},
        outputs=("model",),
    )
    labels = tuple(data.labels or ())
    evaluating = Stage(
        name="evaluate",
        function=evaluation_of(evaluator),
        inputs={"model": "model", "X": features, "y": "y", "fold": "fold"},
        parameters={"task": settled, "labels": labels},
        outputs=("results",),
        formats={"results": "parquet"},
        depends=() if evaluator is None else (evaluator,),
    )
    scoring = _scoring(metrics, settled, parts, head)
    views = [v for part in parts for v in results_views(part, labels=labels)]
    return Blueprint(
        kind="estimator",
        stages=(*head, fit_stage, evaluating, *scoring.stages, *views),
        translate=lambda params: Translation({}, params),
        objective=scoring.objective,
        description={"task": settled, "stages": [fit_stage.name, "evaluate"]},
    )


def _preprocessing(preprocess: Callable[..., Any] | Stage | None) -> tuple[list[Stage], str]:
    if preprocess is None:
        return [], "X"
    declared = preprocess if isinstance(preprocess, Stage) else stage(preprocess)
    if len(declared.outputs) != 1:
        raise UsageError(
            f"preprocessing {declared.name!r} gives {len(declared.outputs)} outputs",
            hint="return the new features alone",
        )
    return [declared], declared.outputs[0]


def _scoring(
    metrics: Sequence[object] | None, task: str, parts: Sequence[str], head: Sequence[Stage]
) -> Scoring:
    return score(
        defaults(task) if metrics is None else metrics,
        task=task,
        parts=parts,
        per_part=frozenset(VIEWS),
        silent=frozenset(o for s in head if not s.metrics for o in s.outputs),
    )


class _Names:
    """Tells parameters of the estimator from those of stages."""

    def __init__(self, prototype: Any, own: Sequence[Stage]) -> None:
        self._prototype = prototype
        self._plain = {name for s in own for name in s.parameters}
        self._dotted = {f"{s.name}.{name}" for s in own for name in s.parameters}
        self._estimator = set(parameter_names(prototype))
        self._configured: dict[tuple[tuple[str, int], ...], Any] = {}

    def known(self) -> list[str]:
        """Return every name that can be varied."""
        return sorted(self._estimator | self._dotted | (self._plain - self._estimator))

    def divide(
        self, params: Mapping[str, object]
    ) -> tuple[dict[str, object], dict[str, object]]:
        """Return the estimator's parameters, and the rest."""
        rest = {
            name: value
            for name, value in params.items()
            if name in self._dotted or (name in self._plain and name not in self._estimator)
        }
        ours = {name: value for name, value in params.items() if name not in rest}
        check_parameters(self._prototype, ours)
        return ours, rest

    def translate(self, params: Mapping[str, object]) -> Translation:
        """Configure the estimator and leave the rest to the pipeline."""
        ours, rest = self.divide(params)
        return Translation({"fit": {"estimator": configure(self._prototype, ours)}}, rest)

    def hyperparameters(self, params: Mapping[str, object]) -> tuple[Hyperparameter, ...]:
        """Return the effective parameters under `params`."""
        ours, _ = self.divide(params)
        return hyperparameters(configure(self._prototype, ours))


__all__ = ["compile_estimator", "compile_functions", "in_part"]
