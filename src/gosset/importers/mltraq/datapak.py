"""Reads DATAPAK, in which MLtraq keeps values: plain containers as a pickle, the rest as bytes.

Who wrote them may mean harm: bytes that could run code are refused, and such as would make more
of themselves than the memory holds.
"""

from __future__ import annotations

import io
import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ...exceptions import SerializationError, require
from .pickles import TOO_MUCH, unpickled

_MAGIC: Final = "DATAPAK-0"
_PACKED: Final = b"C01"
"""What stands before compressed bytes."""

_MOST: Final = 100_000
_A_BYTE: Final = 20
"""Parts that a value may have, and how many more for each of its bytes: a few of them can say a
list of lists of lists without end.
"""

_MOST_OF_ALL: Final = 10_000_000
"""Parts that a value may have however many bytes it has."""

_LARGEST: Final = 1 << 28
"""Bytes that may come out of compressed ones, of which each can stand for a thousand."""

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


def read(data: Any) -> Any:
    """Return the value that bytes hold.

    Raises
    ------
    SerializationError
        It could run code, is no bytes, damaged, too large or of an unknown kind.
    MissingExtraError
        Tables need pyarrow.
    """
    if not isinstance(data, bytes):
        raise SerializationError(f"it is {type(data).__name__} and no bytes")
    data = _unpacked(data)
    most = min(_MOST + _A_BYTE * len(data), _MOST_OF_ALL)
    return _Decoding(most).decoded(unpickled(data, most, _DEEP))


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(_PACKED):
        return data
    unpacking = zlib.decompressobj()
    try:
        found = unpacking.decompress(data[len(_PACKED) :], _LARGEST)
        if not unpacking.eof and len(found) == _LARGEST:
            raise SerializationError(f"its compressed bytes are more than {_LARGEST} in the end")
    except zlib.error as error:
        raise SerializationError(f"its compressed bytes are damaged: {error}") from error
    if not unpacking.eof:
        raise SerializationError("its compressed bytes are damaged: they are cut off")
    return found


class _Decoding:
    """Values other than plain ones, of which each stands as a mapping with a sign."""

    def __init__(self, most: int) -> None:
        self._left = most

    def decoded(self, value: Any, depth: int = 0) -> Any:
        self._left -= 1
        if self._left < 0 or depth > _DEEP:
            raise SerializationError(TOO_MUCH)
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
