"""Every example runs as a script and by ``gosset run``; what was done is not done again."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from workplace import EXAMPLES, Workplace

from gosset import Status

NAMES = sorted(path.name for path in EXAMPLES.glob("*.py"))


@pytest.fixture(scope="module")
def place(new_workplace: Callable[..., Workplace]) -> Workplace:
    """A workplace with a copy of the examples, and workers as users have them."""
    place = new_workplace(executor="processes")
    shutil.copytree(EXAMPLES, place.folder, dirs_exist_ok=True)
    return place


def test_there_are_examples() -> None:
    """The tests below are about something."""
    assert {"iris_svc.py", "steps.py", "wine.py"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_runs_as_a_script_and_by_the_command(place: Workplace, name: str) -> None:
    """All runs complete; the second time, in the same store, only steps are carried out."""
    assert place.python(name)
    with place.store() as store:
        assert {launch.status for launch in store.select("launches")} == {Status.COMPLETE}
    told = place.json("run", name)
    for launch in told if isinstance(told, list) else [told]:
        assert launch["project"] == "Examples"
        assert launch["status"] == "complete"
        assert {run["status"] for run in launch["runs"]} == {"complete"}
        assert all(run["metrics"] for run in launch["runs"])
        if launch["experiment"] != "quick":  # steps are work that is never cached
            assert launch["computations"]["computed"] == 0


def test_iris_prints_the_contract_of_the_command(place: Workplace) -> None:
    """``gosset run --json``: its keys, nine runs, five folds each, and the best."""
    place.gosset("cache", "clear")
    first = place.json("run", "iris_svc.py")
    again = place.json("run", "iris_svc.py")
    for told in (first, again):
        assert {
            "project", "experiment", "execution", "launch", "status", "runs", "computations", "best",
        } <= set(told)  # fmt: skip
        assert (told["project"], told["experiment"]) == ("Examples", "iris_svc")
        assert told["status"] == "complete"
        assert set(told["computations"]) == {"computed", "cached", "failed", "skipped"}
        points = {
            (run["params"]["SVC.C"], run["params"]["PCA.n_components"]) for run in told["runs"]
        }
        assert points == {(C, n) for C in (0.1, 0.5, 1.0) for n in (1, 2, 3)}
        for run in told["runs"]:
            assert {"id", "number", "status", "params", "metrics"} <= set(run)
            assert run["status"] == "complete"
            for metric in ("accuracy", "f1_macro", "train/accuracy"):
                folds = run["metrics_folds"][metric]
                assert len(folds) == 5
                assert run["metrics"][metric] == pytest.approx(sum(folds) / 5, abs=1e-12)
                assert run["metrics_std"][metric] >= 0
        best = max(told["runs"], key=lambda run: run["metrics"]["accuracy"])
        assert told["best"]["value"] == best["metrics"]["accuracy"]
    assert first["computations"]["computed"] > 0
    assert again["computations"]["computed"] == 0
    assert again["computations"]["cached"] == sum(first["computations"].values())
    assert (again["execution"], again["launch"]) == (first["execution"], first["launch"] + 1)
    assert [run["metrics"] for run in again["runs"]] == [run["metrics"] for run in first["runs"]]
