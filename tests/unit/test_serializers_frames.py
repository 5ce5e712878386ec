"""pandas frames and series as Parquet; Arrow and Polars tables."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gosset.exceptions import MissingExtraError, SerializationError
from gosset.serializers import choose, frames, get


def round_trip(value: object, format: str = "parquet") -> Any:
    buffer = io.BytesIO()
    serializer = choose(value, format=format)
    serializer.dump(value, buffer)
    buffer.seek(0)
    return serializer.load(buffer)


def assert_same(back: Any, value: Any) -> None:
    assert type(back) is type(value)
    assert type(back.index) is type(value.index)
    if isinstance(value, pd.Series):
        pd.testing.assert_series_equal(back, value, check_exact=True, check_index_type="exact")
        assert type(back.name) is type(value.name)
        return
    pd.testing.assert_frame_equal(
        back, value, check_exact=True, check_index_type="exact", check_column_type="exact"
    )
    assert back.columns.identical(value.columns)
    assert list(map(type, back.columns)) == list(map(type, value.columns))


def dumped(value: object, format: str = "parquet") -> bytes:
    buffer = io.BytesIO()
    get(format).dump(value, buffer)
    return buffer.getvalue()


def from_range(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns)


DAYS = pd.date_range("2026-01-01", periods=3, freq="D")
TWO_LEVELS = pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["group", None])
TAKEN: dict[str, Callable[[], pd.DataFrame | pd.Series[Any]]] = {
    "numbers": lambda: pd.DataFrame(
        {dtype: np.array([0, 1, 2], dtype) for dtype in np.typecodes["AllInteger"] + "?efd"}
    ),
    "missing floats": lambda: from_range(a=[1.0, np.nan, np.inf, -0.0]),
    "strings": lambda: from_range(a=["x", None, "", "χ²"]),
    "python strings": lambda: from_range(a=pd.Series(["x", "y"], dtype=object)),
    "nullable": lambda: from_range(
        i=pd.array([1, None], dtype="Int8"),
        f=pd.array([1.5, None], dtype="Float32"),
        b=pd.array([True, None], dtype="boolean"),
        s=pd.array(["x", None], dtype="string"),
    ),
    "arrow types": lambda: from_range(
        a=pd.array([1, None], dtype="int32[pyarrow]"), b=pd.array(["x", None], "string[pyarrow]")
    ),
    "categories": lambda: from_range(
        a=pd.Categorical(["b", None, "a"], categories=["z", "b", "a"], ordered=True),
        b=pd.Categorical([3, 1, 3], categories=[3, 2, 1]),
        c=pd.Categorical(DAYS[[2, 0, 2]]),
    ),
    "many categories": lambda: from_range(a=pd.Categorical([f"c{i}" for i in range(70_000)])),
    "times": lambda: from_range(
        naive=DAYS,
        zoned=DAYS.tz_localize("Europe/Berlin"),
        utc=DAYS.tz_localize("UTC"),
        seconds=DAYS.as_unit("s"),
        nano=DAYS.as_unit("ns") + pd.Timedelta(1, "ns"),
        delta=pd.to_timedelta([1, None, 3], unit="s"),
    ),
    "periods and intervals": lambda: from_range(
        p=pd.period_range("2026", periods=3, freq="M"), i=pd.interval_range(0, 3)
    ),
    "empty": lambda: pd.DataFrame(),
    "no rows": lambda: from_range(a=[1.0], b=["x"], c=pd.Categorical(["x"])).iloc[:0],
    "no columns": lambda: pd.DataFrame(index=[3, 1, 2]),
    "range": lambda: pd.DataFrame({"a": [1, 2]}, index=pd.RangeIndex(10, 30, 10, name="n")),
    "named by numbers": lambda: pd.DataFrame(np.eye(3)),
    "numbered out of order": lambda: pd.DataFrame(np.eye(2), columns=[7, 3]),
    "mixed names": lambda: pd.DataFrame([[1, 2, 3, 4]], columns=[1, "1", ("a", 1), None]),
    "name of columns": lambda: pd.DataFrame([[1]], columns=pd.Index(["a"], name="what")),
    "empty names": lambda: pd.DataFrame([[1, 2]], columns=["", " "], index=pd.Index([5], name="")),
    "same names": lambda: pd.DataFrame([[1, 2.5, "x"]], columns=["a", "a", "a.2"]),
    "levels of columns": lambda: pd.DataFrame([[1, 2, 3, 4]], columns=TWO_LEVELS),
    "labels": lambda: pd.DataFrame({"a": [1, 2]}, index=["x", "y"]),
    "index named like a column": lambda: pd.DataFrame({"a": [1]}, index=pd.Index([5], name="a")),
    "index named by a number": lambda: pd.DataFrame({"a": [1]}, index=pd.Index([5], name=7)),
    "days": lambda: pd.DataFrame({"a": [1, 2, 3]}, index=DAYS),
    "hours with a zone": lambda: pd.DataFrame(
        {"a": range(4)}, index=pd.date_range("2026-10-25", periods=4, freq="h", tz="Europe/Berlin")
    ),
    "irregular times": lambda: pd.DataFrame({"a": [1, 2]}, index=DAYS[[2, 0]]),
    "index of categories": lambda: pd.DataFrame(
        {"a": [1, 2]}, index=pd.CategoricalIndex(["x", "y"], categories=["z", "y", "x"])
    ),
    "levels": lambda: pd.DataFrame({"a": range(4)}, index=TWO_LEVELS),
    "levels of one name": lambda: pd.DataFrame(
        {"a": [1]}, index=pd.MultiIndex.from_tuples([(1, DAYS[0])], names=["n", "n"])
    ),
    "sorted levels": lambda: pd.DataFrame({"a": range(4)}, index=TWO_LEVELS).iloc[::-1],
    "series": lambda: pd.Series([1.5, 2.5]),
    "named series": lambda: pd.Series(["x"], name=("a", 1), index=pd.Index([5], name="i")),
    "series named by a number": lambda: pd.Series([True], name=0),
    "empty series": lambda: pd.Series([], dtype="float64", name="x"),
    "series of categories": lambda: pd.Series(pd.Categorical(["x"], categories=["y", "x"])),
}


@pytest.mark.parametrize("name", TAKEN)
def test_it_comes_back_exactly(name: str) -> None:
    value = TAKEN[name]()
    assert choose(value).name == "parquet"
    assert_same(round_trip(value), value)


FALLS_BACK: dict[str, Callable[[], pd.DataFrame | pd.Series[Any]]] = {
    "any objects": lambda: from_range(a=[{"x": 1}, [2]]),
    "mixed objects": lambda: from_range(a=[1, "x"]),
    "decimals": lambda: from_range(a=[Decimal(1)]),
    "dates": lambda: from_range(a=[dt.date(2026, 1, 1)]),
    "missing python strings": lambda: from_range(a=pd.Series(["x", None], dtype=object)),
    "strings of another class": lambda: from_range(a=pd.Series([np.str_("x")], dtype=object)),
    "objects in the index": lambda: pd.DataFrame({"a": [1, 2]}, index=[1, "x"]),
    "objects in a level": lambda: pd.DataFrame(
        {"a": [1, 2]}, index=pd.MultiIndex.from_tuples([(1, "a"), ("x", "b")])
    ),
    "missing labels in a level": lambda: pd.DataFrame(
        {"a": [1, 2]}, index=pd.MultiIndex.from_tuples([(1, "a"), (None, "b")])
    ),
    "complex": lambda: from_range(a=[1 + 2j]),
    "sparse": lambda: from_range(a=pd.arrays.SparseArray([0, 1])),
    "own holidays": lambda: pd.DataFrame(
        {"a": [1, 2]},
        index=pd.date_range(
            "2026-01-01", periods=2, freq=pd.offsets.CustomBusinessDay(holidays=["2026-01-02"])
        ),
    ),
    "columns of times": lambda: pd.DataFrame([[1, 2, 3]], columns=DAYS),
    "series named by an object": lambda: pd.Series([1], name=len),
}


@pytest.mark.parametrize("name", FALLS_BACK)
def test_what_parquet_cannot_give_back_goes_through_pickle(name: str) -> None:
    value = FALLS_BACK[name]()
    assert choose(value).name == "pickle"
    assert_same(round_trip(value, "pickle"), value)
    with pytest.raises(SerializationError, match="format='pickle' takes it"):
        choose(value, format="parquet")


def test_a_subclass_is_not_taken() -> None:
    class Frame(pd.DataFrame):
        pass

    assert choose(Frame({"a": [1]})).name == "pickle"


def test_a_loaded_frame_can_be_changed() -> None:
    for value in (from_range(a=[1.0, 2.0]), from_range(a=[1, 2], b=[1.5, 2.5], c=["x", "y"])):
        back = round_trip(value)
        back.iloc[0, 0] = 5
        back["new"] = [7, 8]
        back.loc[1, "a"] = 9
        assert back["a"].tolist() == [5, 9]


def test_dumping_leaves_the_frame_as_it_was() -> None:
    frame = pd.DataFrame(np.eye(2), index=pd.Index([1, 2], name=3))
    frame.attrs["note"] = "mine"
    before = frame.copy()
    round_trip(frame)
    assert_same(frame, before)
    assert frame.attrs == {"note": "mine"}


def test_attrs_do_not_change_the_bytes() -> None:
    one, other = from_range(a=[1]), from_range(a=[1])
    other.attrs["seen"] = "today"
    assert dumped(one) == dumped(other)


def test_the_bytes_do_not_depend_on_what_was_kept_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not on another frame of the same form, of which a process remembers the form."""
    short, long = from_range(text=["x", "y"]), from_range(text=["word " * n for n in range(500)])
    monkeypatch.setattr(frames, "_known_metadata", {})
    alone = dumped(short)
    monkeypatch.setattr(frames, "_known_metadata", {})
    dumped(long)
    assert dumped(short) == alone


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(lambda text: text, id="index"),
        pytest.param(lambda text: pd.CategoricalIndex(text, categories=text), id="categories"),
    ],
)
def test_the_bytes_do_not_depend_on_what_a_frame_was_cut_from(kept: Callable[..., Any]) -> None:
    whole = pd.Index([f"label {n}" for n in range(100)])
    for count in (0, 2):
        assert dumped(pd.Series(1, kept(whole[:count]))) == dumped(
            pd.Series(1, kept(pd.Index(list(whole[:count]), dtype="str")))
        )


