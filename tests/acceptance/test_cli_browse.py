"""Listing, showing, comparing, scoring anew, explaining, deleting: over one filled store."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import pty
import subprocess
import termios
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from workplace import GOSSET, Workplace

CLASSIFIED = """
    import gosset as gs
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from cleaning import clean

    project = gs.Project("My Lab")

    def features(X):
        return clean(X)

    near = gs.Experiment(
        "near",
        project=project,
        dataset=gs.datasets.load_iris(),
        splits=gs.splits.stratified(3, seed=1),
        preprocess=features,
        estimator=Pipeline([("scale", StandardScaler()), ("knn", KNeighborsClassifier())]),
        parameters={"knn.n_neighbors": [1, 5]},
        metrics=["accuracy", "f1_macro"],
    )
    far = gs.Experiment(
        "far",
        project=project,
        dataset=gs.datasets.load_wine(),
        splits=gs.splits.stratified(4, seed=2),
        estimator=Pipeline([("knn", KNeighborsClassifier(weights="distance"))]),
        parameters={"knn.n_neighbors": [1]},
        metrics=["accuracy"],
        seed=3,
    )
"""
CLEANING = '''
    def clean(X):
        """Comments and docstrings do not count."""
        return X * 1.0
'''


@pytest.fixture(scope="module")
def filled(new_workplace: Callable[..., Workplace]) -> Workplace:
    """A store with three launches: near, far, and near again with other code."""
    workplace = new_workplace()
    workplace.write("cleaning.py", CLEANING)
    workplace.write("lab.py", CLASSIFIED)
    workplace.gosset("run", "lab.py", "--quiet")
    workplace.edit("cleaning.py", "X * 1.0", "X * 2.0")
    workplace.gosset("run", "lab.py::near", "--quiet")
    return workplace


# -- list


def test_runs_are_listed_with_the_keys_of_the_contract(filled: Workplace) -> None:
    runs = filled.json("list", "runs")
    keys = "id number name project experiment execution launch status params metrics fields tags"
    assert set(f"{keys} started ended duration cached".split()) <= runs[0].keys()
    assert len(runs) == 5
    assert runs[0]["launch"] == 2


def test_filter_sort_limit_and_offset(filled: Workplace) -> None:
    rule = "experiment == 'near' and params.knn.n_neighbors >= 1 and project == 'My Lab'"
    runs = filled.json("list", "runs", rule, "--sort", "-params.knn.n_neighbors,number")
    assert [run["number"] for run in runs] == [2, 4, 1, 3]
    page = filled.json(
        *("list", "runs", rule, "--sort", "-params.knn.n_neighbors,number"),
        *("--limit", "2", "--offset", "1"),
    )
    assert [run["number"] for run in page] == [4, 1]
    assert filled.json("list", "runs", "metrics.accuracy > 2") == []


def test_columns_are_those_asked_for_in_every_form(filled: Workplace) -> None:
    asked = ["list", "runs", "--columns", "number,params.knn.n_neighbors,metrics.accuracy"]
    rows = filled.json(*asked)
    assert list(rows[0]) == ["number", "params.knn.n_neighbors", "metrics.accuracy"]
    table = list(csv.DictReader(io.StringIO(filled.gosset(*asked, "--csv").stdout)))
    assert [float(row["metrics.accuracy"]) for row in table] == [
        row["metrics.accuracy"] for row in rows
    ]
    refused = filled.gosset("list", "runs", "--columns", "metrics.acuracy", code=2)
    assert "did you mean 'metrics.accuracy'?" in refused.stderr


@pytest.mark.parametrize(
    "kind",
    [
        *("projects", "experiments", "executions", "launches", "runs", "computations"),
        *("datasets", "artifacts", "metrics", "cache"),
    ],
)
def test_every_kind_is_listed_in_every_form(filled: Workplace, kind: str) -> None:
    documents = filled.json("list", kind, "--limit", "3")
    assert documents
    assert len(list(csv.reader(io.StringIO(filled.gosset("list", kind, "--csv").stdout)))) > 1
    lines = filled.gosset("list", kind).stdout.splitlines()
    assert len(lines) >= 2
    assert "…" not in "".join(lines)


def test_an_unknown_kind_filter_or_name_is_a_wrong_call(filled: Workplace) -> None:
    assert "did you mean 'runs'?" in filled.gosset("list", "rums", code=2).stderr
    assert "use '=='" in filled.gosset("list", "runs", "status = 'x'", code=2).stderr
    error = json.loads(filled.gosset("list", "runs", "stats == 1", "--json", code=2).stderr)
    assert error["error"]["type"] == "FilterError"
    assert "status" in error["error"]["hint"]


def test_computations_are_listed_with_the_names_of_their_runs(filled: Workplace) -> None:
    head, *rows = filled.gosset(
        "list", "computations", "run == 2", "--limit", "2"
    ).stdout.splitlines()
    assert head.split()[0] == "run"
    assert {row.split()[0] for row in rows} == {"near#2"}
    (document,) = filled.json("list", "computations", "run == 2", "--limit", "1")
    assert document["run"] == filled.json("show", "near#2")["id"]


def test_what_a_narrow_terminal_does_not_show_is_named(filled: Workplace) -> None:
    done = filled.start(["env", "COLUMNS=90", GOSSET, "list", "runs"])
    assert max(map(len, done.stdout.splitlines())) <= 90
    assert "not shown: metrics.f1_macro" in done.stderr
    assert "; see --columns, or --csv for all\n" in done.stderr
    named = filled.start(["env", "COLUMNS=9", GOSSET, "list", "runs", "--columns", "name,started"])
    assert named.stderr == ""
    assert "started" in named.stdout


# -- show


def test_a_run_is_shown_with_all_that_the_contract_names(filled: Workplace) -> None:
    run = filled.json("show", "near#2")
    names = "computations attempts code environment artifacts exception hyperparameters"
    assert set(names.split()) <= run.keys()
    statuses = {c["status"] for c in run["computations"]}
    assert statuses <= {"computed", "cached", "failed", "skipped"}
    fitted = [c for c in run["computations"] if c["stage"] == "fit"]
    assert [c["fold"] for c in sorted(fitted, key=lambda c: c["fold"])] == [0, 1, 2]
    assert fitted[0]["wall"] > 0
    assert "cleaning.clean" in run["code"]["sources"]
    assert run["environment"]["digest"]
    assert run["exception"] is None
    assert {"name": "knn.n_neighbors", "value": 5, "kind": "model"} in run["hyperparameters"]


def test_ids_prefixes_names_and_latest_name_the_same_run(filled: Workplace) -> None:
    run = filled.json("show", "near#4")
    for reference in (run["id"], run["name"], "My Lab/near#4", "latest", "near#latest"):
        assert filled.json("show", reference)["id"] == run["id"], reference


def test_other_things_are_shown_too(filled: Workplace) -> None:
    assert filled.json("show", "near#2", "--kind", "launch")["runs"][0]["number"] == 3
    assert filled.json("show", "near#2", "--kind", "execution")["code"]["sources"]
    experiment = filled.json("show", "far")
    assert experiment["definition"]["seeds"] == [3]
    assert experiment["runs"] == 1
    assert filled.json("show", "My Lab")["experiments"] == ["far", "near"]
    dataset = filled.json("show", "iris@1")
    assert (dataset["rows"], dataset["version"]) == (150, 1)
    assert filled.json("show", dataset["digest"][:12])["name"] == "iris"
    digest = filled.json("list", "artifacts", "--limit", "1")[0]["digest"]
    assert filled.json("show", digest)["present"] in (True, False)


def test_what_people_are_shown_has_sections(filled: Workplace) -> None:
    told = filled.gosset("show", "near#1").stdout
    for head in ("PARAMS", "METRICS", "HYPERPARAMETERS", "COMPUTATIONS", "CODE", "ARTIFACTS"):
        assert f"\n{head}\n" in told
    assert filled.gosset("show", "far").stdout
    assert filled.gosset("show", "wine").stdout


def test_an_unknown_id_is_a_wrong_call(filled: Workplace) -> None:
    done = filled.gosset("show", "near#99", code=2)
    assert "near#99" in done.stderr
    error = json.loads(filled.gosset("show", "nobody", "--json", code=2).stderr)["error"]
    assert error["type"] == "NotFoundError"


# -- compare


def test_runs_are_compared_with_the_same_numbers_in_every_form(filled: Workplace) -> None:
    asked = ["compare", "near#1", "near#2", "--metric", "accuracy"]
    rows = filled.json(*asked)
    assert [row["run"] for row in rows] == ["near#1", "near#2"]
    assert [row["knn.n_neighbors"] for row in rows] == [1, 5]
    assert rows[0]["dataset"] == "iris@1"
    assert rows[0]["split"]
    table = list(csv.DictReader(io.StringIO(filled.gosset(*asked, "--csv").stdout)))
    assert [float(row["accuracy"]) for row in table] == [row["accuracy"] for row in rows]
    for form in ("--markdown", "--latex"):
        text = filled.gosset(*asked, form).stdout.replace(r"$\pm$", "±")
        for row in rows:
            assert f"{row['accuracy']:.4f} ± {row['accuracy_std']:.4f}" in text
    assert "f1" not in filled.gosset(*asked).stdout
    stored = filled.json("show", "near#1")
    assert rows[0]["accuracy"] == pytest.approx(np.mean(stored["metrics_folds"]["accuracy"]))


def test_experiments_differ_only_where_they_really_do(filled: Workplace) -> None:
    diff = filled.json("compare", "near", "far")
    components = {d["component"] for d in diff["differences"]}
    assert {"dataset", "splits", "seed", "parameters", "pipeline", "code"} <= components
    names = {d["name"] for d in diff["differences"] if d["component"] == "pipeline"}
    assert "knn.parameters.weights" in names
    assert "knn.parameters.leaf_size" not in names
    assert "scale" in names
    told = filled.gosset("compare", "near", "far").stdout
    assert "knn.parameters.weights: uniform → distance" in told
    assert "leaf_size" not in told


def test_executions_show_the_diff_of_the_code(filled: Workplace) -> None:
    told = filled.gosset("compare", "near#1", "near#2", "--kind", "execution").stdout
    assert "-    return X * 1.0" in told.replace("      ", "    ")
    assert "X * 2.0" in told
    launches = filled.json("compare", "near#1", "near#2", "--kind", "launch")
    assert [row["launch"] for row in launches] == ["near#1", "near#1", "near#2", "near#2"]


def test_things_of_two_kinds_cannot_be_compared(filled: Workplace) -> None:
    assert "--kind" in filled.gosset("compare", "near", "near#1", code=2).stderr
    told = filled.gosset("compare", "My Lab", "My Lab", "--kind", "project", code=2).stderr
    assert "projects cannot be compared" in told


# -- metrics


def test_a_new_metric_is_computed_from_stored_results_without_fitting(filled: Workplace) -> None:
    before = filled.json("list", "computations")
    (run,) = filled.json("metrics", "compute", "balanced_accuracy,train/recall", "near#1")
    with filled.store() as store:
        expected = []
        for fold in range(3):
            rows = store.output("near#1", "results", fold=fold)
            rows = rows[rows["part"] == "test"]
            truth, predicted = rows["truth"].astype(str), rows["predicted"].astype(str)
            expected.append(balanced_accuracy_score(truth, predicted))
    assert run["metrics_folds"]["balanced_accuracy"] == pytest.approx(expected)
    assert "train/recall" in run["metrics"]
    assert filled.json("show", "near#1")["metrics"]["balanced_accuracy"] == pytest.approx(
        np.mean(expected)
    )
    assert len(filled.json("list", "computations")) == len(before)


def test_a_metric_of_ones_own_is_computed_for_a_filter(filled: Workplace) -> None:
    filled.write(
        "own.py",
        """
        import gosset as gs

        @gs.metric(direction="minimize")
        def mistakes(truth, predicted):
            return float((truth != predicted).sum())
        """,
    )
    runs = filled.json("metrics", "compute", "own.py::mistakes", "experiment == 'far'")
    assert len(runs) == 1
    assert runs[0]["metrics"]["mistakes"] > 0
    assert "did you mean" in filled.gosset("metrics", "compute", "acuracy", code=2).stderr


def test_metrics_are_listed_for_a_task(filled: Workplace) -> None:
    names = {row["name"] for row in filled.json("metrics", "list", "--task", "regression")}
    assert {"mean_absolute_error", "r2"} <= names
    assert "accuracy" not in names


# -- cache


def test_the_cache_explains_a_change_of_code_two_calls_away(filled: Workplace) -> None:
    (told,) = filled.json("cache", "explain", "near#3", "features")
    assert told["status"] == "computed"
    assert "function `clean` in cleaning.py changed since run near#1" in told["explanation"]
    told = filled.json("cache", "explain", "near#3", "fit", "--fold", "1")[0]
    assert "input X changed: function `clean` in cleaning.py changed" in told["explanation"]


def test_the_cache_explains_what_was_shared_and_what_was_new(filled: Workplace) -> None:
    assert (
        "features: computed: first time"
        in filled.gosset("cache", "explain", "near#1", "features").stdout
    )
    assert (
        "taken from the cache: computed by run near#1"
        in filled.gosset("cache", "explain", "near#2", "features").stdout
    )
    told = filled.gosset("cache", "explain", "near#2", "fit", "--fold", "0").stdout
    assert "parameter knn.n_neighbors: 1 → 5 since run near#1" in told
    assert (
        "did you mean 'fit'" in filled.gosset("cache", "explain", "near#1", "fitt", code=2).stderr
    )


# -- the active project


def test_the_active_project_narrows_lists_and_names(filled: Workplace, tmp_path: Path) -> None:
    assert filled.gosset("use", "My Lab/far").stdout == "active: My Lab/far\n"
    try:
        assert {run["experiment"] for run in filled.json("list", "runs")} == {"far"}
        assert len(filled.json("list", "runs", "--all")) == 5
        assert filled.json("show", "latest")["experiment"] == "far"
        assert filled.json("show", "near#1")["experiment"] == "near"
        assert filled.json("use") == {"project": "My Lab", "experiment": "far"}
    finally:
        filled.gosset("use", "--clear")
    assert len(filled.json("list", "runs")) == 5
    assert filled.gosset("use", "My Leb", code=2).stderr.strip().endswith("did you mean 'My Lab'?")
    assert not (filled.home / ".config").exists()


# -- the terminal


def _shown(workplace: Workplace, *words: str, columns: int = 80, **variables: str) -> str:
    """Carry out ``gosset WORDS`` on a terminal and return what it shows."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    environment = workplace.environment | {"TERM": "xterm-256color", **variables}
    for name in {"NO_COLOR", "FORCE_COLOR", "COLUMNS"} - set(variables):
        environment.pop(name, None)
    with subprocess.Popen(
        [GOSSET, *words],
        cwd=workplace.folder,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # which says that nobody writes any more
            while some := os.read(ours, 65536):
                shown += some
        os.close(ours)
    assert process.returncode == 0
    return shown.decode()


def test_a_terminal_gets_colour_unless_it_is_not_wanted_and_nothing_is_cut_off(
    filled: Workplace,
) -> None:
    plain = _shown(filled, "list", "runs", NO_COLOR="1")
    assert "\x1b" not in plain
    assert "near#1" in plain
    drawn = _shown(filled, "list", "runs", columns=40)
    assert "\x1b" in drawn
    assert "near#1" in drawn
    assert "complete" in drawn


def test_a_reader_that_goes_away_is_no_error(filled: Workplace) -> None:
    done = filled.start(["sh", "-c", f"{GOSSET} list computations --csv | head -1"])
    assert done.stderr == ""


def test_experiments_are_compared_also_by_their_best_results(filled: Workplace) -> None:
    told = filled.json("compare", "near", "far", "--metric", "accuracy")
    near, far = told["results"]
    assert (near["launch"].partition("#")[0], far["launch"]) == ("near", "far#1")
    runs = filled.json("list", "runs", "experiment == 'near'")
    assert near["accuracy"] == max(run["metrics"]["accuracy"] for run in runs)
    assert near["accuracy_n"] == 3
    assert near["accuracy_std"] > 0
    assert "f1_macro" not in near
    shown = filled.gosset("compare", "near", "far").stdout.partition("best results")[2]
    assert f"{near['accuracy']:.4f} ± {near['accuracy_std']:.4f}" in shown
    assert "f1_macro" in shown
    assert (
        "accuracy" in filled.gosset("compare", "near", "far", "--metric", "acuracy", code=2).stderr
    )


def test_a_series_is_shown_with_its_course(workplace: Workplace) -> None:
    workplace.write(
        "train.py",
        """
        import gosset as gs

        with gs.start_run("course") as run:
            for step in range(240):
                run.log({"rising": step, "falling": -step * step}, step=step)
            run.log({"once": 0.25})
        """,
    )
    workplace.python("train.py")
    lines = workplace.gosset("show", "course#1").stdout.splitlines()
    (rising,) = (line.split() for line in lines if line.split()[:1] == ["rising"])
    assert [float(cell) for cell in rising[1:-1]] == [239, 0, 239, 119.5, 240, 239]
    assert rising[-1] == "".join(sorted(rising[-1]))
    assert (rising[-1][0], rising[-1][-1], len(rising[-1])) == ("▁", "█", 24)
    (falling,) = (line.split() for line in lines if line.split()[:1] == ["falling"])
    assert falling[-1] == "".join(sorted(falling[-1], reverse=True))
    (once,) = (line.split() for line in lines if line.split()[:1] == ["once"])
    assert [float(cell) for cell in once[1:6]] == [0.25, 0.25, 0.25, 0.25, 1]
