"""What every sink promises: news of tracked runs, taken in once, exactly, or not at all."""

from __future__ import annotations

import math
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gosset.entities import Status
from gosset.exceptions import NotFoundError, UsageError
from gosset.series import Points, pack, summarise, unpack
from gosset.storage import open_catalog
from gosset.storage.base import Catalog
from gosset.storage.direct import DirectSink
from gosset.storage.news import (
    Alert,
    Beat,
    Beginning,
    Captured,
    Ending,
    Gap,
    Kept,
    News,
    Opening,
    Sink,
)

OPENING = Opening(
    id="launch-1", project="P", experiment="baseline", fingerprint="f1", moment=1_000_000, pid=1
)
BEGINS = Beginning(
    launch=OPENING,
    name="abc",
    group="g",
    seed=0,
    params={"lr": 0.1, "layers": [64, 32]},
    config={"epochs": 3},
    tags=("draft",),
    notes="first",
    moment=2_000_000,
)


@pytest.fixture(
    params=[
        "direct",
        "memory",
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.postgresql),
    ]
)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Sink, Catalog]]:
    """Give a sink, and the catalog in which its news arrive."""
    if request.param == "direct":
        sink: Sink = DirectSink(tmp_path / "store.db")
        catalog = open_catalog(f"sqlite:///{tmp_path}/store.db")
    else:
        url = {
            "memory": lambda: "memory://",
            "sqlite": lambda: f"sqlite:///{tmp_path}/store.db",
            "postgresql": lambda: str(request.getfixturevalue("postgresql_url")),
        }[request.param]()
        catalog = open_catalog(url)
        sink = catalog.sink()
    yield sink, catalog
    sink.close()
    catalog.close()


def news(run: str = "run-1", number: int = 1, writer: int = 7, **what: object) -> News:
    return News(run=run, writer=writer, number=number, **what)  # type: ignore[arg-type]


def points(name: str, *values: float, number: int = 0, step: int = 0) -> dict[str, object]:
    steps = list(range(step, step + len(values)))
    given = Points(steps, list(values), [5_000_000 + s for s in steps])
    return {"points": [(name, number, pack(given))], "summaries": {name: summarise(given)}}


def test_a_run_that_begins_is_there_with_all_above_it(opened: tuple[Sink, Catalog]) -> None:
    sink, catalog = opened
    sink.write([news(begins=BEGINS)])
    [run] = catalog.select("runs")
    assert (run.project, run.experiment, run.launch, run.number) == ("P", "baseline", 1, 1)
    assert (run.name, run.status, run.seed, run.group) == ("abc", Status.RUNNING, 0, "g")
    assert run.params == {"lr": 0.1, "layers": [64, 32]}
    assert (run.config, run.notes, run.tags) == ({"epochs": 3}, "first", ("draft",))
    assert (run.started.timestamp(), run.ended, run.metrics) == (2.0, None, {})
    [launch] = catalog.select("launches")
    assert (launch.status, launch.pid, launch.created.timestamp()) == (Status.RUNNING, 1, 1.0)
    assert sink.number("run-1") == 1


def test_runs_of_a_launch_and_launches_of_a_code_version_share_it(
    opened: tuple[Sink, Catalog],
) -> None:
    sink, catalog = opened
    again = BEGINS._replace(launch=OPENING._replace(id="launch-2"))
    other = BEGINS._replace(launch=OPENING._replace(id="launch-3", fingerprint="f2"))
    for position, begins in enumerate((BEGINS, BEGINS, again, other)):
        sink.write([news(f"run-{position}", begins=begins)])
    told = [(r.number, r.launch, r.execution) for r in catalog.select("runs")]
    assert sorted(told) == [(1, 1, 1), (2, 1, 1), (3, 2, 1), (4, 3, 2)]


