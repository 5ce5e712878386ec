"""pandas frames and series as Parquet, so that they come back as they were."""

from __future__ import annotations

import base64
import io
import json
import sys
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias, TypeVar, cast

from ..exceptions import SerializationError
from ..types import JSONValue
from .base import Sink
from .json import decode, encode
from .mapping import contents
from .tables import OpenSink, compact, pyarrow

if TYPE_CHECKING:
    import pandas as pd

    Frame: TypeAlias = pd.DataFrame | pd.Series[Any]

T = TypeVar("T")

_LAYOUT = b"gosset.layout"
_TEMPLATE = b"gosset.template"


class ParquetSerializer:
    """A pandas ``DataFrame`` or ``Series``.

    Any reader of Parquet can read the file. What Parquet does not say of a frame, its
    metadata does: ``gosset.layout`` has the labels of the columns and the names and the
    frequency of the index, ``gosset.template`` the types and the categories, as an empty
    table in Arrow's own format, base64. ``attrs`` are not kept.

    The bytes are the same for equal frames and equal versions of pandas and pyarrow.
    """

    name = "parquet"
    extension = ".parquet"
    safe = True

    def takes(self, value: object) -> bool:
        """Whether an empty frame of the same form comes back the same, and columns of
        Python objects hold nothing but strings."""
        pandas = sys.modules.get("pandas")
        kinds = (getattr(pandas, "DataFrame", None), getattr(pandas, "Series", None))
        if pandas is None or type(value) not in kinds:
            return False
        return _only_strings(value) and _form_comes_back(value)

    def dump(self, value: Any, file: Sink) -> None:
        """See :meth:`Serializer.dump`."""
        pa = pyarrow()
        table = _to_table(value)
        floats = [field.name for field in table.schema if pa.types.is_floating(field.type)]
        # Measurements rarely repeat: splitting their bytes is faster than looking for
        # repetitions in them, and makes smaller files.
        pa.parquet.write_table(
            table,
            pa.PythonFile(OpenSink(file), mode="w"),
            compression="zstd",
            compression_level=1,
            use_dictionary=[name for name in table.schema.names if name not in floats],
            use_byte_stream_split=floats,
        )

    def load(self, file: BinaryIO) -> Frame:
        """See :meth:`Serializer.load`."""
        pa = pyarrow()
        return _from_table(pa.parquet.read_table(pa.BufferReader(pa.py_buffer(contents(file)))))


def _only_strings(value: Any) -> bool:
    """Whether what is typed as Python objects is all text, which Parquet has a type for."""
    columns = [column for _, column in value.items()] if value.ndim == 2 else [value]
    index = value.index
    if index.nlevels > 1 and any((codes == -1).any() for codes in index.codes):
        return False  # a missing label turns the integers of its level into floats
    columns += list(index.levels) if index.nlevels > 1 else [index]
    return all(set(map(type, column)) <= {str} for column in columns if column.dtype == object)


def _form_comes_back(value: Any) -> bool:
    """Whether an empty frame of the form of `value` comes back; asked once for a plain form.

    Stages return many frames of one form, and the question costs as much as an answer.
    """
    return _of_form(value, _known_forms, lambda: _comes_back(value))


_FORMS = 1000
_known_forms: dict[Hashable, bool] = {}
_known_metadata: dict[Hashable, dict[bytes, bytes]] = {}


def _of_form(value: Any, known: dict[Hashable, T], make: Callable[[], T]) -> T:
    """Return what is `known` of the form of `value`, made once where the form is a plain one."""
    form = _plain_form(value)
    if form is None:
        return make()
    if form not in known:
        if len(known) >= _FORMS:
            known.clear()
        known[form] = make()
    return known[form]


def _plain_form(value: Any) -> Hashable | None:
    """Return all that the form of a frame with plain labels and rows numbered from 0 consists of."""
    import pandas as pd

    if value.ndim != 2 or type(value.index) is not pd.RangeIndex or value.index.name is not None:
        return None
    columns = value.columns
    if type(columns) is not pd.Index or columns.name is not None:
        return None
    if not all(type(label) is str for label in columns):
        return None
    start, step = value.index.start, value.index.step
    # Two categorical types are equal to pandas whatever the order of their categories.
    categories = tuple(
        tuple(dtype.categories) for dtype in value.dtypes if isinstance(dtype, pd.CategoricalDtype)
    )
    return start, step, tuple(columns), columns.dtype, tuple(value.dtypes), categories


def _comes_back(value: Any) -> bool:
    pa = pyarrow()
    empty = value.iloc[:0]
    buffer = io.BytesIO()
    try:
        ParquetSerializer().dump(empty, buffer)
        buffer.seek(0)
        back = ParquetSerializer().load(buffer)
    except (pa.ArrowException, ValueError, TypeError, NotImplementedError):
        return False
    return _form(back) == _form(empty) and _labels_equal(back, empty)


def _form(value: Any) -> tuple[object, ...]:
    index = value.index
    return (
        type(index),
        [level.dtype for level in (index.levels if index.nlevels > 1 else [index])],
        [(type(name), name) for name in index.names],
        getattr(index, "freq", None),
        list(value.dtypes) if value.ndim == 2 else value.dtype,
    )


