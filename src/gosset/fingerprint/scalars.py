"""Values that have no parts, as bytes: the leaves of every encoding."""

from __future__ import annotations

import datetime
import decimal
import fractions
import uuid
from collections.abc import Callable
from typing import Any, Final

from .leaves import bits, integer, leaf, text


def _complex(value: complex) -> bytes:
    return leaf(b"complex", leaf(b"re", bits(value.real)) + leaf(b"im", bits(value.imag)))


def _timedelta(value: datetime.timedelta) -> bytes:
    return text(f"{value.days}d{value.seconds}s{value.microseconds}us", b"timedelta")


LEAVES: Final[dict[type, Callable[[Any], bytes]]] = {
    type(None): lambda value: b"none:0:",
    bool: lambda value: b"bool:1:1" if value else b"bool:1:0",
    int: integer,
    float: lambda value: leaf(b"float", bits(value)),
    complex: _complex,
    str: text,
    bytes: lambda value: leaf(b"bytes", value),
    bytearray: lambda value: leaf(b"bytearray", value),
    type(...): lambda value: b"ellipsis:0:",
    type(NotImplemented): lambda value: b"notimplemented:0:",
    datetime.date: lambda value: text(value.isoformat(), b"date"),
    datetime.timedelta: _timedelta,
    decimal.Decimal: lambda value: text(str(value), b"decimal"),
    fractions.Fraction: lambda value: text(f"{value.numerator}/{value.denominator}", b"fraction"),
    uuid.UUID: lambda value: leaf(b"uuid", value.bytes),
}
"""Exact type → its encoding, for values that have no parts."""
