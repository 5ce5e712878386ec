"""Versions of the schema, and files and databases that are no store."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import gosset.storage.migrations
from gosset.exceptions import NotFoundError, StorageError, StoreVersionError
from gosset.storage import open_catalog
from gosset.storage.schema import VERSION_TABLE, VERSIONS, metadata


def _differences(engine: sa.Engine) -> list[object]:
    with engine.connect() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        found: list[object] = compare_metadata(context, metadata)
    engine.dispose()
    return found


def test_migrations_make_the_schema_on_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    open_catalog(url).close()
    assert _differences(sa.create_engine(url)) == []


@pytest.mark.postgresql
def test_migrations_make_the_schema_on_postgresql(empty_postgresql_url: str) -> None:
    open_catalog(empty_postgresql_url).close()
    url = empty_postgresql_url.replace("postgresql:", "postgresql+psycopg:")
    assert _differences(sa.create_engine(url)) == []


def test_the_known_versions_are_the_revisions() -> None:
    [folder] = gosset.storage.migrations.__path__
    script = ScriptDirectory(folder)
    assert tuple(r.revision for r in reversed(list(script.walk_revisions()))) == VERSIONS


def test_a_store_is_a_write_ahead_log_and_makes_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "a b" / "ü?#%20" / "store.db"
    catalog = open_catalog(f"sqlite:///{tmp_path}/a b/ü%3F%23%2520/store.db")
    catalog.ensure_project("P")
    catalog.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


@pytest.mark.parametrize(
    "content",
    [b"garbage " * 1000, b"x", b"SQLite format 3\x00" + b"\xff" * 5000],
    ids=["text", "one byte", "damaged header"],
)
def test_a_file_that_is_no_database_is_refused_untouched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)
    with pytest.raises(StoreVersionError, match=r"store\.db is no Gosset store"):
        open_catalog(f"sqlite:///{path}")
    assert path.read_bytes() == content
    assert [entry.name for entry in tmp_path.iterdir()] == ["store.db"]


def test_a_truncated_store_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    catalog = open_catalog(f"sqlite:///{path}")
    catalog.ensure_project("P")
    catalog.close()
    content = path.read_bytes()[:20_000]
    path.write_bytes(content)
    with pytest.raises(StoreVersionError, match="damaged"):
        open_catalog(f"sqlite:///{path}")
    assert path.read_bytes() == content


def test_another_program_s_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE customers (name)")
    connection.close()
    content = path.read_bytes()
    with pytest.raises(StoreVersionError, match="no Gosset store: it has the table 'customers'"):
        open_catalog(f"sqlite:///{path}")
    assert path.read_bytes() == content


@pytest.mark.postgresql
def test_another_program_s_server_database_is_refused(empty_postgresql_url: str) -> None:
    engine = sa.create_engine(empty_postgresql_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE customers (name text)"))
    with pytest.raises(StoreVersionError, match="it has the table 'customers'"):
        open_catalog(empty_postgresql_url)
    with engine.begin() as connection:
        assert sa.inspect(connection).get_table_names() == ["customers"]
    engine.dispose()


@pytest.mark.parametrize("version", ["9999", "f00"])
def test_a_newer_store_is_refused(tmp_path: Path, version: str) -> None:
    path = tmp_path / "store.db"
    open_catalog(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '{version}'")
    connection.close()
    words = rf"store\.db has schema version {version}, newer than .*; upgrade"
    with pytest.raises(StoreVersionError, match=words):
        open_catalog(f"sqlite:///{path}")


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.touch()
    with pytest.raises(NotFoundError):
        open_catalog(f"sqlite:///{path}", create=False)
    catalog = open_catalog(f"sqlite:///{path}")
    assert catalog.count("runs") == 0
    catalog.close()


def test_no_store_is_made_unless_asked(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"there is no store at sqlite:///.*/new/store\.db"):
        open_catalog(f"sqlite:///{tmp_path}/new/store.db", create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.postgresql
def test_no_tables_are_made_unless_asked(empty_postgresql_url: str) -> None:
    for _ in range(2):
        with pytest.raises(NotFoundError, match="there is no store at postgresql://"):
            open_catalog(empty_postgresql_url, create=False)


def test_a_path_that_cannot_be_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="is a folder"):
        open_catalog(f"sqlite:///{tmp_path}")
    with pytest.raises(StorageError, match="Not a directory"):
        open_catalog(f"sqlite:///{tmp_path}/file/store.db")
