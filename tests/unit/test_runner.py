"""Carrying out a plan: what goes together, who is blamed, what is written when."""

import pickle

import pytest

from gosset.entities import ComputationStatus, ExceptionInfo, Status
from gosset.executors.base import Done, Failed, Lost, Message, Started, TimedOut
from gosset.executors.inline import InlineExecutor
from gosset.pipeline import Scope, build
from gosset.planner.plan import Action, RunPlan, no_cache
from gosset.planner.planning import plan, to_work
from gosset.planner.works import Constant, Held, RunFacts
from gosset.running.computing import WorkerSetup
from gosset.running.measuring import summarise
from gosset.running.observing import Quiet
from gosset.running.runner import Runner
from gosset.running.tally import Member
from gosset.running.tasks import Tasks
from gosset.stages import stage
from gosset.storage.changes import NewRun
from gosset.store import open_store


@stage
def raw(text):
    return text


@stage
def long(raw, width: int = 1):
    return raw * width


@stage
def longer(long):
    return long + "!"


@stage(light=True)
def size(longer):
    return len(longer)


@stage(over="runs")
def sizes(size):
    return size


STAGES = (raw, long, longer, size)


def sources(name, run, fold):
    return Constant(f"{name}:ab", ("value", "ab"))


def make_plan(*widths, stages=STAGES, done=()):
    pipeline = build(stages, {"text": Scope.CONSTANT})
    runs = [
        RunPlan(
            facts=RunFacts(
                id=str(i), number=i, name=f"r{i}", seed=0, params={"width": width}, config={}
            ),
            label=f"width={width}",
            assigned=pipeline.assign({"width": width}),
            folds=0,
            done=i in done,
        )
        for i, width in enumerate(widths)
    ]
    codes = {name: f"code of {name}" for name in pipeline.stages}
    return plan(pipeline, runs, codes=codes, sources=sources, lookup=no_cache())


def grouped(planned):
    tasks = Tasks(planned.items)
    return [[item.stage.name for item in tasks.items(task)] for task in sorted(tasks.open)]


# -- what travels together


def test_a_chain_is_one_task():
    assert grouped(make_plan(1)) == [["raw", "long", "longer", "size"]]


def test_work_with_several_consumers_is_a_task_of_its_own():
    assert grouped(make_plan(1, 2)) == [
        ["raw"],
        ["long", "longer", "size"],
        ["long", "longer", "size"],
    ]


def test_task_can_go_when_all_that_it_waits_for_is_settled():
    planned = make_plan(1, 2, stages=(*STAGES, sizes))
    tasks = Tasks(planned.items)
    [first] = tasks.ready()
    [item] = tasks.items(first)
    assert item.stage.name == "raw"
    assert tasks.ready() == []
    tasks.settle(item.id)
    ready = tasks.ready()
    assert [tasks.items(task)[0].stage.name for task in ready] == ["long", "long"]
    ends = [tasks.items(task)[-1].id for task in ready]
    tasks.settle(ends[0])
    assert tasks.ready() == []
    tasks.settle(ends[1])
    assert [item.stage.name for task in tasks.ready() for item in tasks.items(task)] == ["sizes"]


# -- outcomes


class Scripted(InlineExecutor):
    """Carries tasks out, and then says of each what the script says."""

    def __init__(self, script):
        super().__init__()
        self._script = script

    def events(self, timeout=None):
        return [each for event in super().events(timeout) for each in self._script(event)]


class Heard(Quiet):
    def __init__(self):
        self.ended = []

    def run_ended(self, run, status, metrics):
        self.ended.append((run.number, str(status)))


@pytest.fixture
def store():
    with open_store("memory://") as opened:
        yield opened


def carry_out(store, planned, executor=None, count=None):
    """Carry out a plan as a launch of `store`; return runner, runs and what was heard."""
    catalog = store.catalog
    experiment = catalog.ensure_experiment("p", "e")
    execution = catalog.ensure_execution(experiment.id, "code", {})
    launch = catalog.add_launch(experiment.id, execution=execution.number, status=Status.RUNNING)
    count = count or 1 + max(place.run or 0 for place in planned.places)
    runs = catalog.add_runs(
        launch.id, [NewRun(params={"n": i}, group=f"g{i}") for i in range(count)]
    )
    executor = executor or InlineExecutor()
    executor.open(WorkerSetup(stages=dict(planned.pipeline.stages), artifacts=store.artifacts))
    heard = Heard()
    runner = Runner(
        launch.id,
        planned,
        [Member(run=run, execution=1) for run in runs],
        catalog=catalog,
        artifacts=store.artifacts,
        executor=executor,
        observer=heard,
    )
    return runner, runs, heard


def told(store, run):
    return {c.stage: str(c.status) for c in store.computations(run)}


