"""Scenarios 10 and 12: new metrics from stored results, tables, and what differs."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from workplace import Workplace

SCRIPT = """
    import gosset as gs
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler
    from sklearn.svm import SVC

    project = gs.Project("Flowers")

    def halved(X):
        return X / 2

    support = gs.Experiment(
        "support vectors",
        project=project,
        dataset=gs.datasets.load_iris(),
        splits=gs.splits.stratified(3),
        estimator=Pipeline([("scale", StandardScaler()), ("SVC", SVC())]),
        parameters={"SVC.C": [0.1, 0.5, 1.0], "SVC.kernel": ["rbf"]},
        metrics=["accuracy", "f1_macro"],
        seed=1,
    )
    logistic = gs.Experiment(
        "logistic",
        project=project,
        dataset=gs.datasets.load_wine(),
        splits=gs.splits.kfold(4),
        preprocess=halved,
        estimator=Pipeline([("squeeze", MinMaxScaler()), ("logistic", LogisticRegression())]),
        parameters={"logistic.C": [0.5, 2.0]},
        metrics=["accuracy", "f1_macro"],
        seed=2,
    )
"""

METRIC = """
    import numpy as np

    def missed(truth, predicted):
        return float(np.mean(np.asarray(truth) != np.asarray(predicted)))
