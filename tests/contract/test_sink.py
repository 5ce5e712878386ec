"""What every sink promises: news of tracked runs, taken in once, exactly, or not at all."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from gosset.entities import Status
from gosset.exceptions import NotFoundError
from gosset.series import Points, pack, summarise, unpack
from gosset.storage import open_catalog
from gosset.storage.base import Catalog
from gosset.storage.direct import DirectSink
from gosset.storage.news import Alert, Beat, Beginning, Ending, Kept, News, Opening, Sink

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
