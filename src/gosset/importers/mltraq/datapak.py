"""Reads DATAPAK, in which MLtraq keeps values: plain containers as a pickle, the rest as bytes.

A pickle is a program. This one is read only where each of its instructions makes or fills
plain values: what could import, call or build anything is refused before the first of them runs.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from ...exceptions import SerializationError, require

_MAGIC: Final = "DATAPAK-0"
_PACKED: Final = b"C01"
"""What stands before compressed bytes."""

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
_MOST: Final = 100_000
_A_BYTE: Final = 20
"""Parts that a value may have, and how many more for each of its bytes: a few of them can say a
list of lists of lists without end.
"""

_DEEP: Final = 200


@dataclass(frozen=True, slots=True)
class Sequence:
    """Rows that were appended one by one, as a table with ``idx`` and ``timestamp``."""

    table: Any


@dataclass(frozen=True, slots=True)
class Archive:
    """Files in one: the bytes of a TAR file."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """A value that lies in a file beside the database; `packed` unless it is a TAR file."""

    url: str
    packed: bool


def read(data: bytes) -> Any:
    """Return the value that bytes hold.

    Raises
    ------
    SerializationError
        It could run code, is damaged, or of an unknown kind.
    MissingExtraError
        Tables need pyarrow.
    """
    data = _unpacked(data)
    return _Decoding(_MOST + _A_BYTE * len(data)).decoded(_unpickled(data))


def _unpacked(data: bytes) -> bytes:
    if data.startswith(_PACKED):
        try:
            return zlib.decompress(data[len(_PACKED) :])
        except zlib.error as error:
            raise SerializationError(f"its compressed bytes are damaged: {error}") from error
    return data


def _unpickled(data: bytes) -> object:
    try:
        used = {opcode.name for opcode, _, _ in pickletools.genops(data)}
    except Exception as error:
        raise SerializationError(f"its bytes are damaged: {error}") from error
    if unsafe := sorted(used - _PLAIN):
        raise SerializationError(f"its pickle could run code when read: {', '.join(unsafe)}")
    try:
        return _Unpickler(io.BytesIO(data)).load()
    except Exception as error:
        raise SerializationError(f"its bytes are damaged: {error}") from error


class _Unpickler(pickle.Unpickler):
    """Imports nothing, whatever it is asked."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"{module}.{name} is not to be imported")

    def persistent_load(self, pid: object) -> NoReturn:
        raise pickle.UnpicklingError("nothing lies outside")


class _Decoding:
    """Values other than plain ones, of which each stands as a mapping with a sign."""

    def __init__(self, most: int) -> None:
        self._left = most

    def decoded(self, value: Any, depth: int = 0) -> Any:
        self._left -= 1
        if self._left < 0 or depth > _DEEP:
            raise SerializationError("it has too many parts, or they lie too deep")
        kind = type(value)
        if kind is dict:
            if _MAGIC in value:
                return self._special(str(value[_MAGIC]), value.get("value"), depth)
            return {key: self.decoded(item, depth + 1) for key, item in value.items()}
        if kind in (list, tuple, set, frozenset):
            return kind(self.decoded(item, depth + 1) for item in value)
        return value

    def _special(self, sign: str, value: Any, depth: int) -> Any:
        # The last part of the sign is its version.
        name, _, version = sign.rpartition("-")
        make = _SPECIAL.get(name)
        if version != "0" or (make is None and name not in ("mltraq.Bunch", "mltraq.Sequence")):
            raise SerializationError(f"it has a {sign}, which is not known")
        if name == "mltraq.Bunch":
            return self.decoded(value, depth + 1)
        if name == "mltraq.Sequence":
            return Sequence(self.decoded(value, depth + 1))
        assert make is not None
        try:
            return make(value)
        except (SerializationError, ImportError):
            raise
        except Exception as error:
            raise SerializationError(f"its {name} is damaged: {error}") from error


def _table(data: bytes) -> Any:
    require("pyarrow", "frames", "reading tables of MLtraq")
    import pyarrow
    from pyarrow.feather import read_table

    return read_table(pyarrow.BufferReader(data))


def _frame(data: bytes) -> Any:
    return _table(data).to_pandas()


def _series(data: bytes) -> Any:
    frame = _frame(data)
    return frame[frame.columns[0]]


def _array(data: bytes) -> Any:
    import numpy as np

    return np.load(io.BytesIO(data), allow_pickle=False)


def _moment(microseconds: int) -> Any:
    import numpy as np

    return np.datetime64(microseconds, "us")


_SPECIAL: Final[dict[str, Callable[[Any], Any]]] = {
    "mltraq.Archive": Archive,
    "mltraq.ArchiveStore": lambda url: Stored(str(url), packed=False),
    "mltraq.DataStore": lambda url: Stored(str(url), packed=True),
    "numpy.datetime64": _moment,
    "numpy.ndarray": _array,
    "pandas.DataFrame": _frame,
    "pandas.Series": _series,
    "pyarrow.Table": _table,
    "uuid.UUID": lambda text: uuid.UUID(hex=text),
}
