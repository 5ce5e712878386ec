"""Merges killed at random moments: each run is in the store whole or not at all.

``GOSSET_KILLS`` is how many are killed (25); ``make test-full`` kills 240.
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
from gosset.identifiers import new_id
from gosset.series import Points, pack, summarise
from gosset.storage.news import Beginning, Ending, Kept, News, Opening
from gosset.store import Store

KILLS = int(os.environ.get("GOSSET_KILLS", "25"))
RUNS = 120

SCRIPT = """
import sys
import gosset as gs
from gosset.storage.merging import catalogs

catalogs._RUNS = 3
with gs.open_store(sys.argv[2]) as target:
    print("up", flush=True)
    target.merge(sys.argv[1])
"""


def _source(url: str) -> Store:
    store = gs.open_store(url)
    opening = Opening(id=new_id(), project="P", experiment="e", fingerprint="f", moment=1)
    news = []
    for number in range(RUNS):
        data = store.artifacts.put(f"artifact {number}".encode() * 500)
        points = Points(list(range(50)), [number + i / 64 for i in range(50)], list(range(50)))
        news.append(
            News(
                run=new_id(),
                writer=number,
                number=1,
                begins=Beginning(
                    launch=opening, name=f"r{number}", group="g", params={"n": number}
                ),
                points=[("loss", 0, pack(points))],
                summaries={"loss": summarise(points)},
                fields={"number": number},
                tags=("kept",),
                artifacts=[Kept("data", "text", data, 10)],
                console=[("stdout", 1, f"line {number}")],
                ends=Ending("complete", 3, leaves="complete"),
            )
        )
    store.catalog.sink().write(news)
    return store


def test_a_merge_that_is_killed_leaves_whole_runs_and_the_next_one_goes_on(tmp_path: Path) -> None:
    chance = random.Random(KILLS)
    source = _source(f"sqlite:///{tmp_path}/source.db")
    target, lasting, killed, number = "", 0.6, 0, 0
    while killed < KILLS:
        if not target:
            number += 1
            target = f"sqlite:///{tmp_path}/target{number}.db"
            gs.open_store(target).close()
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, source.url, target], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        began = time.monotonic()
        time.sleep(chance.uniform(0, lasting))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if process.returncode == -signal.SIGKILL:
            killed += 1
        else:
            lasting = max(0.05, time.monotonic() - began)
        if _check(tmp_path / f"target{number}.db", target) == RUNS:
            target = ""


def _check(file: Path, url: str) -> int:
    """Hold a store to what is promised of it, and return how many runs it has."""
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    with gs.open_store(url) as store:
        runs = store.runs().to_list()
        for run in runs:
            number = run.params["n"]
            assert (run.status, run.fields, run.tags) == ("complete", {"number": number}, ("kept",))
            assert run.metrics["loss"].series.count == 50
            assert store.artifacts.read(store.artifacts_of(run)["data"].digest)[:9] == b"artifact "
            assert [p.text for p in store.catalog.console(run.id)] == [f"line {number}"]
        for run in runs[::20]:
            assert store.series(run, "loss").values[0] == run.params["n"]
    return len(runs)
