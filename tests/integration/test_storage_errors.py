"""What the disk, the server and other processes do to a catalog, told in Gosset's words."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock  # noqa: F401 - loaded while everything may be read
import psycopg
import pytest
import sqlalchemy as sa

from gosset.entities import ArtifactRef, CacheEntry, Dataset, Environment
from gosset.exceptions import (
    GossetError,
    NotFoundError,
    StorageError,
    StoreReadOnlyError,
    UsageError,
)
from gosset.identifiers import now
from gosset.storage import open_catalog
from gosset.storage.base import Catalog, Split
from gosset.storage.changes import Batch, NewRun
from gosset.storage.news import Beat
from gosset.storage.sql import SQLCatalog

_REF = ArtifactRef(name="a", format="npy", digest="d" * 64, size=1)
_ENTRY = CacheEntry(
    key="k", recipe="r", stage="s", parts={}, outputs=(_REF,), wall=None, created=now()
)
_DATASET = Dataset(name="new", version=0, digest="d", columns=(), rows=0, content=())


def _with_a_project() -> Catalog:
    catalog = open_catalog("memory://")
    catalog.ensure_project("other")
    return catalog


WRITES: dict[str, Callable[[Catalog], object]] = {
    "ensure_project": lambda c: c.ensure_project("new"),
    "ensure_experiment": lambda c: c.ensure_experiment("P", "new"),
    "ensure_execution": lambda c: c.ensure_execution("none", "f", {}),
    "ensure_environment": lambda c: c.ensure_environment(Environment(digest="e", content={})),
    "ensure_dataset": lambda c: c.ensure_dataset(_DATASET),
    "ensure_split": lambda c: c.ensure_split(Split(digest="s", folds=1, artifact=_REF, description={})),
    "add_launch": lambda c: c.add_launch("none", execution=1),
    "update_launch": lambda c: c.update_launch("none", pid=1),
    "add_runs": lambda c: c.add_runs("none", [NewRun(params={}, group="g")]),
    "record": lambda c: c.record(Batch(entries=[_ENTRY])),
    "evict": lambda c: c.evict(["k"]),
    "delete": lambda c: c.delete("projects", "none"),
    "merge": lambda c: c.merge(_with_a_project()),
    "sink": lambda c: c.sink().write([], [Beat(launch="none", moment=1)]),
}  # fmt: skip
READS: dict[str, Callable[[Catalog], object]] = {
    "reap": lambda c: c.reap(),
    "entries": lambda c: c.entries(["k"]),
    "candidates": lambda c: c.candidates(["r"]),
    "select": lambda c: c.select("runs"),
    "count": lambda c: c.count("runs"),
    "names": lambda c: c.names("runs"),
    "find": lambda c: c.find("projects", "P"),
    "computations": lambda c: c.computations("none"),
    "attempts": lambda c: c.attempts("none"),
    "environment": lambda c: c.environment("none"),
    "split": lambda c: c.split("none"),
    "referenced": lambda c: c.referenced(),
    "series": lambda c: c.series("none"),
    "series_of": lambda c: c.series_of(["none"]),
    "artifacts": lambda c: c.artifacts("none"),
    "alerts": lambda c: c.alerts("none"),
    "console": lambda c: c.console("none"),
    "runs_page": lambda c: c.runs_page(),
    "runs_columns": lambda c: c.runs_columns(),
}


def test_every_method_is_in_the_tables() -> None:
    methods = {name for name in vars(Catalog) if not name.startswith("_")}
    assert methods - {"url", "close"} == WRITES.keys() | READS.keys()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A SQLite store with the project P."""
    catalog = open_catalog(f"sqlite:///{tmp_path}/store.db")
    catalog.ensure_project("P")
    catalog.close()
    return tmp_path / "store.db"


def _reads(catalog: Catalog) -> None:
    for read in READS.values():
        with contextlib.suppress(NotFoundError):
            read(catalog)


