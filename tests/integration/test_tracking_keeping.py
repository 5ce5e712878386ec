"""Artifacts and fields of runs with real processes: children, threads, and ones that are killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import gosset as gs
from gosset.store import Store


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    return f"sqlite:///{tmp_path}/lab.db"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with gs.open_store(url) as opened:
        yield opened


CHILD = """
import numpy as np, gosset as gs
gs.log_artifact(np.arange(1000), "of the child")
gs.current_run().fields["of the child"] = {"a": (np.float32(0.5), np.arange(1000))}
gs.current_run().finish()
"""


def test_a_child_process_keeps_things_with_the_run_of_its_parent(url: str, store: Store) -> None:
    with gs.start_run("artifacts", store=url) as run:
        run.log_artifact(np.ones(1000), "of the parent")
        run.fields["of the parent"] = (1, 2)
        subprocess.run([sys.executable, "-c", CHILD], check=True)
    assert set(store.artifacts_of(run.id)) == {"of the parent", "of the child"}
    assert store.artifact(run.id, "of the child").sum() == 499_500
    fields = store.fields(run.id)
    assert fields["of the parent"] == (1, 2)
    half, array = fields["of the child"]["a"]
    assert type(half) is np.float32
    assert array.sum() == 499_500
    assert store.run(run.id).status == "complete"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_forked_process_keeps_things_with_the_same_run(url: str, store: Store) -> None:
    with gs.start_run("artifacts", store=url) as run:
        run.log_artifact(np.ones(1000), "before")
        child = os.fork()
        if child == 0:
            try:
                run.log_artifact(np.zeros(1000), "of the child")
                run.fields["child"] = (3,)
                run.flush()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        run.log_artifact(np.ones(1000), "after")
    assert set(store.artifacts_of(run.id)) == {"before", "of the child", "after"}
    assert store.fields(run.id) == {"child": (3,)}


def test_many_threads_keep_things_with_one_run(url: str, store: Store) -> None:
    with gs.start_run("artifacts", store=url, strict=True) as run:

        def work(thread: int) -> None:
            for number in range(20):
                run.log_artifact(np.full(300, thread * 100 + number), f"{thread}/{number}")
                run.fields[f"{thread}/{number}"] = (thread, number)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(store.artifacts_of(run.id)) == 320
    for thread in range(16):
        for number in range(0, 20, 7):
            array = store.artifact(run.id, f"{thread}/{number}")
            assert set(array.tolist()) == {thread * 100 + number}
    fields = {f"{t}/{n}": (t, n) for t in range(16) for n in range(20)}
    assert store.fields(run.id) == fields


KILLED = """
import sys, time, numpy as np, gosset as gs
run = gs.start_run("killed", store=sys.argv[1])
print(run.id, flush=True)
for number in range(10_000):
    run.log_artifact(np.full(200_000, number), f"a{number}")
    run.fields[f"f{number}"] = {"n": (number, np.full(1000, number))}
    run.flush()
    print(number, flush=True)
"""


@pytest.mark.timeout(120)
def test_a_killed_process_leaves_whole_artifacts_and_all_that_was_flushed(
    url: str, store: Store
) -> None:
    generator = random.Random(1)
    for _ in range(12):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, url], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        run = process.stdout.readline().strip()
        process.stdout.readline()
        time.sleep(generator.random() * 0.1)
        process.send_signal(signal.SIGKILL)
        last = int((process.stdout.read().split() or ["0"])[-1])
        process.wait()
        process.stdout.close()
        kept = store.artifacts_of(run)
        assert set(kept) >= {f"a{n}" for n in range(last + 1)}
        for number in range(len(kept)):
            assert set(store.artifact(run, f"a{number}").tolist()) == {number}
        for name, value in store.fields(run).items():
            number, array = value["n"]
            assert (name, set(array.tolist())) == (f"f{number}", {number})
    store.collect_garbage(grace=0)
    assert set(store.artifacts_of(run)) == set(kept)
    assert all(store.artifact(run, name) is not None for name in kept)
