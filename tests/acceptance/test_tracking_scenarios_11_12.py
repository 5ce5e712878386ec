"""Tracking, scenarios 11 and 12: a thousand runs and experiments; everyday operation."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stores import content
from workplace import Workplace

import gosset as gs

# -- 11: scale and query

THOUSAND = """
    import sys
    import gosset as gs

    for n in range(int(sys.argv[1])):
        with gs.start_run(f"experiment {n}", name=f"run {n}", params={"n": n}, seed=n % 3) as run:
            run.log({f"value{v}": n + v / 16 for v in range(10)})
            run.fields["shape"] = (n, 10)
"""

N = 1000


@pytest.fixture(scope="module")
def many(new_workplace: Callable[..., Workplace]) -> Workplace:
    """A thousand experiments, each with a run of ten values."""
    place = new_workplace()
    place.python(place.write("thousand.py", THOUSAND), str(N))
    return place


@pytest.fixture(scope="module")
def few(new_workplace: Callable[..., Workplace]) -> Workplace:
    """The first three of them."""
    place = new_workplace()
    place.python(place.write("thousand.py", THOUSAND), "3")
    return place


def least(does: Callable[[], object]) -> float:
    """Return the least seconds that something takes."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        does()
        took.append(time.perf_counter() - began)
    return min(took)


def url_of(place: Workplace) -> str:
    return f"sqlite:///{place.folder}/.gosset/store.db"


def test_one_experiment_costs_the_same_among_a_thousand(many: Workplace, few: Workplace) -> None:
    """Scenario 11: to load, to write and to carry on one does not depend on the others."""
    took: dict[str, list[float]] = {}
    for place in (few, many):
        with gs.open_store(url_of(place)) as store:

            def load(store: gs.Store = store) -> None:
                experiment = gs.Experiment.load("experiment 1", store=store)
                assert [dict(run.fields) for run in experiment.runs.values()] == [
                    {"shape": (1, 10)}
                ]

            def change(store: gs.Store = store) -> None:
                gs.Experiment.load("experiment 2", store=store).runs.first.fields["mark"] = (1, 2)

            took.setdefault("load", []).append(least(load))
            took.setdefault("change", []).append(least(change))
    for what, (among_few, among_many) in took.items():
        assert among_many < 10 * among_few, f"to {what}: {among_few} s, {among_many} s"


def test_all_runs_are_one_frame_soon(many: Workplace) -> None:
    """Scenario 11, with a bound ten times as wide: three times what raw SQL takes."""
    import pandas as pd

    connection = sqlite3.connect(many.folder / ".gosset" / "store.db")

    def raw() -> pd.DataFrame:
        rows = connection.execute(
            "SELECT r.id, m.name, m.value FROM runs AS r JOIN run_metrics AS m ON m.run = r.pk"
        ).fetchall()
        return pd.DataFrame(rows, columns=["id", "name", "value"]).pivot(
            index="id", columns="name", values="value"
        )

    with gs.open_store(url_of(many)) as store:
        frame = store.runs(order_by="params.n").to_pandas()
        ratio = least(lambda: store.runs().to_pandas()) / least(raw)
    connection.close()
    assert len(frame) == N
    assert frame["params.n"].tolist() == list(range(N))
    for v in range(10):
        assert frame[f"metrics.value{v}"].tolist() == [n + v / 16 for n in range(N)]
    assert ratio < 30, f"a frame took {ratio} times as long as raw SQL"


def test_plain_sql_asks_over_all_experiments_and_values(many: Workplace) -> None:
    """Scenario 11: names and numbers stand in the views as they are."""
    connection = sqlite3.connect(many.folder / ".gosset" / "store.db")

    def asked(statement: str) -> list[Any]:
        rows: list[Any] = connection.execute(statement).fetchall()
        return rows

    assert asked("SELECT count(*), count(DISTINCT experiment) FROM v_runs") == [(N, N)]
    assert asked("SELECT count(*), sum(value) FROM v_metrics WHERE name = 'value8'") == [
        (N, sum(n + 0.5 for n in range(N)))
    ]
    assert asked(
        "SELECT m.experiment, m.run, m.name, m.value FROM v_metrics AS m JOIN v_params AS p"
        " USING (run_id) WHERE p.name = 'n' AND p.number > 990 AND m.value > 999.5 ORDER BY 4"
    ) == [("experiment 999", "run 999", "value9", 999.5625)]
    assert asked("SELECT fields ->> '$.shape[0]' FROM v_runs WHERE name = 'run 7'") == [(7,)]
    connection.close()


