"""Live experiments: the runs in hand, before, between and after what is carried out on them."""

from __future__ import annotations

import contextlib
import pickle
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from projects import Heard

import gosset as gs
from gosset.exceptions import (
    GossetError,
    NotFoundError,
    ParameterError,
    SerializationError,
    UsageError,
)
from gosset.live import LiveRun, LiveRuns, copying


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)],
)
def url(request, tmp_path, empty_store, monkeypatch) -> str:
    """The URL of an empty store."""
    monkeypatch.setenv("GOSSET_ARTIFACTS", str(tmp_path / "artifacts"))
    monkeypatch.setenv("GOSSET_EXECUTOR", "inline")
    monkeypatch.chdir(tmp_path)
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql_url")
    return f"sqlite:///{shutil.copy(empty_store, tmp_path / 'lab.db')}"


@pytest.fixture
def lab(tmp_path, empty_store, monkeypatch) -> str:
    """The URL of an empty store in SQLite, for what no kind of store changes."""
    monkeypatch.setenv("GOSSET_EXECUTOR", "inline")
    monkeypatch.chdir(tmp_path)
    return f"sqlite:///{shutil.copy(empty_store, tmp_path / 'lab.db')}"


def added(run):
    run.fields["sum"] = run.params.A + run.config.C
    run.state["seen"] = {run.params.A}


def doubled(run):
    run.fields["double"] = 2 * run.fields["sum"]
    run.state["seen"].add("twice")


def failing(run):
    if run.params.A == 2:
        raise ValueError("two is too many")
    run.fields["passed"] = True


def grid(url: str, name: str | None = "grid", **options: Any) -> gs.Experiment:
    """Return an experiment with two runs, A=1 and A=2."""
    return gs.Experiment(name, config={"C": 5}, store=url, **options).add_runs(A=[1, 2])


def executed(url: str, name: str = "grid") -> gs.Experiment:
    """Return one of which the first step was carried out."""
    experiment = grid(url, name)
    experiment.execute(steps=[added], progress=False)
    return experiment


def fields(experiment: gs.Experiment) -> list[dict[str, Any]]:
    return experiment.runs.apply(lambda run: dict(run.fields))


@contextlib.contextmanager
def refused(kind: type[BaseException], *words: str) -> Iterator[None]:
    """Expect an error of this kind, whose one line holds all the words."""
    with pytest.raises(kind) as caught:
        yield
    told = str(caught.value)
    assert "\n" not in told
    for word in words:
        assert word in told


# -- added and carried out


@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_runs_are_added_and_carried_out_and_stay_the_same_runs(url: str, executor: str) -> None:
    experiment = grid(url)
    before = dict(experiment.runs)
    assert [run.status.value for run in before.values()] == ["created", "created"]
    assert [(len(run.name), run.number) for run in before.values()] == [(6, 0), (6, 0)]
    result = experiment.execute(steps=[added], executor=executor, progress=False)
    result.raise_for_status()
    assert [run.id for run in result.runs] == list(before) == list(experiment.runs)
    for run, name in zip(before.values(), ["grid#1", "grid#2"], strict=True):
        assert experiment.runs[run.id] is run
        assert (run.name, run.status.value, run.exception) == (name, "complete", None)
        assert (dict(run.config), len(run.vars)) == ({"C": 5}, 0)
        assert run.state.seen == {run.params.A}
        assert [step.name for step in run.steps] == ["added"]
        assert "run.params.A + run.config.C" in run.steps[0].source
    assert fields(experiment) == [{"sum": 6}, {"sum": 7}]


@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_further_steps_find_what_earlier_ones_left(url: str, executor: str) -> None:
    experiment = executed(url)
    ids = list(experiment.runs)
    result = experiment.execute(steps=doubled, executor=executor, progress=False)
    result.raise_for_status()
    assert "launch 2, execution 2, complete" in str(result)
    assert list(experiment.runs) == ids
    assert fields(experiment) == [{"sum": 6, "double": 12}, {"sum": 7, "double": 14}]
    assert experiment.runs.apply(lambda run: run.state.seen) == [{1, "twice"}, {2, "twice"}]
    assert [step.name for step in experiment.runs.first.steps] == ["added", "doubled"]
    with gs.open_store(url) as store:
        assert len(store.runs()) == 2
        assert len(store.select("launches")) == 2


@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_series_go_on_and_their_metrics_are_of_all_points(url: str, executor: str) -> None:
    def early(run):
        for value in (0.0, 1.0, 2.0):
            run.log({"loss": value})
        run.log({"best": 1.0}, step=100)

    def late(run):
        run.log({"loss": 10.0, "new": 1})
        run.log({"loss": 11.0})
        run.log({"best": 9.0}, step=5)

    experiment = gs.Experiment("series", store=url)
    for step in (early, late):
        experiment.execute(steps=step, executor=executor, progress=False).raise_for_status()
    with gs.open_store(url) as store:
        [run] = store.runs()
        assert {name: m.value for name, m in run.metrics.items()} == {
            "loss": 11.0,
            "best": 1.0,
            "new": 1,
        }
        parts = ["count", "min", "max", "mean"]
        assert store.series(run, "loss").steps.tolist() == [0, 1, 2, 3, 4]
        assert run.metrics["loss"].series[4:] == (0.0, 11.0, 24.0, 5)
        frame = store.runs(columns=[f"metrics.loss.{part}" for part in parts]).to_pandas()
        assert frame.iloc[0].tolist() == [5, 0.0, 11.0, 4.8]
        assert store.runs(columns=["metrics.best"]).to_pandas().iloc[0].tolist() == [1.0]
        assert [r.id for r in store.runs("metrics.best < 5")] == [run.id]


