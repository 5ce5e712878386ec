"""The contract of the catalog, held by every implementation."""

from __future__ import annotations

import dataclasses
import math
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import catalogs as make
import pytest

from gosset.entities import (
    Attempt,
    Dataset,
    Direction,
    Environment,
    ExceptionInfo,
    Hyperparameter,
    Launch,
    Metric,
    Run,
    Status,
)
from gosset.exceptions import FilterError, NotFoundError, UsageError
from gosset.filters import parse
from gosset.identifiers import new_id, now
from gosset.storage import open_catalog
from gosset.storage.base import KINDS, Catalog, Order, Split
from gosset.storage.changes import Batch, NewRun, RunUpdate

NASTY = ["x'; DROP TABLE runs; --", 'a"b', "%", "_", "\\", "{}", ":name", "ä€😀", "a\nb", "NULL"]


@pytest.fixture(
    params=["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "memory":
        return "memory://"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
def catalog(url: str) -> Iterator[Catalog]:
    opened = open_catalog(url)
    yield opened
    opened.close()


def numbers(found: list[object]) -> list[int]:
    return [run.number for run in found]  # type: ignore[attr-defined]


def where(catalog: Catalog, text: str) -> list[int]:
    """Return the numbers of the runs that satisfy a filter, ascending; count must agree."""
    found = numbers(catalog.select("runs", where=parse(text)))
    assert catalog.count("runs", where=parse(text)) == len(found)
    return sorted(found)


# -- declared things


def test_a_project_is_made_once(catalog: Catalog) -> None:
    first = catalog.ensure_project("Examples", description="shown")
    assert catalog.ensure_project("Examples") == first
    assert (first.name, first.description, first.created.tzinfo) == ("Examples", "shown", UTC)
    assert catalog.select("projects") == [first]


def test_an_experiment_keeps_what_was_last_declared(catalog: Catalog) -> None:
    first = catalog.ensure_experiment("P", "E", description="why", definition={"seed": 1})
    assert catalog.ensure_experiment("P", "E") == first
    again = catalog.ensure_experiment("P", "E", definition={"seed": 2})
    assert (again.id, again.description, again.definition) == (first.id, "why", {"seed": 2})
    assert catalog.ensure_experiment("P", "E", description="so").description == "so"
    assert catalog.ensure_experiment("Q", "E").id != first.id


def test_executions_are_numbered_by_code_version(catalog: Catalog) -> None:
    experiment = catalog.ensure_experiment("P", "E")
    code = {"components": {"f": {"digest": "d", "source": "def f(): ..."}}}
    first = catalog.ensure_execution(experiment.id, "one", code)
    second = catalog.ensure_execution(experiment.id, "two", {})
    assert (first.number, second.number, first.code) == (1, 2, code)
    assert catalog.ensure_execution(experiment.id, "one", {}) == first
    assert catalog.ensure_execution(experiment.id, "three", {}).number == 3


def test_datasets_are_versions_of_their_name(catalog: Catalog) -> None:
    given = make.dataset(content="one")
    first = catalog.ensure_dataset(given)
    assert first == dataclasses.replace(given, version=1, created=first.created)
    assert catalog.ensure_dataset(given) == first
    assert catalog.ensure_dataset(make.dataset(content="two")).version == 2
    assert catalog.ensure_dataset(make.dataset(name="wine", content="one")).version == 1


def test_version_of_a_dataset_is_told_anew(catalog: Catalog) -> None:
    given = make.dataset()
    first = catalog.ensure_dataset(dataclasses.replace(given, description="flowers"))
    assert catalog.ensure_dataset(given) == first  # what is empty is not told
    # Another release of a library may write the same data as other bytes.
    moved = dataclasses.replace(
        given,
        content=(make.artifact("X"), make.artifact("y")),
        columns=tuple(dataclasses.replace(column, unit="mm") for column in given.columns),
        source="elsewhere.csv",
    )
    again = catalog.ensure_dataset(moved)
    assert again == dataclasses.replace(
        moved, version=1, description="flowers", created=first.created
    )
    assert catalog.select("datasets") == [again]
    assert {artifact.digest for artifact in moved.content} <= set(catalog.referenced())
    assert not {artifact.digest for artifact in given.content} & set(catalog.referenced())


def test_splits_and_environments_are_kept_once(catalog: Catalog) -> None:
    split = Split(digest="s" * 64, folds=5, artifact=make.artifact("folds"), description={"n": 5})
    environment = Environment(digest="e" * 64, content={"python": "3.11", "packages": []})
    for _ in range(2):
        catalog.ensure_split(split)
        catalog.ensure_environment(environment)
    assert catalog.split(split.digest) == split
    assert catalog.environment(environment.digest) == environment
    assert catalog.referenced()[split.artifact.digest] == 1
    with pytest.raises(NotFoundError):
        catalog.split("none")
    with pytest.raises(NotFoundError):
        catalog.environment("none")


@pytest.mark.parametrize("name", NASTY)
def test_names_are_data(catalog: Catalog, name: str) -> None:
    launch = make.launch(catalog, name, name)
    catalog.ensure_dataset(make.dataset(name=name))
    [run] = catalog.add_runs(
        launch.id, [NewRun(params={name: name}, group="g", name=name, tags=(name,))]
    )
    metric = Metric(name=name, value=0.5)
    run = make.update(catalog, run, metrics=[metric], fields={name: name})
    assert (run.project, run.experiment, run.name, run.tags) == (name, name, name, (name,))
    assert (run.params, run.fields, run.metrics) == ({name: name}, {name: name}, {name: metric})
    literal = repr(name)
    quoted = "`" + name + "`"
    for text in (
        f"project == {literal} and experiment == {literal} and name == {literal}",
        f"params.{quoted} == {literal} and fields.{quoted} in ({literal}, 1)",
        f"metrics.{quoted} == 0.5 and {literal} in tags",
    ):
        assert where(catalog, text) == [1]
    assert numbers(catalog.select("runs", order=[Order(f"params.{name}")])) == [1]
    assert catalog.find("runs", name) == run
    assert catalog.find("projects", name).name == name  # type: ignore[attr-defined]
    assert catalog.find("datasets", name).name == name  # type: ignore[attr-defined]


def test_names_that_cannot_be_indexed_are_refused(catalog: Catalog) -> None:
    launch = make.launch(catalog)
    with pytest.raises(UsageError, match="is no name for a project"):
        catalog.ensure_project("")
    with pytest.raises(UsageError, match="at most 250"):
        catalog.add_runs(launch.id, [NewRun(params={"x" * 251: 1}, group="g")])
    assert catalog.count("runs") == 0
    assert catalog.add_runs(launch.id, [NewRun(params={"ä" * 250: "ä" * 9999}, group="g")])


# -- launches


def test_a_launch_is_numbered_and_updated(catalog: Catalog) -> None:
    experiment = catalog.ensure_experiment("P", "E")
    before = now()
    launch = catalog.add_launch(
        experiment.id,
        execution=3,
        command="gosset run",
        user="me",
        host="here",
        pid=7,
        notes="note",
        settings={"jobs": 2},
        status=Status.RUNNING,
    )
    assert (launch.number, launch.execution, launch.settings) == (1, 3, {"jobs": 2})
    assert launch.heartbeat is not None
    assert before <= launch.heartbeat <= now()
    assert make.launch(catalog, "P", "E").number == 2
    west = make.NOON.astimezone(timezone(timedelta(hours=-5)))
    catalog.update_launch(launch.id, status=Status.COMPLETE, started=west, ended=west)
    ended = catalog.find("launches", launch.id)
    assert isinstance(ended, Launch)
    assert (ended.started, ended.ended, ended.duration) == (make.NOON, make.NOON, 0.0)
    assert ended.started is not None
    assert ended.started.tzinfo is UTC
    catalog.update_launch(launch.id, status=Status.RUNNING, host="there", pid=8, environment="e")
    resumed = catalog.find("launches", launch.id)
    changed = {"status": Status.RUNNING, "host": "there", "pid": 8, "environment": "e"}
    assert resumed == dataclasses.replace(ended, ended=None, **changed)
    with pytest.raises(NotFoundError):
        catalog.update_launch("none", status=Status.FAILED)


def test_a_launch_is_changed_only_from_the_status_that_is_expected(catalog: Catalog) -> None:
    launch = make.launch(catalog)
    reference = make.digest()
    assert catalog.update_launch(launch.id, status=Status.FAILED, ended=make.NOON)
    assert catalog.update_launch(
        launch.id, expected=Status.FAILED, status=Status.RUNNING, host="first", pid=1
    )
    taken = catalog.find("launches", launch.id)
    assert not catalog.update_launch(
        launch.id,
        expected=Status.FAILED,
        status=Status.RUNNING,
        host="second",
        pid=2,
        ended=make.NOON,
        provenance={"diff": {"digest": reference, "format": "text", "size": 9}},
    )
    assert catalog.find("launches", launch.id) == taken
    assert reference not in catalog.referenced()
    with pytest.raises(NotFoundError):
        catalog.update_launch("none", expected=Status.FAILED, status=Status.RUNNING)


def test_of_many_that_take_up_a_launch_one_gets_it(catalog: Catalog) -> None:
    launch = make.launch(catalog)
    catalog.update_launch(launch.id, status=Status.STOPPED)
    took: list[int] = []

    def take(number: int) -> None:
        if catalog.update_launch(
            launch.id, expected=Status.STOPPED, status=Status.RUNNING, pid=number
        ):
            took.append(number)

    _together(8, take)
    found = catalog.find("launches", launch.id)
    assert isinstance(found, Launch)
    assert took == [found.pid]


def test_artifacts_in_the_provenance_are_references(catalog: Catalog) -> None:
    launch = make.launch(catalog)
    diff = {"digest": make.digest("diff"), "format": "text", "size": 9}
    catalog.update_launch(launch.id, provenance={"git": {"commit": "c", "diff": diff}, "n": [diff]})
    assert catalog.referenced() == {diff["digest"]: 2}
    catalog.update_launch(launch.id, provenance={"git": {"diff": diff}})
    assert catalog.referenced() == {diff["digest"]: 1}


# -- runs


def test_runs_are_numbered_on_in_their_experiment(catalog: Catalog) -> None:
    launch = make.launch(catalog)
    new = [
        NewRun(params={"lr": 0.1}, group="g", seed=1, tags=("b", "a", "b"), dataset="d", split="s"),
        NewRun(params={}, group="g", name="mine"),
    ]
    first, second = catalog.add_runs(launch.id, new)
    assert (first.number, first.name, first.status) == (1, "iris#1", Status.QUEUED)
    assert (first.seed, first.tags, first.dataset, first.split) == (1, ("b", "a"), "d", "s")
    assert (first.project, first.experiment, first.execution, first.launch) == (
        "Examples", "iris", 1, 1,
    )  # fmt: skip
    assert (second.number, second.name, second.params) == (2, "mine", {})
    assert numbers(list(catalog.add_runs(make.launch(catalog).id, new))) == [3, 4]
    assert numbers(list(catalog.add_runs(make.launch(catalog, experiment="b").id, new))) == [1, 2]
    assert catalog.add_runs(launch.id, []) == []
    with pytest.raises(NotFoundError):
        catalog.add_runs("none", new)


VALUES = [
    None, True, False, 0, 1, -1, 2**53 + 1, 2**64, -(2**200), 0.1, -0.0, 5e-324, 1.7e308,
    math.inf, -math.inf, "", "text", "x" * 10_000, "zero\0 surrogate\ud800", [], [1, [None, "a"]],
    {}, {"a": {"b": [1.5, True]}},
]  # fmt: skip


def test_every_value_survives_exactly(catalog: Catalog) -> None:
    params = {f"p{index}": value for index, value in enumerate(VALUES)}
    [run] = make.runs(catalog, params)
    run = make.update(catalog, run, fields=params)
    for found in (run.params, run.fields):
        assert repr(found) == repr(params)
    [run] = make.runs(catalog, {"nan": math.nan, "list": [math.nan, math.inf]})
    assert repr(run.params) == "{'nan': nan, 'list': [nan, inf]}"


def test_what_is_no_json_is_refused_and_nothing_written(catalog: Catalog) -> None:
    launch = make.launch(catalog)
    new = [NewRun(params={"a": 1}, group="g"), NewRun(params={"a": {1, 2}}, group="g")]  # type: ignore[dict-item]
    with pytest.raises(UsageError, match="JSON"):
        catalog.add_runs(launch.id, new)
    assert catalog.count("runs") == 0
    assert numbers(list(make.runs(catalog, {}, of=launch))) == [1]


def test_metrics_survive_exactly(catalog: Catalog) -> None:
    [run] = make.runs(catalog, {})
    metrics = [
        Metric(name="a", value=0.1 + 0.2, std=1e-300, folds=(0.1, -0.0), direction=Direction.MINIMIZE),
        Metric(name="train/a", value=math.inf, folds=(math.inf, -math.inf)),
        Metric(name="c", value=-math.inf, std=math.inf),
    ]  # fmt: skip
    found = make.update(catalog, run, metrics=metrics)
    assert repr(found.metrics) == repr({metric.name: metric for metric in metrics})
    nan = Metric(name="nan", value=math.nan, std=math.nan, folds=(math.nan, 1.0))
    assert repr(make.update(catalog, run, metrics=[nan]).metrics["nan"]) == repr(nan)


def test_an_update_changes_what_it_gives(catalog: Catalog) -> None:
    [run] = make.runs(catalog, {"lr": 0.1})
    fault = ExceptionInfo(type="ValueError", message="no\0", traceback="Traceback …")
    hyper = (Hyperparameter(name="SVC.C", value=1.0, kind="model"),)
    changes = {
        "status": Status.FAILED, "started": make.NOON, "ended": make.NOON + timedelta(seconds=1.5),
        "hyperparameters": hyper, "tags": ("a",), "exception": fault, "cached": True,
        "dataset": "d", "split": "s", "execution": 2,
    }  # fmt: skip
    found = make.update(catalog, run, **changes)
    assert found == dataclasses.replace(run, **changes)  # type: ignore[arg-type]
    assert found.duration == 1.5
    assert make.update(catalog, run) == found
    found = make.update(catalog, run, tags=("b", "c"), fields={"x": 1})
    assert (found.tags, found.fields, where(catalog, "'a' in tags")) == (("b", "c"), {"x": 1}, [])
    found = make.update(catalog, run, fields={"y": 2}, metrics=[Metric(name="m", value=1)])
    assert found.fields == {"x": 1, "y": 2}
    found = make.update(
        catalog, run, metrics=[Metric(name="m", value=2), Metric(name="n", value=3)]
    )
    assert {name: metric.value for name, metric in found.metrics.items()} == {"m": 2, "n": 3}
    assert where(catalog, "metrics.m == 2") == [1]
    taken_up = make.update(catalog, run, status=Status.RUNNING, clear_exception=True)
    assert (taken_up.exception, taken_up.ended) == (None, None)


def test_recording_is_all_or_nothing(catalog: Catalog) -> None:
    launch = make.launch(catalog)
    [run] = make.runs(catalog, {}, of=launch)
    before = catalog.find("runs", run.id)
    entry = make.entry()
    good = {
        "runs": [RunUpdate(id=run.id, status=Status.COMPLETE)],
        "computations": [make.computation(launch, run, outputs=(make.artifact(),))],
        "entries": [entry],
    }
    for bad in (
        {"attempts": [Attempt(run="none", number=1, status=Status.RUNNING, resource="cpu", execution=1, started=now())]},
        {"computations": [make.computation(launch, dataclasses.replace(run, id="none"))]},
        {"entries": [entry, make.entry(parts={"a": object()})]},
        {"runs": [*good["runs"], RunUpdate(id="none")]},
    ):  # fmt: skip
        with pytest.raises((NotFoundError, UsageError)):
            catalog.record(Batch(**{**good, **bad}))  # type: ignore[arg-type]
        assert catalog.find("runs", run.id) == before
        assert catalog.computations(run.id) == []
        assert catalog.referenced() == {}
        assert catalog.entries([entry.key]) == {}
    catalog.record(Batch(**good))  # type: ignore[arg-type]
    assert catalog.entries([entry.key]) == {entry.key: entry}


def test_computations_replace_those_of_the_same_place(catalog: Catalog) -> None:
    launch = make.launch(catalog)
    first, second = make.runs(catalog, {}, {}, of=launch)
    full = make.computation(
        launch,
        first,
        fold=0,
        key="k",
        inputs={"X": "npy:abc"},
        outputs=(make.artifact("a", inline=b"\0\xff"), make.artifact("b")),
        started=make.NOON,
        wall=1.5,
        cpu=0.5,
        memory=2**40,
        log="printed\0 \ud800",
        exception=ExceptionInfo(type="E", message="m"),
    )
    others = [
        make.computation(launch, first, fold=1),
        make.computation(launch, first, fold=None),
        make.computation(launch, second, fold=0),
        make.computation(launch, None, stage="summary", outputs=(make.artifact(),)),
    ]
    catalog.record(Batch(computations=[full, *others]))
    assert catalog.computations(first.id) == [full, *others[:2]]
    assert catalog.computations(launch_id=launch.id) == [others[3]]
    assert len(catalog.referenced()) == 3
    again = dataclasses.replace(full, id=new_id(), outputs=(make.artifact("c"),))
    aggregate = dataclasses.replace(others[3], id=new_id(), outputs=())
    catalog.record(Batch(computations=[full, again, aggregate]))
    assert {c.id for c in catalog.computations(first.id)} == {again.id, others[0].id, others[1].id}
    assert catalog.computations(launch_id=launch.id) == [aggregate]
    assert catalog.referenced() == {again.outputs[0].digest: 1}


def test_attempts_replace_those_of_the_same_number(catalog: Catalog) -> None:
    [run] = make.runs(catalog, {})
    first = Attempt(
        run=run.id, number=1, status=Status.RUNNING, resource="cpu", execution=1, started=make.NOON
    )
    ended = dataclasses.replace(
        first, status=Status.FAILED, ended=make.NOON, exception=ExceptionInfo(type="E", message="m")
    )
    second = dataclasses.replace(first, number=2)
    catalog.record(Batch(attempts=[second, first]))
    catalog.record(Batch(attempts=[ended]))
    assert catalog.attempts(run.id) == [ended, second]


# -- owners that are gone


def _dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


@pytest.mark.parametrize(
    ("host", "pid", "age", "gone"),
    [
        (socket.gethostname(), os.getpid(), 0, False),
        (socket.gethostname(), None, 0, True),
        (socket.gethostname(), 0, 0, False),
        ("elsewhere", None, 0, False),
        ("elsewhere", os.getpid(), 60, True),
    ],
    ids=["at work", "dead", "without a process", "on another host", "silent elsewhere"],
)
def test_launches_without_an_owner_are_crashed(
    catalog: Catalog, host: str, pid: int | None, age: float, gone: bool
) -> None:
    launch = make.launch(catalog)
    done, running, queued = make.runs(catalog, {}, {}, {}, of=launch)
    attempt = Attempt(
        run=running.id, number=1, status=Status.RUNNING, resource="cpu", execution=1, started=now()
    )
    catalog.record(
        Batch(
            runs=[
                RunUpdate(id=done.id, status=Status.COMPLETE, ended=make.NOON),
                RunUpdate(id=running.id, status=Status.RUNNING),
            ],
            attempts=[attempt],
        )
    )
    catalog.update_launch(
        launch.id,
        status=Status.RUNNING,
        host=host,
        pid=_dead_pid() if pid is None else pid,
        heartbeat=now() - timedelta(seconds=age),
    )
    assert catalog.reap() == (1 if gone else 0)
    assert catalog.reap() == 0
    found = catalog.find("launches", launch.id)
    assert isinstance(found, Launch)
    assert (found.status is Status.CRASHED, found.ended is not None) == (gone, gone)
    expected = [Status.CRASHED] * 2 if gone else [Status.RUNNING, Status.QUEUED]
    states = [catalog.find("runs", run.id).status for run in (done, running, queued)]  # type: ignore[attr-defined]
    assert states == [Status.COMPLETE, *expected]
    assert catalog.attempts(running.id)[0].status is expected[0]


# -- cache


def test_entries_are_left_as_they_are_unless_evicted(catalog: Catalog) -> None:
    first = make.entry(outputs=(make.artifact("a", inline=b"1"), make.artifact("b")))
    other = make.entry(recipe=first.recipe, outputs=())
    catalog.record(Batch(entries=[first, other, first]))
    late = dataclasses.replace(first, outputs=(make.artifact(),), stage="late")
    catalog.record(Batch(entries=[late]))
    assert catalog.entries([first.key, "none", other.key]) == {first.key: first, other.key: other}
    found = catalog.candidates([first.recipe, "none"])
    assert {entry.key: entry for entry in found.pop(first.recipe)} == catalog.entries(
        [first.key, other.key]
    )
    assert found == {}
    assert catalog.evict([first.key, "none"]) == 1
    assert catalog.evict([first.key]) == 0
    bare = tuple(dataclasses.replace(output, inline=None) for output in first.outputs)
    evicted = dataclasses.replace(first, evicted=True, outputs=bare)
    assert catalog.entries([first.key]) == {first.key: evicted}
    assert catalog.candidates([first.recipe]) == {first.recipe: [other]}
    assert catalog.referenced() == {}
    catalog.record(Batch(entries=[late]))
    assert catalog.entries([first.key]) == {first.key: late}
    assert catalog.referenced() == {late.outputs[0].digest: 1}


def test_many_keys_are_asked_for_at_once(catalog: Catalog) -> None:
    entries = [make.entry() for _ in range(200)]
    catalog.record(Batch(entries=entries))
    keys = [entry.key for entry in entries] + [make.digest() for _ in range(40_000)]
    assert len(catalog.entries(keys)) == 200


def test_candidates_are_the_newest_of_each_recipe(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gosset.storage.cache.CANDIDATES", 3)
    often = [make.entry(recipe="often", outputs=(make.artifact("a"),)) for _ in range(6)]
    once = make.entry(recipe="once")
    catalog.record(Batch(entries=[*often[:4], once]))
    catalog.record(Batch(entries=often[4:]))
    catalog.evict([often[4].key])
    found = catalog.candidates(["often", "once", "never"])
    assert set(found) == {"often", "once"}
    assert found["once"] == [once]
    assert len(found["often"]) == 3
    assert found["often"][0] == often[5]
    assert {entry.key for entry in found["often"][1:]} < {entry.key for entry in often[:4]}
    # What is left out is still found by its key.
    assert len(catalog.entries([entry.key for entry in often])) == 6


# -- filters, sorts


@pytest.fixture
def filled(catalog: Catalog) -> Catalog:
    """Seven runs with values of every type under the same names."""
    launch = make.launch(catalog)
    values: list[object] = [0.1, 1, "1", True, None, [1], 10]
    found = make.runs(catalog, *({"x": value, "n": n} for n, value in enumerate(values)), of=launch)
    updates = [
        RunUpdate(id=found[0].id, metrics=[Metric(name="acc", value=0.9, std=0.1)], tags=("draft",)),
        RunUpdate(id=found[1].id, metrics=[Metric(name="acc", value=0.5)], tags=("draft", "b")),
        RunUpdate(id=found[2].id, metrics=[Metric(name="acc", value=math.nan)]),
        RunUpdate(id=found[3].id, metrics=[Metric(name="acc", value=math.inf, std=0.2)]),
        RunUpdate(id=found[4].id, status=Status.COMPLETE, started=make.NOON, ended=make.NOON + timedelta(seconds=2)),
        RunUpdate(id=found[5].id, fields={"note": "Long " + "x" * 300, "x.std": 1}, cached=True),
        RunUpdate(id=found[6].id, fields={"note": "lång"}),
    ]  # fmt: skip
    catalog.record(Batch(runs=updates))
    return catalog


FILTERS = [
    ("params.x > 0.05", [1, 2, 7]),
    ("params.x <= 1", [1, 2]),
    ("params.x == 1", [2]),
    ("params.x == 1.0", [2]),
    ("params.x == '1'", [3]),
    ("params.x == True", [4]),
    ("params.x == False", []),
    ("params.x is None", [5]),
    ("params.x != 1", [1, 3, 4, 5, 6, 7]),
    ("not params.x > 0.05", [3, 4, 5, 6]),
    ("params.x > 'A'", []),
    ("params.x >= '1'", [3]),
    ("params.x > True", []),
    ("params.x in (0.1, '1', None, True)", [1, 3, 4, 5]),
    ("params.x not in (0.1, '1')", [2, 4, 5, 6, 7]),
    ("params.x in ()", []),
    ("params.x like '_'", [3]),
    ("0 < params.x < 1", [1]),
    ("params.n >= 2 and params.n < 4", [3, 4]),
    ("params.n == 0 or params.n == 6", [1, 7]),
    ("metrics.acc > 0.4", [1, 2, 4]),
    ("metrics.acc == inf", [4]),
    ("metrics.acc <= 0.5", [2]),
    ("metrics.acc is None", [5, 6, 7]),
    ("metrics.acc.std > 0.1", [4]),
    ("metrics.acc.std is not None", [1, 4]),
    ("metrics.acc in (0.5, 7, None)", [2, 5, 6, 7]),
    ("fields.note like 'Long x%'", [6]),
    ("fields.note like 'long%'", []),
    ("fields.note ilike 'LONG%'", [6]),
    ("fields.note ilike 'LÅNG'", [7]),
    ("fields.note like '%x'", [6]),
    ("fields.note not like '%x'", [1, 2, 3, 4, 5, 7]),
    ("fields.note like 'l_ng'", [7]),
    ("fields.note like 'l\\_ng'", []),
    ("fields.note == 'Long " + "x" * 300 + "'", [6]),
    ("fields.note == 'Long " + "x" * 245 + "'", []),
    ("fields.note in ('Long " + "x" * 300 + "', 'lång')", [6, 7]),
    ("fields.note < 'Long y'", [6]),
    ("fields.x.std == 1", [6]),
    ("'draft' in tags", [1, 2]),
    ("'draft' in tags and 'b' not in tags", [1]),
    ("tags is None", [3, 4, 5, 6, 7]),
    ("tags like 'dr%'", [1, 2]),
    ("status == 'complete'", [5]),
    ("status != 'complete' and status in ('queued', 'failed')", [1, 2, 3, 4, 6, 7]),
    ("cached == True", [6]),
    ("not cached == True", [1, 2, 3, 4, 5, 7]),
    ("cached > False", []),
    ("started >= '2026-01-02'", [5]),
    ("started < '2026-01-02T11:59:59+00:00'", []),
    ("started >= '2026-01-02T13:00:00.123456+01:00'", [5]),
    ("started is None", [1, 2, 3, 4, 6, 7]),
    ("duration == 2", [5]),
    ("duration is None or duration > 1", [1, 2, 3, 4, 5, 6, 7]),
    ("number > 5.5", [6, 7]),
    ("number in (1, 2.0, None)", [1, 2]),
    (f"number < {10**30}", [1, 2, 3, 4, 5, 6, 7]),
    ("seed is None and dataset is None", [1, 2, 3, 4, 5, 6, 7]),
    ("project == 'Examples' and experiment like 'ir%' and launch == 1 and execution == 1", [1, 2, 3, 4, 5, 6, 7]),
    ("launch == 2", []),
    ("name == 'iris#3'", [3]),
    ("name like 'iris#[3]' or name like 'iris*'", []),
    ("group == 'x'", []),
]  # fmt: skip


def test_filters(filled: Catalog) -> None:
    found = {text: where(filled, text) for text, _ in FILTERS}
    assert found == dict(FILTERS)


def test_the_contrary_of_a_filter_is_true_of_all_others(filled: Catalog) -> None:
    found = {text: where(filled, f"not ({text})") for text, _ in FILTERS}
    everything = set(range(1, 8))
    assert found == {text: sorted(everything - set(runs)) for text, runs in FILTERS}


def test_huge_integers_are_told_apart(catalog: Catalog) -> None:
    make.runs(catalog, {"n": 2**60}, {"n": 2**60 + 1}, {"n": float(2**60)}, {"n": 10**400})
    assert where(catalog, f"params.n == {2**60}") == [1, 3]
    assert where(catalog, f"params.n in ({2**60 + 1}, {10**400})") == [2, 4]
    assert where(catalog, f"params.n > {2**61}") == [4]


SORTS = [
    ("params.x", [1, 2, 7, 3, 6, 4, 5]),
    ("-params.x", [7, 2, 1, 3, 4, 6, 5]),
    ("metrics.acc", [2, 1, 4, 7, 6, 5, 3]),
    ("-metrics.acc", [4, 1, 2, 7, 6, 5, 3]),
    ("-metrics.acc.std", [4, 1, 7, 6, 5, 3, 2]),
    ("fields.note", [6, 7, 5, 4, 3, 2, 1]),
    ("number", [1, 2, 3, 4, 5, 6, 7]),
    ("started", [5, 7, 6, 4, 3, 2, 1]),
    ("-duration", [5, 7, 6, 4, 3, 2, 1]),
    ("experiment", [7, 6, 5, 4, 3, 2, 1]),
]


def test_sorts_with_missing_values_last(filled: Catalog) -> None:
    for term, expected in SORTS:
        order = [Order.of(term)]
        assert (term, numbers(filled.select("runs", order=order))) == (term, expected)
        pages = [
            number
            for offset in range(0, 8, 2)
            for number in numbers(filled.select("runs", order=order, limit=2, offset=offset))
        ]
        assert (term, pages) == (term, expected)
        assert numbers(filled.select("runs", order=order, offset=3)) == expected[3:]


def test_sorts_by_several_terms(catalog: Catalog) -> None:
    make.runs(catalog, *({"a": a, "b": b} for a, b in [(1, 1), (1, 2), (0, 1), (0, None), (0, 2)]))
    order = [Order("params.a"), Order("params.b", descending=True)]
    assert numbers(catalog.select("runs", order=order)) == [5, 3, 4, 2, 1]
    order = [Order("status"), Order("params.b"), Order("number", descending=True)]
    assert numbers(catalog.select("runs", order=order)) == [3, 1, 5, 2, 4]


MISTAKES = [
    ("runs", "params.y == 1", "known are 'params.n', 'params.x'"),
    ("runs", "metrics.loss == 1", "known are 'metrics.acc'"),
    ("runs", "seed == '0'", "seed is a number and cannot be compared with '0'"),
    ("runs", "seed != '0'", "write 0 without quotes"),
    ("runs", "number in (1, 'a')", "number is a number"),
    ("runs", "metrics.acc > '0.9'", "write 0.9 without quotes"),
    ("runs", "metrics.acc in (0.5, 'a')", "metrics.acc is a number"),
    ("runs", "cached == 1", "cached is True or False and cannot be compared with 1"),
    ("runs", "experiment == 3", "write it in quotes: '3'"),
    ("runs", "metrics.ac > 1", "did you mean 'metrics.acc'?"),
    ("runs", "acc > 1", "did you mean 'metrics.acc'?"),
    ("runs", "statsu == 'complete'", "did you mean 'status'?"),
    ("runs", "status == 'compelte'", "did you mean 'complete'?"),
    ("runs", "status in ('compelte',)", "did you mean 'complete'?"),
    ("runs", "status.x == 1", "runs have no 'status.x'"),
    ("runs", "tags == 'draft'", "use 'draft' in tags"),
    ("runs", "'a' in name", "use name like '%a%'"),
    ("runs", "'a' in params.x", "does not hold several values"),
    ("runs", "started > 'soon'", "is a time"),
    ("runs", "number like '1%'", "is no text"),
    ("runs", "metrics.acc like '1%'", "is no text"),
    ("launches", "params.x == 1", "launches have no 'params.x'"),
    ("computations", "status == 'complete'", "is never 'complete'"),
    ("experiments", "metrics.acc == 1", "experiments have no"),
]


def test_filters_without_a_meaning_are_errors(filled: Catalog) -> None:
    for kind, text, words in MISTAKES:
        with pytest.raises(FilterError, match=re.escape(words)):
            filled.select(kind, where=parse(text))


def test_unknown_terms_and_kinds_are_errors(filled: Catalog) -> None:
    with pytest.raises(FilterError, match=r"did you mean 'metrics\.acc'"):
        filled.select("runs", order=[Order("metrics.acd")])
    with pytest.raises(FilterError, match="cannot be sorted"):
        filled.select("runs", order=[Order("tags")])
    for ask in (filled.select, filled.count, filled.names):
        with pytest.raises(UsageError, match="did you mean 'runs'"):
            ask("run")


def test_a_store_without_runs_has_no_unknown_parameters(catalog: Catalog) -> None:
    filters = "params.x > 1 or metrics.y is None or fields.z == 'a'"
    assert catalog.select("runs", where=parse(filters), order=[Order("metrics.y")]) == []


def test_every_name_filters_and_sorts(filled: Catalog) -> None:
    for kind in KINDS:
        for name in filled.names(kind):
            assert filled.count(kind, where=parse(f"{name} is None or not {name} is None")) == (
                filled.count(kind)
            )
            if name != "tags":
                filled.select(kind, order=[Order(name)])


def test_names_are_as_filters_write_them(catalog: Catalog) -> None:
    [run] = make.runs(catalog, {"my step.C": 1, "a.b": 2})
    make.update(catalog, run, metrics=[Metric(name="train/f1", value=1)], fields={"x`y": 1})
    names = catalog.names("runs")
    assert {"params.a.b", "params.`my step`.C", "metrics.train/f1", "fields.`x``y`"} <= set(names)
    assert where(catalog, "params.`my step`.C == 1 and params.`a.b` == 2") == [1]


def test_newest_first_or_by_name(catalog: Catalog) -> None:
    for project in ("b", "a"):
        for experiment in ("d", "c"):
            make.runs(catalog, {}, {}, of=make.launch(catalog, project, experiment))
    assert [p.name for p in catalog.select("projects")] == ["a", "b"]  # type: ignore[attr-defined]
    assert [e.name for e in catalog.select("experiments")] == ["c", "c", "d", "d"]  # type: ignore[attr-defined]
    for kind in ("runs", "launches", "executions"):
        ids = [entity.id for entity in catalog.select(kind)]  # type: ignore[attr-defined]
        assert ids == sorted(ids, reverse=True)
        assert [e.id for e in catalog.select(kind, limit=2, offset=1)] == ids[1:3]  # type: ignore[attr-defined]


def test_summaries(filled: Catalog) -> None:
    [run, *_] = filled.select("runs", where=parse("number == 7"))
    assert isinstance(run, Run)
    loss = Metric(name="loss", value=2.0, direction=Direction.MINIMIZE)
    make.update(filled, run, metrics=[loss])
    [summary] = filled.select("metrics", where=parse("name == 'loss' and maximum >= 2"))
    assert dataclasses.astuple(summary) == ("loss", "minimize", 1, 2.0, 2.0, 2.0)  # type: ignore[call-overload]
    shared = make.artifact()
    other = make.artifact()
    filled.record(
        Batch(entries=[make.entry(outputs=(shared,)), make.entry(outputs=(shared, other))])
    )
    [artifact] = filled.select("artifacts", where=parse("references == 2"))
    assert dataclasses.astuple(artifact) == (shared.digest, "npy", 100, 2)  # type: ignore[call-overload]
    assert filled.count("artifacts", where=parse("size > 1 and format == 'npy'")) == 2


def test_filters_of_computations_reach_their_run(catalog: Catalog) -> None:
    launch = make.launch(catalog)
    _, run = make.runs(catalog, {}, {}, of=launch)
    aggregate = make.computation(launch, None, stage="summary")
    mine = make.computation(launch, run, wall=2.0, memory=10)
    catalog.record(Batch(computations=[aggregate, mine]))
    assert catalog.select("computations", where=parse("run == 2 and wall > 1")) == [mine]
    assert catalog.select("computations", where=parse("run is None")) == [aggregate]
    assert catalog.count("computations", where=parse("experiment == 'iris' and launch == 1")) == 2


# -- references


def test_find(catalog: Catalog) -> None:
    first = make.launch(catalog, "P", "E")
    second = make.launch(catalog, "Q", "E/F")
    runs = make.runs(catalog, {}, {}, of=first)
    [other] = make.runs(catalog, {}, of=second)
    data = [catalog.ensure_dataset(make.dataset(content=text)) for text in ("one", "two")]
    for reference, expected in [
        (runs[0].id, runs[0]),
        (runs[0].id.upper(), runs[0]),
        (runs[1].id[:-1], runs[1]),
        ("E#1", runs[0]),
        ("P/E#2", runs[1]),
        ("P/E#latest", runs[1]),
        ("Q/E/F#1", other),
        ("E/F#latest", other),
        ("latest", other),
    ]:
        assert catalog.find("runs", reference) == expected
    assert catalog.find("runs", "latest", project="P") == runs[1]
    assert catalog.find("launches", "E#1") == first
    assert catalog.find("launches", "latest") == second
    assert catalog.find("executions", "E/F#1").experiment == "E/F"  # type: ignore[attr-defined]
    assert catalog.find("experiments", "Q/E/F") == catalog.find("experiments", "E/F")
    assert catalog.find("projects", "P") == catalog.ensure_project("P")
    assert catalog.find("datasets", "iris") == catalog.find("datasets", "latest") == data[1]
    assert catalog.find("datasets", "iris@1") == data[0]
    assert catalog.find("datasets", data[0].digest[:12]) == data[0]


def test_find_tells_what_could_have_been_meant(catalog: Catalog) -> None:
    for project in ("P", "Q"):
        make.runs(catalog, {}, of=make.launch(catalog, project, "iris"))
    with pytest.raises(UsageError, match=r"several runs: Q/iris#1 \(.*\), P/iris#1"):
        catalog.find("runs", "iris#1")
    assert catalog.find("runs", "iris#1", project="Q").project == "Q"  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="several experiments: Q/iris, P/iris"):
        catalog.find("experiments", "iris")
    with pytest.raises(NotFoundError, match="did you mean 'iris'"):
        catalog.find("experiments", "irsi")
    with pytest.raises(NotFoundError, match="did you mean 'iris#1'"):
        catalog.find("runs", "iris#9")
    with pytest.raises(NotFoundError, match="in the project 'P'"):
        catalog.find("runs", "latest#", project="P")
    with pytest.raises(NotFoundError, match="did you mean 'latest'"):
        catalog.find("runs", "latestt")
    with pytest.raises(NotFoundError, match="did you mean 'iris#1'"):
        catalog.find("runs", "iris@1", project="Q")
    catalog.ensure_experiment("P", "wine", description="", definition={})
    for reference in ("wine", "wine#1"):
        with pytest.raises(NotFoundError, match="the experiment 'wine' has no launches yet"):
            catalog.find("launches", reference)
    with pytest.raises(NotFoundError):
        catalog.find("datasets", "latest")
    with pytest.raises(UsageError, match="nothing of the kind"):
        catalog.find("run", "latest")
    for reference in ("", "#", "%", "iris#", "#1", "/", "iris#1e9", "iris#99999999999999999999"):
        with pytest.raises((NotFoundError, UsageError)):
            catalog.find("runs", reference)


# -- removing


def _world(catalog: Catalog) -> dict[str, list[str]]:
    """Return what is there of each kind, by id."""
    kinds = ("projects", "experiments", "executions", "launches", "runs", "computations")
    return {kind: [e.id for e in catalog.select(kind)] for kind in kinds}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        ("runs", (2, 2, 2, 2, 2, 3)),
        ("launches", (2, 2, 2, 1, 1, 1)),
        ("executions", (2, 2, 1, 1, 1, 1)),
        ("experiments", (2, 1, 1, 1, 1, 1)),
        ("projects", (1, 1, 1, 1, 1, 1)),
    ],
)
def test_deleting_takes_what_is_below_and_nothing_above(
    catalog: Catalog, kind: str, left: tuple[int, ...]
) -> None:
    for project in ("P", "Q"):
        launch = make.launch(catalog, project, "E")
        runs = make.runs(
            catalog, *([{"x": 1}, {"x": 2}] if project == "P" else [{"x": 3}]), of=launch
        )
        done = [make.computation(launch, run, outputs=(make.artifact(),)) for run in runs]
        if project == "P":
            done.append(make.computation(launch, None, outputs=(make.artifact(),)))
            diff = {"digest": make.digest(), "format": "text", "size": 1}
            catalog.update_launch(launch.id, provenance={"diff": diff})
        catalog.record(
            Batch(
                computations=done,
                runs=[
                    RunUpdate(id=run.id, metrics=[Metric(name="m", value=1)], fields={"f": 1}, tags=("t",))
                    for run in runs
                ],
            )
        )  # fmt: skip
    victim = catalog.find(kind, {"projects": "P", "experiments": "P/E"}.get(kind, "P/E#1"))
    gone = catalog.delete(kind, victim.id)  # type: ignore[attr-defined]
    assert gone == (1 if kind == "runs" else 2)
    assert tuple(map(len, _world(catalog).values())) == left
    digests = {ref.digest for c in catalog.select("computations") for ref in c.outputs}  # type: ignore[attr-defined]
    kept = digests | ({diff["digest"]} if kind == "runs" else set())
    assert set(catalog.referenced()) == kept
    survivors = 3 - gone
    assert catalog.count(
        "runs", where=parse("metrics.m == 1 and fields.f == 1 and 't' in tags")
    ) == (survivors)
    with pytest.raises(NotFoundError):
        catalog.delete(kind, victim.id)  # type: ignore[attr-defined]


