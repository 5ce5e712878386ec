"""Scenarios 7 and 8: preprocessing that applies; components of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from sklearn.datasets import load_iris
from workplace import Workplace

import gosset as gs

PREPROCESSING = """
    import gosset as gs
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    def zeroed(X):
        return X * 0.0

    declared = dict(
        dataset=gs.datasets.load_iris(), splits=gs.splits.stratified(5), metrics=["accuracy"]
    )
    estimator = Pipeline([("scale", StandardScaler()), ("clf", LogisticRegression())])

    gs.Experiment("zeroed", preprocess=zeroed, estimator=estimator, **declared).execute()
    gs.Experiment("plain", estimator=estimator, **declared).execute()
"""

OWN = """
    import gosset as gs
    import numpy as np

    def every_third(X, seed):
        rows = np.arange(len(X))
        for start in range(3):
            test = rows % 3 == (start + seed) % 3
            yield rows[~test], rows[test]

    def fit(X_train, y_train, k=5, weight=1.0):
        return {"X": X_train * weight, "y": np.asarray(y_train), "k": k, "weight": weight}

    def predict(model, X_test):
        away = ((X_test[:, None, :] * model["weight"] - model["X"][None]) ** 2).sum(axis=2)
        nearest = model["y"][np.argsort(away, axis=1, kind="stable")[:, : model["k"]]]
        values, codes = np.unique(nearest, return_inverse=True)
        votes = [np.bincount(row, minlength=len(values)) for row in codes.reshape(nearest.shape)]
        return values[np.argmax(votes, axis=1)]

    knn = gs.Experiment(
        "own",
        dataset=gs.datasets.load_iris(),
        splits=every_third,
        estimator=fit,
        evaluator=predict,
        task="classification",
        parameters={"k": [1, 5, 9]},
    )

    if __name__ == "__main__":
        knn.execute()
"""


@pytest.fixture(scope="module")
def preprocessed(new_workplace: Callable[..., Workplace]) -> Iterator[gs.Store]:
    """A store with an experiment on features times zero, and the same one without."""
    place = new_workplace()
    place.python(place.write("preprocessing.py", PREPROCESSING))
    with place.store() as store:
        yield store


def test_without_features_accuracy_falls_to_chance(preprocessed: gs.Store) -> None:
    """Scenario 7: three classes of equal size, so exactly a third is right."""
    (zeroed,) = preprocessed.runs("experiment == 'zeroed'")
    (plain,) = preprocessed.runs("experiment == 'plain'")
    assert zeroed.metrics["accuracy"].folds == pytest.approx([1 / 3] * 5)
    assert plain.metrics["accuracy"].value > 0.9


def test_the_estimator_received_what_the_preprocessor_made(preprocessed: gs.Store) -> None:
    """Scenario 7: the digest of the features in every fit and evaluation is the output's."""
    (run,) = preprocessed.runs("experiment == 'zeroed'")
    computations = preprocessed.computations(run)
    (made,) = [c for c in computations if c.stage == "zeroed"]
    (output,) = made.outputs
    assert not preprocessed.load(output).any()
    for stage in ("fit", "evaluate"):
        used = [c.inputs["X"] for c in computations if c.stage == stage]
        assert used == [output.identity] * 5


def test_a_scaler_in_the_pipeline_knows_the_training_rows_alone(preprocessed: gs.Store) -> None:
    """Scenario 7: mean and scale of each fold's scaler against those of its training rows."""
    X, _ = load_iris(return_X_y=True)
    (run,) = preprocessed.runs("experiment == 'plain'")
    for fold in preprocessed.folds(run):
        scaler = preprocessed.output(run, "model", fold=fold.number, trust=True).named_steps[
            "scale"
        ]
        np.testing.assert_allclose(scaler.mean_, X[fold.train].mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(scaler.scale_, X[fold.train].std(axis=0), rtol=1e-12)
        assert not np.allclose(scaler.mean_, X.mean(axis=0), rtol=1e-6)


@pytest.fixture(scope="module")
def place(new_workplace: Callable[..., Workplace]) -> Workplace:
    """A workplace in which the experiment of own functions was carried out."""
    place = new_workplace()
    place.python(place.write("own.py", OWN))
    return place


def test_functions_of_ones_own_are_carried_out_and_searched(place: Workplace) -> None:
    """Scenario 8: every k has its run, with the scores of a nearest-neighbour vote."""
    X, y = load_iris(return_X_y=True)
    with place.store() as store:
        runs = store.runs(order_by="params.k")
        assert [run.params["k"] for run in runs] == [1, 5, 9]
        for run in runs:
            assert run.status is gs.Status.COMPLETE
            effective = {each.name: each.value for each in run.hyperparameters}
            assert effective["FunctionEstimator.k"] == run.params["k"]
            assert effective["FunctionEstimator.weight"] == 1.0
            folds = store.folds(run)
            assert sorted(row for fold in folds for row in fold.test) == list(range(150))
            expected = [voted(X, y, fold, int(run.params["k"])) for fold in folds]
            assert run.metrics["accuracy"].folds == pytest.approx(expected, abs=1e-12)


def voted(X: np.ndarray, y: np.ndarray, fold: gs.splits.Fold, k: int) -> float:
    """Return the share of test rows whose class has the most of the `k` nearest rows."""
    right = 0
    for row in fold.test:
        away = [(float(((X[row] - X[other]) ** 2).sum()), n) for n, other in enumerate(fold.train)]
        near = [y[fold.train[n]] for _, n in sorted(away)[:k]]
        right += int(max(sorted(set(near)), key=near.count) == y[row])
    return right / len(fold.test)


def test_metrics_of_the_declared_task_appear_without_probabilities(place: Workplace) -> None:
    """Scenario 8: the usual scores of a classification; the record has no probabilities."""
    with place.store() as store:
        run = store.runs("params.k == 5")[0]
        assert {"accuracy", "precision", "recall", "f1"} <= set(run.metrics)
        results = store.results(run)
        assert not [name for name in results if str(name).startswith("probability")]
        record = store.results_record(run)
        assert all(told["probabilities"] == [] for told in record["predictions"].values())


def test_parameters_of_own_functions_are_varied_from_the_command_line(place: Workplace) -> None:
    """Scenario 8: another value of a parameter that was not declared, and a misspelled one."""
    told = place.json("run", "own.py", "-p", "k=3", "-p", "weight=2.0")
    assert [run["params"] for run in told["runs"]] == [{"k": 3, "weight": 2.0}]
    assert told["status"] == "complete"
    refused = place.gosset("run", "own.py", "-p", "wieght=2.0", code=2)
    assert "weight" in refused.stderr
