"""Connections: from a URL to transactions on a database that is ready for use."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import pool

from ..exceptions import (
    MissingExtraError,
    NotFoundError,
    StorageError,
    StoreReadOnlyError,
    StoreVersionError,
)
from . import errors, urls, versions

_SMALLEST = 512
"""Bytes of the smallest SQLite database."""

_BUT_READABLE = (errors.READONLY, errors.CANTOPEN, errors.IOERR)
"""What SQLite says where it cannot open a file for writing that it may be able to read."""


class Database:
    """One database: its engine, its transactions, its errors in Gosset's words.

    Parameters
    ----------
    url : str
        ``sqlite:///path``, ``postgresql://user:password@host/name`` or ``memory://``.
    create : bool
        Whether a store is made where there is none.
    """

    def __init__(self, url: str, *, create: bool) -> None:
        self._url = urls.parsed(url)
        self.url = urls.shown(self._url)
        self.timeout = urls.timeout(self._url)
        # One connection serves all threads of a database in memory, one at a time.
        self._memory = self._url.drivername == "memory"
        self._lock = threading.RLock() if self._memory else nullcontext()
        self._process = os.getpid()
        self._full = False
        if self._memory:
            self._engine = _memory_engine()
            versions.upgrade(self._engine, self.url)
        elif self._url.get_backend_name() == "sqlite":
            self._engine = self._open_file(create)
        else:
            self._engine = self._open_server(create)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}>"

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Give a connection inside a transaction that sees one state of the database."""
        with self._lock, errors.wrapped(self.url), self._current().begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Give a connection inside a transaction that may write; all is kept or nothing."""
        if self._full:
            raise errors.full(self.url)
        with self._lock, errors.wrapped(self.url):
            engine = self._current().execution_options(gosset_writes=True)
            with engine.begin() as connection:
                yield connection

    def close(self) -> None:
        """Release the connections, save that of a database in memory, which is its life."""
        if not self._memory:
            self._current().dispose()

    def __del__(self) -> None:
        # Live runs and results hold a store open for as long as anybody holds them.
        if hasattr(self, "_engine") and self._process == os.getpid():
            self.close()

    def _current(self) -> sa.Engine:
        if self._process != os.getpid():
            # A connection must not be used on both sides of a fork: leave it to the parent.
            if not self._memory:
                self._engine.dispose(close=False)
            self._process = os.getpid()
        return self._engine

    def _open_file(self, create: bool) -> sa.Engine:
        path = Path(str(self._url.database))
        if not self._size(path):
            if not create:
                raise _no_store(self.url)
            self._make_file(path)
        engine, version = self._readable(path)
        with _disposed_on_failure(engine):
            self._complete(version, create, lambda: self._make_file(path))
        return engine

    def _size(self, path: Path) -> int:
        """Return the size of the file, 0 where there is none, refusing what is no store.

        The file is not opened to look into it: to close it again would drop the locks
        that SQLite holds on it elsewhere in this process.
        """
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise StorageError(f"store {self.url}: {error.strerror}") from error
        if path.is_dir():
            raise StorageError(f"{path} is a folder, not a store", hint="name a file in it")
        if 0 < size < _SMALLEST:
            # SQLite itself would take it for an empty one, and overwrite it.
            raise StoreVersionError(
                f"{self.url} is no Gosset store: a file of {size} bytes", hint="open another path"
            )
        return size

    def _readable(self, path: Path) -> tuple[sa.Engine, str | None]:
        """Return an engine that can at least read the file, and the version of the store."""
        modes = ["mode=rw", "mode=ro"]
        log = path.with_name(f"{path.name}-wal")
        if not log.exists() or log.stat().st_size == 0:
            # Where not even the index of the write-ahead log can be made, the file can be
            # read as one that nobody changes, unless some of it is still in the log.
            modes.append("mode=ro&immutable=1")
        for mode in modes:
            engine = _file_engine(path, mode, self.timeout)
            try:
                with errors.wrapped(self.url), engine.begin() as connection:
                    return engine, versions.stored(connection, self.url)
            except StorageError as error:
                engine.dispose()
                found = getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF
                if mode == modes[-1] or found not in _BUT_READABLE:
                    raise
                self._full = self._full or found == errors.IOERR
        raise AssertionError("the last mode returns or raises")

    def _make_file(self, path: Path) -> None:
        """Bring the file to the newest version, one process at a time."""
        import filelock

        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(path.with_name(f".{path.name}.lock"), timeout=self.timeout)
            with lock:
                engine = _file_engine(path, "mode=rwc", self.timeout)
                try:
                    versions.upgrade(engine, self.url)
                finally:
                    engine.dispose()
        except filelock.Timeout as error:
            raise StorageError(
                f"store {self.url} is being made by another process for {self.timeout:g} s",
                hint=f"if none is, delete {error.lock_file}",
            ) from error
        except OSError as error:
            read_only = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
            raise (StoreReadOnlyError if read_only else StorageError)(
                f"no store can be made at {self.url}: {error.strerror}"
            ) from error

    def _open_server(self, create: bool) -> sa.Engine:
        engine = _server_engine(self._url, self.timeout)
        with _disposed_on_failure(engine):
            with errors.wrapped(self.url), engine.begin() as connection:
                version = versions.stored(connection, self.url)
            self._complete(version, create, lambda: versions.upgrade(engine, self.url))
        return engine

    def _complete(self, version: str | None, create: bool, upgrade: Callable[[], None]) -> None:
        if version is None and not create:
            raise _no_store(self.url)
        if version != versions.HEAD:
            upgrade()


@contextmanager
def _disposed_on_failure(engine: sa.Engine) -> Iterator[None]:
    with ExitStack() as failed:
        failed.callback(engine.dispose)
        yield
        failed.pop_all()


def _no_store(url: str) -> NotFoundError:
    return NotFoundError(f"there is no store at {url}", hint="make one with 'gosset init'")


def _prepared(connection: sqlite3.Connection) -> sqlite3.Connection:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")
    # SQLite's own lower() and LIKE fold only ASCII.
    connection.create_function("lower", 1, _folded, deterministic=True)
    return connection


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _file_engine(path: Path, mode: str, timeout: float) -> sa.Engine:
    name = f"file:{quote(str(path))}?{mode}"

    def connect() -> sqlite3.Connection:
        return _prepared(
            sqlite3.connect(
                name, timeout=timeout, uri=True, isolation_level=None, check_same_thread=False
            )
        )

    # Connections are cheap and kept without limit, so that threads never wait for one.
    engine = sa.create_engine("sqlite://", creator=connect, poolclass=pool.QueuePool, pool_size=0)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _memory_engine() -> sa.Engine:
    def connect() -> sqlite3.Connection:
        return _prepared(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False))

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=pool.StaticPool)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: sa.Connection) -> None:
    # A write takes its lock at once: a transaction that first reads and then wants to
    # write would fail, without waiting, when another has written in between.
    writes = connection.get_execution_options().get("gosset_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _server_engine(url: sa.URL, timeout: float) -> sa.Engine:
    try:
        import psycopg  # noqa: F401  (imported to see whether it is there)
    except ImportError as error:
        raise MissingExtraError(
            "a PostgreSQL store needs psycopg", hint="pip install 'gosset[postgresql]'"
        ) from error
    arguments: dict[str, object] = {}
    if "connect_timeout" not in url.query:
        arguments["connect_timeout"] = 10
    if "options" not in url.query:
        arguments["options"] = f"-c lock_timeout={int(timeout * 1000)}"
    return sa.create_engine(
        url.difference_update_query(["timeout"]), pool_pre_ping=True, connect_args=arguments
    )