def test_metrics_that_are_no_series_stay_as_they_are_when_a_run_goes_on(lab: str) -> None:
    def once():
        return 0.5

    @gs.stage
    def each(fold):
        gs.log({"each": fold.number, "curve": 0.0})
        gs.log({"curve": 1.0})
        return fold.number

    def logging(run):
        run.log({"loss": 1.0})

    experiment = gs.Experiment(
        "scores",
        stages=[gs.metric(once), each],
        dataset=(np.arange(12.0).reshape(6, 2), np.arange(6)),
        splits=gs.splits.kfold(2),
        store=lab,
    )
    experiment.execute(progress=False).raise_for_status()
    for _ in range(2):
        experiment.execute(steps=logging, progress=False).raise_for_status()
    with gs.open_store(lab) as store:
        [run] = store.runs()
    assert (run.metrics["once"].value, run.metrics["once"].series) == (0.5, None)
    assert (run.metrics["each"].value, run.metrics["each"].folds) == (0.5, (0.0, 1.0))
    assert run.metrics["fold1/curve"].series.count == 2
    assert run.metrics["loss"].series.count == 2


def test_parameters_keep_their_types_from_step_to_step(lab: str) -> None:
    def kind(run):
        before = run.fields["kinds"] if "kinds" in run.fields else []  # noqa: SIM401
        run.fields["kinds"] = [*before, type(run.params.shape).__name__]

    experiment = gs.Experiment("kinds", store=lab)
    run = experiment.add_run(shape=(2, 3))
    for _ in range(2):
        experiment.execute(steps=[kind], progress=False).raise_for_status()
    assert run.fields["kinds"] == ["tuple", "tuple"]
    assert run.params.shape == (2, 3)


def test_fields_are_read_in_value_and_type(url: str) -> None:
    value = {"when": date(2026, 1, 2), "of": (1, np.float32(0.5)), "b": b"\0"}

    def keep(run):
        run.fields["value"] = {"when": date(2026, 1, 2), "of": (1, np.float32(0.5)), "b": b"\0"}

    experiment = gs.Experiment("kept", store=url)
    run = experiment.add_run()
    experiment.execute(steps=[keep], progress=False).raise_for_status()
    for each in (run, gs.Experiment.load("kept", store=url).runs.first):
        assert each.fields["value"] == value
        assert type(each.fields["value"]["of"]) is tuple
        assert type(each.fields["value"]["of"][1]) is np.float32


def test_every_run_that_is_added_has_its_seed(lab: str) -> None:
    experiment = gs.Experiment("seeds", store=lab, seeds=[3, 4])
    experiment.add_runs(A=[1])
    experiment.add_runs(A=[2], seeds=[5])
    experiment.add_run(A=3, seed=6)
    experiment.execute(steps=[lambda run: run.fields.update(seed=run.seed)], progress=False)
    assert experiment.runs.apply(lambda run: (run.params.A, run.seed, run.fields["seed"])) == [
        (1, 3, 3),
        (1, 4, 4),
        (2, 5, 5),
        (3, 6, 6),
    ]


def test_what_was_declared_is_carried_out_on_the_runs_that_were_added(lab: str) -> None:
    experiment = gs.Experiment("declared", steps=[added], config={"C": 1}, store=lab)
    experiment.add_runs(A=[7, 8])
    experiment.execute(progress=False).raise_for_status()
    assert fields(experiment) == [{"sum": 8}, {"sum": 9}]
    experiment.add_run(A=9)
    assert len(experiment.execute(progress=False).runs) == 1  # the others are done
    assert [field["sum"] for field in fields(experiment)] == [8, 9, 10]


def test_a_run_that_was_added_says_nothing_twice_where_bytes_are_damaged(
    lab: str, tmp_path: Path
) -> None:
    @gs.stage
    def large():
        return np.arange(100_000)

    @gs.stage(cache=False)
    def logging(run):
        run.log({"loss": 1.0})
        return run.fields["given"][0]

    @gs.stage(cache=False)
    def reading(large, logging):
        return float(large[0])

    experiment = gs.Experiment("anew", stages=[large, logging, reading], store=lab)
    for turn in range(2):
        run = experiment.add_run()
        run.fields["given"] = (7, turn)
        experiment.execute(progress=False).raise_for_status()
        with gs.open_store(lab) as store:
            assert store.series(run.id, "loss").values.tolist() == [1.0]
            assert store.run(run.id).metrics["loss"].series.count == 1
            assert store.fields(run.id) == {"given": (7, turn)}
            [computed] = [c for c in store.computations(run.id) if c.stage == "large"]
            assert computed.status.value == "computed"  # also the second time: it was damaged
            [path] = tmp_path.rglob(computed.outputs[0].digest[2:])
            path.chmod(0o644)
            path.write_bytes(path.read_bytes()[:-1] + b"?")


