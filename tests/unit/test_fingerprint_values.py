"""Digests of plain values, and the arithmetic on digests and seeds."""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import io
import itertools
import json
import math
import operator
import pathlib
import random
import re
import string
import struct
import subprocess
import sys
import threading
import types
import typing
import uuid
import zoneinfo
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gosset.exceptions import FingerprintError
from gosset.fingerprint import FORMAT, combine, derive_seed, digest, register

GOLDEN = Path(__file__).with_name("fingerprint_golden.json")


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass
class Layer:
    width: int
    inner: Any = None


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    width: int


class Tagged(dict):  # type: ignore[type-arg]
    pass


class Named(str):
    __slots__ = ("language",)


UTC = datetime.UTC
DISTINCT: list[object] = [
    *(None, True, False, 0, 1, -1, 255, 256, 2**64, -(2**64), 1.0, 0.0, -0.0, 1.5, math.inf),
    *(-math.inf, math.nan, 1 + 0j, 0j, complex(0, -0.0), "", "1", "a", "None", "é", "e\u0301"),
    *("\ud800", b"", b"1", bytearray(b"1"), [], [1], [[1]], [1, 2], (), (1,), (1, 2), ((1,), 2)),
    *((1, (2,)), {}, {"a": 1}, {"a": 1.0}, {1: "a"}, {"1": "a"}, {"a": {"b": 1}}, {"a": None}),
    *({("a", "b"): 1}, set(), {1}, {1, 2}, frozenset({1}), range(3), range(4), range(0, 4, 3)),
    *(slice(1), slice(1, 2), slice(0, 1, 2), ..., NotImplemented, Colour.RED, Colour.BLUE),
    *(Access.READ, Access.READ | Access.WRITE, Point(1, 2), Layer(1), Layer(2), Layer(1, Layer(2))),
    *(Slotted(1), datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1)),  # noqa: DTZ001
    *(datetime.datetime(2020, 1, 1, tzinfo=UTC), datetime.datetime(2020, 1, 1, fold=1)),  # noqa: DTZ001
    *(datetime.datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Dublin")),),
    *(datetime.time(1), datetime.time(1, tzinfo=UTC), datetime.timedelta(1), UTC),
    *(datetime.timezone(datetime.timedelta(hours=1)), decimal.Decimal(1), decimal.Decimal("1.0")),
    *(fractions.Fraction(1, 2), uuid.UUID(int=1), pathlib.PurePosixPath("a"), re.compile("a")),
    *(re.compile("a", re.IGNORECASE), re.compile(b"a"), types.SimpleNamespace(a=1)),
    *(types.MappingProxyType({"a": 1}), collections.OrderedDict(a=1), collections.deque([1])),
    *(collections.deque([1], 3), collections.defaultdict(int, a=1), collections.Counter("a")),
    *(collections.defaultdict(list, a=1), Tagged(a=1), Named("a"), array.array("i", [1])),
    *(
        array.array("l", [1]),
        random.Random(1),
        random.Random(2),
        int,
        str,
        len,
        math.sqrt,
        math.cos,
    ),
    *(np.mean, np.median, np.add, np.float32, np.float64, "x".join, "y".join, str.join, math),
    *(
        operator.itemgetter(1),
        operator.itemgetter(2),
        operator.attrgetter("a"),
        list[int],
        int | None,
    ),
    *(dict[str, int], functools.partial(int, base=2), functools.partial(int, base=3), string),
    *(Any, str.upper, str.lower, property(len), property(abs), staticmethod(len), functools),
    *(functools.singledispatchmethod(len), functools.singledispatchmethod(abs), classmethod(len)),
    *(functools.partialmethod(len, 1), functools.cached_property(len), [].__len__),
    *(typing.Optional, operator.methodcaller("a", b=1), operator.methodcaller("a", b=2)),
]


