"""What every catalog promises of a merge: all that was lacking, once, and the same both ways."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import catalogs as make
import pytest
from stores import content

from gosset.entities import (
    ArtifactRef,
    Attempt,
    ComputationStatus,
    Dataset,
    Environment,
    Experiment,
    Launch,
    Metric,
    Run,
    Status,
)
from gosset.exceptions import StorageError
from gosset.filters import parse
from gosset.identifiers import new_id, now
from gosset.series import Points, pack, summarise, unpack
from gosset.storage import open_catalog
from gosset.storage.base import Catalog, Split
from gosset.storage.changes import Batch, NewRun, RunUpdate
from gosset.storage.news import Alert, Beat, Beginning, Ending, Kept, News, Opening

Opened = Callable[[], Catalog]

KINDS = ("memory", "sqlite", "postgresql")
PAIRS = [
    pytest.param(
        pair, id="-".join(pair), marks=[pytest.mark.postgresql] if "postgresql" in pair else []
    )
    for pair in ((a, b) for a in KINDS for b in KINDS)
]


@pytest.fixture(params=PAIRS)
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Catalog, Catalog]]:
    """Give two empty catalogs, each of a kind."""
    with ExitStack() as scope:
        opened = []
        for number, kind in enumerate(request.param):
            url = {"memory": "memory://", "sqlite": f"sqlite:///{tmp_path}/{number}.db"}.get(kind)
            if url is None:
                server = request.getfixturevalue("postgresql_server")
                url = scope.enter_context(server.database("store"))
            catalog = open_catalog(url)
            scope.callback(catalog.close)
            opened.append(catalog)
        yield opened[0], opened[1]


@pytest.fixture
def catalog() -> Catalog:
    return open_catalog("memory://")


@pytest.fixture
def other() -> Catalog:
    return open_catalog("memory://")


def inline(dataset: object) -> list[ArtifactRef]:
    assert isinstance(dataset, Dataset)
    return [ref for ref in dataset.content if ref.inline is not None]


def run_of(catalog: Catalog, id_: str) -> Run:
    found = catalog.find("runs", id_)
    assert isinstance(found, Run)
    return found


def launched(catalog: Catalog, experiment: str = "iris", runs: int = 2, code: str = "a") -> Launch:
    """Put a launch with all that a launch may leave into a catalog."""
    declared = catalog.ensure_experiment("P", experiment, definition={"task": code})
    execution = catalog.ensure_execution(declared.id, f"{experiment}-{code}", {"code": code})
    data = catalog.ensure_dataset(make.dataset(content=code))
    split = Split(digest=make.digest(code), folds=2, artifact=make.artifact(), description={})
    catalog.ensure_split(split)
    catalog.ensure_environment(Environment(digest=make.digest("env"), content={"python": "3"}))
    launch = catalog.add_launch(declared.id, execution=execution.number, settings={"jobs": 1})
    catalog.update_launch(
        launch.id,
        status=Status.COMPLETE,
        started=make.NOON,
        ended=now(),
        environment=make.digest("env"),
        provenance={"diff": {"digest": make.digest(), "format": "text", "size": 9}},
    )
    new = [
        NewRun(
            params={"C": i + 0.5, "name": f"ä{i}", "nan": math.nan},
            group=make.digest(f"group {i}"),
            seed=i,
            tags=("draft", f"t{i}"),
            dataset=f"{data.name}@{data.version}",
            split=split.digest,
        )
        for i in range(runs)
    ]
    for run in catalog.add_runs(launch.id, new):
        entry = make.entry()
        catalog.record(
            Batch(
                entries=[entry],
                computations=[
                    make.computation(launch, run, fold=fold, key=entry.key, outputs=entry.outputs)
                    for fold in range(2)
                ],
                attempts=[
                    Attempt(
                        run=run.id,
                        number=1,
                        status=Status.COMPLETE,
                        resource="cpu",
                        execution=execution.number,
                        started=make.NOON,
                        ended=now(),
                    )
                ],
                runs=[
                    RunUpdate(
                        id=run.id,
                        status=Status.COMPLETE,
                        started=make.NOON,
                        ended=now(),
                        metrics=[Metric(name="accuracy", value=0.9, std=0.1, folds=(0.8, 1.0))],
                        fields={"note": "long " * 100, "big": 2**70, "seed": run.seed},
                    )
                ],
            )
        )
    catalog.record(Batch(computations=[make.computation(launch, None, stage="table")]))
    return launch


def begins(experiment: str = "loop", **changes: object) -> Beginning:
    opening = Opening(
        id=new_id(), project="P", experiment=experiment, fingerprint="script", moment=1_000_000
    )
    given: dict[str, object] = {"params": {"lr": 0.1}, "name": "abc", "group": "g"}
    return Beginning(launch=opening, moment=2_000_000, **{**given, **changes})  # type: ignore[arg-type]


def points(name: str, *values: float, number: int = 0, step: int = 0) -> dict[str, object]:
    given = Points([step + i for i in range(len(values))], list(values), [9 + i for i in range(len(values))])  # fmt: skip
    return {"points": [(name, number, pack(given))], "summaries": {name: summarise(given)}}


def news(run: str, number: int, writer: int = 7, **what: object) -> News:
    return News(run=run, writer=writer, number=number, **what)  # type: ignore[arg-type]


def tracked(catalog: Catalog, **changes: object) -> str:
    """Put a tracked run that is complete into a catalog and return its id."""
    id_, begun = new_id(), begins(**changes)
    catalog.sink().write(
        [
            news(
                id_,
                1,
                begins=begun,
                **points("loss", 0.5, math.nan, 0.25),
                fields={"best": 0.25},
                artifacts=[Kept("model", "npy", make.digest(), 99)],
                console=[("stdout", 5, "hello"), ("stdout", 5, "hello"), ("stderr", 6, "oh")],
                alerts=[Alert(7, "warning", "high", "loss")],
                tags=("one",),
            ),
            news(id_, 2, ends=Ending("complete", 3_000_000, leaves="complete")),
        ]
    )
    return id_


def test_all_that_a_store_has_is_taken_over(pair: tuple[Catalog, Catalog]) -> None:
    target, source = pair
    launched(source)
    launched(source, "wine", code="b")
    tracked(source)
    source.ensure_project("empty", description="nothing yet")
    before = content(source)
    merged = target.merge(source)
    assert (merged.runs, merged.changed) == (5, 0)
    assert content(target) == before == content(source)
    assert [run.number for run in target.select("runs")] == [
        run.number for run in source.select("runs")
    ]
    for filter in (
        "params.C > 1",
        "fields.seed == 1",
        "metrics.accuracy > 0.5 and seed == 0",
        "'t1' in tags",
    ):
        assert target.count("runs", where=parse(filter)) == 2
    assert target.count("runs", where=parse("metrics.loss.min == 0.25")) == 1


def test_merging_again_changes_nothing(pair: tuple[Catalog, Catalog]) -> None:
    target, source = pair
    launched(source)
    tracked(source)
    target.merge(source)
    told = content(target)
    merged = target.merge(source)
    assert (merged.runs, merged.changed) == (0, 0)
    assert content(target) == told


def test_two_stores_say_the_same_after_a_merge_of_each_into_the_other(
    pair: tuple[Catalog, Catalog],
) -> None:
    one, two = pair
    for catalog, code in ((one, "a"), (two, "b")):
        launched(catalog, code=code)
        launched(catalog, code="c")
        tracked(catalog)
    third = open_catalog("memory://")
    third.merge(two)
    third.merge(one)
    one.merge(two)
    two.merge(one)
    assert content(one) == content(two) == content(third)
    assert one.count("runs") == 10
    for catalog in (one, two):
        for kind in ("runs", "launches", "executions"):
            places = [
                (e.project, e.experiment, e.number)  # type: ignore[attr-defined]
                for e in catalog.select(kind)
            ]
            assert len(set(places)) == len(places)


def test_numbers_are_kept_where_they_are_free_and_given_anew_where_not(
    catalog: Catalog, other: Catalog
) -> None:
    mine = catalog.add_runs(make.launch(catalog).id, [NewRun(params={}, group="g")] * 2)
    theirs = other.add_runs(make.launch(other).id, [NewRun(params={}, group="g")] * 3)
    catalog.merge(other)
    assert [run_of(catalog, run.id).number for run in mine] == [1, 2]
    assert [run_of(catalog, run.id).number for run in theirs] == [4, 5, 3]
    assert [run_of(catalog, run.id).name for run in theirs] == ["iris#4", "iris#5", "iris#3"]
    launch = catalog.select("launches")[0]
    assert isinstance(launch, Launch)
    assert catalog.add_runs(launch.id, [NewRun(params={}, group="g")])[0].number == 6


def test_a_run_at_work_is_brought_up_to_date(pair: tuple[Catalog, Catalog]) -> None:
    target, source = pair
    sink, id_, begun = source.sink(), new_id(), begins()
    sink.write([news(id_, 1, begins=begun, **points("loss", 0.5), console=[("stdout", 1, "a")])])
    target.merge(source)
    assert content(target) == content(source)
    assert run_of(target, id_).status == Status.RUNNING
    sink.write(
        [
            news(
                id_,
                2,
                **points("loss", 0.5, 0.25),
                params={"batch": 32},
                fields={"best": 0.25},
                console=[("stdout", 2, "b")],
            ),
            news(id_, 3, **points("other", 1, 2, 3)),
        ]
    )
    # The summaries of news are of what is new alone.
    merged = target.merge(source)
    assert (merged.runs, merged.changed) == (0, 1)
    assert content(target) == content(source)
    sink.write([news(id_, 4, ends=Ending("failed", 9, ("E", "m", "t"), leaves="failed"))])
    target.merge(source)
    source.merge(target)
    assert content(target) == content(source)
    run = run_of(target, id_)
    assert (run.status, run.params) == (Status.FAILED, {"lr": 0.1, "batch": 32})
    assert run.exception is not None


def test_a_merge_does_not_take_back_what_the_target_knows(catalog: Catalog, other: Catalog) -> None:
    sink, id_ = catalog.sink(), new_id()
    sink.write([news(id_, 1, begins=begins(), **points("loss", 0.5), fields={"best": 1})])
    other.merge(catalog)
    sink.write([news(id_, 2, fields={"best": 2}), news(id_, 3, ends=Ending("complete", 9, None))])
    told = content(catalog)
    assert catalog.merge(other).changed == 0
    assert content(catalog) == told


def test_points_of_two_processes_are_summed_up_together(
    pair: tuple[Catalog, Catalog],
) -> None:
    one, two = pair
    id_ = new_id()
    one.sink().write([news(id_, 1, begins=begins(), **points("loss", 4, 2))])
    two.merge(one)
    one.sink().write([news(id_, 1, writer=8, **points("loss", 1, step=5))])
    two.sink().write([news(id_, 1, writer=9, **points("loss", math.nan, 8, step=2))])
    two.sink().write([news(id_, 2, writer=9, ends=Ending("complete", 9))])
    one.merge(two)
    two.merge(one)
    assert content(one) == content(two)
    for catalog in (one, two):
        summary = run_of(catalog, id_).metrics["loss"].series
        assert summary is not None
        assert (summary.count, summary.numbers, summary.total) == (5, 4, 15)
        assert (summary.minimum, summary.maximum, summary.last, summary.step) == (1, 8, 1, 5)
        assert len(unpack(catalog.series(id_)["loss"])) == 5
        assert catalog.count("runs", where=parse("metrics.loss.max == 8")) == 1


def test_a_point_that_was_alone_is_summed_up_with_those_that_came_on_both_sides(
    pair: tuple[Catalog, Catalog],
) -> None:
    one, two = pair
    id_ = new_id()
    over = Ending("complete", 9)
    one.sink().write([news(id_, 1, begins=begins(), ends=over, **points("loss", 4))])
    two.merge(one)
    assert two.series(id_) == one.series(id_)
    one.sink().write([news(id_, 1, writer=8, **points("loss", 1, step=5))])
    one.merge(two)
    two.sink().write([news(id_, 1, writer=9, **points("loss", 8, 2, step=2))])
    two.merge(one)
    one.merge(two)
    assert content(one) == content(two)
    for catalog in (one, two):
        summary = run_of(catalog, id_).metrics["loss"].series
        assert summary is not None
        assert (summary.count, summary.total, summary.last) == (4, 15, 1)
        assert sorted(unpack(catalog.series(id_)["loss"]).values) == [1, 2, 4, 8]


def test_what_was_set_on_both_sides_is_united(catalog: Catalog, other: Catalog) -> None:
    id_ = tracked(catalog)
    other.merge(catalog)
    make.update(catalog, run_of(catalog, id_), tags=("one", "good"))
    make.update(other, run_of(other, id_), tags=("one", "seen"))
    catalog.sink().write([news(id_, 1, 21, params={"a": 1, "both": "x"}, fields={"here": 1})])
    other.sink().write([news(id_, 1, 22, params={"b": 2, "both": "y"}, fields={"there": 2})])
    other.sink().write([news(id_, 2, 22, fields={"further": True})])
    catalog.merge(other)
    other.merge(catalog)
    assert content(catalog) == content(other)
    run = run_of(catalog, id_)
    assert set(run.tags) == {"one", "good", "seen"}
    assert run.params == {"lr": 0.1, "a": 1, "b": 2, "both": "y"}
    assert {"here", "there", "further"} <= set(run.fields)
    assert catalog.count("runs", where=parse("'seen' in tags and params.b == 2")) == 1


def test_the_exact_value_of_a_field_comes_with_its_plain_one(
    catalog: Catalog, other: Catalog
) -> None:
    id_ = tracked(catalog)
    exact = Kept("fields['w']", "npy", make.digest(), 8, b"old")
    catalog.sink().write([news(id_, 1, 5, fields={"w": 0.5}, artifacts=[exact])])
    other.merge(catalog)
    catalog.sink().write([news(id_, 2, 5, fields={"w": 1})])
    catalog.merge(other)
    other.merge(catalog)
    for each in (catalog, other):
        assert run_of(each, id_).fields["w"] == 1
        assert [ref.name for ref in each.artifacts(id_)] == ["model"]


def test_a_later_computation_and_attempt_replace_earlier_ones(
    catalog: Catalog, other: Catalog
) -> None:
    launch = launched(catalog, runs=1)
    other.merge(catalog)
    [run] = [r for r in other.select("runs") if isinstance(r, Run)]
    later = make.computation(launch, run, fold=0, status=ComputationStatus.FAILED)
    again = Attempt(
        run=run.id,
        number=2,
        status=Status.FAILED,
        resource="cpu",
        execution=1,
        started=now(),
        ended=now(),
    )
    other.record(
        Batch(
            computations=[later],
            attempts=[again],
            runs=[RunUpdate(id=run.id, status=Status.FAILED, started=now(), ended=now())],
        )
    )
    catalog.merge(other)
    other.merge(catalog)
    assert content(catalog) == content(other)
    assert run_of(catalog, run.id).status == Status.FAILED
    assert later.id in [c.id for c in catalog.computations(run.id)]
    assert len(catalog.computations(run.id)) == 2
    assert [a.number for a in catalog.attempts(run.id)] == [1, 2]


def test_an_evicted_entry_is_revived_by_one_that_is_not(catalog: Catalog, other: Catalog) -> None:
    entry = make.entry()
    for each in (catalog, other):
        each.record(Batch(entries=[entry]))
    catalog.evict([entry.key])
    catalog.merge(other)
    assert catalog.entries([entry.key]) == other.entries([entry.key])
    other.evict([entry.key])
    other.merge(catalog)
    assert not other.entries([entry.key])[entry.key].evicted


def test_versions_of_a_dataset_get_numbers_of_the_store(catalog: Catalog, other: Catalog) -> None:
    catalog.ensure_dataset(make.dataset(content="mine"))
    launch = launched(other, runs=1, code="theirs")
    assert catalog.merge(other).runs == 1
    [run] = [r for r in catalog.select("runs") if isinstance(r, Run)]
    assert run.dataset == "iris@2"
    assert catalog.find("datasets", "iris@2").digest == make.digest("theirs")  # type: ignore[attr-defined]
    assert launch.id == catalog.find("launches", launch.id).id  # type: ignore[attr-defined]


def test_who_was_seen_as_crashed_is_at_work_again_with_the_next_sign_of_life(
    catalog: Catalog, other: Catalog
) -> None:
    id_, begun = new_id(), begins()
    other.sink().write([news(id_, 1, begins=begun, **points("loss", 0.5))])
    catalog.merge(other)
    assert catalog.reap() == 1
    told = content(catalog)
    assert catalog.merge(other).changed == 0
    assert content(catalog) == told
    other.sink().write([], [Beat(begun.launch.id, 5_000_000)])
    assert other.merge(catalog).changed == 0
    assert run_of(other, id_).status == Status.RUNNING
    catalog.merge(other)
    assert run_of(catalog, id_).status == Status.RUNNING
    other.sink().write([news(id_, 2, ends=Ending("complete", 9_000_000, leaves="complete"))])
    catalog.merge(other)
    assert run_of(catalog, id_).status == Status.COMPLETE
    assert content(catalog) == content(other)


def test_a_selection_takes_what_it_belongs_to_and_nothing_else(
    pair: tuple[Catalog, Catalog],
) -> None:
    target, source = pair
    launched(source)
    launched(source, "wine", code="b")
    id_ = tracked(source)
    assert target.merge(source, where=parse("experiment == 'wine' and seed == 1")).runs == 1
    [run] = [r for r in target.select("runs") if isinstance(r, Run)]
    assert (run.experiment, run.seed, run.dataset) == ("wine", 1, "iris@2")
    assert [e.name for e in target.select("experiments") if isinstance(e, Experiment)] == ["wine"]
    assert len(target.select("launches")) == len(target.select("datasets")) == 1
    assert len(target.select("cache")) == 1
    assert len(target.computations(run.id)) == 2
    target.merge(source, where=parse(f"id == '{id_}'"))
    target.merge(source)
    assert content(target) == content(source)


def test_what_was_deleted_on_one_side_comes_back(catalog: Catalog, other: Catalog) -> None:
    id_ = tracked(catalog)
    other.merge(catalog)
    catalog.delete("runs", id_)
    assert catalog.merge(other).runs == 1
    assert content(catalog) == content(other)


def test_bytes_are_asked_for_before_the_catalog_refers_to_them(
    catalog: Catalog, other: Catalog
) -> None:
    launched(other)
    tracked(other)
    wanted = {
        digest
        for digest in other.referenced()
        if digest not in {ref.digest for d in other.select("datasets") for ref in inline(d)}
    }
    asked: dict[str, int] = {}

    def bring(digests: Mapping[str, int]) -> None:
        assert not set(catalog.referenced()) & (set(digests) - set(asked))
        asked.update(digests)

    catalog.merge(other, bring=bring)
    assert set(asked) == wanted
    assert {99, 100} <= set(asked.values())


def test_a_merge_that_fails_leaves_whole_batches(
    pair: tuple[Catalog, Catalog], monkeypatch: pytest.MonkeyPatch
) -> None:
    from gosset.storage.merging import catalogs

    target, source = pair
    monkeypatch.setattr(catalogs, "_RUNS", 2)
    launched(source, runs=5)
    calls = 0

    def bring(digests: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise StorageError("no more")

    with pytest.raises(StorageError, match="no more"):
        target.merge(source, bring=bring)
    assert target.count("runs") == 4
    told, whole = content(target), content(source)
    for run in target.select("runs"):
        assert told[run.id] == whole[run.id]  # type: ignore[attr-defined]
    merged = target.merge(source)
    assert (merged.runs, merged.changed) == (1, 0)
    assert content(target) == whole


def test_ids_of_what_is_known_by_name_become_the_older_ones(
    catalog: Catalog, other: Catalog
) -> None:
    old = catalog.ensure_experiment("P", "E", description="why")
    code = catalog.ensure_execution(old.id, "f", {"source": "old"})
    new = other.ensure_experiment("P", "E", definition={"seed": 1})
    other.ensure_execution(new.id, "f", {"source": "new"})
    assert new.created - old.created < timedelta(seconds=60)
    other.merge(catalog)
    catalog.merge(other)
    for each in (catalog, other):
        found = each.ensure_experiment("P", "E")
        assert (found.id, found.definition, found.description) == (old.id, {"seed": 1}, "why")
        assert each.ensure_execution(old.id, "f", {}) == code
