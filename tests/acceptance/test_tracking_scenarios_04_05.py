"""Tracking, scenarios 4 and 5: one run fails alone; processes are killed."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from workplace import Workplace

import gosset as gs

# -- 4: failure isolation

TEN = """
    import json, os, sys, time
    import gosset as gs

    def work(run):
        with open("carried-out", "a") as file:
            file.write(f"{run.params.n}\\n")
        run.fields.square = run.params.n ** 2
        if run.params.n == 6 and not os.path.exists("mended"):
            raise ValueError("six is not to be")
        if run.params.n > 6 and os.path.exists("slow"):
            time.sleep(1)
        run.log({"loss": run.params.n / 10})

    ten = gs.Experiment("ten", steps=[work], parameters={"n": range(10)})
"""

IN_HAND = (
    TEN
    + """
    if __name__ == "__main__":
        mode, executor, *jobs = sys.argv[1:]
        options = {"executor": executor, "jobs": int(jobs[0]) if jobs else None}
        if mode == "fast":
            result = ten.execute(fail_fast=True, **options)
        else:
            result = ten.execute(**options)
            failed = [run for run in ten.runs.values() if run.status == "failed"]
            print(json.dumps([run.params.n for run in failed]))
            if mode == "again":
                open("mended", "w").close()
                ten.execute(steps=[work], runs=failed, **options).raise_for_status()
        print(json.dumps([str(run.status) for run in ten.runs.values()]))
"""
)

WAYS = [pytest.param(("inline",), id="inline"), pytest.param(("processes", "2"), id="processes")]


def carried_out(place: Workplace) -> list[int]:
    """Return which runs were carried out since it was asked last."""
    file = place.folder / "carried-out"
    numbers = [int(line) for line in file.read_text().split()]
    file.unlink()
    return numbers


@pytest.mark.parametrize("way", WAYS)
def test_one_run_of_ten_fails_alone_and_is_alone_in_being_tried_again(
    workplace: Workplace, way: tuple[str, ...]
) -> None:
    """Scenario 4: nine stay, the tenth says why, and a retry carries out it alone."""
    executor, *jobs = way
    workplace.variables["GOSSET_EXECUTOR"] = executor
    workplace.write("ten.py", TEN)
    options = ["--jobs", jobs[0]] if jobs else []
    workplace.gosset("run", "ten.py", *options, code=1)
    assert sorted(carried_out(workplace)) == list(range(10))
    runs = workplace.json("list", "runs", "--sort", "number")
    assert [run["status"] for run in runs] == ["complete"] * 6 + ["failed"] + ["complete"] * 3
    assert [run["metrics"].get("loss") for run in runs if run["status"] == "complete"] == [
        n / 10 for n in range(10) if n != 6
    ]
    shown = workplace.json("show", "ten#7")
    assert shown["fields"] == {"square": 36}
    assert (shown["exception"]["type"], shown["exception"]["message"]) == (
        "ValueError",
        "six is not to be",
    )
    assert 'raise ValueError("six is not to be")' in shown["exception"]["traceback"]

    (workplace.folder / "mended").touch()
    workplace.gosset("resume", *options)
    assert carried_out(workplace) == [6]
    again = workplace.json("list", "runs", "--sort", "number")
    assert [run["id"] for run in again] == [run["id"] for run in runs]
    assert {run["status"] for run in again} == {"complete"}
    assert again[6]["metrics"] == {"loss": 0.6}
    assert workplace.json("show", "ten#7")["exception"] is None


@pytest.mark.parametrize("way", WAYS)
def test_those_in_hand_that_failed_are_carried_out_again(
    workplace: Workplace, way: tuple[str, ...]
) -> None:
    """Scenario 4: the same from Python, with the very runs that failed."""
    told = workplace.python(workplace.write("ten.py", IN_HAND), "again", *way).splitlines()
    assert [json.loads(line) for line in told] == [[6], ["complete"] * 10]
    assert carried_out(workplace)[10:] == [6]
    with workplace.store() as store:
        assert len(store.runs("status == 'complete'")) == 10


@pytest.mark.parametrize("way", WAYS)
def test_who_wants_to_stop_at_the_first_failure_stops_within_a_task(
    workplace: Workplace, way: tuple[str, ...]
) -> None:
    """Scenario 4: what is at work when a run fails is all that may still come.

    Each worker may have begun another run before the word of the failure was out.
    """
    (workplace.folder / "slow").touch()
    [told] = workplace.python(workplace.write("ten.py", IN_HAND), "fast", *way).splitlines()
    (workplace.folder / "slow").unlink()
    done = carried_out(workplace)
    assert 6 in done
    assert len(done) <= 7 + sum(map(int, way[1:]))
    statuses = json.loads(told)
    assert statuses[:7].count("failed") == 1
    assert statuses[6] == "failed"
    assert set(statuses[7:]) <= {"stopped", "complete"}
    assert "stopped" in statuses[7:]
    with workplace.store() as store:
        assert [str(run.status) for run in store.runs(order_by="number")] == statuses
    (workplace.folder / "mended").touch()
    workplace.gosset("resume")
    with workplace.store() as store:
        assert len(store.runs("status == 'complete'")) == 10
        assert len(store.runs()) == 10


# -- 5: kill -9

THOUSAND = """
    import os, signal, sys, time
    import gosset as gs

    run = gs.start_run("killed")
    for step in range(1000):
        run.log({"loss": step / 7})
    if sys.argv[1] == "flushed":
        run.flush()
    else:
        time.sleep(0.5)  # twice what the writer takes
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("way", ["flushed", "waited"])
def test_what_was_durable_survives_a_kill(workplace: Workplace, way: str) -> None:
    """Scenario 5: a thousand values, and nobody to close the run."""
    script = workplace.write("killed.py", THOUSAND)
    workplace.start([sys.executable, script, way], code=-signal.SIGKILL)
    with workplace.store() as store:
        [run] = store.runs()
        series = store.series(run, "loss")
        assert series.values.tolist() == [step / 7 for step in range(1000)]
        assert series.steps.tolist() == list(range(1000))
    assert workplace.json("list", "runs")[0]["status"] == "crashed"
    check_whole(workplace.folder / ".gosset" / "store.db")


