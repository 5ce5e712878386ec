"""Runs that trackio really wrote, taken over."""

import json
import math
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from imported_runs import points_of, whole

from gosset import Store
from gosset.entities import Run, Status
from gosset.exceptions import NotFoundError, StorageError, StoreVersionError
from gosset.importers import kind_of

Written = Callable[..., Any]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trackio") / "store"


@pytest.fixture(scope="module")
def logged(written: Written, place: Path) -> Any:
    return written("trackio", place, "whole")


@pytest.fixture
def source(logged: Any, place: Path, tmp_path: Path) -> Path:
    """A copy, to be changed."""
    return shutil.copytree(place, tmp_path / "source")


def run_of(store: Store, name: str) -> Run:
    [run] = [run for run in store.runs() if run.name == name]
    return run


def values_of(store: Store, run: Run, name: str) -> list[tuple[int, str]]:
    return [(step, value) for step, value, _ in points_of(store, run)[name]]


def expected(logged: Any) -> dict[str, list[tuple[int, str]]]:
    """Return the points that the rows say, sorted by step."""
    found: dict[str, list[tuple[int, str]]] = {}

    def add(name: str, value: Any, step: int) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                add(f"{name}.{key}", inner, step)
        elif not isinstance(value, str):
            found.setdefault(name, []).append((step, repr(value)))

    for step, row in logged["rows"]:
        for name, value in row.items():
            add(name, value, step)
    return {name: sorted(points, key=lambda p: p[0]) for name, points in found.items()}


def test_every_number_is_there_with_its_step(store: Store, source: Path, logged: Any) -> None:
    store.import_from(source)
    run = run_of(store, "name 🚀\nof two lines")
    wanted = expected(logged)
    assert {name: values_of(store, run, name) for name in wanted} == wanted
    others = {name for name in run.metrics if not name.startswith("system/")}
    assert others == set(wanted)


def test_configuration_group_and_times_are_there(store: Store, source: Path, logged: Any) -> None:
    store.import_from(source)
    run = run_of(store, "name 🚀\nof two lines")
    assert (run.project, run.experiment, run.status) == ("größe-1", "group ü", Status.COMPLETE)
    assert run.config["imported_from"]["id"] == logged["ids"][0]
    assert math.isnan(run.params["nan"])
    assert {name: value for name, value in run.params.items() if name != "nan"} == {
        "lr": 0.1,
        "big": 2**60 + 1,
        "nested.layers": [8, 4],
        "nested.act.kind": "mine",
        "nested.act.kind'": "relu",
        "nested.act.none": None,
        "inf": math.inf,
        "empty": {},
        "text": "one\ntwo ü",
    }
    assert run.started is not None
    assert run.ended is not None
    assert run.started <= run.ended
    second = run_of(store, "second")
    assert (second.project, second.experiment, second.params) == ("größe-1", "größe-1", {})


def test_system_metrics_have_the_names_that_gosset_gives(store: Store, source: Path) -> None:
    store.import_from(source)
    run = run_of(store, "name 🚀\nof two lines")
    found = {name: values_of(store, run, name) for name in run.metrics if name.startswith("system")}
    assert found == {
        "system/cpu": [(0, "12.5"), (1, "13.5")],
        "system/memory": [(0, "50.0")],
        "system/gpu/0": [(0, "3")],
        "system/gpu/0/fan_speed": [(0, "7")],
        "system/disk/read": [(0, "0.25")],
    }


def test_what_is_no_number_becomes_an_artifact(store: Store, source: Path) -> None:
    store.import_from(source)
    run = run_of(store, "name 🚀\nof two lines")
    kept = store.artifacts_of(run)
    [said] = store.artifact(run, "said.json")
    assert (said["step"], said["value"]) == (5, "words\nü")
    [table] = store.artifact(run, "table.json")
    assert table["value"]["_value"] == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    [histogram] = store.artifact(run, "histogram.json")
    assert histogram["value"]["values"] == [1, 3]
    [image] = [name for name in kept if name.startswith("image/8/")]
    [original] = source.glob("media/*/*/*/*.png")
    assert store.artifact(run, image).read() == original.read_bytes()
    assert store.artifact(run, "model:v0/model.txt").read() == b"weights"
    [alert] = run.fields["alerts"]
    assert (alert["title"], alert["text"], alert["level"]) == ("Careful", "of this", "warn")


def test_what_cannot_be_taken_over_is_told(store: Store, source: Path) -> None:
    imported = store.import_from(source)
    assert [str(left) for left in imported.left_out] == [
        "how the runs ended: trackio does not keep it; they count as complete",
        f"{source}/media/größe-1/files/model.txt: it belongs to a project, and to no run of it",
    ]


