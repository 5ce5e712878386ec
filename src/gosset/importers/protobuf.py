"""Protocol-buffer messages, read field by field without a schema."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, TypeVar

from ..exceptions import StorageError

_T = TypeVar("_T", int, bytes)

Value = int | bytes
"""A varint or a fixed number as an unsigned integer, all else as bytes."""

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5

_GROUPS: Final = (3, 4)
_LONGEST: Final = 10
"""Bytes of the longest varint."""


def fields(message: bytes | memoryview) -> Iterator[tuple[int, int, Value]]:
    """Iterate over the fields of a message: number, wire type and value, in their order.

    Parameters
    ----------
    message : bytes

    Raises
    ------
    StorageError
        It is cut off, or is no message.

    Examples
    --------
    >>> list(fields(bytes([0x08, 0x96, 0x01, 0x12, 0x02, 0x68, 0x69])))
    [(1, 0, 150), (2, 2, b'hi')]
    """
    data = bytes(message)
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        number, wire = key >> 3, key & 7
        value: Value
        if wire == VARINT:
            value, position = _varint(data, position)
        elif wire in (FIXED64, FIXED32):
            size = 8 if wire == FIXED64 else 4
            value = int.from_bytes(_part(data, position, size), "little")
            position += size
        elif wire == BYTES:
            size, position = _varint(data, position)
            value = _part(data, position, size)
            position += size
        else:
            what = "groups" if wire in _GROUPS else f"wire type {wire}"
            raise StorageError(f"a message has {what}, which nothing writes: it is damaged")
        if number == 0:
            raise StorageError("a message has a field without a number: it is damaged")
        yield number, wire, value


def message(data: bytes | memoryview) -> dict[int, list[Value]]:
    """Return the values of a message by the number of their field.

    Examples
    --------
    >>> message(bytes([0x08, 0x01, 0x08, 0x02]))
    {1: [1, 2]}
    """
    found: dict[int, list[Value]] = {}
    for number, _, value in fields(data):
        found.setdefault(number, []).append(value)
    return found


class Message:
    """A message whose fields are asked for by number and type; one that is not there has none.

    Of a field that stands several times the last counts, as it does for every reader.

    Examples
    --------
    >>> told = Message(bytes([0x08, 0x96, 0x01, 0x12, 0x02, 0x68, 0x69]))
    >>> told.integer(1), told.text(2), told.text(3), told.has(3)
    (150, 'hi', '', False)
    """

    __slots__ = ("_values",)

    def __init__(self, data: bytes | memoryview) -> None:
        self._values = message(data)

    def has(self, number: int) -> bool:
        """Whether the field is there."""
        return number in self._values

    def integer(self, number: int) -> int:
        """Return a signed integer of 32 or 64 bits, an enumeration or a boolean; else 0."""
        value = self._last(number, int)
        return value - 2**64 if value >= 2**63 else value

    def double(self, number: int) -> float:
        """Return a number of 64 bits; else 0."""
        return as_double(self._last(number, int))

    def single(self, number: int) -> float:
        """Return a number of 32 bits as one of 64, which has its value exactly; else 0."""
        return as_single(self._last(number, int))

    def data(self, number: int) -> bytes:
        """Return bytes; else none."""
        return self._last(number, bytes)

    def text(self, number: int) -> str:
        """Return text; else none. What is no UTF-8 is replaced."""
        return self.data(number).decode("utf-8", "replace")

    def inner(self, number: int) -> Message:
        """Return a message inside this one; else an empty one."""
        return Message(self.data(number))

    def several(self, number: int) -> list[Message]:
        """Return the messages of a field that may be repeated."""
        return [Message(data) for data in self.pieces(number)]

    def pieces(self, number: int) -> list[bytes]:
        """Return the bytes of a field that may be repeated."""
        return [value for value in self._values.get(number, ()) if isinstance(value, bytes)]

    def numbers(self, number: int, code: str) -> list[int | float]:
        """Return repeated numbers, packed or not.

        Parameters
        ----------
        number : int
        code : {"varint", "d", "f"}
            Signed integers; numbers of 64 bits; of 32 bits.
        """
        found: list[int | float] = []
        for value in self._values.get(number, ()):
            if isinstance(value, bytes):
                found += _unpacked(value, code)
            else:
                found.append(_number(value, code))
        return found

    def _last(self, number: int, kind: type[_T]) -> _T:
        values = [value for value in self._values.get(number, ()) if isinstance(value, kind)]
        return values[-1] if values else kind()


def as_double(bits: int) -> float:
    """Return the number of 64 bits with these bits."""
    (value,) = struct.unpack("<d", bits.to_bytes(8, "little"))
    return float(value)


def as_single(bits: int) -> float:
    """Return the number of 32 bits with these bits."""
    if bits >= 2**32:
        raise StorageError("a message has a number of more bits than it may have: it is damaged")
    (value,) = struct.unpack("<f", bits.to_bytes(4, "little"))
    return float(value)


def _number(value: int, code: str) -> int | float:
    if code == "d":
        return as_double(value)
    if code == "f":
        return as_single(value)
    return value - 2**64 if value >= 2**63 else value


def _unpacked(data: bytes, code: str) -> list[int | float]:
    if code == "varint":
        found: list[int | float] = []
        position = 0
        while position < len(data):
            value, position = _varint(data, position)
            found.append(_number(value, code))
        return found
    size = struct.calcsize(code)
    if len(data) % size:
        raise StorageError("a message has numbers that are cut off: it is damaged")
    return list(struct.unpack(f"<{len(data) // size}{code}", data))


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 7 * _LONGEST, 7):
        if position >= len(data):
            raise StorageError("a message ends in the middle of a number: it is cut off")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position
    raise StorageError(f"a message has a number of more than {_LONGEST} bytes: it is damaged")


def _part(data: bytes, start: int, size: int) -> bytes:
    if start + size > len(data):
        raise StorageError(f"a message ends {start + size - len(data)} bytes early: it is cut off")
    return data[start : start + size]
