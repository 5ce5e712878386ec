"""One parameter value as it is recorded: JSON where JSON has it, else words."""

from __future__ import annotations

import enum
import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any, cast

from ..types import JSONValue

ARRAY_LIMIT = 100
"""Arrays with more elements than this are recorded by their shape."""

TEXT_LIMIT = 200
"""Objects whose ``repr`` is longer than this are recorded by the name of their type."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value that is not taken apart. Made by :func:`fixed`."""

    value: object


def fixed(value: object) -> Fixed:
    """Say that a list, tuple or mapping is one value, not alternatives or structure.

    Examples
    --------
    >>> from gosset.parameters import grid
    >>> grid({"layers": fixed([64, 32]), "lr": [0.1, 0.01]})
    [{'layers': [64, 32], 'lr': 0.1}, {'layers': [64, 32], 'lr': 0.01}]
    """
    return Fixed(value)


def jsonable(value: object) -> JSONValue:
    """Return what is recorded of a parameter's value: itself where JSON has it, else words.

    Parameters
    ----------
    value : object
        NumPy scalars become numbers, tuples and arrays of up to 100 elements lists, enum
        members their value, paths and dates text; what JSON lacks (``nan``, ``inf``) is
        text, too. Functions and classes are recorded by their qualified name; other
        objects by their ``repr`` where it is short and speaks of the value, else by the
        name of their type.

    Returns
    -------
    JSONValue
        For searching and showing. It is not the value's identity: see
        :func:`group_digest`.

    Examples
    --------
    >>> jsonable((1, 2.5, None)), jsonable(float("inf")), jsonable(len)
    ([1, 2.5, None], 'inf', 'builtins.len')
    """
    if isinstance(value, Fixed):
        return jsonable(value.value)
    if isinstance(value, enum.Enum):
        return jsonable(value.value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, Mapping):
        return {str(name): jsonable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if _is_numpy(value, "generic"):
        # An extended float is its own item: it has no counterpart in Python.
        item = cast("Any", value).item()
        return str(item) if _is_numpy(item, "generic") else jsonable(item)
    array = numpy_array(value)
    return _description(value) if array is None else _described_array(array)


def numpy_array(value: object) -> Any:
    """Return `value` where it is a NumPy array, else None; NumPy is not imported for it."""
    return value if _is_numpy(value, "ndarray") else None


def _is_numpy(value: object, kind: str) -> bool:
    # Nobody can hold a NumPy value while NumPy is not loaded.
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, getattr(numpy, kind))


def _described_array(array: Any) -> JSONValue:
    if array.size <= ARRAY_LIMIT:
        return jsonable(array.tolist())
    return f"array({'×'.join(map(str, array.shape))}, {array.dtype})"


def _description(value: object) -> str:
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    text = " ".join(repr(value).split())
    if len(text) <= TEXT_LIMIT and " at 0x" not in text:
        return text
    return f"{type(value).__module__}.{type(value).__qualname__}"