def test_one_database_is_a_source_of_its_own(store: Store, source: Path) -> None:
    [database] = source.glob("*.db")
    assert kind_of(source) == kind_of(database) == "trackio"
    assert store.import_from(database, "trackio").runs == 2


def test_to_take_over_again_changes_nothing(store: Store, source: Path) -> None:
    store.import_from(source)
    before = whole(store)
    again = store.import_from(source)
    assert (again.runs, again.changed, again.unchanged) == (0, 0, 2)
    assert whole(store) == before


def test_a_run_that_has_grown_gets_what_is_new(
    store: Store, source: Path, logged: Any, written: Written
) -> None:
    store.import_from(source)
    written("trackio", source, "more", logged["ids"][1])
    imported = store.import_from(source)
    assert (imported.runs, imported.changed, imported.unchanged) == (1, 1, 1)
    second = run_of(store, "second")
    assert values_of(store, second, "loss") == [(0, "1"), (1, "2")]
    assert values_of(store, second, "late") == [(2, "0.5")]


@pytest.fixture(scope="module")
def several(written: Written, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    place = tmp_path_factory.mktemp("trackio") / "several"
    return place, written("trackio", place, "several", 30)


def test_a_killed_run_is_there_with_all_that_reached_the_disk(
    store: Store, several: tuple[Path, Any]
) -> None:
    place, told = several
    store.import_from(place)
    run = run_of(store, "killed")
    assert run.config["imported_from"]["id"] == told["killed"]
    assert values_of(store, run, "loss") == [(0, "0.0"), (1, "0.25"), (2, "0.5")]


def test_many_runs_are_all_there(store: Store, several: tuple[Path, Any]) -> None:
    place, _ = several
    assert store.import_from(place).runs == 30 + 1
    for number in range(30):
        run = run_of(store, f"many {number}")
        assert run.params == {"number": number}
        assert values_of(store, run, "loss") == [(0, repr(number / 3))]


def test_databases_from_before_runs_had_ids_are_read(store: Store, tmp_path: Path) -> None:
    database = tmp_path / "old.db"
    with sqlite3.connect(database) as connection:
        connection.executescript(
            "CREATE TABLE metrics (id INTEGER PRIMARY KEY, timestamp TEXT, run_name TEXT,"
            " step INTEGER, metrics TEXT);"
            "CREATE TABLE configs (id INTEGER PRIMARY KEY, run_name TEXT, config TEXT,"
            " created_at TEXT);"
        )
        row = ("2025-01-01T00:00:00", "one", 3, '{"loss": "NaN"}')
        connection.execute("INSERT INTO metrics VALUES (1, ?, ?, ?, ?)", row)
    connection.close()
    store.import_from(database)
    run = run_of(store, "one")
    assert run.config["imported_from"]["id"] == "old/one"
    assert points_of(store, run)["loss"] == [(3, "nan", 1_735_689_600_000_000)]


def test_what_is_missing_beside_the_database_is_told(store: Store, source: Path) -> None:
    shutil.rmtree(source / "media")
    shutil.rmtree(source / "artifacts")
    imported = store.import_from(source)
    left_out = {left.what: left.why for left in imported.left_out if left.run}
    assert set(left_out) == {"the file of 'image' at step 8", "artifact 'model:v0/model.txt'"}
    assert all(why.endswith("is not there") for why in left_out.values())
    assert imported.runs == 2


def test_files_outside_of_the_folder_are_not_read(store: Store, source: Path) -> None:
    (source / "secret").write_text("secret")
    [database] = source.glob("*.db")
    with sqlite3.connect(database) as connection:
        metrics = json.dumps({"image": {"_type": "trackio.image", "file_path": "../secret"}})
        connection.execute("UPDATE metrics SET metrics = ? WHERE id = 6", (metrics,))
    connection.close()
    imported = store.import_from(source)
    assert "the file of 'image' at step 8" in [left.what for left in imported.left_out]


def test_a_row_that_is_no_json_is_told_and_the_others_are_taken(store: Store, source: Path) -> None:
    [database] = source.glob("*.db")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE metrics SET metrics = ? WHERE id = 1", (b'{"loss": 0.3',))
    connection.close()
    imported = store.import_from(source)
    assert "row 1 of metrics" in [left.what for left in imported.left_out]
    run = run_of(store, "name 🚀\nof two lines")
    assert values_of(store, run, "loss")[0] == (1, "5e-324")


def test_a_database_that_was_cut_off_is_refused_and_nothing_is_changed(
    store: Store, source: Path
) -> None:
    [database] = source.glob("*.db")
    database.write_bytes(database.read_bytes()[: database.stat().st_size // 2])
    with pytest.raises(StorageError, match="is damaged"):
        store.import_from(database, "trackio")
    assert not list(store.runs())


def test_a_damaged_project_is_told_and_the_others_are_taken(store: Store, source: Path) -> None:
    (source / "broken.db").write_bytes(b"SQLite format 3\0" + bytes(500))
    imported = store.import_from(source, "trackio")
    assert imported.runs == 2
    [told] = [left for left in imported.left_out if left.what == "project broken"]
    assert "is damaged or cannot be read" in told.why


def test_a_path_that_is_something_else_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no file or folder"):
        store.import_from(tmp_path / "nothing", "trackio")
    with pytest.raises(StoreVersionError, match="has no database of trackio"):
        store.import_from(tmp_path, "trackio")
    (tmp_path / "words.db").write_text("words")
    with pytest.raises(StoreVersionError, match="no database of trackio"):
        store.import_from(tmp_path / "words.db", "trackio")


def test_copies_for_a_data_set_without_their_database_are_told(store: Store, source: Path) -> None:
    [database] = source.glob("*.db")
    database.rename(source / "kept.bak")
    (source / "größe-1_configs.parquet").touch()
    imported = store.import_from(source, "trackio")
    [told] = [left for left in imported.left_out if left.what.endswith(".parquet")]
    assert "open it with trackio" in told.why


def test_a_run_that_cannot_be_read_leaves_the_others_alone(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "project.db"
    with closing(sqlite3.connect(path)) as database, database:
        columns = "id INTEGER PRIMARY KEY, timestamp TEXT, run_id TEXT, run_name TEXT"
        database.execute(f"CREATE TABLE metrics ({columns}, step INTEGER, metrics TEXT)")
        database.execute(f"CREATE TABLE configs ({columns}, config TEXT)")
        for id_, moment in (("a", "2024-01-01"), ("b", "garbage"), ("c", "2024-01-01")):
            database.execute(
                "INSERT INTO metrics VALUES (NULL, ?, ?, ?, 0, ?)", (moment, id_, id_, '{"l": 1.0}')
            )
    result = store.import_from(path, "trackio")
    assert sorted(run.name for run in store.runs()) == ["a", "c"]
    told = {left.what: left.why for left in result.left_out}
    assert "garbage" in told["run b"]


def test_a_link_that_leads_out_of_the_folder_is_told_and_not_read(
    store: Store, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("secret")
    media = tmp_path / "source" / "media" / "project"
    media.mkdir(parents=True)
    (media / "link.png").symlink_to(tmp_path / "key")
    with closing(sqlite3.connect(tmp_path / "source" / "project.db")) as database, database:
        columns = "id INTEGER PRIMARY KEY, timestamp TEXT, run_id TEXT, run_name TEXT"
        database.execute(f"CREATE TABLE metrics ({columns}, step INTEGER, metrics TEXT)")
        database.execute(f"CREATE TABLE configs ({columns}, config TEXT)")
        said = {"image": {"_type": "trackio.image", "file_path": "project/link.png"}}
        database.execute(
            "INSERT INTO metrics VALUES (NULL, '2024-01-01', 'a', 'a', 0, ?)", (json.dumps(said),)
        )
    result = store.import_from(tmp_path / "source", "trackio")
    told = {left.what: left.why for left in result.left_out}
    assert "outside of" in told["the file of 'image' at step 0"]
    assert "image/0/link.png" not in store.artifacts_of("a")


def test_runs_from_before_there_were_ids_are_read_beside_those_that_have_one(
    store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "project.db"
    with closing(sqlite3.connect(path)) as database, database:
        columns = "id INTEGER PRIMARY KEY, timestamp TEXT, run_id TEXT, run_name TEXT"
        database.execute(f"CREATE TABLE metrics ({columns}, step INTEGER, metrics TEXT)")
        database.execute(f"CREATE TABLE configs ({columns}, config TEXT)")
        for number, (id_, name) in enumerate([(None, "old 1"), (None, "old 2"), ("c", "new")]):
            database.execute(
                "INSERT INTO metrics VALUES (NULL, '2024-01-01', ?, ?, 0, ?)",
                (id_, name, json.dumps({"l": number + 0.5})),
            )
    store.import_from(path, "trackio")
    found = {run.name: run.metrics["l"].value for run in store.runs()}
    assert found == {"old 1": 0.5, "old 2": 1.5, "new": 2.5}
    ids = {run.config["imported_from"]["id"] for run in store.runs()}  # type: ignore[call-overload, index]
    assert ids == {"project/old 1", "project/old 2", "c"}
