"""Arrow tables as Arrow IPC, and Polars frames as Parquet."""

from __future__ import annotations

import io
import sys
from typing import Any, BinaryIO

from ..exceptions import MissingExtraError
from .base import Sink
from .mapping import contents


class ArrowSerializer:
    """A ``pyarrow.Table``, in one chunk.

    Two equal tables have the same bytes unless they differ beneath a null. Of a slice, only
    what it shows is written.
    """

    name = "arrow"
    extension = ".arrow"
    safe = True

    def takes(self, value: object) -> bool:
        """Whether `value` is a table."""
        pa = sys.modules.get("pyarrow")
        return pa is not None and type(value) is getattr(pa, "Table", None)

    def dump(self, value: Any, file: Sink) -> None:
        """See :meth:`Serializer.dump`."""
        pa = pyarrow()
        options = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", compression_level=1))
        with (
            pa.PythonFile(OpenSink(file), mode="w") as sink,
            pa.ipc.new_file(sink, value.schema, options=options) as writer,
        ):
            table = value.combine_chunks()
            columns = [
                pa.chunked_array([compact(chunk) for chunk in column.chunks], column.type)
                for column in table.columns
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=table.schema))

    def load(self, file: BinaryIO) -> object:
        """See :meth:`Serializer.load`."""
        pa = pyarrow()
        return pa.ipc.open_file(pa.py_buffer(contents(file))).read_all()


class PolarsSerializer:
    """A Polars ``DataFrame``."""

    name = "polars"
    extension = ".parquet"
    safe = True

    def takes(self, value: object) -> bool:
        """Whether an empty frame of the same columns comes back with the same types."""
        polars: Any = sys.modules.get("polars")
        if polars is None or type(value) is not getattr(polars, "DataFrame", None):
            return False
        empty = value.clear()  # type: ignore[attr-defined]
        try:
            back = polars.read_parquet(_polars_parquet(empty))
        except polars.exceptions.PolarsError:
            return False
        return bool(back.schema == empty.schema)

    def dump(self, value: Any, file: Sink) -> None:
        """See :meth:`Serializer.dump`."""
        file.write(_polars_parquet(value).getbuffer())

    def load(self, file: BinaryIO) -> object:
        """See :meth:`Serializer.load`."""
        try:
            import polars
        except ImportError as error:
            raise MissingExtraError(
                "the artifact is a Polars frame and polars is not installed",
                hint="pip install polars",
            ) from error
        return polars.read_parquet(io.BytesIO(file.read()))


class OpenSink:
    """A sink in the shape of an open file, which is what pyarrow writes to."""

    closed = False

    def __init__(self, file: Sink) -> None:
        self.write = file.write

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def close(self) -> None:
        """Do nothing: the caller closes the file."""


def pyarrow() -> Any:
    """Return the library, or raise MissingExtraError."""
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError(
            "tables are kept through pyarrow, which is not installed",
            hint="pip install 'gosset[frames]'",
        ) from error
    return pa


def compact(array: Any) -> Any:
    """Return an array that is equal to a ``pyarrow.Array`` and has memory of its own.

    Arrow's own format takes in what lies under a slice beside it, such as the texts of all
    the rows that it was cut from. Equal arrays would have other bytes, and the file would
    tell of rows that are not in it.
    """
    pa = pyarrow()
    if pa.types.is_dictionary(array.type):
        indices, dictionary = compact(array.indices), compact(array.dictionary)
        ordered = array.type.ordered
        return pa.DictionaryArray.from_arrays(indices, dictionary, ordered=ordered)
    return pa.concat_arrays([array, array.slice(0, 0)])  # one alone would not be copied


def _polars_parquet(frame: Any) -> io.BytesIO:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=1)
    buffer.seek(0)
    return buffer
