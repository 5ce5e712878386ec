"""Points packed as columns of bytes, and unpacked: what is kept of a series.

The layout is plain, so that it can be read without Gosset. All numbers are little-endian.

- ``values``: an array of the chunk's `kind`: ``f8`` (IEEE doubles), ``i8``, ``u8`` (64-bit
  integers), ``b1`` (one byte each, 0 or 1), or ``json`` (a JSON array, for values of several
  types and integers of more than 64 bits).
- ``steps``: empty where they are ``step``, ``step + stride``, …; else an array of ``i8``.
- ``times``: microseconds after ``time``, as ``u4`` where that is enough (4 bytes a point),
  else as ``i8``.

This module does without NumPy, and without dataclasses: a script that logs a few numbers need
not wait for their import.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..exceptions import StorageError

if TYPE_CHECKING:
    import numpy as np

Number = float | int | bool
"""What a point may have as its value."""

CHUNK: Final = 10_000
"""Points in a full chunk."""

_CODES: Final = {"f8": "d", "i8": "q", "u8": "Q", "b1": "b"}
_SWAP: Final = sys.byteorder == "big"
_SMALL: Final = 2**32
_WIDE: Final = 2**63


class Points:
    """Points of one series, column by column, in the order in which they were logged.

    Attributes
    ----------
    steps : list of int
    values : list of float, int or bool
    times : list of int
        Microseconds since the epoch.
    """

    __slots__ = ("steps", "times", "values")

    def __init__(
        self,
        steps: list[int] | None = None,
        values: list[Number] | None = None,
        times: list[int] | None = None,
    ) -> None:
        self.steps: list[int] = [] if steps is None else steps
        self.values: list[Number] = [] if values is None else values
        self.times: list[int] = [] if times is None else times

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return f"Points({self.steps!r}, {self.values!r}, {self.times!r})"

    def extend(self, other: Points) -> None:
        """Add the points of another."""
        self.steps += other.steps
        self.values += other.values
        self.times += other.times

    def __getitem__(self, part: slice) -> Points:
        return Points(self.steps[part], self.values[part], self.times[part])


class Chunk(NamedTuple):
    """Consecutive points of one series, packed; see the module for the layout."""

    count: int  # type: ignore[assignment]  # in the place of tuple.count
    kind: str
    step: int
    stride: int
    time: int
    steps: bytes
    values: bytes
    times: bytes


def pack(points: Points) -> Chunk:
    """Pack points, at least one.

    Examples
    --------
    >>> chunk = pack(Points([0, 1], [0.5, 0.25], [1_000_000, 1_000_250]))
    >>> chunk.kind, chunk.steps, len(chunk.values), len(chunk.times)
    ('f8', b'', 16, 8)
    >>> unpack([chunk]).values
    [0.5, 0.25]
    """
    count, first, began = len(points), points.steps[0], points.times[0]
    kind, values = _pack_values(points.values)
    if count == 1:  # as of what runs end with; many of them are a matter of time
        return Chunk(1, kind, first, 1, began, b"", values, bytes(4))
    stride, steps = _pack_steps(points.steps)
    return Chunk(count, kind, first, stride, began, steps, values, _pack_times(points.times))


def unpack(chunks: Iterable[Chunk]) -> Points:
    """Return the points of chunks, one after another.

    Raises
    ------
    StorageError
        A chunk whose bytes are not as many as its points.
    """
    points = Points()
    for chunk in chunks:
        points.extend(_unpacked(chunk))
    return points


def arrays(chunks: Sequence[Chunk]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return steps (int64), values and times (``datetime64[us]``) as arrays.

    Values are float64, int64, uint64 or bool where all chunks agree or agree as doubles;
    else of type object.
    """
    import numpy as np

    if not chunks:
        empty = np.empty(0, np.int64)
        return empty, np.empty(0), empty.astype("datetime64[us]")
    for chunk in chunks:
        _check(chunk)
    steps = np.concatenate([_step_array(chunk) for chunk in chunks])
    times = np.concatenate([_time_array(chunk) for chunk in chunks])
    return steps, _value_array(chunks), times.astype("datetime64[us]")