def test_further_steps_follow_stages(url: str) -> None:
    @gs.stage
    def square(x: int = 0):
        return x * x

    def note(run):
        run.fields["x"] = run.params.x

    experiment = gs.Experiment("staged", stages=[square], parameters={"x": [2, 3]}, store=url)
    result = experiment.execute(progress=False)
    experiment.execute(steps=[note], progress=False).raise_for_status()
    assert fields(experiment) == [{"x": 2}, {"x": 3}]
    assert [result.output(run, "square") for run in experiment.runs] == [4, 9]


def test_runs_live_in_a_store_in_memory(lab: str) -> None:
    experiment = grid("memory://")
    for step in (added, doubled):
        experiment.execute(steps=[step], progress=False).raise_for_status()
    assert [field["double"] for field in fields(experiment)] == [12, 14]
    assert experiment.reload().runs.first.fields["double"] == 12
    assert len(experiment.copy("twin").runs) == 2
    assert experiment.delete() == 2


def test_what_is_kept_before_the_first_step_is_in_the_store_in_memory(lab: str) -> None:
    experiment = gs.Experiment("kept", store="memory://")
    run = experiment.add_run()
    run.fields["shape"] = (1, 2)
    run.log_artifact(np.arange(3), "weights")
    result = experiment.execute(steps=[lambda run: run.set_tags("done")], progress=False)
    assert run.fields["shape"] == (1, 2)
    assert result.store.artifact(run.id, "weights").tolist() == [0, 1, 2]


def test_runs_are_carried_on_in_their_own_store_alone(lab: str, tmp_path: Path) -> None:
    other = f"sqlite:///{tmp_path / 'other.db'}"
    experiment, elsewhere = executed(lab), executed(other)
    with refused(UsageError, "the runs are in", lab, other, "gosset push"):
        experiment.execute(steps=[doubled], store=other, progress=False)
    for unite in (lambda: experiment.merge(elsewhere), lambda: experiment | elsewhere):
        with refused(UsageError, "the runs are in", lab, other):
            unite()
    experiment.execute(steps=[doubled], store=lab, progress=False).raise_for_status()
    assert len(experiment.runs) == 2
    mistyped = tmp_path / "mistyped.db"
    with refused(UsageError, "the runs are in", lab):
        experiment.execute(steps=[doubled], store=f"sqlite:///{mistyped}", progress=False)
    assert not mistyped.exists()
    experiment.execute(steps=[doubled], store="sqlite:///./lab.db?timeout=5", progress=False)
    unpickled = gs.Experiment("grid", store=lab)
    unpickled.runs = pickle.loads(pickle.dumps(experiment.runs))
    with refused(UsageError, "the runs are in", lab, other):
        unpickled.execute(steps=[doubled], store=other, progress=False)
    assert fields(elsewhere.reload()) == [{"sum": 6}, {"sum": 7}]


# -- what the holder sets


def test_what_is_set_before_goes_to_the_store_with_the_run(url: str) -> None:
    experiment = gs.Experiment("given", store=url)
    run = experiment.add_run(A=1)
    run.fields["plan"] = ("first", {1, 2})
    run.state["answer"] = 42
    run.set_tags("draft", {"by": "hand"})
    run.log_artifact([1, 2, 3], "numbers")

    def read(run):
        run.fields["read"] = [type(run.fields["plan"]).__name__, run.state.answer, *run.tags]

    experiment.execute(steps=[read], progress=False).raise_for_status()
    assert run.fields["read"] == ["tuple", 42, "by=hand", "draft"]
    with gs.open_store(url) as store:
        kept = store.run(run.id)
        assert kept.tags == run.tags == ("by=hand", "draft")
        assert store.fields(kept)["plan"] == ("first", {1, 2})
        assert store.artifact(kept, "numbers") == [1, 2, 3]


def test_what_is_set_afterwards_is_in_the_store_at_once(url: str) -> None:
    run = executed(url).runs.first
    run.fields["verdict"] = {"of": (1, 2)}
    run.set_tags("good")
    run.log_text("as expected", "comment")
    with gs.open_store(url) as store:
        kept = store.run(run.id)
        assert store.fields(kept) == {"sum": 6, "verdict": {"of": (1, 2)}}
        assert kept.tags == ("good",)
        assert store.artifact(kept, "comment") == "as expected"
        assert [found.id for found in store.runs("'good' in tags")] == [run.id]
    assert (run.status.value, run.tags) == ("complete", ("good",))