def test_points_come_back_exactly_and_their_summary_is_ready(
    opened: tuple[Sink, Catalog],
) -> None:
    sink, catalog = opened
    sink.write([news(begins=BEGINS, **points("loss", 0.5, math.nan, -math.inf))])
    sink.write([news(number=2, **points("loss", 0.25, number=1, step=3))])
    [run] = catalog.select("runs")
    series = run.metrics["loss"].series
    assert (run.metrics["loss"].value, series.count, series.step) == (0.25, 4, 3)
    assert (series.minimum, series.maximum, series.numbers) == (-math.inf, 0.5, 3)
    found = unpack(catalog.series("run-1")["loss"])
    assert found.steps == [0, 1, 2, 3]
    assert repr(found.values) == repr([0.5, math.nan, -math.inf, 0.25])
    assert catalog.series("run-1", ["other"]) == {}


@pytest.mark.parametrize("last", [2**60 + 1, True, math.nan, math.inf, 2**70, -0.0])
def test_the_last_value_is_exact_while_a_run_works_and_after(
    opened: tuple[Sink, Catalog], last: float
) -> None:
    sink, catalog = opened
    sink.write([news(begins=BEGINS, **points("m", last))])
    [live] = catalog.select("runs")
    sink.write([news(number=2, ends=Ending(status="complete", moment=9_000_000))])
    [ended] = catalog.select("runs")
    assert repr(live.metrics["m"].value) == repr(last) == repr(ended.metrics["m"].value)
    assert ended.metrics["m"].series == live.metrics["m"].series or math.isnan(last)


def test_a_chunk_that_grew_takes_the_place_of_what_it_was(opened: tuple[Sink, Catalog]) -> None:
    sink, catalog = opened
    sink.write([news(begins=BEGINS, **points("loss", 1.0))])
    grown = points("loss", 1.0, 2.0) | {"summaries": points("loss", 2.0, step=1)["summaries"]}
    sink.write([news(number=2, **grown)])
    [chunk] = catalog.series("run-1")["loss"]
    assert unpack([chunk]).values == [1.0, 2.0]
    [run] = catalog.select("runs")
    assert run.metrics["loss"].series.count == 2


def test_the_mean_over_infinities_of_both_signs_is_no_number(
    opened: tuple[Sink, Catalog],
) -> None:
    sink, catalog = opened
    first, then = (math.inf, -math.inf), (1.0, 2.0)
    sink.write([news(begins=BEGINS, **points("loss", *first))])
    sink.write([news(number=2, **points("loss", *then, number=1, step=2))])
    sink.write([news(number=3, ends=Ending(status="complete", moment=3_000_000))])
    series = catalog.select("runs")[0].metrics["loss"].series  # type: ignore[attr-defined]
    assert (series.count, series.numbers, series.minimum, series.maximum) == (
        4, 4, -math.inf, math.inf,
    )  # fmt: skip
    assert math.isnan(series.total)
    assert math.isnan(series.mean)


def test_what_was_said_before_is_not_taken_in_again(opened: tuple[Sink, Catalog]) -> None:
    sink, catalog = opened
    first = news(begins=BEGINS, **points("loss", 1.0), console=[("stdout", 1, "x\n")])
    sink.write([first])
    sink.write([first, news(writer=8, **points("loss", 3.0)), first])
    [run] = catalog.select("runs")
    assert run.metrics["loss"].series.count == 2
    assert len(catalog.series("run-1")["loss"]) == 2


def test_the_last_point_is_that_with_the_highest_step_whoever_logs_it(
    opened: tuple[Sink, Catalog],
) -> None:
    sink, catalog = opened
    sink.write([news(begins=BEGINS, **points("loss", 1.0, step=10))])
    sink.write([news(number=2, **points("loss", 5.0, number=1, step=3))])
    [run] = catalog.select("runs")
    assert (run.metrics["loss"].value, run.metrics["loss"].series.step) == (1.0, 10)
    assert catalog.count("runs") == 1


def test_documents_are_merged_and_searchable(opened: tuple[Sink, Catalog]) -> None:
    from gosset.filters import parse

    sink, catalog = opened
    sink.write([news(begins=BEGINS)])
    sink.write([news(number=2, fields={"note": "a\0b", "n": 1}, params={"lr": 0.2})])
    sink.write([news(number=3, fields={"n": 2}, tags=["new"], untags=["draft"], name="renamed")])
    [run] = catalog.select("runs", where=parse("fields.n == 2 and params.lr == 0.2"))
    assert (run.fields, run.tags, run.name) == ({"note": "a\0b", "n": 2}, ("new",), "renamed")
    assert catalog.count("runs", where=parse("'draft' in tags")) == 0
    assert catalog.count("runs", where=parse("'new' in tags")) == 1