def test_other_programs_can_read_the_file() -> None:
    buffer = io.BytesIO()
    frame = pd.DataFrame({"a": [1, 2], 7: ["x", "y"]}, index=["k", "l"])
    get("parquet").dump(frame, buffer)
    assert pl.read_parquet(buffer.getvalue()).to_dict(as_series=False) == {
        "a": [1, 2],
        "7": ["x", "y"],
        "index": ["k", "l"],
    }


def test_a_parquet_file_from_elsewhere_is_refused_by_name() -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}), buffer)
    buffer.seek(0)
    with pytest.raises(SerializationError, match="no layout"):
        get("parquet").load(buffer)


def test_without_pyarrow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'gosset\[frames\]'"):
        choose(from_range(a=[1]))


def test_arrow_tables_come_back_with_their_schema() -> None:
    schema = pa.schema(
        [
            pa.field("a", pa.int32(), nullable=False, metadata={"unit": "cm"}),
            pa.field("b", pa.list_(pa.struct([("x", pa.float32())]))),
            pa.field("c", pa.dictionary(pa.int8(), pa.string())),
        ],
        metadata={"source": "here"},
    )
    table = pa.table({"a": [1, 2], "b": [[{"x": 1.5}], None], "c": ["u", None]}, schema=schema)
    back = round_trip(table, "arrow")
    assert back.equals(table, check_metadata=True)
    assert back.schema.equals(schema, check_metadata=True)


