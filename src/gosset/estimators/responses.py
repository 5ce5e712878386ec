"""Asks a fitted model for all that it can say of rows, without asking twice."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from .functions import Evaluated, FunctionEstimator


class Responses(NamedTuple):
    """What a model says of rows: None where it cannot.

    Attributes
    ----------
    predicted : ndarray of shape (n_rows,) or (n_rows, n_targets)
    probabilities : ndarray of shape (n_rows, n_classes), or one for each target, or None
    decision : ndarray of shape (n_rows,) or (n_rows, n_classes), or None
        Only where there are no probabilities.
    """

    predicted: Any
    probabilities: Any = None
    decision: Any = None


def respond(model: Any, X: Any, *, classes: bool) -> Responses:
    """Return the predictions and, for `classes`, probabilities or decision values.

    Raises
    ------
    AttributeError
        The model cannot predict.
    """
    if isinstance(model, Evaluated | FunctionEstimator):
        return Responses(*model.predictions(X))
    if not classes:
        return Responses(_labels(model, X))
    last, X = _last_step(model, X)
    if hasattr(last, "predict_proba"):
        probabilities = last.predict_proba(X)
        if _predicts_most_probable(last) and not isinstance(probabilities, list):
            return Responses(last.classes_.take(probabilities.argmax(axis=1)), probabilities)
        return Responses(_labels(last, X), probabilities)
    predicted = _labels(last, X)
    if hasattr(last, "decision_function"):
        return Responses(predicted, decision=dense(last.decision_function(X)))
    return Responses(predicted)


def dense(values: Any) -> Any:
    """Return a dense array: some models answer with sparse ones, others with frames."""
    import numpy as np

    return values.toarray() if hasattr(values, "toarray") else np.asarray(values)


def _labels(model: Any, X: Any) -> Any:
    """Return what the model predicts; one column alone is no second dimension."""
    predicted = dense(model.predict(X))
    return predicted[:, 0] if predicted.ndim == 2 and predicted.shape[1] == 1 else predicted


def final(model: Any) -> Any:
    """Return the last step of a pipeline, else the model itself."""
    return model.steps[-1][1] if hasattr(model, "steps") else model


def _last_step(model: Any, X: Any) -> tuple[Any, Any]:
    """Return the step that predicts, and the rows as they come to it.

    So the steps before it work once, and not for the predictions and again for the
    probabilities.
    """
    library = sys.modules.get("sklearn.pipeline")
    if library is None or type(model) is not library.Pipeline or len(model.steps) < 2:
        return model, X
    if model.steps[-1][1] in (None, "passthrough"):
        return model, X
    return model.steps[-1][1], model[:-1].transform(X)


def _predicts_most_probable(model: Any) -> bool:
    """Whether ``predict`` is, by its code, the class of the greatest probability.

    That holds for forests and bagging, whose probabilities cost as much as all else. It
    does not for many others: support vector machines, boosting at ties, dummies.
    """
    ensemble = sys.modules.get("sklearn.ensemble")
    if ensemble is None:
        return False
    return any(
        type(model).predict is kind.predict and type(model).predict_proba is kind.predict_proba
        for kind in (ensemble.RandomForestClassifier, ensemble.BaggingClassifier)
    )
