"""Processes killed at random moments: the store stays whole, and what was durable is there.

A process says what it was told is durable, by ``flush()``, by ``finish()`` or by 250 ms that have
passed. ``GOSSET_KILLS`` is how many are killed (25); ``make test-full`` kills 240.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import gosset as gs
from gosset.series import unpack

KILLS = int(os.environ.get("GOSSET_KILLS", "25"))

# Each line that it prints is a promise: "RUN KIND COUNT", of which the store must have COUNT points.
SCRIPT = """
import os, sys, time
import gosset as gs

way = sys.argv[1]
print("up", flush=True)
number = 0
while True:
    run = gs.start_run("kills", params={"number": number})
    number += 1
    for i in range(40):
        run.log({"m": i, "n": -i})
        if i == 20:
            run.fields["half"] = True
        if way == "flush" or (way == "mixed" and i % 7 == 6):
            run.flush()
            os.write(1, f"{run.id} flushed {i + 1}\\n".encode())
        elif way == "slow":
            os.write(1, f"{run.id} logged {i + 1} {time.time()}\\n".encode())
            time.sleep(0.02)
    run.finish()
    os.write(1, f"{run.id} finished 40\\n".encode())
"""


def _killed(store: str, way: str, after: float) -> tuple[list[list[str]], float]:
    """Return what a process said until it was killed, and when it was."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, way],
        env=os.environ | {"GOSSET_STORE": store},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    time.sleep(after)
    moment = time.time()
    process.send_signal(signal.SIGKILL)
    output, _ = process.communicate()
    return [line.split() for line in output.splitlines()], moment


def test_a_kill_at_any_moment_loses_nothing_that_was_said_to_be_durable(
    tmp_path: Path, monkeypatch: object
) -> None:
    file = tmp_path / "lab.db"
    url = f"sqlite:///{file}"
    chance = random.Random(KILLS)
    promised: dict[str, int] = {}
    finished: set[str] = set()
    lags: list[float] = []
    for kill in range(KILLS):
        way = ("flush", "mixed", "slow", "finish")[kill % 4]
        lines, moment = _killed(url, way, chance.uniform(0, 0.9 if way == "slow" else 0.4))
        with gs.open_store(url) as store:
            store.catalog.reap()
            counts = {
                run.id: run.metrics["m"].series.count if "m" in run.metrics else 0
                for run in store.runs()
            }
        latest: dict[str, float] = {}
        for run, kind, count, *said in lines:
            if kind != "logged" or moment - float(said[0]) > 0.25:
                promised[run] = max(promised.get(run, 0), int(count))
            elif int(count) > counts.get(run, 0):
                latest.setdefault(run, moment - float(said[0]))
            if kind == "finished":
                finished.add(run)
        lags += latest.values()
        lost = {
            run: (count, counts.get(run, 0))
            for run, count in promised.items()
            if counts.get(run, 0) < count
        }
        assert not lost, f"kill {kill} ({way}): promised and found {lost}"
    _check(url, file, finished)
    sys.stderr.write(f"{KILLS} kills, {len(promised)} runs; oldest point lost: {max(lags)} s\n")


def _check(url: str, file: Path, finished: set[str]) -> None:
    """Hold the store to what is promised of it: whole, and no run half there."""
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    assert list(file.parent.glob("spool/**/*.news")) == []
    with gs.open_store(url) as store:
        for run in store.runs():
            assert run.status == ("complete" if run.id in finished else run.status)
            assert run.status in ("complete", "crashed")
            assert run.params["number"] >= 0
            for name, sign in (("m", 1), ("n", -1)):
                points = unpack(store.catalog.series(run.id, [name]).get(name, []))
                count = len(points)
                assert points.values == [sign * i for i in range(count)]
                assert points.steps == list(range(count))
                if count:
                    assert run.metrics[name].series.count == count
            assert run.status == "crashed" or count == 40
