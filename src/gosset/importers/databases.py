"""SQLite databases that other programs own: opened to be read, as a whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from ..exceptions import NotFoundError, StorageError, StoreVersionError

_MAGIC: Final = b"SQLite format 3\0"


def is_database(path: Path) -> bool:
    """Whether a file is an SQLite database."""
    try:
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
        with opened(path, of="any", whole=False) as connection:
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
def opened(path: Path, *, of: str, whole: bool = True) -> Iterator[sqlite3.Connection]:
    """Open a database to be read. Rows can be had by name.

    Its owner may write at the same time, and waits no longer than for one query, or for one
    block of :func:`one_state`: fetch all rows of a query at once.

    Parameters
    ----------
    path : Path
    of : str
        Whose it is, for messages, e.g. ``"MLflow"``.
    whole : bool
        Whether all of its pages are looked at first.

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
        with closing(_connected(path)) as connection:
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


def _connected(path: Path) -> sqlite3.Connection:
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=60)
    try:
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.OperationalError:
        # With a log beside it SQLite makes a file of its own there, where it may.
        connection.close()
        if Path(f"{path}-wal").exists() and Path(f"{path}-wal").stat().st_size:
            raise
        connection = sqlite3.connect(f"{address}&immutable=1", uri=True, isolation_level=None)
    return connection
