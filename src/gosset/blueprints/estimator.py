"""Experiments of an estimator over folds, as stages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..entities import Hyperparameter
from ..estimators import (
    configure,
    describe,
    evaluate,
    fit,
    hyperparameters,
    name_of,
    parameter_names,
    task_of,
)
from ..exceptions import DatasetError, UsageError
from ..metrics import defaults
from ..stages import Stage, stage
from ..types import UNSET, JSONValue
from .base import Blueprint, Translation
from .factory import Factory
from .scoring import score

if TYPE_CHECKING:
    from ..datasets import Data

WITHOUT_TARGET = ("clustering", "transform", "outlier")
"""Tasks that can do without a target."""


def compile_estimator(
    prototype: Any,
    *,
    factory: Factory | None = None,
    preprocess: Callable[..., Any] | Stage | None = None,
    metrics: Sequence[object] | None = None,
    task: str | None = None,
    data: Data,
    parts: Sequence[str] = ("train", "test"),
) -> Blueprint:
    """Return the blueprint of an estimator experiment.

    Parameters
    ----------
    prototype : estimator
        Cloned and configured for each parameter set; never fitted itself.
    factory : Factory, optional
        What made it, and makes it anew for parameter sets that hold arguments of it.
    preprocess : callable, optional
        Applied once to the whole data, before the folds: sees test rows.
    metrics : sequence or None
        None: the usual ones of the task. Empty: none.
    task : str, optional
        Instead of what estimator and target suggest.
    data : Data
    parts : sequence of str
        The parts that the folds have.

    Raises
    ------
    MetricError, UsageError
    DatasetError
        The task needs a target, and there is none.
    """
    settled = task_of(prototype, data.y, task or "")
    if data.y is None and settled not in WITHOUT_TARGET:
        columns = ", ".join(repr(column.name) for column in data.columns[:12])
        raise DatasetError(
            f"the dataset declares no target, which {settled} needs",
            hint=f"name one of its columns with target=…: {columns}",
        )
    head, features = _preprocessing(preprocess)
    labels = data.targets if settled in ("multilabel", "multioutput") else data.labels
    body = (
        Stage(
            name="fit",
            function=fit,
            inputs={"X": features, "y": "y", "fold": "fold", "seed": "seed"},
            parameters={"estimator": UNSET},
            outputs=("model",),
            settled=True,
        ),
        Stage(
            name="evaluate",
            function=evaluate,
            inputs={"model": "model", "X": features, "y": "y", "fold": "fold"},
            parameters={"task": settled, "labels": labels},
            outputs=("results",),
            formats={"results": "parquet"},
            settled=True,
        ),
    )
    scoring = score(
        defaults(settled) if metrics is None else metrics,
        task=settled,
        # The part that tells the truth comes first: it names the objective.
        parts=sorted(parts, key=("test", "validation", "train").index),
        labels=labels,
        provided=[output for stage in (*head, *body) for output in stage.outputs],
        silent=[output for stage in head if not stage.metrics for output in stage.outputs],
        lacking=_lacking(prototype),
    )
    # A metric that looks at the features sees those that the estimator saw.
    scores = [stage.rewired({"X": features}) for stage in scoring.stages]
    names = _Names(prototype, factory, [*head, *scores])
    return Blueprint(
        kind="estimator",
        stages=(*head, *body, *scores),
        translate=names.translate,
        hyperparameters=names.hyperparameters,
        fields=names.fields,
        components={"estimator": factory.function if factory else prototype},
        objective=scoring.objective,
        description={
            "task": settled,
            "components": describe(prototype),
            "metrics": list(scoring.names),
            "preprocess": head[0].name if head else None,
        },
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


def _lacking(prototype: Any) -> list[str]:
    """Return what the results will not have, whatever the parameters are.

    Whether a support vector machine gives probabilities is itself a parameter, so only
    what the class does not know at all is said to be lacking.
    """
    last = getattr(prototype, "steps", [("", prototype)])[-1][1]
    answers = {"probabilities": "predict_proba", "decision": "decision_function"}
    return [name for name, method in answers.items() if not hasattr(type(last), method)]


class _Names:
    """Tells parameters of the estimator, of what makes it, and of stages."""

    def __init__(self, prototype: Any, factory: Factory | None, own: Sequence[Stage]) -> None:
        self._prototype = prototype
        self._factory = factory
        self._plain = {name for s in own for name in s.parameters}
        self._known = set(parameter_names(prototype))
        self._dotted = {f"{s.name}.{name}" for s in own for name in s.parameters}

    def translate(self, params: Mapping[str, object]) -> Translation:
        """Configure the estimator and leave the rest to the pipeline."""
        _, estimator, rest = self._divide(params)
        return Translation({"fit": {"estimator": estimator}}, rest)

    def hyperparameters(self, params: Mapping[str, object]) -> tuple[Hyperparameter, ...]:
        """Return the effective parameters under `params`."""
        arguments, estimator, _ = self._divide(params)
        made_by = self._factory.hyperparameters(arguments) if self._factory else ()
        return (*made_by, *hyperparameters(estimator))

    def fields(self, params: Mapping[str, object]) -> dict[str, JSONValue]:
        """Return what runs under `params` are searched by: the estimator's name."""
        _, estimator, _ = self._divide(params)
        return {"estimator": name_of(estimator)}

    def _divide(
        self, params: Mapping[str, object]
    ) -> tuple[dict[str, object], Any, dict[str, object]]:
        """Return the factory's arguments, the configured estimator, and what is left."""
        prototype, known = self._prototype, self._known
        arguments: dict[str, object] = {}
        if self._factory is not None:
            arguments, params = self._factory.divide(params, self._plain)
            if arguments:
                prototype = self._factory.made(arguments)
                known = set(parameter_names(prototype))
        rest = {
            name: value
            for name, value in params.items()
            if name in self._dotted or (name in self._plain and name not in known)
        }
        ours = {name: value for name, value in params.items() if name not in rest}
        if self._factory is not None:
            self._factory.check_names(ours, prototype)
        return arguments, configure(prototype, ours), rest