def test_nothing_is_lost_of_what_several_threads_set(lab: str) -> None:
    stored, planned = executed(lab).runs.first, grid(lab, "planned").runs.first
    names = [[f"{thread}-{number}" for number in range(5)] for thread in range(4)]

    def set_all(mine: list[str]) -> None:
        for name in mine:
            stored.fields[name] = planned.fields[name] = name

    threads = [threading.Thread(target=set_all, args=(mine,)) for mine in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    every = {name: name for mine in names for name in mine}
    assert gs.Experiment.load("grid", store=lab).runs.first.entity.fields == {"sum": 6} | every
    assert dict(planned.fields) == every
    assert dict(pickle.loads(pickle.dumps(stored)).fields) == {"sum": 6} | every


def test_what_is_set_while_a_run_is_carried_out_is_in_the_store_afterwards(lab: str) -> None:
    experiment = gs.Experiment("meanwhile", store=lab)
    run = experiment.add_run(A=1)
    run.fields["before"] = 1

    def meanwhile(_: Any) -> None:
        held.fields["meanwhile"] = 2

    held = run
    experiment.execute(steps=[meanwhile], executor="inline", progress=False).raise_for_status()
    assert gs.Experiment.load("meanwhile", store=lab).runs.first.entity.fields == {
        "before": 1,
        "meanwhile": 2,
    }
    assert dict(run.fields) == {"before": 1, "meanwhile": 2}


def test_tags_are_set_by_their_verb_alone(lab: str) -> None:
    def tagging(run):
        run.tags = ("lost",)

    experiment = executed(lab)
    run = experiment.runs.first
    with refused(AttributeError, "'tags' of a run cannot be set", "run.set_tags"):
        run.tags = ("lost",)
    result = experiment.execute(steps=[tagging], runs=[run], progress=False)
    assert [found.status.value for found in result.runs] == ["failed"]
    assert "run.set_tags" in run.exception.message


def test_a_field_that_cannot_be_kept_changes_nothing(url: str) -> None:
    run = executed(url).runs.first
    with refused(UsageError, "fields['bad']['deep'][1]", "function"):
        run.fields["bad"] = {"deep": [1, added]}
    with refused(UsageError, "field"):
        run.fields[""] = 1
    assert dict(run.fields) == {"sum": 6}
    assert gs.Experiment.load("grid", store=url).runs.first.entity.fields == {"sum": 6}


@pytest.mark.parametrize("name", ["params", "config", "state", "status", "vars", "fields", "id"])
def test_what_a_run_was_given_is_only_read(lab: str, name: str) -> None:
    run = grid(lab).runs.first
    with refused(AttributeError, f"'{name}' of a run is only read", "run.fields"):
        setattr(run, name, {})


def test_unknown_attributes_are_errors_that_name_what_was_meant(lab: str) -> None:
    experiment = grid(lab)
    run = experiment.runs.first
    with refused(AttributeError, "'fiels'", "did you mean 'fields'?"):
        _ = run.fiels
    with refused(AttributeError, "'parms'", "did you mean 'params'?"):
        run.parms = 1
    with refused(AttributeError, "no value 'B'", "A"):
        _ = run.params.B
    with refused(AttributeError, "'A' cannot be set"):
        run.params.A = 3
    with refused(AttributeError, "'C' cannot be set"):
        run.config.C = 3
    with refused(AttributeError, "'x' cannot be set"):
        run.vars.x = 3
    with refused(AttributeError, "log() is for a run at work"):
        run.log({"loss": 1})
    with refused(AttributeError, "takes no 'nam'", "did you mean 'name'?"):
        experiment.nam = "other"
    with refused(AttributeError, "has no 'add_rum'", "did you mean 'add_run'?"):
        experiment.add_rum(A=1)
    with pytest.raises(AttributeError):
        experiment._own = 1


# -- the mapping


def test_runs_are_a_mapping_by_id_in_their_order(lab: str) -> None:
    experiment = grid(lab)
    runs = experiment.runs
    first, second = runs.values()
    assert runs.first is first
    assert list(runs) == [first.id, second.id]
    assert (first.id in runs, "x" in runs, runs.get("x"), len(runs)) == (True, False, None, 2)
    assert runs.apply(lambda run: run.params.A) == [1, 2]
    assert repr(runs) == "<2 runs>"
    assert "<table" in runs._repr_html_()
    assert "created" in repr(first) + first._repr_html_()
    del runs[first.id]
    assert runs.first is second
    assert runs.pop(second.id) is second
    with refused(NotFoundError, "there are no runs yet"):
        _ = runs.first


def test_runs_of_two_mappings_are_united_by_id(lab: str) -> None:
    one, other = grid(lab).runs, grid(lab).runs
    both = one | other | one
    assert list(both) == [*one, *other]
    assert (len(one), len(other)) == (2, 2)
    one |= other
    assert list(one) == list(both)


def test_wrong_keys_and_wrong_runs_are_refused(lab: str) -> None:
    runs = grid(lab).runs
    wrong = runs.first.id[:-1] + "z"
    with refused(NotFoundError, wrong, f"did you mean {runs.first.id!r}?"):
        _ = runs[wrong]
    with refused(NotFoundError, "'x'"):
        del runs["x"]
    with refused(UsageError, "does not go by 'x'", "runs.add(run)"):
        runs["x"] = runs.first
    with refused(UsageError, "5 is no run"):
        runs.add(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        _ = runs | 5  # type: ignore[operator]


def test_a_frame_has_one_row_for_each_run(url: str) -> None:
    def measure(run):
        run.fields.update(label=f"of {run.params.A}", shape=(1, 2))
        run.log({"loss": 1 / run.params.A})

    experiment = grid(url)
    assert experiment.runs.to_frame()["status"].tolist() == ["created", "created"]
    experiment.execute(steps=[measure], progress=False).raise_for_status()
    frame = experiment.runs.to_frame()
    assert frame["params.A"].tolist() == [1, 2]
    assert frame["metrics.loss"].tolist() == [1.0, 0.5]
    assert frame["fields.label"].tolist() == ["of 1", "of 2"]
    assert frame["id"].tolist() == list(experiment.runs)


# -- wrong calls


def test_wrong_calls_are_refused_before_anything_is_written(lab: str) -> None:
    experiment = grid(lab)
    with refused(UsageError, "'grid'", "does not say what is carried out", "steps="):
        experiment.execute()
    with refused(UsageError, "steps= is empty"):
        experiment.execute(steps=[])
    with refused(UsageError, "'added' is no step"):
        experiment.execute(steps=["added"])  # type: ignore[list-item]
    for options in ({"parameters": {"A": [3]}}, {"seeds": [1]}, {"vary": {"A": [3]}}):
        with refused(UsageError, "on the runs in hand", "parameters=", "add_runs()"):
            experiment.execute(steps=[added], **options)  # type: ignore[arg-type]
    with refused(ParameterError, "'A' has no alternatives"):
        experiment.add_runs(A=[])
    with refused(UsageError, "-1 is no seed"):
        experiment.add_runs(A=[1], seeds=[-1])
    with refused(UsageError, "'x' is no seed"):
        experiment.add_run(seed="x")  # type: ignore[arg-type]
    with refused(GossetError, "object"):
        experiment.add_run(A=object())
    assert len(experiment.runs) == 2
    with gs.open_store(lab) as store:
        assert (len(store.runs()), store.select("launches"), store.select("experiments")) == (
            0,
            [],
            [],
        )


def test_a_failure_leaves_what_was_there_and_can_be_carried_on(url: str) -> None:
    experiment = executed(url)
    result = experiment.execute(steps=[failing], progress=False)
    assert result.status.value == "failed"
    good, bad = experiment.runs.values()
    assert (good.status.value, dict(good.fields)) == ("complete", {"sum": 6, "passed": True})
    assert (bad.status.value, dict(bad.fields)) == ("failed", {"sum": 7})
    assert bad.exception is not None
    assert bad.exception.line == "ValueError: two is too many"
    assert bad.state.seen == {2}
    assert experiment.reload().runs[bad.id].exception == bad.exception
    experiment.execute(steps=[doubled], runs=[bad], progress=False).raise_for_status()
    assert (bad.status.value, bad.exception, bad.fields["double"]) == ("complete", None, 14)


@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_state_that_cannot_be_pickled_fails_its_run_and_no_other(lab: str, executor: str) -> None:
    def locked(run):
        run.state["lock"] = threading.Lock() if run.params.A == 2 else None
        run.fields["locked"] = True

    experiment = executed(lab)
    experiment.execute(steps=[locked], executor=executor, progress=False)
    good, bad = experiment.runs.values()
    assert (good.status.value, bad.status.value) == ("complete", "failed")
    assert bad.exception is not None
    assert "state of run grid#2 (seen, lock) cannot be pickled" in bad.exception.line
    assert bad.state.seen == {2}


def test_state_that_cannot_be_pickled_is_told_before_anything_is_done(lab: str) -> None:
    experiment = executed(lab)
    run = experiment.runs.first
    run.state["lock"] = threading.Lock()
    for doing in (
        lambda: pickle.dumps(run),
        lambda: pickle.dumps(experiment),
        lambda: experiment.execute(steps=[doubled], progress=False),
    ):
        with refused(SerializationError, "state of run grid#1 (seen, lock) cannot be pickled"):
            doing()
    with gs.open_store(lab) as store:
        assert len(store.select("launches")) == 1
    del run.state.lock
    experiment.execute(steps=[doubled], progress=False).raise_for_status()


# -- pickled


def test_pickled_runs_go_on_where_they_are_unpickled(url: str) -> None:
    experiment = executed(url)
    experiment.runs.first.fields["exact"] = (1, {2})
    twin = pickle.loads(pickle.dumps(experiment))
    assert (twin.id, twin.name, dict(twin.config)) == (experiment.id, "grid", {"C": 5})
    run, original = twin.runs.first, experiment.runs.first
    assert (run.id, run.params.A, run.state.seen) == (original.id, 1, {1})
    assert (run.fields["exact"], run.config.C, len(run.vars)) == ((1, {2}), 5, 0)
    assert [step.name for step in run.steps] == ["added"]
    twin.execute(steps=[doubled], progress=False).raise_for_status()
    run.fields["after"] = True
    assert twin.runs.first.fields["double"] == 12
    again = experiment.reload().runs.first
    assert again.id == original.id
    assert dict(again.fields) == {"sum": 6, "exact": (1, {2}), "double": 12, "after": True}
    assert dict(original.fields) == {"sum": 6, "exact": (1, {2})}


def test_pickled_runs_hold_what_they_were_given_without_their_store(tmp_path: Path) -> None:
    """Also another process reads them; what only the store knows is gone with it."""
    experiment = grid("memory://")
    experiment.execute(steps=[added], executor="inline", progress=False)
    (tmp_path / "runs.pickle").write_bytes(pickle.dumps(experiment.runs))
    code = """
        import pickle, sys
        from gosset.exceptions import UsageError
        run = pickle.load(open(sys.argv[1], "rb")).first
        assert (run.params.A, run.config.C, run.state.seen, run.fields["sum"]) == (1, 5, {1}, 6)
        assert (run.status, run.exception, len(run.vars)) == ("complete", None, 0)
        try:
            run.steps
        except UsageError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "runs.pickle")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "was in memory, and is gone" in done.stdout


def test_runs_that_were_not_carried_out_yet_can_be_pickled(lab: str) -> None:
    experiment = grid(lab)
    experiment.runs.first.fields["note"] = (1, 2)
    experiment.runs.first.state["n"] = 1
    twin = pickle.loads(pickle.dumps(experiment))
    twin.execute(steps=[added], progress=False).raise_for_status()
    assert list(twin.runs) == list(experiment.runs)
    assert dict(twin.runs.first.fields) == {"note": (1, 2), "sum": 6}
    assert experiment.runs.first.status.value == "created"


# -- copied and united


def test_a_copy_has_runs_of_its_own(url: str) -> None:
    def train(run):
        for loss in (0.5, 0.25):
            run.log({"loss": loss})
        run.fields["shape"] = (1, 2)
        run.log_artifact([1, 2], "weights")
        run.set_tags("trained")
        run.state["model"] = {"a": 1}

    experiment = grid(url)
    experiment.execute(steps=[train], progress=False).raise_for_status()
    made = experiment.copy("twin")
    assert (made.name, made.id != experiment.id, len(made.runs)) == ("twin", True, 2)
    assert set(made.runs).isdisjoint(experiment.runs)
    for run, original in zip(made.runs.values(), experiment.runs.values(), strict=True):
        assert dict(run.params) == dict(original.params)
        assert dict(run.fields) == {"shape": (1, 2), "copied_from": original.id}
        assert (run.status, run.tags, run.name[:5]) == (original.status, ("trained",), "twin#")
        assert run.state.model == {"a": 1}
        assert [step.name for step in run.steps] == ["train"]
        with gs.open_store(url) as store:
            assert store.artifact(run.id, "weights") == [1, 2]
            assert store.series(run.id, "loss").values.tolist() == [0.5, 0.25]
            assert store.run(run.id).metrics["loss"].value == 0.25
    made.runs.first.fields["own"] = 1
    made.execute(steps=[lambda run: run.fields.update(more=1)], progress=False).raise_for_status()
    assert dict(experiment.reload().runs.first.fields) == {"shape": (1, 2)}
    assert len(gs.Experiment.load("twin", store=url).runs) == 2


def test_a_copy_that_fails_leaves_nothing_behind(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment, other = executed(url), executed(url, "other")
    whole = copying._said

    def failing_at_the_second(store, entity, id):
        if entity.params["A"] == 2:
            raise OSError("the disk is full")
        return whole(store, entity, id)

    monkeypatch.setattr(copying, "_AT_ONCE", 1)
    monkeypatch.setattr(copying, "_said", failing_at_the_second)
    with pytest.raises(OSError, match="full"):
        experiment.copy("again")
    experiment.merge(other)
    with pytest.raises(OSError, match="full"):
        experiment.execute(steps=[doubled], progress=False)  # which copies runs of the other
    with gs.open_store(url) as store:
        assert sorted(found.name for found in store.select("experiments")) == ["grid", "other"]
        assert len(store.runs()) == 4
        launches = store.select("launches", order_by="created")
        assert [(found.experiment, found.status.value) for found in launches] == [
            ("grid", "complete"),
            ("other", "complete"),
            ("grid", "failed"),
        ]
    monkeypatch.setattr(copying, "_said", whole)
    assert fields(other.copy("again")) == [
        {"sum": total, "copied_from": original}
        for total, original in zip([6, 7], other.runs, strict=True)
    ]


def test_a_copy_without_a_name_is_named_after_its_id(lab: str) -> None:
    experiment = executed(lab)
    made = experiment.copy()
    assert len(made.name) == 6
    assert gs.Experiment.load(made.name, store=lab).id == made.id
    assert gs.Experiment.load(made.id, store=lab).name == made.name


def test_runs_that_were_not_carried_out_are_copied_as_new_ones(lab: str) -> None:
    experiment = grid(lab)
    experiment.runs.first.fields["note"] = 1
    made = experiment.copy("twin")
    assert set(made.runs).isdisjoint(experiment.runs)
    made.execute(steps=[added], progress=False).raise_for_status()
    assert fields(made) == [{"note": 1, "sum": 6}, {"sum": 7}]
    assert experiment.runs.first.status.value == "created"


def test_a_copy_does_not_mix_with_what_is_there(lab: str) -> None:
    experiment, other = executed(lab), executed(lab, "other")
    for name in ("grid", "other"):
        with refused(UsageError, f"there is an experiment {name!r} already", "another name"):
            experiment.copy(name)
    with refused(UsageError, "'#'"):
        experiment.copy("a#b")
    assert len(other.reload().runs) == 2
    with gs.open_store(lab) as store:
        assert len(store.runs()) == 4


def test_experiments_are_united_by_their_runs(url: str) -> None:
    one, other = executed(url, "one"), executed(url, "other")
    both = one | other
    assert len(both.name) == 6
    assert list(both.runs) == [*one.runs, *other.runs]
    assert (len(one.runs), len(other.runs), dict(both.config)) == (2, 2, {"C": 5})
    both.execute(steps=[doubled], progress=False).raise_for_status()
    assert [field["double"] for field in fields(both)] == [12, 14, 12, 14]
    # They are copies: the runs of the others stay as they were.
    assert [field["copied_from"] for field in fields(both)] == [*one.runs, *other.runs]
    assert fields(one.reload()) == fields(other.reload()) == [{"sum": 6}, {"sum": 7}]


def test_an_experiment_takes_runs_of_another_in_hand(lab: str) -> None:
    one, other = executed(lab, "one"), executed(lab, "other")
    id_ = one.id
    assert one.merge(other) is one
    one |= other
    assert (one.name, one.id, len(one.runs)) == ("one", id_, 4)
    own = list(one.runs)[:2]
    one.execute(steps=[doubled], progress=False).raise_for_status()
    assert list(one.runs)[:2] == own
    assert [field["double"] for field in fields(one)] == [12, 14, 12, 14]
    assert fields(other.reload()) == [{"sum": 6}, {"sum": 7}]
    assert len(gs.Experiment.load("one", store=lab).runs) == 4


def test_different_configurations_are_not_united_in_silence(lab: str) -> None:
    one = grid(lab, "one")
    other = gs.Experiment("other", config={"C": 6}, store=lab).add_runs(A=[3])
    with refused(UsageError, "'one' and 'other' have different configurations", "one.merge(other)"):
        _ = one | other
    with refused(UsageError, "5 is no experiment"):
        one.merge(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        _ = one | 5  # type: ignore[operator]
    assert len(one.runs) == 2


# -- from the store and out of it


def test_an_experiment_is_loaded_by_name_and_by_id(url: str) -> None:
    experiment = executed(url)
    with gs.open_store(url) as store:
        places: list[Any] = [url, store]
        for place in places:
            for reference in ("grid", experiment.id):
                loaded = gs.Experiment.load(reference, store=place)
                assert (loaded.name, loaded.id) == ("grid", experiment.id)
                assert dict(loaded.config) == {"C": 5}
                assert list(loaded.runs) == list(experiment.runs)
                assert fields(loaded) == [{"sum": 6}, {"sum": 7}]
                assert loaded.runs.apply(lambda run: len(run.state)) == [0, 0]
    some = gs.Experiment.load("grid", store=url, filter="params.A > 1")
    assert some.runs.apply(lambda run: run.params.A) == [2]


def test_what_cannot_be_loaded_is_told(lab: str, tmp_path: Path) -> None:
    executed(lab)
    with refused(NotFoundError, "'gird'", "did you mean 'grid'?"):
        gs.Experiment.load("gird", store=lab)
    with refused(NotFoundError, "'grid'", "'elsewhere'"):
        gs.Experiment.load("grid", store=lab, project="elsewhere")
    with refused(NotFoundError, "nowhere.db"):
        gs.Experiment.load("grid", store="sqlite:///nowhere.db")
    assert not (tmp_path / "nowhere.db").exists()
    with refused(UsageError, "5"):
        gs.Experiment.load(5, store=lab)  # type: ignore[arg-type]
    with refused(GossetError, "params.A >"):
        gs.Experiment.load("grid", store=lab, filter="params.A >")


def test_reload_returns_what_the_store_has_and_changes_nothing_here(url: str) -> None:
    experiment = executed(url)
    new = experiment.add_run(A=9)
    run = experiment.runs.first
    assert run.fields["sum"] == 6
    gs.Experiment.load("grid", store=url).runs[run.id].fields["sum"] = -1
    again = experiment.reload()
    assert (again.name, again.id) == (experiment.name, experiment.id)
    assert new.id in experiment.runs
    assert new.id not in again.runs
    assert (run.fields["sum"], again.runs.first.fields["sum"]) == (6, -1)
    assert (run.state.seen, len(again.runs.first.state)) == ({1}, 0)


def test_a_deleted_experiment_is_gone_with_its_runs(url: str) -> None:
    experiment, other = executed(url), executed(url, "other")
    assert experiment.delete() == 2
    assert len(experiment.runs) == 0
    with refused(NotFoundError, "'grid'"):
        experiment.delete()
    with refused(NotFoundError, "'grid'"):
        gs.Experiment.load("grid", store=url)
    assert fields(other.reload()) == [{"sum": 6}, {"sum": 7}]


def test_runs_that_were_deleted_are_told_when_they_are_carried_on(url: str) -> None:
    experiment = executed(url)
    gs.Experiment.load("grid", store=url).delete()
    with refused(NotFoundError, "run"):
        experiment.execute(steps=[doubled], progress=False)
    with refused(NotFoundError, "run"):
        experiment.runs.first.fields["x"] = 1


# -- several processes

WORK = """
    import sys, time
    from pathlib import Path
    import gosset as gs

    def slow(run):
        run.fields["slow"] = run.fields["sum"] + 1
        Path("at work").touch()
        while not Path("go on").exists():
            time.sleep(0.02)

    def quick(run):
        run.fields["quick"] = sorted(run.fields.keys())

    if __name__ == "__main__":
        name, url, executor = sys.argv[1:]
        experiment = gs.Experiment.load("grid", store=url)
        print("loaded", flush=True)
        input()
        step = {"slow": slow, "quick": quick}[name]
        try:
            result = experiment.execute(steps=[step], executor=executor, jobs=1, progress=False)
            print(result.status)
        except gs.UsageError as error:
            print(error)
            Path("go on").touch()
            input()
            experiment.execute(steps=[step], executor=executor, progress=False).raise_for_status()
            print("then complete")
"""


class Talk:
    """A script at work, to which one speaks; it ends with the block."""

    def __init__(self, block: contextlib.ExitStack, *words: object) -> None:
        self._process = block.enter_context(
            subprocess.Popen(
                [sys.executable, *map(str, words)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        block.callback(self._process.kill)

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip()

    def tell(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def rest(self) -> tuple[str, str]:
        return self._process.communicate(timeout=60)


@pytest.mark.parametrize(
    ("url", "executor"),
    [
        ("sqlite", "inline"),
        ("sqlite", "processes"),
        pytest.param("postgresql", "inline", marks=pytest.mark.postgresql),
    ],
    indirect=["url"],
)
def test_of_two_processes_that_carry_on_the_same_runs_one_is_refused_and_nothing_lost(
    url: str, tmp_path: Path, executor: str
) -> None:
    experiment = executed(url)
    script = tmp_path / "work.py"
    script.write_text(textwrap.dedent(WORK))

    with contextlib.ExitStack() as both:
        slow, quick = (Talk(both, script, name, url, executor) for name in ("slow", "quick"))
        assert (slow.line(), quick.line()) == ("loaded", "loaded")
        slow.tell()
        until = time.monotonic() + 30
        while not (tmp_path / "at work").exists() and time.monotonic() < until:
            time.sleep(0.02)
        quick.tell()
        assert "another launch is at work on it" in quick.line()
        assert slow.rest() == ("complete\n", "")
        quick.tell()
        assert quick.rest() == ("then complete\n", "")
    again = experiment.reload()
    assert fields(again) == [
        {"sum": 6, "slow": 7, "quick": ["slow", "sum"]},
        {"sum": 7, "slow": 8, "quick": ["slow", "sum"]},
    ]
    assert [step.name for step in again.runs.first.steps] == ["added", "slow", "quick"]
    with gs.open_store(url) as store:
        launches = store.select("launches", order_by="number")
        assert [launch.status.value for launch in launches] == [
            "complete",
            "complete",
            "failed",
            "complete",
        ]


@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_who_is_killed_at_work_leaves_what_was_there_and_others_go_on(
    lab: str, tmp_path: Path, executor: str
) -> None:
    experiment = executed(lab)
    script = tmp_path / "work.py"
    script.write_text(textwrap.dedent(WORK))
    with contextlib.ExitStack() as block:
        slow = Talk(block, script, "slow", lab, executor)
        assert slow.line() == "loaded"
        slow.tell()
        until = time.monotonic() + 30
        while not (tmp_path / "at work").exists() and time.monotonic() < until:
            time.sleep(0.02)
    (tmp_path / "go on").touch()
    again = gs.Experiment.load("grid", store=lab)
    assert [field["sum"] for field in fields(again)] == [6, 7]
    again.execute(steps=[doubled_sum], progress=False).raise_for_status()
    assert [field["double"] for field in fields(again)] == [12, 14]
    assert list(again.runs) == list(experiment.runs)
    with gs.open_store(lab) as store:
        told = [launch.status.value for launch in store.select("launches", order_by="number")]
    assert told == ["complete", "crashed", "complete"]


def doubled_sum(run):
    run.fields["double"] = 2 * run.fields["sum"]


def test_names_are_six_characters_that_follow_from_the_id() -> None:
    experiment = gs.Experiment()
    assert len(experiment.name) == 6
    assert experiment.name.isalnum()
    twin = pickle.loads(pickle.dumps(experiment))
    assert (twin.id, twin.name) == (experiment.id, experiment.name)
    run = LiveRun({"A": 1})
    assert len(run.name) == 6
    assert LiveRuns([run]).first.name == run.name


def fails_for_two(run):
    if run.params.a == 2:
        raise ValueError("singular")
    run.fields.fitted = run.params.a


def reported(run):
    run.fields.reported = True


def test_runs_that_failed_are_left_out_of_what_comes_next_unless_they_are_named(store):
    experiment = gs.Experiment("failing")
    experiment.add_runs(a=[1, 2])
    experiment.execute(steps=[fails_for_two], store=store, executor="inline", progress=False)
    heard = Heard()
    experiment.execute(steps=[reported], executor="inline", progress=heard)
    assert any("did not complete are left out: 1" in text for text in heard.warnings)
    good, bad = experiment.runs.values()
    assert (good.status, good.fields.reported) == (gs.Status.COMPLETE, True)
    assert (bad.status, bad.exception.message) == (gs.Status.FAILED, "singular")
    assert store.run(bad.id).exception.message == "singular"
    experiment.execute(steps=[reported], runs=[bad], executor="inline", progress=False)
    assert bad.status is gs.Status.COMPLETE


def test_further_steps_are_refused_where_no_run_is_complete(store):
    experiment = gs.Experiment("hopeless")
    experiment.add_run(a=2)
    experiment.execute(steps=[fails_for_two], store=store, executor="inline", progress=False)
    with pytest.raises(gs.UsageError, match="none of the 1 runs in hand is complete"):
        experiment.execute(steps=[reported], executor="inline", progress=False)
