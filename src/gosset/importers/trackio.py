"""Reads the projects that trackio keeps: one SQLite database each, and files beside them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from ..exceptions import NotFoundError, StorageError, StoreVersionError
from .base import Found, LeftOut, Source, attempted
from .databases import columns_of, has_tables, opened, tables_of
from .trackio_run import found_run, key_of

_TABLES: Final = {"metrics", "configs"}
_OF_RUNS: Final = ("metrics", "configs", "system_metrics", "alerts", "traces")
_KNOWN: Final = {
    *_OF_RUNS,
    "project_metadata",
    "pending_uploads",
    "artifacts",
    "artifact_versions",
    "artifact_aliases",
    "run_artifact_links",
    "external_run_artifact_links",
}

_Runs = Sequence[tuple[str, str]]
"""What tells each run of a project from the others, and its name."""


def recognises(path: Path) -> bool:
    """See :meth:`Reader.recognises`."""
    try:
        return any(has_tables(database, _TABLES) for database in _databases(path))
    except (NotFoundError, OSError):
        return False


def read(path: Path) -> Source:
    """Read a project's database, or the folder of all of them; see :meth:`Reader.read`."""
    projects: dict[Path, _Runs] = {}
    left_out: list[LeftOut] = []
    databases = _databases(path)
    for database in databases:
        try:
            with opened(database, of="trackio") as connection:
                if not tables_of(connection) >= _TABLES:
                    raise StoreVersionError(f"{database} is no database of trackio")
                projects[database] = _runs(connection)
        except (StoreVersionError, StorageError) as error:
            if len(databases) == 1:
                raise
            left_out.append(LeftOut(what=f"project {database.stem}", why=error.message))
    left_out += _only_as_parquet(path)
    if not projects and not left_out:
        raise StoreVersionError(
            f"{path} has no database of trackio",
            hint="name the folder TRACKIO_DIR, by default ~/.cache/huggingface/trackio,"
            " or a file PROJECT.db in it",
        )
    return Source(sum(map(len, projects.values())), _found(projects, left_out))


def _databases(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(path.glob("*.db"))
    if not path.exists():
        raise NotFoundError(f"there is no file or folder {path}")
    return [path]


def _only_as_parquet(path: Path) -> list[LeftOut]:
    """Return the copies for a Hugging Face data set whose database is not there."""
    why = "it is a copy without types; open it with trackio, which makes a database of it"
    return [
        LeftOut(what=str(copy), why=why)
        for copy in (sorted(path.glob("*_configs.parquet")) if path.is_dir() else ())
        if not copy.with_name(copy.name.removesuffix("_configs.parquet") + ".db").exists()
    ]


def _runs(connection: sqlite3.Connection) -> _Runs:
    """Return the runs of a project, the oldest first."""
    found: dict[str, str] = {}
    for table in _OF_RUNS:
        columns = columns_of(connection, table)
        if not columns:
            continue
        key = key_of(columns)
        query = f"SELECT {key}, run_name FROM {table} GROUP BY {key} ORDER BY MIN(rowid)"
        rows = connection.execute(query)
        for id_, name in rows:
            found.setdefault(str(id_), str(name))
    return list(found.items())


def _found(projects: dict[Path, _Runs], left_out: list[LeftOut]) -> Iterator[Found | LeftOut]:
    yield from left_out
    if any(projects.values()):
        why = "trackio does not keep it; they count as complete"
        yield LeftOut(what="how the runs ended", why=why)
    for database, runs in projects.items():
        with opened(database, of="trackio", whole=False) as connection:
            for table in sorted(tables_of(connection) - _KNOWN):
                if not table.startswith("sqlite_"):
                    why = "this version of Gosset does not know it"
                    yield LeftOut(what=f"table {table!r} of {database}", why=why)
            for id_, name in runs:
                yield attempted(name, found_run, connection, database, id_, name)
        for file in sorted((database.parent / "media" / database.stem / "files").rglob("*")):
            if file.is_file():
                yield LeftOut(what=str(file), why="it belongs to a project, and to no run of it")
