"""A real PostgreSQL server for the tests, started by them and gone with them."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from gosset.storage import open_catalog

_SETTINGS = (
    "-c listen_addresses=127.0.0.1 -c fsync=off -c synchronous_commit=off"
    " -c full_page_writes=off -c max_connections=200"
)


@dataclass
class Server:
    """A running server; each database on it has a fresh name."""

    port: int
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str, *, password: str = "") -> str:
        secret = f":{password}" if password else ""
        return f"postgresql://gosset{secret}@127.0.0.1:{self.port}/{database}"

    @contextlib.contextmanager
    def database(self, template: str) -> Iterator[str]:
        """Give the URL of a new database, a copy of `template`, dropped afterwards."""
        name = f"test_{next(self.numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def execute(self, statement: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement)


def _programs() -> Path:
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / "pg_ctl").exists() and (folder / "initdb").exists():
            return folder
    pytest.fail(
        "these tests need PostgreSQL: put its initdb and pg_ctl on the PATH"
        " (Debian: apt-get install postgresql)",
        pytrace=False,
    )


def _run(*command: str) -> None:
    # PostgreSQL refuses to run as root.
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    # Output goes to a file: the server would keep a pipe open for ever.
    with tempfile.TemporaryFile() as output:
        result = subprocess.run(
            [*prefix, *command], stdout=output, stderr=output, cwd="/", timeout=120, check=False
        )
        output.seek(0)
        if result.returncode:
            pytest.fail(f"{command[0]} failed: {output.read().decode()}", pytrace=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _server() -> Iterator[tuple[Server, Callable[..., None]]]:
    """Give a running server, and what stops and starts it."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="gosset-postgresql-"))
    try:
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(folder, user.pw_uid, user.pw_gid)
        data = str(folder / "data")
        _run(
            str(programs / "initdb"),
            *("-D", data, "-U", "gosset", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"),
        )
        port = _free_port()
        options = f"{_SETTINGS} -c port={port} -c unix_socket_directories={folder}"
        given = {
            "start": ["-l", str(folder / "log"), "-o", options],
            "stop": ["-m", "immediate"],
        }

        def control(word: str) -> None:
            _run(str(programs / "pg_ctl"), "-D", data, "-w", *given[word], word)

        control("start")
        try:
            server = Server(port)
            server.execute("CREATE DATABASE store")
            open_catalog(server.url("store")).close()
            yield server, control
        finally:
            control("stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """A server of its own for this session, with a database ``store`` that has the schema."""
    with _server() as (server, _):
        yield server


@pytest.fixture
def own_postgresql() -> Iterator[tuple[str, Callable[[str], None]]]:
    """A server of its own for one test: the URL of an empty store, and what stops it."""
    with _server() as (server, control):
        yield server.url("store"), control


@pytest.fixture
def postgresql_url(postgresql_server: Server) -> Iterator[str]:
    """A database of its own, which is an empty store."""
    with postgresql_server.database("store") as url:
        yield url


@pytest.fixture
def empty_postgresql_url(postgresql_server: Server) -> Iterator[str]:
    """A database of its own without any tables."""
    with postgresql_server.database("template1") as url:
        yield url
