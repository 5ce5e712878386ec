"""Tracking, scenarios 1 to 3: a fast start; what a run is; a grid that goes on elsewhere."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from workplace import Workplace

import gosset as gs

# -- 1: start fast

FIRST = """
    import gosset as gs

    with gs.start_run("first") as run:
        run.log({"loss": 0.5})

    import os, signal, sys
    heavy = {"numpy", "pandas", "pyarrow", "sqlalchemy", "alembic", "sklearn", "rich", "typer"}
    print(sorted(heavy & set(sys.modules)), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)  # nothing may be left to the end of the process
"""

RAW = """
    import sqlite3

    store = sqlite3.connect("raw.db")
    store.execute("PRAGMA journal_mode=WAL")
    store.execute("CREATE TABLE IF NOT EXISTS points (run, name, step, value)")
    store.execute("INSERT INTO points VALUES ('first', 'loss', 0, 0.5)")
    store.commit()
    store.close()
"""


def seconds(place: Workplace, script: Path) -> float:
    """Return the least that a script took of three times."""
    took = []
    for _ in range(3):
        began = time.perf_counter()
        place.start([sys.executable, script], code=None)
        took.append(time.perf_counter() - began)
    return min(took)


def test_one_value_is_durable_in_a_fresh_process_without_heavy_libraries(
    workplace: Workplace,
) -> None:
    """Scenario 1: nothing heavy is loaded, and a kill after the block loses nothing."""
    told = workplace.start([sys.executable, workplace.write("first.py", FIRST)], code=-9)
    assert told.stdout == "[]\n", "heavy libraries were loaded"
    [run] = workplace.json("list", "runs")
    assert (run["experiment"], run["status"], run["metrics"]) == (
        "first",
        "complete",
        {"loss": 0.5},
    )


def test_the_first_value_costs_little_more_than_raw_sqlite(workplace: Workplace) -> None:
    """Scenario 1, with a bound ten times as wide: twice raw SQLite with its interpreter."""
    first = workplace.write("first.py", FIRST)
    workplace.start([sys.executable, first], code=None)
    assert seconds(workplace, first) < 20 * seconds(workplace, workplace.write("raw.py", RAW))


# -- 2: state

STATE = """
    import json, pickle, sys
    import gosset as gs

    def look(run):
        run.vars.scratch = object()  # it need not survive
        run.state.seen = {run.params.A, run.config.C}
        run.fields.shape = (run.params.A, run.config.C)
        for name in ("parms", "field"):
            try:
                setattr(run, name, 1)
            except AttributeError as error:
                run.fields[f"refused {name}"] = str(error)

    def look_again(run):
        run.state.seen.add(type(run.vars.scratch).__name__)
        run.fields.steps = [step.name for step in run.steps]

    if __name__ == "__main__":
        experiment = gs.Experiment(config={"C": 5})
        experiment.add_runs(A=[1, 2])
        experiment.execute(steps=[look, look_again], executor=sys.argv[1]).raise_for_status()
        run = experiment.runs.first
        told = {
            "id": experiment.id,
            "name": experiment.name,
            "params": dict(run.params),
            "config": dict(run.config),
            "vars": dict(run.vars),
            "steps": [step.name for step in run.steps],
            "state": sorted(map(str, run.state.seen)),
            "fields": dict(run.fields),
            "run": run.id,
            "exception": run.exception,
        }
        for holder, name in ((run, "parms"), (experiment, "parameter")):
            for does in (lambda: getattr(holder, name), lambda: setattr(holder, name, 1)):
                try:
                    does()
                except AttributeError as error:
                    told.setdefault("errors", []).append(str(error))
        open("experiment.pickle", "wb").write(pickle.dumps(experiment))
        print(json.dumps(told))
"""

UNPICKLED = """
    import json, pickle
    from gosset.exceptions import NotFoundError

    experiment = pickle.load(open("experiment.pickle", "rb"))
    run = experiment.runs.first
    print(json.dumps({
        "id": experiment.id, "name": experiment.name, "runs": len(experiment.runs),
        "run": run.id, "params": dict(run.params), "config": dict(run.config),
        "fields": dict(run.fields), "exact": type(run.fields.shape).__name__,
        "state": sorted(map(str, run.state.seen)), "exception": run.exception,
        "vars": dict(run.vars),
    }))
