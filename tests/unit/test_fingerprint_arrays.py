"""Digests of arrays, frames, sparse matrices, estimators and what belongs to them."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.metrics import accuracy_score, f1_score, make_scorer
from sklearn.model_selection import KFold, RepeatedKFold, ShuffleSplit, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from gosset.exceptions import FingerprintError
from gosset.fingerprint import digest

GRID = np.arange(24.0).reshape(4, 6)

DISTINCT_ARRAYS: list[Any] = [
    np.arange(6),
    np.arange(6).reshape(2, 3),
    np.arange(6).reshape(3, 2),
    np.arange(6).astype("i4"),
    np.arange(6).astype(">i8"),
    np.zeros(4, dtype="i8"),
    np.zeros(4, dtype="f8"),
    -np.zeros(4, dtype="f8"),
    np.zeros(4, dtype="m8[s]"),
    np.zeros(4, dtype="M8[s]"),
    np.zeros(4, dtype="M8[ns]"),
    np.zeros(4, dtype="S1"),
    np.zeros(4, dtype="U1"),
    np.zeros(4, dtype=bool),
    np.zeros(4, dtype="V8"),
    np.zeros((0, 3)),
    np.zeros((3, 0)),
    np.zeros(0, dtype="U1"),
    np.array(1.0),
    np.float64(1.0),
    np.float32(1.0),
    1.0,
    np.array([1.0]),
    [1.0],
    np.array(["ab", "c"]),
    np.array(["a", "bc"]),
    np.array(["a", "b"], dtype=object),
    np.array(["a", 1, None], dtype=object),
    np.array(["a", 1.0, None], dtype=object),
    np.array(["ab", "c"], dtype=np.dtypes.StringDType()),
    np.array([1, 2], dtype=np.longdouble),
    np.array([1, 2], dtype=np.clongdouble),
    np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    np.array([(1, 2.0)], dtype=[("a", "i4"), ("c", "f8")]),
    np.array([([1, 2],)], dtype=[("a", "i4", 2)]),
    np.array([([[1], [2]],)], dtype=[("a", "i4", (2, 1))]),
    np.ma.array([1, 2], mask=[False, True]),
    np.ma.array([1, 2], mask=[False, False]),
    np.matrix([[1, 2]]),
    np.dtype("f8"),
    np.dtype("f4"),
    np.dtype(("i4", 2)),
    np.datetime64("2020-01-01"),
    np.datetime64("2020-01-01T00"),
]


def test_arrays_that_differ_have_distinct_digests() -> None:
    digests = [digest(value) for value in DISTINCT_ARRAYS]
    assert len(set(digests)) == len(digests)


def with_padding(fill: int) -> np.ndarray[Any, Any]:
    dtype = np.dtype([("a", "i1"), ("b", "f8")], align=True)
    raw = np.full(dtype.itemsize, fill, dtype=np.uint8).view(dtype)
    raw["a"], raw["b"] = 1, 2.0
    return raw


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (GRID, np.asfortranarray(GRID)),
        (GRID[:, ::2], GRID[:, ::2].copy()),
        (GRID[::-1], GRID[::-1].copy()),
        (GRID.T, np.ascontiguousarray(GRID.T)),
        (np.broadcast_to(np.float64(3), (200, 400)), np.full((200, 400), 3.0)),
        (np.array(["a", "b"], dtype=object), np.array(["".join("a"), "b"], dtype=object)),
        (np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 99], mask=[0, 1])),
        (with_padding(0), with_padding(255)),
        (np.random.default_rng(3), np.random.default_rng(3)),
        (np.random.RandomState(3), np.random.RandomState(3)),
        (np.random.SeedSequence(3), np.random.SeedSequence(3)),
    ],
)
def test_equal_arrays_have_equal_digests(first: object, second: object) -> None:
    assert digest(first) == digest(second)


@pytest.mark.parametrize("size", [10, 9_000, 200_000, 5_000_000])
def test_the_layout_of_a_large_array_does_not_count(size: int) -> None:
    array = np.arange(size, dtype="f8").reshape(2, -1)
    assert digest(np.asfortranarray(array)) == digest(array)
    changed = array.copy()
    changed[1, size // 3] += 1
    assert digest(changed) != digest(array)


def test_a_memory_map_is_the_array_that_it_holds(tmp_path: Any) -> None:
    np.save(tmp_path / "grid.npy", GRID)
    assert digest(np.load(tmp_path / "grid.npy", mmap_mode="r")) == digest(GRID)


@settings(max_examples=60)
@given(
    st.data(),
    npst.arrays(
        npst.integer_dtypes() | npst.floating_dtypes() | npst.unicode_string_dtypes(max_len=3),
        npst.array_shapes(min_dims=1, max_dims=3, max_side=4),
    ),
)
def test_an_array_is_its_copy_in_any_order(data: Any, array: np.ndarray[Any, Any]) -> None:
    axes = data.draw(st.permutations(range(array.ndim)))
    other = np.transpose(np.ascontiguousarray(np.transpose(array, axes)), np.argsort(axes))
    assert digest(other) == digest(array)


@pytest.mark.parametrize(
    "unknown", [np.nditer(GRID), scipy.stats.norm(0, 1), pa.default_memory_pool(), pl.lit(1)]
)
def test_other_objects_of_the_libraries_are_refused(unknown: object) -> None:
    with pytest.raises(FingerprintError, match=f"a {type(unknown).__module__}"):
        digest(unknown)


def test_a_generator_that_has_drawn_is_another() -> None:
    drawn = np.random.default_rng(3)
    drawn.random()
    assert digest(drawn) != digest(np.random.default_rng(3))
    spawned = np.random.default_rng(3)
    spawned.spawn(1)
    assert digest(spawned) != digest(np.random.default_rng(3))


FRAME = pd.DataFrame(
    {
        "number": [1, 2, 2, 3],
        "real": [0.5, np.nan, np.nan, 1.0],
        "text": ["a", None, None, "ccc"],
        "kind": pd.Categorical(["x", "y", "y", "x"]),
        "time": pd.date_range("2020", periods=4, tz="UTC"),
        "maybe": pd.array([1, None, None, 2], dtype="Int64"),
    },
    index=[5, 6, 7, 8],
)
TEXTS = pd.Series(["a", "b", "c", "d"])


def object_frame(items: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"a": pd.Series(items, dtype=object)})


DISTINCT_FRAMES: list[Any] = [
    FRAME,
    FRAME.rename(columns={"number": "count"}),
    FRAME.rename(columns={"number": "real", "real": "number"}),
    FRAME[list(reversed(FRAME.columns))],
    FRAME.astype({"number": "int32"}),
    FRAME.astype({"kind": str}),
    FRAME.reset_index(drop=True),
    FRAME.rename_axis("row"),
    FRAME.rename_axis("column", axis=1),
    FRAME.iloc[::-1],
    FRAME.iloc[:3],
    FRAME.set_index(["number", "real"]),
    FRAME.assign(kind=FRAME["kind"].cat.reorder_categories(["y", "x"])),
    FRAME.assign(kind=FRAME["kind"].cat.as_ordered()),
    FRAME.assign(time=FRAME["time"].dt.tz_convert("Europe/Dublin")),
    FRAME.assign(time=FRAME["time"].dt.tz_localize(None)),
    FRAME.fillna({"maybe": 0}),
    FRAME["number"],
    FRAME["number"].rename("count"),
    FRAME["number"].rename(None),
    FRAME["number"].array,
    FRAME.index,
    object_frame([1, "1", None]),
    object_frame([1, "1", np.nan]),
    object_frame([1.0, "1", None]),
    object_frame([True, "1", None]),
    object_frame(["ab", "c"]),
    object_frame(["a", "bc"]),
    pd.DataFrame({"a": ["ab", "c"]}),
    pd.DataFrame({"a": ["a", "bc"]}),
    pd.DataFrame({"a": pd.array(["ab", "c"], dtype="string")}),
    pd.DataFrame(index=range(3)),
    pd.DataFrame({"a": []}),
    pd.Series(pd.interval_range(0, 2)),
    pd.Series(pd.interval_range(0, 2, closed="left")),
    pd.Series(pd.period_range("2020", periods=2)),
    pd.Series(pd.period_range("2020", periods=2, freq="M")),
    pd.Series(pd.arrays.SparseArray([0, 1, 0])),
    pd.Series([1, 2], dtype="int64[pyarrow]"),
    pd.Series([1, None], dtype="int64[pyarrow]"),
    pd.Series([True, None], dtype="boolean"),
    pd.Series([0.5, None], dtype="Float64"),
    pd.Timestamp("2020"),
    pd.Timestamp("2020", tz="UTC"),
    pd.Timedelta("1s"),
    pd.Interval(0, 1),
    pd.Period("2020", "M"),
    pd.offsets.Day(2),
    pd.offsets.Week(weekday=1),
    pd.NaT,
    pd.NA,
    pd.CategoricalDtype(["a", "b"]),
    pd.CategoricalDtype(["b", "a"]),
    pd.StringDtype(),
]


def test_frames_that_differ_have_distinct_digests() -> None:
    digests = [digest(value) for value in DISTINCT_FRAMES]
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (FRAME, FRAME.copy()),
        (FRAME.drop_duplicates("number"), FRAME.iloc[[0, 1, 3]]),
        (pd.concat([FRAME[:2], FRAME[2:]]), FRAME),
        (pd.concat([FRAME, FRAME])[2:6], pd.concat([FRAME[2:], FRAME[:2]])),
        (pd.concat([TEXTS[:1], TEXTS[1:]]), TEXTS),
        (pd.concat([TEXTS, TEXTS])[1:3], TEXTS[1:3]),
        (TEXTS.astype(object).astype(TEXTS.dtype), TEXTS),
        (pd.Index(range(3)), pd.Index([0, 1, 2])),
        (pd.DataFrame(np.ones((3, 2))), pd.DataFrame({0: [1.0] * 3, 1: [1.0] * 3})),
        (
            pd.Series(["a", None], dtype=pd.StringDtype("python")),
            pd.Series(["a", None], dtype=pd.StringDtype("pyarrow")),
        ),
        (
            pd.Series(pd.array([1, 2], dtype="Int64")).where([True, False]),
            pd.Series(pd.array([1, 7], dtype="Int64")).where([True, False]),
        ),
    ],
)
def test_frames_of_equal_content_have_equal_digests(first: Any, second: Any) -> None:
    assert digest(first) == digest(second)


def test_a_value_of_unknown_type_in_an_object_column_is_refused_with_its_path() -> None:
    with pytest.raises(FingerprintError, match=r"data\['a'\]\[1\], a builtins.object"):
        digest(object_frame([1, object()]), where="data")


def test_a_child_of_a_frame_is_refused() -> None:
    class Located(pd.DataFrame):
        pass

    with pytest.raises(FingerprintError, match="Located"):
        digest(Located({"a": [1]}))


TABLE = pa.table(
    {
        "text": ["a", None, "ccc", ""],
        "number": pa.array([1, None, 3, 4], type=pa.int16()),
        "truth": [True, None, False, True],
        "list": [[1], [], None, [2, 3]],
        "fixed": pa.array([[1, 2], None, [3, 4], [5, 6]], type=pa.list_(pa.int8(), 2)),
        "struct": [{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}, {"a": 2, "b": None}],
        "map": pa.array([[("a", 1)], None, [], [("b", 2)]], type=pa.map_(pa.string(), pa.int8())),
        "word": pa.array(["x", "y", "x", None]).dictionary_encode(),
        "time": pa.array([0, 1, None, 3], type=pa.timestamp("s")),
        "bytes": pa.array([b"a", b"", None, b"b"]),
        "null": pa.nulls(4),
        "decimal": pa.array([1, 2, None, 3], type=pa.decimal128(5, 2)),
        "id": pa.array([b"a" * 16, None, b"b" * 16, b"c" * 16], type=pa.uuid()),
        "view": pa.array(["a", None, "b", "c"], type=pa.string_view()),
    }
)


def test_chunks_and_slices_of_a_table_do_not_count() -> None:
    pieces = pa.concat_tables([TABLE[:1], TABLE[1:3], TABLE[3:]])
    assert digest(pieces) == digest(TABLE)
    assert digest(pa.concat_tables([TABLE, TABLE])[2:6]) == digest(
        pa.concat_tables([TABLE[2:], TABLE[:2]]).combine_chunks()
    )


@pytest.mark.parametrize("name", TABLE.column_names)
def test_each_arrow_column_counts_by_content(name: str) -> None:
    column = TABLE[name]
    rows = [digest(column[row : row + 1]) for row in range(4)]
    assert digest(pa.array(column.to_pylist(), type=column.type)) == digest(column.combine_chunks())
    distinct = {str(value) for value in column.to_pylist()}
    assert len(set(rows)) == len(distinct)


def test_what_lies_under_a_missing_entry_does_not_count() -> None:
    valid = pa.py_buffer(np.packbits([1, 0], bitorder="little").tobytes())
    first, second = (
        pa.Array.from_buffers(pa.int64(), 2, [valid, pa.py_buffer(np.array([1, under]).tobytes())])
        for under in (2, 3)
    )
    assert digest(first) == digest(second) == digest(pa.array([1, None]))


def test_names_and_types_of_a_table_count() -> None:
    renamed = TABLE.rename_columns(["t", *TABLE.column_names[1:]])
    wider = TABLE.set_column(1, "number", TABLE["number"].cast(pa.int32()))
    assert len({digest(TABLE), digest(renamed), digest(wider), digest(TABLE[:3])}) == 4
    assert digest(TABLE.replace_schema_metadata({"a": "b"})) == digest(TABLE)
    assert digest(pa.scalar(1)) != digest(pa.scalar(1.0))
    assert digest(TABLE.schema) != digest(renamed.schema)


def test_polars_frames_count_by_content_names_and_types() -> None:
    frame = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
    values: list[Any] = [
        frame,
        frame.rename({"a": "c"}),
        frame.select("b", "a"),
        frame.cast({"a": pl.Int32}),
        frame.with_columns(pl.col("b").cast(pl.Categorical)),
        frame["a"],
        frame["a"].alias("c"),
        frame.to_pandas(),
        frame.to_arrow(),
        pl.Int64(),
        pl.Datetime("us"),
    ]
    assert len({digest(value) for value in values}) == len(values)
    assert digest(pl.concat([frame[:1], frame[1:]], rechunk=False)) == digest(frame)
    assert digest(pl.DataFrame({"a": [0, 1, 2], "b": ["", "x", None]})[1:]) == digest(frame)


def test_polars_objects_count_by_value() -> None:
    first, second, same = (
        pl.DataFrame({"a": pl.Series([word, None], dtype=pl.Object)}) for word in ("x", "y", "x")
    )
    assert digest(first) == digest(same)
    assert digest(first) != digest(second)


def test_dictionaries_of_the_chunks_do_not_count() -> None:
    chunks = [pa.array(words).dictionary_encode() for words in (["x", "y"], ["y", "z", None])]
    whole = pa.array(["x", "y", "y", "z", None]).dictionary_encode()
    assert digest(pa.chunked_array(chunks)) == digest(pa.chunked_array([whole]))


def test_a_sparse_matrix_counts_by_its_entries() -> None:
    entries = (np.array([1.0, 2.0]), (np.array([0, 1]), np.array([1, 0])))
    matrix = scipy.sparse.coo_matrix(entries, shape=(2, 2)).tocsr()
    split = scipy.sparse.coo_matrix(
        (np.array([2.0, 0.5, 0.5, 0.0]), (np.array([1, 0, 0, 0]), np.array([0, 1, 1, 0]))),
        shape=(2, 2),
    ).tocsr()
    assert digest(split) == digest(matrix)
    others: list[Any] = [
        matrix,
        matrix.T.tocsr(),
        matrix.tocsc(),
        matrix.astype("f4"),
        scipy.sparse.csr_array(matrix),
        scipy.sparse.coo_matrix(entries, shape=(2, 3)).tocsr(),
        matrix.toarray(),
        scipy.sparse.dok_array(matrix),
        scipy.sparse.lil_array(matrix),
        scipy.sparse.dia_array(matrix),
        scipy.sparse.bsr_array(matrix),
    ]
    assert len({digest(value) for value in others}) == len(others)


class Cut(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A transformer of the user's own."""

    def __init__(self, limit: float = 1.0) -> None:
        self.limit = limit

    def fit(self, X: Any, y: Any = None) -> Cut:
        self.seen_ = len(X)
        return self

    def transform(self, X: Any) -> Any:
        return np.minimum(X, self.limit)


