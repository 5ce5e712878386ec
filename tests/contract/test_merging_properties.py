"""Whatever happened in three stores, and in whichever order they are merged, they say the same."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

import catalogs as make
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import content

from gosset.entities import ComputationStatus, Launch, Metric, Run, Status
from gosset.identifiers import new_id, now
from gosset.series import Points, pack, summarise
from gosset.storage import open_catalog
from gosset.storage.base import Catalog
from gosset.storage.changes import Batch, NewRun, RunUpdate
from gosset.storage.news import Beginning, Ending, Kept, News, Opening

VALUES = st.sampled_from([0.5, -1.0, 3, True, math.inf, math.nan, 2**70, -0.0])
WHAT = st.sampled_from(
    ["begin", "news", "point", "tag", "end", "launch", "ended", "again", "merge"]
)
DEEDS = st.lists(
    st.tuples(WHAT, st.integers(0, 2), st.integers(0, 5), VALUES), min_size=3, max_size=25
)


@dataclass
class World:
    """Three stores, and what happens in them.

    A run is worked on in the store in which it began; others may log points to it, by a process
    of their own, and tag it.
    """

    stores: list[Catalog] = field(
        default_factory=lambda: [open_catalog("memory://") for _ in "ABC"]
    )
    tracked: list[tuple[str, int]] = field(default_factory=list)
    launched: list[tuple[str, str, int]] = field(default_factory=list)
    said: dict[tuple[str, int], int] = field(default_factory=dict)
    kept: dict[tuple[str, int], Points] = field(default_factory=dict)

    def carry_out(self, what: str, at: int, which: int, value: float) -> None:
        getattr(self, what)(at, which, value)

    def merge(self, at: int, which: int, value: float) -> None:
        self.stores[at].merge(self.stores[(at + 1 + which % 2) % 3])

    def begin(self, at: int, which: int, value: float) -> None:
        id_ = new_id()
        opening = Opening(
            id=new_id(),
            project="P",
            experiment=f"e{which % 2}",
            fingerprint=f"code {which}",
            code={"script": at},
            moment=1_000_000,
        )
        begins = Beginning(
            launch=opening, name=f"r{which}", group="g", params={"p": value}, moment=2_000_000
        )
        self.tracked.append((id_, at))
        self._say(at, id_, at, begins=begins, tags=(f"at {at}",))

    def news(self, at: int, which: int, value: float) -> None:
        found = self._tracked(which)
        if found is not None:
            id_, own = found
            kept = Kept(f"a{at}", "json", make.digest(f"{value}"), 4, b"1234")
            exact = Kept("fields['f1']", "npy", make.digest(f"f{value}"), 4, b"1234")
            self._say(
                own,
                id_,
                own,
                fields={f"f{at}": value},
                params={f"p{which}": at},
                artifacts=[kept, exact] if at == 1 else [kept],
                console=[("stdout", which, f"line {value}")],
            )

    def point(self, at: int, which: int, value: float) -> None:
        found = self._tracked(which)
        if found is None or self.stores[at].count("runs", where=_is(found[0])) == 0:
            return
        name = f"m{which % 2}"
        kept = self.kept.setdefault((found[0] + name, at), Points())
        new = Points([len(kept)], [value], [len(kept) * 10 + at])
        kept.extend(new)
        self._say(
            at, found[0], at, points=[(name, 0, pack(kept))], summaries={name: summarise(new)}
        )

    def end(self, at: int, which: int, value: float) -> None:
        found = self._tracked(which)
        if found is not None:
            status = ("complete", "failed", "running")[at]
            self._say(found[1], found[0], found[1], ends=Ending(status, 3_000_000 + which))

    def tag(self, at: int, which: int, value: float) -> None:
        for run in self.stores[at].select("runs", limit=which):
            assert isinstance(run, Run)
            make.update(self.stores[at], run, tags=(*run.tags, f"tag {which} {at}"))

    def launch(self, at: int, which: int, value: float) -> None:
        catalog = self.stores[at]
        data = catalog.ensure_dataset(make.dataset(content=f"content {which % 2} {at % 2}"))
        declared = catalog.ensure_experiment("P", f"e{which % 2}", definition={"at": which})
        execution = catalog.ensure_execution(declared.id, f"code {which}", {"stage": at})
        launch = catalog.add_launch(
            declared.id, execution=execution.number, settings={"at": at}, status=Status.COMPLETE
        )
        new = NewRun(params={"p": value}, group="g", dataset=f"{data.name}@{data.version}")
        for run in catalog.add_runs(launch.id, [new] * (1 + which % 2)):
            self.launched.append((run.id, launch.id, at))

    def ended(self, at: int, which: int, value: float) -> None:
        self._ended(which, Status.COMPLETE if at else Status.FAILED, value)

    def again(self, at: int, which: int, value: float) -> None:
        self._ended(which, Status.RUNNING, value)

    def _ended(self, which: int, status: Status, value: float) -> None:
        if not self.launched:
            return
        id_, launch_id, at = self.launched[which % len(self.launched)]
        catalog = self.stores[at]
        run, launch = catalog.find("runs", id_), catalog.find("launches", launch_id)
        assert isinstance(run, Run)
        assert isinstance(launch, Launch)
        entry = make.entry()
        done = make.computation(
            launch, run, fold=which % 2, status=ComputationStatus.COMPUTED, outputs=entry.outputs
        )
        update = RunUpdate(
            id=id_,
            status=status,
            started=now(),
            ended=now() if status.ended else None,
            metrics=[Metric(name=f"s{which}", value=value, folds=(value, value))],
            fields={f"f{which}": value},
        )
        catalog.record(Batch(entries=[entry], computations=[done], runs=[update]))

    def _tracked(self, which: int) -> tuple[str, int] | None:
        return self.tracked[which % len(self.tracked)] if self.tracked else None

    def _say(self, at: int, run: str, writer: int, **what: object) -> None:
        number = self.said[run, writer] = self.said.get((run, writer), 0) + 1
        news = News(run=run, writer=writer, number=number, **what)  # type: ignore[arg-type]
        self.stores[at].sink().write([news])


def _is(id_: str) -> object:
    from gosset.filters import equal

    return equal(id=id_)


@settings(max_examples=15, deadline=None)
@given(DEEDS)
def test_merging_three_stores_in_any_order_gives_the_same(
    deeds: list[tuple[str, int, int, float]],
) -> None:
    world = World()
    for deed in deeds:
        world.carry_out(*deed)
    results = []
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        united = open_catalog("memory://")
        for at in order:
            united.merge(world.stores[at])
        results.append(content(united))
        for at in order:
            merged = united.merge(world.stores[at])
            assert (merged.runs, merged.changed) == (0, 0)
        assert content(united) == results[-1]
    assert results[0] == results[1] == results[2]
    for one, other in itertools.permutations(world.stores, 2):
        one.merge(other)
    world.stores[0].merge(world.stores[2])
    for catalog in world.stores:
        assert content(catalog) == results[0]
        _check_numbers(catalog)
        _check_summaries(catalog)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3), VALUES), max_size=12))
def test_two_stores_in_which_one_run_went_on_agree(said: list[tuple[int, int, float]]) -> None:
    world = World()
    world.begin(0, 0, 0.5)
    [(id_, _)] = world.tracked
    world.stores[1].merge(world.stores[0])
    for at, which, value in said:
        if which == 0:
            world.point(at, 0, value)
        else:
            what = {"fields" if which == 1 else "params": {f"n{which}": value}}
            world._say(at, id_, at, **what, tags=(f"t{value}",))
    one, other = world.stores[:2]
    copy = open_catalog("memory://")
    copy.merge(one)
    one.merge(other)
    other.merge(copy)
    assert content(one) == content(other)
    _check_summaries(one)
    assert one.merge(other).changed == other.merge(one).changed == 0


def _check_numbers(catalog: Catalog) -> None:
    """Hold a store to numbers that are given once."""
    for kind in ("runs", "launches", "executions"):
        entities = catalog.select(kind)
        places = {(e.project, e.experiment, e.number) for e in entities}  # type: ignore[attr-defined]
        assert len(places) == len(entities)


def _check_summaries(catalog: Catalog) -> None:
    """Hold what is kept ready of series to their points."""
    for run in catalog.select("runs"):
        assert isinstance(run, Run)
        for name, chunks in catalog.series(run.id).items():
            summary = run.metrics[name].series
            assert summary is not None
            assert summary.count == sum(chunk.count for chunk in chunks)
