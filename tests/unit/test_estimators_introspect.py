"""What estimators are found to be."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import sklearn
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import load_diabetes, load_iris, load_linnerud, make_multilabel_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.manifold import TSNE
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, SVR

from gosset.estimators import configure, describe, hyperparameters, kind_of, task_of
from gosset.exceptions import DatasetError, UsageError


def test_effective_values_are_told_after_configuring() -> None:
    prototype = Pipeline([("scale", StandardScaler()), ("clf", SVC())])
    for C in (0.1, 10.0):
        found = {h.name: h.value for h in hyperparameters(configure(prototype, {"SVC.C": C}))}
        assert found["clf.C"] == C
        assert found["scale.with_mean"] is True


def test_every_parameter_of_every_step_is_told_once() -> None:
    prototype = Pipeline([("scale", StandardScaler()), ("clf", SVC())])
    names = [h.name for h in hyperparameters(prototype)]
    assert len(names) == len(set(names))
    assert {f"clf.{name}" for name in SVC().get_params()} <= set(names)
    assert not any(name.endswith("steps") for name in names)


@pytest.mark.parametrize(
    ("parameter", "kind"),
    [
        ("C", "model"),
        ("n_components", "model"),
        ("n_estimators", "model"),
        ("learning_rate", "optimizer"),
        ("max_iter", "optimizer"),
        ("tol", "optimizer"),
        ("max_epochs", "optimizer"),
        ("random_state", "other"),
        ("n_jobs", "other"),
        ("copy", "other"),
    ],
)
def test_kinds(parameter: str, kind: str) -> None:
    assert kind_of(parameter) == kind


def test_values_are_json_and_objects_are_told_by_path() -> None:
    prototype = make_pipeline(
        FunctionTransformer(np.log1p),
        SimpleImputer(missing_values=np.nan),
        GridSearchCV(SVC(), {"C": np.array([1, 2])}),
    )
    found = {h.name: h.value for h in hyperparameters(prototype)}
    json.dumps(found)
    assert found["functiontransformer.func"].endswith("log1p")
    assert math.isnan(found["simpleimputer.missing_values"])
    assert found["gridsearchcv.estimator"] == "sklearn.svm.SVC"
    assert found["gridsearchcv.param_grid"] == {"C": [1, 2]}
    assert found["gridsearchcv.estimator.C"] == 1.0


def test_components_are_described_one_by_one() -> None:
    described = describe(Pipeline([("scale", StandardScaler()), ("clf", LogisticRegression())]))
    assert list(described) == ["Pipeline", "scale", "clf"]
    assert described["clf"]["class"] == "sklearn.linear_model.LogisticRegression"
    assert described["clf"]["version"] == sklearn.__version__
    assert described["scale"]["parameters"]["with_std"] is True


@pytest.mark.parametrize(
    ("estimator", "y", "task"),
    [
        (SVC(), load_iris().target, "classification"),
        (make_pipeline(StandardScaler(), SGDClassifier()), load_iris().target, "classification"),
        (GridSearchCV(SVC(), {"C": [1]}), load_iris().target, "classification"),
        (SVR(), load_diabetes().target, "regression"),
        (RandomForestRegressor(), load_linnerud().target, "multioutput"),
        (Ridge(), load_linnerud(as_frame=True).target, "multioutput"),
        (Ridge(), load_diabetes().target[:, None], "regression"),
        (KNeighborsClassifier(), make_multilabel_classification(20)[1], "multilabel"),
        (KMeans(), None, "clustering"),
        (DBSCAN(), load_iris().target, "clustering"),
        (make_pipeline(StandardScaler(), KMeans()), None, "clustering"),
        (PCA(), load_iris().target, "transform"),
        (make_pipeline(StandardScaler(), PCA()), None, "transform"),
        (TSNE(), None, "transform"),
        (IsolationForest(), None, "outlier"),
    ],
)
def test_the_task_is_told_by_estimator_and_target(estimator: object, y: object, task: str) -> None:
    assert task_of(estimator, y) == task


def test_a_declared_task_wins() -> None:
    assert task_of(SVC(), load_iris().target, "regression") == "regression"
    with pytest.raises(UsageError, match="did you mean 'regression'"):
        task_of(SVC(), None, "regresion")


def test_an_estimator_that_says_nothing_is_told_by_its_target() -> None:
    class Plain:
        def predict(self, X: object) -> object:
            return X

    assert task_of(Plain(), load_iris().target) == "classification"
    assert task_of(Plain(), np.array([0.5, 1.5])) == "regression"
    assert task_of(Plain(), np.array(["a", "b"])) == "classification"
    with pytest.raises(DatasetError, match="declare the task"):
        task_of(object())


def test_several_targets_of_many_classes_are_refused() -> None:
    with pytest.raises(DatasetError, match="one experiment for each target"):
        task_of(KNeighborsClassifier(), np.array([[0, 1], [2, 1]]))


def test_classes_and_types_of_values_are_told_by_name() -> None:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.preprocessing import OneHotEncoder

    for encoder, dtype in ((OneHotEncoder(), "numpy.float64"), (CountVectorizer(), "numpy.int64")):
        found = {h.name: h.value for h in hyperparameters(encoder)}
        assert found[f"{type(encoder).__name__}.dtype"] == dtype
    found = {h.name: h.value for h in hyperparameters(OneHotEncoder(dtype=np.dtype("f4")))}
    assert found["OneHotEncoder.dtype"] == "float32"
