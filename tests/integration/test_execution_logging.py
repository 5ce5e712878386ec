"""What the code of stages and steps says through its run: live, from the cache, on folds."""

from __future__ import annotations

import datetime as dt
import math
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import uuid
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from projects import Heard

import gosset as gs
from gosset.running import telling
from gosset.running.sayings import Sayings
from gosset.storage import schema as s
from gosset.tracking.account import Account

EXECUTORS = pytest.mark.parametrize("executor", ["inline", "processes"])


def carry_out(store, *functions, kind="steps", executor="inline", **options):
    experiment = gs.Experiment("logging", **{kind: functions}, **declared(options))
    return experiment.execute(store=store, executor=executor, progress=False, **options)


def declared(options):
    names = ("parameters", "seeds", "dataset", "splits", "config")
    return {name: options.pop(name) for name in names if name in options}


def points(store, run, name):
    series = store.series(run, name)
    return series.steps.tolist(), series.values.tolist()


def alerts(store, run):
    """Return level, title and text of what wants to be seen, as they lie in the tables."""
    statement = sa.select(s.alerts.c["level", "title", "text"]).join(s.runs)
    with store.catalog._database.read() as connection:
        rows = connection.execute(statement.where(s.runs.c.id == run.id)).all()
    return [tuple(row) for row in rows]


def say_everything(run):
    for step in range(0, 2000, 2):
        run.log({"loss": 1.0 / (step + 1)}, step=step)
    run.log({"count": 2**60 + 1, "done": True, "odd": math.nan, "huge": math.inf})
    run.log("plain", 1)
    run.log({"plain": np.float32(0.5)})
    run.fields.weights = {"layers": (np.arange(600.0), [np.float32(0.5)])}
    run.fields["note"] = "long"
    run.set_tags("draft", {"stage": "one"})
    run.set_tag("stage", "two")
    run.alert("hot", "very", level="error")
    run.log_params({"extra": 3})
    run.log_artifact({"C": (1, 10)}, "grid")
    run.log_text("hello", "greeting")
    run.log_dict({"a": [1]}, "sheet")
    run.log_table("rows", [{"a": 1}, {"a": 2}])
    run.log_artifact(np.arange(1000), "big")


def check_everything(store, run):
    run = store.run(run.id)
    metrics = run.metrics
    assert metrics["loss"].value == 1.0 / 1999
    assert (metrics["loss"].series.count, metrics["loss"].series.step) == (1000, 1998)
    assert metrics["loss"].series.maximum == 1.0
    assert points(store, run, "loss") == (
        [*range(0, 2000, 2)],
        [1.0 / (step + 1) for step in range(0, 2000, 2)],
    )
    exact = [metrics[name].value for name in ("count", "done", "huge", "plain")]
    assert [(type(value), value) for value in exact] == [
        (int, 2**60 + 1),
        (bool, True),
        (float, math.inf),
        (float, 0.5),
    ]
    assert math.isnan(metrics["odd"].value)
    assert points(store, run, "plain")[0] == [0, 1]
    fields = store.fields(run)
    assert fields["note"] == run.fields["note"] == "long"
    array, (number,) = fields["weights"]["layers"]
    assert type(fields["weights"]["layers"]) is tuple
    assert (array == np.arange(600.0)).all()
    assert type(number) is np.float32
    assert run.tags == ("draft", "stage=two")
    assert run.params == {"n": 1, "extra": 3}
    assert set(store.artifacts_of(run)) == {"grid", "greeting", "sheet", "rows", "big"}
    assert store.artifact(run, "grid") == {"C": (1, 10)}
    assert store.artifact(run, "greeting") == "hello"
    assert store.artifact(run, "sheet") == {"a": [1]}
    assert store.artifact(run, "rows") == [{"a": 1}, {"a": 2}]
    assert (store.artifact(run, "big") == np.arange(1000)).all()
    assert alerts(store, run) == [("error", "hot", "very")]


# -- the verbs


@EXECUTORS
def test_a_step_says_what_a_tracked_run_does(store, executor):
    [run] = carry_out(store, say_everything, parameters={"n": [1]}, executor=executor).runs
    assert run.status == "complete", run.exception
    check_everything(store, run)


