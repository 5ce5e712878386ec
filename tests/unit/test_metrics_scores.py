"""The built-in scores equal scikit-learn's, or what a hand computes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris

from gosset.exceptions import MetricError
from gosset.metrics import classification, clustering, probability, regression
from gosset.metrics.classification import averaged, confusion_matrix

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")

SCORES = {
    "precision": theirs.precision_score,
    "recall": theirs.recall_score,
    "f1": theirs.f1_score,
}
LABELS = ["a", "b", "c", "never"]
rows = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1)


@settings(deadline=None, max_examples=60)
@given(rows)
def test_scores_of_one_label_equal_those_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    truth, predicted = (np.array(column, dtype=object) for column in zip(*pairs, strict=True))
    matrix = confusion_matrix(truth, predicted, LABELS)
    assert matrix["counts"] == theirs.confusion_matrix(truth, predicted, labels=LABELS).tolist()
    assert json.loads(json.dumps(matrix)) == matrix
    assert classification.accuracy(matrix) == pytest.approx(np.mean(truth == predicted), abs=1e-12)
    for score, function in SCORES.items():
        for average in ("macro", "micro", "weighted"):
            expected = function(truth, predicted, average=average, zero_division=0)
            assert averaged(score, average, matrix) == pytest.approx(expected, abs=1e-12)
        each = function(truth, predicted, average=None, labels=LABELS, zero_division=0)
        got = [classification.of_class(score, label, matrix) for label in LABELS]
        assert got == pytest.approx(each.tolist(), abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(rows)
def test_balanced_accuracy_is_the_mean_recall_of_true_labels(pairs: list[tuple[str, str]]) -> None:
    truth, predicted = (np.array(column) for column in zip(*pairs, strict=True))
    matrix = confusion_matrix(truth, predicted, LABELS)
    expected = np.mean([np.mean(predicted[truth == label] == label) for label in np.unique(truth)])
    assert classification.balanced_accuracy(matrix) == pytest.approx(expected, abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_scores_of_several_labels_equal_those_of_scikit_learn(seed: int, rows: int) -> None:
    draw = np.random.default_rng(seed)
    truth, predicted = draw.integers(0, 2, (2, rows, 3))
    matrix = confusion_matrix(truth, predicted, ["x", "y", "z"])
    assert matrix["counts"] == theirs.multilabel_confusion_matrix(truth, predicted).tolist()
    got = classification.subset_accuracy(truth, predicted)
    assert got == pytest.approx(theirs.accuracy_score(truth, predicted), abs=1e-12)
    for score, function in SCORES.items():
        for average in ("macro", "micro", "weighted"):
            expected = function(truth, predicted, average=average, zero_division=0)
            assert averaged(score, average, matrix) == pytest.approx(expected, abs=1e-12)


def test_a_label_outside_the_labels_is_named() -> None:
    with pytest.raises(MetricError, match="'c' is not among"):
        confusion_matrix(np.array(["a", "c"]), np.array(["a", "a"]), ["a", "b"])


@pytest.mark.parametrize("labels", [[0, 1, 2], [True, False], [1.5, 2.5], ["x", "y"]])
def test_labels_of_any_type_travel_with_the_matrix(labels: list[object]) -> None:
    truth = np.array(labels)
    matrix = confusion_matrix(truth, truth[::-1], labels)
    assert matrix["labels"] == labels
    assert np.array_equal(matrix["counts"], np.eye(len(labels), dtype=int)[::-1])


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 2**32 - 1), st.integers(2, 30), st.integers(1, 4))
def test_rankings_equal_those_of_scikit_learn(seed: int, rows: int, digits: int) -> None:
    draw = np.random.default_rng(seed)
    # Rounding makes ties, where implementations differ first.
    scores = draw.random(rows).round(digits)
    truth = np.append([0, 1], draw.integers(0, 2, rows - 2))
    got = probability.roc_auc(truth, None, scores, [0, 1])
    assert got == pytest.approx(theirs.roc_auc_score(truth, scores), abs=1e-12)
    got = probability.average_precision(truth, None, scores, [0, 1])
    assert got == pytest.approx(theirs.average_precision_score(truth, scores), abs=1e-12)
    table = np.stack([1 - scores, scores], axis=1)
    got = probability.brier(truth, table, [0, 1])
    assert got == pytest.approx(theirs.brier_score_loss(truth, scores), abs=1e-12)
    got = probability.log_loss(truth, table, [0, 1])
    assert got == pytest.approx(theirs.log_loss(truth, table), rel=1e-12)


def test_rankings_of_three_labels_are_one_against_the_rest_whatever_their_order() -> None:
    draw = np.random.default_rng(0)
    truth = draw.choice(["low", "mid", "high"], 60)
    table = draw.dirichlet([1, 1, 1], 60)
    order = ["low", "mid", "high"]
    sort = np.argsort(order)
    got = probability.roc_auc(truth, table, None, order)
    expected = theirs.roc_auc_score(truth, table[:, sort], multi_class="ovr")
    assert got == pytest.approx(expected, abs=1e-12)
    got = probability.average_precision(truth, table, None, order)
    assert got == pytest.approx(theirs.average_precision_score(truth, table[:, sort]), abs=1e-12)
    got = probability.log_loss(truth, table, order)
    assert got == pytest.approx(theirs.log_loss(truth, table[:, sort]), abs=1e-12)
    got = probability.brier(truth, table, order)
    assert got == pytest.approx(theirs.brier_score_loss(truth, table[:, sort]), abs=1e-12)


def test_a_ranking_without_both_kinds_of_rows_is_not_a_number() -> None:
    assert np.isnan(probability.roc_auc(np.array([1, 1]), None, np.array([0.1, 0.2]), [0, 1]))


def test_scores_that_are_not_there_are_named() -> None:
    truth = np.array([0, 1])
    with pytest.raises(MetricError, match="roc_auc needs probabilities or decision"):
        probability.roc_auc(truth, None, None, [0, 1])
    with pytest.raises(MetricError, match="log_loss needs probabilities"):
        probability.log_loss(truth, None, [0, 1])
    with pytest.raises(MetricError, match="one column of scores for each of 3 labels"):
        probability.brier(truth, np.ones((2, 2)), [0, 1, 2])


def by_hand(truth: Any, predicted: Any) -> dict[str, float]:
    errors = [t - p for t, p in zip(truth, predicted, strict=True)]
    count, mean = len(errors), sum(errors) / len(errors)
    middle = sum(truth) / count
    squares = sum(e * e for e in errors)
    return {
        "total_error": sum(errors),
        "mean_error": mean,
        "mean_absolute_error": sum(map(abs, errors)) / count,
        "standard_deviation": (sum((e - mean) ** 2 for e in errors) / count) ** 0.5,
        "max_absolute_error": max(map(abs, errors)),
        "min_absolute_error": min(map(abs, errors)),
        "mean_squared_error": squares / count,
        "root_mean_squared_error": (squares / count) ** 0.5,
        "r2": 1 - squares / sum((t - middle) ** 2 for t in truth),
    }


def test_errors_equal_those_computed_by_hand() -> None:
    draw = np.random.default_rng(1)
    truth, predicted = draw.normal(size=(2, 40))
    errors = regression.errors(truth, predicted)
    for name, expected in by_hand(truth.tolist(), predicted.tolist()).items():
        arguments = (truth, errors) if name == "r2" else (errors,)
        assert getattr(regression, name)(*arguments) == pytest.approx(expected, abs=1e-12), name


def test_errors_of_several_targets_are_averaged_over_the_targets() -> None:
    draw = np.random.default_rng(1)
    truth, predicted = draw.normal(size=(2, 40, 3)) * [1, 10, 100]
    errors = regression.errors(truth, predicted)
    columns = [by_hand(t.tolist(), p.tolist()) for t, p in zip(truth.T, predicted.T, strict=True)]
    over = {"total_error": sum, "max_absolute_error": max, "min_absolute_error": min}
    for name in columns[0]:
        expected = over.get(name, np.mean)([column[name] for column in columns])
        arguments = (truth, errors) if name == "r2" else (errors,)
        assert getattr(regression, name)(*arguments) == pytest.approx(expected, rel=1e-12), name
    assert regression.root_mean_squared_error(errors) == pytest.approx(
        theirs.root_mean_squared_error(truth, predicted), rel=1e-12
    )


@pytest.mark.parametrize("predicted", [[2.0, 2.0, 2.0], [2.0, 2.0, 3.0], [1.0, 1.0, 1.0]])
def test_a_target_that_does_not_vary_has_the_r2_of_scikit_learn(predicted: list[float]) -> None:
    truth = np.full(3, 2.0)
    errors = regression.errors(truth, np.array(predicted))
    assert regression.r2(truth, errors) == theirs.r2_score(truth, predicted)


def test_integers_do_not_wrap_around() -> None:
    errors = regression.errors(np.array([0], np.uint8), np.array([200], np.uint8))
    assert regression.mean_absolute_error(errors) == 200


def test_clusters_are_scored_by_their_own_rows() -> None:
    X, y = load_iris(return_X_y=True)
    rows = np.arange(0, 150, 3)
    clusters = KMeans(3, n_init=1, random_state=0).fit_predict(X[rows])
    got = clustering.by_distance("silhouette_score", X, rows, clusters)
    assert got == theirs.silhouette_score(X[rows], clusters)
    got = clustering.by_truth("adjusted_rand_score", y[rows], clusters)
    assert got == theirs.adjusted_rand_score(y[rows], clusters)
    assert np.isnan(clustering.by_distance("silhouette_score", X, rows, np.zeros(50)))
    with pytest.raises(MetricError, match="adjusted_rand_score compares"):
        clustering.by_truth("adjusted_rand_score", None, clusters)
