"""Fitting on folds gives what scikit-learn's own cross-validation gives."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, StratifiedKFold, cross_validate
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from gosset.estimators import evaluate, fit
from gosset.metrics import resolve
from gosset.provenance.seeds import seeded
from gosset.splits import Fold

CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "SVC": lambda: SVC(probability=True, random_state=0),
    "RandomForest": lambda: RandomForestClassifier(15, random_state=0),
    "LogisticRegression": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    "KNN": KNeighborsClassifier,
    "SGD": lambda: make_pipeline(StandardScaler(), SGDClassifier(random_state=0)),
}
REGRESSORS: dict[str, Callable[[], Any]] = {
    "Ridge": Ridge,
    "SVR": lambda: make_pipeline(StandardScaler(), SVR()),
    "KNN": KNeighborsRegressor,
    "RandomForest": lambda: RandomForestRegressor(15, random_state=0),
    "Tree": lambda: DecisionTreeRegressor(random_state=0),
}


def compute(results: pd.DataFrame, metrics: list[str], **options: Any) -> dict[str, Any]:
    """Carry the stages of metrics out, in order."""
    values: dict[str, Any] = {"results": results, **options.pop("given", {})}
    found = resolve(metrics, **options)
    for stage in found.stages:
        values[stage.outputs[0]] = stage(**{a: values[v] for a, v in stage.inputs.items()})
    return {name: values[name] for name in found.metrics}


def folds_of(splitter: Any, X: Any, y: Any) -> list[Fold]:
    return [Fold(i, 0, tr, [], te) for i, (tr, te) in enumerate(splitter.split(X, y))]


@pytest.mark.filterwarnings("ignore:The `probability` parameter:FutureWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers_agree_with_cross_validate(name: str, load: Callable[..., Any]) -> None:
    X, y = load(return_X_y=True)
    splitter = StratifiedKFold(3, shuffle=True, random_state=1)
    scoring = ["accuracy", "f1_macro", "precision_macro", "recall_weighted", "balanced_accuracy"]
    prototype = CLASSIFIERS[name]()
    proba = hasattr(prototype, "predict_proba")
    expected = cross_validate(
        prototype,
        X,
        y,
        cv=splitter,
        scoring=[*scoring, *(["neg_log_loss", "roc_auc_ovr"] if proba else [])],
        return_train_score=True,
    )
    for position, fold in enumerate(folds_of(splitter, X, y)):
        results = evaluate(fit(X, y, fold, 0, estimator=prototype), X, y, fold)
        asked = [
            *scoring,
            *(["neg_log_loss", "roc_auc_ovr", "log_loss", "roc_auc"] if proba else []),
        ]
        got = compute(results, asked, task="classification", parts=("test", "train"))
        for metric in expected:
            part, _, metric_name = metric.partition("_")
            if part in ("test", "train"):
                ours = metric_name if part == "test" else f"train/{metric_name}"
                assert got[ours] == pytest.approx(expected[metric][position], abs=1e-12), metric
        if proba:
            assert got["log_loss"] == pytest.approx(-got["neg_log_loss"], abs=1e-12)
            assert got["roc_auc"] == pytest.approx(got["roc_auc_ovr"], abs=1e-12)


@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors_agree_with_cross_validate(name: str) -> None:
    X, y = load_diabetes(return_X_y=True)
    splitter = KFold(3, shuffle=True, random_state=1)
    scoring = {
        "r2": "r2",
        "mean_squared_error": "neg_mean_squared_error",
        "root_mean_squared_error": "neg_root_mean_squared_error",
        "mean_absolute_error": "neg_mean_absolute_error",
        "max_absolute_error": "neg_max_error",
    }
    prototype = REGRESSORS[name]()
    expected = cross_validate(prototype, X, y, cv=splitter, scoring=list(scoring.values()))
    for position, fold in enumerate(folds_of(splitter, X, y)):
        results = evaluate(fit(X, y, fold, 0, estimator=prototype), X, y, fold)
        got = compute(results, list(scoring), task="regression")
        for ours, theirs in scoring.items():
            value = (
                abs(expected[f"test_{theirs}"][position])
                if ours != "r2"
                else (expected["test_r2"][position])
            )
            assert got[ours] == pytest.approx(value, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    "convert", [np.asarray, pd.DataFrame, scipy.sparse.csr_array, scipy.sparse.coo_array, list]
)
def test_features_of_any_kind_give_the_same(convert: Callable[..., Any]) -> None:
    X, y = load_iris(return_X_y=True)
    fold = Fold(0, 0, np.arange(0, 150, 2), [], np.arange(1, 150, 2))
    plain = evaluate(
        fit(X, y, fold, 0, estimator=DecisionTreeClassifier(random_state=0)), X, y, fold
    )
    other = convert(X)
    model = fit(other, y, fold, 0, estimator=DecisionTreeClassifier(random_state=0))
    pd.testing.assert_frame_equal(evaluate(model, other, y, fold), plain)


def test_preprocessing_in_the_pipeline_sees_training_rows_only() -> None:
    X, y = load_wine(return_X_y=True)
    fold = Fold(0, 0, np.arange(100), [], np.arange(100, 178))
    model = fit(X, y, fold, 0, estimator=make_pipeline(StandardScaler(), Ridge()))
    np.testing.assert_allclose(model["standardscaler"].mean_, X[:100].mean(axis=0), rtol=1e-12)


def test_the_prototype_stays_unfitted() -> None:
    X, y = load_iris(return_X_y=True)
    prototype = KNeighborsClassifier()
    fit(X, y, None, 0, estimator=prototype)
    assert not hasattr(prototype, "classes_")


def test_without_a_fold_all_rows_train_and_without_a_target_none_is_given() -> None:
    X, _ = load_iris(return_X_y=True)
    model = fit(X, None, None, 0, estimator=KMeans(3, n_init=1))
    assert model.labels_.shape == (150,)


class Drawn(BaseEstimator, TransformerMixin):  # type: ignore[misc]
    """Keeps what the shared generators gave while it was fitted."""

    def fit(self, X: Any, y: Any = None) -> Drawn:
        self.drawn_ = (random.random(), np.random.random())
        return self


def test_the_seed_decides_and_zero_is_a_seed() -> None:
    X = np.zeros((3, 1))
    drawn = {
        seed: fit(X, None, None, seed, estimator=Drawn()).drawn_ for seed in (0, 1, 2**40, 2**63)
    }
    assert len(set(drawn.values())) == 4
    assert fit(X, None, None, 0, estimator=Drawn()).drawn_ == drawn[0]


def test_an_unseeded_forest_is_reproducible() -> None:
    X, y = load_wine(return_X_y=True)
    first, second, other = (
        fit(X, y, None, seed, estimator=RandomForestClassifier(5)).predict_proba(X)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_the_shared_generators_come_back_as_they_were() -> None:
    random.seed(5)
    np.random.seed(5)
    undisturbed = (random.random(), np.random.random())
    random.seed(5)
    np.random.seed(5)
    with pytest.raises(ZeroDivisionError), seeded(0):
        _ = 1 / 0
    assert (random.random(), np.random.random()) == undisturbed


def test_torch_is_seeded_and_given_back() -> None:
    import torch

    assert "torch" in sys.modules
    before = torch.get_rng_state()
    with seeded(0):
        first = torch.rand(3)
    assert torch.equal(torch.get_rng_state(), before)
    with seeded(0):
        assert torch.equal(torch.rand(3), first)


def test_log_loss_of_a_fold_that_lacks_a_label() -> None:
    X, y = load_iris(return_X_y=True)
    fold = Fold(0, 0, np.arange(0, 150, 2), [], np.arange(1, 100, 2))
    results = evaluate(fit(X, y, fold, 0, estimator=KNeighborsClassifier()), X, y, fold)
    got = compute(results, ["log_loss"], task="classification")["log_loss"]
    test = results[results["part"] == "test"]
    proba = test[[f"probability:{k}" for k in range(3)]].to_numpy()
    assert got == pytest.approx(log_loss(test["truth"], proba, labels=[0, 1, 2]), abs=1e-12)
