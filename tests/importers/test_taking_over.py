"""What a reader finds, brought into a store: whole, exact, once, and with word of the rest."""

import math
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imported_runs import points_of, whole

from gosset import Store, open_store
from gosset.entities import Status
from gosset.exceptions import StorageError
from gosset.identifiers import derived_id
from gosset.importers.base import Found, Goal, Imported, LeftOut, Source
from gosset.importers.taking import take
from gosset.series import Points
from gosset.storage.changes import Batch, RunUpdate

START = 1_700_000_000_000_000
VALUES = [0.1 + 0.2, math.nan, math.inf, -math.inf, 5e-324, -0.0]
RUN = Found(
    id="abc",
    experiment="Ünder 🚀\nexperiment",
    name="one",
    status=Status.FAILED,
    started=START,
    ended=START + 5_000_000,
    params={"lr": 0.1, "big": 2**70, "none": None, "list": [1, "x"]},
    config={"fixed": {"a": 1}},
    tags=("blue", "a=b"),
    notes="A note\nof two lines",
    metrics={
        "loss": Points([5, 5, -3, 2**62, 0, 1], VALUES, [START + i for i in range(6)]),
        "count": Points([0, 1], [2**63, 2**62 + 1], [START, START]),
        "flag": Points([0, 1], [True, False], [START, START]),
    },
    fields={"set": {1, 2}, "day": date(2024, 1, 2), "array": np.arange(3)},
    artifacts={"deep/er.bin": b"\x00\xff", "value": {"a": (1, 2)}},
    console=(("stdout", START, "hello\n"), ("stderr", START + 1, "oh\n")),
    command="train.py --lr 0.1",
    user="ada",
    host="lab",
    provenance={"commit": "0123abcd"},
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    else:
        url = f"sqlite:///{tmp_path / 'here' / 'store.db'}"
    with open_store(url, artifacts=str(tmp_path / "artifacts")) as opened:
        yield opened


def taken(
    store: Store, tmp_path: Path, *found: Found | LeftOut, project: str | None = None
) -> Imported:
    goal = Goal(catalog=store.catalog, artifacts=store.artifacts, project=project)
    return take("mlflow", tmp_path, Source(len(found), iter(found)), goal)


def test_a_run_comes_as_it_was_found(store: Store, tmp_path: Path) -> None:
    result = taken(store, tmp_path, RUN)
    assert (result.runs, result.changed, result.unchanged, result.left_out) == (1, 0, 0, ())
    run = store.run("one")
    assert run.id == derived_id("mlflow", "abc")
    assert (run.project, run.experiment) == ("default", RUN.experiment)
    assert (run.status, run.notes) == (Status.FAILED, RUN.notes)
    assert run.params == RUN.params
    assert run.config["fixed"] == {"a": 1}
    assert sorted(run.tags) == ["a=b", "blue"]
    assert run.started == datetime.fromtimestamp(START / 1e6, UTC)
    assert run.duration == 5.0
    for name, points in RUN.metrics.items():
        wanted = sorted(zip(points.steps, map(repr, points.values), points.times, strict=True))
        assert sorted(points_of(store, run)[name]) == wanted
    fields = store.fields(run)
    assert (fields["set"], fields["day"]) == ({1, 2}, date(2024, 1, 2))
    assert fields["array"].tolist() == [0, 1, 2]
    assert store.artifact(run, "deep/er.bin").read() == b"\x00\xff"
    assert store.artifact(run, "value") == {"a": (1, 2)}
    printed = [(piece.stream, piece.text) for piece in store.catalog.console(run.id)]
    assert printed == [("stdout", "hello\n"), ("stderr", "oh\n")]
    [launch] = store.select("launches")
    assert (launch.command, launch.user, launch.host) == (RUN.command, "ada", "lab")  # type: ignore[attr-defined]
    assert launch.status == Status.FAILED  # type: ignore[attr-defined]
    assert launch.provenance == {"commit": "0123abcd"}  # type: ignore[attr-defined]


def test_taking_over_again_changes_nothing(store: Store, tmp_path: Path) -> None:
    taken(store, tmp_path, RUN)
    before = whole(store)
    again = taken(store, tmp_path, RUN)
    assert (again.runs, again.changed, again.unchanged, again.artifacts) == (0, 0, 1, 0)
    assert whole(store) == before
    assert len(store.select("launches")) == len(store.select("executions")) == 1


def test_a_run_that_has_grown_gets_what_is_new(store: Store, tmp_path: Path) -> None:
    loss = RUN.metrics["loss"]
    less = replace(
        RUN,
        status=Status.RUNNING,
        ended=None,
        beaten=START,
        metrics={"loss": loss[:3]},
        tags=("blue",),
    )
    result = taken(store, tmp_path, less)
    assert result.unfinished == {"one": "crashed"}
    assert store.run("one").status == Status.CRASHED
    result = taken(store, tmp_path, RUN)
    assert (result.runs, result.changed, result.left_out) == (0, 1, ())
    with open_store("memory://") as at_once:
        taken(at_once, tmp_path, RUN)
        assert whole(store) == whole(at_once)


def test_a_series_of_many_chunks_grows_exactly(store: Store, tmp_path: Path) -> None:
    def so_many(count: int) -> Found:
        points = Points(list(range(count)), [i / 7 for i in range(count)], [START] * count)
        return replace(RUN, metrics={"loss": points})

    for count in (9_999, 25_001, 60_000):
        taken(store, tmp_path, so_many(count))
        series = store.series("one", "loss")
        assert series.steps.tolist() == list(range(count))
        assert series.values.tolist() == [i / 7 for i in range(count)]
        assert store.run("one").metrics["loss"].series.count == count  # type: ignore[union-attr]


def test_what_was_added_here_stays_when_the_run_has_grown(store: Store, tmp_path: Path) -> None:
    taken(store, tmp_path, RUN)
    run = store.run("one")
    mine = RunUpdate(id=run.id, tags=(*run.tags, "mine"), fields={"verdict": "good"})
    store.catalog.record(Batch(runs=[mine]))
    grown = replace(RUN, params={**RUN.params, "late": 1}, notes="Another")
    taken(store, tmp_path, grown)
    run = store.run("one")
    assert (run.params["late"], run.notes) == (1, "Another")
    assert run.params["lr"] == 0.1
    assert (set(run.tags), run.fields["verdict"]) == ({"blue", "a=b", "mine"}, "good")


def test_a_series_that_was_rewritten_stays_as_it_was_and_that_is_told(
    store: Store, tmp_path: Path
) -> None:
    taken(store, tmp_path, RUN)
    before = whole(store)["abc"]["points"]
    other = Points([0], [1.0], [START])
    result = taken(store, tmp_path, replace(RUN, metrics={**RUN.metrics, "loss": other}))
    assert [left.what for left in result.left_out] == ["what metric 'loss' is now"]
    assert whole(store)["abc"]["points"] == before
    assert store.run("one").metrics["loss"].series.count == 6  # type: ignore[union-attr]


def test_a_run_stays_where_it_is_however_the_source_calls_it_later(
    store: Store, tmp_path: Path
) -> None:
    taken(store, tmp_path, RUN, project="Mine")
    moved = replace(RUN, experiment="renamed", project="Elsewhere", notes="new")
    taken(store, tmp_path, moved)
    run = store.run("one")
    assert (run.project, run.experiment, run.notes) == ("Mine", RUN.experiment, "new")


def test_a_source_that_knows_projects_says_where_runs_go(store: Store, tmp_path: Path) -> None:
    taken(store, tmp_path, replace(RUN, project="Theirs"))
    assert store.run("one").project == "Theirs"


def test_a_run_of_a_process_that_was_just_seen_is_at_work(store: Store, tmp_path: Path) -> None:
    now = time.time_ns() // 1000
    beats = replace(RUN, status=Status.RUNNING, ended=None, beaten=now)
    result = taken(store, tmp_path, beats)
    assert result.unfinished == {"one": "running"}
    assert store.run("one").status == Status.RUNNING
    taken(store, tmp_path, RUN)
    assert store.run("one").status == Status.FAILED


def test_what_started_in_a_run_is_found_by_it(store: Store, tmp_path: Path) -> None:
    child = replace(RUN, id="child", name="child", parent="abc")
    taken(store, tmp_path, child, RUN)
    assert store.run("child").parent == store.run("one").id


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", "x" * 251])
def test_names_that_no_store_takes_are_others_and_that_is_told(
    store: Store, tmp_path: Path, name: str
) -> None:
    points = Points([0], [1.0], [START])
    odd = replace(
        RUN,
        experiment=name,
        tags=(name,),
        metrics={name: points},
        params={name: 1},
        fields={name: 2},
        artifacts={name: b""},
    )
    result = taken(store, tmp_path, odd)
    [run] = store.runs()
    for held in (run.params, run.fields, run.metrics, store.artifacts_of(run)):
        assert len(held) == 1
    assert len(run.tags) == 1
    assert len(result.left_out) == 6
    assert all("no store takes it" in left.why for left in result.left_out)


def test_two_names_that_are_cut_stay_two(store: Store, tmp_path: Path) -> None:
    params = {"x" * 300 + end: end for end in "ab"}
    taken(store, tmp_path, replace(RUN, params=params))
    assert sorted(store.run("one").params.values()) == ["a", "b"]  # type: ignore[type-var]


def test_halves_of_characters_and_zeros_do_no_harm(store: Store, tmp_path: Path) -> None:
    odd = "a\0b\ud800c"
    run = replace(
        RUN,
        params={"p": odd},
        config={"c": odd},
        fields={"f": odd},
        notes=odd,
        user=odd,
        command=odd,
        code=odd,
        console=(("stdout", START, odd),),
        provenance={"commit": odd},
    )
    assert taken(store, tmp_path, run).runs == 1
    assert taken(store, tmp_path, run).unchanged == 1
    assert store.run("one").params["p"] == odd
    assert store.fields("one")["f"] == odd


def test_values_that_cannot_be_kept_are_told_and_the_rest_is_there(
    store: Store, tmp_path: Path
) -> None:
    odd: dict[str, Any] = {"bad": object(), "good": 1}
    result = taken(
        store,
        tmp_path,
        replace(
            RUN,
            params=odd,
            fields=odd,
            artifacts={"lost": tmp_path / "nowhere", "here": b"x"},
            metrics={"far": Points([2**63, 1], [1.0, 2.0], [START, START])},
        ),
    )
    told = {left.what for left in result.left_out}
    expected = {"parameter 'bad'", "field 'bad'", "artifact 'lost'", "1 points of 'far'"}
    assert told == expected
    assert {left.run for left in result.left_out} == {"one"}
    run = store.run("one")
    assert (run.params, run.fields) == ({"good": 1}, {"good": 1})
    assert list(store.artifacts_of(run)) == ["here"]
    assert points_of(store, run)["far"] == [(1, "2.0", START)]
    assert len(run.config["imported_from"]["left_out"]) == 4  # type: ignore[index, call-overload, arg-type]


def test_secrets_are_masked_and_that_is_told(store: Store, tmp_path: Path) -> None:
    secret = "hunter2-hunter2"
    command = f"train.py --password {secret}"
    result = taken(store, tmp_path, replace(RUN, params={"password": secret}, command=command))
    assert secret not in repr([store.run("one"), store.select("launches")])
    assert [left.why for left in result.left_out] == ["it looks like a secret"]


def test_a_folder_is_kept_file_by_file(store: Store, tmp_path: Path) -> None:
    (tmp_path / "model" / "deep").mkdir(parents=True)
    (tmp_path / "model" / "deep" / "a.txt").write_text("a")
    (tmp_path / "model" / "b.txt").write_text("b")
    taken(store, tmp_path, replace(RUN, artifacts={"model": tmp_path / "model"}))
    assert set(store.artifacts_of("one")) == {"model/b.txt", "model/deep/a.txt"}
    assert store.artifact("one", "model/deep/a.txt").read() == b"a"


def test_a_pipe_is_told_and_not_waited_for(store: Store, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    os.mkfifo(tmp_path / "model" / "pipe")
    artifacts = {"model": tmp_path / "model", "pipe": tmp_path / "model" / "pipe"}
    result = taken(store, tmp_path, replace(RUN, artifacts=artifacts))
    assert [left.what for left in result.left_out] == ["artifact 'model/pipe'", "artifact 'pipe'"]
    assert not store.artifacts_of("one")


def test_a_remote_comes_without_its_password(store: Store, tmp_path: Path) -> None:
    said = {"remote": "https://bob:s3cret@host.example/x.git", "commit": "0123abcd"}
    taken(store, tmp_path, replace(RUN, provenance=said))
    [launch] = store.select("launches")
    remote = "https://bob:***@host.example/x.git"
    assert launch.provenance == {"remote": remote, "commit": "0123abcd"}  # type: ignore[attr-defined]


def test_one_run_that_is_there_twice_is_taken_over_once(store: Store, tmp_path: Path) -> None:
    result = taken(store, tmp_path, RUN, replace(RUN, name="copy"))
    assert (result.runs, len(store.runs())) == (1, 1)
    assert [left.what for left in result.left_out] == ["another copy of run copy"]


def test_what_belongs_to_no_run_is_told(store: Store, tmp_path: Path) -> None:
    left = LeftOut(what="run x", why="it was deleted")
    assert taken(store, tmp_path, left, RUN).left_out == (left,)


def test_a_source_that_breaks_off_leaves_only_whole_runs(store: Store, tmp_path: Path) -> None:
    def broken() -> Iterable[Found]:
        for number in range(450):
            yield Found(
                id=str(number),
                experiment="many",
                name=f"run {number}",
                status=Status.COMPLETE,
                started=START,
                params={"number": number},
                metrics={"loss": Points([0, 1], [number, 0.5], [START, START])},
            )
        raise StorageError("the source is cut off")

    goal = Goal(catalog=store.catalog, artifacts=store.artifacts)
    with pytest.raises(StorageError, match="cut off"):
        take("mlflow", tmp_path, Source(450, iter(broken())), goal)
    runs = list(store.runs())
    assert len(runs) == 400  # two batches
    assert all(run.status == Status.COMPLETE for run in runs)
    assert all(run.metrics["loss"].series.count == 2 for run in runs)  # type: ignore[union-attr]


def test_a_run_that_cannot_be_taken_over_leaves_the_others_alone(
    store: Store, tmp_path: Path
) -> None:
    odd = replace(RUN, id="odd", name="odd", metrics={"loss": Points([0], ["text"], [START])})  # type: ignore[list-item]
    result = taken(store, tmp_path, replace(RUN, id="a"), odd, replace(RUN, id="b"))
    assert (result.runs, len(store.runs())) == (2, 2)
    [left] = result.left_out
    assert (left.what, left.why[:15]) == ("run odd", "it is damaged: ")


def test_a_run_that_the_store_refuses_leaves_the_others_alone(store: Store, tmp_path: Path) -> None:
    odd = replace(RUN, id="odd", name="odd", console=(("neither", START, b"x"),))  # type: ignore[arg-type]
    far = replace(RUN, id="far", name="far", user=2**70)  # type: ignore[arg-type]
    running = {"status": Status.RUNNING, "ended": None}
    runs = [replace(RUN, id=id_, name=id_, **running) for id_ in "abc"]  # type: ignore[arg-type]
    result = taken(store, tmp_path, runs[0], odd, runs[1], far, runs[2])
    assert sorted(run.name for run in store.runs()) == ["a", "b", "c"]
    assert [left.what for left in result.left_out] == ["run odd", "run far"]
    assert result.unfinished == dict.fromkeys("abc", "crashed")


def test_times_that_no_calendar_has_are_left_out(store: Store, tmp_path: Path) -> None:
    late = START * 1000
    odd = replace(
        RUN,
        started=late,
        ended=-late,
        metrics={"loss": Points([0, 1], [0.5, 0.25], [START, late])},
        console=(("stdout", START, "kept"), ("stdout", late, "lost")),
    )
    result = taken(store, tmp_path, odd)
    assert result.runs == 1
    assert [left.what for left in result.left_out] == [
        f"the time 'started', {late}",
        f"the time 'ended', {-late}",
        "1 pieces of what it printed",
        "1 points of 'loss'",
    ]
    run = store.run("one")
    assert run.started == datetime.fromtimestamp(START / 1e6, UTC)
    assert points_of(store, run)["loss"] == [(0, "0.5", START)]


def test_progress_is_told_run_by_run(store: Store, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    goal = Goal(catalog=store.catalog, artifacts=store.artifacts)
    source = Source(2, iter([RUN, replace(RUN, id="b", name="b")]))
    take("mlflow", tmp_path, source, goal, lambda done, total: told.append((done, total)))
    assert told[0] == (0, 2)
    assert told[-1] == (2, 2)
