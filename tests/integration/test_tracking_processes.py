"""Many threads, tasks and processes: each logs to the run that it works for, and none is lost."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from tracked import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_64_threads_log_to_one_run(place: Place) -> None:
    _, _, errors = place.carry_out(
        """import threading
with gs.start_run() as run:
    def work(thread):
        for i in range(300):
            gs.log({'all': thread * 300 + i, f'own/{thread}': i})
    threads = [threading.Thread(target=work, args=(n,)) for n in range(64)]
    [t.start() for t in threads]
    [t.join() for t in threads]
"""
    )
    assert errors == ""
    assert place.values("all") == list(range(64 * 300))
    run = place.run()
    assert run.metrics["all"].series.count == 64 * 300
    assert {run.metrics[f"own/{n}"].series.count for n in range(64)} == {300}


def test_a_thread_and_a_task_log_to_the_run_of_who_started_them(place: Place) -> None:
    place.carry_out(
        """import asyncio, threading
from concurrent.futures import ThreadPoolExecutor
both = threading.Barrier(2)
def own(name):
    with gs.start_run(name=name):
        both.wait()
        inner = threading.Thread(target=lambda: gs.log({name: 1}))
        inner.start(); inner.join()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda i: gs.log({name: i}), [2, 3]))
        both.wait()
threads = [threading.Thread(target=own, args=(n,)) for n in ('one', 'two')]
[t.start() for t in threads]; [t.join() for t in threads]

def plainly(name):
    run = gs.start_run(name=name)
    both.wait()
    gs.log({name: 1})
    both.wait()
    gs.finish()
threads = [threading.Thread(target=plainly, args=(n,)) for n in ('three', 'four')]
[t.start() for t in threads]; [t.join() for t in threads]

async def task(name):
    with gs.start_run(name=name):
        await asyncio.sleep(0.05)
        gs.log({name: 1})
        await asyncio.gather(later(name), later(name))
async def later(name):
    await asyncio.sleep(0.01)
    gs.log({name: 2})
async def main():
    await asyncio.gather(task('five'), task('six'))
asyncio.run(main())

outer = gs.start_run(name='outer')
with gs.start_run(name='inner'):
    outer.log({'outer': 1})
    gs.log({'inner': 1})
gs.log({'outer': 2})
"""
    )
    runs = {run.name: run for run in place.runs()}
    assert len(runs) == 8
    for name, run in runs.items():
        assert list(run.metrics) == [name]
        assert run.status == "complete"
    counts = [3, 3, 1, 1, 3, 3, 2, 1]
    assert [run.metrics[run.name].series.count for run in place.runs()] == pytest.approx(counts)
    assert runs["inner"].parent == runs["outer"].id
    assert all(runs[name].parent is None for name in ("one", "two", "three", "four", "five", "six"))


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_children_of_multiprocessing_log_to_the_run_of_their_parent(
    place: Place, method: str
) -> None:
    code, _, errors = place.carry_out(
        """import multiprocessing, sys
def work(n):
    for i in range(100):
        gs.log({'m': 100 * n + i})
def nested(n):
    with gs.start_run(name='nested'):
        gs.log({'n': n})
    gs.log({'m': 500})
def failing(n):
    gs.start_run(name='failing')
    raise ValueError(n)
if __name__ == '__main__':
    method = multiprocessing.get_context(sys.argv[1])
    with gs.start_run(name='parent') as run:
        run.log({'m': -1})
        jobs = [method.Process(target=work, args=(n,)) for n in range(4)]
        jobs += [method.Process(target=f, args=(1,)) for f in (nested, failing)]
        [j.start() for j in jobs]; [j.join() for j in jobs]
        assert [j.exitcode for j in jobs] == [0, 0, 0, 0, 0, 1]
        run.log({'m': -2})
        assert run.status == 'running'
