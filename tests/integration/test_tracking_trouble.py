"""Trouble with the store after a run began: told once, and nothing that was logged is lost."""

from __future__ import annotations

import contextlib
import resource
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import disks
import pytest
from tracked import Place

import gosset as gs

TALKING = """import sys, time
with gs.start_run() as run:
    for line in sys.stdin:
        number = int(line)
        run.log({'m': number})
        if number % 2: run.flush()
        else: time.sleep(0.4)
        print(number, flush=True)
"""


@pytest.fixture(autouse=True)
def _own_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


class Talk:
    """A process that logs a number whenever it is told one, and then says so."""

    def __init__(self, place: Place, before: Sequence[str] = ()) -> None:
        self.process = place.start(TALKING, before=before)
        self.said: list[float] = []

    def log(self) -> None:
        number = len(self.said)
        self.said.append(number)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == f"{number}\n", self.process.communicate()[1]

    def end(self) -> str:
        """End it well; return what was on standard error."""
        _, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, errors
        return errors


def test_a_store_that_is_away_for_a_while_has_everything_at_the_end(place: Place) -> None:
    talk = Talk(place)
    talk.log()
    away = place.folder / "away"
    shutil.move(place.file.parent, away)
    for _ in range(4):
        talk.log()
    [spooled] = place.spooled()
    assert stat.S_IMODE(spooled.stat().st_mode) == 0o600
    for file in away.iterdir():
        shutil.move(file, place.file.parent)
    talk.log()
    errors = talk.end()
    assert errors.count("RuntimeWarning") == 1
    assert "is gone" in errors
    assert "is kept in" in errors
    assert place.values("m") == talk.said
    assert (place.run().status, place.spooled()) == ("complete", [])


def test_a_store_that_was_deleted_for_good_has_the_rest_when_there_is_another(
    place: Place,
) -> None:
    talk = Talk(place)
    talk.log()
    shutil.rmtree(place.file.parent)
    talk.log()
    talk.log()
    talk.end()
    assert len(place.spooled()) == 1
    run = place.run()
    assert (run.status, run.metrics["m"].value) == ("complete", 2)
    assert place.values("m")[-2:] == [1, 2]
    assert place.spooled() == []


@pytest.mark.parametrize("trouble", ["locked", "no store"])
def test_what_a_killed_process_left_is_taken_in_once_by_the_next(
    place: Place, trouble: str
) -> None:
    import sqlite3

    talk = Talk(place)
    talk.log()
    talk.log()
    if trouble == "locked":
        locking = sqlite3.connect(place.file)
        locking.execute("BEGIN IMMEDIATE")
    else:
        shutil.move(place.file, place.folder / "away")
    talk.log()
    talk.process.kill()
    talk.process.communicate()
    [file] = place.spooled()
    data = file.read_bytes()
    file.write_bytes(data + data[:-3])  # said twice, and cut off by the end of the process
    if trouble == "locked":
        locking.rollback()
        locking.close()
    else:
        shutil.move(place.folder / "away", place.file)
    others = [
        subprocess.Popen(
            [sys.executable, "-c", "import gosset as gs; gs.open_store().close()"],
            env=place.environment,
            cwd=place.folder,
        )
        for _ in range(3)
    ]
    assert [other.wait(60) for other in others] == [0, 0, 0]
    run = place.run()
    assert place.values("m") == talk.said
    assert (run.metrics["m"].series.count, place.spooled()) == (3, [])


def test_a_live_process_keeps_its_spool_to_itself(place: Place) -> None:
    talk = Talk(place)
    talk.log()
    shutil.move(place.file, place.folder / "away")
    talk.log()
    shutil.copy(place.folder / "away", place.file)
    [file] = place.spooled()
    place.runs()
    assert place.spooled() == [file] or place.values("m") == talk.said
    talk.log()
    talk.end()
    assert place.values("m") == talk.said


def test_strict_raises_what_is_told_else(place: Place) -> None:
    code, _, errors = place.carry_out(
        """import os, sys
run = gs.start_run(strict=True)
run.log({'m': 1})
run.flush()
os.rename(sys.argv[1], sys.argv[1] + '.away')
run.log({'m': 2})
try:
    run.flush()
except gs.GossetError as error:
    print(type(error).__name__, error, file=sys.stderr)
os.rename(sys.argv[1] + '.away', sys.argv[1])
""",
        str(place.file),
    )
    assert code == 0
    assert errors.startswith("StorageError store sqlite:///")
    assert "Warning" not in errors
    assert place.values("m") == [1, 2]


LONG = """import sys, time
with gs.start_run() as run:
    run.log({'m': -1})
    run.flush()
    print(flush=True)
    sys.stdin.readline()
    for i in range(int(sys.argv[1])):
        run.log({'m': i, 'n': 0.1 * i})
        if i % 20_000 == 0: time.sleep(0.15)
    run.flush()
    print(flush=True)
    sys.stdin.readline()
"""


