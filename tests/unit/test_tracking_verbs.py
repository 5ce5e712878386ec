"""The verbs that other trackers use: each does what it does there, or is not there."""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import gosset as gs
from gosset.exceptions import UsageError
from gosset.planner.works import RunFacts
from gosset.store import Store
from gosset.tracking import active
from gosset.tracking.inside import ActiveRun


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path}/lab.db"
    monkeypatch.setenv("GOSSET_STORE", url)
    monkeypatch.setenv("GOSSET_EXPERIMENT", "default")
    monkeypatch.chdir(tmp_path)
    with gs.open_store(url) as opened:
        yield opened


def test_a_script_in_the_style_of_wandb(store: Store) -> None:
    run = gs.init(
        project="vision", name="first", config={"epochs": 3}, tags=["a"], notes="as it was"
    )
    run.config.update({"depth": 2})
    run.config.width = 64
    for step in range(3):
        gs.log({"loss": 1.0 / (step + 1)}, step=step)
    run.summary["best"] = 0.9
    run.summary.update({"at": 2})
    gs.alert("diverged", "at step 2", level="ERROR")
    run.finish(exit_code=0)
    [found] = store.runs("project == 'vision'")
    assert (found.name, found.tags, found.notes) == ("first", ("a",), "as it was")
    assert found.config == {"epochs": 3, "depth": 2, "width": 64}
    assert found.fields == {"best": 0.9, "at": 2}
    assert found.metrics["loss"].series.count == 3
    assert found.status == "complete"


def test_the_configuration_is_fixed(store: Store) -> None:
    with gs.init(config=argparse.Namespace(lr=0.1)) as run:
        assert run.config.lr == 0.1
        run.config.update({"lr": 0.1})
        with pytest.raises(UsageError, match=r"'lr' of the configuration is 0\.1 already"):
            run.config["lr"] = 0.2
        run.config.update({"lr": 0.3}, allow_val_change=True)
    assert store.run("latest").config == {"lr": 0.3}


def test_an_id_is_only_for_a_run_that_is_there(store: Store) -> None:
    first = gs.init(name="first")
    first.finish(exit_code=1)
    with pytest.raises(UsageError, match="id of a new run cannot be chosen"):
        gs.init(id="abc")
    again = gs.init(id=first.id, resume="must")
    assert again.id == first.id
    gs.finish()
    assert store.run(first.id).status == "complete"


def test_a_script_in_the_style_of_mlflow(store: Store, tmp_path: Path) -> None:
    gs.set_experiment("baseline")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.txt").write_text("a")
    with gs.start_run() as run:
        assert gs.active_run() is run
        gs.log_param("lr", 0.1)
        gs.log_params({"layers": (64, 32), "dropout": np.float32(0.5)})
        gs.log_metric("loss", 0.5, step=3)
        gs.log_metrics({"accuracy": 0.9, "f1": np.float64(0.8)}, step=3)
        gs.set_tag("stage", "dev")
        gs.set_tag("draft")
        gs.set_tag("stage", "prod")
        gs.set_tags({"team": "x"})
        gs.log_text("words", "notes.txt")
        gs.log_dict({"a": 1}, "conf.json")
        gs.log_table({"a": [1, 2]}, "table.json")
        gs.log_figure(Figure(figsize=(1, 1)), "figure.png")
        gs.log_artifact("files/a.txt")
        gs.log_artifacts("files", "all")
    assert gs.active_run() is None
    [found] = store.runs("experiment == 'baseline'")
    assert found.params == {"lr": 0.1, "layers": [64, 32], "dropout": 0.5}
    assert {name: metric.value for name, metric in found.metrics.items()} == {
        "loss": 0.5,
        "accuracy": 0.9,
        "f1": 0.8,
    }
    assert set(found.tags) == {"stage=prod", "draft", "team=x"}
    assert set(store.artifacts_of(found)) == {
        *("notes.txt", "conf.json", "table.json", "figure.png", "a.txt", "all/a.txt"),
    }
    assert store.artifact(found, "all/a.txt").read() == b"a"


def test_parameters_that_are_logged_later_make_the_same_group(store: Store) -> None:
    with gs.start_run(params={"lr": 0.1, "depth": 2}, seed=1) as first:
        pass
    with gs.start_run(seed=2) as second:
        gs.log_param("depth", 3)
        second.flush()
        gs.log_params({"lr": 0.1, "depth": 2})
    with gs.start_run() as third:
        gs.log_param("depth", 2)
    groups = [store.run(run.id).group for run in (first, second, third)]
    assert groups[0] == groups[1] != groups[2]


@pytest.mark.parametrize(
    ("given", "status"),
    [("FINISHED", "complete"), ("FAILED", "failed"), ("KILLED", "stopped"), ("pruned", "pruned")],
)
def test_a_run_ends_by_the_words_of_others_too(store: Store, given: str, status: str) -> None:
    gs.start_run()
    gs.end_run(given)
    assert store.run("latest").status == status
    gs.end_run()  # nothing is active, and nothing happens
    with gs.start_run(), pytest.raises(UsageError, match="no run ends as 'DONE'"):
        gs.end_run("DONE")