def test_a_locked_file_can_be_read_and_not_written(path: Path) -> None:
    catalog = open_catalog(f"sqlite:///{path}?timeout=0.02")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for name, write in WRITES.items():
        with pytest.raises(StorageError, match="locked by another process") as caught:
            write(catalog)
        assert isinstance(caught.value.__cause__, sqlite3.OperationalError), name
    _reads(catalog)
    other.close()
    catalog.ensure_project("new")
    catalog.close()


def test_a_locked_file_is_waited_for(path: Path) -> None:
    catalog = open_catalog(f"sqlite:///{path}")
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.2, other.close)
    release.start()
    assert catalog.ensure_project("new").name == "new"
    release.join()
    catalog.close()


@pytest.mark.postgresql
def test_a_locked_server_database_is_an_error_for_every_method(postgresql_url: str) -> None:
    catalog = open_catalog(f"{postgresql_url}?timeout=0.02")
    with psycopg.connect(postgresql_url) as other:
        other.execute(
            "DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables"
            " WHERE schemaname = 'public' LOOP"
            " EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', t); END LOOP; END $$"
        )
        for name, ask in {**WRITES, **READS}.items():
            with pytest.raises(StorageError, match="locked by another process") as caught:
                ask(catalog)
            assert isinstance(caught.value.__cause__, psycopg.errors.LockNotAvailable), name
    _reads(catalog)
    catalog.close()


