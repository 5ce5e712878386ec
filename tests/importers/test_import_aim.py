"""Runs that Aim really wrote, taken over.

Whatever asks Aim starts a Python that has it, which takes seconds: what can be seen of one
taking over is looked at in one.
"""

import math
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from imported_runs import points_of, whole

from gosset import Store, open_store
from gosset.entities import Run, Status
from gosset.exceptions import (
    MissingExtraError,
    NotFoundError,
    StoreVersionError,
    UsageError,
)
from gosset.importers import Imported, kind_of

Written = Callable[..., Any]
MANY = 10
NAME = "name 🚀\nof two lines"


@pytest.fixture(scope="module")
def python(interpreter: Callable[[str], Path]) -> Path:
    return interpreter("aim")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("aim") / "repository"


@pytest.fixture(scope="module")
def logged(written: Written, place: Path) -> Any:
    return written("aim", place, "all_kinds", MANY)


@pytest.fixture(scope="module")
def before(logged: Any, place: Path) -> dict[Path, bytes]:
    """The files of the repository, as they were before anything was taken over."""
    return {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}


Taken = tuple[Store, Imported]


@pytest.fixture(scope="module")
def taken(
    before: Any, place: Path, python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Taken]:
    """A store into which all was taken over, long after the runs ended; only to be read."""
    url = f"sqlite:///{tmp_path_factory.mktemp('taken') / 'store.db'}"
    with pytest.MonkeyPatch.context() as patch, open_store(url) as store:
        patch.setattr("gosset.importers.taking.LEASE", 0)
        yield store, store.import_from(place, python=python)


def run_of(store: Store, name: str) -> Run:
    [run] = [run for run in store.runs() if run.name == name]
    return run


def values_of(store: Store, run: Run, name: str) -> list[tuple[int, str]]:
    return [(step, value) for step, value, _ in points_of(store, run)[name]]


def test_every_number_is_there_with_its_step_and_epoch(taken: Taken, logged: Any) -> None:
    store, _ = taken
    run = run_of(store, NAME)
    names = ["loss[subset=train]", "loss[fold=2,subset=val]", "edge 🚀\n"]
    for name, (_, _, points) in zip(names, logged["series"], strict=True):
        wanted = sorted((step, repr(value)) for value, step, _ in points)
        assert values_of(store, run, name) == wanted
    assert values_of(store, run, "loss[subset=train]/epoch") == [
        (0, "0"),
        (1, "0"),
        (5, "1"),
        (7, "1"),
    ]
    # Of several values at one step Aim itself keeps the last.
    assert values_of(store, run, "twice") == [(4, "2.0")]
    others = {name for name in run.metrics if not name.startswith("system/")}
    assert others == {*names, "loss[subset=train]/epoch", "twice"}


def test_parameters_tags_and_notes_are_there(taken: Taken, logged: Any) -> None:
    store, _ = taken
    run = run_of(store, NAME)
    assert run.config["imported_from"]["id"] == logged["ids"][0]
    assert (run.experiment, run.status) == ("experiment ü", Status.COMPLETE)
    assert math.isnan(run.params["hparams.nan"])
    assert {name: value for name, value in run.params.items() if name != "hparams.nan"} == {
        "hparams.lr": 0.1,
        "hparams.big": 2**60 + 1,
        "hparams.nested.layers": [8, 4],
        "hparams.nested.act.kind": "relu",
        "hparams.nested.act.none": None,
        "hparams.inf": math.inf,
        "hparams.empty": {},
        "hparams.text": "one\ntwo ü",
        "hparams.yes": True,
        "seed": 7,
    }
    assert set(run.tags) == {"blue", "a=b"}
    assert run.notes == "A note\nof two lines"
    assert run.fields["aim"]["packages"]["aim"] == "3.29.1"


def test_times_are_those_of_the_points(taken: Taken) -> None:
    store, _ = taken
    run = run_of(store, NAME)
    assert run.started is not None
    assert run.ended is not None
    began, ended = (round(moment.timestamp() * 1e6) for moment in (run.started, run.ended))
    times = [time for points in points_of(store, run).values() for _, _, time in points]
    assert began <= min(times) <= max(times) <= ended


def test_what_was_printed_and_measured_is_there(taken: Taken) -> None:
    store, _ = taken
    run = run_of(store, NAME)
    assert "printed ü\n" in [each.text for each in store.catalog.console(run.id)]
    assert {"system/process/cpu", "system/memory", "system/disk"} <= set(run.metrics)


def test_what_is_no_number_becomes_an_artifact(taken: Taken, place: Path) -> None:
    store, _ = taken
    run = run_of(store, NAME)
    [said] = store.artifact(run, "said.json")
    assert (said["step"], said["value"]["text"]) == (2, "words\nü")
    first, second = store.artifact(run, "images[subset=val].json")
    assert first["value"]["caption"] == second["value"]["caption"] == "black"
    for said in (first, second):
        image = store.artifact(run, said["value"]["file"]).read()
        assert image.startswith(b"\x89PNG")
    assert store.artifact(run, "sound/3/0.wav").read().startswith(b"RIFF")
    [weights] = store.artifact(run, "weights.json")
    assert weights["value"] == {"kind": "aim.distribution", "weights": [2, 2], "range": [0.0, 3.0]}
    [warning] = store.artifact(run, "log_records.json")
    assert warning["value"]["message"] == "careful"
    assert store.artifact(run, "model").read() == b"weights"