def test_artifacts_of_a_name_replace_one_another_and_are_kept_from_collection(
    opened: tuple[Sink, Catalog],
) -> None:
    sink, catalog = opened
    one, two = (Kept(name="model", format="bytes", digest=d * 64, size=1) for d in "ab")
    sink.write([news(begins=BEGINS, artifacts=[one])])
    sink.write([news(number=2, artifacts=[two])])
    assert catalog.referenced() == {"b" * 64: 1}
    catalog.delete("runs", "run-1")
    assert catalog.referenced() == {}


def test_the_end_of_a_run_is_told(opened: tuple[Sink, Catalog]) -> None:
    sink, catalog = opened
    failed = Ending(status="failed", moment=9_000_000, exception=("ValueError", "no", "trace"))
    alert = Alert(moment=1, level="warning", title="loss is NaN")
    sink.write([news(begins=BEGINS, ends=failed, alerts=[alert], **points("loss", 1.0))])
    [run] = catalog.select("runs")
    assert (run.status, run.ended.timestamp(), run.exception.type) == (
        Status.FAILED,
        9.0,
        "ValueError",
    )
    sink.write([], [Beat(launch="launch-1", moment=9_500_000, status="failed")])
    [launch] = catalog.select("launches")
    assert (launch.status, launch.heartbeat.timestamp()) == (Status.FAILED, 9.5)


def test_all_of_a_write_is_kept_or_nothing(opened: tuple[Sink, Catalog]) -> None:
    sink, catalog = opened
    with pytest.raises(NotFoundError, match="run-2"):
        sink.write([news(begins=BEGINS), news("run-2", **points("loss", 1.0))])
    assert catalog.count("runs") == catalog.count("launches") == 0


def test_a_run_is_taken_up_by_one_who_finds_nobody_at_work(opened: tuple[Sink, Catalog]) -> None:
    sink, catalog = opened
    now = int(time.time() * 1e6)
    me = OPENING._replace(host="here", pid=os.getpid(), moment=now)
    sink.write([news(begins=BEGINS._replace(launch=me), **points("loss", 1.0, step=4))])
    again = me._replace(id="launch-2")
    with pytest.raises(UsageError, match=f"abc is at work in process {os.getpid()} on here"):
        sink.take_up("run-1", again)
    with pytest.raises(UsageError, match="abc is at work"):
        sink.take_up("run-1", again._replace(host="there"))
    failed = Ending("failed", now, ("E", "no", "…"), launch="launch-1", leaves="failed")
    sink.write([news(number=2, fields={"n": 1}, ends=failed)])
    facts = sink.take_up("run-1", again)
    assert (facts.name, facts.params["lr"], facts.fields) == ("abc", 0.1, {"n": 1})
    assert (facts.tags, facts.steps, facts.seed) == (("draft",), {"loss": 4}, 0)
    [run] = catalog.select("runs")
    assert (run.status, run.ended, run.exception, run.launch) == (Status.RUNNING, None, None, 2)
    assert run.metrics["loss"].value == 1.0
    with pytest.raises(UsageError, match="abc is at work"):
        sink.take_up("run-1", me._replace(id="launch-3"))
    with pytest.raises(NotFoundError):
        sink.take_up("run-0", again)


def test_a_run_of_a_process_that_is_gone_is_taken_up_elsewhere_after_the_lease(
    opened: tuple[Sink, Catalog],
) -> None:
    sink, catalog = opened
    now = int(time.time() * 1e6)
    process = subprocess.Popen(["true"])
    process.wait()
    owner = OPENING._replace(host="here", pid=process.pid, moment=now)
    sink.write([news(begins=BEGINS._replace(launch=owner))])
    away = owner._replace(id="launch-2", host="there", pid=1)
    with pytest.raises(UsageError):
        sink.take_up("run-1", away)
    sink.take_up("run-1", away._replace(moment=now + 21_000_000))
    sink.write([], [Beat("launch-2", now - 30_000_000)])
    sink.take_up("run-1", owner._replace(id="launch-3"))  # its process is gone, on this host
    assert catalog.select("runs")[0].launch == 3