@EXECUTORS
def test_what_a_cached_stage_said_stands_with_each_run_that_takes_it(store, executor):
    @gs.stage
    def told(n):
        say_everything(gs.current_run())
        return n

    for turn in range(2):
        [run] = carry_out(store, told, kind="stages", parameters={"n": [1]}, executor=executor).runs
        assert run.cached is bool(turn), run.exception
        check_everything(store, run)
    store.collect_garbage(grace=0)
    check_everything(store, run)


def test_bytes_that_a_cached_stage_kept_stay_when_its_runs_are_deleted(store):
    @gs.stage
    def told():
        gs.current_run().fields.weights = np.arange(600.0)
        gs.current_run().log_artifact(np.arange(1000), "big")
        for step in range(500):
            gs.log({"loss": step}, step=step)
        return 1

    [run] = carry_out(store, told, kind="stages").runs
    store.catalog.delete("runs", run.id)
    assert store.collect_garbage(grace=0).removed == 0
    [again] = carry_out(store, told, kind="stages").runs
    assert again.cached
    assert (store.fields(again)["weights"] == np.arange(600.0)).all()
    assert (store.artifact(again, "big") == np.arange(1000)).all()
    assert len(store.series(again, "loss")) == 500


def test_points_of_a_cached_stage_that_are_damaged_are_computed_anew(store):
    calls = []

    @gs.stage(version="1")
    def told():
        calls.append(1)
        for step in range(2000):
            gs.log({"loss": math.sin(step)}, step=step)
        return 1

    [run] = carry_out(store, told, kind="stages").runs
    [computation] = store.computations(run)
    [body] = [ref for ref in computation.outputs if ref.name == "@points"]
    store.artifacts.delete(body.digest)
    [run] = carry_out(store, told, kind="stages").runs
    assert len(calls) == 2
    assert len(store.series(run, "loss")) == 2000


@EXECUTORS
def test_a_stage_that_fails_has_said_what_it_said_before(store, executor):
    def step(run):
        run.log({"loss": 1.0}, step=7)
        run.fields.seen = (1, 2)
        raise ValueError("no further")

    @gs.stage
    def stage():
        step(gs.current_run())

    for kind, function in (("steps", step), ("stages", stage)):
        [run] = carry_out(store, function, kind=kind, executor=executor).runs
        assert run.status == "failed"
        assert points(store, run, "loss") == ([7], [1.0])
        assert store.fields(run) == {"seen": (1, 2)}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda run: run.log({"loss": "high"}), "metric 'loss' is not a number but str"),
        (lambda run: run.log({"loss": np.zeros(2)}), "is not one number but has the shape"),
        (lambda run: run.log({"loss": 1}, step=0.5), "the step 0.5 is no integer"),
        (lambda run: run.log({"": 1}), "name"),
        (lambda run: run.fields.update(a=[{"b": object()}]), r"fields['a'][0]['b']: an object"),
        (lambda run: run.log_artifact("missing.pt"), "there is no file 'missing.pt'"),
        (lambda run: run.log_table("t", {"a": [1], "b": []}), "different lengths"),
        (lambda run: run.log_params({"n": 2}), "the parameter 'n' of the run is 1 already"),
        (lambda run: run.metrisc, "a run has no 'metrisc'; did you mean 'metrics'?"),
        (lambda run: setattr(run, "feilds", 1), "a run takes no 'feilds'; did you mean 'fields'?"),
    ],
)
def test_what_is_wrong_fails_the_step_with_a_message_that_names_it(memory, wrong, told):
    [run] = carry_out(memory, lambda run: wrong(run) and None, parameters={"n": [1]}).runs
    assert told in run.exception.message


def test_a_step_reads_fields_and_steps_of_its_run_wherever_it_is_carried_out(store):
    def first(run):
        run.fields.weights = np.arange(600.0)
        run.log({"loss": 3})
        run.log({"loss": 2})

    def second(run):
        run.log({"loss": 1})
        run.fields.weights = (run.fields.weights.sum(), run.status, run.exception)
        run.fields.steps = [(step.name, "run.log" in step.source) for step in run.steps]

    [run] = carry_out(store, first, second, executor="processes").runs
    assert run.status == "complete", run.exception
    assert store.fields(run) == {
        "weights": (np.arange(600.0).sum(), "running", None),
        "steps": [("first", True), ("second", True)],
    }
    assert points(store, run, "loss") == ([0, 1, 2], [3, 2, 1])


