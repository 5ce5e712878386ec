"""Stores with artifacts united: by calls, by commands, side by side with runs at work."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from tracked import Place

import gosset as gs
from gosset.exceptions import UsageError
from gosset.storage.base import Merged
from gosset.store import Store

COMMAND = [sys.executable, "-c", "from gosset.cli import main; raise SystemExit(main())"]


def opened(folder: Path, name: str) -> Store:
    return gs.open_store(f"sqlite:///{folder}/{name}.db")


def tracked(store: Store, name: str = "one", value: float = 0.5) -> str:
    """Track a run with an array that is kept as an artifact."""
    with gs.start_run("loop", name=name, params={"value": value}, store=store.url) as run:
        run.log({"loss": value})
        run.log_artifact(np.full(1000, value), "weights")
        run.fields["exact"] = np.float32(value)
    return run.id


def command(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done


def test_artifacts_come_with_their_runs_once(tmp_path: Path) -> None:
    here, there = opened(tmp_path, "here"), opened(tmp_path, "there")
    # In a process that is over: nothing more is told of the launch while this goes on.
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
    code += "import gosset as gs, test_sync_stores as t\n"
    code += f"print(t.tracked(gs.open_store({there.url!r})))"
    words = [sys.executable, "-c", code]
    told = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    id_ = told.stdout.split()[-1]
    merged = here.merge(there)
    assert (merged.runs, merged.artifacts, merged.missing) == (1, 1, ())
    assert merged.bytes > 8000
    assert here.artifact(id_, "weights").tolist() == [0.5] * 1000
    assert type(here.fields(id_)["exact"]) is np.float32
    assert here.merge(there) == Merged()
    assert here.collect_garbage(grace=0).removed == 0


def test_bytes_that_came_to_be_missing_are_brought_again(tmp_path: Path) -> None:
    here, there = opened(tmp_path, "here"), opened(tmp_path, "there")
    id_ = tracked(there)
    [digest] = [ref.digest for ref in there.artifacts_of(id_).values()]
    data = there.artifacts.read(digest)
    there.artifacts.delete(digest)
    assert here.merge(there).missing == (digest,)
    there.artifacts.put(data)
    merged = here.merge(there)
    assert (merged.runs, merged.artifacts) == (0, 1)
    assert here.artifact(id_, "weights").tolist() == [0.5] * 1000


def test_damaged_bytes_are_told_and_not_spread(tmp_path: Path) -> None:
    here, there = opened(tmp_path, "here"), opened(tmp_path, "there")
    id_ = tracked(there)
    [digest] = [ref.digest for ref in there.artifacts_of(id_).values()]
    path = there.artifacts.path(digest)
    assert path is not None
    path.write_bytes(b"rotten")
    assert here.merge(there).missing == (digest,)
    assert not here.artifacts.contains(digest)


def test_a_store_is_not_merged_with_itself(tmp_path: Path) -> None:
    store = opened(tmp_path, "here")
    with pytest.raises(UsageError, match="are one store"):
        store.merge(store.url)


def test_push_pull_and_sync_give_what_the_other_lacks(tmp_path: Path) -> None:
    one, two = (f"sqlite:///{tmp_path}/{name}.db" for name in ("one", "two"))
    tracked(gs.open_store(one), "first", 1)
    done = command("push", one, two, "--json")
    told = json.loads(done.stdout)
    assert (told["runs"], told["artifacts"], told["missing"]) == (1, 1, [])
    tracked(gs.open_store(two), "second", 2)
    command("--store", one, "pull", two)
    tracked(gs.open_store(one), "third", 3)
    tracked(gs.open_store(two), "fourth", 4)
    ways = json.loads(command("--store", one, "sync", two, "--json").stdout)
    assert [way["runs"] for way in ways] == [1, 1]
    for url in (one, two):
        names = {run.name for run in gs.open_store(url).runs()}
        assert names == {"first", "second", "third", "fourth"}


def test_a_selection_is_pushed(tmp_path: Path) -> None:
    one, two = (f"sqlite:///{tmp_path}/{name}.db" for name in ("one", "two"))
    for value in (1, 2, 3):
        tracked(gs.open_store(one), f"r{value}", value)
    done = command("push", one, two, "--filter", "params.value >= 2")
    assert "2 new and 0 changed runs, 2 artifacts" in done.stderr
    assert {run.name for run in gs.open_store(two).runs()} == {"r2", "r3"}


def test_what_gives_must_be_there(tmp_path: Path) -> None:
    one, two = (f"sqlite:///{tmp_path}/{name}.db" for name in ("one", "two"))
    gs.open_store(one).close()
    for words in (("push", two, one), ("pull", one, two), ("sync", one, two)):
        assert "there is no store" in command(*words, code=2).stderr
    assert not (tmp_path / "two.db").exists()
    assert "name one, or two" in command("sync", one, two, one, code=2).stderr


def test_a_run_at_work_is_synced_again_and_again(tmp_path: Path) -> None:
    place = Place(tmp_path)
    gs.open_store(place.url).close()
    script = place.start(
        """
        with gs.start_run("live") as run:
            print("up", flush=True)
            for i in range(3000):
                run.log({"loss": i})
                if i % 10 == 0:
                    run.flush()
        """
    )
    assert script.stdout is not None
    assert script.stdout.readline() == "up\n", script.communicate()[1]
    copy, source = opened(tmp_path, "copy"), gs.open_store(place.url)
    counts = []
    while script.poll() is None:
        copy.merge(source)
        for run in copy.runs():
            if "loss" in run.metrics:
                series = copy.series(run, "loss")
                assert series.values.tolist() == list(range(len(series)))
                told = run.metrics["loss"].series
                counts.append(told.count if told else 0)
                assert len(series) == counts[-1]
    assert script.communicate()[1] == ""
    copy.merge(source)
    [run] = copy.runs()
    assert (run.status, len(copy.series(run, "loss"))) == ("complete", 3000)
    assert counts == sorted(counts)
    assert copy.merge(source) == Merged()


@pytest.mark.parametrize(
    "kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def test_two_who_sync_at_once_do_each_run_once(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/all.db"
    if kind == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    target = gs.open_store(url, artifacts=str(tmp_path / "all"))
    sources = [opened(tmp_path, name) for name in ("a", "b")]
    for source in sources:
        for value in range(5):
            tracked(source, f"r{value}", value)
    sources[1].merge(sources[0])
    program = (
        "import sys, gosset as gs\\n"
        "with gs.open_store(sys.argv[1], artifacts=sys.argv[2]) as target:\\n"
        "    target.merge(sys.argv[3])"
    )
    words = [sys.executable, "-c", program.replace("\\n", "\n"), url, str(tmp_path / "all")]
    both = [
        subprocess.Popen([*words, source.url], stderr=subprocess.PIPE, text=True)
        for source in (*sources, *sources)
    ]
    for process in both:
        _, error = process.communicate(timeout=60)
        assert (process.returncode, error) == (0, "")
    with target:
        assert len(target.runs()) == len({run.number for run in target.runs()}) == 10
        for run in target.runs():
            assert target.artifact(run, "weights").tolist() == [run.params["value"]] * 1000


def test_two_stores_in_memory_are_merged_into_each_other_by_two_threads() -> None:
    one, two = (gs.open_store("memory://") for _ in "ab")
    for store, name in ((one, "P"), (two, "Q")):
        store.catalog.ensure_experiment(name, "e")
    threads = [
        threading.Thread(target=lambda a=a, b=b: [a.merge(b) for _ in range(5)])
        for a, b in ((one, two), (two, one))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()
    assert [len(store.select("projects")) for store in (one, two)] == [2, 2]
