"""What a store in a file answers without the libraries that the rest of it needs."""

from __future__ import annotations

import gc
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import gosset as gs
from gosset.exceptions import StorageError
from gosset.storage.direct import DirectFile

WRITE = """
import gosset
for number in range(3):
    with gosset.start_run("e", name=f"run-{number}", params={"n": number}) as run:
        run.log({"loss": number / 2})
"""

READ = """
import sys, gosset
with gosset.open_store() as store:
    runs = store.runs()
    assert [run.name for run in runs] == ["run-2", "run-1", "run-0"], list(runs)
    assert (len(runs), runs[0].params, runs[0].metrics["loss"].value) == (3, {"n": 2}, 1.0)
    assert store.series(runs[1], "loss").values.tolist() == [0.5]
    assert runs.to_pandas()["metrics.loss"].tolist() == [1.0, 0.5, 0.0]
    assert len(runs.series()) == 3
    assert "sqlalchemy" not in sys.modules
    assert [run.name for run in store.runs("metrics.loss > 0.5")] == ["run-2"]
"""


FORK = """
import os, signal, threading, gosset
store = gosset.open_store()
over = threading.Event()
def read():
    while not over.is_set():
        store.catalog.select("runs", limit=50)
threads = [threading.Thread(target=read) for _ in range(3)]
[thread.start() for thread in threads]
for _ in range(40):
    child = os.fork()
    if child == 0:
        signal.alarm(10)  # kills who hangs
        os._exit(len(store.catalog.select("runs")))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
over.set()
[thread.join() for thread in threads]
assert len(store.runs()) == 3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    subprocess.run([sys.executable, "-c", WRITE], check=True, cwd=tmp_path)
    return tmp_path


def test_runs_points_and_frames_need_no_sqlalchemy(folder: Path) -> None:
    subprocess.run([sys.executable, "-c", READ], check=True, cwd=folder)


def test_a_store_can_be_used_on_after_it_was_closed_and_sees_what_others_wrote(
    folder: Path,
) -> None:
    store = gs.open_store()
    assert len(store.runs()) == 3
    store.close()
    subprocess.run([sys.executable, "-c", WRITE], check=True, cwd=folder)
    assert len(store.runs()) == 6
    store.close()


def test_a_child_of_fork_reads_what_other_threads_were_reading(folder: Path) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", FORK], check=True, cwd=folder)


def test_a_store_that_nobody_holds_is_closed(folder: Path) -> None:
    file = DirectFile(folder / ".gosset" / "store.db")
    with file.transaction(reading=True) as questions:
        connection = questions._connection
    del file, questions
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_a_store_that_was_deleted_is_told(folder: Path) -> None:
    with gs.open_store() as store:
        assert len(store.runs()) == 3
        for file in (folder / ".gosset").glob("store.db*"):
            file.unlink()
        with pytest.raises(StorageError, match="is gone"):
            len(store.runs())


def test_a_file_that_is_no_store_is_told_as_ever(tmp_path: Path) -> None:
    (tmp_path / "lab.db").write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(StorageError, match="no Gosset store"):
        gs.open_store(f"sqlite:///{tmp_path}/lab.db")


def test_stores_that_were_opened_in_either_way_unite(folder: Path) -> None:
    with gs.open_store() as here, gs.open_store(f"sqlite:///{folder}/other.db") as there:
        assert there.merge(here).runs == 3
        assert here.merge(there).runs == 0
