"""Processes killed while they do one thing in particular: keep artifacts, fill a spool, resume …

Whatever it is, the store stays whole, every reference has its bytes, and what a process was told
is durable is there: what it flushed, or what is older than 250 ms. ``GOSSET_KILLS`` is how many
are killed in all (25); ``make test-full`` kills 240.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import gosset as gs
from gosset.entities import Run
from gosset.store import Store

KILLS = max(1, int(os.environ.get("GOSSET_KILLS", "25")) // 5)
LATE = 0.25
"""Seconds after which what was logged is durable."""

BUSY = 0.25
"""Seconds by which a machine that others use may be late."""


class Place:
    """A store, and processes that are killed while they work for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = 0
        self.new()

    def new(self) -> None:
        """Go on with a store that is not there yet."""
        self.number += 1
        self.file = self.folder / f"store{self.number}" / "lab.db"
        self.url = f"sqlite:///{self.file}"

    @contextlib.contextmanager
    def killed(self, code: str, *arguments: str) -> Iterator[list[list[str]]]:
        """Start a process, which says "up", and kill it at the end of the block.

        What it said, a list of words a line, is there after the block.
        """
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            env=os.environ
            | {"GOSSET_STORE": self.url, "XDG_CACHE_HOME": str(self.folder / "caches")},
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first == b"up\n", process.communicate()[1]
        said: list[list[str]] = []
        yield said
        self.moment = time.time()
        process.send_signal(signal.SIGKILL)
        output, errors = process.communicate()
        assert process.returncode == -signal.SIGKILL, errors
        said += [line.split() for line in output.decode().splitlines()]

    def check(self) -> dict[str, Run]:
        """Hold the store to what is promised of any: it is whole, and all of it can be read."""
        with gs.open_store(self.url) as store:
            store.catalog.reap()
            runs = {run.id: run for run in store.runs()}
            for run in runs.values():
                assert run.status in ("complete", "crashed")
                for name, metric in run.metrics.items():
                    assert metric.series is not None
                    assert len(store.series(run, name).values) == metric.series.count
                for ref in store.artifacts_of(run).values():
                    assert ref.inline is not None or store.artifacts.read(ref.digest) is not None
                store.fields(run)
                store.catalog.console(run.id)
            for stored in store.artifacts.list():
                store.artifacts.read(stored.digest)  # which compares bytes and digest
        connection = sqlite3.connect(self.file)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.close()
        return runs

    def opened(self) -> Store:
        return gs.open_store(self.url)

    def values(self, run: str) -> list[float]:
        with self.opened() as store:
            found = store.run(run)
            return [] if "m" not in found.metrics else store.series(found, "m").values.tolist()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return Place(tmp_path)


@pytest.fixture
def chance() -> random.Random:
    return random.Random(KILLS)


def told(counts: Counter[str]) -> None:
    sys.stderr.write(", ".join(f"{count} {what}" for what, count in counts.items()) + "\n")


# -- artifacts

ARTIFACTS = """
import os, pathlib, sys
import gosset as gs
run = gs.start_run("artifacts")
folder = pathlib.Path(f"folder-{run.id}")
folder.mkdir()
def block(n): return bytes([n % 251]) * 400_000
os.write(1, b"up\\n")
n = 0
while True:
    run.log_artifact(block(n), f"value/{n}")
    (folder / f"{n}.bin").write_bytes(block(n))
    run.log_artifact(folder / f"{n}.bin", f"file/{n}")
    run.log_artifact(folder, "folder")
    run.fields[f"field/{n}"] = (n, [float(n)] * 20_000)
    run.flush()
    os.write(1, f"{run.id} {n}\\n".encode())
    n = (n + 1) % 8  # names are given again, too
"""


def test_no_artifact_is_referred_to_without_its_bytes(place: Place, chance: random.Random) -> None:
    counts: Counter[str] = Counter()
    for _ in range(KILLS):
        with place.killed(ARTIFACTS) as said:
            time.sleep(chance.uniform(0, 0.5))
        place.check()
        counts["kills"] += 1
        if not said:
            continue
        run, last = said[-1][0], min(len(said), 8)
        with place.opened() as store:
            names = store.artifacts_of(run)
            fields = store.fields(run)
            for n in range(last):
                counts["artifacts promised"] += 2
                assert store.artifact(run, f"value/{n}") == bytes([n % 251]) * 400_000
                assert f"file/{n}" in names
                assert fields[f"field/{n}"] == (n, [float(n)] * 20_000)
            assert "folder" in names
    told(counts)


# -- the spool

LOGGING = """
import os, sys, time
import gosset as gs
flushes = sys.argv[1] == "gone"
run = gs.start_run("spool")
run.log({"m": 0})
run.flush()
os.write(1, b"up\\n")
i = 1
while True:
    run.log({"m": i})
    i += 1
    os.write(1, f"{run.id} {i} {time.time()}\\n".encode())
    if flushes and i % 9 == 0:
        run.flush()
        os.write(1, f"{run.id} {i} 0\\n".encode())
    time.sleep(0.004)
"""


@contextlib.contextmanager
def _trouble(place: Place, kind: str) -> Iterator[None]:
    """Let the store be locked, or be gone, inside the block."""
    if kind == "gone":
        away = place.file.with_name("away.db")
        ends = ("", "-wal", "-shm")
        for end in ends:
            with contextlib.suppress(FileNotFoundError):
                os.rename(f"{place.file}{end}", f"{away}{end}")
        yield
        for end in reversed(ends):
            with contextlib.suppress(FileNotFoundError):
                os.rename(f"{away}{end}", f"{place.file}{end}")
        return
    connection = sqlite3.connect(place.file, isolation_level=None, timeout=60)
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.execute("ROLLBACK")
    connection.close()