@pytest.mark.postgresql
def test_a_server_that_dropped_the_connection_is_asked_again(postgresql_url: str) -> None:
    catalog = open_catalog(postgresql_url)
    with psycopg.connect(postgresql_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert catalog.count("projects") == 0
    catalog.close()


# -- what cannot be written


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Be a user whom permissions hold back, which they do not for root."""
    if os.geteuid() != 0:
        yield
        return
    # Whatever is imported only now could not be read any more.
    open_catalog("memory://").close()
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that anybody can reach, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)
        os.chmod(name, 0o755)


@pytest.fixture
def read_only(folder: Path) -> Path:
    """A store in a folder, neither of which can be written."""
    path = folder / "store.db"
    catalog = open_catalog(f"sqlite:///{path}")
    catalog.ensure_project("P")
    launch = catalog.add_launch(catalog.ensure_experiment("P", "E").id, execution=1)
    catalog.update_launch(launch.id, heartbeat=now().replace(year=2020))
    catalog.close()
    path.chmod(0o444)
    folder.chmod(0o555)
    return path


def _refuses_to_write(catalog: Catalog) -> None:
    for name, write in WRITES.items():
        # What changes a given thing may find first that it is not there.
        refusals = (StoreReadOnlyError, *([] if name.startswith("ensure_") else [NotFoundError]))
        with pytest.raises(refusals):
            write(catalog)
    with pytest.raises(StoreReadOnlyError, match="read-only for you"):
        WRITES["record"](catalog)


@pytest.mark.usefixtures("unprivileged")
def test_a_store_in_a_read_only_folder_is_read(read_only: Path) -> None:
    catalog = open_catalog(f"sqlite:///{read_only}")
    _reads(catalog)
    assert catalog.reap() == 0
    assert catalog.ensure_project("P").name == "P"
    _refuses_to_write(catalog)
    catalog.close()


@pytest.mark.usefixtures("unprivileged")
def test_a_read_only_store_with_a_pending_log_is_not_read_without_it(read_only: Path) -> None:
    euid = os.geteuid()
    os.seteuid(os.getuid())
    read_only.parent.chmod(0o755)
    read_only.with_name("store.db-wal").write_bytes(b"x" * 100)
    read_only.parent.chmod(0o555)
    os.seteuid(euid)
    with pytest.raises(StorageError):
        open_catalog(f"sqlite:///{read_only}")


@pytest.mark.usefixtures("unprivileged")
def test_no_store_is_made_in_a_read_only_folder(read_only: Path) -> None:
    for name in ("new.db", "sub/new.db"):
        with pytest.raises(StoreReadOnlyError, match="no store can be made at sqlite:///"):
            open_catalog(f"sqlite:///{read_only.parent}/{name}")


@pytest.mark.postgresql
def test_a_read_only_server_database_is_read(postgresql_url: str) -> None:
    first = open_catalog(postgresql_url)
    first.ensure_project("P")
    first.close()
    catalog = open_catalog(f"{postgresql_url}?options=-c%20default_transaction_read_only%3Don")
    _reads(catalog)
    _refuses_to_write(catalog)
    catalog.close()


def test_a_full_disk_is_named_and_nothing_is_written(path: Path) -> None:
    catalog = open_catalog(f"sqlite:///{path}")
    assert isinstance(catalog, SQLCatalog)

    @sa.event.listens_for(catalog._database._engine, "begin")
    def fill(connection: sa.Connection) -> None:
        # SQLite then refuses to grow the file, with the code of a full disk.
        connection.exec_driver_sql("PRAGMA max_page_count = 1")

    huge = {"x": "y" * 1_000_000}
    with pytest.raises(StorageError, match=r"the disk of store .*store\.db is full") as caught:
        catalog.ensure_environment(Environment(digest="e", content=huge))
    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
    with pytest.raises(NotFoundError):
        catalog.environment("e")
    catalog.close()


# -- URLs


def _everything_said(error: BaseException) -> str:
    said = "".join(traceback.format_exception(error)) + repr(error)
    chain: BaseException | None = error
    while chain is not None:
        said += repr(chain) + str(chain)
        chain = chain.__cause__ or chain.__context__
    return said


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3cret@127.0.0.1:1/store?connect_timeout=2",
        "postgresql://me:s3cret@127.0.0.1:port/store",
        "postgresql://me:s3/cret@s3cret:s3cret/store",
        "postgresql://127.0.0.1:1/store?user=me&password=s3cret",
        "mysql://me:s3cret@127.0.0.1/store",
        "s3cret",
    ],
)
def test_errors_tell_no_password(url: str) -> None:
    with pytest.raises(GossetError) as caught:
        open_catalog(url)
    assert "\n" not in str(caught.value)
    if url != "s3cret":
        assert "s3cret" not in _everything_said(caught.value).replace(url, "")
        assert "s3cret" not in str(caught.value)


@pytest.mark.postgresql
def test_a_catalog_tells_no_password(postgresql_url: str) -> None:
    catalog = open_catalog(postgresql_url.replace("gosset@", "gosset:s3cret@"))
    assert catalog.url == postgresql_url
    assert "s3cret" not in repr(catalog) + repr(vars(catalog))
    catalog.close()
    with_query = open_catalog(f"{postgresql_url}?password=s3cret&application_name=test")
    assert with_query.url == f"{postgresql_url}?application_name=test"
    with_query.close()


@pytest.mark.postgresql
def test_a_database_that_is_not_there_is_an_error(postgresql_url: str) -> None:
    with pytest.raises(StorageError, match='database "none" does not exist'):
        open_catalog(postgresql_url.rpartition("/")[0] + "/none")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("store.db", "use sqlite:///path"),
        ("ftp://host/store", "no catalog is opened by 'ftp:'"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "or memory://"),
        ("sqlite://folder/store.db", "names no file"),
        ("sqlite:///store.db?timeout=long", "timeout=long"),
        ("", "no catalog is opened by ''"),
    ],
)
def test_urls_that_name_no_catalog(url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        open_catalog(url)


def test_a_relative_path_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    catalog = open_catalog("sqlite:///store.db")
    assert catalog.url == f"sqlite:///{tmp_path}/store.db"
    catalog.close()


def test_postgresql_without_its_driver_names_the_extra() -> None:
    script = """
import sys
sys.modules["psycopg"] = None
from gosset.exceptions import MissingExtraError
from gosset.storage import open_catalog
try:
    open_catalog("postgresql://host/store")
except MissingExtraError as error:
    print(error)
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "pip install 'gosset[postgresql]'" in result.stdout, result.stderr
