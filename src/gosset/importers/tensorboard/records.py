"""Files of TensorBoard as records: framed by their length, and checked.

A record is its length (8 bytes, little-endian), a checksum of that, its bytes, and a checksum of
those. The checksum is CRC-32C, turned round by 15 bits and shifted by a constant.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

_HEAD: Final = struct.Struct("<QI")
_TAIL: Final = struct.Struct("<I")
_POLYNOMIAL: Final = 0x82F63B78
_SHIFT: Final = 0xA282EAD8
_ALL: Final = 0xFFFF_FFFF
_LONG: Final = 1 << 14
"""Bytes from which several are taken at once."""

_LANES: Final = 1 << 10


class Record(NamedTuple):
    """The bytes of a record, and where they lie in the file."""

    offset: int
    data: bytes


class Damage(NamedTuple):
    """What could not be read, from where on, and why."""

    offset: int
    why: str


def records(path: Path) -> Iterator[Record | Damage]:
    """Iterate over the records of a file.

    One whose bytes are not those that were written is left out. Behind one whose length is
    not, and behind the one that was cut off, there is nothing more.
    """
    with path.open("rb") as file:
        while head := file.read(_HEAD.size):
            offset = file.tell()
            if len(head) < _HEAD.size:
                yield Damage(offset - len(head), "it is cut off")
                return
            length, check = _HEAD.unpack(head)
            if masked_crc(head[:8]) != check:
                yield Damage(offset - len(head), "its length is damaged")
                return
            # Nothing is asked for that is not there: room would be made for all of it.
            there = os.fstat(file.fileno()).st_size - offset >= length
            data, tail = (file.read(length), file.read(_TAIL.size)) if there else (b"", b"")
            if len(data) < length or len(tail) < _TAIL.size:
                yield Damage(offset - len(head), "it is cut off")
                return
            if masked_crc(data) != _TAIL.unpack(tail)[0]:
                yield Damage(offset - len(head), "its bytes are not those that were written")
            else:
                yield Record(offset, data)


def masked_crc(data: bytes) -> int:
    """Return the checksum of bytes as it stands beside them.

    Examples
    --------
    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + _SHIFT) & _ALL


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of bytes."""
    if len(data) < _LONG:
        return _carried(_ALL, data) ^ _ALL
    import numpy as np

    # As many pieces of equal length side by side, and what they give put together.
    width = len(data) // _LANES
    lanes = np.frombuffer(data, np.uint8, width * _LANES).reshape(_LANES, width)
    columns = np.ascontiguousarray(lanes.T)
    table = np.array(_table(), np.uint32)
    crcs = np.zeros(_LANES, np.uint32)
    crcs[0] = _ALL
    for column in columns:
        crcs = table[(crcs ^ column) & 0xFF] ^ (crcs >> np.uint32(8))
    zeros = _zeros(width)
    crc = 0
    for each in crcs.tolist():
        crc = _times(zeros, crc) ^ each
    return _carried(crc, data[width * _LANES :]) ^ _ALL


def _carried(crc: int, data: bytes) -> int:
    table = _table()
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc


@cache
def _table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return tuple(table)


@cache
def _zeros(length: int) -> tuple[int, ...]:
    """Return what so many zero bytes make of each bit of a checksum."""
    made = tuple(1 << bit for bit in range(32))
    step = tuple(_carried(1 << bit, b"\0") for bit in range(32))
    while length:
        if length & 1:
            made = tuple(_times(step, column) for column in made)
        step = tuple(_times(step, column) for column in step)
        length >>= 1
    return made


def _times(matrix: tuple[int, ...], bits: int) -> int:
    product = 0
    for column in matrix:
        if not bits:
            break
        if bits & 1:
            product ^= column
        bits >>= 1
    return product