def test_tags_of_one_key_replace_each_other_in_any_order(store: Store) -> None:
    with gs.start_run(tags=["a=0"]) as run:
        for value in (1, 2, 1):
            run.set_tag("a", value)
        assert run.tags == ("a=1",)
        run.flush()
        run.set_tag("a", 3)
        run.set_tag("ab", 1)
    assert set(store.run(run.id).tags) == {"a=3", "ab=1"}


VERBS: dict[str, tuple[Any, ...]] = {
    "log": ({"a": 1},),
    "log_metric": ("a", 1),
    "log_metrics": ({"a": 1},),
    "log_param": ("a", 1),
    "log_params": ({"a": 1},),
    "log_text": ("a", "a"),
    "log_dict": ({}, "a"),
    "log_table": ("a", {}),
    "log_artifact": (1, "a"),
    "log_artifacts": (".",),
    "set_tag": ("a",),
    "set_tags": ("a",),
    "alert": ("a",),
}


@pytest.mark.parametrize("verb", VERBS)
def test_without_a_run_a_verb_says_how_to_start_one(store: Store, verb: str) -> None:
    with pytest.raises(UsageError, match="no run is active here; start one with"):
        getattr(gs, verb)(*VERBS[verb])


@pytest.mark.parametrize("verb", VERBS)
def test_inside_a_stage_each_verb_is_that_of_its_run(
    store: Store, tmp_path: Path, verb: str
) -> None:
    (tmp_path / "a.txt").write_text("a")
    run = ActiveRun(RunFacts(id="1", number=1, name="e#1", seed=0, params={}, config={}))
    with active(run):
        getattr(gs, verb)(*VERBS[verb])
    said = run._account.whole().news
    assert any((said.points, said.params, said.artifacts, said.tags, said.alerts))


def test_a_stage_does_not_end_its_run(store: Store) -> None:
    run = ActiveRun(RunFacts(id="1", number=1, name="e#1", seed=0, params={}, config={}))
    with active(run), pytest.raises(UsageError, match="is not for code inside a stage; log num"):
        gs.end_run()


def test_verbs_reach_the_run_from_other_threads(store: Store) -> None:
    with gs.start_run() as run:
        thread = threading.Thread(target=gs.log_metric, args=("loss", 1.0))
        thread.start()
        thread.join()
    assert store.run(run.id).metrics["loss"].value == 1.0


def test_the_active_experiment_is_that_of_child_processes_too(store: Store) -> None:
    gs.set_experiment("child")
    assert os.environ["GOSSET_EXPERIMENT"] == "child"
    with pytest.raises(UsageError, match="name for an experiment"):
        gs.set_experiment("")


def test_every_verb_says_what_it_equals() -> None:
    from gosset import _VERBS

    for name in _VERBS:
        assert "``" in getattr(gs, name).__doc__, name


# -- odd input


def test_a_parameter_of_10_mb_comes_back(store: Store) -> None:
    large = {"text": "χ" * 5_000_000, "numbers": list(range(200_000))}
    with gs.start_run(strict=True) as run:
        run.log_params(large)
    assert store.run(run.id).params == large
    assert store.runs("params.text == 'χ'") == []


def test_parameters_are_plain_json(store: Store) -> None:
    given = {"shape": (2, 3), "rate": np.float32(0.5), "nan": float("nan"), "odd": "\ud800"}
    with gs.start_run(params=given, strict=True) as first:
        pass
    with gs.start_run(strict=True) as second:
        second.log_params(given)
    for run in (store.run(first.id), store.run(second.id)):
        assert (run.params["shape"], run.params["rate"]) == ([2, 3], 0.5)
        assert run.params["odd"] == "\ud800"
        assert run.params["nan"] != run.params["nan"]
    assert store.run(first.id).group == store.run(second.id).group


def test_a_parameter_that_json_has_no_word_for_is_refused(store: Store) -> None:
    with (
        gs.start_run() as run,
        pytest.raises(UsageError, match=r"'model' cannot be kept as a para"),
    ):
        run.log_params({"model": {"a": [object()]}})


def test_20_000_names_of_metrics_are_kept(store: Store) -> None:
    metrics = {f"metric/{n}": float(n) for n in range(20_000)}
    with gs.start_run(strict=True) as run:
        run.log(metrics)
    found = store.run(run.id).metrics
    assert len(found) == len(metrics)
    assert all(found[name].value == value for name, value in metrics.items())


@pytest.mark.parametrize(
    "name", ["line\nbreak", "🙂", "a.b", "it's", "%s", "$tuple", "fields['a']"]
)
def test_metrics_parameters_tags_and_artifacts_have_any_name(store: Store, name: str) -> None:
    with gs.start_run(strict=True) as run:
        run.log({name: 1})
        run.log_params({name: 2})
        run.set_tags(name)
        run.log_text("text", f"-{name}")
    found = store.run(run.id)
    assert found.metrics[name].value == 1
    assert (found.params[name], found.tags) == (2, (name,))
    assert store.artifact(found, f"-{name}") == "text"