VALUES = {
    "scalar": {"acc": np.float64(0.5), "half": np.float32(0.25)},
    "moments": [dt.datetime(2026, 1, 2, 3, tzinfo=dt.UTC), pd.Timestamp("2026-01-02")],
    "frozen": frozenset({1, 2}),
    "complex": [1 + 2j],
    "series": pd.Series([1.0, 2.0], name="loss"),
    "datetime64": np.datetime64("2026-01-02T03:04:05"),
    "uuid": uuid.UUID(int=5),
    "tuple": ((1, "a"), {2: b"c"}),
    "dates": np.array(["2026-01-02"], "datetime64[D]"),
    "frame": pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
}


@EXECUTORS
@pytest.mark.parametrize("kind", ["steps", "stages"])
def test_everyday_values_are_fields_as_they_are(store, executor, kind):
    def step(run):
        run.fields.update(VALUES)

    @gs.stage
    def stage():
        gs.current_run().fields.update(VALUES)

    function = step if kind == "steps" else stage
    [run] = carry_out(store, function, kind=kind, executor=executor).runs
    assert run.status == "complete", run.exception
    back = store.fields(run)
    assert back.keys() == VALUES.keys()
    for name, value in VALUES.items():
        assert type(back[name]) is type(value), name
        assert repr(back[name]) == repr(value), name
    assert back["series"].name == "loss"


def test_what_a_cached_stage_kept_goes_along_to_another_store(store, tmp_path):
    @gs.stage
    def told(n):
        say_everything(gs.current_run())
        return n

    with gs.open_store(f"sqlite:///{tmp_path}/other.db") as other:
        [run] = carry_out(other, told, kind="stages", parameters={"n": [1]}).runs
        store.merge(other)
    check_everything(store, run)
    store.catalog.delete("runs", run.id)
    store.collect_garbage(grace=0)
    [again] = carry_out(store, told, kind="stages", parameters={"n": [1]}).runs
    assert again.cached
    check_everything(store, again)


def test_a_cached_stage_reads_no_fields_of_others(store):
    def first(run):
        run.fields.secret = 1

    @gs.stage
    def second(run):
        return "secret" in run.fields, dict(run.fields)

    [run] = carry_out(store, gs.stage(cache=False)(first), second, kind="stages").runs
    assert store.output(run, "second") == (False, {})


def test_seeds_that_change_nothing_are_told_of_stages_that_log(store):
    heard = Heard()

    @gs.stage
    def same():
        gs.log({"loss": 1.0}, step=3)
        return 1

    experiment = gs.Experiment("e", stages=[same], seeds=[0, 1])
    experiment.execute(store=store, executor="inline", progress=heard, cache=False)
    [told] = [warning for warning in heard.warnings if "came out alike" in warning]
    assert told.startswith("runs of seeds 0, 1")


# -- on folds


DATA = (np.arange(12.0).reshape(6, 2), np.arange(6))


@pytest.mark.parametrize("cache", [True, False])
def test_on_folds_a_metric_is_the_mean_and_its_points_are_series_of_each(store, cache):
    @gs.stage(cache=cache)
    def fitted(fold):
        run = gs.current_run()
        for step in range(3):
            run.log({"loss": 10 * fold.number + step}, step=step)
        run.log({"once": fold.number})
        run.log({"twice": 1})
        run.log({"twice": 2})
        run.fields.shape = (fold.number, 2)
        run.fields.same = (1, 2)
        run.log_text(f"fold {fold.number}", "note")
        return fold.number

    for _ in range(2):
        [run] = carry_out(
            store, fitted, kind="stages", dataset=DATA, splits=gs.splits.kfold(2)
        ).runs
        assert run.status == "complete", run.exception
        assert {name: m.value for name, m in run.metrics.items() if "/" not in name} == {
            "loss": 7.0,
            "once": 0.5,
            "twice": 2.0,
        }
        assert run.metrics["loss"].folds == (2.0, 12.0)
        assert sorted(name for name in run.metrics if "/" in name) == [
            *("fold0/loss", "fold0/twice", "fold1/loss", "fold1/twice")
        ]
        assert points(store, run, "fold1/loss") == ([0, 1, 2], [10, 11, 12])
        assert points(store, run, "fold0/twice") == ([0, 1], [1, 2])
        assert run.metrics["fold1/loss"].series.count == 3
        assert store.fields(run) == {"shape": [(0, 2), (1, 2)], "same": (1, 2)}
        assert store.artifact(run, "fold1/note") == "fold 1"


