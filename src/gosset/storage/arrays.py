"""Columns of values as arrays, of types that invent nothing. Loads no database library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .values import decode

if TYPE_CHECKING:
    import numpy as np


class Values(NamedTuple):
    """One column: an array, and where it has no value.

    Attributes
    ----------
    values : ndarray, shape (n,)
        Of int64, uint64, float64, bool, ``datetime64[us]`` (UTC), or of objects: text, JSON
        values, or values of several types.
    missing : ndarray of bool, shape (n,), or None
        None where every run has a value. NaN is a value.
    """

    values: np.ndarray
    missing: np.ndarray | None = None


def array_of(values: Sequence[Any]) -> Values:
    """Return Python's values as a column: of numbers where all are of one type, or exact as such.

    Examples
    --------
    >>> array_of([1, None, 3]).values.dtype, array_of([1, 0.5]).values.dtype
    (dtype('int64'), dtype('float64'))
    >>> array_of([1, "a", True]).values.tolist()
    [1, 'a', True]
    """
    import numpy as np

    types = set(map(type, values))
    missing = None
    if type(None) in types:
        missing = np.array([value is None for value in values], bool)
        types.discard(type(None))
    dtype = _dtype(types, values)
    if dtype is None:
        found = np.empty(len(values), object)
        found[:] = values
        return Values(found, missing)
    given = values if missing is None else [0 if value is None else value for value in values]
    return Values(np.array(given, dtype), missing)


def _dtype(types: set[type], values: Sequence[Any]) -> str | None:
    """Return the type of an array that has these values exactly; None: objects."""
    if types == {bool}:
        return "?"
    if types == {float}:
        return "f8"
    if types == {int}:
        numbers = [value for value in values if value is not None]
        low, high = min(numbers), max(numbers)
        if low >= -(2**63) and high < 2**63:
            return "i8"
        return "u8" if low >= 0 and high < 2**64 else None
    if types == {int, float} and all(abs(value) <= 2**53 for value in values if type(value) is int):
        return "f8"
    return None


def decoded(texts: Sequence[str]) -> list[Any]:
    """Return the values of JSON texts."""
    found: list[Any] = decode(f"[{','.join(texts)}]")
    return found
