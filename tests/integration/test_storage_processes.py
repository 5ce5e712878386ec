"""Stores shared by processes: made by many at once, and left by one that is killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gosset.filters import parse
from gosset.storage import open_catalog

FIRST_USE = """
import json, multiprocessing, sys

def work(url, barrier, results):
    from gosset.storage import open_catalog
    from gosset.storage.changes import NewRun
    barrier.wait()
    catalog = open_catalog(url)
    experiment = catalog.ensure_experiment("P", "E")
    execution = catalog.ensure_execution(experiment.id, "code", {})
    launch = catalog.add_launch(experiment.id, execution=execution.number)
    [run] = catalog.add_runs(launch.id, [NewRun(params={"x": 1}, group="g")])
    results.put((execution.number, launch.number, run.number))

if __name__ == "__main__":
    import gosset.storage.sql  # once, before the fork
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(64), context.SimpleQueue()
    processes = [
        context.Process(target=work, args=(sys.argv[1], barrier, results)) for _ in range(64)
    ]
    for process in processes:
        process.start()
    found = [results.get() for _ in processes]
    for process in processes:
        process.join()
    print(json.dumps(sorted(found)))
"""

KILLED = """
import sys
import catalogs as make
from gosset.entities import Metric
from gosset.storage import open_catalog
from gosset.storage.changes import Batch, RunUpdate

catalog = open_catalog(sys.argv[1])
launch = make.launch(catalog)
runs = make.runs(catalog, *({"x": i} for i in range(50)), of=launch)
for batch in range(1000):
    print(batch, flush=True)
    catalog.record(Batch(
        runs=[RunUpdate(id=run.id, metrics=[Metric(name="batch", value=batch)]) for run in runs],
        computations=[make.computation(launch, run, fold=batch, outputs=(make.artifact(),)) for run in runs],
        entries=[make.entry(stage=str(batch)) for _ in range(200)],
    ))
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that is not there yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/new/folder/store.db"
    return str(request.getfixturevalue("empty_postgresql_url"))


def test_first_use_by_64_processes_at_once(empty: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", FIRST_USE, empty], capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    executions, launches, runs = zip(*json.loads(result.stdout), strict=True)
    assert set(executions) == {1}
    assert sorted(launches) == list(range(1, 65))
    assert sorted(runs) == list(range(1, 65))
    catalog = open_catalog(empty, create=False)
    assert catalog.count("runs") == 64
    catalog.close()


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.03])
def test_a_killed_process_leaves_whole_batches(empty: str, delay: float) -> None:
    contract = Path(__file__).parents[1] / "contract"
    script = f"import sys; sys.path.insert(0, {str(contract)!r})\n{KILLED}"
    with subprocess.Popen(
        [sys.executable, "-c", script, empty], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(4):
            last = int(process.stdout.readline())
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    catalog = open_catalog(empty, create=False)
    batches = catalog.count("cache") // 200
    assert batches >= last
    assert catalog.count("cache") == 200 * batches
    assert catalog.count("computations") == 50 * batches
    assert catalog.count("runs", where=parse(f"metrics.batch == {batches - 1}")) == 50
    assert len(catalog.referenced()) == 250 * batches
    catalog.close()


def test_a_fork_leaves_the_connections_of_its_parent_alone(empty: str) -> None:
    script = """
import os, sys
from gosset.storage import open_catalog
catalog = open_catalog(sys.argv[1])
catalog.ensure_project("before")
child = os.fork()
if child == 0:
    catalog.ensure_project("child")
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
catalog.ensure_project("parent")
print(catalog.count("projects"))
"""
    command = [sys.executable, "-c", script, empty]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (result.stdout.strip(), result.returncode) == ("3", 0), result.stderr


def test_opening_a_store_imports_no_migrations_and_the_package_no_sqlalchemy(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    open_catalog(url).close()
    script = """
import sys
import gosset, gosset.filters, gosset.storage, gosset.storage.base
assert "sqlalchemy" not in sys.modules
gosset.storage.open_catalog(sys.argv[1]).ensure_project("P")
assert "alembic" not in sys.modules
"""
    command = [sys.executable, "-c", script, url]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
