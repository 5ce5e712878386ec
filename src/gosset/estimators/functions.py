"""Estimators made of two functions, for work without scikit-learn."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ..exceptions import ParameterError, did_you_mean
from ..usercode import called_name

MADE_OF = ("fit_function", "evaluate_function", "task")
"""What an estimator of functions is made of; every other parameter is the functions'."""


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
        The fitting function does not take the data; a parameter that neither takes, or one without a value: neither a default
        nor one that was given.

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
        import numpy as np

        function = self.evaluate_function
        if function is None:
            return self.model_.predict(X), None
        answer = function(self.model_, X, **self._arguments(function))
        predicted, probabilities = answer if isinstance(answer, tuple) else (answer, None)
        table = None if probabilities is None else np.asarray(probabilities)
        return np.asarray(predicted), table if table is not None and table.size else None

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
        name, signature = called_name(self.fit_function), inspect.signature(self.fit_function)
        try:
            signature.bind_partial("X_train", "y_train")
        except TypeError:
            raise ParameterError(
                f"the function {name!r} takes {signature}, not (X_train, y_train, …)",
                hint="a function that makes an estimator has a default for every argument",
            ) from None
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
