"""Planning looks and does not touch: not a byte, not a number, not a folder."""

import numpy as np
import pytest

import gosset as gs
from gosset.exceptions import PipelineError
from gosset.planner.plan import Action


@gs.stage
def made(n: int = 1):
    raise AssertionError("planning carries nothing out")


@gs.stage
def after(made):
    return made


def tree(folder):
    """Return every name under a folder with its content and time."""
    return {
        path.relative_to(folder): (path.stat().st_mtime_ns, path.is_file() and path.read_bytes())
        for path in folder.rglob("*")
    }


def counted(plan):
    return {str(action): count for action, count in plan.counts().items()}


def test_plan_without_a_store_makes_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").touch()
    before = tree(tmp_path)
    experiment = gs.Experiment("e", stages=[made, after], parameters={"n": [1, 2]})
    assert counted(experiment.plan()) == {"compute": 4}
    assert counted(experiment.plan(store=f"sqlite:///{tmp_path}/nowhere/lab.db")) == {"compute": 4}
    assert tree(tmp_path) == before


def test_plan_on_a_store_that_is_there_writes_not_one_byte(tmp_path):
    @gs.stage
    def size(X, fold, k: int = 1):
        return len(fold.train) * k * np.ones(500)

    url = f"sqlite:///{tmp_path / 'lab.db'}"
    data = (np.arange(12.0).reshape(6, 2), np.arange(6))
    experiment = gs.Experiment("e", stages=[size], dataset=data, splits=gs.splits.kfold(2))
    experiment.execute(store=url, executor="inline", progress=False).store.close()
    before = tree(tmp_path)
    assert counted(experiment.plan(store=url)) == {"load": 2}
    assert counted(experiment.plan({"k": [1, 2]}, store=url)) == {"load": 2, "compute": 2}
    assert counted(experiment.plan(store=url, cache=False)) == {"compute": 2}
    assert tree(tmp_path) == before
    with gs.open_store(url) as store:
        assert [launch.number for launch in store.select("launches")] == [1]


def test_wrong_declaration_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    @gs.stage
    def needy(nowhere):
        return nowhere

    url = f"sqlite:///{tmp_path / 'lab.db'}"
    with pytest.raises(PipelineError):
        gs.Experiment("e", stages=[needy]).execute(store=url, progress=False)
    assert tree(tmp_path) == {}


def test_plan_names_what_it_means_to_do_and_why(store):
    @gs.stage
    def start(n: int = 1):
        return n

    @gs.stage
    def end(start, k: int = 1):
        return start * k

    experiment = gs.Experiment("e", stages=[start, end])
    experiment.execute(store=store, executor="inline", progress=False)
    plan = experiment.plan({"k": [2]}, store=store)
    does = {item.stage.name: (item.action, item.why) for item in plan.items}
    assert does["start"] == (Action.LOAD, "the same computation is in the cache")
    assert does["end"][0] is Action.COMPUTE
    assert "not computed before" in does["end"][1]
    plan = experiment.plan(store=store)
    assert [item.action for item in plan.items] == [Action.SKIP, Action.LOAD]
