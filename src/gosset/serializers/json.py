"""Plain Python values as JSON, exactly: what JSON has no word for carries a tag.

``{"$tuple": [1, 2]}`` is a tuple, ``{"$float": "nan"}`` a float. A dict whose keys are not
all strings, or that would look like a tag, is ``{"$dict": [[key, value], …]}``. The order
of a dict is part of it; sets are sorted. Single values of NumPy and pandas are in
``scalars.py``.
"""

from __future__ import annotations

import base64
import json
import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias
from uuid import UUID

from ..exceptions import SerializationError
from ..types import JSONValue
from .base import Sink
from .moments import moment, moment_parts
from .plain import is_unicode
from .scalars import numpy_parts, numpy_scalar, pandas_parts, pandas_scalar

MAX_DEPTH = 100
"""Containers inside each other; deeper values, and those that contain themselves, do not fit."""

MAX_BITS = 2000
"""Bits of an int that is a number in JSON: Python refuses to write much longer ones as decimals."""

Place: TypeAlias = tuple[str, ...]
"""Where a part stands in a value: ``("['a']", "[2]")``."""


class JsonSerializer:
    """None, bool, int, float, str, list, dict; tuple, set, bytes, range, dates, NumPy scalars….

    Subclasses (a ``namedtuple``, an ``IntEnum``) are not taken: they would come back as
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
        if b'{"$' not in data:
            return json.loads(data)
        return json.loads(data, object_hook=lambda pairs: _untagged(pairs, _MAKERS))


def refuse(value: object, place: Place) -> JSONValue:
    """Say that a part has no form in JSON.

    Raises
    ------
    SerializationError
    """
    where = "".join(place)
    raise SerializationError(
        f"{f'its part {where}, ' if where else ''}a {type(value).__name__} with this content "
        f"has no form in JSON"
    )


def encode(
    value: Any, other: Callable[[Any, Place], JSONValue] = refuse, place: Place = ()
) -> JSONValue:
    """Return `value` as JSON values, from which :func:`decode` makes it again.

    Parameters
    ----------
    value : object
    other : callable
        Is given each part that has no form in JSON, and where it stands; returns what
        stands for it, or raises.
    place : tuple of str
        Where `value` itself stands.

    Raises
    ------
    SerializationError
        It has no exact form in JSON, or contains itself.

    Examples
    --------
    >>> encode({"shape": (2, 3)})
    {'shape': {'$tuple': [2, 3]}}
    >>> encode({"a": [len]}, other=lambda value, place: "".join(place))
    {'a': ["['a'][0]"]}
    """
    kind = type(value)
    simple = _SIMPLE.get(kind)
    if simple is not None:
        return simple(value)
    if len(place) > MAX_DEPTH:
        raise SerializationError(
            f"a {kind.__name__} contains itself, or is more than {MAX_DEPTH} containers deep"
        )
    if kind is list:
        return [
            simple(item)
            if (simple := _SIMPLE.get(type(item))) is not None
            else encode(item, other, (*place, f"[{number}]"))
            for number, item in enumerate(value)
        ]
    if kind is dict:
        return _encode_dict(value, other, place)
    if kind in (set, frozenset):
        inside = (*place, "{…}")
        return {f"${kind.__name__}": sorted((encode(i, other, inside) for i in value), key=_text)}
    if kind is tuple:
        return {"$tuple": [encode(item, other, (*place, f"[{n}]")) for n, item in enumerate(value)]}
    if kind is OrderedDict:
        return {"$ordered": _pairs(value, other, place)}
    found = _parts(value, kind)
    if found is None:
        return other(value, place)
    tag, parts = found
    return {tag: encode(parts, other, place)}


def decode(
    encoded: JSONValue, others: Mapping[str, Callable[[Any], object]] | None = None
) -> object:
    """Return the value that :func:`encode` was given.

    Parameters
    ----------
    encoded : JSON value
    others : mapping, optional
        Tag → what makes the value of it, for those that are not of this module.

    Raises
    ------
    SerializationError
        A tag is not known.

    Examples
    --------
    >>> decode({"shape": {"$tuple": [2, 3]}})
    {'shape': (2, 3)}
    """
    makers = _MAKERS if others is None else {**_MAKERS, **others}
    text = json.dumps(encoded)  # NaN stands in it where it was not written by `encode`
    return json.loads(text, object_hook=lambda pairs: _untagged(pairs, makers))


def _parts(value: Any, kind: type) -> tuple[str, object] | None:
    """Return the tag of a single value and what it consists of; None where it has none."""
    if kind in _TAGS:
        tag, take_apart = _TAGS[kind]
        return tag, take_apart(value)
    parts: object
    if kind is datetime or kind is time:
        text = value.isoformat()
        # The text has no place for the rules or the name of a time zone, nor for a fold.
        if repr(kind.fromisoformat(text)) == repr(value):
            return f"${kind.__name__}", text
        parts = moment_parts(value)
        return None if parts is None else ("$moment", parts)
    library = kind.__module__.partition(".")[0]
    if library == "numpy":
        parts = numpy_parts(value)
        return None if parts is None else ("$numpy", parts)
    if library == "pandas":
        parts = pandas_parts(value)
        return None if parts is None else ("$pandas", parts)
    return None


def _text(encoded: JSONValue) -> str:
    return json.dumps(encoded, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _encode_int(value: int) -> JSONValue:
    return value if value.bit_length() <= MAX_BITS else {"$int": hex(value)}


def _encode_float(value: float) -> JSONValue:
    return value if math.isfinite(value) else {"$float": repr(value)}


def _encode_str(value: str) -> JSONValue:
    if is_unicode(value):
        return value
    return {"$str": base64.b64encode(value.encode("utf-8", "surrogatepass")).decode()}


def _encode_dict(value: dict[Any, Any], other: Any, place: Place) -> JSONValue:
    plain = all(type(key) is str and is_unicode(key) for key in value)
    if not plain or (len(value) == 1 and next(iter(value)).startswith("$")):
        return {"$dict": _pairs(value, other, place)}
    return {
        key: simple(item)
        if (simple := _SIMPLE.get(type(item))) is not None
        else encode(item, other, (*place, f"[{key!r}]"))
        for key, item in value.items()
    }


def _pairs(value: Mapping[Any, Any], other: Any, place: Place) -> JSONValue:
    return [
        [encode(key, place=(*place, ".keys()")), encode(item, other, (*place, f"[{key!r}]"))]
        for key, item in value.items()
    ]


def _untagged(pairs: dict[str, Any], makers: Mapping[str, Callable[[Any], object]]) -> object:
    if len(pairs) != 1:
        return pairs
    tag, parts = next(iter(pairs.items()))
    if not tag.startswith("$"):
        return pairs
    if tag not in makers:
        raise SerializationError(
            f"unknown tag {tag!r} in JSON", hint="it was written by a newer version of Gosset"
        )
    return makers[tag](parts)


_SIMPLE: dict[type, Callable[[Any], JSONValue]] = {
    type(None): lambda value: value,
    bool: lambda value: value,
    int: _encode_int,
    float: _encode_float,
    str: _encode_str,
}

_TAGS: dict[type, tuple[str, Callable[[Any], object]]] = {
    bytes: ("$bytes", lambda value: base64.b64encode(value).decode()),
    bytearray: ("$bytearray", lambda value: base64.b64encode(value).decode()),
    range: ("$range", lambda value: [value.start, value.stop, value.step]),
    slice: ("$slice", lambda value: [value.start, value.stop, value.step]),
    complex: ("$complex", lambda value: [value.real, value.imag]),
    date: ("$date", date.isoformat),
    timedelta: ("$timedelta", lambda value: [value.days, value.seconds, value.microseconds]),
    Decimal: ("$decimal", str),
    Fraction: ("$fraction", lambda value: [value.numerator, value.denominator]),
    UUID: ("$uuid", str),
    type(Path()): ("$path", str),
}

_MAKERS: dict[str, Callable[[Any], object]] = {
    "$float": float,
    "$int": lambda text: int(text, 16),
    "$str": lambda text: base64.b64decode(text).decode("utf-8", "surrogatepass"),
    "$dict": dict,
    "$ordered": OrderedDict,
    "$set": set,
    "$frozenset": frozenset,
    "$tuple": tuple,
    "$bytes": base64.b64decode,
    "$bytearray": lambda text: bytearray(base64.b64decode(text)),
    "$range": lambda parts: range(*parts),
    "$slice": lambda parts: slice(*parts),
    "$complex": lambda parts: complex(*parts),
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
    "$time": time.fromisoformat,
    "$timedelta": lambda parts: timedelta(*parts),
    "$decimal": Decimal,
    "$fraction": lambda parts: Fraction(*parts),
    "$uuid": UUID,
    "$path": Path,
    "$moment": moment,
    "$numpy": numpy_scalar,
    "$pandas": pandas_scalar,
}
