"""Scenarios 3 and 4: minimal classification, in three spellings; regression."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from sklearn import metrics as reference
from sklearn.datasets import load_diabetes, load_iris
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from workplace import Workplace

import gosset as gs

CLASSIFICATION = """
    import sys
    import gosset as gs
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    project = gs.Project("Examples")
    declared = dict(
        dataset=gs.datasets.load_iris(),
        splits=gs.splits.random(test=0.25),
        metrics=["confusion_matrix", "accuracy", "precision", "recall", "f1"],
        seed=1,
    )

    def pipeline():
        return Pipeline([("scale", StandardScaler()), ("clf", SVC(probability=True))])

    if sys.argv[1:] == ["decorator"]:
        experiment = project.experiment(name="Iris SVC", **declared)(pipeline)
    else:
        experiment = gs.Experiment("Iris SVC", project=project, estimator=pipeline(), **declared)

    if __name__ == "__main__":
        print(experiment.execute())
"""

REGRESSION = """
    import gosset as gs
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVR

    experiment = gs.Experiment(
        "Diabetes SVR",
        project="Examples",
        dataset=gs.datasets.load_diabetes(),
        splits=gs.splits.random(test=0.25),
        estimator=make_pipeline(StandardScaler(), SVR(C=10.0)),
        seed=1,
    )
    if __name__ == "__main__":
        experiment.execute()
"""


@pytest.fixture(scope="module", params=["decorator", "class", "script"])
def classified(
    request: pytest.FixtureRequest, new_workplace: Callable[..., Workplace]
) -> Iterator[gs.Store]:
    """A store in which "Iris SVC" was carried out once, in one of the spellings."""
    place = new_workplace()
    file = place.write("iris.py", CLASSIFICATION)
    if request.param == "script":
        place.gosset("run", file)
    else:
        place.python(file, request.param)
    with place.store() as store:
        yield store


def test_one_experiment_one_execution_one_run(classified: gs.Store) -> None:
    """Scenario 3: what is there after the first run."""
    (experiment,) = classified.select("experiments")
    assert (experiment.project, experiment.name) == ("Examples", "Iris SVC")
    assert experiment.definition["seeds"] == [1]
    assert {"scale", "clf"} <= set(experiment.definition["components"])
    assert len(classified.select("executions")) == 1
    assert len(classified.select("launches")) == 1
    (run,) = classified.runs()
    assert (run.status, run.seed) == (gs.Status.COMPLETE, 1)


def test_the_results_record_says_what_was_predicted_for_each_row(classified: gs.Store) -> None:
    """Scenario 3: dataset, counts, split number, rows, type, and truth and prediction per row."""
    (run,) = classified.runs()
    record = classified.results_record(run)
    data = load_iris()
    assert record["dataset"] == "iris@1"
    assert (record["training_samples"], record["testing_samples"]) == (112, 38)
    assert (record["split_num"], record["type"]) == (0, "classification")
    train, test = record["training_indices"], record["testing_indices"]
    assert sorted([*train, *test]) == list(range(150))
    model = Pipeline([("scale", StandardScaler()), ("clf", SVC())])
    model.fit(data.data[train], data.target[train])
    assert list(record["predictions"]) == [str(row) for row in test]
    for row, expected in zip(test, model.predict(data.data[test]), strict=True):
        told = record["predictions"][str(row)]
        assert told["truth"] == data.target_names[data.target[row]]
        assert told["predicted"] == data.target_names[expected]
        assert len(told["probabilities"]) == 3
        assert sum(told["probabilities"]) == pytest.approx(1.0)


def test_scores_equal_those_of_scikit_learn_and_the_matrix_bears_its_labels(
    classified: gs.Store,
) -> None:
    """Scenario 3: confusion matrix, accuracy, precision, recall, F1; train and test stored."""
    (run,) = classified.runs()
    results = classified.results(run)
    for part, prefix in (("test", ""), ("train", "train/")):
        rows = results[results["part"] == part]
        truth, predicted = rows["truth"].to_numpy(str), rows["predicted"].to_numpy(str)
        matrix = classified.output(run, f"{prefix}confusion_matrix")
        assert matrix["labels"] == ["setosa", "versicolor", "virginica"]
        assert matrix["counts"] == reference.confusion_matrix(truth, predicted).tolist()
        expected = {
            "accuracy": reference.accuracy_score(truth, predicted),
            "precision": reference.precision_score(truth, predicted, average="macro"),
            "recall": reference.recall_score(truth, predicted, average="macro"),
            "f1": reference.f1_score(truth, predicted, average="macro"),
        }
        for name, value in expected.items():
            assert run.metrics[f"{prefix}{name}"].value == pytest.approx(value, abs=1e-12)


@pytest.fixture(scope="module")
def regressed(new_workplace: Callable[..., Workplace]) -> Iterator[gs.Store]:
    """A store in which "Diabetes SVR" was carried out once."""
    place = new_workplace()
    place.python(place.write("diabetes.py", REGRESSION))
    with place.store() as store:
        yield store


def test_errors_equal_those_recomputed_from_the_stored_rows(regressed: gs.Store) -> None:
    """Scenario 4: each score against the formula, on the stored rows, for train and test."""
    (run,) = regressed.runs()
    results = regressed.results(run)
    for part, prefix in (("test", ""), ("train", "train/")):
        rows = results[results["part"] == part]
        truth, predicted = rows["truth"].to_numpy(float), rows["predicted"].to_numpy(float)
        errors = truth - predicted
        expected = {
            "total_error": errors.sum(),
            "mean_error": errors.sum() / len(errors),
            "mean_absolute_error": np.abs(errors).sum() / len(errors),
            "standard_deviation": np.sqrt(((errors - errors.mean()) ** 2).sum() / len(errors)),
            "max_absolute_error": max(abs(error) for error in errors),
            "min_absolute_error": min(abs(error) for error in errors),
            "root_mean_squared_error": np.sqrt((errors**2).sum() / len(errors)),
            "r2": 1 - (errors**2).sum() / ((truth - truth.mean()) ** 2).sum(),
        }
        for name, value in expected.items():
            assert run.metrics[f"{prefix}{name}"].value == pytest.approx(value, rel=1e-12), name


def test_predictions_of_regression_are_those_of_the_estimator_itself(regressed: gs.Store) -> None:
    """Scenario 4: the stored rows against a fit by hand on the same training rows."""
    (run,) = regressed.runs()
    (fold,) = regressed.folds(run)
    X, y = load_diabetes(return_X_y=True)
    model = make_pipeline(StandardScaler(), SVR(C=10.0)).fit(X[fold.train], y[fold.train])
    results = regressed.results(run)
    tested = results[results["part"] == "test"]
    assert tested["row"].tolist() == fold.test.tolist()
    assert tested["truth"].tolist() == y[fold.test].tolist()
    np.testing.assert_allclose(tested["predicted"], model.predict(X[fold.test]), rtol=1e-12)
