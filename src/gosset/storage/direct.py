"""An SQLite store, reached without SQLAlchemy: the short way from a tracked run to the disk.

It knows stores of the newest schema only, and makes new ones from ``schema.sql``, a copy of
what the migrations make. What it cannot open is left to :mod:`gosset.storage.connect`, which
takes ten times as long to be loaded and knows the rest.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..exceptions import StorageError, StoreReadOnlyError
from . import errors, tracks
from .news import LEASE, Beat, News, Opening, TakenUp
from .numbers import time_of

if TYPE_CHECKING:
    from datetime import datetime

    from .answers import Pairs

VERSION: Final = "0002"
"""The version of the schema that ``schema.sql`` has."""


LOG: Final = 4000
"""Pages of the write-ahead log (16 MB) after which what is in it goes to the store's file.

To bring it there waits for the disk, and keeps who ended a run waiting.
"""


class DirectFile:
    """The file of an SQLite store of the newest schema, and transactions in it.

    Parameters
    ----------
    path : Path
    timeout : float
        Seconds that others who write are waited for.
    durability : {"process", "power"}
        What a transaction survives once it is made: that the process is killed, or that the
        power fails too, for which every transaction waits for the disk.

    Attributes
    ----------
    url : str
        Of the store.

    Raises
    ------
    Unready
        There is nothing at `path`, or something that must be looked at, or brought to another
        version.
    """

    def __init__(self, path: Path, *, timeout: float = 60.0, durability: str = "process") -> None:
        self._path = path
        self.url = f"sqlite:///{path.as_posix()}"
        self._timeout = self._patience = timeout
        self._synchronous = "FULL" if durability == "power" else "NORMAL"
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._file: tuple[int, int] | None = None
        self._connection: sqlite3.Connection | None = None
        with errors.wrapped_sqlite(self.url):
            self._connection = self._connected()
        with _forking:
            _files.add(self)

    def __del__(self) -> None:
        # Results hold a store open for as long as anybody holds them.
        if hasattr(self, "_connection"):
            self._disconnect()

    def close(self) -> None:
        """Close the file; it is opened again when it is needed.

        To be called before a fork: what SQLite knows of its locks is wrong on the other side.
        """
        with self._lock:
            self._disconnect()

    def hold(self) -> bool:
        """Keep all threads out until :meth:`go_on`; return whether they left in time."""
        return self._lock.acquire(timeout=self._timeout)

    def go_on(self) -> None:
        """Let threads in again."""
        self._lock.release()

    def forked(self) -> None:
        """Begin anew in a child process, whatever its parent was doing."""
        self._lock = threading.Lock()
        self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._process == os.getpid() and self._file == self._found():
            connection.close()
        else:
            _leave(connection)

    def _connected(self) -> sqlite3.Connection:
        # What is opened for writing would be made anew if somebody deleted it.
        found_file = self._found()
        uri = f"{self._path.absolute().as_uri()}?mode=rw"
        try:
            connection = sqlite3.connect(
                uri, timeout=self._timeout, uri=True, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise Unready from error
        try:
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA wal_autocheckpoint = {LOG}")
            found = connection.execute("SELECT version_num FROM gosset_version").fetchone()
        except sqlite3.Error as error:
            connection.close()
            raise Unready from error
        if found != (VERSION,):
            connection.close()
            raise Unready
        self._file, self._process = found_file, os.getpid()
        self._patience = self._timeout
        return connection

    @contextmanager
    def transaction(
        self, patience: float | None = None, *, reading: bool = False
    ) -> Iterator[Statements]:
        """Give statements that see one state of the store; what they write is kept or nothing.

        Who writes keeps others from writing from the start: one that first reads and then wants
        to write would fail, without waiting, when another has written in between.
        """
        with self._lock, errors.wrapped_sqlite(self.url):
            connection = self._current()
            wait = self._timeout if patience is None else patience
            try:
                if wait != self._patience:
                    connection.execute(f"PRAGMA busy_timeout = {int(wait * 1000)}")
                    self._patience = wait
                connection.execute("BEGIN" if reading else "BEGIN IMMEDIATE")
                yield Statements(connection)
                connection.execute("COMMIT")
            except BaseException as error:
                self._undo(connection, error)
                raise

    def _undo(self, connection: sqlite3.Connection, error: BaseException) -> None:
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:  # nothing was kept either way; what came first is told
            self._disconnect()
        if isinstance(error, sqlite3.Error) and errors.code(error) != errors.BUSY:
            self._disconnect()  # whatever it was, what is there now is looked at anew

    def _current(self) -> sqlite3.Connection:
        """Return a connection to the file that is at the path now."""
        if self._process != os.getpid() or self._file != self._found():
            # SQLite would go on writing to a file that somebody deleted or replaced.
            self._disconnect()
        if self._connection is None:
            try:
                self._connection = self._connected()
            except Unready as error:
                raise StorageError(
                    f"store {self.url} is gone, or is no longer what it was",
                    hint="restore it, or give another with GOSSET_STORE",
                ) from error
        return self._connection

    def _found(self) -> tuple[int, int] | None:
        """Return what tells the file at the path from others; None where there is none."""
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_dev, found.st_ino


class DirectSink(DirectFile):
    """Takes news of tracked runs into an SQLite file, which it makes where there is none.

    Raises
    ------
    Unready
        See :class:`DirectFile`.
    StorageError
        Nothing can be made there.
    """

    def __init__(self, path: Path, *, timeout: float = 60.0, durability: str = "process") -> None:
        if not path.exists():
            if Path(f"{path}-wal").exists() and not path.exists():
                raise Unready  # the log of a store that was deleted must not be taken for a new one's
            _make(path, sync=durability == "power")
        super().__init__(path, timeout=timeout, durability=durability)

    def write(
        self, news: Sequence[News], beats: Sequence[Beat] = (), *, patience: float | None = None
    ) -> None:
        """Take in news, in their order, and signs of life, in one transaction."""
        with self.transaction(patience) as statements:
            tracks.write(statements, news, beats)

    def take_up(self, run: str, launch: Opening, *, lease: float = LEASE) -> TakenUp:
        """Make a run one of the launch, at work again; of several who try at once one does."""
        with self.transaction() as statements:
            return tracks.take_up(statements, run, launch, lease)

    def number(self, run: str) -> int:
        """Return the number of a run in its experiment."""
        with self.transaction() as statements:
            return tracks.number(statements, run)


def _leave(connection: sqlite3.Connection) -> None:
    """Never close a connection of the process that this one was forked from, or to a lost file."""
    import ctypes

    # Python would close it at its end, and SQLite would take the log of the other away, or that
    # of the file which is at the path now.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


_files: weakref.WeakSet[DirectFile] = weakref.WeakSet()
_held: list[DirectFile] = []
_forking = threading.Lock()


def _before_fork() -> None:
    """Wait for other threads to leave SQLite: its own locks would stay closed in the child."""
    _forking.acquire()
    for file in _files:
        # The writer of a sink closes it.
        if not isinstance(file, DirectSink) and file.hold():
            _held.append(file)


def _after_fork_here() -> None:
    for file in _held:
        file.go_on()
    _held.clear()
    _forking.release()


def _after_fork_there() -> None:
    for file in _files:
        file.forked()
    _held.clear()
    _forking.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_here,
        after_in_child=_after_fork_there,
    )


class Unready(Exception):
    """What is there cannot be used as it is."""


class Statements:
    """Carries out statements on a connection of Python's own SQLite module."""

    locking = ""  # nobody else writes while a transaction does

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def one(self, sql: str, row: Mapping[str, Any]) -> Sequence[Any] | None:
        rows = self._connection.execute(sql, row).fetchall()
        return rows[0] if rows else None

    def all(self, sql: str, row: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        return self._connection.execute(sql, row).fetchall()

    def many(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self._connection.executemany(sql, rows)

    def among(self, sql: str, **chosen: Sequence[int] | Sequence[str]) -> Sequence[Sequence[Any]]:
        for name in chosen:
            sql = sql.replace(f"IN :{name}", f"IN (SELECT value FROM json_each(:{name}))")
        lists = {name: json.dumps(list(values)) for name, values in chosen.items()}
        return self._connection.execute(sql, lists).fetchall()

    def pairs(self, key: str, value: str, source: str, row: Mapping[str, Any]) -> Pairs:
        return flattened(self._connection.execute(pairs_of(key, value, source), row))

    def microseconds(self, column: str) -> str:
        return column

    def time(self, value: int | None) -> datetime | None:
        return None if value is None else time_of(value)

    def moment(self, microseconds: int) -> int:
        return microseconds


def pairs_of(key: str, value: str, source: str) -> str:
    """Return the query for two columns of rows that have the second."""
    return f"SELECT {key}, {value} FROM {source} AND {value} IS NOT NULL"


def flattened(cursor: Iterable[Sequence[Any]]) -> Pairs:
    """Return the two columns of a cursor as arrays."""
    from itertools import chain

    import numpy as np

    # Doubles hold every key: there are fewer than 2**53.
    flat = np.fromiter(chain.from_iterable(cursor), np.float64).reshape(-1, 2)
    return flat[:, 0].astype(np.int64), flat[:, 1]


def _make(path: Path, *, sync: bool) -> None:
    """Make a store, complete under another name, and then give it its own.

    Of several processes that do so at once one is first, and the others use what it made.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    drafts = [draft, *(Path(f"{draft}{end}") for end in ("-journal", "-wal", "-shm"))]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove(drafts)  # of a process with the same number, which died here
        connection = sqlite3.connect(draft, isolation_level=None)
        try:
            # Nobody misses a draft.
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA journal_mode = OFF")
            script = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")
            connection.executescript(f"BEGIN;\n{script}\nCOMMIT;")
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
        if sync:
            _sync(draft)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        except OSError as error:  # a file system without links
            raise Unready from error
        if sync and os.name == "posix":  # elsewhere folders cannot be opened
            _sync(path.parent)
    except (OSError, sqlite3.OperationalError) as error:
        refused = isinstance(error, PermissionError) or "readonly" in str(error)
        read_only = refused or not os.access(path.parent, os.W_OK)
        raise (StoreReadOnlyError if read_only else StorageError)(
            f"no store can be made at sqlite:///{path.as_posix()}: {error}",
            hint="choose another place with --store or GOSSET_STORE",
        ) from error
    finally:
        _remove(drafts)


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(files: Sequence[Path]) -> None:
    for file in files:
        with suppress(OSError):
            file.unlink()
