"""Reads an SQLite database of MLtraq: an index of experiments, and a table for each."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ...exceptions import SerializationError, StoreVersionError
from ..base import Found, LeftOut, Source, attempted
from ..databases import columns_of, has_columns, one_state, opened, tables_of
from . import datapak
from .runs import Gathering

_INDEX: Final = "experiments"
_COLUMNS: Final = {"id_experiment", "name", "meta", "fields", "unsafe_pickle"}
_IDS: Final = {"id_experiment", "id_run"}


def recognises(path: Path) -> bool:
    """Whether the file is a database of MLtraq."""
    return has_columns(path, _INDEX, _COLUMNS)


def read(path: Path) -> Source:
    """Return what lies in the database."""
    with opened(path, of="MLtraq") as connection:
        if not columns_of(connection, _INDEX) >= _COLUMNS:
            raise StoreVersionError(
                f"{path} is no database of MLtraq", hint=f"it has no table {_INDEX!r} of that kind"
            )
        total = 0
        for row in connection.execute(f"SELECT meta FROM {_INDEX}").fetchall():
            meta = _meta(row["meta"])
            total += 0 if isinstance(meta, str) else int(meta.get("count") or 0)
    return Source(total, _all(path))


def _all(path: Path) -> Iterator[Found | LeftOut]:
    with opened(path, of="MLtraq", whole=False) as connection:
        used = {_INDEX}
        index = connection.execute(
            f"SELECT id_experiment, name, meta, fields, unsafe_pickle IS NOT NULL AS unsafe"
            f" FROM {_INDEX} ORDER BY rowid"
        ).fetchall()
        for row in index:
            meta = _meta(row["meta"])
            if isinstance(meta, str):
                yield LeftOut(what=f"experiment {row['name']} with its runs", why=meta)
                continue
            used.add(str(meta.get("table_name")))
            if row["unsafe"]:
                yield LeftOut(
                    what=f"the pickle of experiment {row['name']}",
                    why="to read it would run whatever code it holds",
                )
            try:
                id_experiment = uuid.UUID(hex=row["id_experiment"])
            except (ValueError, AttributeError, TypeError):
                why = f"its id is {repr(row['id_experiment'])[:40]}, which is none"
                yield LeftOut(what=f"experiment {row['name']} with its runs", why=why)
            else:
                yield from _runs(connection, row, id_experiment, meta, path)
        for table in sorted(tables_of(connection) - used):
            yield LeftOut(what=f"the table {table!r}", why="no experiment of MLtraq names it")


def _meta(data: Any) -> dict[str, Any] | str:
    """Return what an experiment says of its runs, or why it cannot be read."""
    try:
        meta = datapak.read(data).get("runs")
    except (SerializationError, AttributeError, TypeError) as error:
        return f"its description cannot be read: {error}"
    return meta if isinstance(meta, dict) else "its description says nothing of runs"


def _runs(
    connection: sqlite3.Connection,
    index: sqlite3.Row,
    id_experiment: uuid.UUID,
    meta: Mapping[str, Any],
    path: Path,
) -> Iterator[Found | LeftOut]:
    name, table = str(index["name"]), str(meta.get("table_name"))
    try:
        shared = dict(datapak.read(index["fields"]))
    except (SerializationError, TypeError, ValueError) as error:
        shared = {}
        yield LeftOut(what=f"the fields of experiment {name}", why=str(error))
    count = int(meta.get("count") or 0)
    rows: list[sqlite3.Row] = []
    if table in tables_of(connection):
        quoted = table.replace('"', '""')
        with one_state(connection):
            rows = connection.execute(
                f'SELECT * FROM "{quoted}" WHERE id_experiment = ?', (id_experiment.hex,)
            ).fetchall()
    if len(rows) < count:
        yield LeftOut(
            what=f"{count - len(rows)} runs of experiment {name}",
            why=f"they are not in its table {table!r}; another experiment may have replaced them",
        )
    for row in rows:
        run = f"{row['id_run']} of experiment {name}"
        near = path.absolute().parent
        yield attempted(run, _run, row, meta, near, shared, id_experiment, name)


def _run(
    row: sqlite3.Row,
    meta: Mapping[str, Any],
    near: Path,
    shared: Mapping[str, Any],
    id_experiment: uuid.UUID,
    experiment: str,
) -> Found:
    gathering = Gathering(near)
    gathering.shared(shared)
    columns = meta.get("columns") or {}
    types = columns.get("types") or {}
    packed = set(columns.get("serialized") or ())
    for name in row.keys():  # noqa: SIM118 - of a row, that is not the same
        if name in packed:
            gathering.packed(name, row[name])
        elif name not in _IDS:
            gathering.native(name, row[name], str(types.get(name, "")))
    id_run = uuid.UUID(hex=row["id_run"])
    # A copy of an experiment has runs of the same ids.
    return gathering.found(f"{id_experiment}/{id_run}", experiment, id_run.hex[:8], "")