def test_series_of_folds_are_in_no_table_unless_somebody_asks(store):
    def fitted(fold):
        gs.log({"loss": 1.0}, step=fold.number)
        if fold.number:
            gs.log({"late": 1.0}, step=1)

    result = carry_out(
        store,
        gs.stage(cache=False)(fitted),
        kind="stages",
        dataset=DATA,
        splits=gs.splits.kfold(2),
    )
    assert {"loss", "fold0/loss", "fold1/late"} <= result.runs[0].metrics.keys()
    shown = store.runs()._repr_html_()
    assert "loss" in shown
    assert "fold0" not in shown
    assert "fold1" not in shown


# -- live


def wait_for(look, patience=20.0):
    deadline = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < deadline, "it was never there"
        time.sleep(0.02)
    return found


@EXECUTORS
def test_what_a_step_says_is_read_while_it_computes_in_silence(store, tmp_path, executor):
    over = tmp_path / "over"

    def step(run):
        run.log({"loss": 0.5}, step=3)
        run.fields.weights = (1, 2)
        run.set_tags("live")
        run.alert("hot")
        while not over.exists():
            time.sleep(0.01)

    thread = threading.Thread(target=carry_out, args=(store, step), kwargs={"executor": executor})
    thread.start()
    try:
        with gs.open_store(store.url, artifacts=str(tmp_path / "artifacts")) as reader:
            [run] = wait_for(lambda: [r for r in reader.runs() if "loss" in r.metrics])
            assert run.status == "running"
            assert run.tags == ("live",)
            assert points(reader, run, "loss") == ([3], [0.5])
            assert reader.fields(run) == {"weights": (1, 2)}
            assert alerts(reader, run) == [("warning", "hot", "")]
    finally:
        over.touch()
        thread.join()
    assert store.run(run.id).status == "complete"
    assert points(store, run, "loss") == ([3], [0.5])


def test_the_last_values_are_there_while_another_thread_takes_out_what_is_new(monkeypatch):
    account, looked = Account(), []
    add = account._columns.add

    def look_meanwhile(batch):
        other = threading.Thread(target=lambda: looked.append(account.last()))
        other.start()
        other.join(0.05)  # it waits until the summaries are those of all points
        return add(batch)

    monkeypatch.setattr(account, "_columns", SimpleNamespace(add=look_meanwhile, ahead=dict))
    account.log([("loss", 0.5, None, 1)])
    account.news()
    wait_for(lambda: looked)
    assert looked == [{"loss": 0.5}]


def test_what_was_said_is_kept_once_however_often_it_was_told():
    account = Account(awake=lambda: None)
    for value in range(100):
        account.say("field", ("weights", value, []))
        account.say("tags", [f"t{value % 2}"])
        account.news()
    account.say("untags", ["t0"])
    whole = account.whole().news
    assert (whole.fields, [*dict.fromkeys(whole.tags)]) == ({"weights": 99}, ["t1"])
    assert len(pickle.dumps((account._sayings, account._said))) < 1000


def tellers():
    return [thread for thread in threading.enumerate() if thread.name == "gosset-teller"]


def test_who_tells_what_is_said_leaves_in_silence_and_comes_again(memory, monkeypatch):
    monkeypatch.setattr(telling, "SAY_EVERY", 0.001)
    monkeypatch.setattr(telling, "LEAVE_AFTER", 0.01)
    seen = []

    def step(run):
        for value in range(3):
            run.log({"loss": value})
            seen.append(len(tellers()))
            wait_for(lambda: not tellers())

    [run] = carry_out(memory, step).runs
    assert seen == [1, 1, 1]
    assert points(memory, run, "loss") == ([0, 1, 2], [0, 1, 2])