def test_two_stores_unite_with_ids_fields_and_origins(many: Workplace, tmp_path: Path) -> None:
    """Scenario 11: pushed in part, then as a whole, then by file; a copy knows where it is from."""
    some, all_, by_file = (f"sqlite:///{tmp_path}/{name}.db" for name in ("some", "all", "file"))
    many.gosset("push", some, "--filter", "params.n < 20")
    with gs.open_store(some) as store, gs.open_store(url_of(many)) as origin:
        assert len(store.runs()) == 20
        found = content(store.catalog)
        runs = {run.id: run for run in origin.runs("params.n < 20")}
        assert runs.keys() <= found.keys()
        for id_, run in runs.items():
            copy = store.run(id_)
            assert (copy.fields, copy.params, copy.metrics) == (run.fields, run.params, run.metrics)
            assert (copy.started, copy.ended, copy.seed) == (run.started, run.ended, run.seed)
            assert store.fields(copy) == {**origin.fields(run)}
        [launch] = store.select("launches", "experiment == 'experiment 7'")
        [there] = origin.select("launches", "experiment == 'experiment 7'")
        assert launch == there
        made = gs.Experiment.load("experiment 7", store=store).copy("upstream")
        assert made.runs.first.fields["copied_from"] == next(
            run.id for run in runs.values() if run.params["n"] == 7
        )
    many.gosset("push", all_)
    many.gosset("export", tmp_path / "some.gosset", "params.n < 20", "--format", "gosset")
    many.gosset("import", tmp_path / "some.gosset", "--store", by_file, code=None)
    with gs.open_store(all_) as store, gs.open_store(url_of(many)) as origin:
        assert {run.id for run in store.runs()} == {run.id for run in origin.runs()}
    many.gosset("push", all_)
    with gs.open_store(all_) as store:
        assert len(store.runs()) == N


# -- 12: operate

OPERATED = """
    import gosset as gs

    for lr in (0.1, 0.2):
        with gs.start_run("tuning", name=f"lr {lr}", params={"lr": lr}) as run:
            for step in range(3):
                run.log({"loss": lr / (step + 1)}, step=step)
            run.fields["note"] = "kept"
            run.log_text("hello", "greeting")
"""


@pytest.fixture(scope="module")
def operated(new_workplace: Callable[..., Workplace]) -> Workplace:
    place = new_workplace()
    place.python(place.write("operated.py", OPERATED))
    return place


def test_everything_is_found_by_name_and_by_id(operated: Workplace) -> None:
    """Scenario 12: experiments, runs and numbers, for people and as JSON."""
    [experiment] = operated.json("list", "experiments")
    runs = operated.json("list", "runs", "--sort", "number")
    assert [run["name"] for run in runs] == ["lr 0.1", "lr 0.2"]
    assert operated.json("show", "tuning", "--kind", "experiment")["id"] == experiment["id"]
    assert operated.json("show", experiment["id"])["name"] == "tuning"
    for reference in (runs[0]["id"], runs[0]["id"][:30], "tuning#1", "lr 0.1"):
        assert operated.json("show", reference)["id"] == runs[0]["id"]
    shown = operated.json("show", "latest")
    assert shown["metrics_series"]["loss"]["count"] == 3
    assert shown["fields"] == {"note": "kept"}
    table = operated.gosset("show", "tuning#1").stdout
    assert "loss" in table
    assert "0.1" in table
    assert "loss" in operated.gosset("tail", "tuning#1").stdout
    metrics = operated.gosset("list", "metrics").stdout
    assert "loss" in metrics
    csv = operated.gosset("list", "runs", "--columns", "name,metrics.loss", "--csv").stdout
    assert "lr 0.2" in csv