class _Limit:
    """In the place of a small disk, where nothing may be mounted: no file of a process grows."""

    words: Sequence[str] = ()

    def of(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def fill(self) -> None:
        self._set(0)

    def free(self) -> None:
        self._set(resource.RLIM_INFINITY)

    def close(self) -> None:
        """Let it go, which takes nothing."""

    def _set(self, size: int) -> None:
        limits = (size, resource.RLIM_INFINITY)
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("kind", [*disks.kinds()[:-1], _Limit])
def test_a_disk_that_is_full_loses_nothing(
    tmp_path: Path, kind: type[disks.MountedDisk] | type[_Limit]
) -> None:
    place = Place(tmp_path)
    (tmp_path / "store").mkdir()
    disk = _Limit() if kind is _Limit else disks.MountedDisk(tmp_path / "store", 8 << 20)
    with contextlib.closing(disk):
        process = place.start(LONG, "100000", before=disk.words)
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        if isinstance(disk, _Limit):
            disk.of(process)
        disk.fill()
        process.stdin.write("\n")
        process.stdin.flush()
        process.stdout.readline()
        if isinstance(disk, disks.MountedDisk):
            assert len(place.spooled()) == 1  # among the caches, which lie elsewhere
        disk.free()
        _, errors = process.communicate("\n", timeout=60)
        assert process.returncode == 0, errors
        assert "RuntimeWarning" in errors
        if isinstance(disk, disks.MountedDisk):
            assert errors.count("RuntimeWarning") == 1
            words = [*disk.words, "sh", "-c", "tar c lab.db*"]
            files = subprocess.run(words, capture_output=True, check=True)
            subprocess.run(["tar", "x"], input=files.stdout, cwd=tmp_path / "store", check=True)
    run = place.run()
    assert (run.status, run.metrics["m"].series.count) == ("complete", 100_001)
    assert place.values("m") == list(range(-1, 100_000))
    assert place.spooled() == []


def test_a_store_that_was_made_read_only_loses_nothing(place: Place) -> None:
    talk = Talk(place, before=disks.BY_PERMISSIONS)
    talk.log()
    shutil.copy(place.file, place.folder / "copy")
    for file in place.file.parent.glob("lab.db-*"):
        shutil.copy(file, f"{place.folder / 'copy'}{file.name.removeprefix('lab.db')}")
    for file in place.folder.glob("copy*"):
        file.chmod(0o444)
        file.rename(place.file.parent / file.name.replace("copy", "lab.db"))
    place.file.parent.chmod(0o555)
    talk.log()
    talk.log()
    [spooled] = place.spooled()
    assert place.folder / "caches" in spooled.parents
    place.file.parent.chmod(0o755)
    for file in place.file.parent.glob("lab.db*"):
        file.chmod(0o644)
    assert talk.end().count("RuntimeWarning") == 1
    assert place.values("m") == talk.said


@pytest.mark.postgresql
def test_a_server_that_stops_and_starts_again_has_everything(
    tmp_path: Path, own_postgresql: tuple[str, Callable[[str], None]]
) -> None:
    url, control = own_postgresql
    place = Place(tmp_path, url)
    talk = Talk(place)
    talk.log()
    control("stop")
    for _ in range(3):
        talk.log()
    assert len(place.spooled()) == 1
    control("start")
    talk.log()
    errors = talk.end()
    assert errors.count("RuntimeWarning") == 1
    assert place.values("m") == talk.said
    assert (place.run().status, place.spooled()) == ("complete", [])


@pytest.mark.postgresql
def test_what_a_slow_server_has_not_taken_is_on_the_disk_at_once(
    tmp_path: Path, postgresql_url: str
) -> None:
    import psycopg

    place = Place(tmp_path, postgresql_url)
    talk = Talk(place)
    talk.log()
    talk.log()
    with psycopg.connect(postgresql_url) as connection:
        connection.execute("LOCK TABLE runs, series IN ACCESS EXCLUSIVE MODE")
        talk.log()  # and 400 ms pass
        talk.process.kill()
        talk.process.communicate()
        time.sleep(0.1)
        assert len(place.spooled()) == 1
    assert place.values("m") == talk.said
    assert place.run().metrics["m"].series.count == 3


def test_a_run_that_was_deleted_while_at_work_is_told_once_and_leaves_no_trace(
    place: Place,
) -> None:
    talk = Talk(place)
    talk.log()
    with gs.open_store(place.url) as store:
        store.catalog.delete("runs", store.runs()[0].id)
    for _ in range(3):
        talk.log()
    assert talk.end().count("RuntimeWarning") == 1
    assert (place.runs(), place.spooled()) == ([], [])
