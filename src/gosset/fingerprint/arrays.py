"""Encodings of NumPy's and SciPy's values. Imported only when such a value is met."""

from __future__ import annotations

from typing import Any

import numpy as np

from .encoding import Encoder
from .leaves import leaf, leaf_of, node

_CHUNK = 1 << 24
"""Bytes copied at a time from an array that does not lie in order."""


def encode_numpy(out: Encoder, value: Any, where: str) -> bool:
    """Write arrays, scalars, dtypes and random generators."""
    if type(value) in (np.ndarray, np.memmap):
        out.out += b"ndarray;1;"
        write_array(out, value, where)
    elif isinstance(value, np.ma.MaskedArray):
        out.parts(
            b"maskedarray",
            [
                (".data", np.asarray(value.filled())),
                (".mask", np.ma.getmaskarray(value)),
                (".fill_value", np.asarray(value.fill_value)),
            ],
            where,
        )
    elif type(value) in (np.matrix, np.recarray):
        out.parts(type(value).__name__.encode(), [("", np.asarray(value))], where)
    elif isinstance(value, np.generic):
        out.out += b"scalar;1;"
        write_array(out, np.asarray(value), where)
    elif isinstance(value, np.dtype):
        out.out += b"dtype;1;"
        _write_dtype(out, value, where)
    else:
        return _encode_random(out, value, where)
    return True


def write_array(out: Encoder, array: np.ndarray[Any, Any], where: str) -> None:
    """Write dtype, shape and content, in C order, whatever the layout in memory."""
    dtype = array.dtype
    out.out += node(b"array", 3)
    _write_dtype(out, dtype, where)
    out.encode(array.shape, f"{where}.shape")
    if dtype.names is not None:
        # Field by field: the bytes between fields are never set.
        fields = [(f"[{name!r}]", np.asarray(array[name])) for name in dtype.names]
        out.parts(b"fields", fields, where)
    elif dtype.hasobject or dtype.kind == "T":
        _write_objects(out, array, where)
    elif dtype.type in (np.longdouble, np.clongdouble):
        # Ten of the sixteen bytes are set on most machines; the digits are exact.
        flat = array.astype(np.clongdouble).ravel()
        digits = [np.format_float_scientific(x) for part in (flat.real, flat.imag) for x in part]
        out.sequence(b"digits", digits, where)
    else:
        out.out += _content(array)


def _write_dtype(out: Encoder, dtype: np.dtype[Any], where: str) -> None:
    if dtype.names is not None:
        fields = [(name, dtype[name]) for name in dtype.names]
        out.sequence(b"struct", fields, f"{where}.dtype")
    elif dtype.subdtype is not None:
        out.sequence(b"subarray", dtype.subdtype, f"{where}.dtype")
    elif dtype.kind == "T":
        out.sequence(b"string", (getattr(dtype, "na_object", ...),), f"{where}.dtype")
    else:
        out.text(b"dtype", dtype.str)


def _content(array: np.ndarray[Any, Any]) -> bytes:
    if array.nbytes == 0:
        return leaf(b"content")
    if array.flags.c_contiguous:
        return leaf(b"content", array.reshape(-1).view(np.uint8).data)
    rows = max(1, _CHUNK * len(array) // array.nbytes)
    pieces = (array[start : start + rows] for start in range(0, len(array), rows))
    ordered = (np.ascontiguousarray(piece).reshape(-1).view(np.uint8).data for piece in pieces)
    return leaf_of(b"content", array.nbytes, ordered)


def _write_objects(out: Encoder, array: np.ndarray[Any, Any], where: str) -> None:
    items = array.ravel().tolist()
    if all(type(item) is str for item in items):
        write_strings(out, items)
    else:
        out.sequence(b"objects", items, where)


def write_strings(out: Encoder, items: list[str]) -> None:
    """Write many strings as their lengths in bytes and their bytes."""
    encoded = [item.encode("utf-8", "surrogatepass") for item in items]
    lengths = np.fromiter(map(len, encoded), dtype="<i8", count=len(encoded))
    out.out += node(b"strings", 2)
    out.leaf(b"lengths", lengths.tobytes())
    out.leaf(b"bytes", b"".join(encoded))


def _encode_random(out: Encoder, value: Any, where: str) -> bool:
    if isinstance(value, np.random.Generator):
        out.parts(b"generator", [(".bit_generator", value.bit_generator)], where)
    elif isinstance(value, np.random.RandomState):
        out.parts(b"randomstate", [("", value.get_state(legacy=False))], where)
    elif isinstance(value, np.random.BitGenerator):
        # The seed sequence counts because it is what children are spawned from.
        parts = [(".state", value.state), (".seed_seq", value.seed_seq)]
        out.parts(b"bitgenerator", parts, where)
    elif isinstance(value, np.random.SeedSequence):
        out.parts(b"seedsequence", [(".state", value.state)], where)
    else:
        return False
    return True


def encode_scipy(out: Encoder, value: Any, where: str) -> bool:
    """Write a sparse matrix or array as its sorted entries that are not zero."""
    import scipy.sparse  # the value's class comes from it

    if not scipy.sparse.issparse(value):
        return False
    matrix: Any = value
    entries = matrix.tocoo(copy=True)
    entries.sum_duplicates()
    kept = entries.data != 0
    axes = entries.coords if hasattr(entries, "coords") else (entries.row, entries.col)
    coordinates = tuple(np.asarray(axis, dtype=np.int64)[kept] for axis in axes)
    out.parts(
        b"sparse",
        [
            (".__class__", type(value).__name__),
            (".shape", tuple(map(int, entries.shape))),
            (".coords", coordinates),
            (".data", entries.data[kept]),
        ],
        where,
    )
    return True
