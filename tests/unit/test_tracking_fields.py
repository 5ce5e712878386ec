"""Fields of runs: every value comes back in value and in type, or is refused where it is set."""

from __future__ import annotations

import datetime as dt
import enum
import io
import json
import math
import sqlite3
import threading
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse
from test_serializers_json import typed, values

import gosset as gs
from gosset.exceptions import NotFoundError, UsageError
from gosset.storage.news import Kept, News
from gosset.store import Store
from gosset.tracking.frames import frame, frames

EXAMPLES = settings(
    deadline=None,
    derandomize=True,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    monkeypatch.setenv("GOSSET_ARTIFACTS", str(tmp_path / "artifacts"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/lab.db"
    else:
        yield str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with gs.open_store(url) as opened:
        yield opened


def kept(store: Store, url: str, fields: dict[str, Any]) -> str:
    with gs.start_run("fields", store=url, strict=True) as run:
        run.fields.update(fields)
    return run.id


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal in value and in type, all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and _bits(one) == _bits(other)
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other, check_freq=True)
        return True
    if isinstance(one, pd.Series):
        pd.testing.assert_series_equal(one, other, check_freq=True)
        return True
    if isinstance(one, pa.Table):
        return bool(one.equals(other, check_metadata=True))
    if sparse.issparse(one):
        return same(one.toarray(), other.toarray()) and one.format == other.format
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(map(typed, one)) == list(map(typed, other)) and all(
            same(one[key], item) for key, item in zip(one, other.values(), strict=True)
        )
    return bool(typed(one) == typed(other)) or repr(one) == repr(other)


def _bits(array: Any) -> bytes:
    if array.dtype.names:
        return b"".join(_bits(array[name]) for name in array.dtype.names)
    return bytes(np.ascontiguousarray(array).tobytes())


ARRAYS = hnp.arrays(
    dtype=st.one_of(
        hnp.scalar_dtypes(),
        hnp.array_dtypes(max_size=3, allow_subarrays=False),
    ),
    shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


@EXAMPLES
@given(given_values=st.lists(values(), max_size=6))
def test_any_plain_value_comes_back(url: str, store: Store, given_values: list[Any]) -> None:
    fields = {f"field {number}": value for number, value in enumerate(given_values)}
    run = kept(store, url, fields)
    assert same(store.fields(run), fields)


@EXAMPLES
@given(array=ARRAYS, around=st.sampled_from([lambda a: a, lambda a: {"a": [1, (a, {"b": a})]}]))
def test_any_array_comes_back(
    url: str, store: Store, array: Any, around: Callable[[Any], Any]
) -> None:
    run = kept(store, url, {"value": around(array)})
    assert same(store.fields(run)["value"], around(array))


INDEX = pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["letter", None])
KINDS: dict[str, Any] = {
    "none": None,
    "big int": 10**600,
    "nan": math.nan,
    "-inf": -math.inf,
    "-0.0": -0.0,
    "complex": complex(-0.0, math.inf),
    "bytes": bytes(range(256)),
    "bytearray": bytearray(b"abc"),
    "frozenset": frozenset({1, (2, "a")}),
    "empty set": set(),
    "range": range(3, 30, 7),
    "slice": slice(None, 3),
    "decimal": Decimal("1.10"),
    "fraction": Fraction(1, 3),
    "uuid": UUID(int=7),
    "path": Path("a/b"),
    "ordered dict": OrderedDict(b=1, a=2),
    "int keys": {1: "a", (2, 3): "b", None: "c"},
    "dict like a tag": {"$tuple": [1]},
    "lone surrogate": "\ud800",
    "date": dt.date(2026, 1, 2),
    "datetime": dt.datetime.fromisoformat("2026-01-02T03:04:05.000006"),
    "aware": dt.datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
    "time": dt.time(1, 2, 3),
    "timedelta": dt.timedelta(days=-1, microseconds=1),
    **{
        f"numpy {np.dtype(char).name} {char}": np.dtype(char).type(1)
        for char in "?bBhHiIlLqQefdgFDG"
    },
    "numpy str": np.str_("χ"),
    "numpy bytes": np.bytes_(b"a\0b"),
    "datetime64": np.datetime64("2026-01-01T00:00:00.000000001"),
    "NaT": np.datetime64("NaT"),
    "timedelta64": np.timedelta64(3, "D"),
    "Timestamp": pd.Timestamp("2026-01-02 03:04:05.123456789", tz="Europe/Berlin"),
    "Timedelta": pd.Timedelta("1D 1ns"),
    "pandas NaT": pd.NaT,
    "array": np.arange(12.0).reshape(3, 4),
    "fortran": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "no items": np.zeros((0, 3), "f2"),
    "one item": np.array(3, "i8"),
    "structured": np.array([(1, "ab")], dtype=[("a", "i4"), ("b", "U3")]),
    "strings": np.array(["a", "χ"]),
    "times": np.array(["2026-01-01", "NaT"], "M8[s]"),
    "named series": pd.Series([1.5, None], name="loss"),
    "indexed series": pd.Series([1, 2, 3, 4], index=INDEX, name=("a", 1)),
    "indexed frame": pd.DataFrame(
        {"x": [1, 2]}, index=pd.Index([dt.date(2026, 1, 1), dt.date(2026, 1, 2)]).astype("M8[ns]")
    ),
    "multi-indexed frame": pd.DataFrame({("x", 1): range(4), ("x", 2): range(4)}, index=INDEX),
    "categories": pd.DataFrame({"c": pd.Categorical(["a", None], categories=["b", "a"])}),
    "arrow table": pa.table({"a": [1, None]}),
    "csr": sparse.csr_array(np.eye(3)),
    "coo": sparse.coo_matrix(np.eye(3, dtype="f4")),
    "many arrays": [np.full(2, n) for n in range(300)],
    "arrays under NaNs": {math.nan: np.zeros(300), float("nan"): np.ones(300)},
    "long text": "χ" * 100_000,
    "long bytes": bytes(200_000),
    "long list": list(range(50_000)),
    "long tuple": tuple(range(50_000)),
}


def test_every_kind_of_value_comes_back_alone_and_inside_others(store: Store, url: str) -> None:
    fields = dict(KINDS)
    for name, value in KINDS.items():
        fields[f"nested {name}"] = {"a": [0, (value, {"b": value})]}
    run = kept(store, url, fields)
    back = store.fields(run)
    assert list(back) == list(fields)
    wrong = [name for name, value in fields.items() if not same(back[name], value)]
    assert not wrong
    assert same(store.fields(run, "uuid", "array"), {n: KINDS[n] for n in ("uuid", "array")})


def test_the_plain_form_is_json_and_can_be_searched(store: Store, url: str) -> None:
    run = kept(store, url, {**KINDS, "accuracy": np.float64(0.9), "n": np.int8(3)})
    plain = store.run(run).fields
    json.dumps(dict(plain))
    assert plain["accuracy"] == 0.9
    assert plain["frozenset"] == [1, [2, "a"]] or plain["frozenset"] == [[2, "a"], 1]
    assert plain["timedelta"] == -86399.999999
    assert plain["date"] == "2026-01-02"
    assert plain["datetime64"].startswith("2026-01-01T00:00:00")
    assert plain["array"]["format"] == "npy"
    assert plain["long text"]["format"] == "text"
    for found in (
        "fields.accuracy > 0.85 and fields.n == 3",
        "fields.decimal == '1.10'",
        "fields.path == 'a/b'",
        "fields.none is None",
    ):
        assert [r.id for r in store.runs(found)] == [run], found


Pair = namedtuple("Pair", "a b")


class Colour(enum.Enum):
    RED = 1


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ((n for n in [1]), "a generator cannot be kept; a generator is used up"),
        (object(), "an object cannot be kept"),
        (len, "a builtin_function_or_method cannot be kept"),
        (threading.Lock(), "a lock cannot be kept; locks and threads exist in one process"),
        (Pair(1, 2), r"a Pair cannot be kept; what its _asdict\(\) gives can"),
        (Colour.RED, "a Colour cannot be kept; its name or its value can"),
        (np.array([object()]), "a ndarray cannot be kept; an array of Python objects"),
        (pd.DataFrame({"a": [object()]}), "a DataFrame cannot be kept"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_cannot_be_kept_is_refused_at_once_with_its_place(
    tmp_path: Path, value: object, told: str
) -> None:
    with gs.start_run("fields", store=f"sqlite:///{tmp_path}/lab.db") as run:
        with pytest.raises(UsageError, match=rf"^fields\['a'\]: {told}"):
            run.fields["a"] = value
        with pytest.raises(UsageError, match=rf"^fields\['a'\]\['b'\]\[2\]\['c'\]: {told}"):
            run.fields["a"] = {"b": [0, 1, {"c": value}]}
        with pytest.raises(UsageError, match=rf"^fields\['a'\]\[0\]: {told}"):
            run.fields.a = (value,)
        assert "a" not in run.fields
    with gs.open_store(run.store) as store:
        assert store.run(run.id).fields == {}


def test_what_contains_itself_is_refused(tmp_path: Path) -> None:
    circle: list[Any] = []
    circle.append(circle)
    with (
        gs.start_run("fields", store=f"sqlite:///{tmp_path}/lab.db") as run,
        pytest.raises(UsageError, match="contains itself"),
    ):
        run.fields["a"] = circle


def test_a_value_is_as_it_was_when_it_was_set(store: Store, url: str) -> None:
    array, numbers, nested = np.zeros(500), [1], {"a": (1, [2])}
    with gs.start_run("fields", store=url, strict=True) as run:
        run.fields.update({"array": array, "numbers": numbers, "nested": nested})
        array[:] = 1
        numbers.append(2)
        nested["a"][1].append(3)  # type: ignore[attr-defined]
    back = store.fields(run.id)
    assert same(back, {"array": np.zeros(500), "numbers": [1], "nested": {"a": (1, [2])}})


@pytest.mark.parametrize("flushed", [False, True])
def test_a_field_that_is_set_again_leaves_nothing_behind(
    store: Store, url: str, flushed: bool
) -> None:
    with gs.start_run("fields", store=url, strict=True) as run:
        for value in ({"a": np.zeros(500)}, np.float64(0.5), np.ones(600), 0.5):
            run.fields["x"] = value
            run.fields["x']"] = (1,)
            if flushed:
                run.flush()
    back = store.fields(run.id)
    assert same(back, {"x": 0.5, "x']": (1,)})
    assert [ref.name for ref in store.catalog.artifacts(run.id)] == ['fields["x\']"]']
    assert store.collect_garbage(grace=0).removed == 2
    assert same(store.fields(run.id), back)


def test_arrays_of_fields_are_no_garbage_until_their_run_is_deleted(store: Store, url: str) -> None:
    run = kept(store, url, {"x": {"y": np.zeros(500)}})
    assert store.collect_garbage(grace=0).removed == 0
    assert same(store.fields(run)["x"]["y"], np.zeros(500))
    store.catalog.delete("runs", run)
    assert store.collect_garbage(grace=0).removed == 1


NAMES = [
    *("a-b", "a_b", "A_B", "a b", "a.b", "a.b.c", "id_run", "id", "name", "status", "metrics"),
    *("line\nbreak", "tab\t", "it's", 'say "so"', "back\\slash", "🙂", "é", "e\u0301"),
    *("%s", ":name", "?", "'; DROP TABLE runs; --", "$tuple", " ", "fields['a']"),
]


def test_names_of_any_kind_stand_side_by_side(store: Store, url: str) -> None:
    fields = {name: number for number, name in enumerate(NAMES)}
    exact = {f"{name}!": (number, np.zeros(200)) for number, name in enumerate(NAMES)}
    run = kept(store, url, {**fields, **exact})
    assert store.run(run).fields.items() >= fields.items()
    assert same(store.fields(run), {**fields, **exact})


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", "x" * 251, 3, None])
def test_a_name_that_no_database_takes_is_refused(tmp_path: Path, name: Any) -> None:
    with (
        gs.start_run("fields", store=f"sqlite:///{tmp_path}/lab.db") as run,
        pytest.raises(UsageError, match="name"),
    ):
        run.fields[name] = 1


def test_thousands_of_fields_in_one_run(store: Store, url: str) -> None:
    fields: dict[str, Any] = {f"field {n}": n for n in range(2500)}
    fields |= {f"exact {n}": (n,) for n in range(2500)}
    run = kept(store, url, fields)
    assert same(store.fields(run), fields)


def test_runs_with_other_fields_do_not_touch_each_other(store: Store, url: str) -> None:
    first = kept(store, url, {"a": 1, "b": [1]})
    second = kept(store, url, {"a": "text", "c": np.float32(1)})
    assert same(store.fields(first), {"a": 1, "b": [1]})
    assert same(store.fields(second), {"a": "text", "c": np.float32(1)})


def test_native_values_are_searchable_with_any_sql_tool(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/lab.db"
    with gs.start_run("fields", store=url) as run:
        run.fields["accuracy"] = np.float32(0.5)
        run.fields["who"] = "Gosset"
    with sqlite3.connect(tmp_path / "lab.db") as connection:
        found = connection.execute(
            "SELECT name, number, text FROM run_fields ORDER BY name"
        ).fetchall()
        document = connection.execute("SELECT json_extract(fields, '$.accuracy') FROM runs")
        assert document.fetchone() == (0.5,)
    connection.close()
    assert found == [("accuracy", 0.5, None), ("who", None, "Gosset")]


def test_nothing_pickled_is_read(store: Store, url: str) -> None:
    run = kept(store, url, KINDS)
    assert {ref.format for ref in store.catalog.artifacts(run)} == {
        *("json", "npy", "parquet", "arrow", "sparse", "text", "bytes"),
    }


def test_a_field_that_is_not_there_is_named(store: Store, url: str) -> None:
    run = kept(store, url, {"accuracy": 1})
    with pytest.raises(NotFoundError, match="no field 'acuracy'; did you mean 'accuracy'"):
        store.fields(run, "acuracy")


def test_what_a_stage_keeps_is_plain_json_in_the_catalog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOSSET_STORE", f"sqlite:///{tmp_path}/lab.db")
    monkeypatch.chdir(tmp_path)

    def step(run: Any) -> None:
        run.fields["when"] = dt.date(2026, 1, 2)
        run.fields["accuracy"] = np.float64(0.5)
        run.fields["shape"] = (2, 3)

    gs.Experiment("quick", steps=[step]).execute(executor="inline")
    with gs.open_store() as store:
        fields = {"when": "2026-01-02", "accuracy": 0.5, "shape": [2, 3]}
        assert store.run("latest").fields == fields


@EXAMPLES
@given(
    fields=st.dictionaries(
        st.sampled_from(["a", "$bytes", "$$bytes"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda parts: (
                st.lists(parts)
                | st.dictionaries(st.sampled_from(["a", "$bytes", "$$bytes", "$"]), parts)
            ),
            max_leaves=8,
        ),
    ),
    data=st.binary(),
)
def test_the_spool_gives_back_what_it_was_given(fields: dict[str, Any], data: bytes) -> None:
    news = News(
        run="r",
        writer=1,
        number=1,
        fields=fields,
        artifacts=[Kept("a", "bytes", "digest", len(data), data)],
    )
    [(back, _)] = frames(io.BytesIO(frame(news)))
    assert (back.fields, back.artifacts) == (fields, news.artifacts)


def test_a_field_after_the_end_is_refused(tmp_path: Path) -> None:
    with gs.start_run("fields", store=f"sqlite:///{tmp_path}/lab.db") as run:
        pass
    with pytest.raises(UsageError, match="has ended"):
        run.fields["a"] = 1
    assert "a" not in run.fields
