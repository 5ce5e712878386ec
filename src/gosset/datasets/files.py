"""CSV and Parquet files as DataFrames, with errors that name file and line."""

from __future__ import annotations

import csv
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec

from ..exceptions import DatasetError, did_you_mean, require
from ..types import PathLike

if TYPE_CHECKING:
    import pandas as pd

_CSV = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".csv.bz2", ".csv.xz", ".csv.zip", ".csv.zst")
_PARQUET = (".parquet", ".pq")
_PLAIN_OPTIONS = {"sep", "delimiter", "quotechar", "escapechar", "encoding", "compression"} | {
    "dtype", "na_values", "keep_default_na", "parse_dates", "float_precision", "low_memory",
    "true_values", "false_values", "thousands", "decimal", "index_col", "converters",
}  # fmt: skip
"""Options under which every line of the file has as many fields as the first."""


def is_table(path: object) -> bool:
    """Whether `path` has the ending of a file that :func:`read_table` reads."""
    return str(path).lower().endswith(_CSV + _PARQUET)


def read_table(path: PathLike, *, origin: Path | None = None) -> pd.DataFrame:
    """Read a CSV or Parquet file, told apart by the ending of its name."""
    if str(path).lower().endswith(_PARQUET):
        return read_parquet(path, {}, origin)
    return read_csv(path, {}, origin)


def read_parquet(
    path: PathLike, options: dict[str, Any], origin: Path | None = None
) -> pd.DataFrame:
    """Read a Parquet file; `options` are those of :func:`pandas.read_parquet`.

    Parameters
    ----------
    path : path-like
    options : dict
    origin : Path, optional
        The file that declares the dataset, beside which the data may have been meant to lie.

    Raises
    ------
    DatasetError
        There is no such file, it is not Parquet, or there is no such option.
    """
    require("pyarrow", "frames", "reading a Parquet file")
    import pandas as pd
    import pyarrow as pa

    _need_file(path, origin)
    try:
        return pd.read_parquet(path, **options)
    except TypeError as error:
        _check_options(pd.read_parquet, options)
        raise DatasetError(f"{path} cannot be read as Parquet: {_line(error)}") from error
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read as Parquet: {_line(error)}") from error


def read_csv(path: PathLike, options: dict[str, Any], origin: Path | None = None) -> pd.DataFrame:
    """Read a CSV file; `options` are those of :func:`pandas.read_csv`.

    Numbers are read exactly as Python reads them. Where pandas would fill a short row
    with missing values or take the first column of long ones for an index, the file is
    refused.

    Parameters
    ----------
    path : path-like
    options : dict
    origin : Path, optional
        The file that declares the dataset, beside which the data may have been meant to lie.

    Raises
    ------
    DatasetError
        There is no such file or no such option, the file is empty, a row has another number of fields than the
        header, or a column is there twice. The message names file and line.
    """
    require("pandas", "frames", "reading a CSV file")
    import pandas as pd

    _need_file(path, origin)
    _check_options(pd.read_csv, options)
    if ".tsv" in Path(path).name.lower():
        options = {"sep": "\t", **options}
    separator = options.get("sep") or options.get("delimiter") or ","
    regular = set(options) <= _PLAIN_OPTIONS and len(separator) == 1
    exact: dict[str, Any] = {} if "engine" in options else {"low_memory": False}
    if exact and tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1):
        exact["float_precision"] = "round_trip"  # what newer ones do of themselves
    try:
        frame: pd.DataFrame = pd.read_csv(path, **{**exact, **options})
    except pd.errors.EmptyDataError as error:
        raise DatasetError(f"{path} is empty", hint="it needs a header and rows") from error
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{path} is not {error.encoding} text", hint="say how it is written: encoding='latin-1'"
        ) from error
    except (pd.errors.ParserError, ValueError, OSError) as error:
        if regular and isinstance(error, pd.errors.ParserError):
            _check_fields(path, options)
        raise DatasetError(f"{path} cannot be read as CSV: {_line(error)}") from error
    if regular:
        _check_head(path, options)
        if len(frame.columns) and frame.iloc[:, -1].isna().any():
            _check_fields(path, options)  # a short row leaves its last cell missing
    return frame


def _check_fields(path: PathLike, options: dict[str, Any]) -> None:
    with _opened(path, options) as handle:
        lines = _reader(handle, options)
        width = len(next(lines, []))
        for fields in lines:
            if fields and len(fields) != width:
                raise DatasetError(
                    f"{path}, line {lines.line_num}: {_count(len(fields))}, but the header has"
                    f" {width}",
                    hint="complete the row, or put quotes around a field with a separator in it",
                )


def _check_head(path: PathLike, options: dict[str, Any]) -> None:
    with _opened(path, options) as handle:
        lines = (fields for fields in _reader(handle, options) if fields)
        names: list[str] = next(lines, [])
        first: list[str] = next(lines, names)
    for name in names:
        if name and names.count(name) > 1:  # pandas would rename the second
            raise DatasetError(
                f"{path}, line 1: column {name!r} is there twice", hint="rename one of them"
            )
    if len(first) != len(names):  # pandas would take the first cells for an index
        _check_fields(path, options)


def _opened(path: PathLike, options: dict[str, Any]) -> Any:
    return fsspec.open(
        os.fspath(path),
        "rt",
        encoding=options.get("encoding") or "utf-8-sig",
        compression=options.get("compression", "infer"),
        newline="",
    )


def _reader(handle: Any, options: dict[str, Any]) -> Any:
    return csv.reader(
        handle,
        delimiter=options.get("sep") or options.get("delimiter") or ",",
        quotechar=options.get("quotechar", '"'),
        escapechar=options.get("escapechar"),
    )


def _need_file(path: PathLike, origin: Path | None) -> None:
    if "://" in str(path) or Path(path).is_file():
        return
    hint = f"looked in {Path(path).parent.resolve()}"
    if origin is not None and not Path(path).is_absolute():
        if (origin.parent / path).is_file():
            hint += f"; beside {origin.name} there is one: Path(__file__).parent / {str(path)!r}"
        elif (origin.parent / path).parent != Path(path).parent.resolve():
            hint += f", and there is none beside {origin.name} either"
    raise DatasetError(f"no file {str(path)!r}", hint=hint)


def _check_options(reader: Callable[..., Any], options: dict[str, Any]) -> None:
    known = inspect.signature(reader).parameters
    for name in options:
        if name not in known:
            own = ("name", "target", "groups", "units", "labels", "description")
            raise DatasetError(f"no option {name!r}", hint=did_you_mean(name, [*known, *own]))


def _count(fields: int) -> str:
    return f"{fields} field{'' if fields == 1 else 's'}"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())
