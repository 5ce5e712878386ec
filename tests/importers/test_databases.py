"""Databases that others own: read as they were last committed, and never waited for too long."""

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gosset.exceptions import StorageError
from gosset.importers.databases import has_tables, is_database, opened

KILLED = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("CREATE TABLE t (i INTEGER PRIMARY KEY, x)")
connection.execute("BEGIN")
connection.executemany("INSERT INTO t (x) VALUES (?)", [("a" * 900,)] * 300)
connection.execute("COMMIT")
connection.execute("PRAGMA cache_size = 5")
connection.execute("BEGIN")
connection.execute("UPDATE t SET x = ?", ("b" * 900,))
os.kill(os.getpid(), 9)
"""
COUNT = "SELECT substr(x, 1, 1), count(*) FROM t GROUP BY 1"


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A database whose writer was killed before it committed."""
    path = tmp_path / "of others.db"
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert Path(f"{path}-journal").stat().st_size
    return path


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "locked.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.execute("BEGIN EXCLUSIVE")
        yield path


def test_what_a_killed_writer_had_not_committed_is_not_read(killed: Path) -> None:
    before = {file.name: file.read_bytes() for file in killed.parent.iterdir()}
    with opened(killed, of="any") as connection:
        assert [tuple(row) for row in connection.execute(COUNT)] == [("a", 300)]
    assert {file.name: file.read_bytes() for file in killed.parent.iterdir()} == before


def test_a_database_that_is_locked_is_not_read(locked: Path) -> None:
    with pytest.raises(StorageError, match="locked"), opened(locked, of="any", patience=0.1):
        pass


def test_whose_a_locked_database_is_is_not_waited_for(locked: Path) -> None:
    began = time.monotonic()
    assert not has_tables(locked, {"t"})
    assert time.monotonic() - began < 5


def test_a_log_beside_which_nothing_may_be_written_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    with closing(sqlite3.connect(tmp_path / "own.db")) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (x)")
    shutil.copy(tmp_path / "own.db", folder / "own.db")
    folder.chmod(0o555)
    try:
        assert has_tables(folder / "own.db", {"t"})
    finally:
        folder.chmod(0o755)


def test_a_pipe_is_no_database_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.db")
    assert not is_database(tmp_path / "pipe.db")
