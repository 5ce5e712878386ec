"""Runs as one file: written, read elsewhere, and refused where it is not whole."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from blake3 import blake3

import gosset as gs
from gosset.exceptions import NotFoundError, StorageError, StoreVersionError, UsageError
from gosset.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with three runs, each with an artifact."""
    opened = gs.open_store(f"sqlite:///{tmp_path}/lab.db")
    for value in range(3):
        with gs.start_run("loop", params={"value": value}, store=opened.url) as run:
            run.log({"loss": value})
            run.log_artifact(np.full(1000, value), "weights")
    return opened


@pytest.fixture
def other(tmp_path: Path) -> Store:
    return gs.open_store(f"sqlite:///{tmp_path}/other.db")


def rewritten(file: Path, **changes: Callable[[bytes], bytes]) -> Path:
    """Write the file anew, with some of its members changed."""
    target = file.with_name("changed.gosset")
    with zipfile.ZipFile(file) as archive, zipfile.ZipFile(target, "w") as made:
        for name in archive.namelist():
            change = changes.get(name.partition("/")[0].partition(".")[0], lambda data: data)
            made.writestr(name, change(archive.read(name)))
    return target


def test_a_selection_goes_by_file_from_store_to_store(
    store: Store, other: Store, tmp_path: Path
) -> None:
    file = store.export(tmp_path / "runs.gosset", format="gosset", filter="params.value > 0")
    merged = other.import_from(file)
    assert (merged.runs, merged.artifacts, merged.missing) == (2, 2, ())
    for run in other.runs():
        assert store.run(run.id).params == run.params
        assert other.artifact(run, "weights").tolist() == [run.params["value"]] * 1000
    assert other.import_from(file).runs == 0
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".runs")) == []


def test_the_file_is_read_without_gosset(store: Store, tmp_path: Path) -> None:
    file = store.export(tmp_path / "runs.gosset", format="gosset")
    with zipfile.ZipFile(file) as archive:
        archive.extract("store.db", tmp_path / "out")
        assert "v_runs" in archive.read("README.txt").decode()
        assert json.loads(archive.read("manifest.json"))["runs"] == 3
        artifacts = [name for name in archive.namelist() if name.startswith("artifacts/")]
        for name in artifacts:
            digest = "".join(name.split("/")[1:])
            assert blake3(archive.read(name)).hexdigest() == digest
    assert len(artifacts) == 3
    database = sqlite3.connect(tmp_path / "out" / "store.db")
    assert database.execute("SELECT count(*) FROM v_metrics").fetchone() == (3,)
    database.close()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off_changes_nothing(
    store: Store, other: Store, tmp_path: Path, share: float
) -> None:
    file = store.export(tmp_path / "runs.gosset", format="gosset")
    data = file.read_bytes()
    file.write_bytes(data[: int(share * len(data))])
    with pytest.raises(StorageError, match=r"cut off" if share else r"is no file of runs"):
        other.import_from(file)
    assert len(other.runs()) == 0
    assert list(other.artifacts.list()) == []


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def test_a_file_whose_parts_were_changed_changes_nothing(
    store: Store, other: Store, tmp_path: Path
) -> None:
    file = store.export(tmp_path / "runs.gosset", format="gosset")
    for part in ("artifacts", "store"):
        with pytest.raises(StorageError, match="is damaged"):
            other.import_from(rewritten(file, **{part: flipped}))
    middle = bytearray(file.read_bytes())
    middle[len(middle) // 2] ^= 1
    file.write_bytes(bytes(middle))
    with pytest.raises(StorageError, match="is damaged"):
        other.import_from(file)
    assert len(other.runs()) == 0
    assert list(other.artifacts.list()) == []


@pytest.mark.parametrize("what", ["version", "schema"])
def test_a_file_of_a_newer_version_says_so(
    store: Store, other: Store, tmp_path: Path, what: str
) -> None:
    file = store.export(tmp_path / "runs.gosset", format="gosset")

    def newer(data: bytes) -> bytes:
        return json.dumps(
            json.loads(data) | {what: {"version": 99, "schema": "9999"}[what]}
        ).encode()

    with pytest.raises(StoreVersionError, match=r"newer version.*pip install -U gosset"):
        other.import_from(rewritten(file, manifest=newer))


def test_another_file_is_refused(other: Store, tmp_path: Path) -> None:
    text, archive = tmp_path / "notes.txt", tmp_path / "any.zip"
    text.write_text("not an export")
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("a.txt", "a")
    for file in (text, archive, tmp_path / "other.db"):
        with pytest.raises(StoreVersionError, match="is no file of runs"):
            other.import_from(file)
    with pytest.raises(NotFoundError, match="there is no file"):
        other.import_from(tmp_path / "nowhere.gosset")
    with pytest.raises(StorageError, match="cannot be read"):
        other.import_from(tmp_path)


def test_a_file_that_cannot_be_written_is_an_error(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        store.export(tmp_path, format="gosset")
    with pytest.raises(StorageError, match="cannot be written"):
        store.export(tmp_path / "no" / "runs.gosset", format="gosset")


def test_lost_bytes_are_told_by_who_writes_and_who_reads(
    store: Store, other: Store, tmp_path: Path
) -> None:
    lost = next(store.artifacts.list()).digest
    store.artifacts.delete(lost)
    file = store.export(tmp_path / "runs.gosset", format="gosset")
    assert other.import_from(file).missing == (lost,)
    assert len(other.runs()) == 3
