"""Columns and arrays as the plain NumPy values that estimators and files take."""

from __future__ import annotations

import numbers
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..exceptions import DatasetError

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[Any]


def is_a(value: object, *names: str) -> bool:
    """Whether `value` is an instance of a class given as ``module.Class``.

    Nothing is imported: there is no instance of a class that was never loaded.
    """
    for name in names:
        module, _, kind = name.rpartition(".")
        found = getattr(sys.modules.get(module), kind, None)
        if isinstance(found, type) and isinstance(value, found):
            return True
    return False


def is_frame(value: object) -> bool:
    """Whether `value` is a pandas DataFrame."""
    return is_a(value, "pandas.DataFrame")


def is_sparse(value: object) -> bool:
    """Whether `value` is a SciPy sparse matrix or array."""
    return is_a(value, "scipy.sparse.spmatrix", "scipy.sparse.sparray")


def as_array(values: Any) -> Array:
    """Return `values` as an array, without the texts that NumPy makes of numbers among texts."""
    array = np.asarray(values)
    if array.dtype.kind in "US" and not hasattr(values, "dtype"):
        return np.array(values, dtype=object)
    return array


def plain(values: Array) -> Array:
    """Return an object array of texts, booleans or numbers as an array of that type.

    Anything else comes back as it is.
    """
    if values.dtype.kind == "T":
        return values.astype(str)
    if values.dtype != object:
        return values
    kinds = {type(value) for value in values.flat}
    if all(issubclass(kind, str) for kind in kinds):
        return values.astype(str)
    if all(issubclass(kind, bool | np.bool_) for kind in kinds):
        return values.astype(bool)
    if bool not in kinds and all(issubclass(kind, numbers.Real) for kind in kinds):
        return np.array(values.tolist())
    return values


def column_values(column: pd.Series[Any]) -> Array:
    """Return the values of a column without missing ones as a NumPy array.

    Text becomes an array of fixed width, a category its label, and a nullable number the
    NumPy number beneath.
    """
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        categories = plain(np.asarray(column.cat.categories, dtype=object))
        return categories[column.cat.codes.to_numpy()]
    values = column.to_numpy()
    return plain(values)


def missing(values: Any) -> Array:
    """Return a mask of the missing values of an array or a column (NaN, NaT, None, NA)."""
    if isinstance(values, np.ndarray) and values.dtype != object:
        if values.dtype.kind in "fc":
            return np.isnan(values)
        if values.dtype.kind in "mM":
            return np.isnat(values)
        return np.zeros(values.shape, dtype=bool)
    if isinstance(values, np.ndarray) and "pandas" not in sys.modules:
        gone = [value is None or value != value for value in values.flat]
        return np.array(gone, dtype=bool).reshape(values.shape)
    import pandas as pd

    return np.asarray(pd.isna(values))


def refuse_missing(values: Any, name: str, role: str) -> None:
    """Raise when a target or group has missing values; the message counts them."""
    gone = missing(values)
    if gone.any():
        count = int(gone.sum())
        raise DatasetError(
            f"{role} {name!r} has {count} missing value{'s' if count > 1 else ''},"
            f" the first in row {int(gone.argmax())}",
            hint="drop these rows or fill them in before the dataset is declared",
        )


def refuse_odd(values: Array, name: str, role: str) -> None:
    """Raise when a target or group holds anything but text, numbers, booleans or times."""
    if values.dtype == object:
        kinds = [type(value) for value in values]
        odd = next((row for row, kind in enumerate(kinds) if kind is not kinds[0]), 0)
        raise DatasetError(
            f"{role} {name!r} holds {type(values[odd]).__name__} in row {odd}",
            hint="use text, numbers, booleans or times, all of one kind",
        )
