"""Runs that are taken up again: by one process, which goes on where the other was."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tracked import Place

BEGUN = """import os, sys
run = gs.start_run('e', name='first', params={'lr': 1}, config={'k': 1}, tags=['a'], seed=3)
for i in range(5): run.log({'m': i})
run.fields['note'] = 'kept'
run.flush()
print(run.id, flush=True)
if sys.argv[1] == 'kill': os.kill(os.getpid(), 9)
if sys.argv[1] == 'fail': 1 / 0
if sys.argv[1] == 'wait': sys.stdin.read()
"""
RESUMED = """import sys
try:
    run = gs.start_run('e', resume=sys.argv[1] if sys.argv[1] != 'True' else True,
                       params={'more': 2}, tags=['b'], **dict(a.split('=') for a in sys.argv[2:]))
except gs.GossetError as error:
    print(type(error).__name__, error)
    sys.exit()
print(run.id, run.name, run.seed, dict(run.params), dict(run.config), run.tags, run.fields['note'])
sys.stdout.flush()
sys.stdin.read()
run.log({'m': 5})
run.log({'m': 0}, step=6)
print(run.number)
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize("end", ["kill", "fail", "complete"])
@pytest.mark.parametrize("by", ["id", "name", "True"])
def test_a_run_goes_on_where_it_was(place: Place, end: str, by: str) -> None:
    _, output, _ = place.carry_out(BEGUN, end)
    id = output.strip()
    if by == "True" and end == "complete":
        return
    _, output, errors = place.carry_out(RESUMED, {"id": id, "name": "first"}.get(by, by))
    facts = f"{id} first 3 {{'lr': 1, 'more': 2}} {{'k': 1}} ('a', 'b') kept\n1\n"
    assert output == facts, errors
    run = place.run()
    assert (run.status, run.exception, run.number, run.launch) == ("complete", None, 1, 2)
    assert (run.params, run.tags) == ({"lr": 1, "more": 2}, ("a", "b"))
    series = run.metrics["m"].series
    assert (series.count, series.step, run.metrics["m"].value) == (7, 6, 0)
    assert place.values("m") == [0, 0, 1, 2, 3, 4, 5]
    assert [launch.status == "complete" for launch in place.launches()] == [
        end == "complete",
        True,
    ]


def test_where_all_runs_are_complete_another_is_started(place: Place) -> None:
    place.carry_out(BEGUN, "complete")
    place.carry_out("gs.start_run('e', resume=True, name='second').log({'m': 1})")
    assert [(run.name, run.status.value) for run in place.runs()] == [
        ("first", "complete"),
        ("second", "complete"),
    ]


def test_a_run_at_which_somebody_is_at_work_is_not_taken_up(place: Place) -> None:
    process = place.start(BEGUN, "wait")
    assert process.stdout is not None
    id = process.stdout.readline().strip()
    _, output, _ = place.carry_out(RESUMED, id)
    assert output.startswith(f"UsageError run first is at work in process {process.pid} on ")
    process.communicate("", timeout=60)
    assert place.run().status == "complete"
    assert place.run().metrics["m"].series.count == 5


def test_of_several_who_resume_a_run_at_once_one_does(place: Place) -> None:
    _, output, _ = place.carry_out(BEGUN, "kill")
    id = output.strip()
    processes = [place.start(RESUMED, id) for _ in range(4)]
    first: list[str] = []

    def read(process: object) -> None:
        first.append(process.stdout.readline())  # type: ignore[attr-defined]

    threads = [threading.Thread(target=read, args=(process,)) for process in processes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for process in processes:
        process.communicate("", timeout=60)
    assert sorted(line.split()[0] for line in first) == sorted([id, *["UsageError"] * 3])
    assert (place.run().status, place.run().metrics["m"].series.count) == ("complete", 7)


def test_what_is_not_there_cannot_be_resumed(place: Place) -> None:
    place.carry_out(BEGUN, "complete")
    _, output, _ = place.carry_out(RESUMED, "frist")
    assert output.startswith("NotFoundError nothing among the runs")