def test_distinct_values_have_distinct_digests() -> None:
    digests: dict[str, object] = {}
    for value in DISTINCT:
        found = digest(value)
        assert found not in digests, (value, digests.get(found))
        digests[found] = value
        assert re.fullmatch("[0-9a-f]{64}", found)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({1, 2, 3}, {3, 2, 1}),
        ({"x", "y"}, {"y", "x"}),
        (math.nan, -math.nan),
        (range(0, 3, 2), range(0, 4, 2)),
        (range(0), range(2, 2)),
        (Layer(1, Layer(2)), Layer(1, Layer(2))),
        ("".join(["a", "b"]), "ab"),
        (types.SimpleNamespace(a=1, b=2), types.SimpleNamespace(b=2, a=1)),
        (collections.Counter("ab"), collections.Counter("ba")),
        (functools.partial(int, base=2), functools.partial(int, base=2)),
        (random.Random(3), random.Random(3)),
        (pathlib.Path("a/b"), pathlib.PurePosixPath("a/b")),
    ],
)
def test_equal_values_have_equal_digests(first: object, second: object) -> None:
    assert digest(first) == digest(second)


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.binary(max_size=8)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.integers() | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


def typed(value: Any) -> Any:
    """Spell a value out so that ``==`` on the result tells types and zeros apart."""
    if isinstance(value, list | tuple):
        return type(value).__name__, [typed(item) for item in value]
    if isinstance(value, dict):
        return "dict", sorted(((typed(k), typed(v)) for k, v in value.items()), key=repr)
    return type(value).__name__, repr(value)


@given(VALUES, VALUES)
def test_digests_are_equal_exactly_where_values_and_types_are(first: Any, second: Any) -> None:
    assert (digest(first) == digest(second)) == (typed(first) == typed(second))


@given(st.dictionaries(st.text(max_size=4), VALUES, max_size=5), st.randoms())
def test_order_of_insertion_does_not_count(items: dict[str, Any], chance: random.Random) -> None:
    keys = list(items)
    chance.shuffle(keys)
    assert digest({key: items[key] for key in keys}) == digest(items)


@given(st.lists(st.text(max_size=3), max_size=4), st.lists(st.text(max_size=3), max_size=4))
def test_combine_keeps_texts_apart(first: list[str], second: list[str]) -> None:
    assert (combine(*first) == combine(*second)) == (first == second)


def test_nested_parameters_that_swap_are_told_apart() -> None:
    assert digest({"a": Layer(1), "b": Layer(2)}) != digest({"a": Layer(2), "b": Layer(1)})
    assert digest(Layer(1, Layer(2))) != digest(Layer(2, Layer(1)))


def test_names_and_values_do_not_run_together() -> None:
    assert digest({"a": 11, "a1": 0}) != digest({"a": 10, "a1": 1})
    assert digest({"a": 11}) != digest({"a1": 1})


def test_two_lambdas_of_one_line_are_told_apart() -> None:
    first, second = (lambda x: x + 1), (lambda x: x + 2)
    assert digest(first) != digest(second)
    assert digest({"f": first, "g": second}) != digest({"f": second, "g": first})


def test_closures_count_by_what_they_hold() -> None:
    def scaled(factor: int) -> Any:
        return lambda x: factor * x

    assert digest(scaled(2)) == digest(scaled(2))
    assert digest(scaled(2)) != digest(scaled(3))


def test_partials_of_arrays_count_by_content() -> None:
    large = np.arange(5000)
    changed = large.copy()
    changed[2500] += 1
    assert digest(functools.partial(np.dot, large)) == digest(
        functools.partial(np.dot, large.copy())
    )
    assert digest(functools.partial(np.dot, large)) != digest(functools.partial(np.dot, changed))


def test_a_combination_of_combinations_keeps_its_inputs() -> None:
    one, two, three = (combine(name) for name in ("one", "two", "three"))
    assert combine(combine(one, two), three) != combine(one, combine(two, three))
    assert combine(combine(one, two)) != combine(combine(one, three))