"""


@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_a_run_is_in_memory_in_a_pickle_and_in_the_store_what_it_is_to_be(
    workplace: Workplace, executor: str
) -> None:
    """Scenario 2: steps see all; parameters stay, state lives in memory, fields are stored.

    Unlike in MLtraq parameters, configuration and the account of the steps stay after they were
    carried out; only ``vars`` is empty.
    """
    told = json.loads(workplace.python(workplace.write("state.py", STATE), executor))
    assert len(told["name"]) == 6
    assert told["name"].isalnum()
    assert (told["params"], told["config"], told["vars"]) == ({"A": 1}, {"C": 5}, {})
    assert told["steps"] == ["look", "look_again"] == told["fields"]["steps"]
    assert told["state"] == ["1", "5", "object"]
    assert told["exception"] is None
    assert "did you mean 'params'?" in told["fields"]["refused parms"]
    assert "did you mean 'fields'?" in told["fields"]["refused field"]
    assert len(told["errors"]) == 4
    assert all("parms" in error or "parameter" in error for error in told["errors"])

    unpickled = json.loads(workplace.python(workplace.write("unpickled.py", UNPICKLED)))
    kept = ("id", "name", "run", "params", "config", "fields", "state", "exception")
    assert {name: unpickled[name] for name in kept} == {name: told[name] for name in kept}
    assert (unpickled["runs"], unpickled["exact"], unpickled["vars"]) == (2, "tuple", {})

    url = f"sqlite:///{workplace.folder}/.gosset/store.db"
    loaded = gs.Experiment.load(told["id"], store=url)
    run = loaded.runs[told["run"]]
    assert (loaded.name, dict(run.state), run.fields["shape"]) == (told["name"], {}, (1, 5))
    assert run.steps[0].source.startswith("def look(run):")
    assert [experiment["name"] for experiment in workplace.json("list", "experiments")] == [
        told["name"]
    ]


# -- 3: grid, parallel, resume

GRID = """
    import os, sys
    import gosset as gs

    def add(run):
        run.fields.AB = run.params.A + run.params.B

    def add_fixed(run):
        run.fields.ABC = run.fields.AB + run.config.C
        run.fields.pid = os.getpid()

    if __name__ == "__main__":
        experiment = gs.Experiment("grid", config={"C": 5})
        experiment.add_runs(A=[1, 2], B=[3, 4])
        result = experiment.execute(steps=[add, add_fixed], executor="processes", jobs=2)
        result.raise_for_status()
        assert os.getpid() not in [run.fields.pid for run in experiment.runs.values()]
"""

FURTHER = """
    import sys
    import gosset as gs

    D = 6

    def add_more(run):
        assert run.fields.AB == run.params.A + run.params.B and run.config.C == 5
        run.fields.ABCD = run.fields.ABC + D

    if __name__ == "__main__":
        experiment = gs.Experiment.load("grid")
        experiment.execute(steps=[add_more], executor="processes", jobs=2).raise_for_status()
"""

BY_SQL = """
    SELECT CAST(one.number AS INTEGER), CAST(two.number AS INTEGER)
    FROM v_fields AS one JOIN v_fields AS two ON one.run_id = two.run_id
    JOIN v_runs AS runs ON runs.id = one.run_id
    WHERE one.name = 'ABC' AND two.name = 'ABCD' AND runs.experiment = 'grid'
    ORDER BY runs.number
"""


@pytest.mark.parametrize(
    "kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def test_a_grid_goes_on_in_another_process_and_sql_reads_it(
    workplace: Workplace, kind: str, request: pytest.FixtureRequest
) -> None:
    """Scenario 3: four runs in two processes, a further step elsewhere, and plain SQL."""
    url = f"sqlite:///{workplace.folder / 'lab.db'}"
    if kind == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    workplace.variables["GOSSET_STORE"] = url
    workplace.python(workplace.write("grid.py", GRID))
    ids = [run["id"] for run in workplace.json("list", "runs", "--sort", "number")]
    workplace.python(workplace.write("further.py", FURTHER))
    runs = workplace.json("list", "runs", "--sort", "number")
    assert [run["id"] for run in runs] == ids
    assert [run["status"] for run in runs] == ["complete"] * 4
    assert [(run["params"]["A"], run["params"]["B"]) for run in runs] == [
        (1, 3),
        (1, 4),
        (2, 3),
        (2, 4),
    ]
    assert rows_of(url) == [(9, 15), (10, 16), (10, 16), (11, 17)]


def rows_of(url: str) -> list[Any]:
    if url.startswith("postgresql"):
        with psycopg.connect(url) as connection:
            return connection.execute(BY_SQL).fetchall()
    with sqlite3.connect(url.removeprefix("sqlite:///")) as store:
        rows = store.execute(BY_SQL).fetchall()
    store.close()
    return rows


def test_whoever_has_only_sqlite_reads_the_same(workplace: Workplace) -> None:
    """Scenario 3: no line of Gosset is needed to read what came of a grid."""
    workplace.python(workplace.write("grid.py", GRID))
    code = (
        "import sqlite3; print(sqlite3.connect('.gosset/store.db').execute("
        "\"SELECT params ->> 'A', fields ->> 'ABC' FROM v_runs ORDER BY number\").fetchall())"
    )
    told = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=workplace.folder,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "[(1, 9), (1, 10), (2, 10), (2, 11)]\n"
