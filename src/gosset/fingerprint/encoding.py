"""The walk over a value that writes its canonical encoding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from blake3 import blake3

from .leaves import leaf, node, text
from .scalars import LEAVES

_SHOWN_KEYS = (str, int, bool, float, bytes, type(None))


class Reach(Protocol):
    """What an encoder does at the edge of plain data."""

    def code(self, value: object, where: str) -> str:
        """Return what stands for a function, a class or a module."""
        ...

    def unknown(self, value: object, where: str, reason: str) -> str:
        """Return what stands for a value whose identity cannot be told, or raise."""
        ...


class Encoder:
    """Writes values into :attr:`out`.

    Parameters
    ----------
    reach : Reach
        Takes over at code and at unknown values.
    families : sequence of callable
        Asked in order for a value that is no leaf: each takes the encoder, the value and
        the path to it, and returns whether it wrote the value.

    Attributes
    ----------
    out : bytearray
        What was written so far.
    """

    def __init__(self, reach: Reach, families: Sequence[Family]) -> None:
        self.out = bytearray()
        self._reach = reach
        self._families = families
        self._open: dict[int, object] = {}

    def encode(self, value: object, where: str) -> None:
        """Write `value`; `where` is the path to it, for messages."""
        plain = LEAVES.get(type(value))
        if plain is not None:
            self.out += plain(value)
            return
        if id(value) in self._open:
            self.unknown(value, where, "contains itself")
            return
        self._open[id(value)] = value
        try:
            for family in self._families:
                if family(self, value, where):
                    return
            self.unknown(value, where)
        finally:
            del self._open[id(value)]

    def part(self, value: object, where: str) -> bytes:
        """Return the encoding of `value` without writing it."""
        kept, self.out = self.out, bytearray()
        try:
            self.encode(value, where)
            return bytes(self.out)
        finally:
            self.out = kept

    def parts(self, tag: bytes, named: Iterable[tuple[str, object]], where: str) -> None:
        """Write a node of parts that are told apart by their order; the names go into paths."""
        items = list(named)
        self.out += node(tag, len(items))
        for name, item in items:
            self.encode(item, f"{where}{name}")

    def sequence(self, tag: bytes, items: Sequence[object], where: str) -> None:
        """Write a node of items in order."""
        self.out += node(tag, len(items))
        for number, item in enumerate(items):
            self.encode(item, f"{where}[{number}]")

    def mapping(self, items: Mapping[Any, object], where: str, tag: bytes = b"dict") -> None:
        """Write a mapping so that the order of insertion does not matter."""
        pairs = []
        for key, item in items.items():
            encoded = self.part(key, f"{where}.keys()")
            if type(key) in _SHOWN_KEYS:
                shown = repr(key)
            else:
                shown = f"<{type(key).__name__} {blake3(encoded).hexdigest()[:8]}>"
            pairs.append((encoded, shown, item))
        pairs.sort(key=lambda pair: pair[0])
        self.out += node(tag, len(pairs))
        for encoded, shown, item in pairs:
            self.out += encoded
            self.encode(item, f"{where}[{shown}]")

    def unordered(self, tag: bytes, items: Iterable[object], where: str) -> None:
        """Write a node of items whose order does not matter."""
        encoded = sorted(self.part(item, f"{where}{{}}") for item in items)
        self.out += node(tag, len(encoded))
        for item in encoded:
            self.out += item

    def attributes(
        self, tag: bytes, value: object, items: Mapping[str, object], where: str
    ) -> None:
        """Write an object as its class and `items`."""
        self.out += node(tag, 2)
        self.code(type(value), f"{where}.__class__")
        self.out += node(b"attributes", len(items))
        for name in sorted(items):
            self.out += text(name)
            self.encode(items[name], f"{where}.{name}")

    def code(self, value: object, where: str) -> None:
        """Write what stands for a function, a class or a module."""
        self.out += text(self._reach.code(value, where), b"code")

    def unknown(self, value: object, where: str, reason: str = "") -> None:
        """Write what stands for a value of unknown identity, or raise."""
        self.out += text(self._reach.unknown(value, where, reason), b"unknown")

    def leaf(self, tag: bytes, data: Any) -> None:
        """Write a run of bytes."""
        self.out += leaf(tag, data)

    def text(self, tag: bytes, value: str) -> None:
        """Write a text."""
        self.out += text(value, tag)


Family: TypeAlias = Callable[[Encoder, Any, str], bool]
"""Writes a value of one family and returns True, or returns False."""