def test_deleting_never_frees_a_number(catalog: Catalog) -> None:
    launch = make.launch(catalog)
    runs = make.runs(catalog, {}, {}, of=launch)
    catalog.delete("runs", runs[1].id)
    assert numbers(list(make.runs(catalog, {}, of=launch))) == [3]
    catalog.delete("launches", launch.id)
    assert make.launch(catalog).number == 2
    execution = catalog.find("executions", "iris#1")
    catalog.delete("executions", execution.id)  # type: ignore[attr-defined]
    assert (
        catalog.ensure_execution(catalog.ensure_experiment("Examples", "iris").id, "f", {}).number
        == 2
    )
    dataset = catalog.ensure_dataset(make.dataset())
    assert catalog.delete("datasets", dataset.digest) == 1
    assert catalog.referenced() == {}
    assert catalog.ensure_dataset(make.dataset()).version == 2


def test_an_execution_leaves_the_runs_of_other_code_in_its_launch(catalog: Catalog) -> None:
    launch = make.launch(catalog)
    first, second = make.runs(catalog, {}, {}, of=launch)
    catalog.ensure_execution(catalog.ensure_experiment("Examples", "iris").id, "changed", {})
    make.update(catalog, second, execution=2)
    assert catalog.delete("executions", catalog.find("executions", "iris#1").id) == 1  # type: ignore[attr-defined]
    assert numbers(catalog.select("runs")) == [2]
    assert catalog.count("launches") == 1
    assert catalog.select("runs", where=parse("number == 1")) == []
    assert first.execution == 1


