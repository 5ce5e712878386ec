"""NumPy arrays and SciPy's sparse matrices."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import sparse

from gosset.exceptions import SerializationError
from gosset.serializers import choose, get
from gosset.serializers.mapping import MAP_FROM, contents

EXAMPLES = settings(deadline=None, derandomize=True)


def dumped(value: object, format: str = "npy") -> bytes:
    buffer = io.BytesIO()
    choose(value, format=format).dump(value, buffer)
    return buffer.getvalue()


def assert_same(back: Any, array: Any) -> None:
    assert type(back) is np.ndarray
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()
    assert back.flags.writeable


DTYPES = st.one_of(
    arrays.scalar_dtypes(),
    arrays.unicode_string_dtypes(),
    arrays.byte_string_dtypes(),
    arrays.array_dtypes(),
)


@EXAMPLES
@given(arrays.arrays(DTYPES, arrays.array_shapes(min_dims=0, min_side=0, max_side=3)))
def test_arrays_come_back(array: Any) -> None:
    assert choose(array).name == "npy"
    assert_same(get("npy").load(io.BytesIO(dumped(array))), array)


@pytest.mark.parametrize(
    "array",
    [
        np.array(1.5),
        np.array([]),
        np.zeros((0, 3)),
        np.array(["NaT", "2026-01-01"], dtype="M8[ns]"),
        np.array(["", "χ²"]),
        np.array([b"a", b""]),
        np.array([""]),
        np.array([b"abc", b"d"], dtype="V4"),
        np.arange(6, dtype=">i4").reshape(2, 3),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.arange(24).reshape(2, 3, 4)[:, ::2, ::-1],
        np.broadcast_to(np.float32(1), (2, 3)),
        np.zeros(2, dtype=[("a", "i4"), ("b", "f8", (2,)), ("c", [("d", "U3")])]),
        np.zeros(2, dtype=[("χ", "i4")]),
        np.zeros(2, dtype=[(f"column {i}", "f8") for i in range(2000)]),
    ],
    ids=lambda array: f"{array.dtype.str}{array.shape}",
)
def test_special_arrays_come_back(array: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # NumPy: "stored in version 3.0"
        back = get("npy").load(io.BytesIO(dumped(array)))
    assert_same(back, array)


@pytest.mark.parametrize("order", ["C", "F"])
def test_large_arrays_come_back_from_a_file_in_their_order(order: Any, tmp_path: Path) -> None:
    array = np.array(np.arange(600_000.0).reshape(600, 1000), order=order)
    path = tmp_path / "array.npy"
    path.write_bytes(dumped(array))
    assert path.stat().st_size > MAP_FROM
    with path.open("rb") as file:
        back: Any = get("npy").load(file)
    np.testing.assert_array_equal(back, array)
    assert back.flags.f_contiguous == (order == "F")
    back[0, 0] = -1
    np.testing.assert_array_equal(np.load(path), array)


def test_other_programs_can_read_the_file() -> None:
    array = np.arange(6.0).reshape(2, 3).T
    np.testing.assert_array_equal(np.load(io.BytesIO(dumped(array))), array)


def test_memory_between_the_fields_is_not_written() -> None:
    dtype = np.dtype({"names": ["a", "b"], "formats": ["i1", "f8"], "offsets": [0, 8]})
    one, other = np.zeros(3, dtype), np.frombuffer(b"\xff" * 48, dtype).copy()
    other["a"] = other["b"] = 0
    assert one.tobytes() != other.tobytes()
    assert dumped(one) == dumped(other)


@pytest.mark.parametrize(
    "array",
    [
        np.array([object()]),
        np.zeros(1, dtype=[("a", "O")]),
        np.zeros(1, dtype=np.dtype("f8", metadata={"unit": "cm"})),
        np.zeros(1, dtype=np.dtype([("a", "i1"), ("b", "f8")], align=True)),
        np.zeros((1, 1)).view(np.matrix),
        np.ma.masked_array([1, 2], [True, False]),
        np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        np.array(["a"], dtype=np.dtypes.StringDType()),
    ],
    ids=lambda array: f"{type(array).__name__}-{array.dtype}",
)
def test_what_npy_cannot_name_goes_through_pickle(array: Any) -> None:
    assert choose(array).name == "pickle"
    back: Any = get("pickle").load(io.BytesIO(dumped(array, "pickle")))
    assert type(back) is type(array)
    assert back.dtype == array.dtype


def test_pickles_in_npy_files_are_refused() -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{}]), allow_pickle=True)
    buffer.seek(0)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        get("npy").load(buffer)


def test_pickles_in_large_npy_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "objects.npy"
    np.save(path, np.array([bytes(MAP_FROM)], dtype=object), allow_pickle=True)
    with path.open("rb") as file, pytest.raises(SerializationError, match="Python objects"):
        get("npy").load(file)


def test_contents_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for size in (0, 10, MAP_FROM + 10):
        path.write_bytes(b"x" * size)
        with path.open("rb") as file:
            assert bytes(contents(file)) == b"x" * size
        assert bytes(contents(io.BytesIO(b"x" * size))) == b"x" * size


# -- sparse

LAYOUTS = ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"]


@pytest.mark.parametrize("kind", ["matrix", "array"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["f8", "f4", "i4", "?", "c16"])
def test_sparse_matrices_come_back(layout: str, kind: str, dtype: str) -> None:
    dense = np.zeros((4, 6), dtype)
    dense[1, 2], dense[3, 0], dense[0, 5] = 1, 2, 3
    matrix = getattr(sparse, f"{layout}_{kind}")(dense)
    assert choose(matrix).name == "sparse"
    back: Any = get("sparse").load(io.BytesIO(dumped(matrix, "sparse")))
    assert type(back) is type(matrix)
    assert back.dtype == matrix.dtype
    assert back.shape == matrix.shape
    np.testing.assert_array_equal(back.toarray(), dense)
    assert dumped(back, "sparse") == dumped(matrix, "sparse")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_empty_sparse_matrices_come_back(layout: str) -> None:
    for shape in ((0, 0), (3, 0), (2, 2)):
        matrix = sparse.csr_array(shape).asformat(layout)
        back: Any = get("sparse").load(io.BytesIO(dumped(matrix, "sparse")))
        assert (type(back), back.shape, back.nnz) == (type(matrix), shape, 0)


def test_sparse_arrays_of_one_and_three_dimensions_come_back() -> None:
    for dense in (np.array([0, 1, 0, 2]), np.eye(9).reshape(3, 3, 9)):
        back: Any = get("sparse").load(io.BytesIO(dumped(sparse.coo_array(dense), "sparse")))
        np.testing.assert_array_equal(back.toarray(), dense)


def test_the_indices_of_a_sparse_matrix_keep_order_and_type() -> None:
    matrix = sparse.csr_array((np.ones(3), np.array([2, 0, 1]), np.array([0, 3])), shape=(1, 3))
    matrix.indices = matrix.indices.astype("i8")
    back: Any = get("sparse").load(io.BytesIO(dumped(matrix, "sparse")))
    assert back.indices.dtype == "i8"
    assert back.indices.tolist() == [2, 0, 1]


def test_large_sparse_matrices_come_back_from_a_file(tmp_path: Path) -> None:
    matrix = sparse.random_array(
        (2000, 2000), density=0.05, format="csr", rng=np.random.default_rng(1)
    )
    path = tmp_path / "matrix"
    path.write_bytes(dumped(matrix, "sparse"))
    assert path.stat().st_size > MAP_FROM
    with path.open("rb") as file:
        back: Any = get("sparse").load(file)
    assert (back != matrix).nnz == 0
    back.data *= 2
    assert back.sum() == pytest.approx(2 * matrix.sum())
