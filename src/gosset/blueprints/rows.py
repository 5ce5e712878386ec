"""Views of the dataset that depend on the fold: the rows of its parts."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from ..stages import Stage, view


def rows_of(values: Any, indices: Any) -> Any:
    """Return the rows of `values` at positions `indices`; None stays None.

    Parameters
    ----------
    values : DataFrame, Series, ndarray, sparse matrix or None
        With rows along the first axis.
    indices : ndarray of int64, shape (n_rows,)
    """
    if values is None:
        return None
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(values, pandas.DataFrame | pandas.Series):
        return values.iloc[indices]
    return values[indices]


def fold_views() -> list[Stage]:
    """Return the views ``X_train``, ``y_train`` … of a dataset on a fold.

    Examples
    --------
    >>> [stage.name for stage in fold_views()][:3]
    ['X_train', 'X_validation', 'X_test']
    """
    return [
        view(partial(_LOOKS[name], part), name=f"{name}_{part}")
        for name in _LOOKS
        for part in ("train", "validation", "test")
    ]


def _features(part: str, X: Any, fold: Any) -> Any:
    return rows_of(X, getattr(fold, part))


def _target(part: str, y: Any, fold: Any) -> Any:
    return rows_of(y, getattr(fold, part))


def _groups(part: str, groups: Any, fold: Any) -> Any:
    return rows_of(groups, getattr(fold, part))


_LOOKS = {"X": _features, "y": _target, "groups": _groups}
