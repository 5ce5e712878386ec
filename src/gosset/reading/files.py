"""A store as files that any tool for tables reads: Parquet, and DuckDB."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..entities import Run
from ..exceptions import StorageError, UsageError, did_you_mean, require
from . import frames

if TYPE_CHECKING:
    import pyarrow as pa

    from .runs import Runs

FORMATS: Final = ("parquet", "duckdb")
TABLES: Final = ("runs", "params", "metrics", "points")
"""Names of the tables of an export; each is a file, or a table of the one file."""

_BATCH: Final = 500
"""Runs of which values and points are held in memory at once."""


def write_parquet(table: pa.Table, path: Path) -> Path:
    """Write a table under another name, and then give it its own."""
    require("pyarrow", "frames", "a Parquet file")
    import pyarrow.parquet as pq

    with _draft(path) as draft:
        pq.write_table(table, draft)
    return path


def export(runs: Runs, target: Path, format: str) -> Path:
    """Write runs with all their values and points, and return where they are.

    Parameters
    ----------
    runs : Runs
    target : Path
        A folder, made where it is not there, for ``"parquet"``; a file for ``"duckdb"``. An
        earlier export is replaced.
    format : {"parquet", "duckdb"}

    Raises
    ------
    UsageError
        Another format.
    StorageError
        The files cannot be written.
    MissingExtraError
        pyarrow, or duckdb, is not installed.
    """
    if format not in FORMATS:
        hint = did_you_mean(format, ("gosset", *FORMATS))
        raise UsageError(f"no export has the format {format!r}", hint=hint)
    require("pyarrow", "frames", "an export")
    if format == "parquet":
        _to_folder(runs, target)
    else:
        require("duckdb", "duckdb", "an export for DuckDB")
        _to_duckdb(runs, target)
    return target


def check_replaceable(target: Path, format: str) -> None:
    """Raise UsageError where another file is in the place of an export than an earlier one.

    A store, a script or somebody's database would be lost.
    """
    if format == "parquet" or not target.is_file() or target.stat().st_size == 0:
        return
    earlier = _is_duckdb(target) if format == "duckdb" else _is_gosset(target)
    if not earlier:
        raise UsageError(
            f"{target} is there, and no earlier export for {format}",
            hint="choose another name, or delete it first",
        )


def _is_gosset(file: Path) -> bool:
    import zipfile

    return zipfile.is_zipfile(file) and "store.db" in zipfile.ZipFile(file).namelist()


def _is_duckdb(file: Path) -> bool:
    require("duckdb", "duckdb", "an export for DuckDB")
    import duckdb

    try:
        with duckdb.connect(str(file), read_only=True) as database:
            found = {name for (name,) in database.execute("SHOW TABLES").fetchall()}
    except duckdb.Error:
        return False
    return found == set(TABLES)


def _to_folder(runs: Runs, folder: Path) -> None:
    import pyarrow.parquet as pq

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"no export can be made in {folder}: {error.strerror}") from error
    write_parquet(runs.to_arrow(), folder / "runs.parquet")
    for name in TABLES[1:]:
        with _draft(folder / f"{name}.parquet") as draft:
            writer = pq.ParquetWriter(draft, _schemas()[name])
            with writer:
                for table in _tables(runs, name):
                    writer.write_table(table)


def _to_duckdb(runs: Runs, file: Path) -> None:
    import tempfile

    import duckdb

    with tempfile.TemporaryDirectory() as folder, _draft(file) as draft:
        _to_folder(runs, Path(folder))
        with duckdb.connect(str(draft)) as database:
            for name in TABLES:
                source = database.read_parquet(str(Path(folder) / f"{name}.parquet"))
                source.create(name)


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """Give a path beside `path`, which takes its place once all is written."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield draft
        os.replace(draft, path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)


def _schemas() -> dict[str, pa.Schema]:
    import pyarrow as pa

    run = ("run", pa.string())
    name = ("name", pa.string())
    double, whole = pa.float64(), pa.int64()
    return {
        "params": pa.schema([run, name, ("value", pa.string()), ("number", double)]),
        "metrics": pa.schema(
            [
                *(run, name, ("value", double), ("std", double), ("direction", pa.string())),
                *(("count", whole), ("step", whole)),
                *(("minimum", double), ("maximum", double), ("mean", double)),
            ]
        ),
        "points": pa.schema(
            [run, name, ("step", whole), ("value", double), ("time", pa.timestamp("us", tz="UTC"))]
        ),
    }


def _tables(runs: Runs, name: str) -> Iterator[pa.Table]:
    """Iterate over a table of what runs hold, some runs at a time."""
    make = {"params": _params, "metrics": _metrics, "points": _points}[name]
    batch: list[Run] = []
    for run in runs:
        batch.append(run)
        if len(batch) == _BATCH:
            yield make(runs, batch)
            batch = []
    yield make(runs, batch)


def _params(runs: Runs, batch: list[Run]) -> pa.Table:
    import json

    import pyarrow as pa

    rows = [
        {
            "run": run.id,
            "name": frames.utf8(name),
            "value": frames.utf8(value if isinstance(value, str) else json.dumps(value)),
            "number": _double(value) if type(value) in (int, float) else None,
        }
        for run in batch
        for name, value in run.params.items()
    ]
    return pa.Table.from_pylist(rows, _schemas()["params"])


def _metrics(runs: Runs, batch: list[Run]) -> pa.Table:
    import pyarrow as pa

    rows: list[dict[str, Any]] = []
    for run in batch:
        for metric in run.metrics.values():
            row = {"run": run.id, "name": frames.utf8(metric.name), "value": _double(metric.value)}
            row |= {"std": metric.std, "direction": str(metric.direction)}
            if metric.series is not None:
                told = metric.series
                row |= {"count": told.count, "step": told.step, "mean": told.mean}
                row |= {"minimum": told.minimum, "maximum": told.maximum}
            rows.append(row)
    return pa.Table.from_pylist(rows, _schemas()["metrics"])


def _points(runs: Runs, batch: list[Run]) -> pa.Table:
    import pyarrow as pa

    from ..series.downsampling import doubles
    from .series import read_series

    schema = _schemas()["points"]
    parts = [
        pa.table(
            [
                pa.array([run.id] * len(series), pa.string()),
                pa.array([frames.utf8(name)] * len(series), pa.string()),
                pa.array(series.steps, pa.int64()),
                pa.array(doubles(series.values), from_pandas=False),
                pa.array(series.times, pa.timestamp("us", tz="UTC")),
            ],
            schema=schema,
        )
        for run in batch
        for name, series in read_series(runs.catalog, run, None).items()
    ]
    return pa.concat_tables(parts) if parts else schema.empty_table()


def _double(value: Any) -> float:
    from ..series.summaries import double

    return double(value)
