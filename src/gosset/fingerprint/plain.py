"""Encodings of the containers and small types of Python itself."""

from __future__ import annotations

import array
import collections
import datetime
import enum
import operator
import pathlib
import random
import re
import types
import zoneinfo
from collections.abc import Callable
from typing import Any, Final

from .encoding import Encoder
from .leaves import node


def encode_plain(out: Encoder, value: Any, where: str) -> bool:
    """Write a value whose type is exactly one of Python's own."""
    writer = _WRITERS.get(type(value))
    if writer is None:
        return False
    writer(out, value, where)
    return True


def encode_kinds(out: Encoder, value: Any, where: str) -> bool:
    """Write members of enumerations, paths, named tuples and children of Python's types."""
    if isinstance(value, enum.Enum):
        # The class counts with its members, so the name says which value is meant.
        named = value.value if isinstance(value, enum.Flag) else value.name
        out.attributes(b"enum", value, {"member": named}, where)
    elif isinstance(value, pathlib.PurePath):
        out.text(b"path", value.as_posix())
    elif isinstance(value, re.Pattern):
        out.sequence(b"pattern", (value.pattern, value.flags), where)
    elif isinstance(value, operator.itemgetter | operator.attrgetter | operator.methodcaller):
        out.attributes(b"getter", value, {"made by": value.__reduce__()}, where)
    else:
        return _encode_child(out, value, where)
    return True


def _encode_child(out: Encoder, value: Any, where: str) -> bool:
    """Write an instance of a child of a container or number as its content and attributes."""
    for kind, content in _CONTENTS.items():
        if isinstance(value, kind):
            items = {"content": content(value), "state": _state(value)}
            if isinstance(value, collections.defaultdict):
                items["default_factory"] = value.default_factory
            out.attributes(b"child", value, items, where)
            return True
    return False


def _state(value: object) -> dict[str, object]:
    """Return the attributes that an instance bears beside its content."""
    slots = {
        name: getattr(value, name)
        for cls in type(value).__mro__
        for name in _slot_names(cls)
        if hasattr(value, name)
    }
    return {**slots, **getattr(value, "__dict__", {})}


def _slot_names(cls: type) -> tuple[str, ...]:
    slots = cls.__dict__.get("__slots__", ())
    names = (slots,) if isinstance(slots, str) else tuple(slots)
    return tuple(name for name in names if name not in ("__dict__", "__weakref__"))


def _range(out: Encoder, value: range, where: str) -> None:
    # Equal ranges are those that count the same numbers: range(0, 3, 2) == range(0, 4, 2).
    first = value[0] if value else None
    step = value.step if len(value) > 1 else None
    out.sequence(b"range", (len(value), first, step), where)


def _datetime(out: Encoder, value: datetime.datetime | datetime.time, where: str) -> None:
    tag = b"datetime" if isinstance(value, datetime.datetime) else b"time"
    out.out += node(tag, 3)
    out.text(b"clock", value.replace(tzinfo=None, fold=0).isoformat(timespec="microseconds"))
    out.encode(value.fold, f"{where}.fold")
    out.encode(value.tzinfo, f"{where}.tzinfo")


def _timezone(out: Encoder, value: datetime.timezone, where: str) -> None:
    out.sequence(b"timezone", (value.utcoffset(None), value.tzname(None)), where)


def _zone(out: Encoder, value: zoneinfo.ZoneInfo, where: str) -> None:
    if value.key is None:
        out.unknown(value, where, "is a time zone without a key")
    else:
        out.text(b"zone", value.key)


_WRITERS: Final[dict[type, Callable[[Encoder, Any, str], None]]] = {
    list: lambda out, value, where: out.sequence(b"list", value, where),
    tuple: lambda out, value, where: out.sequence(b"tuple", value, where),
    dict: lambda out, value, where: out.mapping(value, where),
    set: lambda out, value, where: out.unordered(b"set", value, where),
    frozenset: lambda out, value, where: out.unordered(b"frozenset", value, where),
    types.MappingProxyType: lambda out, value, where: out.mapping(value, where, b"mappingproxy"),
    types.SimpleNamespace: lambda out, value, where: out.mapping(vars(value), where, b"namespace"),
    collections.OrderedDict: lambda out, value, where: out.sequence(
        b"ordereddict", tuple(value.items()), where
    ),
    collections.deque: lambda out, value, where: out.sequence(
        b"deque", (value.maxlen, *value), where
    ),
    range: _range,
    slice: lambda out, value, where: out.sequence(
        b"slice", (value.start, value.stop, value.step), where
    ),
    datetime.datetime: _datetime,
    datetime.time: _datetime,
    datetime.timezone: _timezone,
    zoneinfo.ZoneInfo: _zone,
    array.array: lambda out, value, where: out.sequence(
        b"array", (value.typecode, value.tobytes()), where
    ),
    random.Random: lambda out, value, where: out.sequence(b"random", (value.getstate(),), where),
}

_CONTENTS: Final[dict[type, Callable[[Any], object]]] = {
    collections.OrderedDict: lambda value: list(collections.OrderedDict.items(value)),
    dict: dict.copy,
    list: list.copy,
    tuple: lambda value: tuple(tuple.__iter__(value)),
    set: lambda value: set(set.__iter__(value)),
    frozenset: lambda value: frozenset(frozenset.__iter__(value)),
    int: int.__int__,
    float: float.__float__,
    complex: complex.__complex__,
    str: str.__str__,
    bytes: bytes.__bytes__,
}
"""Type → how to read the content of an instance of a child, past what the child overrides."""