@pytest.mark.parametrize("kind", ["locked", "gone"])
@pytest.mark.parametrize("late", [False, True])
def test_what_was_put_aside_is_taken_in_by_the_next(
    place: Place, chance: random.Random, kind: str, late: bool
) -> None:
    """Killed during the trouble, or, `late`, while what was put aside is on its way."""
    counts: Counter[str] = Counter()
    for _ in range(max(1, KILLS // 2)):
        with contextlib.ExitStack() as block:
            said = block.enter_context(place.killed(LOGGING, kind))
            with _trouble(place, kind):
                time.sleep(chance.uniform(0.3, 0.8))
                if not late:
                    block.close()
            if late:
                time.sleep(chance.uniform(0, 0.3 if kind == "locked" else 1.2))
        runs = place.check()
        counts["kills"] += 1
        run = said[-1][0]
        promised = max(
            (int(n) for _, n, at in said if place.moment - float(at) > LATE + BUSY), default=1
        )
        found = place.values(run)
        assert found == list(range(len(found)))
        assert len(found) >= promised, f"{promised} promised, {len(found)} there"
        assert runs[run].metrics["m"].series.count == len(found)
        counts["points promised"] += promised
        early = [float(at) for _, n, at in said if int(n) > len(found) and float(at)]
        counts["ms of the oldest lost"] = max(
            counts["ms of the oldest lost"],
            int(1000 * (place.moment - min(early, default=place.moment))),
        )
    assert list(place.folder.rglob("*.news")) == []
    told(counts)


# -- a run that is resumed

RESUMED = """
import os, sys
import gosset as gs
from gosset.tracking import starting
late = sys.argv[3] == "late"
if not late: os.write(1, b"up\\n")
run = gs.start_run("resumed", resume=sys.argv[1] or None)
if late: os.write(1, b"up\\n")
os.write(1, f"{run.id} 0\\n".encode())
base = int(sys.argv[2]) * 1_000_000
for i in range(1_000_000):
    run.log({"m": base + i})
    if i % 5 == 4:
        run.flush()
        os.write(1, f"{run.id} {i + 1}\\n".encode())
"""


def test_a_run_that_is_resumed_and_killed_again_and_again_has_all_it_promised(
    place: Place, chance: random.Random
) -> None:
    counts: Counter[str] = Counter()
    run, promised = "", {}
    for kill in range(KILLS):
        # Each other one while it is taken up, the others when they have gone on.
        when = "late" if kill % 2 == 0 else "early"
        with place.killed(RESUMED, run, str(kill), when) as said:
            time.sleep(chance.uniform(0, 0.3 if when == "late" else 0.9))
        if not run:
            run = said[0][0]
        assert {words[0] for words in said} <= {run}
        promised[kill] = max((int(n) for _, n in said), default=0)
        counts["kills"] += 1
        counts["killed before it was resumed"] += not said
        runs = place.check()
        assert list(runs) == [run]
        assert runs[run].status == "crashed"
    counts["points promised"] = sum(promised.values())
    found = place.values(run)
    for kill, count in promised.items():
        own = [value for value in found if value // 1_000_000 == kill]
        assert own == [kill * 1_000_000 + i for i in range(len(own))]
        assert len(own) >= count
    with place.opened() as store:
        assert store.series(run, "m").steps.tolist() == list(range(len(found)))
    told(counts)


# -- a store that is being made

MADE = """
import os, sys, time
import gosset as gs
from gosset.tracking import starting
if sys.argv[1] == "store":
    import gosset.storage.migrations.versions.v0001_first, gosset.storage.sql
os.write(1, b"up\\n")
if sys.argv[1] == "store":
    gs.open_store()
run = gs.start_run("made")
run.log({"m": 0})
run.flush()
os.write(1, f"{run.id} 1\\n".encode())
time.sleep(60)
"""


@pytest.mark.parametrize("by", ["run", "store"])
def test_a_store_whose_making_was_killed_is_made_by_the_next(
    place: Place, chance: random.Random, by: str
) -> None:
    counts: Counter[str] = Counter()
    for _ in range(KILLS):
        place.new()
        with place.killed(MADE, by) as said:
            time.sleep(chance.uniform(0, 0.2 if by == "run" else 0.5))
        counts["kills"] += 1
        counts["killed before there was a store"] += not place.file.exists()
        counts["killed before there was a run"] += not said
        with gs.start_run("next", store=place.url) as run:
            run.log({"m": 1})
        runs = place.check()
        assert runs[run.id].status == "complete"
        assert {words[0] for words in said} <= set(runs)
    told(counts)


# -- what looks and listens meanwhile

WATCHED = """
import os, sys, time
import gosset as gs
run = gs.start_run("watched", capture=True, system_metrics=0.01)
os.write(1, b"up\\n")
i = 0
while True:
    run.log({"m": i})
    i += 1
    print("x" * (i % 300), flush=True)
    if i % 5 == 0:
        run.flush()
        os.write(1, f"{run.id} {i}\\n".encode())
    time.sleep(0.002)
"""


def test_threads_that_watch_a_run_die_with_it(place: Place, chance: random.Random) -> None:
    """And so do the processes that show what it prints, or nobody would see its end."""
    counts: Counter[str] = Counter()
    for _ in range(KILLS):
        with place.killed(WATCHED) as said:
            time.sleep(chance.uniform(0.05, 0.8))
        counts["kills"] += 1
        place.check()
        promises = [words for words in said if len(words) == 2]
        if promises:
            run, count = promises[-1]
            found = place.values(run)
            assert len(found) >= int(count)
            assert found == list(range(len(found)))
            counts["points promised"] += int(count)
    told(counts)
    assert counts["points promised"] > 0