def test_options_have_types_and_say_what_is_wrong(workplace: Workplace) -> None:
    """Scenario 12: ``false`` is no text, and an unknown name is no news."""
    workplace.gosset("init")
    workplace.gosset("config", "set", "jobs", "3")
    assert workplace.json("config", "get", "jobs")["value"] == 3
    for words, told in (
        (("config", "set", "jobs", "many"), "jobs"),
        (("config", "set", "jbos", "3"), "did you mean 'jobs'?"),
        (("config", "set", "capture", "perhaps"), "capture"),
        (("list", "runz"), "runs"),
        (("show", "nothing"), "nothing"),
        (("show", "00000000-0000-0000-0000-000000000000"), "00000000"),
        (("lits",), "lits"),
        (("list", "runs", "params.lr >"), "params.lr >"),
        (("list", "runs", "--limit", "many"), "'--limit'"),
        (("export", "out", "--format", "excel"), "excel"),
    ):
        refused = workplace.gosset(*words, code=2)
        assert told in refused.stderr, words
        assert "Traceback" not in refused.stdout + refused.stderr


def test_runs_are_exported_deleted_and_collected(operated: Workplace, tmp_path: Path) -> None:
    """Scenario 12: to other tools, to another store, and away."""
    import pandas as pd

    operated.gosset("export", tmp_path / "tables")
    assert set(pd.read_parquet(tmp_path / "tables" / "runs.parquet")["name"]) == {
        "lr 0.1",
        "lr 0.2",
    }
    assert len(pd.read_parquet(tmp_path / "tables" / "points.parquet")) == 6
    operated.gosset("export", tmp_path / "one.gosset", "params.lr > 0.15", "--format", "gosset")
    url = f"sqlite:///{tmp_path}/other.db"
    gs.open_store(url).close()
    told = operated.json("import", tmp_path / "one.gosset", "--store", url)
    assert told["runs"] == 1
    operated.gosset("delete", "tuning", "--yes", "--store", url)
    assert operated.json("list", "runs", "--store", url) == []
    assert operated.json("cache", "gc", "--dry-run", "--store", url)
    assert len(operated.json("list", "runs")) == 2


CAPTURED = """
    import os, sys, time
    from pathlib import Path
    import gosset as gs

    with gs.start_run("captured", capture=True, system_metrics=0.2) as run:
        print("from Python")
        sys.stdout.flush()
        os.system("echo from elsewhere")
        until = time.monotonic() + 60
        while not Path("seen").exists() and time.monotonic() < until:
            time.sleep(0.05)
"""


def test_code_environment_and_machine_are_told_on_request(workplace: Workplace) -> None:
    """Scenario 12: what ran where, what it printed, and how busy the machine was."""
    workplace.gosset("init")
    process = subprocess.Popen(
        [sys.executable, workplace.write("captured.py", CAPTURED), "--token=sesame-open-1234"],
        cwd=workplace.folder,
        env=workplace.environment,
        stdout=subprocess.DEVNULL,
    )
    with process:
        until = time.monotonic() + 50
        while time.monotonic() < until:
            done = workplace.gosset("show", "latest", "--json", code=None)
            if done.returncode == 0 and json.loads(done.stdout)["environment"]:
                break
        (workplace.folder / "seen").touch()
    assert process.returncode == 0
    shown = workplace.json("show", "latest")
    assert 'print("from Python")' in shown["code"]["sources"]["captured.py"]
    assert shown["environment"]
    printed = "".join(part["text"] for part in shown["console"])
    assert printed == "from Python\nfrom elsewhere\n"
    assert shown["metrics_series"]["system/memory"]["count"] > 1
    assert "sesame" not in json.dumps(shown)
    assert "captured.py" in shown["command"]