def test_who_lost_a_run_to_another_does_not_end_it(opened: tuple[Sink, Catalog]) -> None:
    sink, catalog = opened
    sink.write([news(begins=BEGINS)])
    sink.take_up("run-1", OPENING._replace(id="launch-2", moment=90_000_000))
    late = Ending("complete", 99_000_000, launch="launch-1", leaves="complete")
    sink.write([news(number=2, ends=late, **points("loss", 1.0))])
    [run] = catalog.select("runs")
    assert (run.status, run.metrics["loss"].value) == (Status.RUNNING, 1.0)
    statuses = {launch.number: launch.status for launch in catalog.select("launches")}
    assert statuses == {1: Status.COMPLETE, 2: Status.RUNNING}


def test_a_launch_ends_with_its_last_run_and_goes_on_with_another(
    opened: tuple[Sink, Catalog],
) -> None:
    sink, catalog = opened
    over = Ending("complete", 9_000_000, launch="launch-1", leaves="failed")
    sink.write([news(begins=BEGINS, ends=over)])
    [launch] = catalog.select("launches")
    assert (launch.status, launch.ended.timestamp()) == (Status.FAILED, 9.0)
    sink.write([news("run-2", begins=BEGINS)])
    [launch] = catalog.select("launches")
    assert (launch.status, launch.ended) == (Status.RUNNING, None)


def test_a_sign_of_life_takes_back_that_a_launch_crashed(opened: tuple[Sink, Catalog]) -> None:
    sink, catalog = opened
    done = Ending("complete", 9_000_000, launch="launch-1")
    sink.write([news(begins=BEGINS), news("run-2", begins=BEGINS, ends=done)])
    assert catalog.reap() == 1
    assert {run.status for run in catalog.select("runs")} == {Status.CRASHED, Status.COMPLETE}
    sink.write([], [Beat("launch-1", int(time.time() * 1e6))])
    assert {run.status for run in catalog.select("runs")} == {Status.RUNNING, Status.COMPLETE}
    assert catalog.select("launches")[0].status == Status.RUNNING


def test_what_is_logged_by_others_after_the_end_is_in_the_metrics(
    opened: tuple[Sink, Catalog],
) -> None:
    sink, catalog = opened
    over = Ending("complete", 9_000_000)
    sink.write([news(begins=BEGINS, ends=over, **points("loss", 1.0))])
    sink.write([news(writer=8, **points("loss", 3.0, 2.0, step=1))])
    [run] = catalog.select("runs")
    assert (run.status, run.metrics["loss"].value, run.metrics["loss"].series.count) == (
        Status.COMPLETE,
        2.0,
        3,
    )


@pytest.mark.parametrize("last", [0.5, 2**60 + 1, True, math.nan, math.inf, 2**70, -0.0])
def test_a_point_that_is_alone_in_a_run_comes_back_exactly(
    opened: tuple[Sink, Catalog], last: float
) -> None:
    sink, catalog = opened
    over = Ending("complete", 9_000_000)
    chunk = pack(Points([4], [last], [5_000_004]))
    sink.write([news(begins=BEGINS, ends=over, **points("m", last, step=4))])
    assert catalog.series("run-1") == catalog.series("run-1", ["m"]) == {"m": [chunk]}
    assert catalog.series("run-1", ["other"]) == {}


def test_a_point_that_was_alone_stays_when_others_come(opened: tuple[Sink, Catalog]) -> None:
    sink, catalog = opened
    over = Ending("complete", 9_000_000, launch="launch-1", leaves="complete")
    for run in ("run-1", "run-2"):
        sink.write([news(run, begins=BEGINS, ends=over, **points("loss", 1.0))])
    sink.write([news(writer=8, tags=["late"])])
    sink.write([news(writer=9, **points("loss", 3.0, 2.0, step=1))])
    sink.take_up("run-2", OPENING._replace(id="launch-2", moment=90_000_000))
    sink.write([news("run-2", writer=9, **points("loss", 3.0, 2.0, step=1))])
    for run in ("run-1", "run-2"):
        assert unpack(catalog.series(run)["loss"]).values == [1.0, 3.0, 2.0]


