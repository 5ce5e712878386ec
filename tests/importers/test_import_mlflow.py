"""Runs of MLflow, from a folder and from a database, both really written by it."""

import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from imported_runs import points_of, whole

from gosset import Store
from gosset.entities import Run, Status
from gosset.exceptions import MissingExtraError, NotFoundError, StorageError, StoreVersionError

QUIET = {"MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}


class Written(NamedTuple):
    """A store of MLflow with its artifacts, and what was logged to it."""

    path: Path
    told: Any

    @property
    def uri(self) -> str:
        """What MLflow calls it by."""
        return f"sqlite:///{self.path}" if self.path.suffix else str(self.path)

    def run(self, store: Store, name: str) -> Run:
        """Return a run that was taken over."""
        wanted = self.told["runs"][name]
        found = [run for run in store.runs() if run.config["imported_from"]["id"] == wanted]  # type: ignore[call-overload, index]
        assert len(found) == 1
        return found[0]


@pytest.fixture(scope="module")
def both(written: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Written]:
    """Return the same runs as MLflow keeps them in a folder, and in a database."""
    made = {}
    for name in ("mlruns", "mlflow.db"):
        folder = tmp_path_factory.mktemp("mlflow")
        store = Written(folder / name, None)
        kept = "" if name == "mlruns" else folder / "artifacts"
        told = written("mlflow", store.uri, kept, **QUIET)
        made[name] = store._replace(told=told)
    return made


@pytest.fixture(params=["mlruns", "mlflow.db"])
def once(request: pytest.FixtureRequest, both: dict[str, Written]) -> Written:
    return both[request.param]


@pytest.fixture
def source(once: Written, tmp_path: Path) -> Written:
    """Give a copy of the store with its artifacts."""
    path = shutil.copytree(once.path.parent, tmp_path / "source") / once.path.name
    for meta in path.rglob("meta.yaml"):
        meta.write_text(meta.read_text().replace(str(once.path.parent), str(path.parent)))
    if path.is_file():
        for table, column in (("runs", "artifact_uri"), ("logged_models", "artifact_location")):
            statement = f"UPDATE {table} SET {column} = replace({column}, ?, ?)"
            changed(path, statement, str(once.path.parent), str(path.parent))
    return Written(path, once.told)


def order(point: list[Any]) -> tuple[int, int]:
    """Order a point of (value, step, time) by its step, then by its time."""
    return point[1], point[2]


def changed(database: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(statement, values)


folders_only = pytest.mark.parametrize("once", ["mlruns"], indirect=True)
databases_only = pytest.mark.parametrize("once", ["mlflow.db"], indirect=True)


def test_everything_that_was_logged_is_there(source: Written, store: Store) -> None:
    result = store.import_from(source.path)
    assert (result.kind, result.runs, result.changed) == ("mlflow", 4, 0)
    run = source.run(store, "parent")
    assert (run.name, run.experiment) == ("parent", "Über 🚀/experiment")
    expected = {"lr": 0.1, "text": "one\ntwo 🚀 ü", "big": 2**70, "empty": ""}
    assert run.params == expected
    assert {name: str(value) for name, value in run.params.items()} == source.told["params"]
    assert run.tags == ("team=blue",)
    assert run.notes == source.told["tags"]["mlflow.note.content"]
    points = points_of(store, run)
    assert points == {
        name: [(step, repr(value), time * 1000) for value, step, time in sorted(logged, key=order)]
        for name, logged in source.told["metrics"].items()
    }
    assert store.artifact(run, "model/deep/weights.txt").read() == b"model text"
    expected_names = {"model/deep/weights.txt", "config.json", "models/best/model.txt"}
    assert set(store.artifacts_of(run)) == expected_names
    model = run.fields["models"]["best"]  # type: ignore[call-overload, index]
    assert (model["model_type"], model["params"]) == ("tree", {"depth": "3"})  # type: ignore[call-overload, index]
    [dataset] = store.fields(run)["datasets"]
    assert (dataset["name"], dataset["digest"]) == ("iris", "abc123")
    assert dataset["tags"] == {"mlflow.data.context": "training"}
    assert (run.started.timestamp(), run.duration) == (1_699_999_999.995, 0.105)  # type: ignore[union-attr]


def test_runs_end_as_they_did(source: Written, store: Store) -> None:
    result = store.import_from(source.path)
    expected = {"parent": "complete", "child": "failed", "killed": "stopped", "running": "crashed"}
    assert {name: source.run(store, name).status for name in expected} == expected
    assert result.unfinished == {"running": "crashed"}


def test_nested_runs_are_children(source: Written, store: Store) -> None:
    store.import_from(source.path)
    assert source.run(store, "child").parent == source.run(store, "parent").id
    assert source.run(store, "parent").parent is None


def test_the_launch_says_who_ran_which_code(source: Written, store: Store) -> None:
    store.import_from(source.path)
    launches: list[Any] = store.select("launches")
    assert {launch.user for launch in launches} == {"ada"}
    assert {launch.command for launch in launches} == {"train.py"}
    assert {launch.provenance["commit"] for launch in launches} == {"0123abcd"}
    assert len(store.select("executions")) == 1  # one version of the code


def test_what_was_deleted_is_told_and_not_taken(source: Written, store: Store) -> None:
    result = store.import_from(source.path)
    assert [(left.what, left.why) for left in result.left_out] == [
        ("run deleted", "it was deleted in MLflow")
    ]


def test_importing_twice_changes_nothing(source: Written, store: Store) -> None:
    store.import_from(source.path)
    before = whole(store)
    again = store.import_from(source.path)
    assert (again.runs, again.changed, again.unchanged) == (0, 0, 4)
    assert whole(store) == before


def test_a_source_that_has_grown_gives_what_is_new(
    source: Written, store: Store, written: Callable[..., Any], tmp_path: Path
) -> None:
    store.import_from(source.path)
    written("mlflow", source.uri, tmp_path, source.told["runs"]["running"], **QUIET)
    result = store.import_from(source.path)
    assert (result.runs, result.changed, result.unchanged) == (0, 1, 3)
    run = source.run(store, "running")
    assert [value for _, value, _ in points_of(store, run)["loss"]] == ["0.3", "0.4", "0.5"]
    assert run.params == {"late": "yes"}
    assert run.tags == ("late=too",)


def test_folder_and_database_give_the_same(both: dict[str, Written], store: Store) -> None:
    found = []
    for name, source in both.items():
        store.import_from(source.path, project=name)
        found.append(
            {
                run.name: (
                    *(run.params, run.tags, run.notes, run.status, run.started),
                    run.fields.get("datasets"),
                    run.fields.keys(),
                    points_of(store, run),
                    sorted(store.artifacts_of(run)),
                )
                for run in store.runs(f"project == '{name}'")
            }
        )
    assert found[0] == found[1]


def test_a_folder_that_holds_one_store_is_enough(source: Written, store: Store) -> None:
    assert store.import_from(source.path.parent, "mlflow").runs == 4


@folders_only
def test_artifacts_are_found_in_a_folder_that_was_moved(source: Written, store: Store) -> None:
    [meta] = source.path.glob(f"*/{source.told['runs']['parent']}/meta.yaml")
    text = re.sub(
        "artifact_uri: .*", "artifact_uri: file:///gone/1/run/artifacts", meta.read_text()
    )
    meta.write_text(text)
    shutil.rmtree(meta.parent / "artifacts")
    told = [(left.what, left.run) for left in store.import_from(source.path).left_out]
    assert ("the artifacts, if there are any", "parent") in told
    kept = meta.parent / "artifacts" / "deep"
    kept.mkdir(parents=True)
    (kept / "a.txt").write_text("a")
    store.import_from(source.path)
    kept_now = {"deep/a.txt", "models/best/model.txt"}
    assert set(store.artifacts_of(source.run(store, "parent"))) == kept_now


@folders_only
def test_files_outside_of_the_folder_that_was_named_are_told_and_not_read(
    source: Written, store: Store, tmp_path: Path
) -> None:
    secret = tmp_path / "0" / "secret"
    secret.mkdir(parents=True)
    (secret / "key").write_text("secret")
    [meta] = source.path.glob(f"*/{source.told['runs']['parent']}/meta.yaml")
    text = re.sub("artifact_uri: .*", f"artifact_uri: {secret.as_uri()}", meta.read_text())
    meta.write_text(text)
    run, kept = meta.parent, meta.parent / "artifacts"
    shutil.rmtree(kept)
    told = {left.what: left.why for left in store.import_from(source.path).left_out}
    assert f"outside of {source.path}" in told["the artifacts, if there are any"]
    kept.mkdir()
    os.mkfifo(kept / "pipe")
    told_of = [left.what for left in store.import_from(source.path).left_out]
    assert told_of.count("file 'pipe'") == 1
    (kept / "own.txt").write_text("own")
    (kept / "link").symlink_to(secret / "key")
    (run / "params" / "stolen").symlink_to(secret / "key")
    told = {left.what: left.why for left in store.import_from(source.path).left_out}
    assert f"outside of {source.path}" in told["file 'link'"]
    assert told["file 'pipe'"] == "it is no file"
    assert "outside" in told["file 'stolen'"]
    parent = source.run(store, "parent")
    assert set(store.artifacts_of(parent)) == {"own.txt", "models/best/model.txt"}
    assert "stolen" not in parent.params


@databases_only
def test_a_run_that_cannot_be_read_leaves_the_others_alone(source: Written, store: Store) -> None:
    odd = source.told["runs"]["child"]
    changed(source.path, "UPDATE metrics SET step = 'x' WHERE run_uuid = ?", odd)
    changed(source.path, "INSERT INTO metrics SELECT 'm', 1, 1, ?, 'x', 0", odd)
    result = store.import_from(source.path)
    assert result.runs == 3
    assert "run child" in {left.what for left in result.left_out}


@folders_only
def test_times_in_another_unit_are_told_and_the_run_is_there(source: Written, store: Store) -> None:
    [meta] = source.path.glob(f"*/{source.told['runs']['child']}/meta.yaml")
    meta.write_text(re.sub("(start_time: .*)", r"\g<1>000", meta.read_text()))
    result = store.import_from(source.path)
    assert result.runs == 4
    told = {left.what.split(",")[0] for left in result.left_out if left.run}
    assert told == {"the time 'started'", "the time 'beaten'"}


@folders_only
def test_a_remote_comes_without_its_password(source: Written, store: Store) -> None:
    [tags] = source.path.glob(f"*/{source.told['runs']['child']}/tags")
    (tags / "mlflow.source.git.repoURL").write_text("https://bob:s3cret@host.example/x.git")
    store.import_from(source.path)
    remotes = {launch.provenance.get("remote") for launch in store.select("launches")}  # type: ignore[attr-defined]
    assert remotes == {None, "https://bob:***@host.example/x.git"}


@databases_only
@pytest.mark.parametrize(
    "uri", ["s3://bucket/1/{run}/artifacts", "mlflow-artifacts:/1/{run}/artifacts"]
)
def test_artifacts_elsewhere_are_told_unless_they_lie_beside(
    source: Written, store: Store, uri: str
) -> None:
    run = source.told["runs"]["parent"]
    changed(source.path, "UPDATE runs SET artifact_uri = ?", uri.format(run=run))
    told = [(left.what, left.run) for left in store.import_from(source.path).left_out]
    assert ("the artifacts, if there are any", "parent") in told
    kept = source.path.parent / "mlartifacts" / source.told["experiment"] / run / "artifacts"
    kept.mkdir(parents=True)
    (kept / "a.txt").write_text("a")
    store.import_from(source.path)
    kept_now = {"a.txt", "models/best/model.txt"}
    assert set(store.artifacts_of(source.run(store, "parent"))) == kept_now


@databases_only
def test_a_model_that_no_run_logged_is_told(source: Written, store: Store) -> None:
    changed(source.path, "UPDATE logged_models SET source_run_id = NULL")
    told = {left.what: left.why for left in store.import_from(source.path).left_out}
    assert told["model 'best'"] == "no run that is there logged it"


@databases_only
def test_a_database_that_was_cut_changes_nothing(source: Written, store: Store) -> None:
    data = source.path.read_bytes()
    for size in (len(data) // 2, len(data) - 4096 * 3):
        source.path.write_bytes(data[:size])
        with pytest.raises(StorageError, match=r"damaged|cannot be read"):
            store.import_from(source.path, "mlflow")
        assert len(store.runs()) == 0


@databases_only
def test_tables_without_a_place_are_told(source: Written, store: Store) -> None:
    changed(source.path, "INSERT INTO registered_models (name) VALUES (?)", "best")
    told = [left.what for left in store.import_from(source.path).left_out]
    assert "the table 'registered_models', with 1 rows" in told


@databases_only
def test_infinity_as_mlflow_keeps_it_comes_back(source: Written, store: Store) -> None:
    with closing(sqlite3.connect(source.path)) as connection:
        kept = connection.execute("SELECT max(value) FROM metrics WHERE key = 'edge'").fetchone()
    assert kept == (1.7976931348623157e308,)
    store.import_from(source.path)
    values = [value for _, value, _ in points_of(store, source.run(store, "parent"))["edge"]]
    assert values == ["inf", "-inf", "5e-324"]


@folders_only
def test_a_run_without_its_description_is_told_and_the_rest_is_there(
    source: Written, store: Store
) -> None:
    [meta] = source.path.glob(f"*/{source.told['runs']['child']}/meta.yaml")
    meta.unlink()
    result = store.import_from(source.path)
    assert result.runs == 3
    told = {left.what: left.why for left in result.left_out}
    what = f"run {source.told['runs']['child']} of experiment Über 🚀/experiment"
    assert told[what] == "it has no meta.yaml"


@folders_only
def test_a_description_that_was_cut_is_told(source: Written, store: Store) -> None:
    [run] = source.path.glob(f"*/{source.told['runs']['child']}/meta.yaml")
    run.write_text("artifact_uri: 'file:///tm")
    [experiment] = source.path.glob(f"{source.told['experiment']}/meta.yaml")
    assert store.import_from(source.path).runs == 3
    experiment.write_text("")
    result = store.import_from(source.path)
    assert "its meta.yaml is empty" in " ".join(left.why for left in result.left_out)


@folders_only
def test_a_line_of_a_metric_that_was_cut_is_told(source: Written, store: Store) -> None:
    [loss] = source.path.glob("*/*/metrics/loss")
    loss.write_bytes(loss.read_bytes() + b"1700000000003 0.1")
    result = store.import_from(source.path)
    told = [(left.what, left.run) for left in result.left_out]
    assert ("line 4 of metric 'loss'", "parent") in told
    assert len(points_of(store, source.run(store, "parent"))["loss"]) == 3
    loss.write_bytes(loss.read_bytes() + b"25 3\n")  # MLflow goes on
    store.import_from(source.path)
    assert points_of(store, source.run(store, "parent"))["loss"][3] == (
        3,
        "0.125",
        1_700_000_000_003_000,
    )


@folders_only
def test_a_deleted_experiment_is_told(source: Written, store: Store) -> None:
    [experiment] = source.path.glob(source.told["experiment"])
    experiment.rename(source.path / ".trash" / experiment.name)
    result = store.import_from(source.path, "mlflow")
    assert (result.runs, len(result.left_out)) == (0, 1)


@folders_only
def test_without_the_library_for_yaml_the_extra_is_named(
    source: Written, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'gosset\[mlflow\]'"):
        store.import_from(source.path, "mlflow")


def test_what_is_no_store_of_mlflow_is_refused(store: Store, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a store")
    for path in (text, tmp_path):
        with pytest.raises(StoreVersionError, match="is no"):
            store.import_from(path, "mlflow")
    with pytest.raises(NotFoundError, match="there is no"):
        store.import_from(tmp_path / "nowhere", "mlflow")
    assert Status.COMPLETE not in {run.status for run in store.runs()}
