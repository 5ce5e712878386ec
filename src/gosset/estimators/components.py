"""The components of an estimator: itself and every estimator inside it, by name."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..exceptions import ParameterError

SEPARATOR = "__"
"""What scikit-learn puts between the name of a step and that of its parameter."""


@dataclass(frozen=True, slots=True)
class Component:
    """An estimator inside an estimator.

    Attributes
    ----------
    path : str
        As scikit-learn writes it, e.g. ``"clf__estimator"``; empty for the whole.
    estimator : object
    """

    path: str
    estimator: Any

    @property
    def name(self) -> str:
        """Dotted path; the class's name for the whole."""
        return dotted(self.path) or type(self.estimator).__name__


def dotted(key: str) -> str:
    """Return a name of scikit-learn with dots.

    Examples
    --------
    >>> dotted("clf__estimator__C")
    'clf.estimator.C'
    """
    return key.replace(SEPARATOR, ".")


def takes_parameters(value: object) -> bool:
    """Whether `value` is an object (not a class) that tells its parameters."""
    return not isinstance(value, type) and callable(getattr(value, "get_params", None))


def parameters_of(estimator: Any, *, deep: bool = True) -> Mapping[str, Any]:
    """Return the parameters of an estimator under scikit-learn's names.

    Returns
    -------
    mapping
        Empty where the estimator does not tell them.

    Raises
    ------
    ParameterError
        `estimator` is a class.
    """
    if isinstance(estimator, type):
        raise ParameterError(
            f"{estimator.__name__} is a class, and an estimator is an object",
            hint=f"write {estimator.__name__}()",
        )
    if not takes_parameters(estimator):
        return {}
    # Objects outside scikit-learn may know nothing of `deep`.
    try:
        return dict(estimator.get_params(deep=deep))
    except TypeError:
        return dict(estimator.get_params())


def components_of(estimator: Any) -> list[Component]:
    """Return the whole and all parts that tell their parameters, the whole first."""
    parts = [
        Component(key, value)
        for key, value in parameters_of(estimator).items()
        if takes_parameters(value)
    ]
    return [Component("", estimator), *sorted(parts, key=lambda part: part.path.count("__"))]


def own_parameters(estimator: Any) -> dict[str, Any]:
    """Return the parameters of the object alone, without lists of components.

    The components that such a list holds tell their parameters themselves.
    """
    deep = parameters_of(estimator)
    components = [value for value in deep.values() if takes_parameters(value)]
    return {
        key: value
        for key, value in parameters_of(estimator, deep=False).items()
        if not _holds(value, components)
    }


def _holds(value: Any, components: list[Any]) -> bool:
    if not isinstance(value, list | tuple):
        return False
    items = [item for entry in value for item in (entry if isinstance(entry, tuple) else (entry,))]
    return any(item is component for item in items for component in components)


def class_path(kind: type) -> str:
    """Return the path under which people import a class.

    Examples
    --------
    >>> from collections import OrderedDict
    >>> class_path(OrderedDict)
    'collections.OrderedDict'
    """
    name = kind.__qualname__
    # sklearn.svm._classes.SVC is had from sklearn.svm, and may move inside it.
    public = kind.__module__.partition("._")[0]
    if getattr(sys.modules.get(public), name, None) is kind:
        return f"{public}.{name}"
    return f"{kind.__module__}.{name}"
