"""Estimators made of two functions, for work without scikit-learn."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from ..exceptions import ParameterError, StageError, did_you_mean
from ..usercode import called_name
from .rows import count

MADE_OF = ("fit_function", "evaluate_function", "task")
"""What an estimator of functions is made of; every other parameter is the functions'."""

_FURTHER = "give each further argument a default; it can be varied"


class FunctionEstimator:
    """An estimator whose fitting and predicting are functions of the user.

    Parameters
    ----------
    fit_function : callable
        ``fit_function(X_train, y_train, **parameters) -> model``.
    evaluate_function : callable, optional
        ``evaluate_function(model, X, **parameters)`` returns the predictions, or them and
        the probabilities (n_rows, n_labels), whose columns follow the sorted labels of the
        training rows. By default ``model.predict(X)``.
    task : str
        What it does, e.g. ``"classification"``; empty: told from the target.
    **parameters
        Values instead of the functions' defaults. Each function is given those that it
        names, or all of them where it takes ``**kwargs``.

    Raises
    ------
    ParameterError
        A function does not take the data; a parameter that neither takes, or one without a
        value: neither a default nor one that was given.

    Examples
    --------
    >>> def fit_mean(X, y, shift=0.0):
    ...     return y.mean() + shift
    >>> def predict_mean(model, X):
    ...     return [model for _ in X]
    >>> estimator = FunctionEstimator(fit_mean, predict_mean, task="regression", shift=1.0)
    >>> import numpy as np
    >>> estimator.fit(np.zeros((2, 1)), np.array([1.0, 3.0])).predict([0])
    array([3.])
    """

    def __init__(
        self,
        fit_function: Callable[..., Any],
        evaluate_function: Callable[..., Any] | None = None,
        *,
        task: str = "",
        **parameters: object,
    ) -> None:
        self.fit_function = fit_function
        self.evaluate_function = evaluate_function
        self.task = task
        self._given = dict(parameters)
        self._check()

    def get_params(self, deep: bool = True) -> dict[str, object]:
        """Return the functions, the task and the effective parameters."""
        return {
            "fit_function": self.fit_function,
            "evaluate_function": self.evaluate_function,
            "task": self.task,
            **self._effective(),
        }

    def set_params(self, **parameters: object) -> FunctionEstimator:
        """Set parameters, and return the estimator itself."""
        for name in parameters.keys() & set(MADE_OF):
            setattr(self, name, parameters[name])
        self._given |= {name: value for name, value in parameters.items() if name not in MADE_OF}
        self._check()
        return self

    def fit(self, X: Any, y: Any = None) -> FunctionEstimator:
        """Call the fitting function, and return the estimator itself."""
        self.model_ = self.fit_function(X, y, **self._arguments(self.fit_function))
        if y is not None:
            import numpy as np

            self.classes_ = np.unique(np.asarray(y))
        return self

    def predict(self, X: Any) -> Any:
        """Return the predictions for the rows of `X`."""
        return self.predictions(X)[0]

    def predictions(self, X: Any) -> tuple[Any, Any]:
        """Return the predictions and the probabilities (None where there are none)."""
        function = self.evaluate_function
        if function is None:
            return self.model_.predict(X), None
        return evaluated(function, self.model_, X, self._arguments(function))

    def _declared(self) -> list[inspect.Parameter]:
        """Return the parameters of both functions, without the data before them."""
        return [
            argument
            for function in (self.fit_function, self.evaluate_function)
            if function is not None
            for argument in list(inspect.signature(function).parameters.values())[2:]
        ]

    def _effective(self) -> dict[str, object]:
        defaults = {
            argument.name: argument.default
            for argument in self._declared()
            if argument.default is not argument.empty
        }
        return {**defaults, **self._given}

    def _arguments(self, function: Callable[..., Any]) -> dict[str, object]:
        declared = inspect.signature(function).parameters
        values = self._effective()
        if any(argument.kind is argument.VAR_KEYWORD for argument in declared.values()):
            return values
        return {name: value for name, value in values.items() if name in declared}

    def _check(self) -> None:
        name = called_name(self.fit_function)
        hint = "a function that makes an estimator has a default for every argument"
        _check_takes(self.fit_function, ("X_train", "y_train"), hint)
        if self.evaluate_function is not None:
            _check_takes(self.evaluate_function, ("model", "X_test"), _FURTHER)
        declared = self._declared()
        effective = self._effective()
        for argument in declared:
            variable = argument.kind in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD)
            if not variable and argument.name not in effective:
                raise ParameterError(
                    f"the function estimator {name!r} has no value for {argument.name!r}",
                    hint=f"give {argument.name} a default, {argument.name}=…; it can be varied",
                )
        if any(argument.kind is argument.VAR_KEYWORD for argument in declared):
            return
        known = [argument.name for argument in declared]
        for name in self._given:
            if name not in known:
                raise ParameterError(
                    f"neither function of the estimator takes {name!r}",
                    hint=did_you_mean(name, known),
                )


