"""Sets the parameters of a copy of an estimator by dotted names."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from ..exceptions import ParameterError, did_you_mean
from .components import (
    SEPARATOR,
    components_of,
    dotted,
    parameters_of,
    takes_parameters,
)
from .functions import MADE_OF, FunctionEstimator

E = TypeVar("E")


def configure(estimator: E, params: Mapping[str, object]) -> E:
    """Return an unfitted copy of `estimator` with the parameters set.

    Parameters
    ----------
    estimator : object
        Anything that speaks scikit-learn's ``get_params`` and ``set_params``; without
        parameters any object that can be copied.
    params : mapping
        Dotted name → value. A name begins with a step's name or, where it is clear, with
        the name of its class (``SVC.C``); a bare estimator's may stand alone (``C``). The
        names of scikit-learn (``clf__estimator__C``) are understood too.

    Returns
    -------
    object
        `estimator` itself is left as it is.

    Raises
    ------
    ParameterError
        A name that the estimator does not have, or a value that it refuses.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> pipeline = make_pipeline(StandardScaler(), SVC())
    >>> configure(pipeline, {"SVC.C": 0.1})["svc"].C
    0.1
    >>> configure(SVC(), {"gama": 1})
    Traceback (most recent call last):
        ...
    gosset.exceptions.ParameterError: SVC has no parameter 'gama'; did you mean 'gamma'?
    """
    keys = _keys(estimator, params)
    configured = copied(estimator)
    values = {key: _own(value) for key, value in keys.items()}
    if not values:
        return configured
    try:
        configured.set_params(**values)  # type: ignore[attr-defined]
    except (TypeError, ValueError, AttributeError) as error:
        kind = type(estimator).__name__
        raise ParameterError(f"{kind} does not take {_shown(params)}: {error}") from error
    return configured


def copied(estimator: E) -> E:
    """Return an unfitted copy: by scikit-learn's ``clone`` where that applies."""
    parameters_of(estimator)  # refuses a class, which would be copied as itself
    base = sys.modules.get("sklearn.base")
    if base is not None and isinstance(estimator, base.BaseEstimator):
        return base.clone(estimator)  # type: ignore[no-any-return]
    return copy.deepcopy(estimator)


def parameter_names(estimator: object) -> list[str]:
    """Return the dotted names of all parameters that can be set.

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> parameter_names(KNeighborsClassifier())[:2]
    ['KNeighborsClassifier.algorithm', 'KNeighborsClassifier.leaf_size']
    """
    whole = type(estimator).__name__
    steps = {component.path for component in components_of(estimator)}
    return sorted(
        dotted(key) if SEPARATOR in key or key in steps else f"{whole}.{key}"
        for key in _varied(estimator)
    )


def check_parameters(estimator: object, names: Iterable[str]) -> None:
    """Raise unless the estimator has all these parameters.

    Raises
    ------
    ParameterError
        It lacks one, or a class's name means several steps.
    """
    _keys(estimator, dict.fromkeys(names))


def takes(estimator: object, name: str) -> bool:
    """Whether `name`, dotted or plain, means a parameter of `estimator`.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> takes(Ridge(), "alpha"), takes(Ridge(), "Ridge.alpha"), takes(Ridge(), "beta")
    (True, True, False)
    """
    return bool(_find(estimator, dotted(name)))


def _keys(estimator: object, params: Mapping[str, object]) -> dict[str, object]:
    """Return scikit-learn's name of a parameter → value."""
    keys: dict[str, object] = {}
    spelled: dict[str, str] = {}
    for name, value in params.items():
        found = _find(estimator, dotted(name))
        if not found:
            raise ParameterError(
                f"{type(estimator).__name__} has no parameter {name!r}",
                hint=_nearest(estimator, name),
            )
        if len(found) > 1:
            paths = ", ".join(repr(dotted(key)) for key in found)
            raise ParameterError(
                f"{name!r} means several parameters of {type(estimator).__name__}",
                hint=f"write one of {paths}",
            )
        key = found[0]
        if key in keys:
            raise ParameterError(
                f"{spelled[key]!r} and {name!r} are the same parameter", hint="give one of them"
            )
        keys[key], spelled[key] = value, name
    return keys


def _find(estimator: Any, name: str) -> list[str]:
    """Return scikit-learn's names of the parameters that the dotted `name` can mean."""
    exact = [key for key in parameters_of(estimator) if dotted(key) == name]
    if exact:
        return exact[:1]
    head, dot, rest = name.partition(".")
    if not dot:
        return []
    found = []
    for component in components_of(estimator):
        if type(component.estimator).__name__ == head or dotted(component.path) == head:
            prefix = f"{component.path}{SEPARATOR}" if component.path else ""
            found += [prefix + key for key in _find(component.estimator, rest)]
    return list(dict.fromkeys(found))


def _nearest(estimator: object, name: str) -> str:
    """Return the hint for a misspelled name, in the spelling in which it was meant."""
    known = parameter_names(estimator)
    for component in components_of(estimator):
        kind = type(component.estimator).__name__
        plain = _varied(component.estimator, deep=False)
        known += [f"{kind}.{key}" for key in plain]
        known += list(plain) if not component.path and "." not in name else []
    return did_you_mean(dotted(name), known)


def _varied(estimator: object, *, deep: bool = True) -> list[str]:
    """Return scikit-learn's names of the parameters, without the functions of an estimator."""
    functions = {
        f"{component.path}{SEPARATOR}{name}" if component.path else name
        for component in components_of(estimator)
        if isinstance(component.estimator, FunctionEstimator)
        for name in MADE_OF
    }
    return [key for key in parameters_of(estimator, deep=deep) if key not in functions]


def _own(value: object) -> object:
    """Return a value that the configured estimator may change without harm to others."""
    return copied(value) if takes_parameters(value) else value


def _shown(params: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in params.items())