""",
        method,
    )
    assert code == 0, errors
    runs = {run.name: run for run in place.runs()}
    assert place.values("m", runs["parent"]) == [-2, -1, *range(400), 500]
    assert {name: run.status.value for name, run in runs.items()} == {
        "parent": "complete",
        "nested": "complete",
        "failing": "failed",
    }
    assert runs["failing"].exception.type == "ValueError"
    assert runs["nested"].parent == runs["failing"].parent == runs["parent"].id
    assert runs["parent"].metrics["m"].series.count == 403


def test_forked_and_started_children_log_to_the_run_and_end_it_not(place: Place) -> None:
    code, _, errors = place.carry_out(
        """import os, subprocess, sys, time
with gs.start_run(name='parent') as run:
    run.log({'m': 0})
    pid = os.fork()
    if pid == 0:
        run.log({'m': 1})
        gs.log({'m': 2})
        sys.exit()  # through the block and all that Python does at its end
    os.waitpid(pid, 0)
    run.log({'m': 3})
    pid = os.fork()
    if pid == 0:
        run.log({'m': 4})
        run.flush()
        os._exit(0)
    os.waitpid(pid, 0)
    child = 'import gosset as gs; gs.log({"m": 5}); gs.start_run(name="n").finish(); gs.log({"m": 6})'
    subprocess.run([sys.executable, '-c', child], check=True, cwd='/')
    run.log({'m': 7})
    run.flush()
""",
    )
    assert (code, errors) == (0, "")
    parent, nested = place.runs()
    assert place.values("m", parent) == list(range(8))
    assert (parent.status, nested.status, nested.parent) == ("complete", "complete", parent.id)


def test_a_child_that_outlives_its_parent_does_not_keep_the_run_alive(place: Place) -> None:
    import gosset as gs

    place.carry_out(
        """import os
run = gs.start_run()
run.flush()
reading, writing = os.pipe()
if os.fork() == 0:
    os.close(writing)
    os.read(reading, 1)  # until the parent is gone
    run.log({'m': 1})
    run.flush()
    os._exit(0)
os.close(reading)
os.kill(os.getpid(), 9)
"""
    )
    with gs.open_store(place.url) as store:
        assert store.catalog.reap() == 1
    assert place.run().status == "crashed"


def test_forking_while_others_log_hangs_nobody_and_loses_nothing(place: Place) -> None:
    code, _, errors = place.carry_out(
        """import os, threading
with gs.start_run() as run:
    over = threading.Event()
    def work(n):
        i = 0
        while not over.is_set():
            run.log({f't{n}': i}); i += 1
            if i % 500 == 0: over.wait(0.001)
        counts[n] = i
    counts = {}
    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    [t.start() for t in threads]
    for child in range(15):
        pid = os.fork()
        if pid == 0:
            run.log({'child': child})
            run.flush()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
    over.set()
    [t.join() for t in threads]
    run.config  # still there
    run.fields['counts'] = list(counts[n] for n in range(4))
"""
    )
    assert (code, errors) == (0, "")
    assert place.values("child") == list(range(15))
    run = place.run()
    counts = [run.metrics[f"t{n}"].series.count for n in range(4)]
    assert counts == run.fields["counts"]


def test_64_processes_make_one_store_and_each_its_run(place: Place) -> None:
    code = """import sys
with gs.start_run(params={'n': int(sys.argv[1])}) as run:
    for i in range(300):
        run.log({'m': i, 'k': -i})
"""
    ended: list[tuple[int, str]] = []

    def work(n: int) -> None:
        status, _, errors = place.carry_out(code, str(n))
        ended.append((status, errors))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == [(0, "")] * 64
    runs = place.runs()
    assert [run.number for run in runs] == list(range(1, 65))
    assert sorted(run.params["n"] for run in runs) == list(range(64))
    for run in runs:
        assert (run.status, run.metrics["m"].value, run.metrics["m"].series.count) == (
            "complete",
            299,
            300,
        )
        assert place.values("k", run) == list(range(-299, 1))
    assert place.spooled() == []
    with sqlite3.connect(place.file) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
