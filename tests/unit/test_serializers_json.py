"""JSON: every value and type comes back, or is not taken."""

from __future__ import annotations

import datetime as dt
import enum
import io
import json
import math
from collections import Counter, OrderedDict, defaultdict, namedtuple
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naming import stable

from gosset.exceptions import SerializationError
from gosset.serializers.json import MAX_DEPTH, JsonSerializer, encode

JSON = JsonSerializer()
EXAMPLES = settings(deadline=None, derandomize=True, max_examples=200)
NAN = "nan"


def round_trip(value: object) -> object:
    buffer = io.BytesIO()
    JSON.dump(value, buffer)
    buffer.seek(0)
    return JSON.load(buffer)


def typed(value: Any) -> object:
    """Return `value` with the types of all its parts, so that == compares those too."""
    kind = type(value)
    if isinstance(value, dict):
        return kind, tuple((typed(key), typed(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return kind, tuple(map(typed, value))
    if isinstance(value, set | frozenset):
        return kind, len(value), frozenset(map(typed, value))
    return kind, scalar(value)


def scalar(value: Any) -> object:
    """Return what tells `value` from others of its type where == does not."""
    if isinstance(value, complex | np.complexfloating):
        return scalar(float(value.real)), scalar(float(value.imag))
    if isinstance(value, float | np.floating):
        return NAN if math.isnan(value) else (float(value), math.copysign(1, value))
    if isinstance(value, np.datetime64 | np.timedelta64):
        return value.dtype, int(value.view("i8"))
    if isinstance(value, dt.datetime | dt.time):
        return value, str(value.tzinfo)
    if isinstance(value, Decimal):
        return str(value)
    return value


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ZONES = st.none() | st.integers(-86399, 86399).map(
    lambda seconds: dt.timezone(dt.timedelta(seconds=seconds))
)
NUMPY = st.one_of(
    st.integers(0, 255).map(np.uint8),
    st.integers(-(2**63), 2**63 - 1).map(np.int64),
    st.booleans().map(np.bool_),
    st.floats(width=16).map(np.float16),
    st.floats(width=32).map(np.float32),
    st.floats().map(np.float64),
    st.complex_numbers(width=64).map(np.complex64),
    st.complex_numbers().map(np.complex128),
    st.text("abχ", min_size=0, max_size=5).map(np.str_),
    st.integers(-(2**63), 2**63 - 1).map(lambda n: np.int64(n).view("M8[ns]")),
    st.integers(-(2**63), 2**63 - 1).map(lambda n: np.int64(n).view("m8[3D]")),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers().map(lambda number: number**15),
    st.floats(),
    TEXT,
    st.binary(),
    st.complex_numbers(),
    st.datetimes(timezones=ZONES).map(lambda moment: moment.replace(fold=0)),
    st.times(timezones=ZONES).map(lambda moment: moment.replace(fold=0)),
    st.dates(),
    st.timedeltas(),
    st.decimals(allow_nan=False) | st.just(Decimal("NaN")),
    st.fractions(),
    st.uuids(),
    st.sampled_from([Path("a/b"), Path("/"), Path("c d.txt"), Path()]),
    NUMPY,
)


@st.composite
def hashables(draw: st.DrawFn, depth: int = 2) -> Any:
    if not depth or draw(st.booleans()):
        return draw(SCALARS)
    parts = hashables(depth - 1)
    return draw(st.lists(parts, max_size=3).map(tuple) | st.frozensets(parts, max_size=3))


@st.composite
def values(draw: st.DrawFn, depth: int = 3) -> Any:
    if not depth or draw(st.booleans()):
        return draw(SCALARS)
    parts = values(depth - 1)
    containers = [
        st.lists(parts, max_size=4),
        st.lists(parts, max_size=4).map(tuple),
        st.sets(hashables(), max_size=4),
        st.dictionaries(TEXT, parts, max_size=4),
        st.dictionaries(st.sampled_from(["$tuple", "$dict", "$", "a"]), parts, max_size=2),
        st.dictionaries(hashables(), parts, max_size=4),
    ]
    return draw(draw(st.sampled_from(containers)))


@EXAMPLES
@given(values())
def test_value_and_types_come_back(value: object) -> None:
    assert JSON.takes(value)
    assert typed(round_trip(value)) == typed(value)


@EXAMPLES
@given(values())
def test_the_bytes_are_strict_json_and_stable(value: object) -> None:
    def dumped(value: object) -> bytes:
        buffer = io.BytesIO()
        JSON.dump(value, buffer)
        return buffer.getvalue()

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(dumped(value), parse_constant=refuse)
    assert dumped(round_trip(value)) == dumped(value)


def test_the_order_of_a_dict_is_kept() -> None:
    value = {"b": 1, "a": 2, "c": {3: 0, 1: 0}}
    assert list(round_trip(value)) == ["b", "a", "c"]  # type: ignore[call-overload]
    assert list(round_trip(value)["c"]) == [3, 1]  # type: ignore[index]


Pair = namedtuple("Pair", "a b")


class Colour(enum.IntEnum):
    RED = 1


class Number(int):
    pass


def nested(depth: int) -> list[object]:
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    return value


def circle() -> list[object]:
    value: list[object] = []
    value += [value, value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        object(),
        defaultdict(int),
        Counter("aa"),
        Pair(1, 2),
        Colour.RED,
        Number(1),
        np.array(1),
        pd.Timestamp("2026-01-01", tz="dateutil/Europe/Berlin"),
        pd.Series([1]),
        PurePosixPath("a"),
        nested(MAX_DEPTH + 1),
        circle(),
    ],
    ids=stable,
)
def test_what_would_come_back_as_something_else_is_not_taken(value: object) -> None:
    assert not JSON.takes(value)
    assert not JSON.takes({"a": [value]})


@pytest.mark.parametrize(
    "value",
    [
        OrderedDict(b=1, a=(2,)),
        bytearray(b"a"),
        range(3, 9, 2),
        slice(None, 3),
        2**2001,
        -(10**4000),
        "\ud83d\ude00",
        {"\ud800": 1},
        np.longdouble("0.1"),
        np.longdouble("-inf"),
        np.clongdouble(complex(0.1, -0.0)),
        np.longlong(-1),
        np.ulonglong(2**64 - 1),
        np.bytes_(b"a\0b"),
        np.bytes_(b""),
        np.void(b"abc"),
        np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")])[0],
        np.datetime64("NaT"),
        np.float64(-0.0),
        dt.datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
        dt.datetime(2026, 1, 1, fold=1, tzinfo=dt.UTC),
        dt.datetime(2026, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1), "CET")),
        dt.datetime(2026, 1, 1, tzinfo=dt.timezone(dt.timedelta(microseconds=1))),
        dt.time(1, fold=1),
        pd.Timestamp("2026-01-02 03:04:05.123456789"),
        pd.Timestamp("2026-10-25 00:30", tz="UTC").tz_convert("Europe/Berlin"),
        pd.Timestamp("2026-10-25 01:30", tz="UTC").tz_convert("Europe/Berlin"),
        pd.Timestamp("2026-01-02").as_unit("s"),
        pd.Timedelta("1D 00:00:00.000000001"),
        pd.Timedelta(3, "s"),
        pd.NaT,
        pd.NA,
        pd.Period("2026-01", "M"),
        pd.Interval(0.5, 1.5, closed="left"),
        pd.Interval(pd.Timestamp(0), pd.Timestamp(1)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_of_the_standard_library_numpy_and_pandas_come_back(value: object) -> None:
    for whole in (value, {"a": [value]}):
        back = round_trip(whole)
        assert repr(back) == repr(whole)
        part = back if whole is value else back["a"][0]  # type: ignore[index]
        assert type(part) is type(value)
        assert getattr(part, "unit", None) == getattr(value, "unit", None)
        assert getattr(part, "dtype", None) == getattr(value, "dtype", None)


def test_a_part_without_a_form_is_named_with_its_place() -> None:
    with pytest.raises(SerializationError, match=r"its part \['a'\]\[1\]\['b'\], a builtin"):
        encode({"a": [0, {"b": len}]})


def test_deep_values_are_taken_up_to_the_limit() -> None:
    value = nested(MAX_DEPTH)
    assert JSON.takes(value)
    assert round_trip(value) == value


def test_plain_values_are_plain_json() -> None:
    buffer = io.BytesIO()
    JSON.dump({"a": [1, 2.5, None, True, "χ²"]}, buffer)
    assert buffer.getvalue().decode() == '{"a":[1,2.5,null,true,"χ²"]}'


@pytest.mark.parametrize("text", ['{"$new": 1}', '{"$numpy": ["O", 1]}', '{"$numpy": ["V8", 1]}'])
def test_tags_from_elsewhere_are_refused(text: str) -> None:
    with pytest.raises(SerializationError):
        JSON.load(io.BytesIO(text.replace(" ", "").encode()))


def test_examples_of_every_tag_keep_their_form() -> None:
    """What old stores hold: a change here needs a new format name."""
    stored = {
        '{"$float":"-inf"}': float("-inf"),
        '{"$tuple":[1,{"$tuple":[]}]}': (1, ()),
        '{"$set":["a",1]}': {1, "a"},
        '{"$frozenset":[]}': frozenset(),
        '{"$bytes":"AP8="}': b"\x00\xff",
        '{"$complex":[1.0,-2.0]}': 1 - 2j,
        '{"$datetime":"2026-01-02T03:04:05.000006+01:00"}': dt.datetime(
            2026, 1, 2, 3, 4, 5, 6, dt.timezone(dt.timedelta(hours=1))
        ),
        '{"$date":"2026-01-02"}': dt.date(2026, 1, 2),
        '{"$time":"03:04:00"}': dt.time(3, 4),
        '{"$timedelta":[1,2,3]}': dt.timedelta(1, 2, 3),
        '{"$decimal":"1.50"}': Decimal("1.50"),
        '{"$fraction":[1,3]}': Fraction(1, 3),
        '{"$uuid":"00000000-0000-0000-0000-000000000001"}': UUID(int=1),
        '{"$path":"a/b"}': Path("a/b"),
        '{"$dict":[[1,2]]}': {1: 2},
        '{"$dict":[["$tuple",[]]]}': {"$tuple": []},
        '{"$numpy":["float32",0.5]}': np.float32(0.5),
        '{"$numpy":["datetime64[D]",1]}': np.datetime64("1970-01-02"),
    }
    for text, value in stored.items():
        buffer = io.BytesIO()
        JSON.dump(value, buffer)
        assert buffer.getvalue().decode() == text
        assert typed(JSON.load(io.BytesIO(text.encode()))) == typed(value)