def test_what_cannot_be_deleted_is_refused(catalog: Catalog) -> None:
    with pytest.raises(UsageError, match="metrics cannot be deleted"):
        catalog.delete("metrics", "x")
    with pytest.raises(NotFoundError):
        catalog.delete("datasets", "x")


# -- promises


def _together(count: int, work: Callable[[int], None]) -> None:
    """Call `work` in threads that start at once; raise what any of them raised."""
    barrier, errors = threading.Barrier(count), []

    def carry(index: int) -> None:
        try:
            barrier.wait()
            work(index)
        except BaseException as error:  # noqa: BLE001  (handed on below)
            errors.append(error)

    threads = [threading.Thread(target=carry, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_threads_share_a_catalog(catalog: Catalog) -> None:
    launch = make.launch(catalog)
    entries = [make.entry() for _ in range(50)]
    data = [make.dataset(content=str(index)) for index in range(4)]

    def work(index: int) -> None:
        for _ in range(3):
            [run] = make.runs(catalog, {"index": index}, of=launch)
            shuffled = entries[index:] + entries[:index]
            update = RunUpdate(id=run.id, status=Status.COMPLETE)
            catalog.record(Batch(runs=[update], entries=shuffled))
        catalog.ensure_experiment("Examples", "shared")
        catalog.ensure_execution(launch_experiment, "shared", {})
        catalog.ensure_dataset(data[index % 4])
        catalog.count("runs", where=parse("params.index >= 0"))

    launch_experiment = catalog.ensure_experiment("Examples", "iris").id
    _together(8, work)
    assert sorted(numbers(catalog.select("runs"))) == list(range(1, 25))
    assert len(catalog.entries(entry.key for entry in entries)) == 50
    assert sorted(numbers(catalog.select("executions"))) == [1, 2]
    found = catalog.select("datasets")
    assert sorted(d.version for d in found if isinstance(d, Dataset)) == [1, 2, 3, 4]
    assert set(catalog.referenced().values()) == {1}


def test_a_closed_catalog_reconnects(catalog: Catalog) -> None:
    catalog.ensure_project("P")
    catalog.close()
    assert catalog.count("projects") == 1


def test_the_url_opens_the_same_store_again(catalog: Catalog, url: str) -> None:
    catalog.ensure_project("P")
    again = open_catalog(catalog.url)
    assert again.url == catalog.url
    # Each catalog in memory is its own.
    assert again.count("projects") == (0 if url == "memory://" else 1)
    again.close()


def test_entities_are_frozen_and_times_aware(catalog: Catalog) -> None:
    [run] = make.runs(catalog, {})
    with pytest.raises(dataclasses.FrozenInstanceError):
        run.name = "x"  # type: ignore[misc]
    assert isinstance(run.created, datetime)
    assert run.created.tzinfo is UTC