def python_of(tracker: str) -> Path:
    """Return the interpreter of a tracker's environment, as the tests of the importers make it."""
    home = Path(__file__).parents[1] / "importers" / "conftest.py"
    spec = importlib.util.spec_from_file_location("importers_conftest", home)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Path = module.python_of(tracker)
    return found


def test_a_database_of_mltraq_is_taken_over_exactly(workplace: Workplace) -> None:
    """Scenario 12: one that MLtraq really wrote; to import it again changes nothing."""
    writer = Path(__file__).parents[1] / "importers" / "writers" / "mltraq.py"
    database = workplace.folder / "theirs" / "mltraq.db"
    done = workplace.start([python_of("mltraq"), "-W", "ignore", writer, database])
    told = json.loads(done.stdout.splitlines()[-1])
    assert workplace.json("import", "mltraq", database)["runs"] == 4
    with workplace.store() as store:
        runs = {run.config["imported_from"]["id"]: run for run in store.runs()}  # type: ignore[call-overload, index]
        fields = store.fields(runs[f"{told['experiment']}/{told['run']}"])
        for name, value in told["native"].items():
            assert (fields[name], type(fields[name])) == (value, type(value))
        grid = store.runs("experiment == 'grid'", order_by="params.A")
        assert [(run.params["A"], run.fields["y"]) for run in grid] == [(1, 2), (2, 4)]
    assert workplace.json("import", "mltraq", database)["runs"] == 0
    assert len(workplace.json("list", "runs", "--all")) == 4


FIRST_VERSION = Path(__file__).with_name("data") / "store-0001.sql"


def test_a_store_of_the_first_version_opens_and_goes_on(workplace: Workplace) -> None:
    """Scenario 12: all that it held is there, its cache is used, and new runs follow."""
    (workplace.folder / ".gosset").mkdir()
    old = sqlite3.connect(workplace.folder / ".gosset" / "store.db")
    old.executescript(FIRST_VERSION.read_text(encoding="utf-8"))
    old.close()
    runs = workplace.json("list", "runs", "--all", "--sort", "experiment,number")
    assert [(run["name"], run["status"]) for run in runs] == [
        ("squares#1", "complete"),
        ("squares#2", "complete"),
        ("stepped#1", "complete"),
        ("stepped#2", "complete"),
        ("stepped#3", "failed"),
    ]
    assert [run["metrics"].get("largest") for run in runs[:2]] == [1.0, 4.0]
    failed = workplace.json("show", "stepped#3")
    assert failed["exception"]["message"] == "three is too many"
    with workplace.store() as store:
        assert store.output("squares#2", "squares") == [0, 1, 4]
        experiment = gs.Experiment.load("stepped", store=store)
        assert [dict(run.fields) for run in experiment.runs.values()] == [
            {"sum": n + 5, "note": "kept"} for n in (1, 2, 3)
        ]
        assert experiment.runs.apply(lambda run: run.metrics["loss"].value) == [0.5, 1 / 3, 0.25]
        ids = list(experiment.runs)
    workplace.python(
        workplace.write(
            "goes_on.py",
            """
            import gosset as gs

            def more(run):
                run.fields["more"] = run.fields["sum"] * 2
                run.log({"curve": 1.0}, step=1)

            experiment = gs.Experiment.load("stepped", project="Lab")
            every = list(experiment.runs.values())  # also the one that failed
            experiment.execute(steps=[more], runs=every, executor="inline").raise_for_status()
            with gs.start_run("new", project="Lab") as run:
                run.log({"loss": 1.0})
            """,
        )
    )
    with workplace.store() as store:
        again = gs.Experiment.load("stepped", store=store)
        assert list(again.runs) == ids
        assert [run.fields["more"] for run in again.runs.values()] == [12, 14, 16]
        assert again.runs.apply(lambda run: str(run.status)) == ["complete"] * 3
        assert store.series(ids[0], "curve").values.tolist() == [1.0]
        assert len(store.runs()) == 6
    check = sqlite3.connect(workplace.folder / ".gosset" / "store.db")
    assert check.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert check.execute("PRAGMA foreign_key_check").fetchall() == []
    check.close()
