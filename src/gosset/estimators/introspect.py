"""Tells the effective parameters of an estimator, its components and its task."""

from __future__ import annotations

import functools
import importlib.metadata
import sys
from collections.abc import Mapping
from typing import Any

from ..entities import Hyperparameter
from ..exceptions import DatasetError
from ..metrics.results import check_task
from ..types import JSONValue
from ..usercode import called_name
from .components import class_path, components_of, own_parameters, takes_parameters
from .functions import FunctionEstimator
from .responses import final

# Why a parameter steers the fit, while what is sought stays the same → such parameters.
_OPTIMIZER = {
    "how long the fit goes on": "max_iter n_iter max_epochs n_epochs epochs iterations max_fun "
    "max_steps tol tolerance early_stopping n_iter_no_change validation_fraction",
    "how far each step goes": "learning_rate learning_rate_init lr eta0 power_t momentum "
    "nesterovs_momentum beta_1 beta_2 scheduler lr_scheduler warmup_steps gradient_clip_value",
    "which method carries it out": "solver optimizer svd_solver iterated_power line_search",
    "where it starts": "init n_init warm_start",
    "in what portions and order it sees the data": "batch_size shuffle selection",
}
# Why a parameter says nothing of the model at all → such parameters.
_OTHER = {
    "where the work is done": "n_jobs nthread num_threads thread_count device pre_dispatch",
    "what is kept while it is done": "memory cache_size copy copy_X copy_x copy_X_train",
    "what is told of it": "verbose verbosity silent return_train_score verbose_feature_names_out",
    "how input and errors are handled": "check_input assume_finite error_score transform_input",
    "chance": "random_state seed",
}
_KINDS = {
    name: kind
    for kind, reasons in (("optimizer", _OPTIMIZER), ("other", _OTHER))
    for names in reasons.values()
    for name in names.split()
}


def kind_of(parameter: str) -> str:
    """Return the kind of a parameter by its own name.

    Parameters
    ----------
    parameter : str
        Without the name of its step.

    Returns
    -------
    {"model", "optimizer", "other"}
        What the fitted model can express, how the fit is steered, or neither.

    Examples
    --------
    >>> kind_of("C"), kind_of("max_iter"), kind_of("n_jobs")
    ('model', 'optimizer', 'other')
    """
    return _KINDS.get(parameter, "model")


def hyperparameters(estimator: object) -> tuple[Hyperparameter, ...]:
    """Return the effective value and the kind of every parameter of every component.

    Parameters
    ----------
    estimator : object
        As it is about to be fitted.

    Returns
    -------
    tuple of Hyperparameter
        Named ``STEP.PARAMETER``, for a bare estimator ``CLASS.PARAMETER``. Values are
        JSON: classes, functions and other objects are told by their path.

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> for each in hyperparameters(KNeighborsClassifier())[-2:]:
    ...     print(each.name, each.value, each.kind)
    KNeighborsClassifier.p 2 model
    KNeighborsClassifier.weights uniform model
    """
    return tuple(
        Hyperparameter(name=f"{component.name}.{name}", value=as_json(value), kind=kind_of(name))
        for component in components_of(estimator)
        for name, value in own_parameters(component.estimator).items()
    )


def name_of(estimator: object) -> str:
    """Return what an estimator is called: the class of the last step, or the function that fits.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> name_of(make_pipeline(StandardScaler(), SVC()))
    'SVC'
    """
    last = final(estimator)
    named = last.fit_function if isinstance(last, FunctionEstimator) else type(last)
    return called_name(named)


def describe(estimator: object) -> dict[str, JSONValue]:
    """Return class, package, version and parameters, component by component.

    Returns
    -------
    dict
        Name of the component → ``class``, ``package``, ``version``, ``parameters``.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> described = describe(Ridge())["Ridge"]
    >>> described["class"], described["package"], described["parameters"]["alpha"]
    ('sklearn.linear_model.Ridge', 'scikit-learn', 1.0)
    """
    described: dict[str, JSONValue] = {}
    for component in components_of(estimator):
        kind = type(component.estimator)
        package, version = _package(kind.__module__.partition(".")[0])
        described[component.name] = {
            "class": class_path(kind),
            "package": package,
            "version": version,
            "parameters": {
                name: as_json(value) for name, value in own_parameters(component.estimator).items()
            },
        }
    return described


