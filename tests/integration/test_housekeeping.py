"""Nothing that a launch at work holds on to is taken away from under it."""

import os
import socket
import tomllib
from pathlib import Path

import pytest

import gosset as gs
from gosset.entities import Status
from gosset.exceptions import NotFoundError, UsageError
from gosset.settings import Settings
from gosset.upkeep.diagnosis import diagnose
from gosset.upkeep.housekeeping import clear_cache, delete


def step(run):
    pass


@pytest.mark.parametrize("kind", ["projects", "experiments", "executions", "launches"])
def test_what_holds_a_launch_at_work_is_not_deleted(store, kind):
    declared = {"project": "p", "steps": [step]}
    launch = gs.Experiment("e", **declared).execute(store=store, progress=False).launch
    store.catalog.update_launch(
        launch.id, status=Status.RUNNING, pid=os.getpid(), host=socket.gethostname()
    )
    [entity] = store.select(kind)
    with pytest.raises(UsageError, match="launch e#1 is running; stop it first"):
        delete(store, kind, entity)
    assert len(store.runs()) == 1
    store.catalog.update_launch(launch.id, status=Status.COMPLETE)
    assert delete(store, kind, entity) == 1
    assert store.runs() == []


def test_a_launch_at_work_elsewhere_is_in_nobodys_way(store):
    for project in ("p", "q"):
        gs.Experiment("e", project=project, steps=[step]).execute(store=store, progress=False)
    first, second = store.select("launches", order_by="created")
    store.catalog.update_launch(second.id, status=Status.RUNNING)
    [project] = [p for p in store.select("projects") if p.name == first.project]
    assert delete(store, "projects", project) == 1


def test_clearing_the_cache_leaves_what_a_launch_at_work_has_just_written(store):
    @gs.stage
    def many(k: int = 1):
        return b"x" * 5000

    result = gs.Experiment("e", stages=[many]).execute(store=store, progress=False)
    [given] = store.computations(result.runs[0])[0].outputs
    store.catalog.delete("runs", result.runs[0].id)
    fresh = store.artifacts.put(b"not referred to yet")
    cleared = clear_cache(store)
    assert (cleared.entries, cleared.collected.digests) == (1, (given.digest,))
    assert store.artifacts.contains(fresh)
    assert not store.artifacts.contains(given.digest)


def test_clearing_what_the_cache_never_held_is_told(store):
    @gs.stage
    def fit(k: int = 1):
        return k

    gs.Experiment("e", stages=[fit]).execute(store=store, progress=False)
    with pytest.raises(NotFoundError, match="nothing of a stage 'fti'; did you mean 'fit'"):
        clear_cache(store, stage="fti")
    assert clear_cache(store, stage="fit").entries == 1
    assert clear_cache(store, stage="fit").entries == 0


def test_the_doctor_looks_at_every_extra_that_is_declared(tmp_path):
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    declared = project["optional-dependencies"].keys() - {"all", "dev"}
    checks = {check.name for check in diagnose(Settings(root=tmp_path))}
    assert {f"extra {extra}" for extra in declared} <= checks