REPLACING = """
    import os, sys
    import numpy as np
    import gosset as gs

    with gs.open_store() as store:  # what it imports is imported once for all children
        store.run(sys.argv[1])

    def replace(version):
        run = gs.start_run("replaced", resume=sys.argv[1])
        while True:
            version += 1
            run.fields.model = {"version": version, "weights": np.full(3000, version)}
            run.log_artifact(np.full(20_000, version), "weights")
            run.flush()
            os.write(1, f"{version}\\n".encode())

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            replace(int(line))
        print("child", child, flush=True)
        os.waitpid(child, 0)
        print("gone", flush=True)
"""

KILLS = 100


@pytest.mark.timeout(180)
def test_a_value_that_is_replaced_is_the_old_or_the_new_one_whenever_a_kill_comes(
    workplace: Workplace,
) -> None:
    """Scenario 5: a hundred kills at random moments while a field and an artifact are replaced."""
    url = f"sqlite:///{workplace.folder}/.gosset/store.db"
    workplace.python(
        workplace.write(
            "begin.py",
            """
            import os, gosset as gs
            run = gs.start_run("replaced")
            run.fields.model = {"version": 0}
            run.flush()
            os._exit(0)
            """,
        )
    )
    with gs.open_store(url) as store:
        id_ = store.runs()[0].id
    chance = random.Random(KILLS)
    driver = subprocess.Popen(
        [sys.executable, workplace.write("replacing.py", REPLACING), id_],
        cwd=workplace.folder,
        env=workplace.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with driver, gs.open_store(url) as store:
        version, versions = 0, set()
        for _ in range(KILLS):
            promised = killed_while_replacing(driver, version, chance.uniform(0, 0.04))
            model = store.fields(id_)["model"]
            assert promised <= model["version"] <= promised + 1
            version = model["version"]
            versions.add(version)
            if version:
                assert set(model["weights"].tolist()) == {version}
                [weights] = set(store.artifact(id_, "weights").tolist())
                assert promised <= weights <= promised + 1
        assert driver.stdin is not None
        driver.stdin.close()
        assert len(versions) > KILLS // 4
    check_whole(workplace.folder / ".gosset" / "store.db")


def killed_while_replacing(driver: subprocess.Popen[str], version: int, after: float) -> int:
    """Kill a child some seconds after its first promise; return the last version it promised."""
    assert driver.stdin is not None
    assert driver.stdout is not None
    driver.stdin.write(f"{version}\n")
    driver.stdin.flush()
    _, child = driver.stdout.readline().split()
    promised = int(driver.stdout.readline())
    time.sleep(after)
    os.kill(int(child), signal.SIGKILL)
    while (line := driver.stdout.readline()) != "gone\n":
        promised = int(line)
    return promised


def check_whole(file: Path) -> None:
    """Ask SQLite whether a store is whole."""
    connection = sqlite3.connect(file)
    found: list[Any] = connection.execute("PRAGMA integrity_check").fetchall()
    assert found == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