class Evaluated:
    """A fitted model whose predictions a function of the user gives.

    Parameters
    ----------
    model : object
        Fitted.
    function : callable
        ``function(model, X, **parameters)``, as of :class:`FunctionEstimator`.
    parameters : mapping
        Values of the function's further arguments.
    """

    def __init__(
        self, model: Any, function: Callable[..., Any], parameters: Mapping[str, object]
    ) -> None:
        self.model = model
        self._function = function
        self._parameters = parameters
        if hasattr(model, "classes_"):
            self.classes_ = model.classes_

    def predict(self, X: Any) -> Any:
        """Return the predictions for the rows of `X`."""
        return self.predictions(X)[0]

    def predictions(self, X: Any) -> tuple[Any, Any]:
        """Return the predictions and the probabilities (None where there are none)."""
        return evaluated(self._function, self.model, X, self._parameters)


def evaluated(
    function: Callable[..., Any], model: Any, X: Any, parameters: Mapping[str, object]
) -> tuple[Any, Any]:
    """Return the predictions and the probabilities, or None, that `function` gives for `X`.

    Raises
    ------
    StageError
        They are not one for each row.

    Examples
    --------
    >>> evaluated(lambda model, X: X[1:], None, [[1], [2]], {})
    Traceback (most recent call last):
        ...
    gosset.exceptions.StageError: evaluator '<lambda>' returned 1 predictions for 2 rows; ...
    """
    import numpy as np

    answer = function(model, X, **parameters)
    both = answer if isinstance(answer, tuple) and len(answer) == 2 else (answer, None)
    predicted, probabilities = np.asarray(both[0]), None if both[1] is None else np.asarray(both[1])
    if probabilities is not None and not probabilities.size:
        probabilities = None
    _check_rows(function, "predictions", predicted, count(X))
    if probabilities is not None:
        _check_rows(function, "rows of probabilities", probabilities, count(X))
    return predicted, probabilities


def check_evaluator(function: Callable[..., Any]) -> None:
    """Raise unless `function` can be called with a model and features, and nothing else.

    Raises
    ------
    ParameterError
    """
    _check_takes(function, ("model", "X_test"), _FURTHER, alone=True)


def _check_rows(function: Callable[..., Any], what: str, values: Any, rows: int) -> None:
    found = len(values) if values.ndim else 0
    if found != rows:
        returned = f"{found} {what}" if values.ndim else f"a single {values.item()!r}"
        raise StageError(
            f"evaluator {called_name(function)!r} returned {returned} for {rows} rows",
            hint="return one for each row of X_test, in order",
        )


def _check_takes(
    function: Callable[..., Any], names: tuple[str, str], hint: str, *, alone: bool = False
) -> None:
    """Raise unless it can be called with two arguments, and `alone` with no others."""
    try:
        signature = inspect.signature(function)
    except ValueError:  # some functions written in C do not tell
        return
    try:
        (signature.bind if alone else signature.bind_partial)(*names)
    except TypeError:
        raise ParameterError(
            f"the function {called_name(function)!r} takes {signature}, not "
            f"({', '.join(names)}, …)",
            hint=hint,
        ) from None
