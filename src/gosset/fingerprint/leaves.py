"""The bytes of single plain values, and the framing that keeps them apart.

The encoding is a text that can be read back in only one way. A leaf is written
``TAG:LENGTH:BYTES``, a large one ``TAG#LENGTH#`` and the 32 bytes of its BLAKE3 digest,
a node ``TAG;COUNT;`` followed by its parts. The tag tells ``1`` from ``1.0``, from
``True`` and from ``"1"``; the lengths tell ``("ab", "c")`` from ``("a", "bc")``.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from typing import Final

from blake3 import blake3

FORMAT: Final = "gosset-fingerprint-1"
"""Version of all encodings of this package, and part of every digest that it makes."""

INLINE_LIMIT: Final = 1 << 16
"""Bytes up to which a leaf is written out in the encoding."""

PARALLEL_LIMIT: Final = 1 << 20
"""Bytes from which several threads hash faster than one."""


def leaf(tag: bytes, data: bytes | bytearray | memoryview = b"") -> bytes:
    """Return the encoding of one run of bytes, which is not copied when it is large.

    Examples
    --------
    >>> leaf(b"str", b"abc")
    b'str:3:abc'
    """
    size = data.nbytes if isinstance(data, memoryview) else len(data)
    if size <= INLINE_LIMIT:
        return b"%b:%d:%b" % (tag, size, bytes(data))
    threads = blake3.AUTO if size >= PARALLEL_LIMIT else 1
    return b"%b#%d#%b" % (tag, size, blake3(data, max_threads=threads).digest())


def leaf_of(tag: bytes, size: int, pieces: Iterable[bytes | memoryview]) -> bytes:
    """Return what :func:`leaf` returns for the `size` bytes that the pieces make together."""
    if size <= INLINE_LIMIT:
        return leaf(tag, b"".join(pieces))
    hasher = blake3(max_threads=blake3.AUTO if size >= PARALLEL_LIMIT else 1)
    for piece in pieces:
        hasher.update(piece)
    return b"%b#%d#%b" % (tag, size, hasher.digest())


def node(tag: bytes, count: int) -> bytes:
    """Return the head of a node with `count` parts.

    Examples
    --------
    >>> node(b"list", 2)
    b'list;2;'
    """
    return b"%b;%d;" % (tag, count)


def text(value: str, tag: bytes = b"str") -> bytes:
    """Return the encoding of a text; lone surrogates keep their code points."""
    return leaf(tag, value.encode("utf-8", "surrogatepass"))


def integer(value: int, tag: bytes = b"int") -> bytes:
    """Return the encoding of an integer of any size, in two's complement."""
    return leaf(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def bits(value: float) -> bytes:
    """Return the eight bytes of a double."""
    # Every NaN is the same value here, whatever its payload; -0.0 is not 0.0.
    return b"nan" if math.isnan(value) else struct.pack(">d", value)
