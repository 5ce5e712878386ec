"""SQLite databases that other programs own: opened to be read, as a whole or not at all."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from ..exceptions import NotFoundError, StorageError, StoreVersionError
from ..storage.errors import CANTOPEN, READONLY, code

_MAGIC: Final = b"SQLite format 3\0"
_PATIENCE: Final = 60.0
_LOOK: Final = 0.5
"""Seconds that a writer is waited for, to read a database, and to see whose it is."""


def is_database(path: Path) -> bool:
    """Whether a file is an SQLite database."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def has_tables(path: Path, tables: set[str]) -> bool:
    """Whether a file is an SQLite database that can be read and has all these tables."""
    return _has(path, lambda connection: tables_of(connection) >= tables)


def has_columns(path: Path, table: str, columns: set[str]) -> bool:
    """Whether a file is an SQLite database that can be read and has these in a table."""
    return _has(path, lambda connection: columns_of(connection, table) >= columns)


def _has(path: Path, found: Callable[[sqlite3.Connection], bool]) -> bool:
    if not is_database(path):
        return False
    try:
        with opened(path, of="any", whole=False, patience=_LOOK) as connection:
            return found(connection)
    except StorageError:
        return False


def tables_of(connection: sqlite3.Connection) -> set[str]:
    """Return the names of the tables."""
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {str(name) for (name,) in rows}


def columns_of(connection: sqlite3.Connection, table: str) -> set[str]:
    """Return the names of the columns of a table; none where there is no such table."""
    rows = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return {str(name) for (name,) in rows}


@contextmanager
def opened(
    path: Path, *, of: str, whole: bool = True, patience: float = _PATIENCE
) -> Iterator[sqlite3.Connection]:
    """Open a database to be read, as it was last committed. Rows can be had by name.

    Its owner may write at the same time, and waits no longer than for one query, or for one
    block of :func:`one_state`: fetch all rows of a query at once.

    Parameters
    ----------
    path : Path
    of : str
        Whose it is, for messages, e.g. ``"MLflow"``.
    whole : bool
        Whether all of its pages are looked at first.
    patience : float
        Seconds that another who writes is waited for.

    Raises
    ------
    NotFoundError, StoreVersionError
        There is no file, or it is no database.
    StorageError
        It was cut off or damaged, or cannot be read; also of what is done in the block.
    """
    if not path.exists():
        raise NotFoundError(f"there is no file {path}")
    if not is_database(path):
        raise StoreVersionError(f"{path} is no database of {of}")
    try:
        with _connected(path, patience) as connection:
            connection.row_factory = sqlite3.Row
            if whole:
                [verdict] = connection.execute("PRAGMA quick_check(1)").fetchone()
                if verdict != "ok":
                    raise sqlite3.DatabaseError(str(verdict).splitlines()[-1])
            yield connection
    except sqlite3.Error as error:
        raise StorageError(
            f"{path} is damaged or cannot be read: {error}",
            hint="nothing of it was taken over; get a whole copy of it",
        ) from error


@contextmanager
def one_state(connection: sqlite3.Connection) -> Iterator[None]:
    """See one state of a database in a block, however often it is asked."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


@contextmanager
def _connected(path: Path, patience: float) -> Iterator[sqlite3.Connection]:
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    connection = _connection(address, patience)
    try:
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        if code(error) not in (CANTOPEN, READONLY) or _has_content(f"{path}-wal"):
            raise
        if _has_content(f"{path}-journal"):
            with _rolled_back(path) as connection:
                yield connection
            return
        # SQLite makes files of its own beside a database with a log, where it may.
        connection = _connection(f"{address}&immutable=1", patience)
    with closing(connection):
        yield connection


def _connection(address: str, patience: float) -> sqlite3.Connection:
    return sqlite3.connect(address, uri=True, isolation_level=None, timeout=patience)


def _has_content(path: str) -> bool:
    return Path(path).exists() and Path(path).stat().st_size > 0


@contextmanager
def _rolled_back(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a copy of a database whose writer was killed, without what it had not committed."""
    files = Path(f"{path}-journal"), path
    with tempfile.TemporaryDirectory(prefix="gosset-import-") as folder:
        try:
            before = [(file.stat().st_mtime_ns, file.stat().st_size) for file in files]
            for file in files:
                shutil.copyfile(file, Path(folder, file.name))
            after = [(file.stat().st_mtime_ns, file.stat().st_size) for file in files]
        except OSError as error:
            raise StorageError(
                f"{path} was left in the middle of a write, and cannot be copied: {error}",
                hint="open it once with its own tracker, which mends it",
            ) from error
        if before != after:
            raise StorageError(f"{path} is being written", hint="try again in a moment")
        # Writable, so that SQLite undoes there what the journal has.
        with closing(sqlite3.connect(Path(folder, path.name), isolation_level=None)) as connection:
            yield connection
