"""The parts between a run and its store: spool, courier, and the short way to SQLite."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import types
import warnings
from collections.abc import Sequence
from pathlib import Path

import pytest

import gosset as gs
from gosset.exceptions import NotFoundError, SettingsError, StorageError
from gosset.series import Points, pack, summarise
from gosset.storage.direct import DirectSink
from gosset.storage.news import (
    Alert,
    Beat,
    Beginning,
    Captured,
    Ending,
    Gap,
    Kept,
    News,
    Opening,
)
from gosset.tracking import writer as writing
from gosset.tracking.courier import Courier, StillWritingError
from gosset.tracking.spool import Spool, recover, spool_folders

BEGINS = Beginning(
    launch=Opening(id="launch", project="P", experiment="e", fingerprint="f", moment=1, pid=1),
    name="n",
    group="g",
    tags=("a",),
    moment=2,
)


def news(number: int, run: str = "run", begins: Beginning | None = BEGINS) -> News:
    points = Points([number, number + 1], [float(number), float("nan")], [5, 6])
    return News(
        run=run,
        writer=7,
        number=number,
        begins=begins,
        points=[("m", number, pack(points))],
        summaries={"m": summarise(points)},
        fields={"f": [1, {"x": None}]},
        artifacts=[Kept("a", "bytes", "0" * 64, 2, b"\x00\xff")],
        console=[("stdout", 1, "x")],
        alerts=[Alert(1, "warning", "t")],
        ends=Ending("failed", 9, ("E", "m", "t")) if number == 3 else None,
        gap=Gap(1, 2, "…") if number == 2 else None,
        captured=Captured("launch", {"a": 1}, [Kept("d", "bytes", "0" * 64, 3)], "e", {"p": []})
        if number == 2
        else None,
    )


class Holding:
    """A sink that keeps what it is given, and does what it is told on the way."""

    url = "sink"

    def __init__(self, trouble: Exception | None = None, wait: float = 0.0) -> None:
        self.taken: list[News] = []
        self.trouble = trouble
        self.wait = threading.Event()
        if not wait:
            self.wait.set()

    def write(
        self, news: Sequence[News], beats: Sequence[Beat] = (), *, patience: float | None = None
    ) -> None:
        self.wait.wait()
        if self.trouble is not None:
            raise self.trouble
        self.taken += news


def drained(spool: Spool, sink: Holding) -> None:
    spool.drain(sink, patience=0.1, seconds=5, refused=_never)  # type: ignore[arg-type]


def _never(news: News, error: Exception) -> None:
    raise AssertionError(news) from error


def test_news_come_out_of_the_spool_as_they_went_in(tmp_path: Path) -> None:
    spool = Spool([tmp_path])
    spool.append([news(1), news(2)])
    spool.append([news(3)])
    sink = Holding()
    drained(spool, sink)
    for found, given in zip(sink.taken, map(news, (1, 2, 3)), strict=True):
        listed = BEGINS._replace(tags=["a"])
        assert repr(found) == repr(given._replace(begins=listed, tags=[], untags=[]))
    assert spool.empty
    assert list(tmp_path.iterdir()) == []


def test_what_the_store_does_not_take_stays_in_its_order(tmp_path: Path) -> None:
    spool = Spool([tmp_path])
    spool.append([news(1)])
    with pytest.raises(StorageError):
        drained(spool, Holding(StorageError("down")))
    spool.append([news(2)])
    sink = Holding()
    drained(spool, sink)
    assert [one.number for one in sink.taken] == [1, 2]


def test_where_one_folder_cannot_be_written_the_next_is(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    spool = Spool([tmp_path / "file" / "no", tmp_path / "yes"])
    spool.append([news(1)])
    [file] = (tmp_path / "yes").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    spool.forked()
    with pytest.raises(OSError, match="File exists"):
        Spool([tmp_path / "file"]).append([news(1)])


def test_a_file_that_somebody_deleted_is_not_written_on(tmp_path: Path) -> None:
    spool = Spool([tmp_path])
    spool.append([news(1)])
    [file] = tmp_path.iterdir()
    file.unlink()
    spool.append([news(2)])
    assert len(list(tmp_path.iterdir())) == 1
    sink = Holding()
    drained(spool, sink)
    assert [one.number for one in sink.taken] == [1, 2]  # it was still open


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_what_was_cut_off_is_left_out_and_what_is_before_is_not(tmp_path: Path, cut: int) -> None:
    spool = Spool([tmp_path])
    spool.append([news(1), news(2)])
    spool.forked()  # it is nobody's now
    [file] = tmp_path.iterdir()
    os.truncate(file, file.stat().st_size - cut)
    sink = Holding()
    assert recover([tmp_path], sink) == 1  # type: ignore[arg-type]
    assert [one.number for one in sink.taken] == [1]
    assert list(tmp_path.iterdir()) == []


def test_what_a_child_said_waits_for_what_its_parent_said(tmp_path: Path) -> None:
    for name, begins in (("1", None), ("2", BEGINS)):
        spool = Spool([tmp_path / "spool"])
        spool.append([news(int(name), begins=begins)._replace(writer=int(name))])
        [file] = (path for path in (tmp_path / "spool").iterdir() if len(path.name) > 8)
        spool.forked()
        file.rename(file.with_name(f"{name}.news"))
    held = (tmp_path / "spool" / "2.news").rename(tmp_path / "held")
    sink = DirectSink(tmp_path / "lab.db")
    assert recover([tmp_path / "spool"], sink) == 0
    held.rename(tmp_path / "spool" / "2.news")
    assert recover([tmp_path / "spool"], sink) == 2
    with gs.open_store(f"sqlite:///{tmp_path}/lab.db") as store:
        assert store.runs()[0].metrics["m"].series.count == 4
    sink.close()


def test_the_spool_of_a_store_is_the_same_whatever_the_password() -> None:
    one, other = (spool_folders(f"postgresql://me{p}@host/lab") for p in (":secret", ""))
    assert one == other
    assert one != spool_folders("postgresql://me@host/other")


def test_who_is_not_answered_in_time_says_it_again() -> None:
    sink = Holding(wait=1)
    courier = Courier(sink)  # type: ignore[arg-type]
    started = time.monotonic()
    for _ in range(2):
        with pytest.raises(StillWritingError):
            courier.write([news(1)], patience=0.02)
    assert time.monotonic() - started < 1
    sink.wait.set()
    courier.write([news(1)], patience=5)
    assert [one.number for one in sink.taken] == [1, 1]
    sink.trouble = NotFoundError("gone")
    with pytest.raises(NotFoundError):
        courier.write([news(2)], patience=5)


def test_a_store_that_was_replaced_is_not_written_as_it_was(tmp_path: Path) -> None:
    sink = DirectSink(tmp_path / "lab.db")
    sink.write([news(1)])
    (tmp_path / "lab.db").rename(tmp_path / "away.db")
    with pytest.raises(StorageError, match="is gone"):
        sink.write([news(2)])
    assert not (tmp_path / "lab.db").exists()
    other = DirectSink(tmp_path / "other.db")
    other.close()
    (tmp_path / "other.db").rename(tmp_path / "lab.db")
    sink.write([news(2)])
    assert sink.number("run") == 1
    sink.close()


def test_the_log_of_a_store_that_was_deleted_is_not_that_of_the_next(tmp_path: Path) -> None:
    import shutil

    sink = DirectSink(tmp_path / "lab.db")
    sink.write([news(1)])
    shutil.copy(tmp_path / "lab.db-wal", tmp_path / "kept")
    sink.close()
    (tmp_path / "lab.db").unlink()
    (tmp_path / "kept").rename(tmp_path / "lab.db-wal")
    with gs.start_run("e", store=f"sqlite:///{tmp_path}/lab.db"):
        pass
    with gs.open_store(f"sqlite:///{tmp_path}/lab.db") as store:
        assert [run.number for run in store.runs()] == [1]


def test_a_number_is_tracked_without_what_takes_long_to_load(tmp_path: Path) -> None:
    code = (
        "import sys, gosset\n"
        "with gosset.start_run(store=sys.argv[1]) as run: run.log({'m': 1})\n"
        "heavy = 'numpy sqlalchemy dataclasses inspect logging traceback tempfile hashlib'\n"
        "print([name for name in heavy.split() if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, f"sqlite:///{tmp_path}/lab.db"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert (told.stdout, told.stderr) == ("[]\n", "")


@pytest.mark.parametrize("step", [2**63, -(2**70)])
def test_a_step_that_no_series_holds_is_refused_at_once(tmp_path: Path, step: int) -> None:
    with gs.start_run("e", store=f"sqlite:///{tmp_path}/lab.db") as run:
        with pytest.raises(gs.UsageError, match="more than 64 bits"):
            run.log({"m": 1}, step=step)
        run.log({"m": 1}, step=2**63 - 1)
    with gs.open_store(f"sqlite:///{tmp_path}/lab.db") as store:
        assert store.runs()[0].metrics["m"].series.step == 2**63 - 1


@pytest.mark.parametrize("said", ["call", "setting"])
def test_what_survives_a_power_cut_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    synced: list[str] = []
    wait = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        wait(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    chosen = {"durability": "power"} if said == "call" else {}
    if said == "setting":
        monkeypatch.setenv("GOSSET_DURABILITY", "power")
    store = f"sqlite:///{tmp_path}/store.db"
    with gs.start_run("e", store=store, **chosen) as run:  # type: ignore[arg-type]
        run.log({"loss": 0.5})
        run.log_artifact(bytes(100_000), "bytes")
    sink = run._writer.sink
    with sink.transaction() as statements:  # type: ignore[attr-defined]
        assert statements.one("PRAGMA synchronous", {}) == (2,)  # FULL: each commit waits
    assert str(tmp_path) in synced  # the folder of a store that was new
    assert any("artifacts" in path for path in synced)
    with gs.start_run("e", store=store, durability="process") as other:
        other.log({"loss": 0.25})
    with other._writer.sink.transaction() as statements:  # type: ignore[attr-defined]
        assert statements.one("PRAGMA synchronous", {}) == (1,)


def test_endings_are_kept_where_memory_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "spool").touch()  # a file in the place of a folder
    file = tmp_path / "lab.db"
    sink = DirectSink(file)
    written = writing.Writer(sink, Spool([tmp_path / "spool"]), store=sink.url)
    launch = Opening(id="launch", project="P", experiment="E", fingerprint="f", moment=1, pid=1)
    begins = {run: Beginning(launch=launch, name=run, group="g", moment=1) for run in ("a", "b")}
    written._beginnings.update(begins)
    file.rename(tmp_path / "away")
    monkeypatch.setattr(writing, "MEMORY", 100_000)
    for run in ("a", "b"):
        written.say(News(run, 1, 1, begins=begins[run], fields={"long": "x" * 200_000}))
        written.say(News(run, 1, 2, ends=Ending("complete", moment=2, launch="launch")))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        written.flush()
        (tmp_path / "away").rename(file)
        written.flush()
    assert sum("no more is kept in memory" in str(warning.message) for warning in told) == 1
    written.leave()
    with gs.open_store(sink.url) as store:
        assert {run.name: run.status.value for run in store.runs()} == dict.fromkeys(
            "ab", "complete"
        )


def test_a_durability_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="durability is 'disk'"):
        gs.start_run("e", store=f"sqlite:///{tmp_path}/store.db", durability="disk")


def test_a_run_ends_while_another_thread_begins_to_load_what_keeps_artifacts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gs.start_run("e", store=f"sqlite:///{tmp_path}/store.db") as run:
        run.log({"loss": 0.5})
        name = "gosset.tracking.artifacts"
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    assert run.status == "complete"