# -- packing


def _pack_values(values: Sequence[Number]) -> tuple[str, bytes]:
    types = set(map(type, values))
    if types == {float}:
        return "f8", _bytes("d", values)
    if types == {bool}:
        return "b1", _bytes("b", values)
    if types == {int}:
        for kind in ("i8", "u8"):
            try:
                return kind, _bytes(_CODES[kind], values)
            except OverflowError:
                continue
    return "json", json.dumps(values, separators=(",", ":")).encode()


def _pack_steps(steps: list[int]) -> tuple[int, bytes]:
    first = steps[0]
    stride = steps[1] - first if len(steps) > 1 else 1
    regular = range(first, first + stride * len(steps), stride) if stride else [first] * len(steps)
    if -_WIDE <= stride < _WIDE and list(regular) == steps:
        return stride, b""
    return 0, _bytes("q", steps)


def _pack_times(times: list[int]) -> bytes:
    first = times[0]
    passed = [time - first for time in times]
    small = max(passed) < _SMALL and min(passed) >= 0
    return _bytes("I" if small else "q", passed)


def _bytes(code: str, numbers: Sequence[Any]) -> bytes:
    packed = array(code, numbers)
    if _SWAP:
        packed.byteswap()
    return packed.tobytes()


# -- unpacking


def _check(chunk: Chunk) -> None:
    width = {"f8": 8, "i8": 8, "u8": 8, "b1": 1}.get(chunk.kind)
    good = (
        (chunk.kind == "json" if width is None else len(chunk.values) == width * chunk.count)
        and len(chunk.steps) in (0, 8 * chunk.count)
        and len(chunk.times) in (4 * chunk.count, 8 * chunk.count)
    )
    if not good:
        raise StorageError(f"a chunk of {chunk.count} points is damaged")


def _unpacked(chunk: Chunk) -> Points:
    _check(chunk)
    values: list[Number]
    if chunk.kind == "json":
        values = json.loads(chunk.values)
    else:
        values = _numbers(_CODES[chunk.kind], chunk.values)
        if chunk.kind == "b1":
            values = [bool(value) for value in values]
    if chunk.steps:
        steps = _numbers("q", chunk.steps)
    else:
        steps = [chunk.step + chunk.stride * i for i in range(chunk.count)]
    small = len(chunk.times) == 4 * chunk.count
    passed = _numbers("I" if small else "q", chunk.times)
    return Points(steps, values, [chunk.time + after for after in passed])


def _numbers(code: str, data: bytes) -> list[Any]:
    packed = array(code)
    packed.frombytes(data)
    if _SWAP:
        packed.byteswap()
    return packed.tolist()


def _step_array(chunk: Chunk) -> np.ndarray:
    import numpy as np

    if chunk.steps:
        return np.frombuffer(chunk.steps, "<i8")
    return chunk.step + chunk.stride * np.arange(chunk.count, dtype=np.int64)


def _time_array(chunk: Chunk) -> np.ndarray:
    import numpy as np

    small = len(chunk.times) == 4 * chunk.count
    return chunk.time + np.frombuffer(chunk.times, "<u4" if small else "<i8").astype(np.int64)


def _value_array(chunks: Sequence[Chunk]) -> np.ndarray:
    import numpy as np

    kinds = {chunk.kind for chunk in chunks}
    if len(kinds) == 1 and "json" not in kinds:
        dtype = {"b1": "?"}.get(kind := kinds.pop(), f"<{kind}")
        return np.concatenate([np.frombuffer(chunk.values, dtype) for chunk in chunks])
    values = unpack(chunks).values
    if bool not in set(map(type, values)) and all(_is_double(value) for value in values):
        return np.array(values, np.float64)
    found = np.empty(len(values), object)
    found[:] = values
    return found


def _is_double(value: Number) -> bool:
    return isinstance(value, float) or abs(value) <= 2**53
