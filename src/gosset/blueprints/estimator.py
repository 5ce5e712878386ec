"""Experiments of an estimator over folds, as stages."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..entities import Hyperparameter
from ..estimators import (
    check_evaluator,
    configure,
    describe,
    evaluate,
    fit,
    hyperparameters,
    name_of,
    parameter_names,
    task_of,
)
from ..estimators.rows import count
from ..exceptions import DatasetError, StageError, UsageError
from ..metrics import defaults
from ..stages import Stage, stage
from ..types import UNSET, JSONValue
from ..usercode import called_name
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
    evaluator: Callable[..., Any] | None = None,
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
    evaluator : callable, optional
        ``(model, X_test, …)`` gives the predictions in the place of the model's own
        ``predict``; its arguments with defaults are parameters.
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
    head, features = _preprocessing(preprocess, data.rows)
    evaluating = _evaluating(evaluator, settled)
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
            parameters={"task": settled, "labels": labels, **evaluating},
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
        lacking=() if evaluator else _lacking(prototype),
    )
    # A metric that looks at the features sees those that the estimator saw.
    scores = [stage.rewired({"X": features}) for stage in scoring.stages]
    own = {stage.name: list(stage.parameters) for stage in (*head, *scores)}
    own["evaluate"] = [name for name in evaluating if name != "evaluator"]
    names = _Names(prototype, factory, own)
    return Blueprint(
        kind="estimator",
        stages=(*head, *body, *scores),
        translate=names.translate,
        hyperparameters=names.hyperparameters,
        fields=names.fields,
        scores={stage.name for stage in scores},
        components={"estimator": factory.function if factory else prototype},
        objective=scoring.objective,
        description={
            "task": settled,
            "components": describe(prototype),
            "metrics": list(scoring.names),
            "preprocess": head[0].name if head else None,
            "evaluator": called_name(evaluator) if evaluator else None,
        },
    )


class Preprocessing:
    """A function of the features as the function of a stage; the rows stay as many as they are."""

    def __init__(self, function: Callable[..., Any], rows: int) -> None:
        self.function = function
        self.rows = rows
        self.__wrapped__ = function
        self.__name__ = called_name(function)
        self.__doc__ = function.__doc__

    def __call__(self, **arguments: Any) -> Any:
        """Call the function, and count what it returns."""
        features = self.function(**arguments)
        if not (hasattr(features, "shape") or hasattr(features, "__len__")):
            said = f"{type(features).__name__}, not the features"
        elif count(features) != self.rows:
            said = f"{count(features)} rows of {self.rows}"
        else:
            return features
        raise StageError(
            f"preprocess returned {said}",
            hint=f"rows are left out where the dataset is declared, not in {self.__name__}",
        )


def _preprocessing(
    preprocess: Callable[..., Any] | Stage | None, rows: int
) -> tuple[list[Stage], str]:
    if preprocess is None:
        return [], "X"
    declared = preprocess if isinstance(preprocess, Stage) else stage(preprocess)
    if len(declared.outputs) != 1:
        raise UsageError(
            f"preprocessing {declared.name!r} gives {len(declared.outputs)} outputs",
            hint="return the new features alone",
        )
    counting = Preprocessing(declared.function, rows)
    return [replace(declared, function=counting)], declared.outputs[0]


def _evaluating(evaluator: Callable[..., Any] | None, task: str) -> dict[str, object]:
    """Return the parameters of the evaluation that an evaluator of the user's adds."""
    if evaluator is None:
        return {}
    check_evaluator(evaluator)
    if task == "transform":
        raise UsageError(
            "evaluator= gives predictions, which a transformer has not", hint="leave it out"
        )
    further = list(inspect.signature(evaluator).parameters.values())[2:]
    defaults = {a.name: a.default for a in further if a.default is not a.empty}
    taken = next(
        (name for name in inspect.signature(evaluate).parameters if name in defaults), None
    )
    if taken is not None:
        raise UsageError(
            f"evaluator {called_name(evaluator)!r} has the argument {taken!r}, whose name is taken",
            hint="give the argument another name",
        )
    return {"evaluator": evaluator, **defaults}


def _lacking(prototype: Any) -> list[str]:
    """Return what the results will not have, whatever the parameters are.

    Whether a support vector machine gives probabilities is itself a parameter, so only
    what the class does not know at all is said to be lacking.
    """
    last = getattr(prototype, "steps", [("", prototype)])[-1][1]
    if getattr(last, "evaluate_function", None) is not None:
        return []  # whether a function of the user's gives them shows when it is called
    answers = {"probabilities": "predict_proba", "decision": "decision_function"}
    return [name for name, method in answers.items() if not hasattr(type(last), method)]


class _Names:
    """Tells parameters of the estimator, of what makes it, and of stages."""

    def __init__(
        self, prototype: Any, factory: Factory | None, own: Mapping[str, Sequence[str]]
    ) -> None:
        self._prototype = prototype
        self._factory = factory
        self._plain = {name for names in own.values() for name in names}
        self._known = set(parameter_names(prototype))
        self._dotted = {f"{stage}.{name}" for stage, names in own.items() for name in names}

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