def as_json(value: Any) -> JSONValue:
    """Return `value` as JSON; what has no such form is told by its path.

    Examples
    --------
    >>> import numpy as np
    >>> as_json({"range": (1, np.int64(2)), "norm": np.linalg.norm})
    {'range': [1, 2], 'norm': 'numpy.linalg.norm'}
    >>> as_json([np.float64, np.dtype("float32")])
    ['numpy.float64', 'float32']
    """
    # A class has the attributes of its instances, but not their values.
    if isinstance(value, type):
        return class_path(value)
    if hasattr(value, "item") and hasattr(value, "dtype") and value.ndim == 0:
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): as_json(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(entry) for entry in value]
    if isinstance(value, set | frozenset):
        return sorted((as_json(entry) for entry in value), key=str)
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        return as_json(value.tolist())
    if type(value).__module__ == "numpy.dtypes":
        return str(value)
    if isinstance(value, functools.partial):
        return as_json(value.func)
    if not takes_parameters(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return class_path(type(value))


def task_of(estimator: object, y: Any = None, task: str = "") -> str:
    """Return what the estimator is asked to do.

    Parameters
    ----------
    estimator : object
    y : Series, DataFrame, ndarray or None
        The target.
    task : str
        What was declared: it wins.

    Returns
    -------
    str
        One of :data:`gosset.metrics.TASKS`.

    Raises
    ------
    UsageError
        There is no such task.
    DatasetError
        Several targets of more than two classes each, or nothing tells the task.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.linear_model import Ridge
    >>> import numpy as np
    >>> task_of(KMeans()), task_of(Ridge(), np.zeros((4, 2)))
    ('clustering', 'multioutput')
    """
    declared = task or getattr(estimator, "task", "")
    if isinstance(declared, str) and declared:
        return check_task(declared)
    kind = _kind(estimator)
    if kind in ("clusterer", "outlier_detector"):
        return "clustering" if kind == "clusterer" else "outlier"
    if not kind:
        kind = _kind_by_methods(estimator, y)
    several = y is not None and getattr(y, "ndim", 1) == 2 and y.shape[1] > 1
    if kind == "classifier" and several:
        return _of_several_classes(y)
    tasks = {"classifier": "classification", "regressor": "regression", "transformer": "transform"}
    return "multioutput" if kind == "regressor" and several else tasks[kind]


def _kind(estimator: Any) -> str:
    """Return what the estimator says of itself; the way to ask changed in scikit-learn 1.6."""
    if hasattr(estimator, "__sklearn_tags__"):
        return getattr(estimator.__sklearn_tags__(), "estimator_type", None) or ""
    return getattr(estimator, "_estimator_type", None) or ""


def _kind_by_methods(estimator: Any, y: Any) -> str:
    if hasattr(estimator, "predict") and y is not None:
        import numpy as np

        values = np.asarray(y)
        numbers = values.dtype.kind == "f" and not (values == np.floor(values)).all()
        return "regressor" if numbers else "classifier"
    if hasattr(estimator, "transform") or hasattr(estimator, "fit_transform"):
        return "transformer"
    raise DatasetError(
        f"nothing tells what {type(estimator).__name__} is to do with this data",
        hint="declare the task, e.g. task='classification'",
    )


def _of_several_classes(y: Any) -> str:
    import numpy as np

    values = np.asarray(y)
    if values.dtype.kind in "biuf" and np.isin(values, (0, 1)).all():
        return "multilabel"
    raise DatasetError(
        "several targets of more than two classes each",
        hint="make one experiment for each target, or indicators (0 or 1) of them",
    )


@functools.cache
def _package(module: str) -> tuple[str, str]:
    """Return the name and version of the distribution that brings a top-level module."""
    root = sys.modules.get(module)
    if module == "sklearn":
        # Asking for the distributions of all packages takes a tenth of a second.
        return "scikit-learn", str(getattr(root, "__version__", ""))
    names = importlib.metadata.packages_distributions().get(module, [])
    return (names[0], importlib.metadata.version(names[0])) if names else (module, "")
