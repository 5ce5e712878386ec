"""Connections: from a URL to transactions on a database that is ready for use."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import exc, pool

from ..exceptions import (
    MissingExtraError,
    NotFoundError,
    StorageError,
    StoreReadOnlyError,
    StoreVersionError,
    UsageError,
)
from . import errors, versions

LOCK_TIMEOUT = 60.0
"""Seconds to wait for other writers, unless the URL says ``?timeout=``."""

_MAGIC = b"SQLite format 3\0"
_SECRETS = frozenset({"password", "passfile", "sslpassword", "sslkey"})


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
        self._url = _parsed(url)
        self.url = _shown(self._url)
        self.timeout = _timeout(self._url)
        # One connection serves all threads of a database in memory, one at a time.
        self._memory = self._url.drivername == "memory"
        self._lock = threading.RLock() if self._memory else nullcontext()
        self._process = os.getpid()
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
        with self._lock, errors.wrapped(self.url):
            engine = self._current().execution_options(gosset_writes=True)
            with engine.begin() as connection:
                yield connection

    def close(self) -> None:
        """Release the connections, save that of a database in memory, which is its life."""
        if not self._memory:
            self._current().dispose()

    def _current(self) -> sa.Engine:
        if self._process != os.getpid():
            # A connection must not be used on both sides of a fork: leave it to the parent.
            if not self._memory:
                self._engine.dispose(close=False)
            self._process = os.getpid()
        return self._engine

    def _open_file(self, create: bool) -> sa.Engine:
        path = Path(str(self._url.database))
        if not self._header(path):
            if not create:
                raise _no_store(self.url)
            self._make_file(path)
        # A store that cannot be written can be read: where even the index of the
        # write-ahead log cannot be made, the file is read as one that nobody changes.
        for mode in ("mode=rw", "mode=ro", "mode=ro&immutable=1"):
            engine = _file_engine(path, mode, self.timeout)
            try:
                with errors.wrapped(self.url), engine.begin() as connection:
                    version = versions.stored(connection, self.url)
                break
            except StorageError as error:
                engine.dispose()
                found = getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF
                if mode.endswith("1") or found not in (errors.READONLY, errors.CANTOPEN):
                    raise
        self._complete(version, create, lambda: self._make_file(path))
        return engine

    def _header(self, path: Path) -> bytes:
        """Return the first bytes of the file, which are those of SQLite or none at all.

        SQLite itself takes a file of a few bytes for an empty one and overwrites it.
        """
        try:
            with path.open("rb") as file:
                header = file.read(len(_MAGIC))
        except FileNotFoundError:
            return b""
        except IsADirectoryError:
            message = f"{path} is a folder, not a store"
            raise StorageError(message, hint="name a file in it") from None
        except OSError as error:
            raise StorageError(f"store {self.url}: {error.strerror}") from error
        if header and header != _MAGIC:
            raise StoreVersionError(
                f"{self.url} is no Gosset store: the file is no SQLite database",
                hint="open another path",
            )
        return header

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
        with ExitStack() as on_failure:
            on_failure.callback(engine.dispose)
            with errors.wrapped(self.url), engine.begin() as connection:
                version = versions.stored(connection, self.url)
            self._complete(version, create, lambda: versions.upgrade(engine, self.url))
            on_failure.pop_all()
        return engine

    def _complete(self, version: str | None, create: bool, upgrade: Callable[[], None]) -> None:
        if version is None and not create:
            raise _no_store(self.url)
        if version != versions.HEAD:
            upgrade()


def _no_store(url: str) -> NotFoundError:
    return NotFoundError(f"there is no store at {url}", hint="make one with 'gosset init'")


def _parsed(url: str) -> sa.URL:
    scheme = url.partition(":")[0]
    if scheme == "memory":
        return sa.URL.create("memory")
    names = {
        "sqlite": "sqlite",
        "postgresql": "postgresql+psycopg",
        "postgresql+psycopg": "postgresql+psycopg",
        "postgres": "postgresql+psycopg",
    }
    if scheme not in names:
        raise UsageError(
            f"no catalog is opened by {scheme + ':' if ':' in url else url!r}",
            hint="use sqlite:///path, postgresql://user@host/database or memory://",
        )
    parsed = None
    with suppress(exc.ArgumentError, ValueError):
        parsed = sa.make_url(url).set(drivername=names[scheme])
    if parsed is None:
        # Raised apart from its cause, which quotes the URL and so perhaps a password.
        raise UsageError(
            f"the {scheme} URL of the store cannot be read",
            hint="percent-encode '/', '@', ':' and '#' in its user name and password",
        )
    if scheme == "sqlite" and (parsed.host or parsed.database in (None, "", ":memory:")):
        raise UsageError(
            f"{url!r} names no file",
            hint="use sqlite:///relative/path, sqlite:////absolute/path or memory://",
        )
    if scheme == "sqlite":
        # Whoever is given the URL later may stand in another folder.
        parsed = parsed.set(database=str(Path(str(parsed.database)).expanduser().absolute()))
    return parsed


def _shown(url: sa.URL) -> str:
    if url.drivername == "memory":
        return "memory://"
    # Made anew, because URL.set() takes None for "leave it as it is".
    return sa.URL.create(
        url.get_backend_name(),
        username=url.username,
        host=url.host,
        port=url.port,
        database=url.database,
        query={key: value for key, value in url.query.items() if key not in _SECRETS},
    ).render_as_string()


def _timeout(url: sa.URL) -> float:
    given = url.query.get("timeout")
    try:
        return LOCK_TIMEOUT if given is None else float(str(given))
    except ValueError:
        raise UsageError(f"timeout={given} in the store's URL is no number of seconds") from None


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