"""


@pytest.fixture(scope="module")
def place(new_workplace: Callable[..., Workplace]) -> Workplace:
    """A workplace in which two experiments were carried out."""
    place = new_workplace()
    place.write("flowers.py", SCRIPT)
    place.write("scores.py", METRIC)
    place.gosset("run", "flowers.py")
    return place


@pytest.fixture(scope="module")
def scored(place: Workplace) -> list[dict[str, Any]]:
    """All runs, after two metrics more were computed from what is stored."""
    place.gosset("metrics", "compute", "balanced_accuracy")
    place.gosset("metrics", "compute", "scores.py::missed")
    runs: list[dict[str, Any]] = place.json("list", "runs", "--sort", "experiment,number")
    return runs


def test_a_new_metric_is_computed_from_stored_results_without_fitting(
    place: Workplace, scored: list[dict[str, Any]]
) -> None:
    """Scenario 10: equal to scikit-learn on the stored rows, fold by fold; nothing was fitted."""
    assert len(scored) == 5
    with place.store() as store:
        for told in scored:
            run = store.run(told["id"])
            for fold in range(len(run.metrics["accuracy"].folds)):
                results = store.results(run, fold=fold)
                tested = results[results["part"] == "test"]
                truth, predicted = tested["truth"].to_numpy(str), tested["predicted"].to_numpy(str)
                expected = balanced_accuracy_score(truth, predicted)
                assert run.metrics["balanced_accuracy"].folds[fold] == pytest.approx(
                    expected, abs=1e-12
                )
                assert run.metrics["missed"].folds[fold] == pytest.approx(
                    1 - run.metrics["accuracy"].folds[fold], abs=1e-12
                )
            assert told["metrics"]["balanced_accuracy"] == pytest.approx(
                np.mean(run.metrics["balanced_accuracy"].folds), abs=1e-12
            )
        assert len(store.select("launches")) == 2
        fits = store.select("computations", "stage == 'fit'")
    assert len(fits) == 3 * 3 + 2 * 4


def test_the_table_has_the_varying_parameters_alone_and_the_chosen_metrics(
    place: Workplace, scored: list[dict[str, Any]]
) -> None:
    """Scenario 10: run, split, dataset, what varies, and values equal to those of the runs."""
    runs = [run for run in scored if run["experiment"] == "support vectors"]
    rows = place.json("compare", *(run["name"] for run in runs), "--metric", "balanced_accuracy")
    assert [row["run"] for row in rows] == [run["name"] for run in runs]
    for row, run in zip(rows, runs, strict=True):
        assert row["split"] == run["split"]
        assert row["dataset"] == "iris@1"
        assert row["SVC.C"] == run["params"]["SVC.C"]
        assert "SVC.kernel" not in row
        assert "accuracy" not in row
        for name, kept in (("", "metrics"), ("_std", "metrics_std")):
            expected = run[kept]["balanced_accuracy"]
            assert row[f"balanced_accuracy{name}"] == pytest.approx(expected, abs=1e-12)


def test_csv_markdown_and_latex_equal_the_table(
    place: Workplace, scored: list[dict[str, Any]]
) -> None:
    """Scenario 10: CSV in full; Markdown and LaTeX the mean ± sd, to four decimals."""
    words = (
        "compare",
        "support vectors#1",
        "logistic#1",
        "--kind",
        "launch",
        "--metric",
        "accuracy",
    )
    rows = place.json(*words)
    assert len(rows) == 5
    table = list(csv.DictReader(io.StringIO(place.gosset(*words, "--csv").stdout)))
    told = [{n: "" if v is None else str(v) for n, v in row.items()} for row in rows]
    assert table == told
    shown = [f"{row['accuracy']:.4f} ± {row['accuracy_std']:.4f}" for row in rows]
    markdown = place.gosset(*words, "--markdown").stdout.strip().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown]
    assert [row[cells[0].index("accuracy")] for row in cells[2:]] == shown
    latex = place.gosset(*words, "--latex").stdout
    body = latex.split("\\midrule\n")[1].split("\\bottomrule")[0].strip().splitlines()
    lines = [[cell.strip(" \\") for cell in line.split("&")] for line in body]
    at = cells[0].index("accuracy")
    assert [line[at].replace("$\\pm$", "±") for line in lines] == shown


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ("params.SVC.C == 0.5", 1),
        ("params.SVC.C >= 0.5", 2),
        ("params.SVC.kernel == 'rbf' and metrics.accuracy > 0", 3),
        ("params.logistic.C == 2", 1),
        ("experiment == 'support vectors'", 3),
        ("fields.estimator == 'SVC'", 3),
        ("fields.estimator == 'LogisticRegression'", 2),
    ],
)
def test_runs_are_filtered_by_parameter_and_by_estimator(
    place: Workplace, filter: str, expected: int
) -> None:
    """Scenario 10: ``step.param`` and values, the experiment, and the estimator."""
    assert len(place.json("list", "runs", filter)) == expected


def test_experiments_estimators_and_parameter_values_can_be_listed(
    place: Workplace,
) -> None:
    """Scenario 10: what there is to choose from."""
    experiments = {e["name"]: e["definition"] for e in place.json("list", "experiments")}
    assert set(experiments) == {"support vectors", "logistic"}
    classes = {c["class"] for d in experiments.values() for c in d["components"].values()}
    assert {"sklearn.svm.SVC", "sklearn.linear_model.LogisticRegression"} <= classes
    assert experiments["support vectors"]["parameters"] == {
        "SVC.C": [0.1, 0.5, 1.0], "SVC.kernel": ["rbf"],
    }  # fmt: skip
    assert experiments["logistic"]["parameters"] == {"logistic.C": [0.5, 2.0]}


def test_only_real_differences_of_experiments_are_listed(place: Workplace) -> None:
    """Scenario 12: splits, dataset, seed, pipeline and parameters; with the code, as JSON."""
    words = ("compare", "support vectors", "logistic", "--kind", "experiment")
    told = place.json(*words)
    assert told["equal"] is False
    differences = {(d["component"], d["name"]): d for d in told["differences"]}
    seed = next(d for d in told["differences"] if d["component"] == "seed")
    assert (seed["left"], seed["right"]) == ([1], [2])
    name = differences["dataset", "name"]
    assert (name["left"], name["right"]) == ("iris", "wine")
    folds = differences["splits", "parameters.k"]
    assert (folds["left"], folds["right"]) == (3, 4)
    steps = {d["name"].split(".")[0] for d in told["differences"] if d["component"] == "pipeline"}
    assert steps == {"scale", "SVC", "squeeze", "logistic"}
    code = [d for d in told["differences"] if d["component"] == "code"]
    assert any("+    return X / 2" in d["diff"] for d in code if d["diff"])
    assert not [d for d in told["differences"] if d["left"] == d["right"] and not d["diff"]]
    assert {"kind", "task", "objective", "metrics", "config"}.isdisjoint(
        d["component"] for d in told["differences"]
    )
    printed = place.gosset(*words).stdout
    assert "iris → wine" in printed
    assert "accuracy" not in printed.partition("best results")[0]


def test_an_experiment_does_not_differ_from_itself(place: Workplace) -> None:
    """Scenario 12: equal fields are suppressed, all of them."""
    told = place.json("compare", "logistic", "logistic", "--kind", "experiment")
    assert (told["equal"], told["differences"]) == (True, [])
