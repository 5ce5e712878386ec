"""Columns as pandas and Arrow tables, in types that invent nothing.

Where a run has no value the type is one that can say so (``Int64``, ``Float64``,
``boolean``), and the value is ``NA``: integers stay integers, and NaN is what was logged as
NaN.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..exceptions import require
from ..storage.arrays import Values, array_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def to_pandas(columns: Mapping[str, Values]) -> pd.DataFrame:
    """Return columns as a DataFrame.

    Raises
    ------
    MissingExtraError
        pandas is not installed.
    """
    require("pandas", "frames", "a table as a DataFrame")
    import pandas as pd

    made = {name: _series(column) for name, column in columns.items()}
    return pd.DataFrame(made, columns=list(made))


def _series(column: Values) -> Any:
    import numpy as np
    import pandas as pd

    values, missing = column
    if values.dtype.kind == "M":
        times = values if missing is None else np.where(missing, np.datetime64("NaT"), values)
        return pd.Series(times.astype("datetime64[us]")).dt.tz_localize("UTC")
    if values.dtype == object or missing is None:
        text = values.dtype == object and all(
            issubclass(t, str | None) for t in set(map(type, values))
        )
        return pd.Series(values, dtype="str" if text and len(values) else values.dtype)
    if values.dtype.kind == "f":
        return pd.Series(pd.arrays.FloatingArray(np.ascontiguousarray(values), missing))
    if values.dtype.kind == "b":
        return pd.Series(pd.arrays.BooleanArray(values, missing))
    return pd.Series(pd.arrays.IntegerArray(values, missing))


def to_arrow(columns: Mapping[str, Values]) -> pa.Table:
    """Return columns as an Arrow table.

    Values of several types, and lists and mappings, become JSON text; such a field says
    ``gosset: json`` in its metadata.

    Raises
    ------
    MissingExtraError
        pyarrow is not installed.
    """
    require("pyarrow", "frames", "a table in Arrow's form")
    import pyarrow as pa

    fields, arrays = [], []
    for name, column in columns.items():
        array, metadata = _array(column)
        fields.append(pa.field(name, array.type, metadata=metadata))
        arrays.append(array)
    return pa.table(arrays, schema=pa.schema(fields))


def _array(column: Values) -> tuple[Any, dict[str, str] | None]:
    import pyarrow as pa

    values, missing = column
    if values.dtype.kind == "M":
        return pa.array(values, pa.timestamp("us", tz="UTC"), mask=missing), None
    if values.dtype != object:
        return pa.array(values, mask=missing, from_pandas=False), None
    if all(value is None or isinstance(value, str) for value in values):
        return pa.array([utf8(value) for value in values], pa.string()), None
    texts = [None if value is None else json.dumps(value) for value in values]
    return pa.array(texts, pa.string()), {"gosset": "json"}


def utf8(value: str | None) -> str | None:
    """Return text that Arrow takes: what is no UTF-8 becomes an escape."""
    return None if value is None else value.encode("utf-8", "backslashreplace").decode()


def of_rows(names: Iterable[str], rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows of Python's values as a DataFrame, typed as columns of a store are."""
    return to_pandas({name: array_of([row.get(name) for row in rows]) for name in names})