def _labels_equal(back: Any, value: Any) -> bool:
    if value.ndim == 1:
        return type(back.name) is type(value.name) and bool(back.name == value.name)
    return (
        type(back.columns) is type(value.columns)
        and bool(back.columns.identical(value.columns))
        and list(map(type, back.columns)) == list(map(type, value.columns))
    )


def _to_table(value: Any) -> Any:
    pa = pyarrow()
    frame = value.to_frame() if value.ndim == 1 else value.copy(deep=False)
    labels = list(frame.columns)
    frame.attrs = {}
    levels = ["index" if name is None else name for name in frame.index.names]
    columns = _physical([*labels, *levels])
    frame.columns = columns[: len(labels)]
    frame.index = frame.index.set_names(columns[len(labels) :])
    table = pa.Table.from_pandas(frame)
    metadata = _of_form(value, _known_metadata, lambda: _metadata(value, frame.iloc[:0]))
    return table.replace_schema_metadata({**table.schema.metadata, **metadata})


def _metadata(value: Any, empty: Any) -> dict[bytes, bytes]:
    """Return what Parquet does not say of the form of `value`.

    Parameters
    ----------
    value : DataFrame or Series
    empty : DataFrame
        Of the same form, with the names that the Parquet columns get.
    """
    pa = pyarrow()
    layout = {
        "series": value.ndim == 1,
        "columns": encode(value.name) if value.ndim == 1 else _describe(value.columns),
        "index": encode(list(value.index.names)),
        "freq": _frequency(value.index),
    }
    template = pa.RecordBatch.from_pandas(empty)
    # It is remembered for all frames of the form, and must show nothing of the rows of this one.
    columns = [compact(column) for column in template.columns]
    template = pa.RecordBatch.from_arrays(columns, schema=template.schema)
    buffer = io.BytesIO()
    with pa.ipc.new_stream(buffer, template.schema) as writer:
        writer.write_batch(template)
    return {
        _LAYOUT: json.dumps(layout).encode(),
        # Other readers of Parquet expect text here.
        _TEMPLATE: base64.b64encode(buffer.getvalue()),
    }


def _from_table(table: Any) -> Frame:
    pa = pyarrow()
    metadata = table.schema.metadata or {}
    if _LAYOUT not in metadata:
        raise SerializationError("the Parquet file has no layout of Gosset's in its metadata")
    layout = json.loads(metadata[_LAYOUT])
    template = pa.ipc.open_stream(base64.b64decode(metadata[_TEMPLATE])).read_all().to_pandas()
    frame = table.to_pandas()
    types = template.dtypes
    frame = frame.astype(
        {name: types[name] for name in types.index if frame.dtypes[name] != types[name]}
    )
    if frame.index.nlevels == 1 and frame.index.dtype != template.index.dtype:
        frame.index = frame.index.astype(template.index.dtype)
    frame.index = frame.index.set_names(decode(layout["index"]))
    if layout["freq"]:
        frame.index.freq = layout["freq"]
    if layout["series"]:
        return cast("Frame", frame.iloc[:, 0].rename(decode(layout["columns"])))
    frame.columns = _described(layout["columns"])
    return cast("Frame", frame)


def _describe(index: Any) -> JSONValue:
    """Return the labels of the columns as JSON, or raise SerializationError."""
    import pandas as pd

    if isinstance(index, pd.RangeIndex):
        return encode({"range": [index.start, index.stop, index.step], "name": index.name})
    if isinstance(index, pd.MultiIndex):
        levels = [list(index.get_level_values(i)) for i in range(index.nlevels)]
        return encode({"levels": levels, "names": list(index.names)})
    return encode({"labels": list(index), "dtype": str(index.dtype), "name": index.name})


def _described(description: JSONValue) -> Any:
    import pandas as pd

    parts: Any = decode(description)
    if "range" in parts:
        start, stop, step = parts["range"]
        return pd.RangeIndex(start, stop, step, name=parts["name"])
    if "levels" in parts:
        return pd.MultiIndex.from_arrays(parts["levels"], names=parts["names"])
    return pd.Index(parts["labels"], dtype=parts["dtype"], name=parts["name"], tupleize_cols=False)


def _physical(labels: list[Hashable]) -> list[str]:
    """Return a name for each label, different from all others, for the Parquet columns."""
    names: list[str] = []
    taken: set[str] = set()
    for label in labels:
        name = plain = "_".join(map(str, label)) if isinstance(label, tuple) else str(label)
        number = 1
        while name in taken:
            number += 1
            name = f"{plain}.{number}"
        taken.add(name)
        names.append(name)
    return names


def _frequency(index: Any) -> str | None:
    """Return the text from which pandas makes the index's frequency again."""
    import pandas as pd

    if not isinstance(index, pd.DatetimeIndex | pd.TimedeltaIndex) or index.freq is None:
        return None
    if pd.tseries.frequencies.to_offset(index.freqstr) != index.freq:
        # E.g. business days with holidays of one's own.
        raise SerializationError(f"a frequency of {index.freq} cannot be written as text")
    return index.freqstr
