"""Messages of protocol buffers, whatever was written, cut off or damaged."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gosset.exceptions import StorageError
from gosset.importers.protobuf import Message, fields


def varint(number: int) -> bytes:
    number &= 2**64 - 1
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])


def field(number: int, value: int | float | bytes) -> bytes:
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


NUMBERS = st.integers(1, 2**29 - 1)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(allow_nan=False)


@given(NUMBERS, INTEGERS, FLOATS, st.text())
def test_what_was_written_is_read(number: int, integer: int, real: float, text: str) -> None:
    assert Message(field(number, integer)).integer(number) == integer
    assert Message(field(number, real)).double(number) == real
    assert Message(field(number, text.encode())).text(number) == text
    inner = Message(field(number, field(1, integer) + field(2, real))).inner(number)
    assert (inner.integer(1), inner.double(2)) == (integer, real)


@given(st.lists(INTEGERS, min_size=1), st.lists(FLOATS, min_size=1))
def test_numbers_are_read_packed_or_not(integers: list[int], reals: list[float]) -> None:
    packed = field(1, b"".join(map(varint, integers)))
    assert Message(packed).numbers(1, "varint") == integers
    assert Message(b"".join(field(1, i) for i in integers)).numbers(1, "varint") == integers
    packed = field(1, struct.pack(f"<{len(reals)}d", *reals))
    assert Message(packed).numbers(1, "d") == reals
    assert Message(b"".join(field(1, r) for r in reals)).numbers(1, "d") == reals


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_an_error_of_gosset(data: bytes) -> None:
    try:
        found = list(fields(data))
    except StorageError:
        return
    assert sum(len(value) if isinstance(value, bytes) else 1 for *_, value in found) <= len(data)


def test_a_message_that_was_cut_anywhere_is_an_error() -> None:
    whole = field(1, 300) + field(2, b"some bytes") + field(3, 0.5)
    ends = {len(field(1, 300)), len(field(1, 300) + field(2, b"some bytes")), 0}
    for size in set(range(len(whole))) - ends:
        with pytest.raises(StorageError, match="cut off"):
            list(fields(whole[:size]))


def test_the_last_of_a_field_counts_and_what_is_not_there_is_nothing() -> None:
    told = Message(field(1, 1) + field(1, 2))
    assert told.integer(1) == 2
    assert (told.integer(9), told.double(9), told.text(9), told.has(9)) == (0, 0.0, "", False)
    assert told.inner(9).several(1) == []