def test_slots_of_a_child_of_str_count() -> None:
    english, german = Named("a"), Named("a")
    english.language, german.language = "en", "de"  # type: ignore[attr-defined]
    assert len({digest("a"), digest(english), digest(german)}) == 3


class Vocabulary:
    """Says what it is."""

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.lock = threading.Lock()

    def __gosset_identity__(self) -> object:
        return self.words


class Phrases(Vocabulary):
    pass


def test_an_object_may_say_what_tells_it_apart() -> None:
    assert digest(Vocabulary(["a"])) == digest(Vocabulary(["a"]))
    assert digest(Vocabulary(["a"])) != digest(Vocabulary(["b"]))
    assert digest(Vocabulary(["a"])) != digest(["a"])
    assert digest(Vocabulary(["a"])) != digest(Phrases(["a"]))


class Device:
    def __init__(self, name: str) -> None:
        self.name = name


class Gpu(Device):
    pass


def test_a_type_can_be_registered() -> None:
    with pytest.raises(FingerprintError):
        digest(Device("a"))
    register(Device, lambda device: device.name)
    assert digest(Device("a")) == digest(Device("a"))
    assert digest(Device("a")) != digest(Device("b"))
    assert digest(Device("a")) != digest(Gpu("a"))


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("Device", len), r"register\(type, function\)"),
        ((Device, "name"), r"register\(type, function\)"),
        ((dict, len), "a class of your own"),
    ],
)
def test_a_registration_names_a_class_of_the_users_and_a_function(
    arguments: Any, hint: str
) -> None:
    with pytest.raises(FingerprintError, match=hint):
        register(*arguments)


@dataclasses.dataclass
class Model:
    callback: object


def test_a_time_zone_without_a_key_is_refused() -> None:
    counts = struct.pack(">6l", 0, 0, 0, 0, 1, 4)  # one kind of time, four characters
    file = io.BytesIO(
        b"TZif".ljust(20, b"\0") + counts + struct.pack(">lBB", 3600, 0, 0) + b"CET\0"
    )
    zone = zoneinfo.ZoneInfo.from_file(file)
    assert datetime.datetime(2020, 1, 1, tzinfo=zone).tzname() == "CET"
    with pytest.raises(FingerprintError, match="without a key"):
        digest(zone)


@pytest.mark.parametrize("unknown", [object(), threading.Lock(), iter([]), (i for i in ())])
def test_an_unknown_value_is_refused_with_its_path(unknown: object) -> None:
    parameters = {"model": Model({"steps": [1, unknown]})}
    with pytest.raises(FingerprintError) as caught:
        digest(parameters, where="parameters")
    assert "parameters['model'].callback['steps'][1]" in str(caught.value)
    assert "__gosset_identity__" in caught.value.hint
    assert "gosset.fingerprint.register" in caught.value.hint
    assert "\n" not in str(caught.value)


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(FingerprintError, match=r"value\.keys\(\)"):
        digest({object(): 1})


def test_values_that_contain_themselves_are_refused() -> None:
    loop: list[object] = [1]
    loop.append({"again": loop})
    with pytest.raises(FingerprintError, match=r"value\[1\]\['again'\], which contains itself"):
        digest(loop)


def test_an_object_met_twice_does_not_contain_itself() -> None:
    shared = [1]
    assert digest([shared, shared]) == digest([[1], [1]])


def test_values_nested_too_deeply_are_refused() -> None:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(FingerprintError, match="nested too deeply"):
        digest(value)
    while value:  # taken apart by hand, because the interpreter would recurse as well
        value = value[0]  # type: ignore[assignment]


def test_an_unset_field_is_refused() -> None:
    layer = Layer(1)
    del layer.width
    with pytest.raises(FingerprintError, match="no value in its field 'width'"):
        digest(layer)


