"""Work is done again exactly where it must be: after an edit, and after a failure."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from workplace import EXAMPLES, Workplace

MEAN = """
    def mean_of(images):
        # the mean of each row
        return images.mean(axis=1, keepdims=True)
"""

DEPENDENTS = {"pixels", "projection", "neighbours", "predicted"}
"""Stages that reach the helper, or take what such a stage gives."""


@pytest.fixture(scope="module")
def edited(new_workplace: Callable[..., Workplace]) -> tuple[Workplace, list[Any]]:
    """A copied example, run; a comment two calls away edited, run; the code there edited, run."""
    place = new_workplace()
    shutil.copy(EXAMPLES / "digits_stages.py", place.folder)
    place.write("brightness.py", MEAN)
    place.edit(
        "digits_stages.py",
        "import gosset as gs\n",
        "import gosset as gs\nfrom brightness import mean_of\n",
    )
    place.edit("digits_stages.py", "images.mean(axis=1, keepdims=True)", "mean_of(images)")

    def run() -> Any:
        told = place.json("run", "digits_stages.py", "-p", "dimensions=8", "-p", "k=3")
        computations = place.json("list", "computations", f"launch == {told['launch']}")
        return {**told, "computations": computations}

    launches = [run()]
    place.edit("brightness.py", "# the mean of each row", "# how bright each image is")
    launches.append(run())
    place.edit("brightness.py", "axis=1, keepdims=True)", "axis=1, keepdims=True) / 2")
    return place, [*launches, run()]


def by_stage(launch: Any) -> dict[str, set[str]]:
    """Return stage → how its computations of a launch came by their outputs."""
    found: dict[str, set[str]] = defaultdict(set)
    for computation in launch["computations"]:
        found[computation["stage"]].add(computation["status"])
    return found


def test_a_comment_two_calls_away_recomputes_nothing(edited: tuple[Workplace, list[Any]]) -> None:
    """Every computation is cached, and ``cache explain`` says so."""
    place, (_, commented, _) = edited
    assert set().union(*by_stage(commented).values()) == {"cached"}
    run = commented["runs"][0]["name"]
    (told,) = place.json("cache", "explain", run, "pixels")
    assert told["status"] == "cached"
    assert not told["changes"]


def test_a_helper_two_calls_away_recomputes_exactly_its_dependents(
    edited: tuple[Workplace, list[Any]],
) -> None:
    """What rests on it is computed, what does not is cached; what came out alike stops there."""
    _, (first, _, changed) = edited
    stages = by_stage(changed)
    assert {s for s, statuses in stages.items() if statuses == {"computed"}} >= DEPENDENTS
    assert stages["truth"] == {"cached"}
    inputs = defaultdict(set)
    for computation in first["computations"]:
        inputs[computation["stage"]].add(tuple(sorted(computation["inputs"].items())))
    for computation in changed["computations"]:
        if computation["stage"] not in {*DEPENDENTS, "truth"}:
            seen = tuple(sorted(computation["inputs"].items())) in inputs[computation["stage"]]
            assert computation["status"] == ("cached" if seen else "computed"), computation["stage"]


def test_the_changed_helper_is_named(edited: tuple[Workplace, list[Any]]) -> None:
    """``cache explain`` names the function and its file, and for dependents the input."""
    place, (_, _, changed) = edited
    run = changed["runs"][0]["name"]
    words = place.gosset("cache", "explain", run, "pixels").stdout
    assert "mean_of" in words
    assert "brightness" in words
    (told,) = place.json("cache", "explain", run, "pixels")
    assert [(c["part"], c["name"]) for c in told["changes"]] == [("code", "brightness.mean_of")]
    (told,) = place.json("cache", "explain", run, "projection", "--fold", "1")
    assert [(c["part"], c["name"]) for c in told["changes"]] == [("input", "pixels")]


FAILING = """
    from pathlib import Path
    import gosset as gs

    @gs.stage
    def base():
        return 10

    @gs.stage
    def point(base, n: int = 1):
        if n == 0:
            return float(Path("table.txt").read_text())
        return base / n

    @gs.metric(direction="maximize")
    def height(point):
        return point

    points = gs.Experiment(
        "points",
        stages=[base, point],
        parameters={"n": [2, 0, 5]},
        metrics=[height],
    )
"""


@pytest.mark.parametrize("mend", ["the source", "a file"])
def test_a_failing_point_costs_itself_and_resume_makes_up_for_it(
    new_workplace: Callable[..., Workplace], mend: str
) -> None:
    """The others finish, the exit code is 1; after the mend only the missing one is computed."""
    place = new_workplace(executor="processes")
    place.write("points.py", FAILING)
    told = place.json("run", "points.py", code=1)
    assert told["status"] == "failed"
    assert [run["status"] for run in told["runs"]] == ["complete", "failed", "complete"]
    assert [run["metrics"] for run in told["runs"]] == [{"height": 5.0}, {}, {"height": 2.0}]
    raised = told["runs"][1]["exception"]
    assert raised["type"].endswith("FileNotFoundError")
    assert "table.txt" in raised["message"]
    assert "points.py" in raised["traceback"]
    assert told["computations"]["failed"] == 1
    if mend == "the source":
        place.edit("points.py", 'float(Path("table.txt").read_text())', "3.5")
    else:
        place.write("table.txt", "3.5\n")

    resumed = place.json("resume", "latest")
    assert resumed["status"] == "complete"
    assert resumed["launch"] == told["launch"]
    assert [run["id"] for run in resumed["runs"]] == [run["id"] for run in told["runs"]]
    assert resumed["runs"][1]["metrics"] == {"height": 3.5}
    assert resumed["computations"] == {"computed": 2, "cached": 1, "failed": 0, "skipped": 0}
    with place.store() as store:
        assert [len(store.catalog.attempts(run["id"])) for run in told["runs"]] == [1, 2, 1]
        done = {run.number: [c.stage for c in store.computations(run)] for run in store.runs()}
        assert all(sorted(stages) == ["base", "height", "point"] for stages in done.values()), done