def test_arrow_tables_are_the_same_in_any_chunks() -> None:
    whole = pa.table({"a": list(range(10)), "b": list("abcdefghij")})
    parts = pa.concat_tables([whole.slice(0, 3), whole.slice(3)])
    assert dumped(whole, "arrow") == dumped(parts, "arrow")


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(lambda texts: texts, id="strings"),
        pytest.param(
            lambda texts: pa.DictionaryArray.from_arrays(pa.array([0, 1]), texts), id="dictionary"
        ),
    ],
)
def test_of_a_sliced_arrow_table_only_the_slice_is_written(column: Callable[..., Any]) -> None:
    texts = [f"text {n}" for n in range(100)]
    cut, made = pa.array(texts)[:5], pa.array(texts[:5])
    assert dumped(pa.table({"a": column(cut)}), "arrow") == dumped(
        pa.table({"a": column(made)}), "arrow"
    )


def test_polars_frames_come_back_or_are_not_taken() -> None:
    frame = pl.DataFrame(
        {
            "a": [1, None],
            "b": [["x"], []],
            "c": [dt.timedelta(1), None],
            "d": pl.Series(["u", "v"], dtype=pl.Enum(["v", "u", "w"])),
            "e": pl.Series([dt.datetime(2026, 1, 1, tzinfo=dt.UTC)] * 2),
        }
    )
    assert choose(frame).name == "polars"
    back = round_trip(frame, "polars")
    assert back.equals(frame)
    assert back.schema == frame.schema
    objects = pl.DataFrame({"a": pl.Series([object()], dtype=pl.Object)})
    assert choose(objects).name == "pickle"


def test_frames_that_differ_in_the_order_of_categories_alone_keep_it():
    for categories in (["a", "b"], ["b", "a"]):
        frame = pd.DataFrame({"c": pd.Categorical(["a", "b"], categories=categories)})
        file = io.BytesIO()
        serializer = get("parquet")
        assert serializer.takes(frame)
        serializer.dump(frame, file)
        file.seek(0)
        assert list(serializer.load(file)["c"].cat.categories) == categories