def golden_values() -> dict[str, object]:
    """Return values whose digests depend on nothing but the format."""
    return {
        "none": None,
        "bools": [True, False],
        "integers": [0, 1, -1, 127, 128, -128, 2**63, -(2**100)],
        "floats": [0.0, -0.0, 1.5, math.inf, math.nan, 5e-324],
        "complex": 1 - 2j,
        "text": ["", "a", "é", "\ud800", "x" * 100_000],
        "bytes": [b"", b"\x00" * 70_000, bytearray(b"a")],
        "nested": {"b": [1, (2, {3})], "a": {1: "x", "1": "y"}},
        "sets": [{"a", "b", "c"}, frozenset({1, 2.0})],
        "ranges": [range(0, 9, 2), slice(1, None, 2), ...],
        "times": [
            datetime.date(2020, 2, 29),
            datetime.datetime(2020, 1, 1, 12, 30, tzinfo=UTC),
            datetime.timedelta(days=-1, microseconds=1),
        ],
        "numbers": [decimal.Decimal("1.10"), fractions.Fraction(1, 3), uuid.UUID(int=7)],
        "paths": pathlib.PurePosixPath("a/b"),
        "pattern": re.compile("a+", re.MULTILINE),
        "builtins": [int, len, str.upper],
        "arrays": [
            np.arange(6, dtype="<i8").reshape(2, 3),
            np.array(["a", "bc"]),
            np.array([1, "a", None], dtype=object),
            np.array(["2020-01-01", "NaT"], dtype="datetime64[D]"),
            np.zeros(100_000, dtype="<f4"),
            np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f8")]),
        ],
        "scalars": [np.float64(0.1), np.int32(1), np.bool_(True)],
        "frame": pd.DataFrame({"a": [1, 2], "b": [0.5, math.nan]}),
        "generator": np.random.SeedSequence(5),
    }


def test_digests_are_those_of_the_golden_file() -> None:
    """A changed digest makes every cache stale: it needs a new FORMAT and a new file."""
    golden = json.loads(GOLDEN.read_text())
    assert golden.pop("format") == FORMAT
    seeds = [derive_seed(1), derive_seed(1, "split", 2), derive_seed(-(2**70), "2")]
    assert golden.pop("derive_seed") == seeds
    assert golden.pop("combine") == combine("a", "bc")
    assert golden == {name: digest(value) for name, value in golden_values().items()}


def test_digests_do_not_depend_on_the_hash_seed() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_fingerprint_values import golden_values, Layer, Colour\n"
        "from gosset.fingerprint import digest\n"
        "for name, value in golden_values().items(): print(name, digest(value))\n"
        "print(digest({'a', 'b', 'c', 1, None}), digest(Layer), digest(Colour.RED))\n"
        "import numpy as np; print(digest(np.array(['a', {'b', 'c'}], dtype=object)))\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program, str(Path(__file__).parent)],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(outputs) == 1


def test_a_digest_loads_no_library() -> None:
    program = (
        "import sys; from gosset.fingerprint import digest\n"
        "digest({'a': [1, 2.0, None, ('b',)]})\n"
        "assert not {'numpy', 'pandas', 'pyarrow', 'scipy', 'polars'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@given(st.integers(), st.lists(st.integers() | st.text(max_size=5), max_size=3))
def test_child_seeds_are_pure_and_in_range(seed: int, labels: list[int | str]) -> None:
    child = derive_seed(seed, *labels)
    assert 0 <= child < 2**32
    assert child == derive_seed(seed, *labels)
    np.random.RandomState(child)


@pytest.mark.parametrize("arguments", [(1.5,), (None,), (1, 1.5), (1, None)])
def test_child_seeds_are_derived_from_integers_and_texts(arguments: Any) -> None:
    with pytest.raises(FingerprintError, match="is no integer"):
        derive_seed(*arguments)


def test_child_seeds_differ_by_seed_label_and_order() -> None:
    families: list[tuple[int | str, ...]] = [
        (),
        (1,),
        ("1",),
        ("a", 1),
        (1, "a"),
        ("a1",),
        ("a", "1"),
    ]
    children = [derive_seed(s, *f) for s, f in itertools.product(range(-3, 4), families)]
    assert len(set(children)) == len(children)
