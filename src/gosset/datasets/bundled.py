"""scikit-learn's data sets, and anything in their form, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..exceptions import DatasetError, did_you_mean, require
from .building import Schema, data_from_arrays, data_from_frame
from .data import Data
from .values import is_a

_UNITS = {"load_iris": "cm"}
"""Unit of all features, where scikit-learn documents one."""


def loader(name: str) -> Callable[..., Any]:
    """Return scikit-learn's function for ``"load_iris"`` or ``"iris"``.

    Raises
    ------
    DatasetError
        There is none, with "did you mean".
    """
    require("sklearn", "sklearn", "a data set of scikit-learn")
    from sklearn import datasets

    names = [found for found in datasets.__all__ if found.startswith(("load_", "fetch_"))]
    for full in (name, f"load_{name}"):
        if full in names:
            return getattr(datasets, full)  # type: ignore[no-any-return]
    raise DatasetError(
        f"scikit-learn has no data set {name!r}",
        hint=did_you_mean(name if "_" in name else f"load_{name}", names),
    )


def is_bunch(value: object) -> bool:
    """Whether `value` has the form of what scikit-learn's loaders return."""
    return isinstance(value, Mapping) and "data" in value and "target" in value


def data_from_bunch(bunch: Any, schema: Schema, *, loaded_by: str = "") -> Data:
    """Return what a loader of scikit-learn returns as data.

    ``feature_names`` name the columns; ``target_names`` are the labels of a coded target,
    or the names of the targets.
    """
    named = [] if bunch.get("target_names") is None else list(map(str, bunch["target_names"]))
    target = bunch["target"]
    shape = np.shape(target)
    coded = len(shape) == 1 and np.asarray(target).dtype.kind in "iu"
    several = len(shape) == 2 and shape[1] == len(named)
    if coded and not schema.labels:
        schema = replace(schema, labels=tuple(named))
    elif not schema.target and (several or len(named) == 1):
        schema = replace(schema, target=tuple(named))
    if not schema.target and is_a(target, "pandas.Series") and target.name is not None:
        schema = replace(schema, target=(str(target.name),))
    features = bunch.get("feature_names")
    if features is not None and not schema.columns:
        schema = replace(schema, columns=tuple(map(str, features)))
    unit = _UNITS.get(loaded_by)
    if unit and not schema.units:
        schema = replace(schema, units=dict.fromkeys(schema.columns, unit))
    if bunch.get("frame") is not None and schema.target:
        return data_from_frame(bunch["frame"], schema)
    return data_from_arrays(bunch["data"], target, None, schema)
