"""Splits: how the rows of a dataset are divided to train, validate and test.

>>> from gosset.splits import kfold, make_folds
>>> kfold(5, stratify=True)
KFold(k=5, shuffle=True, stratify=True, groups=False, validation=0.0, repeats=1, seed=None)
"""

from .fold import Fold, digest_folds, folds_from_bytes, folds_to_bytes, validate
from .making import as_splitter, depends_on_seed, describe, function, make_folds
from .splitters import (
    explicit,
    grouped,
    kfold,
    leave_one_out,
    none,
    random,
    repeated,
    stratified,
    timeseries,
)

__all__ = [
    "Fold",
    "as_splitter",
    "depends_on_seed",
    "describe",
    "digest_folds",
    "explicit",
    "folds_from_bytes",
    "folds_to_bytes",
    "function",
    "grouped",
    "kfold",
    "leave_one_out",
    "make_folds",
    "none",
    "random",
    "repeated",
    "stratified",
    "timeseries",
    "validate",
]
