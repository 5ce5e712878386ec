"""What reading promises on every catalog: runs and series as frames, pages, files and views."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import catalogs as make
import numpy as np
import pandas as pd
import pytest

from gosset.artifacts.memory import MemoryArtifacts
from gosset.entities import Metric, Status
from gosset.exceptions import FilterError, NotFoundError, UsageError
from gosset.filters import parse
from gosset.series import Points, pack, summarise
from gosset.storage import measured, open_catalog
from gosset.storage.base import Order
from gosset.storage.changes import Batch, RunUpdate
from gosset.storage.news import Beginning, Ending, News, Opening
from gosset.storage.quick import quick_catalog
from gosset.store import Store


@pytest.fixture(
    params=["memory", "sqlite", "quick", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "memory":
        return "memory://"
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    url = f"sqlite:///{tmp_path}/store.db"
    if request.param == "quick":
        open_catalog(url).close()  # what is there already is opened by other means
    return url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    catalog = quick_catalog(url, lambda: open_catalog(url)) or open_catalog(url)
    with Store(catalog, MemoryArtifacts()) as opened:
        yield opened


OPENING = Opening(id="launch-1", project="P", experiment="E", fingerprint="f", moment=1, pid=1)


def track(store: Store, run: str, *, ends: str | None = "complete", **series: list[float]) -> None:
    """Track a run with series by name, whose steps count from 0."""
    begins = Beginning(launch=OPENING, name=run, group="g", moment=2_000_000)
    points, summaries = [], {}
    for name, values in series.items():
        steps = list(range(len(values)))
        given = Points(steps, values, [5_000_000 + step for step in steps])
        points.append((name, 0, pack(given)))
        summaries[name] = summarise(given)
    ending = None if ends is None else Ending(status=ends, moment=9_000_000)
    news = News(run=run, writer=7, number=1, begins=begins, points=points, summaries=summaries, ends=ending)  # fmt: skip
    store.catalog.sink().write([news])


def add(store: Store, *params: dict[str, object]) -> None:
    make.runs(store.catalog, *params)


def names(found: object) -> list[str]:
    return [run.name for run in found]  # type: ignore[attr-defined]


# -- what is kept ready of series


@pytest.fixture
def logged(store: Store) -> Store:
    track(store, "a", loss=[3.0, 1.0, 2.0])
    track(store, "b", loss=[0.5, math.nan], **{"loss.min": [9.0]})
    track(store, "c", acc=[1.0])
    return store


KEPT_READY = [
    ("metrics.loss.min < 0.8", ["b"]),
    ("metrics.loss.min <= 1", ["a", "b"]),
    ("metrics.loss.max > 2", ["a"]),
    ("metrics.loss.mean == 2", ["a"]),
    ("metrics.loss.mean == 0.5", ["b"]),
    ("metrics.loss.last == 2", ["a"]),
    ("metrics.loss.count == 3", ["a"]),
    ("metrics.loss.count in (2, 3)", ["a", "b"]),
    ("metrics.loss.min is None", ["c"]),
    ("metrics.`loss.min` == 9", ["b"]),
    ("metrics.`loss.min`.count == 1", ["b"]),
]


def test_filters_by_what_is_kept_ready_of_series(logged: Store) -> None:
    found = {text: sorted(names(logged.runs(text))) for text, _ in KEPT_READY}
    assert found == dict(KEPT_READY)


def test_sorts_by_what_is_kept_ready_of_series(logged: Store) -> None:
    assert names(logged.runs(order_by="metrics.loss.min")) == ["b", "a", "c"]
    assert names(logged.runs(order_by="-metrics.loss.mean")) == ["a", "b", "c"]
    assert names(logged.runs(order_by="-metrics.loss.count")) == ["a", "b", "c"]


def test_the_known_names_tell_a_metric_from_a_part_of_one(logged: Store) -> None:
    known = logged.catalog.names("runs")
    assert {"metrics.loss", "metrics.`loss.min`"} <= set(known)
    with pytest.raises(FilterError, match=r"'metrics\.loss\.minimum'"):
        logged.runs("metrics.loss.minimum > 1").to_list()


# -- pages


@pytest.fixture
def many(store: Store) -> Store:
    values = [3, 1, None, 2, 1, "x", True, 1, 0.5, None]
    add(store, *({"a": value, "n": n % 3} for n, value in enumerate(values)), {"n": 1})
    changed = store.runs(order_by="number").to_list()
    updates = [RunUpdate(id=run.id, started=make.NOON, metrics=[Metric(name="m", value=run.number % 4)]) for run in changed[::2]]  # fmt: skip
    store.catalog.record(Batch(runs=updates))
    return store


ORDERS = [
    (), ("number",), ("-number",), ("params.a",), ("-params.a", "params.n"), ("params.n", "-params.a"),
    ("started", "name"), ("-started",), ("metrics.m", "-params.n"), ("-metrics.m",), ("-duration", "params.n"),
    ("project", "experiment", "launch"), ("seed", "status"),
]  # fmt: skip


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_pages_follow_one_another_in_the_order_of_the_whole(
    many: Store, order: tuple[str, ...]
) -> None:
    whole = names(many.runs(order_by=order).to_list())
    for size in (1, 3, 11, 50):
        found, after = [], None
        while True:
            page = many.runs(order_by=order).page(size, after)
            assert len(page.runs) <= size
            found += names(page.runs)
            after = page.after
            if after is None:
                break
        assert found == whole


def test_what_comes_or_goes_meanwhile_neither_repeats_nor_hides_a_run(many: Store) -> None:
    whole = names(many.runs())
    page = many.runs().page(4)
    add(many, {"late": 1}, {"late": 2})
    many.catalog.delete("runs", page.runs[-1].id)
    rest = many.runs().page(50, page.after)
    assert names(page.runs) + names(rest.runs) == whole


def test_a_page_narrows_to_its_filter_and_refuses_a_place_that_is_none(many: Store) -> None:
    chosen = many.runs("params.n == 1", order_by="number")
    first = chosen.page(2)
    assert names(first.runs + chosen.page(50, first.after).runs) == names(chosen)
    with pytest.raises(UsageError, match="no place where a page ended"):
        many.runs().page(5, "nowhere")
    with pytest.raises(UsageError, match="a page of 0 runs"):
        many.runs().page(0)


def test_runs_are_a_sequence_of_what_the_store_has_now(many: Store) -> None:
    runs = many.runs(order_by="number")
    assert (len(runs), runs[2].number, runs[-1].number) == (11, 3, 11)
    assert [run.number for run in runs[1:3]] == [2, 3]
    assert runs == runs.to_list() == list(runs)
    limited = many.runs(order_by="number", limit=3, offset=9)
    assert [run.number for run in limited] == [10, 11] == [r.number for r in limited.to_list()]
    assert (len(limited), list(limited.to_pandas()["number"])) == (2, [10, 11])
    assert not many.runs("params.n == 7")
    with pytest.raises(IndexError, match="no 12 runs"):
        runs[11]
    add(many, {})
    assert len(runs) == 12


# -- frames


def test_a_frame_has_the_types_of_the_values_and_nothing_invented(store: Store) -> None:
    add(store, {"i": 1, "f": 0.5, "b": True, "t": "x", "mixed": 1}, {"i": 2**60 + 1, "mixed": "a"})
    first, second = store.runs(order_by="number")
    metrics = [
        [Metric(name="loss", value=math.nan), Metric(name="n", value=2**60 + 1), Metric(name="acc", value=0.5, std=0.1)],
        [Metric(name="n", value=-3)],
    ]  # fmt: skip
    updates = [RunUpdate(id=run.id, metrics=m, started=make.NOON) for run, m in zip((first, second), metrics, strict=True)]  # fmt: skip
    store.catalog.record(Batch(runs=[*updates, RunUpdate(id=first.id, fields={"list": [1, 2]})]))
    frame = store.runs(order_by="number").to_pandas()
    assert frame["params.i"].dtype == "int64"
    assert list(frame["params.i"]) == [1, 2**60 + 1]
    assert (str(frame["params.f"].dtype), frame["params.f"][1]) == ("Float64", pd.NA)
    assert (str(frame["params.b"].dtype), frame["params.b"][1]) == ("boolean", pd.NA)
    assert list(frame["params.mixed"]) == [1, "a"]
    assert list(frame["metrics.n"]) == [2**60 + 1, -3]
    assert frame["metrics.n"].dtype == "int64"
    assert list(frame["metrics.loss"].isna()) == [False, True]
    assert math.isnan(frame["metrics.loss"].to_numpy(na_value=7.0)[0])
    assert frame["metrics.acc.std"][0] == 0.1
    assert frame["fields.list"][0] == [1, 2]
    assert frame["started"][0] == pd.Timestamp(make.NOON)
    assert list(frame["ended"].isna()) == [True, True]
    assert list(frame["id"]) == [first.id, second.id]
    assert frame["tags"].tolist() == [[], []]
    assert (str(frame["seed"].dtype), str(frame["number"].dtype)) == ("Int64", "int64")
    assert frame["seed"].isna().all()


def test_a_frame_has_the_columns_that_are_chosen_in_their_order(logged: Store) -> None:
    chosen = [
        "metrics.loss.min",
        "name",
        "metrics.`loss.min`",
        "metrics.loss.count",
        "metrics.loss",
    ]
    frame = logged.runs(order_by="name", columns=chosen).to_pandas()
    assert list(frame) == chosen
    assert frame["metrics.loss.min"].tolist() == [1.0, 0.5, pd.NA]
    assert frame["metrics.`loss.min`"].tolist() == [pd.NA, 9.0, pd.NA]
    assert (str(frame["metrics.loss.count"].dtype), frame["metrics.loss.count"][0]) == ("Int64", 3)
    assert logged.runs(columns=["params.x"], filter="name == 'c'") is not None
    with pytest.raises(FilterError, match="did you mean"):
        logged.runs(columns=["metrics.los"]).to_pandas()
    with pytest.raises(FilterError, match=r"runs have no 'params\.x'"):
        logged.runs(columns=["params.x"]).to_pandas()


def test_a_frame_of_nothing_has_the_columns_of_runs(store: Store) -> None:
    frame = store.runs().to_pandas()
    assert (len(frame), list(frame)[:3]) == (0, ["id", "number", "name"])
    assert list(store.runs(columns=["params.lr", "metrics.m"]).to_pandas()) == ["params.lr", "metrics.m"]  # fmt: skip


def test_a_frame_without_columns_is_one(logged: Store) -> None:
    assert list(logged.runs(columns=[]).to_pandas()) == []
    assert list(logged.runs("name == 'a'", columns=[]).to_pandas()) == []


def test_a_frame_of_many_runs_is_that_of_few(many: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    track(many, "ints", n=[1, 2**60 + 1], loss=[0.5, math.nan], flag=[True])
    few = many.runs().to_pandas()
    some = many.runs(
        "number > 4", columns=["metrics.m", "metrics.loss.max", "metrics.n"]
    ).to_pandas()
    monkeypatch.setattr(measured, "CHUNK", 2)
    pd.testing.assert_frame_equal(many.runs().to_pandas()[list(few)], few)
    again = many.runs(
        "number > 4", columns=["metrics.m", "metrics.loss.max", "metrics.n"]
    ).to_pandas()
    pd.testing.assert_frame_equal(again, some)
    counts = many.runs("name == 'ints'", columns=["metrics.n.count", "metrics.m.count"])
    assert counts.to_pandas().values.tolist() == [[2, pd.NA]]
    counts = many.runs(columns=["metrics.n.count"]).to_pandas()["metrics.n.count"]
    assert (counts.dropna().tolist(), counts.isna().sum()) == ([2], len(counts) - 1)
    assert set(many.runs().to_pandas()) == set(few)


def test_groups_that_differ_in_the_seed_alone_are_one_row(store: Store) -> None:
    launch = make.launch(store.catalog)
    from gosset.storage.changes import NewRun

    new = [NewRun(params={"lr": lr}, group=str(lr), seed=seed) for lr in (0.1, 0.2) for seed in (0, 1)]  # fmt: skip
    runs = store.catalog.add_runs(launch.id, new)
    values = [1.0, 2.0, 5.0, 7.0]
    store.catalog.record(Batch(runs=[
        RunUpdate(id=run.id, status=Status.COMPLETE, metrics=[Metric(name="loss", value=value)])
        for run, value in zip(runs, values, strict=True)
    ]))  # fmt: skip
    frame = store.runs(order_by="number").aggregate(["loss"])
    assert frame["lr"].tolist() == [0.1, 0.2]
    assert frame["loss"].tolist() == [1.5, 6.0]
    assert frame["loss_std"].tolist() == pytest.approx([0.5**0.5, 2**0.5])
    assert frame["loss_n"].tolist() == [2, 2]


# -- series


def test_series_come_back_sorted_by_step_and_then_by_time(store: Store) -> None:
    track(store, "run", ends=None, loss=[1.0])
    later = Points([5, 2, 2, 9], [5.0, 2.5, 2.0, 9.0], [40, 30, 20, 10])
    news = News(run="run", writer=8, number=1, points=[("loss", 0, pack(later))], summaries={"loss": summarise(later)})  # fmt: skip
    store.catalog.sink().write([news])
    series = store.series("run", "loss")
    assert series.steps.tolist() == [0, 2, 2, 5, 9]
    assert series.values.tolist() == [1.0, 2.0, 2.5, 5.0, 9.0]
    assert (series.values.dtype, str(series.times.dtype)) == (np.float64, "datetime64[us]")
    frame = series.to_pandas()
    assert list(frame) == ["step", "value", "time"]
    assert frame["time"][1] == pd.Timestamp(datetime(1970, 1, 1, 0, 0, 0, 20, tzinfo=UTC))


def test_several_series_come_by_name_and_those_of_runs_as_one_frame(logged: Store) -> None:
    assert list(logged.series("b")) == ["loss", "loss.min"]
    assert logged.series("a", ["loss"])["loss"].values.tolist() == [3.0, 1.0, 2.0]
    frame = logged.runs(order_by="name").series("loss")
    assert frame["value"].tolist()[:4] == [3.0, 1.0, 2.0, 0.5]
    assert frame["run"].tolist() == ["a"] * 3 + ["b"] * 2
    assert len(logged.runs().series()) == 7
    assert list(logged.runs("name == 'c'").series("loss")) == ["run", "name", "step", "value", "time"]  # fmt: skip
    with pytest.raises(NotFoundError, match="run a has no series 'los'; did you mean 'loss'"):
        logged.series("a", "los")


def test_values_of_several_types_stay_as_they_were_in_one_frame(store: Store) -> None:
    track(store, "run", n=[1, 2], loss=[0.5], big=[2**60 + 1], flag=[True])
    runs = store.runs()
    assert runs.series(["n", "loss"])["value"].tolist() == [0.5, 1.0, 2.0]
    assert runs.series(["n", "big"])["value"].tolist() == [2**60 + 1, 1, 2]
    mixed = runs.series(["loss", "big", "flag"])
    assert mixed["name"].tolist() == ["big", "flag", "loss"]
    assert [*map(repr, mixed["value"])] == [repr(2**60 + 1), "True", "0.5"]


def test_series_keep_the_type_in_which_they_were_logged(store: Store) -> None:
    track(store, "run", n=[1, 2**63 - 1], flag=[True, False], big=[2**64 - 1], mixed=[1, 0.5, True])
    found = store.series("run")
    assert {name: str(series.values.dtype) for name, series in found.items()} == {
        "n": "int64", "flag": "bool", "big": "uint64", "mixed": "object",
    }  # fmt: skip
    assert found["mixed"].values.tolist() == [1, 0.5, True]


def test_where_a_run_printed_its_pieces_come_in_order_and_from_any_on(store: Store) -> None:
    track(store, "run", ends=None)
    said = [("stdout", 1, "one\n"), ("stderr", 2, "two\n")]
    store.catalog.sink().write([News(run="run", writer=7, number=2, console=said)])
    first, second = store.catalog.console("run")
    assert (first.stream, first.text, second.text) == ("stdout", "one\n", "two\n")
    assert store.catalog.console("run", after=first.number) == [second]
    assert store.catalog.console("other") == []


def test_counting_and_filtering_agree(logged: Store) -> None:
    where = parse("metrics.loss.max > 2")
    assert logged.catalog.count("runs", where=where) == 1
    order = [Order.of("metrics.loss.max")]
    assert names(logged.catalog.select("runs", where=where, order=order)) == ["a"]


# -- views and files


def rows(store: Store, query: str) -> list[dict[str, object]]:
    """Return what a person reads in a SQL tool."""
    from sqlalchemy import text

    with store.catalog._database.read() as connection:  # type: ignore[attr-defined]
        return [dict(row) for row in connection.execute(text(query)).mappings()]


def test_views_tell_names_and_times_as_people_read_them(store: Store) -> None:
    add(store, {"lr": 0.1, "n": 3, "kind": "adam", "deep": [1, 2]})
    [run] = store.runs()
    store.catalog.record(Batch(runs=[
        RunUpdate(id=run.id, started=make.NOON, ended=make.NOON.replace(second=2), tags=("draft",), fields={"f": True})
    ]))  # fmt: skip
    [shown] = rows(store, "SELECT * FROM v_runs")
    assert (shown["project"], shown["experiment"], shown["name"]) == ("Examples", "iris", "iris#1")
    assert (shown["started"], shown["launch"]) == ("2026-01-02T12:00:00.123456Z", 1)
    assert float(str(shown["seconds"])) == 2
    params = rows(store, "SELECT name, value, number FROM v_params ORDER BY name")
    assert [(p["name"], p["value"], p["number"]) for p in params] == [
        ("deep", "[1,2]", None), ("kind", "adam", None), ("lr", "0.1", 0.1), ("n", "3", 3.0),
    ]  # fmt: skip
    assert [row["value"] for row in rows(store, "SELECT value FROM v_fields")] == ["true"]
    assert [row["tag"] for row in rows(store, "SELECT tag FROM v_tags")] == ["draft"]
    [launch] = rows(store, "SELECT status, created FROM v_launches")
    assert (launch["status"], str(launch["created"])[-1]) == ("created", "Z")


def test_the_view_of_metrics_has_what_is_kept_ready_of_series(logged: Store) -> None:
    query = "SELECT * FROM v_metrics WHERE name = 'loss' AND run = 'a'"
    [shown] = rows(logged, query)
    assert (shown["value"], shown["minimum"], shown["mean"], shown["count"]) == (2, 1, 2, 3)
    assert shown["time"] == "1970-01-01T00:00:05.000002Z"
    assert rows(logged, "SELECT * FROM v_alerts") == []


@pytest.fixture
def hostile(logged: Store) -> Store:
    names_ = ["x'; DROP TABLE runs; --", "ä€😀", "a\nb", 'q"']
    add(logged, {"mixed": 1, **dict.fromkeys(names_, "\ud800")}, {"mixed": "a", "deep": [1]})
    return logged


def test_a_parquet_file_has_every_run_and_every_value(hostile: Store, tmp_path: Path) -> None:
    path = hostile.runs(order_by="number").to_parquet(tmp_path / "runs.parquet")
    frame = pd.read_parquet(path)
    assert len(frame) == len(hostile.runs())
    assert frame["params.mixed"].dropna().tolist() == ["1", '"a"']
    assert list(tmp_path.glob("*runs*")) == [path]


def test_duckdb_reads_an_export(hostile: Store, tmp_path: Path) -> None:
    import duckdb

    hostile.export(tmp_path / "out")
    hostile.export(tmp_path / "lab.duckdb", format="duckdb")
    hostile.export(tmp_path / "lab.duckdb", format="duckdb")  # replaces the first
    files = f"read_parquet('{tmp_path}/out/points.parquet')"
    points = duckdb.sql(f"SELECT value FROM {files} WHERE name = 'loss' ORDER BY run, step")
    assert repr(points.fetchall()) == repr([(3.0,), (1.0,), (2.0,), (0.5,), (math.nan,)])
    with duckdb.connect(str(tmp_path / "lab.duckdb"), read_only=True) as database:
        found = database.sql(
            "SELECT r.name, m.minimum FROM runs r JOIN metrics m ON m.run = r.id"
            " WHERE m.name = 'loss' ORDER BY r.name"
        ).fetchall()
        counts = database.sql("SELECT count(*) FROM runs").fetchall()
        kinds = database.sql("SELECT count(*) FROM params WHERE name = 'mixed'").fetchall()
    assert found == [("a", 1.0), ("b", 0.5)]
    assert (counts, kinds) == ([(5,)], [(2,)])


def test_an_export_narrows_to_a_filter_and_refuses_other_formats(
    logged: Store, tmp_path: Path
) -> None:
    logged.export(tmp_path / "some", filter="name == 'a'")
    assert len(pd.read_parquet(tmp_path / "some" / "runs.parquet")) == 1
    assert len(pd.read_parquet(tmp_path / "some" / "points.parquet")) == 3
    with pytest.raises(UsageError, match="did you mean 'parquet'"):
        logged.export(tmp_path / "x", format="parket")  # type: ignore[arg-type]
