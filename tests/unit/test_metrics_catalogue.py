"""Metrics are found by name, and bring what they need and nothing else."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as library
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer, load_iris, make_multilabel_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import fbeta_score, get_scorer, make_scorer
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from gosset.entities import Direction
from gosset.estimators import evaluate, fit
from gosset.exceptions import MetricError, UsageError
from gosset.metrics import (
    Resolved,
    available,
    defaults,
    metric,
    resolve,
    results_views,
    scikit_learn,
)
from gosset.metrics.results import labels_of, ordered
from gosset.metrics.scikit_learn import from_name
from gosset.splits import Fold
from gosset.stages import stage


@metric(direction="minimize")
def cost(confusion_matrix: Any, price: float = 2.0) -> float:
    """Mistakes, at a price each."""
    counts = np.asarray(confusion_matrix["counts"])
    return price * float(counts.sum() - counts.trace())


@metric(direction="minimize")
def cost_per_row(cost: float, rows: Any) -> float:
    return cost / len(rows)


@metric
def spread(features: Any) -> float:
    return float(np.std(features))


def names(found: Resolved) -> list[str]:
    return [each.name for each in found.stages]


def compute(found: Resolved, **values: Any) -> dict[str, Any]:
    """Carry the stages out in their order, as a runner does."""
    for each in found.stages:
        made = each(**{a: values[name] for a, name in each.inputs.items()})
        values |= (
            {each.outputs[0]: made}
            if len(each.outputs) == 1
            else dict(zip(each.outputs, made, strict=True))
        )
    return {name: values[name] for name in found.metrics}


def fold_of(count: int) -> Fold:
    order = np.random.default_rng(0).permutation(count)
    cut = count * 2 // 3
    return Fold(0, 0, order[:cut], [], order[cut:])


def results_of(estimator: Any, load: Any = load_iris) -> tuple[pd.DataFrame, Any, Any, Any, Fold]:
    X, y = load(return_X_y=True)
    fold = fold_of(len(y))
    model = fit(X, y, fold, 0, estimator=estimator)
    return evaluate(model, X, y, fold), model, X, y, fold


def test_only_the_paths_to_what_is_asked_for_are_there() -> None:
    assert names(resolve("accuracy")) == [
        "truth",
        "predicted",
        "labels",
        "confusion_matrix",
        "accuracy",
    ]
    assert names(resolve("log_loss")) == ["truth", "probabilities", "labels", "log_loss"]
    assert names(resolve("r2")) == ["truth", "predicted", "errors", "r2"]


def test_what_two_metrics_share_is_there_once() -> None:
    found = names(resolve(["accuracy", "f1", "precision"], "classification"))
    assert found.count("confusion_matrix") == 1
    assert len(found) == len(set(found)) == 7


def test_parts_have_names_of_their_own() -> None:
    found = resolve(["accuracy", "validation/f1"], parts=("test", "train"))
    assert found.metrics == ("accuracy", "train/accuracy", "validation/f1")
    by_name = {each.name: each for each in found.stages}
    assert by_name["train/accuracy"].inputs == {"confusion_matrix": "train/confusion_matrix"}
    assert by_name["train/confusion_matrix"].inputs["truth"] == "train/truth"
    assert "validation/accuracy" not in by_name


def test_a_metric_that_looks_at_no_rows_is_computed_once_for_all_parts() -> None:
    found = resolve(spread, parts=("test", "train"))
    assert found.metrics == ("spread",)
    assert found.stages[0].inputs == {"features": "features"}


def test_user_metrics_build_on_the_matrix_and_on_each_other() -> None:
    results, model, X, y, fold = results_of(KNeighborsClassifier())
    found = resolve([cost_per_row, cost], "classification", parts=("test", "train"))
    assert found.directions["train/cost"] is Direction.MINIMIZE
    got = compute(found, results=results)
    wrong = (model.predict(X[fold.test]) != y[fold.test]).sum()
    assert got["cost"] == 2.0 * wrong
    assert got["cost_per_row"] == 2.0 * wrong / 50
    assert "train/cost_per_row" in got


def test_a_plain_function_is_a_metric_by_its_arguments() -> None:
    def wrong(truth: Any, predicted: Any) -> int:
        return int((truth != predicted).sum())

    found = resolve(wrong)
    assert found.metrics == ("wrong",)
    assert found.stages[-1].metric
    with pytest.raises(MetricError, match="without a name"):
        resolve(lambda truth: 0)


def test_a_users_metric_comes_before_the_built_in_one_of_its_name() -> None:
    @metric
    def confusion_matrix(truth: Any) -> float:
        return float(len(truth))

    found = resolve([confusion_matrix, "accuracy"])
    assert [s.name for s in found.stages if s.name == "confusion_matrix"] == ["confusion_matrix"]
    assert "predicted" not in names(found)


def test_outputs_of_the_pipeline_come_first() -> None:
    found = resolve(["accuracy", cost], provided={"accuracy", "confusion_matrix"})
    assert names(found) == ["cost"]
    assert found.metrics == ("accuracy", "cost")


def test_metrics_that_need_each_other_are_refused() -> None:
    @metric
    def first(second: float) -> float:
        return second

    @metric
    def second(first: float) -> float:
        return first

    with pytest.raises(MetricError, match="first → second → first"):
        resolve([first, second])


def test_two_metrics_of_one_name_are_refused() -> None:
    def make() -> Any:
        @metric
        def same(truth: Any) -> float:
            return 0.0

        return same

    with pytest.raises(MetricError, match="'same'"):
        resolve([make(), make()])


def test_single_labels() -> None:
    results, *_ = results_of(KNeighborsClassifier())
    test = results[results["part"] == "test"]
    found = resolve(["f1_per_class", "recall[1]"], labels=[0, 1, 2])
    assert found.metrics == ("f1[0]", "f1[1]", "f1[2]", "recall[1]")
    expected = library.f1_score(test["truth"], test["predicted"], average=None)
    got = compute(found, results=results)
    assert [got[f"f1[{k}]"] for k in range(3)] == pytest.approx(expected.tolist())
    with pytest.raises(MetricError, match="did you mean 'setosa'"):
        resolve("f1[setossa]", labels=["setosa", "virginica"])
    with pytest.raises(MetricError, match="needs to know the labels"):
        resolve("f1_per_class")


def scorers_for(model: Any) -> list[str]:
    """Return the scorers of binary classification that `model` has the values for."""
    found = []
    for name in library.get_scorer_names():
        known = from_name(name)
        able = {"predict_proba": "probabilities", "decision_function": "decision"}
        given = [view for method, view in able.items() if hasattr(model, method)]
        if "classification" in known.tasks and "_samples" not in name:
            found += [name] if not known.needs or set(known.needs) & set(given) else []
    return found


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.parametrize("labels", [(), ("True", "False")])
@pytest.mark.parametrize("last", [LogisticRegression(), LinearSVC(random_state=0)])
def test_every_scorer_scores_stored_results_as_it_scores_the_model(
    last: Any, labels: tuple[str, ...]
) -> None:
    X, y = load_breast_cancer(return_X_y=True)
    y = y == 0
    fold = fold_of(len(y))
    model = fit(X, y, fold, 0, estimator=make_pipeline(StandardScaler(), last))
    results = evaluate(model, X, y, fold, labels=labels)
    names = scorers_for(model)
    assert len(names) > 20
    for name in names:
        stage = from_name(name).stage
        views = {v.name: v(results=results) for v in results_views(labels=labels)}
        got = stage(**{argument: views[argument] for argument in stage.inputs})
        expected = get_scorer(name)(model, X[fold.test], y[fold.test])
        assert got == pytest.approx(expected, abs=1e-12), name
    if labels:  # the second label is the positive one
        got = compute(resolve("roc_auc", labels=labels), results=results)["roc_auc"]
        assert got == pytest.approx(get_scorer("roc_auc")(model, X[fold.test], y[fold.test]))


def test_functions_of_scikit_learn_by_name_and_as_they_are() -> None:
    results, *_ = results_of(make_pipeline(StandardScaler(), LogisticRegression()))
    test = results[results["part"] == "test"]
    found = resolve(["matthews_corrcoef", library.cohen_kappa_score, "top_k_accuracy_score"])
    assert dict(found.directions) == dict.fromkeys(found.metrics, Direction.MAXIMIZE)
    got = compute(found, results=results)
    truth, predicted = test["truth"], test["predicted"]
    assert got["matthews_corrcoef"] == library.matthews_corrcoef(truth, predicted)
    assert got["cohen_kappa_score"] == library.cohen_kappa_score(truth, predicted)
    assert got["top_k_accuracy_score"] == 1.0 or got["top_k_accuracy_score"] > 0.9
    assert resolve("hamming_loss").directions["hamming_loss"] is Direction.MINIMIZE


LOWER_IS_BETTER = [
    "brier_score_loss",
    "coverage_error",
    "davies_bouldin_score",
    "hamming_loss",
    "hinge_loss",
    "label_ranking_loss",
    "log_loss",
    "max_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_gamma_deviance",
    "mean_pinball_loss",
    "mean_poisson_deviance",
    "mean_squared_error",
    "mean_squared_log_error",
    "mean_tweedie_deviance",
    "median_absolute_error",
    "root_mean_squared_error",
    "root_mean_squared_log_error",
    "zero_one_loss",
]
HIGHER_IS_BETTER = [
    "accuracy_score",
    "adjusted_mutual_info_score",
    "adjusted_rand_score",
    "average_precision_score",
    "balanced_accuracy_score",
    "calinski_harabasz_score",
    "cohen_kappa_score",
    "completeness_score",
    "d2_absolute_error_score",
    "d2_brier_score",
    "d2_log_loss_score",
    "d2_pinball_score",
    "d2_tweedie_score",
    "dcg_score",
    "explained_variance_score",
    "f1_score",
    "fbeta_score",
    "fowlkes_mallows_score",
    "homogeneity_score",
    "jaccard_score",
    "label_ranking_average_precision_score",
    "matthews_corrcoef",
    "mutual_info_score",
    "ndcg_score",
    "normalized_mutual_info_score",
    "precision_score",
    "r2_score",
    "rand_score",
    "recall_score",
    "roc_auc_score",
    "silhouette_score",
    "top_k_accuracy_score",
    "v_measure_score",
]


def test_every_function_of_scikit_learn_has_its_own_better_end() -> None:
    answered = {
        name for name in library.__all__ if scikit_learn.is_function(getattr(library, name))
    }
    expected = dict.fromkeys(LOWER_IS_BETTER, Direction.MINIMIZE)
    expected |= dict.fromkeys(HIGHER_IS_BETTER, Direction.MAXIMIZE)
    found = {}
    for name in answered:
        metric = scikit_learn.from_function(getattr(library, name), name)
        found[name] = metric.direction
    # An older scikit-learn lacks some of them; a newer one's additions are to be looked at.
    assert found == {name: expected.get(name) for name in answered}
    assert {"davies_bouldin_score", "log_loss", "accuracy_score"} <= answered


def test_every_scorer_says_that_greater_is_better() -> None:
    found = {name: from_name(name) for name in library.get_scorer_names()}
    assert {name for name, known in found.items() if known.direction != "maximize"} == set()


@pytest.mark.parametrize("name", ["det_curve", "confusion_matrix", "classification_report", "auc"])
def test_what_gives_no_score_is_no_metric_of_scikit_learn(name: str) -> None:
    assert from_name(name) is None


def test_a_scorer_with_options_of_its_own() -> None:
    results, model, X, y, fold = results_of(KNeighborsClassifier())
    scorer = make_scorer(fbeta_score, beta=2, average="macro")
    got = compute(resolve(scorer), results=results)
    assert got["fbeta_score"] == pytest.approx(scorer(model, X[fold.test], y[fold.test]))


def test_an_alias_bears_the_name_that_was_asked_for() -> None:
    found = resolve("rmse", "regression")
    assert found.metrics == ("rmse",)
    assert found.directions["rmse"] is Direction.MINIMIZE


def test_a_task_stands_for_its_usual_metrics() -> None:
    assert resolve("classification").metrics == defaults("classification")
    assert "r2" in resolve("regression", "regression").metrics


@pytest.mark.parametrize("task", ["classification", "multilabel", "regression", "clustering"])
def test_the_usual_metrics_fit_their_task(task: str) -> None:
    assert resolve(defaults(task), task).metrics == defaults(task)


@pytest.mark.parametrize(
    ("asked", "meant"), [("acuracy", "accuracy"), ("roc_auc_over", "roc_auc_ovr")]
)
def test_an_unknown_metric_is_refused_with_its_neighbour(asked: str, meant: str) -> None:
    with pytest.raises(MetricError, match=f"did you mean '{meant}'"):
        resolve(asked)


@pytest.mark.parametrize(
    ("asked", "task"),
    [
        ("r2", "classification"),
        ("accuracy", "regression"),
        ("neg_mean_squared_error", "clustering"),
    ],
)
def test_a_metric_of_another_task_is_refused(asked: str, task: str) -> None:
    with pytest.raises(MetricError, match=f"{asked} is a metric of .*, not of {task}"):
        resolve(asked, task)


def test_a_metric_of_probabilities_is_refused_where_there_are_none() -> None:
    with pytest.raises(MetricError, match="log_loss needs probabilities"):
        resolve("log_loss", lacking={"probabilities"})
    resolve("roc_auc", lacking={"probabilities"})
    with pytest.raises(MetricError, match="roc_auc needs probabilities or decision"):
        resolve("roc_auc", lacking={"probabilities", "decision"})


def test_what_scikit_learn_cannot_score_is_an_error_that_names_the_metric() -> None:
    results, *_ = results_of(LinearSVC(random_state=0, max_iter=20000))
    with pytest.raises(MetricError, match="neg_log_loss cannot be computed"):
        compute(resolve("neg_log_loss"), results=results)


def test_several_labels_per_row() -> None:
    X, y = make_multilabel_classification(90, n_classes=3, random_state=0)
    fold = fold_of(90)
    model = fit(X, y, fold, 0, estimator=KNeighborsClassifier())
    results = evaluate(model, X, y, fold, labels=("red", "green", "blue"))
    found = resolve(
        [*defaults("multilabel"), "roc_auc", "f1[green]", "f1_samples"],
        "multilabel",
        labels=("red", "green", "blue"),
    )
    got = compute(found, results=results)
    truth, predicted = y[fold.test], model.predict(X[fold.test])
    assert got["accuracy"] == pytest.approx(library.accuracy_score(truth, predicted))
    assert got["f1"] == pytest.approx(library.f1_score(truth, predicted, average="macro"))
    assert got["f1[green]"] == pytest.approx(library.f1_score(truth[:, 1], predicted[:, 1]))
    proba = np.stack([p[:, 1] for p in model.predict_proba(X[fold.test])], axis=1)
    assert got["roc_auc"] == pytest.approx(library.roc_auc_score(truth, proba))


def test_clustering() -> None:
    X, y = load_iris(return_X_y=True)
    fold = fold_of(150)
    model = fit(X, y, fold, 0, estimator=KMeans(3, n_init=1, random_state=0))
    results = evaluate(model, X, y, fold)
    asked = [*defaults("clustering"), "adjusted_rand", "nmi", "v_measure_score"]
    got = compute(resolve(asked, "clustering"), results=results, X=X)
    predicted = model.predict(X[fold.test])
    assert got["silhouette"] == library.silhouette_score(X[fold.test], predicted)
    assert got["nmi"] == library.normalized_mutual_info_score(y[fold.test], predicted)
    assert got["v_measure_score"] == library.v_measure_score(y[fold.test], predicted)


def test_what_is_available_names_direction_consumption_and_description() -> None:
    known = {each.name: each for each in available("regression")}
    assert known["r2"].direction is Direction.MAXIMIZE
    assert known["r2"].consumes == ("truth", "errors")
    assert known["neg_max_error"].direction is Direction.MAXIMIZE
    assert "accuracy" not in known
    assert all(each.description for each in available())
    with pytest.raises(UsageError, match="did you mean 'regression'"):
        available("regresion")


def test_views_are_read_only_and_give_none_for_what_is_not_there() -> None:
    results, *_ = results_of(KNeighborsClassifier())
    views = {view.name: view for view in results_views("train")}
    truth = views["train/truth"](results=results)
    with pytest.raises(ValueError, match="read-only"):
        truth[0] = 9
    assert views["train/decision"](results=results) is None
    assert views["train/probabilities"](results=results).shape == (100, 3)
    assert views["train/labels"](results=results) == [0, 1, 2]
    assert len(views["train/rows"](results=results)) == 100
    with pytest.raises(UsageError, match="did you mean 'train'"):
        results_views("trian")


def test_labels_follow_the_declared_order_and_miss_none() -> None:
    results = pd.DataFrame(
        {
            "part": ["train", "test"],
            "row": [0, 1],
            "truth": ["low", "high"],
            "predicted": ["low", "odd"],
        }
    )
    assert labels_of(results) == ("high", "low", "odd")
    assert labels_of(results, ["low", "mid", "high"]) == ("low", "mid", "high", "odd")
    assert ordered({1, "a", 0}) == [0, 1, "a"]


def test_metrics_and_views_travel() -> None:
    found = resolve(["accuracy", "roc_auc", "f1[1]", "neg_log_loss", "r2"], labels=[0, 1])
    for each in (*found.stages, *resolve(cost).stages):
        copy = pickle.loads(cloudpickle.dumps(each))
        assert (copy.name, copy.outputs, copy.direction) == (
            each.name,
            each.outputs,
            each.direction,
        )


def test_a_stage_asked_for_as_a_metric_is_one() -> None:
    @stage(outputs=("low", "high"))
    def limits(truth: Any) -> tuple[float, float]:
        return float(truth.min()), float(truth.max())

    results, *_ = results_of(KNeighborsClassifier())
    found = resolve(limits, parts=("test", "train"))
    assert found.metrics == ("low", "high", "train/low", "train/high")
    assert compute(found, results=results)["train/high"] == 2.0
    assert all(each.metric or each.view for each in found.stages)


def test_an_unknown_direction_is_refused() -> None:
    with pytest.raises(MetricError, match="did you mean 'maximize'"):
        metric(direction="maximise")(len)  # type: ignore[call-overload]


def test_metrics_load_nothing_heavy() -> None:
    code = (
        "import sys, gosset.metrics, gosset.estimators;"
        "gosset.metrics.resolve('accuracy', 'classification');"
        "print([m for m in ('numpy', 'pandas', 'sklearn', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
