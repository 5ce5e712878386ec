"""Encodings of pandas', Arrow's and Polars' values. Imported only when such a value is met."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..exceptions import MissingExtraError
from .arrays import write_array, write_strings
from .encoding import Encoder
from .leaves import node


def encode_pandas(out: Encoder, value: Any, where: str) -> bool:
    """Write frames, series, indexes and scalars by content, dtypes and names.

    How the content lies in memory does not count, nor do ``attrs`` and the frequency
    of an index.
    """
    import pandas as pd

    if type(value) is pd.DataFrame:
        out.out += node(b"dataframe", 2 + value.shape[1])
        _write_index(out, value.columns, f"{where}.columns")
        _write_index(out, value.index, f"{where}.index")
        for number, name in enumerate(value.columns):
            _write_column(out, value.iloc[:, number].array, f"{where}[{name!r}]")
    elif type(value) is pd.Series:
        out.out += node(b"series", 3)
        out.encode(value.name, f"{where}.name")
        _write_index(out, value.index, f"{where}.index")
        _write_column(out, value.array, where)
    elif isinstance(value, pd.Index):
        _write_index(out, value, where)
    elif isinstance(value, pd.api.extensions.ExtensionArray):
        _write_column(out, value, where)
    elif isinstance(value, pd.api.extensions.ExtensionDtype):
        _write_dtype(out, value, where)
    else:
        return _encode_scalar(out, value, where)
    return True


def _encode_scalar(out: Encoder, value: Any, where: str) -> bool:
    import pandas as pd

    if value is pd.NaT or value is pd.NA:
        out.text(b"missing", "NaT" if value is pd.NaT else "NA")
    elif isinstance(value, pd.Timestamp):
        parts = [(".asm8", value.asm8), (".tz", value.tz), (".fold", value.fold)]
        out.parts(b"timestamp", parts, where)
    elif isinstance(value, pd.Timedelta):
        out.parts(b"timedelta", [(".asm8", value.asm8)], where)
    elif isinstance(value, pd.Interval):
        out.sequence(b"interval", (value.left, value.right, value.closed), where)
    elif isinstance(value, pd.Period):
        out.sequence(b"period", (value.ordinal, value.freqstr), where)
    elif isinstance(value, pd.offsets.BaseOffset):
        offset: Any = value
        items = (type(offset).__name__, offset.n, offset.normalize, offset.kwds)
        out.sequence(b"offset", items, where)
    else:
        return False
    return True


def _write_index(out: Encoder, index: Any, where: str) -> None:
    # A RangeIndex is the index of integers that it stands for.
    out.out += node(b"index", 2)
    out.encode(tuple(index.names), f"{where}.names")
    levels = [index.get_level_values(level) for level in range(index.nlevels)]
    out.out += node(b"levels", len(levels))
    for level in levels:
        _write_column(out, level.array, where)


def _write_dtype(out: Encoder, dtype: Any, where: str) -> None:
    import pandas as pd

    out.out += node(b"extension", 2)
    out.text(b"name", str(dtype))
    if isinstance(dtype, pd.CategoricalDtype) and dtype.categories is not None:
        out.parts(
            b"categories",
            [(".categories", dtype.categories), (".ordered", dtype.ordered)],
            where,
        )
    else:
        out.encode(None, where)


def _write_column(out: Encoder, column: Any, where: str) -> None:
    """Write one column; `column` is a pandas extension array or a wrapped NumPy array."""
    import pandas as pd

    dtype = column.dtype
    if isinstance(dtype, np.dtype) or type(column) is pd.arrays.NumpyExtensionArray:
        write_array(out, np.asarray(column), where)
        return
    out.out += node(b"column", 3)
    _write_dtype(out, dtype, where)
    missing = np.asarray(column.isna())
    out.leaf(b"missing", np.packbits(missing).tobytes() if missing.any() else b"")
    if isinstance(dtype, pd.CategoricalDtype):
        write_array(out, column.codes.astype(np.int64), where)
    elif isinstance(dtype, pd.StringDtype):
        _write_string_column(out, column, missing, where)
    elif isinstance(dtype, pd.ArrowDtype):
        _write_arrow(out, column.__arrow_array__(), where)
    elif isinstance(dtype, pd.DatetimeTZDtype | pd.PeriodDtype):
        write_array(out, column.asi8, where)
    elif isinstance(dtype, pd.IntervalDtype):
        out.parts(b"interval", [(".left", column.left), (".right", column.right)], where)
    elif isinstance(getattr(dtype, "numpy_dtype", None), np.dtype):
        # Nullable numbers: what lies under a missing one is arbitrary.
        filler = np.zeros((), dtype=dtype.numpy_dtype)[()]
        write_array(out, column.to_numpy(dtype=dtype.numpy_dtype, na_value=filler), where)
    else:
        write_array(out, np.asarray(column, dtype=object), where)


def _write_string_column(
    out: Encoder, column: Any, missing: np.ndarray[Any, Any], where: str
) -> None:
    """Write texts alike from either of the two storages that pandas has for them."""
    if column.dtype.storage == "pyarrow":
        present = column[~missing] if missing.any() else column
        _write_arrow_content(out, _combined(present.__arrow_array__()), where)
    else:
        write_strings(out, column[~missing].tolist())


def encode_arrow(out: Encoder, value: Any, where: str) -> bool:
    """Write tables, batches, arrays, scalars, schemas and types by content, not by chunks.

    Metadata of the schema does not count.
    """
    import pyarrow as pa

    if isinstance(value, pa.Table | pa.RecordBatch):
        out.out += node(type(value).__name__.lower().encode(), 1 + value.num_columns)
        out.encode(value.schema, f"{where}.schema")
        for name, column in zip(value.schema.names, value.columns, strict=True):
            _write_arrow(out, column, f"{where}[{name!r}]")
    elif isinstance(value, pa.ChunkedArray | pa.Array):
        out.out += b"arrow;1;"
        _write_arrow(out, value, where)
    elif isinstance(value, pa.Scalar):
        out.out += b"scalar;1;"
        _write_arrow(out, pa.array([value.as_py()], type=value.type), where)
    elif isinstance(value, pa.Schema):
        fields = [(field.name, field.type, field.nullable) for field in value]
        out.sequence(b"schema", fields, where)
    elif isinstance(value, pa.DataType):
        out.text(b"type", str(value))
    else:
        return False
    return True


def encode_polars(out: Encoder, value: Any, where: str) -> bool:
    """Write frames and series of Polars through Arrow."""
    import polars as pl

    if isinstance(value, pl.DataType):
        out.text(b"type", str(value))
    elif type(value) is pl.Series:
        out.out += node(b"polarsseries", 2)
        out.encode(value.name, f"{where}.name")
        _write_polars(out, value, where)
    elif type(value) is pl.DataFrame:
        out.out += node(b"polarsframe", 1 + value.width)
        out.encode(tuple(value.columns), f"{where}.columns")
        for series in value:
            _write_polars(out, series, f"{where}[{series.name!r}]")
    else:
        return False
    return True


def _write_polars(out: Encoder, series: Any, where: str) -> None:
    import polars as pl

    out.out += node(b"column", 2)
    out.text(b"type", str(series.dtype))
    if series.dtype == pl.Object:
        out.sequence(b"objects", series.to_list(), where)
        return
    try:
        column = series.to_arrow()
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{where} is a Polars frame, which is read through pyarrow",
            hint="pip install 'gosset[frames]'",
        ) from error
    _write_arrow(out, column, where)


def _combined(column: Any) -> Any:
    """Return one array of all chunks, with 64-bit offsets where it holds texts."""
    import pyarrow as pa

    kinds = pa.types
    wide = None
    if kinds.is_string(column.type) or kinds.is_string_view(column.type):
        wide = pa.large_string()
    elif kinds.is_binary(column.type) or kinds.is_binary_view(column.type):
        wide = pa.large_binary()
    if wide is not None:
        column = column.cast(wide)
    if isinstance(column, pa.ChunkedArray):
        whole = column.combine_chunks()
        column = pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole
    return column


def _write_arrow(out: Encoder, column: Any, where: str) -> None:
    """Write the type, which entries are missing, and the content of the others."""
    array = _combined(column)
    out.out += node(b"column", 4)
    out.text(b"type", str(column.type))
    out.encode(len(array), where)
    if array.null_count:
        valid = array.is_valid().to_numpy(zero_copy_only=False)
        out.leaf(b"valid", np.packbits(valid).tobytes())
        array = array.drop_null()
    else:
        out.leaf(b"valid", b"")
    _write_arrow_content(out, array, where)


def _write_arrow_content(out: Encoder, array: Any, where: str) -> None:
    """Write an array without missing entries, whatever its offset and buffers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kinds, kind = pa.types, array.type
    if kinds.is_large_string(kind) or kinds.is_large_binary(kind):
        lengths = pc.binary_length(array).to_numpy(zero_copy_only=False).astype("<i8")
        out.out += node(b"strings", 2)
        out.leaf(b"lengths", lengths.tobytes())
        out.leaf(b"bytes", _bytes_of_strings(array))
    elif kinds.is_boolean(kind):
        out.leaf(b"bits", np.packbits(array.to_numpy(zero_copy_only=False)).tobytes())
    elif kinds.is_dictionary(kind):
        _write_arrow(out, array.dictionary_decode(), where)
    elif isinstance(array, pa.ExtensionArray):
        _write_arrow(out, array.storage, where)
    elif kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_fixed_size_list(kind):
        lengths = pc.list_value_length(array).to_numpy(zero_copy_only=False).astype("<i8")
        out.out += node(b"lists", 2)
        out.leaf(b"lengths", lengths.tobytes())
        _write_arrow(out, array.flatten(), f"{where}[…]")
    elif kinds.is_struct(kind):
        out.out += node(b"struct", kind.num_fields)
        for number, child in enumerate(array.flatten()):
            _write_arrow(out, child, f"{where}[{kind.field(number).name!r}]")
    elif (width := _width(kind)) is not None:
        data = array.buffers()[1]
        start, size = array.offset * width, len(array) * width
        out.leaf(b"content", memoryview(data)[start : start + size] if data else b"")
    else:
        out.sequence(b"objects", array.to_pylist(), where)


def _bytes_of_strings(array: Any) -> memoryview | bytes:
    _, offsets, data = array.buffers()
    if data is None or not len(array):
        return b""
    ends = np.frombuffer(offsets, dtype=np.int64)
    return memoryview(data)[int(ends[array.offset]) : int(ends[array.offset + len(array)])]


def _width(kind: Any) -> int | None:
    """Return the bytes of one entry where all have the same, else None."""
    try:
        bits = int(kind.bit_width)
    except ValueError:
        return None
    return bits // 8 if bits % 8 == 0 else None