def test_shared_work_is_computed_by_one_run_and_found_by_the_others(store):
    runner, runs, heard = carry_out(store, make_plan(1, 2))
    tally = runner.carry_out()
    assert set(tally.runs.values()) == {Status.COMPLETE}
    assert [told(store, run.id)["raw"] for run in runs] == ["computed", "cached"]
    assert tally.computations == {
        ComputationStatus.COMPUTED: 7,
        ComputationStatus.CACHED: 1,
    }
    assert sorted(heard.ended) == [(1, "complete"), (2, "complete")]
    assert len(store.select("cache")) == 7


@pytest.mark.parametrize(
    ("end", "kind", "words"),
    [
        (lambda task: Lost(task, "SIGKILL"), "WorkerLostError", "SIGKILL"),
        (lambda task: TimedOut(task, 3.0), "TimeLimitError", "limit of 3 s"),
        (lambda task: Failed(task, ExceptionInfo(type="X", message="odd")), "X", "odd"),
    ],
)
def test_task_that_ends_badly_is_laid_to_the_work_that_it_was_at(store, end, kind, words):
    # `raw` was sent before the task died under `long`; nothing is known of what comes after.
    def script(event):
        if isinstance(event, Message) and event.content[0].work > 0:
            return []
        return [end(event.task)] if isinstance(event, Done) else [event]

    runner, [run], heard = carry_out(store, make_plan(1), Scripted(script))
    runner.carry_out()
    assert told(store, run.id) == {
        "raw": "computed",
        "long": "failed",
        "longer": "skipped",
        "size": "skipped",
    }
    stored = store.run(run.id)
    assert stored.exception.type == kind
    assert words in stored.exception.message
    assert heard.ended == [(1, "failed")]
    assert [entry.stage for entry in store.select("cache")] == ["raw"]


def test_run_whose_shared_stage_failed_says_so(store):
    def script(event):
        if isinstance(event, Done):
            return [Lost(event.task, "gone")]
        return [] if isinstance(event, Message) else [event]

    runner, runs, _ = carry_out(store, make_plan(1, 2), Scripted(script))
    runner.carry_out()
    for run in runs:
        assert store.run(run.id).exception.type == "WorkerLostError"
        assert told(store, run.id)["raw"] == "failed"
        assert told(store, run.id)["size"] == "skipped"


def test_interrupt_writes_what_is_done_and_stops_the_rest(store):
    seen = []

    def script(event):
        if isinstance(event, Started):
            seen.append(event.task)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return [event]

    runner, runs, _ = carry_out(store, make_plan(1, 2), Scripted(script))
    with pytest.raises(KeyboardInterrupt):
        runner.carry_out()
    assert [str(store.run(run.id).status) for run in runs] == ["complete", "stopped"]
    assert told(store, runs[0].id)["size"] == "computed"
    assert [str(a.status) for a in store.catalog.attempts(runs[0].id)] == ["complete"]


def test_run_that_is_done_is_left_alone_but_for_the_aggregate(store):
    planned = make_plan(1, 2, stages=(*STAGES, sizes), done=(0,))
    assert {place.run for place in planned.places} == {1, None}
    assert {item.action for item in planned.items} == {Action.COMPUTE}
    runner, runs, heard = carry_out(store, planned)
    runner.carry_out()
    assert heard.ended == [(2, "complete")]
    assert [str(store.run(run.id).status) for run in runs] == ["queued", "complete"]
    assert store.computations(runs[0].id) == []
    [entry] = [entry for entry in store.select("cache") if entry.stage == "sizes"]
    assert store.load(entry.outputs[0]) == {"width=1": 3, "width=2": 5}


# -- metrics over folds


def test_metric_over_folds_has_mean_and_sample_deviation_in_fold_order():
    metric = summarise("a", {2: 3.0, 0: 1.0, 1: 2.0}, "maximize")
    assert (metric.value, metric.std, metric.folds) == (2.0, 1.0, (1.0, 2.0, 3.0))


def test_metric_of_one_fold_has_no_deviation():
    assert summarise("a", {0: 1.0}, "maximize").std is None


def test_metric_of_the_run_itself_has_no_folds():
    metric = summarise("a", {None: 1.0}, "maximize")
    assert (metric.value, metric.std, metric.folds) == (1.0, None, ())


# -- what a task weighs


def test_a_task_does_not_grow_with_what_the_cache_holds():
    planned = make_plan(1)
    *_, last = planned.items
    before = len(pickle.dumps(to_work(last)))
    last.candidates = {f"key {i}": Held(()) for i in range(10_000)}
    assert len(pickle.dumps(to_work(last))) == before
    assert len(planned.candidates()[last.recipe]) == 10_000
