"""Metrics that are computed later are those that the run itself would have computed."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score, root_mean_squared_error

import gosset as gs
from gosset.exceptions import MetricError
from gosset.running.rescoring import compute_metrics, with_results

X, y = load_iris(return_X_y=True)


def carried_out(store, name, metrics, **declared):
    experiment = gs.Experiment(name, metrics=metrics, **declared)
    (run,) = experiment.execute(store=store, executor="inline", progress=False).runs
    return run


ESTIMATORS = {
    "of_classes": (
        {
            "dataset": gs.datasets.load_iris(),
            "splits": gs.splits.stratified(3, seed=0),
            "estimator": DummyClassifier(strategy="stratified", random_state=0),
        },
        ["accuracy", "f1_per_class"],
    ),
    "of_numbers": (
        {
            "dataset": gs.datasets.load_linnerud(),
            "splits": gs.splits.kfold(3),
            "estimator": LinearRegression(),
        },
        ["r2", "rmse", "r2[Pulse]", "rmse_per_target"],
    ),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_of_an_estimator_they_are_of_every_part(name):
    declared, metrics = ESTIMATORS[name]
    with gs.open_store("memory://") as store:
        at_once = carried_out(store, "at_once", metrics, **declared)
        later = carried_out(store, "later", [], **declared)
        compute_metrics(store, [later], metrics)
        later = store.run(later.id)
    assert "train/" in "".join(at_once.metrics)
    assert {**later.metrics} == {**at_once.metrics}


def test_of_several_targets_each_has_its_own_scores():
    declared, metrics = ESTIMATORS["of_numbers"]
    with gs.open_store("memory://") as store:
        run = carried_out(store, "e", metrics, **declared)
        rows = store.results(run, fold=0)
        test = rows[rows["part"] == "test"]
        with pytest.raises(MetricError, match="no target 'Plse'; did you mean 'Pulse'"):
            compute_metrics(store, [run], ["r2[Plse]"])
    truth, predicted = (
        test[[name for name in test if name.startswith(kind)]].to_numpy()
        for kind in ("truth", "predicted")
    )
    names = ["Weight", "Waist", "Pulse"]
    for position, name in enumerate(names):
        expected = root_mean_squared_error(truth[:, position], predicted[:, position])
        assert run.metrics[f"rmse[{name}]"].folds[0] == pytest.approx(expected)
    assert run.metrics["r2[Pulse]"].folds[0] == pytest.approx(
        r2_score(truth[:, 2], predicted[:, 2])
    )
    own = [run.metrics[f"rmse[{name}]"].value for name in names]
    assert run.metrics["rmse"].value == pytest.approx(np.mean(own))


@gs.stage(outputs=("truth", "predicted"))
def guesses(fold):
    test = fold.test
    return y[test], np.roll(y[test], 1)


def test_of_stages_they_are_of_the_truth_and_the_predictions_that_are_stored():
    declared = {
        "stages": [guesses],
        "dataset": gs.datasets.load_iris(),
        "splits": gs.splits.stratified(3, seed=0),
    }
    with gs.open_store("memory://") as store:
        at_once = carried_out(store, "at_once", ["accuracy", "f1_macro"], **declared)
        later = carried_out(store, "later", [], **declared)
        assert with_results(store, [later]) == [later]
        compute_metrics(store, [later], ["accuracy", "f1_macro"])
        assert {**store.run(later.id).metrics} == {**at_once.metrics}
        with pytest.raises(MetricError, match="has no stored"):
            compute_metrics(store, [later], ["roc_auc"])


def test_of_stages_without_them_it_is_said_what_it_takes():
    with gs.open_store("memory://") as store:
        run = carried_out(store, "e", [], stages=[gs.stage(lambda: 1, name="one")])
        with pytest.raises(MetricError, match="outputs of stages named 'truth' and 'predicted'"):
            compute_metrics(store, [run], ["accuracy"])
        with pytest.raises(MetricError, match="did you mean 'accuracy'"):
            compute_metrics(store, [run], ["acuracy"])


def named(predicted):
    return str(predicted)


def test_what_is_no_number_is_refused_as_by_the_run_itself():
    dataset = gs.datasets.load_iris()
    with gs.open_store("memory://") as store:
        run = carried_out(store, "given", [], stages=[guesses], dataset=dataset, splits=3)
        with pytest.raises(MetricError) as raised:
            compute_metrics(store, [run], [named])
    assert str(raised.value) == (
        "metric 'named' returned a str, not a number; return one, or several by outputs=(…)"
    )
