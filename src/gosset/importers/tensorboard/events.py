"""What stands in the events of TensorBoard: values with a tag, a step and a time."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

from ...exceptions import StorageError
from ..protobuf import Message

# Fields of the messages Event, Summary.Value and TensorProto.
WALL_TIME, STEP, FILE_VERSION, GRAPH, SUMMARY, LOG, SESSION, TRACE, META_GRAPH = range(1, 10)
TAG, SIMPLE, _, IMAGE, HISTOGRAM, AUDIO, _, TENSOR, METADATA = range(1, 10)

_STRING: Final = 7
_NUMBERS: Final = {
    # type → dtype of its bytes, field in which the numbers stand, how they are written there
    1: ("<f4", 5, "f"),
    2: ("<f8", 6, "d"),
    3: ("<i4", 7, "varint"),
    4: ("u1", 7, "varint"),
    5: ("<i2", 7, "varint"),
    6: ("i1", 7, "varint"),
    9: ("<i8", 10, "varint"),
    10: ("?", 11, "varint"),
    17: ("<u2", 7, "varint"),
    22: ("<u4", 16, "varint"),
    23: ("<u8", 17, "varint"),
}
_HALF: Final = {14: "bfloat16", 19: "float16"}
_DIMENSIONS: Final = 32
_REPEATED: Final = 1 << 10
"""Numbers for which one may stand that is written once."""

_DEEP: Final = 100


class Value(NamedTuple):
    """One value of a summary.

    Attributes
    ----------
    plugin : str
        Which of TensorBoard's plugins shows it; empty where it does not say.
    content : bytes
        What it says to the plugin.
    """

    tag: str
    plugin: str
    content: bytes
    message: Message


def values(summary: Message) -> list[Value]:
    """Return the values of a summary."""
    found = []
    for message in summary.several(1):
        data = message.inner(METADATA).inner(1)
        found.append(Value(message.text(TAG), data.text(1), data.data(2), message))
    return found


def micros(seconds: float) -> int:
    """Return a time in microseconds since the epoch; 0 for what is none."""
    return round(seconds * 1e6) if math.isfinite(seconds) and abs(seconds) < 1e12 else 0


def is_text(tensor: Message) -> bool:
    """Whether a tensor consists of strings."""
    return tensor.integer(1) == _STRING


def strings(tensor: Message) -> list[bytes]:
    """Return the strings of a tensor, whatever its shape."""
    return tensor.pieces(8)


def shape(tensor: Message) -> tuple[int, ...]:
    """Return the shape of a tensor."""
    sizes = tuple(dimension.integer(1) for dimension in tensor.inner(2).several(2))
    if len(sizes) > _DIMENSIONS or any(size < 0 for size in sizes):
        raise StorageError("a tensor has a shape that none has: it is damaged")
    return sizes


def array(tensor: Message) -> Any:
    """Return a tensor of numbers as an array; None where it is of another type.

    Raises
    ------
    StorageError
        Its numbers are not those of its type, or few bytes stand for a great many.
    """
    import numpy as np

    found = _flat(tensor)
    if found is None:
        return None
    sizes = shape(tensor)
    size = math.prod(sizes)
    if len(found) == 1 and size > 1:  # one stands for all
        if size > _REPEATED:
            raise StorageError(f"a tensor has one number that stands for {size}")
        found = np.repeat(found, size)
    return found.reshape(sizes) if len(found) == size else found


def number(tensor: Message) -> float | int | bool | None:
    """Return the one number of a tensor; None where it is not one.

    Raises
    ------
    StorageError
        It is not of the tensor's type.
    """
    found = _flat(tensor)
    if found is None or len(found) != 1 or math.prod(shape(tensor)) > 1:
        return None
    item: float | int | bool = found[0].item()
    return item


def _flat(tensor: Message) -> Any:
    """Return the numbers that stand in a tensor in one row; None where it is of another type."""
    import numpy as np

    kind, data = tensor.integer(1), tensor.data(4)
    try:
        if kind in _NUMBERS:
            dtype, field, code = _NUMBERS[kind]
            if data:
                return np.frombuffer(data, dtype)
            numbers = tensor.numbers(field, code)
            if code == "varint" and dtype.startswith(("<u", "u")):
                numbers = [int(number) & 0xFFFF_FFFF_FFFF_FFFF for number in numbers]
            return np.array(numbers, dtype)
        if kind not in _HALF:
            return None
        bits = np.frombuffer(data, "<u2") if data else np.array(tensor.numbers(13, "varint"), "<u2")
    except (ValueError, OverflowError) as error:
        raise StorageError(f"the numbers of a tensor are damaged: {error}") from error
    if _HALF[kind] == "float16":
        return bits.view("<f2")
    return (bits.astype("<u4") << np.uint32(16)).view("<f4")


def hyperparameters(start: Message) -> dict[str, Any]:
    """Return what the plugin for hyperparameters was told when a run began.

    Values are those of ``google.protobuf.Value``: None, numbers, texts, truth values, lists.
    """
    return {entry.text(1): _plain(entry.inner(2)) for entry in start.several(1)}


def _plain(value: Message, depth: int = 0) -> Any:
    if depth > _DEEP:
        raise StorageError("a hyperparameter has parts that lie too deep")
    if value.has(2):
        return value.double(2)
    if value.has(3):
        return value.text(3)
    if value.has(4):
        return bool(value.integer(4))
    if value.has(5):
        return {e.text(1): _plain(e.inner(2), depth + 1) for e in value.inner(5).several(1)}
    if value.has(6):
        return [_plain(item, depth + 1) for item in value.inner(6).several(1)]
    return None


def histogram(value: Message) -> dict[str, Any]:
    """Return a histogram as it was written: limits of buckets, and what they hold."""
    names = ("min", "max", "num", "sum", "sum_squares")
    return {
        **{name: value.double(field) for field, name in enumerate(names, 1)},
        "bucket_limit": value.numbers(6, "d"),
        "bucket": value.numbers(7, "d"),
    }
