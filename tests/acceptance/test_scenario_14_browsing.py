"""Scenario 14: a thousand runs, browsed from the command line."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable
from typing import Any

import pytest
from workplace import Workplace

SCRIPT = """
    import gosset as gs

    @gs.stage(cache=False)
    def point(x: int = 0):
        return x * 0.5

    @gs.metric(direction="maximize")
    def height(point):
        return point

    @gs.metric
    def rest(x: int = 0):
        return x % 7

    project = gs.Project("A long project")
    grid = gs.Experiment(
        "a wide grid", project=project, stages=[point], parameters={"x": range(1000)},
        metrics=[height],
    )
    other = gs.Experiment("another one", project="Elsewhere", stages=[point], metrics=[height])

    if __name__ == "__main__":
        grid.execute(progress=False)
        other.execute(progress=False)
"""

LIMIT = 5.0
"""Seconds of work for a whole process, of which a query takes a fraction of one. Not those on
the clock: machines of tests are shared."""


class Browser:
    """A workplace of a thousand runs, in which each command is timed."""

    def __init__(self, place: Workplace) -> None:
        self.place = place
        self.took: dict[str, float] = {}

    def json(self, *words: str, code: int = 0) -> Any:
        """Carry out a command in time."""
        began = _worked()
        told = self.place.gosset(*words, "--json", code=code)
        took = _worked() - began
        self.took[" ".join(words)] = took
        assert took < LIMIT, f"{' '.join(words)} took {took:.1f} s"
        return json.loads(told.stdout if code == 0 else told.stderr)


def _worked() -> float:
    """Return the seconds that the processes started from here have worked."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture(scope="module")
def browser(new_workplace: Callable[..., Workplace]) -> Browser:
    """A thousand and one runs, with the project and the experiment active."""
    place = new_workplace()
    place.python(place.write("wide.py", SCRIPT))
    place.gosset("use", "A long project/a wide grid")
    return Browser(place)


def xs(runs: list[dict[str, Any]]) -> list[int]:
    """Return the parameter of each run."""
    return [run["params"]["x"] for run in runs]


def test_lists_are_narrowed_to_the_active_project_and_experiment(browser: Browser) -> None:
    """All of one project; with ``--all`` those of the other one too."""
    assert browser.json("use") == {"project": "A long project", "experiment": "a wide grid"}
    assert len(browser.json("list", "runs")) == 1000
    assert len(browser.json("list", "runs", "--all")) == 1001


def test_names_with_spaces_are_found(browser: Browser) -> None:
    """Projects and experiments, by filter and by reference."""
    found = browser.json("list", "runs", "experiment == 'another one'", "--all")
    assert [run["project"] for run in found] == ["Elsewhere"]
    named = browser.json("list", "experiments", "name like '%wide%'")
    assert [experiment["name"] for experiment in named] == ["a wide grid"]
    assert browser.json("show", "a wide grid#7")["params"] == {"x": 6}


def test_runs_are_found_by_parameter_and_by_metric_range(browser: Browser) -> None:
    """Exactly those within the bounds."""
    assert xs(browser.json("list", "runs", "params.x == 123")) == [123]
    within = browser.json(
        "list", "runs", "10 <= metrics.height < 12 and params.x != 21", "--sort", "params.x"
    )
    assert xs(within) == [20, 22, 23]


def test_pages_follow_one_another_without_gap_or_repeat(browser: Browser) -> None:
    """Sorted by a metric, the largest first."""
    words = ("list", "runs", "--sort", "-metrics.height", "--limit", "40", "--offset")
    pages = [xs(browser.json(*words, str(offset))) for offset in (0, 40, 980)]
    assert pages[0] + pages[1] == list(range(999, 919, -1))
    assert pages[2] == list(range(19, -1, -1))


def test_columns_are_chosen_and_printed_as_csv(browser: Browser) -> None:
    """The same rows for programs that read no JSON."""
    words = (
        "list",
        "runs",
        "params.x < 3",
        "--sort",
        "params.x",
        "--columns",
        "params.x,metrics.height",
    )
    assert browser.json(*words) == [{"params.x": x, "metrics.height": x * 0.5} for x in (0, 1, 2)]
    printed = browser.place.gosset(*words, "--csv").stdout
    assert printed == "params.x,metrics.height\n0,0.0\n1,0.5\n2,1.0\n"


def test_what_does_not_exist_is_a_wrong_call(browser: Browser) -> None:
    """Exit code 2 and one line that names it, also as JSON."""
    told = browser.json("show", "a wide grid#5000", code=2)
    assert "a wide grid#5000" in told["error"]["message"]
    told = browser.json("delete", "nothing at all", "--yes", code=2)
    assert told["error"]["type"] == "NotFoundError"
    told = browser.json("list", "runs", "params.y == 1", code=2)
    assert "params.y" in told["error"]["message"]


def test_deleting_a_run_leaves_all_above_it(browser: Browser) -> None:
    """One run less; the experiment, the launch and the execution are as they were."""
    kinds = ("projects", "experiments", "executions", "launches")
    with browser.place.store() as store:
        before = [store.select(kind) for kind in kinds]
        (run,) = store.runs("params.x == 500")
    told = browser.json("delete", run.id, "--yes")
    assert told["deleted"] == "run"
    with browser.place.store() as store:
        assert [store.select(kind) for kind in kinds] == before
        assert not store.runs("params.x == 500")
        assert store.catalog.count("runs") == 1000


def test_a_query_itself_takes_less_than_a_second(browser: Browser) -> None:
    """Without the start of a process: filter, sort and page over a thousand runs."""
    with browser.place.store() as store:
        began = time.process_time()
        found = store.runs("metrics.height > 100", order_by="-metrics.height", limit=50)
        took = time.process_time() - began
    assert len(found) == 50
    assert took < 1.0