def test_a_killed_run_is_found_and_crashed(taken: Taken, logged: Any) -> None:
    store, imported = taken
    run = run_of(store, f"Run: {logged['killed']}")
    assert run.status is Status.CRASHED
    assert imported.unfinished == {run.name: "crashed"}
    assert values_of(store, run, "loss") == [(step, repr(step / 3)) for step in range(3)]


def test_many_runs_are_all_there(taken: Taken) -> None:
    store, imported = taken
    assert imported.runs == MANY + 3
    for number in range(MANY):
        run = run_of(store, f"many {number}")
        assert run.params == {"number": number}
        assert values_of(store, run, "loss") == [(0, repr(number / 3))]


def test_what_cannot_be_taken_over_is_told(taken: Taken) -> None:
    _, imported = taken
    assert sorted(str(left) for left in imported.left_out) == [
        f"1 points of 'halfway' of run {NAME}: their steps are no integers",
        "how the runs ended: Aim does not keep whether they failed; those that were closed count"
        " as complete",
        f"the environment variables of run {NAME}: there may be secrets among them",
    ]


def test_the_repository_stays_as_it_is(
    taken: Taken, place: Path, before: dict[Path, bytes]
) -> None:
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before


def test_again_nothing_changes_and_what_has_grown_is_taken(
    store: Store,
    before: Any,
    logged: Any,
    place: Path,
    python: Path,
    tmp_path: Path,
    written: Written,
) -> None:
    source = shutil.copytree(place, tmp_path / "source")
    store.import_from(source, python=python)
    first = whole(store)
    again = store.import_from(source / ".aim", "aim", python=python)
    assert (again.runs, again.changed, again.unchanged) == (0, 0, MANY + 3)
    assert whole(store) == first
    written("aim", source, "more", logged["ids"][1])
    imported = store.import_from(source, python=python)
    assert (imported.runs, imported.changed, imported.unchanged) == (1, 1, MANY + 2)
    run = run_of(store, f"Run: {logged['ids'][1]}")
    assert values_of(store, run, "loss") == [(0, "1"), (1, "2")]
    assert values_of(store, run, "late") == [(0, "0.5")]


def test_what_is_damaged_is_told_and_the_others_are_taken(
    store: Store, before: Any, logged: Any, place: Path, python: Path, tmp_path: Path
) -> None:
    source = shutil.copytree(place, tmp_path / "source")
    broken, half = logged["ids"]
    (source / ".aim" / "meta" / "chunks" / broken / "CURRENT").unlink()
    shutil.rmtree(source / ".aim" / "seqs" / "chunks" / half)
    database = source / ".aim" / "run_metadata.sqlite"
    database.write_bytes(database.read_bytes()[:5000])
    imported = store.import_from(source, python=python)
    assert imported.runs == MANY + 1
    told = {left.what: left.why for left in imported.left_out}
    assert told[f"run {broken}"].startswith("it is damaged")
    assert told[f"run {half}"].startswith("it is damaged")
    assert "is damaged" in told["names, experiments, tags and notes of all runs"]


def test_without_aim_the_mend_is_said(store: Store, before: Any, place: Path) -> None:
    with pytest.raises(MissingExtraError, match="not installed here; name a Python that has it"):
        store.import_from(place)
    with pytest.raises(UsageError, match="there is no Python at no-python; name a Python"):
        store.import_from(place, python="no-python")
    with pytest.raises(UsageError, match="runs of wandb are read without a Python"):
        store.import_from(place, "wandb", python="no-python")


def test_a_python_without_aim_is_told(store: Store, before: Any, place: Path) -> None:
    import sys

    with pytest.raises(MissingExtraError, match=f"Aim is not installed for {sys.executable}"):
        store.import_from(place, python=sys.executable)


def test_the_command_takes_the_python(
    before: Any, place: Path, python: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    command = [sys.executable, "-m", "gosset", "--store", url, "import", "aim", str(place)]
    done = subprocess.run([*command, "--python", str(python)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    with open_store(url) as store:
        assert len(list(store.runs())) == MANY + 3


def test_a_path_that_is_something_else_is_refused(
    store: Store, before: Any, place: Path, tmp_path: Path
) -> None:
    assert kind_of(place) == kind_of(place / ".aim") == "aim"
    with pytest.raises(NotFoundError, match="there is no folder"):
        store.import_from(tmp_path / "nothing", "aim")
    with pytest.raises(StoreVersionError, match="has no repository of Aim"):
        store.import_from(tmp_path, "aim")


def test_files_outside_of_the_folder_that_was_named_are_told_and_not_read(
    store: Store, before: Any, place: Path, python: Path
) -> None:
    result = store.import_from(place / ".aim", python=python)
    told = {left.what: left.why for left in result.left_out if left.run == NAME}
    assert told["artifact 'model'"].endswith(f"outside of {place / '.aim'}")
    assert "model" not in store.artifacts_of(run_of(store, NAME))


def test_a_run_that_cannot_be_read_leaves_the_others_alone(
    store: Store, before: Any, place: Path, python: Path, tmp_path: Path
) -> None:
    source = shutil.copytree(place, tmp_path / "source")
    with closing(sqlite3.connect(source / ".aim" / "run_metadata.sqlite")) as database, database:
        database.execute("UPDATE run SET created_at = 'then' WHERE name = ?", (NAME,))
        [hash_] = database.execute("SELECT hash FROM run WHERE name = ?", (NAME,)).fetchone()
    result = store.import_from(source, python=python)
    told = {left.what: left.why for left in result.left_out}
    assert told[f"run {hash_}"].startswith("it is damaged: ")
    assert NAME not in {run.name for run in store.runs()}
    assert result.runs == len(store.runs()) > 0