def test_what_a_step_says_is_told_at_its_end_where_no_thread_begins(memory, monkeypatch):
    start = threading.Thread.start

    def refuse(thread):
        if thread.name == "gosset-teller":
            raise RuntimeError("can't start new thread")
        start(thread)

    def step(run):
        for value in range(3):
            run.log({"loss": value})

    monkeypatch.setattr(threading.Thread, "start", refuse)
    [run] = carry_out(memory, step).runs
    assert run.status == "complete", run.exception
    assert points(memory, run, "loss") == ([0, 1, 2], [0, 1, 2])


def test_what_cannot_be_told_fails_the_stage_and_leaves_what_it_printed(memory, monkeypatch):
    def refuse(*_):
        raise OSError("no room")

    def step(run):
        sys.stdout.write("at work")
        run.log({"loss": 1.0})

    monkeypatch.setattr(Sayings, "say", refuse)
    [run] = carry_out(memory, step).runs
    assert (run.status, run.exception.type) == ("failed", "OSError")
    [computation] = memory.computations(run)
    assert "at work" in computation.log


def test_a_step_is_followed_by_tail(tmp_path):
    over, url = tmp_path / "over", f"sqlite:///{tmp_path}/lab.db"

    def step(run):
        run.log({"loss": 0.5}, step=3)
        wait_for(over.exists)
        run.log({"loss": 0.25}, step=4)

    with gs.open_store(url) as store:
        thread = threading.Thread(target=carry_out, args=(store, step))
        thread.start()
        try:
            wait_for(lambda: [run for run in store.runs() if "loss" in run.metrics])
            command = [sys.executable, "-m", "gosset", "--store", url, "tail", "latest"]
            tail = subprocess.Popen(
                [*command, "--interval", "0.05"], stdout=subprocess.PIPE, text=True
            )
            assert tail.stdout.readline() == "[3] loss=0.5000\n"
        finally:
            over.touch()
            thread.join()
        assert tail.communicate(timeout=30)[0] == "[4] loss=0.2500\n"


@pytest.mark.parametrize("pause", [0.0, 0.4])
def test_a_worker_that_is_killed_loses_at_most_what_was_said_just_now(store, pause):
    def step(run):
        for number in range(1000):
            run.log({"loss": number})
        run.fields.seen = (1, 2)
        time.sleep(pause)
        os.kill(os.getpid(), signal.SIGKILL)

    [run] = carry_out(store, step, executor="processes").runs
    assert run.status == "failed"
    assert run.exception.type == "WorkerLostError"
    if pause:
        assert points(store, run, "loss") == ([*range(1000)], [*range(1000)])
        assert run.metrics["loss"].series.count == 1000
        assert store.fields(run) == {"seen": (1, 2)}
    else:
        told = run.metrics["loss"].series.count if "loss" in run.metrics else 0
        steps = store.series(run, "loss").steps.tolist() if told else []
        assert steps == [*range(told)]


def test_a_run_that_is_resumed_begins_its_series_anew(store, tmp_path):
    mended = tmp_path / "mended"

    def step(run):
        run.log({"loss": 2.0 if mended.exists() else 1.0}, step=5)
        if not mended.exists():
            run.log({"loss": 1.0, "old": 1.0}, step=6)
            run.fields.old = (1, 2)
            run.log_text("old", "old")
            raise ValueError("not yet")

    experiment = gs.Experiment("logging", steps=[step])
    first = experiment.execute(store=store, executor="inline", progress=False)
    assert points(store, first.runs[0], "loss") == ([5, 6], [1.0, 1.0])
    mended.touch()
    experiment.resume(store=store, executor="inline", progress=False)
    run = store.run(first.runs[0].id)
    assert run.status == "complete"
    assert {name: m.value for name, m in run.metrics.items()} == {"loss": 2.0}
    assert points(store, run, "loss") == ([5], [2.0])
    assert run.fields == {}
    assert store.artifacts_of(run) == {}


