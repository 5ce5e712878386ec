"""Reads pickles of plain values alone, and none that would cost more to read than it may.

A pickle is a program. This one is read only where each of its instructions makes or fills plain
values: what could import, call or build anything is refused. What they would make is measured
beforehand without making it: a few bytes can say tuples so deep, or of so many parts, that to
hash one ends the process or takes for ever.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from typing import Any, Final, NoReturn

from ...exceptions import SerializationError

_PLAIN: Final = frozenset(
    # What moves values, makes them, and fills them.
    [
        "PROTO",
        "FRAME",
        "STOP",
        "MARK",
        "POP",
        "POP_MARK",
        "DUP",
        "MEMOIZE",
        "PUT",
        "BINPUT",
        "LONG_BINPUT",
        "GET",
        "BINGET",
        "LONG_BINGET",
        "NONE",
        "NEWTRUE",
        "NEWFALSE",
        "INT",
        "BININT",
        "BININT1",
        "BININT2",
        "LONG",
        "LONG1",
        "LONG4",
        "FLOAT",
        "BINFLOAT",
        "STRING",
        "BINSTRING",
        "SHORT_BINSTRING",
        "UNICODE",
        "SHORT_BINUNICODE",
        "BINUNICODE",
        "BINUNICODE8",
        "BINBYTES",
        "SHORT_BINBYTES",
        "BINBYTES8",
        "BYTEARRAY8",
        "EMPTY_TUPLE",
        "TUPLE",
        "TUPLE1",
        "TUPLE2",
        "TUPLE3",
        "EMPTY_LIST",
        "LIST",
        "APPEND",
        "APPENDS",
        "EMPTY_DICT",
        "DICT",
        "SETITEM",
        "SETITEMS",
        "EMPTY_SET",
        "ADDITEMS",
        "FROZENSET",
    ]
)
_PUTS: Final = frozenset(["MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"])
_GETS: Final = frozenset(["GET", "BINGET", "LONG_BINGET"])
_MADE_OF: Final = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3} | dict.fromkeys(
    ["EMPTY_TUPLE", "EMPTY_LIST", "EMPTY_DICT", "EMPTY_SET"], 0
)
_MADE_OF_ALL: Final = frozenset(["TUPLE", "LIST", "DICT", "FROZENSET"])
"""Of all that stands above the last mark; so it is with what fills by several."""

_FILLED_BY: Final = {"APPEND": 1, "SETITEM": 2}
_FILLED_BY_ALL: Final = frozenset(["APPENDS", "SETITEMS", "ADDITEMS"])
_HASHED: Final = {"FROZENSET": 1, "ADDITEMS": 1, "DICT": 2, "SETITEM": 2, "SETITEMS": 2}
"""What hashes each of its operands, or each second one: the keys."""

TOO_MUCH: Final = "it has too many parts, or they lie too deep"


def unpickled(data: bytes, most: int, deep: int) -> object:
    """Return the plain value that a pickle says.

    Parameters
    ----------
    data : bytes
    most : int
        Parts that it may have, one that stands in several places counted in each.
    deep : int
        How deep its parts may lie.

    Raises
    ------
    SerializationError
        It could run code, is damaged, or has too many parts or too deep ones.
    """
    try:
        _check(data, most, deep)
        return _Unpickler(io.BytesIO(data)).load()
    except SerializationError:
        raise
    except Exception as error:
        raise SerializationError(f"its bytes are damaged: {error}") from error


class _Unpickler(pickle.Unpickler):
    """Imports nothing, whatever it is asked."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"{module}.{name} is not to be imported")

    def persistent_load(self, pid: object) -> NoReturn:
        raise pickle.UnpicklingError("nothing lies outside")


def _check(data: bytes, most: int, deep: int) -> None:
    measuring = _Measuring(most, deep)
    argument: Any
    for opcode, argument, place in pickletools.genops(data):
        if opcode.name not in _PLAIN:
            raise SerializationError(f"its pickle could run code when read: {opcode.name}")
        if opcode.name in _PUTS:
            measuring.put(argument, place or 0)
        elif opcode.name in _GETS:
            measuring.get(argument)
        else:
            measuring.do(opcode.name, makes=bool(opcode.stack_after))


class _Measured:
    """How deep and of how many parts a value would be."""

    __slots__ = ("depth", "parts")

    def __init__(self) -> None:
        self.depth, self.parts = 0, 1


_ATOM: Final = _Measured()
"""Whatever has no parts."""


class _Measuring:
    """Goes through a pickle as its reader would, with measures in place of values."""

    def __init__(self, most: int, deep: int) -> None:
        self._most = most
        self._deep = deep
        self._made = self._hashed = 0
        self._stack: list[_Measured | None] = []  # None is a mark
        self._memo: dict[int, _Measured] = {}

    def put(self, index: int | None, place: int) -> None:
        """Remember what was made last; a reader has room for all indices up to the greatest."""
        index = len(self._memo) if index is None else index
        if index > place:  # each index before it took a byte at least
            raise SerializationError(f"its bytes are damaged: they remember a value as {index}")
        [self._memo[index]] = self._popped(1)
        self._stack.append(self._memo[index])

    def get(self, index: int) -> None:
        """Take a value that was remembered."""
        self._stack.append(self._memo[index])

    def do(self, name: str, *, makes: bool) -> None:
        """Do what any other instruction does; `makes` tells whether it leaves a value."""
        if name == "MARK":
            self._stack.append(None)
        elif name == "POP":
            self._stack.pop()
        elif name == "DUP":
            self._stack += self._popped(1) * 2
        elif name == "POP_MARK":
            self._above_mark()
        elif name in _MADE_OF_ALL or name in _MADE_OF:
            parts = self._popped(_MADE_OF[name]) if name in _MADE_OF else self._above_mark()
            self._stack.append(self._filled(name, _Measured(), parts))
            self._count()
        elif name in _FILLED_BY_ALL or name in _FILLED_BY:
            parts = self._popped(_FILLED_BY[name]) if name in _FILLED_BY else self._above_mark()
            [whole] = self._popped(1)
            if whole is _ATOM:
                raise SerializationError(f"its bytes are damaged: they fill what is none ({name})")
            self._stack.append(self._filled(name, whole, parts))
        elif makes:
            self._stack.append(_ATOM)
            self._count()

    def _filled(self, name: str, whole: _Measured, parts: list[_Measured]) -> _Measured:
        if name in _HASHED:
            self._hashed += sum(part.parts for part in parts[:: _HASHED[name]])
        if parts:
            whole.depth = max(whole.depth, 1 + max(part.depth for part in parts))
            whole.parts += sum(part.parts for part in parts)
        if max(whole.parts, self._hashed) > self._most or whole.depth > self._deep:
            raise SerializationError(TOO_MUCH)
        return whole

    def _count(self) -> None:
        self._made += 1
        if self._made > self._most:
            raise SerializationError(TOO_MUCH)

    def _popped(self, count: int) -> list[_Measured]:
        at = len(self._stack) - count
        found = [value for value in self._stack[max(at, 0) :] if value is not None]
        if len(found) < count:
            raise SerializationError("its bytes are damaged: they take what is not there")
        del self._stack[at:]
        return found

    def _above_mark(self) -> list[_Measured]:
        found: list[_Measured] = []
        while (value := self._stack.pop()) is not None:
            found.append(value)
        found.reverse()
        return found