def test_pieces_of_what_a_run_printed_make_room_for_a_note(opened: tuple[Sink, Catalog]) -> None:
    sink, catalog = opened
    printed = [("stdout", moment, f"{moment}\n") for moment in range(1, 6)]
    sink.write([news(begins=BEGINS, console=printed), news("run-2", begins=BEGINS)])
    sink.write([news("run-2", number=2, console=printed)])
    sink.write([news(number=2, gap=Gap(2, 3, "…\n"))])
    sink.write([news(number=3, gap=Gap(2, 4, "… …\n"))])
    assert [piece.text for piece in catalog.console("run-1")] == ["1\n", "… …\n", "5\n"]
    assert [piece.text for piece in catalog.console("run-2")] == [text for _, _, text in printed]


def test_what_was_captured_of_a_launch_stands_with_it(opened: tuple[Sink, Catalog]) -> None:
    sink, catalog = opened
    launch = OPENING._replace(provenance={"kind": "git", "commit": "c1"})
    sink.write([news(begins=BEGINS._replace(launch=launch))])
    assert catalog.find("launches", launch.id).provenance == {"kind": "git", "commit": "c1"}  # type: ignore[union-attr]
    diff = Kept("diff", "bytes", "d" * 64, 9)
    provenance = {"kind": "git", "diff": {"digest": diff.digest, "format": "bytes", "size": 9}}
    captured = Captured(launch.id, provenance, [diff], "e1", {"packages": ["a==1"]})
    for number in (2, 3):
        sink.write([news(number=number, captured=captured)])
    found = catalog.find("launches", launch.id)
    assert (found.provenance, found.environment) == (provenance, "e1")  # type: ignore[union-attr]
    assert catalog.environment("e1").content == {"packages": ["a==1"]}
    assert catalog.referenced() == {diff.digest: 1}


def test_what_was_captured_of_a_launch_that_was_deleted_is_no_trouble(
    opened: tuple[Sink, Catalog],
) -> None:
    sink, catalog = opened
    sink.write([news(begins=BEGINS)])
    sink.write([news(number=2, captured=Captured("other", {"kind": "git"}))])
    assert catalog.count("launches") == 1


def test_a_run_that_begins_anew_has_nothing_of_what_it_said_before(
    opened: tuple[Sink, Catalog],
) -> None:
    sink, catalog = opened
    old = {
        "fields": {"seen": 1, "left": 2},
        "artifacts": [
            Kept("note", "text", "a" * 64, 3),
            Kept("fields['left']", "json", "b" * 64, 3),
        ],
        "alerts": [Alert(1, "warning", "hot")],
        "tags": ["kept"],
    }
    sink.write([news(begins=BEGINS, **old, **points("loss", 3.0, 2.0))])
    sink.write([news(run="run-2", begins=BEGINS, **points("loss", 9.0))])
    anew = news(writer=8, anew=True, fields={"seen": 5}, **points("loss", 1.0, step=7))
    sink.write([anew])
    sink.write([anew])  # it is taken in once
    run = catalog.find("runs", "run-1")
    assert run.fields == {"seen": 5}
    assert run.tags == ("draft", "kept")
    series = run.metrics["loss"].series
    assert series is not None
    assert (series.count, series.step, series.maximum) == (1, 7, 1.0)
    assert unpack(catalog.series("run-1")["loss"]).steps == [7]
    assert catalog.artifacts("run-1") == []
    assert catalog.find("runs", "run-2").metrics["loss"].value == 9.0


def test_parameters_that_are_added_to_a_planned_run_leave_its_group(
    opened: tuple[Sink, Catalog],
) -> None:
    sink, catalog = opened
    sink.write([news(begins=BEGINS)])
    sink.write([news(number=2, params={"extra": 1}, planned=True)])
    run = catalog.find("runs", "run-1")
    assert (run.group, run.params["extra"]) == ("g", 1)
    sink.write([news(number=3, params={"other": 1})])
    assert catalog.find("runs", "run-1").group != "g"
