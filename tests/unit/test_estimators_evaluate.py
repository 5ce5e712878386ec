"""Per-row results of every task, and their JSON record."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import (
    load_diabetes,
    load_iris,
    load_linnerud,
    make_multilabel_classification,
)
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.manifold import MDS
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, LinearSVC

from gosset.estimators import FunctionEstimator, configure, evaluate, fit, results_record
from gosset.exceptions import DatasetError, ParameterError
from gosset.metrics.results import labels_of, select
from gosset.splits import Fold

ORDER = np.random.default_rng(3).permutation(150)
FOLD = Fold(0, 0, ORDER[:90], ORDER[90:100], ORDER[100:])
NAMES = load_iris().target_names


def iris(names: bool = True) -> tuple[Any, Any]:
    X, y = load_iris(return_X_y=True)
    return X, NAMES[y] if names else y


def results_of(estimator: Any, X: Any, y: Any, fold: Any = FOLD, **options: Any) -> pd.DataFrame:
    return evaluate(fit(X, y, fold, 0, estimator=estimator), X, y, fold, **options)


def test_every_row_of_every_part_stands_once_with_its_truth() -> None:
    X, y = iris()
    results = results_of(KNeighborsClassifier(), X, y)
    assert results["row"].tolist() == ORDER.tolist()
    assert results["part"].value_counts().to_dict() == {"train": 90, "validation": 10, "test": 50}
    assert results["truth"].tolist() == y[ORDER].tolist()
    for part, rows in (("train", FOLD.train), ("validation", FOLD.validation), ("test", FOLD.test)):
        assert results.loc[results["part"] == part, "row"].tolist() == rows.tolist()


def test_rows_outside_the_fold_are_left_out() -> None:
    X, y = iris()
    fold = Fold(0, 0, ORDER[:60], [], ORDER[60:80])
    results = results_of(KNeighborsClassifier(), X, y, fold)
    assert results["row"].tolist() == ORDER[:80].tolist()
    model = fit(X, y, fold, 0, estimator=KNeighborsClassifier())
    assert results["predicted"].tolist() == model.predict(X[ORDER[:80]]).tolist()


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(max_iter=500),
        make_pipeline(StandardScaler(), LogisticRegression()),
        make_pipeline(StandardScaler(), PCA(2), RandomForestClassifier(9, random_state=0)),
        make_pipeline(FunctionTransformer(), "passthrough", SVC()),
        RandomForestClassifier(9, random_state=0),
        ExtraTreesClassifier(9, random_state=0),
        BaggingClassifier(KNeighborsClassifier(3), random_state=0),
        SVC(),
        SVC(decision_function_shape="ovo", kernel="linear"),
    ],
)
def test_predictions_are_those_of_the_model_itself(estimator: Any) -> None:
    X, y = iris()
    if getattr(estimator, "decision_function_shape", "") == "ovo":
        X, y = X[:100], y[:100]
    rows = np.arange(len(y))
    fold = Fold(0, 0, rows[::2], [], rows[1::2])
    model = fit(X, y, fold, 0, estimator=estimator)
    results = evaluate(model, X, y, fold)
    for part, where in (("train", fold.train), ("test", fold.test)):
        assert select(results, part, "predicted").tolist() == model.predict(X[where]).tolist()
        if hasattr(model, "predict_proba"):
            expected, got = model.predict_proba(X[where]), select(results, part, "probability")
        else:
            expected, got = model.decision_function(X[where]), select(results, part, "decision")
        np.testing.assert_allclose(got, expected, atol=1e-12)


def test_text_labels_are_kept_and_name_the_probabilities() -> None:
    results = results_of(KNeighborsClassifier(), *iris())
    assert set(results["predicted"]) <= set(NAMES)
    assert list(results.columns)[4:] == [f"probability:{name}" for name in NAMES]


def test_without_probabilities_decision_values_are_kept() -> None:
    X, y = iris()
    results = results_of(LinearSVC(random_state=0), X, y)
    assert [c for c in results.columns if ":" in c] == [f"decision:{name}" for name in NAMES]
    two = Fold(0, 0, np.arange(0, 100, 2), [], np.arange(1, 100, 2))
    assert "decision" in results_of(LinearSVC(random_state=0), X, y, two).columns


def test_codes_become_the_labels_that_the_dataset_declares() -> None:
    X, y = iris(names=False)
    results = results_of(KNeighborsClassifier(), X, y, labels=tuple(NAMES))
    pd.testing.assert_frame_equal(results, results_of(KNeighborsClassifier(), *iris()))


def test_codes_that_are_their_own_labels_stay_numbers() -> None:
    X, y = iris(names=False)
    results = results_of(KNeighborsClassifier(), X, y, labels=("0", "1", "2"))
    assert results["truth"].dtype.kind == "i"
    assert labels_of(results, ("0", "1", "2")) == (0, 1, 2)


def test_truth_values_match_labels_declared_as_text() -> None:
    X, y = iris(names=False)
    results = results_of(KNeighborsClassifier(), X, y == 1, labels=("False", "True"))
    assert labels_of(results, ("False", "True")) == (False, True)
    assert [c for c in results.columns if ":" in c] == ["probability:False", "probability:True"]


def test_a_label_that_the_model_never_saw_is_impossible() -> None:
    X, y = iris()
    fold = Fold(0, 0, np.arange(0, 100), [], np.arange(100, 150))
    results = results_of(KNeighborsClassifier(), X, y, fold, labels=(*NAMES, "unknown"))
    assert (results["probability:virginica"] == 0).all()
    assert (results["probability:unknown"] == 0).all()


def test_a_frame_with_a_frame_target_is_taken_by_position() -> None:
    frame = load_iris(as_frame=True).frame.sample(frac=1, random_state=0)
    X, y = frame.drop(columns="target"), frame[["target"]]
    results = results_of(KNeighborsClassifier(), X, y)
    assert results["truth"].tolist() == frame["target"].to_numpy()[ORDER].tolist()


def test_regression_with_one_and_with_several_targets() -> None:
    X, y = load_diabetes(return_X_y=True)
    fold = Fold(0, 0, np.arange(300), [], np.arange(300, 442))
    one = results_of(Ridge(), X, y, fold)
    assert list(one.columns) == ["part", "row", "truth", "predicted"]
    body = load_linnerud(as_frame=True)
    fold = Fold(0, 0, np.arange(15), [], np.arange(15, 20))
    several = results_of(LinearRegression(), body.data, body.target, fold)
    names = list(body.target.columns)
    assert list(several.columns)[2:] == [
        *(f"truth:{n}" for n in names),
        *(f"predicted:{n}" for n in names),
    ]
    named = results_of(
        LinearRegression(), body.data, body.target.to_numpy(), fold, labels=tuple(names)
    )
    pd.testing.assert_frame_equal(named, several)


@pytest.mark.parametrize(
    "estimator",
    [
        KNeighborsClassifier(),
        MultiOutputClassifier(LogisticRegression()),
        MLPClassifier(random_state=0, max_iter=2000),
        RandomForestClassifier(9, random_state=0),
    ],
)
def test_several_labels_per_row(estimator: Any) -> None:
    X, y = make_multilabel_classification(100, n_classes=3, random_state=0)
    fold = Fold(0, 0, np.arange(70), [], np.arange(70, 100))
    model = fit(X, y, fold, 0, estimator=estimator)
    results = evaluate(model, X, y, fold, labels=("red", "green", "blue"))
    assert select(results, "test", "predicted").tolist() == model.predict(X[70:]).tolist()
    assert list(results.columns)[-3:] == [f"probability:{c}" for c in ("red", "green", "blue")]
    proba = select(results, "test", "probability")
    assert ((proba > 0.5) == (model.predict(X[70:]) == 1)).mean() > 0.95


def test_clusters_of_all_parts_or_of_the_training_rows_alone() -> None:
    X, _ = iris()
    everywhere = results_of(KMeans(3, n_init=1, random_state=0), X, None)
    assert list(everywhere.columns) == ["part", "row", "predicted"]
    assert len(everywhere) == 150
    fitted = results_of(make_pipeline(StandardScaler(), DBSCAN()), X, None)
    assert fitted["row"].tolist() == FOLD.train.tolist()
    assert set(fitted["part"]) == {"train"}


def test_embeddings_of_all_parts_or_of_the_training_rows_alone() -> None:
    X, y = iris()
    model = fit(X, y, FOLD, 0, estimator=PCA(2))
    embedding = select(evaluate(model, X, y, FOLD), "test", "embedding")
    np.testing.assert_allclose(embedding, model.transform(X[FOLD.test]), atol=1e-12)
    scaled = MDS(2, n_init=1, max_iter=20, init="random", random_state=0)
    fitted = results_of(scaled, X, None)
    assert len(fitted) == 90
    assert {"embedding:0", "embedding:1"} <= set(fitted.columns)


def test_outliers_with_and_without_predict() -> None:
    X, _ = iris()
    everywhere = results_of(IsolationForest(random_state=0), X, None)
    assert set(everywhere["predicted"]) <= {-1, 1}
    assert ((everywhere["decision"] < 0) == (everywhere["predicted"] == -1)).all()
    local = LocalOutlierFactor()
    fitted = results_of(local, X, None)
    expected = LocalOutlierFactor().fit_predict(X[FOLD.train])
    assert fitted["predicted"].tolist() == expected.tolist()


def test_without_a_fold_all_rows_are_training_rows() -> None:
    assert set(results_of(KNeighborsClassifier(), *iris(), fold=None)["part"]) == {"train"}


@pytest.mark.parametrize("named", [True, False])
def test_results_come_back_equal_from_parquet(named: bool, tmp_path: Any) -> None:
    results = results_of(KNeighborsClassifier(), *iris(named))
    pq.write_table(pa.Table.from_pandas(results), tmp_path / "results.parquet")
    back = pq.read_table(tmp_path / "results.parquet").to_pandas()
    pd.testing.assert_frame_equal(back, results)
    assert labels_of(back) == labels_of(results)


def fit_neighbours(X_train: Any, y_train: Any, n_neighbors: int = 5) -> Any:
    return X_train, y_train, n_neighbors


def predict_neighbours(model: Any, X_test: Any, metric: float = 2.0) -> Any:
    known, labels, count = model
    distance = (abs(X_test[:, None] - known[None]) ** metric).sum(-1)
    near = labels[np.argsort(distance, axis=1, kind="stable")[:, :count]]
    classes = np.unique(labels)
    votes = (near[:, :, None] == classes).mean(axis=1)
    return classes[votes.argmax(axis=1)], votes


def predictions_only(model: Any, X_test: Any) -> Any:
    return predict_neighbours(model, X_test)[0]


def predictions_without_probabilities(model: Any, X_test: Any) -> Any:
    return predict_neighbours(model, X_test)[0], None


@pytest.mark.parametrize(
    "function", [predict_neighbours, predictions_only, predictions_without_probabilities]
)
def test_functions_stand_in_for_an_estimator(function: Callable[..., Any]) -> None:
    X, y = iris()
    estimator = FunctionEstimator(fit_neighbours, function, task="classification")
    configured = configure(estimator, {"n_neighbors": 3})
    results = results_of(configured, X, y)
    model = fit(X, y, FOLD, 0, estimator=KNeighborsClassifier(3))
    agreement = (select(results, "test", "predicted") == model.predict(X[FOLD.test])).mean()
    assert agreement > 0.95
    assert estimator.get_params()["n_neighbors"] == 5
    assert any(":" in c for c in results.columns) == (function is predict_neighbours)


def test_a_function_sees_each_part_by_itself() -> None:
    sizes = []

    def look(model: Any, X: Any) -> Any:
        sizes.append(len(X))
        return np.zeros(len(X))

    estimator = FunctionEstimator(lambda X, y: None, look, task="regression")
    X, y = load_iris(return_X_y=True)
    results_of(estimator, X, y)
    assert sizes == [90, 10, 50]


def test_a_misspelled_parameter_of_a_function_is_refused() -> None:
    with pytest.raises(ParameterError, match="did you mean 'n_neighbors'"):
        FunctionEstimator(fit_neighbours, predict_neighbours, n_neighbor=3)
    with pytest.raises(ParameterError, match="n_neighbors"):
        configure(FunctionEstimator(fit_neighbours), {"n_neighbor": 3})


def test_a_function_estimator_travels() -> None:
    estimator = FunctionEstimator(fit_neighbours, predict_neighbours, n_neighbors=3)
    assert pickle.loads(pickle.dumps(estimator)).get_params() == estimator.get_params()


def test_too_few_probabilities_are_refused() -> None:
    def one_column(model: Any, X: Any) -> Any:
        return np.zeros(len(X)), np.ones((len(X), 1))

    estimator = FunctionEstimator(lambda X, y: None, one_column, task="classification")
    with pytest.raises(DatasetError, match="1 columns for 3 labels"):
        results_of(estimator, *iris())


def test_the_record_holds_the_test_rows_as_json() -> None:
    X, y = iris()
    results = results_of(KNeighborsClassifier(), X, y)
    record = results_record(results, dataset="iris", fold=FOLD, split_num=0, task="classification")
    assert json.loads(json.dumps(record)) == record
    assert (record["training_samples"], record["testing_samples"]) == (90, 50)
    assert record["training_indices"] == FOLD.train.tolist()
    assert record["testing_indices"] == FOLD.test.tolist()
    assert record["type"] == "classification"
    predictions: Any = record["predictions"]
    assert set(predictions) == {str(row) for row in FOLD.test}
    one = predictions[str(FOLD.test[0])]
    assert one["truth"] == y[FOLD.test[0]]
    assert len(one["probabilities"]) == 3
    assert sum(one["probabilities"]) == pytest.approx(1)


def test_the_record_of_several_targets_and_of_clusters() -> None:
    body = load_linnerud()
    fold = Fold(0, 0, np.arange(15), [], np.arange(15, 20))
    results = results_of(LinearRegression(), body.data, body.target, fold)
    record: Any = results_record(
        results, dataset="body", fold=None, split_num=2, task="multioutput"
    )
    assert record["predictions"]["15"]["truth"] == body.target[15].tolist()
    assert record["training_indices"] == list(range(15))
    clusters = results_of(KMeans(3, n_init=1), body.data, None, fold)
    record = results_record(clusters, dataset="body", fold=fold, split_num=0, task="clustering")
    assert record["predictions"]["15"]["truth"] is None
    json.dumps(record)
