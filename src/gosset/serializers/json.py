"""Plain Python values as JSON, exactly: what JSON has no word for carries a tag.

``{"$tuple": [1, 2]}`` is a tuple, ``{"$float": "nan"}`` a float. A dict whose keys are not
all strings, or that would look like a tag, is ``{"$dict": [[key, value], …]}``. The order
of a dict is part of it; sets are sorted.
"""

from __future__ import annotations

import base64
import json
import math
import sys
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from ..exceptions import SerializationError
from ..types import JSONValue
from .base import Sink
from .plain import is_unicode

MAX_DEPTH = 100
"""Containers inside each other; deeper values, and those that contain themselves, do not fit."""

MAX_BITS = 2000
"""Bits of an int: Python refuses to write longer ones as decimals, depending on its settings."""


class JsonSerializer:
    """None, bool, int, float, str, list, dict; tuple, set, bytes, dates, NumPy scalars….

    Subclasses (``OrderedDict``, an ``IntEnum``) are not taken: they would come back as
    something else. Two places that hold the same list come back as two equal lists.
    """

    name = "json"
    extension = ".json"
    safe = True

    def takes(self, value: object) -> bool:
        """Whether `value` consists of nothing but the types above."""
        try:
            encode(value)
        except SerializationError:
            return False
        return True

    def dump(self, value: object, file: Sink) -> None:
        """See :meth:`Serializer.dump`."""
        file.write(_text(encode(value)).encode())

    def load(self, file: BinaryIO) -> object:
        """See :meth:`Serializer.load`."""
        data = file.read()
        return json.loads(data, object_hook=_untagged if b'{"$' in data else None)


def encode(value: Any, depth: int = 0) -> JSONValue:
    """Return `value` as JSON values, from which :func:`decode` makes it again.

    Raises
    ------
    SerializationError
        It has no exact form in JSON.

    Examples
    --------
    >>> encode({"shape": (2, 3)})
    {'shape': {'$tuple': [2, 3]}}
    """
    kind = type(value)
    simple = _SIMPLE.get(kind)
    if simple is not None:
        return simple(value)
    if depth > MAX_DEPTH:
        raise _unfit(value)
    if kind is list:
        return [encode(item, depth + 1) for item in value]
    if kind is dict:
        return _encode_dict(value, depth + 1)
    if kind in (set, frozenset):
        items = sorted((encode(item, depth + 1) for item in value), key=_text)
        return {f"${kind.__name__}": items}
    if kind in _TAGS:
        tag, take_apart = _TAGS[kind]
        return {tag: encode(take_apart(value), depth + 1)}
    if kind.__module__ == "numpy":
        return {"$numpy": encode(_numpy_parts(value), depth + 1)}
    raise _unfit(value)


def decode(encoded: JSONValue) -> object:
    """Return the value that :func:`encode` was given.

    Examples
    --------
    >>> decode({"shape": {"$tuple": [2, 3]}})
    {'shape': (2, 3)}
    """
    return json.loads(_text(encoded), object_hook=_untagged)


def _unfit(value: object) -> SerializationError:
    return SerializationError(f"a {type(value).__name__} with this content has no form in JSON")


def _text(encoded: JSONValue) -> str:
    return json.dumps(encoded, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _encode_int(value: int) -> JSONValue:
    if value.bit_length() > MAX_BITS:
        raise _unfit(value)
    return value


def _encode_float(value: float) -> JSONValue:
    return value if math.isfinite(value) else {"$float": repr(value)}


def _encode_str(value: str) -> JSONValue:
    if not is_unicode(value):
        raise _unfit(value)
    return value


def _encode_dict(value: dict[Any, Any], depth: int) -> JSONValue:
    plain = all(type(key) is str and is_unicode(key) for key in value)
    if plain and not (len(value) == 1 and next(iter(value)).startswith("$")):
        return {key: encode(item, depth) for key, item in value.items()}
    return {"$dict": [[encode(key, depth), encode(item, depth)] for key, item in value.items()]}


def _moment(value: datetime | time) -> str:
    # The text has no place for the rules or the name of a time zone, nor for a fold.
    text = value.isoformat()
    if repr(type(value).fromisoformat(text)) != repr(value):
        raise _unfit(value)
    return text


def _numpy_parts(value: object) -> list[object]:
    numpy: Any = sys.modules["numpy"]
    if not isinstance(value, numpy.generic):
        raise _unfit(value)
    scalar: Any = value
    if scalar.dtype.kind in "mM":
        return [scalar.dtype.name, int(scalar.view("int64"))]
    name = "str" if scalar.dtype.kind == "U" else scalar.dtype.name
    item = scalar.item()
    # A longdouble has no plain counterpart, a longlong no name of its own.
    plain = type(item) in (bool, int, float, complex, str)
    if not plain or numpy.dtype(name).type is not type(value):
        raise _unfit(value)
    return [name, item]


def _numpy_scalar(parts: list[Any]) -> object:
    import numpy as np

    name, item = parts
    dtype = np.dtype(name)
    if dtype.kind in "mM":
        return np.int64(item).view(dtype)
    if dtype.kind not in "biufcU":
        raise SerializationError(f"no NumPy scalar of type {name!r} can be read from JSON")
    return dtype.type(item)


def _untagged(pairs: dict[str, Any]) -> object:
    if len(pairs) != 1:
        return pairs
    tag, parts = next(iter(pairs.items()))
    if not tag.startswith("$"):
        return pairs
    if tag not in _MAKERS:
        raise SerializationError(
            f"unknown tag {tag!r} in JSON", hint="it was written by a newer version of Gosset"
        )
    return _MAKERS[tag](parts)


_SIMPLE: dict[type, Callable[[Any], JSONValue]] = {
    type(None): lambda value: value,
    bool: lambda value: value,
    int: _encode_int,
    float: _encode_float,
    str: _encode_str,
}

_TAGS: dict[type, tuple[str, Callable[[Any], object]]] = {
    tuple: ("$tuple", list),
    bytes: ("$bytes", lambda value: base64.b64encode(value).decode()),
    complex: ("$complex", lambda value: [value.real, value.imag]),
    datetime: ("$datetime", _moment),
    date: ("$date", date.isoformat),
    time: ("$time", _moment),
    timedelta: ("$timedelta", lambda value: [value.days, value.seconds, value.microseconds]),
    Decimal: ("$decimal", str),
    Fraction: ("$fraction", lambda value: [value.numerator, value.denominator]),
    UUID: ("$uuid", str),
    type(Path()): ("$path", str),
}

_MAKERS: dict[str, Callable[[Any], object]] = {
    "$float": float,
    "$dict": dict,
    "$set": set,
    "$frozenset": frozenset,
    "$tuple": tuple,
    "$bytes": base64.b64decode,
    "$complex": lambda parts: complex(*parts),
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
    "$time": time.fromisoformat,
    "$timedelta": lambda parts: timedelta(*parts),
    "$decimal": Decimal,
    "$fraction": lambda parts: Fraction(*parts),
    "$uuid": UUID,
    "$path": Path,
    "$numpy": _numpy_scalar,
}