def test_points_of_four_processes_are_all_there_while_a_reader_reads(store, tmp_path):
    def step(run):
        for number in range(25_000):
            run.log({"loss": run.params.n + number / 2})

    seen, over = [], threading.Event()

    def read():
        with gs.open_store(store.url, artifacts=str(tmp_path / "artifacts")) as reader:
            while not over.wait(0.05):
                for run in reader.runs():
                    if "loss" in run.metrics:
                        series = reader.series(run, "loss")
                        assert series.steps.tolist() == [*range(len(series))]
                        seen.append((run.id, len(series)))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        result = carry_out(
            store, step, parameters={"n": [1, 2, 3, 4]}, executor="processes", jobs=4
        )
    finally:
        over.set()
        thread.join()
    for run in result.runs:
        assert run.metrics["loss"].series.count == 25_000
        steps, values = points(store, run, "loss")
        assert steps == [*range(25_000)]
        assert values == [run.params["n"] + number / 2 for number in range(25_000)]
    for run in result.runs:  # what a reader sees never shrinks
        counts = [count for id, count in seen if id == run.id]
        assert counts == sorted(counts)


# -- what stops at once


@EXECUTORS
def test_with_fail_fast_nothing_begins_after_a_run_failed(store, executor):
    def step(run):
        run.log({"loss": 1.0}, step=run.params.n)
        if run.params.n == 2:
            raise ValueError("no further")
        if run.params.n > 2:
            time.sleep(30)

    result = carry_out(
        store,
        step,
        parameters={"n": [1, 2, 3, 4, 5, 6]},
        executor=executor,
        fail_fast=True,
        **({} if executor == "inline" else {"jobs": 2}),
    )
    first, failed, *rest = [str(run.status) for run in result.runs]
    assert (first, failed) == ("complete", "failed")
    assert rest == ["stopped"] * 4
    assert result.runs[1].exception.message == "no further"
    assert str(result.status) == "failed"


def test_with_fail_fast_the_rest_of_the_failed_run_is_skipped(store):
    def fine(run):
        run.log({"fine": 1})

    def fails(run):
        raise ValueError("no further")

    result = carry_out(store, fine, fails, fine_too := _named(fine, "fine_too"), fail_fast=True)
    [run] = result.runs
    assert fine_too.__name__ == "fine_too"
    assert [str(c.status) for c in store.computations(run)] == ["computed", "failed", "skipped"]
    assert run.status == "failed"
    assert run.metrics["fine"].value == 1


def _named(function, name):
    def renamed(run):
        return function(run)

    renamed.__name__ = name
    return renamed


# -- points


NUMBERS = st.one_of(
    st.floats(), st.integers(-(2**63), 2**64 - 1), st.booleans(), st.integers(2**70, 2**71)
)
LOGGED = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]), NUMBERS, st.one_of(st.none(), st.integers(-(2**63), 2**63 - 2))
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(LOGGED)
def test_points_are_the_same_live_and_from_the_cache(logged):
    def say(run):
        for name, value, step in logged:
            run.log({name: value}, step=step)

    @gs.stage(version="1")
    def cached():
        say(gs.current_run())

    expected: dict[str, list[tuple[int, str]]] = {}
    following: dict[str, int] = {}
    for name, value, step in logged:
        at = following.get(name, 0) if step is None else step
        if at >= 2**63:
            return
        following[name] = at + 1
        expected.setdefault(name, []).append((at, repr(value)))
    with gs.open_store("memory://") as store:
        runs = [
            *carry_out(store, say).runs,
            *carry_out(store, cached, kind="stages").runs,
            *carry_out(store, cached, kind="stages").runs,
        ]
        for run in runs:
            assert run.status == "complete", run.exception
            assert run.metrics.keys() == expected.keys()
            for name, told in expected.items():
                steps, values = points(store, run, name)
                kinds = {type(value) for n, value, _ in logged if n == name}
                found = sorted(zip(steps, map(repr, values), strict=True))
                if len(kinds) == 1:
                    assert found == sorted(told)
                else:
                    assert [step for step, _ in found] == sorted(step for step, _ in told)
                assert run.metrics[name].series.count == len(told)


@pytest.fixture
def memory():
    with gs.open_store("memory://") as opened:
        yield opened
