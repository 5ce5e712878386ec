"""``gosset import``: what people and programs see of it, and what is left when it is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from imported_runs import whole

from gosset import open_store
from gosset.exceptions import StorageError, UsageError
from gosset.importers import KINDS

RUNS = 450


def gosset(*arguments: object, store: Path) -> subprocess.CompletedProcess[str]:
    url = f"sqlite:///{store}"
    command = [sys.executable, "-m", "gosset", "--store", url, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def logs(written: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tensorboard") / "logs"
    written("tensorboard", folder)
    return folder


def test_runs_are_taken_over_and_what_is_left_out_is_told(logs: Path, tmp_path: Path) -> None:
    done = gosset("import", "tensorboard", logs, store=tmp_path / "s.db")
    assert (done.returncode, done.stdout) == (0, "")
    assert "gosset: 3 new and 0 changed runs, 6 artifacts from" in done.stderr
    told = (
        "not taken over: what plugin 'pr_curves' shows, of 'curve' (1 times) of run grid/Ünder 🚀"
    )
    assert told in done.stderr
    with open_store(f"sqlite:///{tmp_path / 's.db'}") as store:
        assert len(store.runs()) == 3


def test_who_wrote_it_is_found_out(logs: Path, tmp_path: Path) -> None:
    done = gosset("import", logs, "--json", store=tmp_path / "s.db")
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert (told["kind"], told["from"], told["runs"], told["changed"]) == (
        "tensorboard",
        str(logs),
        3,
        0,
    )
    [left] = told["left_out"]
    assert (left["run"], left["why"]) == ("grid/Ünder 🚀", "Gosset has no place for it")
    again = json.loads(gosset("import", logs, "--json", store=tmp_path / "s.db").stdout)
    assert (again["runs"], again["changed"], again["unchanged"]) == (0, 0, 3)


def test_the_project_can_be_chosen(logs: Path, tmp_path: Path) -> None:
    gosset("import", "tensorboard", logs, "--project", "Old work", store=tmp_path / "s.db")
    with open_store(f"sqlite:///{tmp_path / 's.db'}") as store:
        assert {run.project for run in store.runs()} == {"Old work"}


def test_an_export_of_gosset_is_taken_over_as_before(logs: Path, tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'one.db'}") as store:
        store.import_from(logs)
        store.export(tmp_path / "runs.gosset", format="gosset")
    for arguments in (["gosset", tmp_path / "runs.gosset"], [tmp_path / "runs.gosset"]):
        done = gosset("import", *arguments, "--json", store=tmp_path / "two.db")
        assert (done.returncode, json.loads(done.stdout)["kind"]) == (0, "gosset")
    done = gosset("import", tmp_path / "runs.gosset", "--project", "x", store=tmp_path / "two.db")
    assert (done.returncode, "projects of their own" in done.stderr) == (2, True)
    with (
        open_store(f"sqlite:///{tmp_path / 'one.db'}") as one,
        open_store(f"sqlite:///{tmp_path / 'two.db'}") as two,
    ):
        assert whole(one) == whole(two)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mlfow", "."], "did you mean 'mlflow'?"),
        (["mlflow"], "gosset import mlflow PATH"),
        (["a", "b", "c"], "3 paths are named"),
        (["mlflow", "nowhere"], "there is no"),
        (["nowhere"], "there is no file nowhere"),
    ],
)
def test_a_wrong_call_says_the_mend(arguments: list[str], message: str, tmp_path: Path) -> None:
    done = gosset("import", *arguments, store=tmp_path / "s.db")
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_a_path_that_is_none_of_it_is_taken(kind: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "cut.db").write_bytes(b"SQLite format 3\0" + bytes(50))
    with open_store("memory://") as store:
        for name in ("folder", "notes.txt", "empty", "cut.db"):
            with pytest.raises(StorageError):
                store.import_from(tmp_path / name, kind)
        assert len(store.runs()) == 0


def test_a_folder_that_nobody_recognises_is_an_error(tmp_path: Path) -> None:
    with open_store("memory://") as store:
        with pytest.raises(StorageError, match="say whose they are: mlflow"):
            store.import_from(tmp_path)
        with pytest.raises(UsageError, match="cannot be taken over"):
            store.import_from(tmp_path, "exel")


# -- whatever ends it in between


@pytest.fixture(scope="module")
def many(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make so many runs that they are not taken over at once: copies with times of their own."""
    folder = tmp_path_factory.mktemp("many") / "logs"
    [file] = (logs / "grid" / "Ünder 🚀" / "hp").glob("events*")
    for number in range(RUNS):
        run = folder / f"run{number}"
        run.mkdir(parents=True)
        (run / f"events.out.tfevents.{1_700_000_000 + number}.lab").write_bytes(file.read_bytes())
    return folder


def test_whenever_it_is_killed_there_are_whole_runs_and_the_next_one_goes_on(
    many: Path, tmp_path: Path
) -> None:
    with open_store(f"sqlite:///{tmp_path / 'whole.db'}") as store:
        started = time.monotonic()
        store.import_from(many, "tensorboard")
        took = time.monotonic() - started
        wanted = {name: {**run, "run": None} for name, run in whole(store).items()}
    assert len(wanted) == RUNS
    target = tmp_path / "killed.db"
    code = (
        "import sys, gosset\n"
        f"with gosset.open_store('sqlite:///{target}') as store:\n"
        "    print('begun', flush=True)\n"
        f"    store.import_from({str(many)!r}, 'tensorboard')\n"
    )
    killed = 0
    for part in (0.3, 0.5, 0.7, 0.9):
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(part * took)
        os.kill(child.pid, signal.SIGKILL)
        killed += child.wait() == -signal.SIGKILL
        child.stdout.close()
        with open_store(f"sqlite:///{target}") as store:
            for name, run in whole(store).items():
                assert {**run, "run": None} == wanted[name]
    assert killed >= 2
    with open_store(f"sqlite:///{target}") as store:
        store.import_from(many, "tensorboard")
        found = {name: {**run, "run": None} for name, run in whole(store).items()}
    assert found == wanted
