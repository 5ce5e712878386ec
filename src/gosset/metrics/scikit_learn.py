"""Metrics of scikit-learn by name: its scorers and its functions.

A scorer is given an estimator that recalls the stored results instead of predicting, so
that it scores them by its own rules and nothing is fitted.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from sklearn import metrics as library
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.metaestimators import available_if

from ..entities import Direction
from ..exceptions import MetricError
from ..stages import Stage
from .builtin import KnownMetric
from .clustering import by_distance, by_truth
from .declaration import metric
from .probability import either, needed, positive

_ENDINGS = {
    "_score": Direction.MAXIMIZE,
    "_corrcoef": Direction.MAXIMIZE,
    "_error": Direction.MINIMIZE,
    "_loss": Direction.MINIMIZE,
    "_deviance": Direction.MINIMIZE,
}
_CLASSES = ("classification", "multilabel", "outlier")
_TASKS = {
    "_classification": _CLASSES,
    "_ranking": _CLASSES,
    "_regression": ("regression", "multioutput"),
    "cluster": ("clustering",),
}
# What a function takes, told by the name of its second argument.
_TAKES = {
    "y_pred": "predicted",
    "y2": "predicted",
    "labels_pred": "clusters",
    "labels": "distances",
    "y_score": "scores",
    "y_prob": "probabilities",
    "y_proba": "probabilities",
    "pred_decision": "decision",
}


def names() -> list[str]:
    """Return every name that :func:`from_name` answers."""
    functions = [name for name in library.__all__ if _function(name) is not None]
    return sorted({*library.get_scorer_names(), *functions})


def from_name(name: str) -> KnownMetric | None:
    """Return the metric of scikit-learn that bears `name`; None where there is none."""
    if name in library.get_scorer_names():
        return from_scorer(library.get_scorer(name), name)
    function = _function(name)
    return None if function is None else from_function(function, name)


def from_scorer(scorer: Any, name: str | None = None) -> KnownMetric:
    """Return the metric that a scorer (of ``make_scorer``) computes; greater is better."""
    shown = name or scorer._score_func.__name__
    # A name is a better part of a cache key than the object behind it.
    which = name or scorer
    methods = scorer._response_method
    methods = (methods,) if isinstance(methods, str) else tuple(methods)
    kinds = {"predict_proba": "probabilities", "decision_function": "decision"}
    needs = tuple(kinds[method] for method in methods if method in kinds)
    body = scored_by_response if needs else scored
    stage = metric(name=shown, direction="maximize")(partial(body, which))
    return _known(stage, scorer._score_func, needs)


def from_function(function: Callable[..., Any], name: str) -> KnownMetric:
    """Return the metric that a function of ``sklearn.metrics`` computes."""
    kind = _TAKES[list(inspect.signature(function).parameters)[1]]
    bodies: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
        "predicted": (_predicted, ()),
        "clusters": (by_truth, ()),
        "distances": (by_distance, ()),
        "scores": (_scores, ("probabilities", "decision")),
        "probabilities": (_probabilities, ("probabilities",)),
        "decision": (_decision, ("decision",)),
    }
    body, needs = bodies[kind]
    declared = metric(name=name, direction=_direction(name).value)
    return _known(declared(partial(body, function.__name__)), function, needs)


def is_function(function: object) -> bool:
    """Whether `function` is one of ``sklearn.metrics`` that scores results."""
    name = getattr(function, "__name__", "")
    return getattr(library, name, None) is function and _function(name) is not None


def scored(scorer: Any, truth: Any, predicted: Any) -> float:
    """Score predictions by a scorer."""
    return _score(scorer, _Recalled(predicted=predicted), truth)


def scored_by_response(
    scorer: Any, truth: Any, predicted: Any, probabilities: Any, decision: Any, labels: Any
) -> float:
    """Score probabilities or decision values by a scorer."""
    # scikit-learn keeps classes sorted, and takes the columns to be so.
    order = np.argsort(np.asarray(labels)) if truth.ndim == 1 else np.arange(len(labels))
    if probabilities is not None:
        probabilities = probabilities[:, order]
    if decision is not None and decision.ndim == 2:
        decision = decision[:, order]
    elif decision is not None and order[0] != 0:
        decision = -decision
    recalled = _Recalled(
        predicted=predicted,
        probabilities=probabilities,
        decision=decision,
        classes=np.asarray(labels)[order],
    )
    return _score(scorer, recalled, truth)


class _Recalled(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """An estimator that answers with stored results."""

    def __init__(
        self, predicted: Any, probabilities: Any = None, decision: Any = None, classes: Any = None
    ) -> None:
        self.predicted = predicted
        self.probabilities = probabilities
        self.decision = decision
        self.classes_ = np.unique(predicted) if classes is None else classes

    def predict(self, X: Any) -> Any:
        return self.predicted

    # What the estimator could not do must be lacking here too.
    @available_if(lambda self: self.probabilities is not None)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Any:
        return self.probabilities

    @available_if(lambda self: self.decision is not None)  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> Any:
        return self.decision

    def __sklearn_is_fitted__(self) -> bool:
        return True


def _score(scorer: Any, recalled: _Recalled, truth: Any) -> float:
    known = library.get_scorer(scorer) if isinstance(scorer, str) else scorer
    name = scorer if isinstance(scorer, str) else scorer._score_func.__name__
    return _checked(name, known, recalled, np.zeros((len(truth), 1)), truth)


def _predicted(function: str, truth: Any, predicted: Any) -> float:
    return _checked(function, getattr(library, function), truth, predicted)


def _scores(function: str, truth: Any, probabilities: Any, decision: Any, labels: Any) -> float:
    return _by_columns(function, truth, either(function, probabilities, decision), labels)


def _probabilities(function: str, truth: Any, probabilities: Any, labels: Any) -> float:
    return _by_columns(function, truth, needed(function, probabilities), labels)


def _decision(function: str, truth: Any, decision: Any, labels: Any) -> float:
    return _by_columns(function, truth, either(function, None, decision), labels)


def _by_columns(function: str, truth: Any, scores: Any, labels: Sequence[object]) -> float:
    body = getattr(library, function)
    if truth.ndim == 2:
        return _checked(function, body, truth, scores)
    codes = np.argmax([truth == label for label in labels], axis=0)
    if len(labels) == 2:
        return _checked(function, body, codes, positive(scores))
    known = "labels" in inspect.signature(body).parameters
    options = {"labels": np.arange(len(labels))} if known else {}
    return _checked(function, body, codes, scores, **options)


def _checked(name: str, function: Callable[..., Any], *args: Any, **options: Any) -> float:
    """Call a metric; what it cannot score is an error that names it."""
    try:
        return float(function(*args, **options))
    except (ValueError, TypeError, AttributeError) as error:
        raise MetricError(f"{name} cannot be computed from these results: {error}") from error


def _function(name: str) -> Callable[..., Any] | None:
    function = getattr(library, name, None)
    if not inspect.isfunction(function) or not name.endswith(tuple(_ENDINGS)):
        return None
    arguments = list(inspect.signature(function).parameters)
    return function if len(arguments) > 1 and arguments[1] in _TAKES else None


def _direction(name: str) -> Direction:
    if name == "davies_bouldin_score":
        # Alone among the scores it tells how much clusters resemble each other.
        return Direction.MINIMIZE
    return next(way for ending, way in _ENDINGS.items() if name.endswith(ending))


def _known(stage: Stage, function: Callable[..., Any], needs: tuple[str, ...]) -> KnownMetric:
    parts = function.__module__.split(".")
    tasks = next((tasks for part, tasks in _TASKS.items() if part in parts), ())
    return KnownMetric(stage, tasks, f"{stage.name} of scikit-learn", needs)