def test_estimators_count_by_class_and_parameters() -> None:
    values: list[Any] = [
        SVC(),
        SVC(C=2),
        SVC(kernel="linear"),
        Cut(),
        Cut(2.0),
        StandardScaler(),
        Pipeline([("a", StandardScaler()), ("b", SVC())]),
        Pipeline([("a", StandardScaler()), ("b", SVC(C=2))]),
        Pipeline([("a", StandardScaler()), ("c", SVC())]),
        Pipeline([("a", Cut()), ("b", SVC())]),
        SVC,
        Cut,
    ]
    assert len({digest(value) for value in values}) == len(values)
    assert digest(Pipeline([("a", Cut())])) == digest(Pipeline([("a", Cut())]))


def test_what_an_estimator_learned_does_not_count() -> None:
    assert digest(Cut().fit([1, 2])) == digest(Cut())


class Forgetful(BaseEstimator):  # type: ignore[misc]
    """Does not keep its parameter, which scikit-learn forbids."""

    def __init__(self, limit: float = 1.0) -> None:
        self.bound = limit


def test_an_estimator_that_cannot_give_its_parameters_is_refused() -> None:
    with pytest.raises(FingerprintError, match="model, which cannot give its parameters"):
        digest(Forgetful(), where="model")


def test_splitters_and_scorers_count_by_class_and_settings() -> None:
    values: list[Any] = [
        KFold(5),
        KFold(4),
        StratifiedKFold(5),
        KFold(5, shuffle=True, random_state=1),
        KFold(5, shuffle=True, random_state=2),
        RepeatedKFold(n_splits=5, n_repeats=2, random_state=1),
        ShuffleSplit(5, random_state=1),
        make_scorer(accuracy_score),
        make_scorer(accuracy_score, greater_is_better=False),
        make_scorer(f1_score),
        make_scorer(f1_score, average="macro"),
        accuracy_score,
        f1_score,
        functools.partial(f1_score, average="macro"),
    ]
    assert len({digest(value) for value in values}) == len(values)
    assert digest(make_scorer(f1_score, average="macro")) == digest(
        make_scorer(f1_score, average="macro")
    )
    assert digest(KFold(5)) == digest(KFold(5))
