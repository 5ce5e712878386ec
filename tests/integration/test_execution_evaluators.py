"""Functions beside an estimator: those that predict in its place, and that come before it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.svm import SVC

import gosset as gs
from gosset.exceptions import ParameterError, UsageError
from gosset.results.outcome import LaunchResult

X = np.arange(60.0).reshape(30, 2)
Y = 2 * X[:, 0] + 1
CLASSES = Y > 60


def shifted(model: Any, X_test: Any, shift: float = 100) -> Any:
    return model.predict(X_test) + shift


def unsure(model: Any, X_test: Any) -> Any:
    return model.predict(X_test), np.full((len(X_test), 2), 0.5)


def fitted(X_train: Any, y_train: Any) -> Any:
    return SVC().fit(X_train, y_train)


def executed(**declared: Any) -> LaunchResult:
    options: dict[str, Any] = {"dataset": (X, Y), "splits": 3, "metrics": ["rmse"]}
    return gs.Experiment("e", **{**options, **declared}).execute(
        store="memory://", executor="inline", progress=False
    )


@pytest.mark.parametrize("estimator", [Ridge(), Ridge, lambda: Ridge()], ids=["made", "class", "function"])  # fmt: skip
def test_an_evaluator_predicts_for_every_kind_of_estimator(estimator: Any) -> None:
    [run] = executed(estimator=estimator, evaluator=shifted).runs
    assert run.metrics["rmse"].value == pytest.approx(100, abs=0.1)


def test_a_decorated_function_gets_the_evaluator_too() -> None:
    declare = gs.Project("P").experiment(
        dataset=(X, Y), splits=3, metrics=["rmse"], evaluator=shifted
    )
    result = declare(lambda: Ridge()).execute(store="memory://", executor="inline", progress=False)
    assert result.runs[0].metrics["rmse"].value == pytest.approx(100, abs=0.1)


def test_arguments_of_an_evaluator_vary_beside_those_of_the_estimator() -> None:
    result = executed(
        estimator=Ridge(), evaluator=shifted, parameters={"shift": [7, 50], "alpha": 1}
    )
    values = [run.metrics["rmse"].value for run in result.runs]
    assert values == pytest.approx([7, 50], abs=0.1)


def test_another_evaluator_is_another_result_in_the_same_store() -> None:
    with gs.open_store("memory://") as store:
        values = [
            gs.Experiment(
                "e", dataset=(X, Y), splits=3, metrics=["rmse"], estimator=Ridge(), evaluator=each
            )
            .execute(store=store, executor="inline", progress=False)
            .runs[0].metrics["rmse"].value
            for each in (None, shifted)
        ]  # fmt: skip
    assert values == pytest.approx([0, 100], abs=0.1)


@pytest.mark.parametrize("estimator", [SVC(), fitted], ids=["made", "function"])
def test_probabilities_of_an_evaluator_are_scored(estimator: Any) -> None:
    result = executed(
        dataset=(X, CLASSES), estimator=estimator, evaluator=unsure, metrics=["log_loss"]
    )
    assert result.runs[0].metrics["log_loss"].value == pytest.approx(np.log(2))


@pytest.mark.parametrize("estimator", [SVC(), fitted], ids=["made", "function"])
@pytest.mark.parametrize(
    ("evaluator", "said"),
    [
        (lambda model, X_test: X_test[1:, 0], "returned 19 predictions for 20 rows"),
        (lambda model, X_test: 1.5, "returned a single 1.5 for 20 rows"),
        (lambda model, X_test: (X_test[:, 0] > 1, X_test[:3]), "3 rows of probabilities for 20 rows"),
    ],
    ids=["short", "one", "probabilities"],
)  # fmt: skip
def test_an_evaluator_of_the_wrong_length_is_named_with_both_counts(
    estimator: Any, evaluator: Any, said: str
) -> None:
    result = executed(
        dataset=(X, CLASSES), estimator=estimator, evaluator=evaluator, metrics=["accuracy"]
    )
    exception = result.runs[0].exception
    assert exception is not None
    assert exception.message.startswith("evaluator '<lambda>' returned ")
    assert said in exception.message


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"evaluator": lambda model: 1}, ParameterError, "'<lambda>' takes (model), not"),
        (
            {"evaluator": lambda model, X_test, shift: 1},
            ParameterError,
            "takes (model, X_test, shift), not (model, X_test, …); give each further argument a",
        ),
        ({"evaluator": lambda model, X_test, task="": 1}, UsageError, "'task', whose name is"),
        ({"evaluator": shifted, "estimator": PCA()}, UsageError, "a transformer has not"),
    ],
    ids=["arguments", "without default", "taken", "transformer"],
)
def test_an_evaluator_that_does_not_fit_is_refused(
    options: dict[str, Any], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said.replace("(", r"\(").replace(")", r"\)")):
        executed(**{"estimator": Ridge(), "metrics": None, **options})


@pytest.mark.parametrize(
    ("preprocess", "said"),
    [
        (lambda X: X[:-5], "preprocess returned 25 rows of 30"),
        (lambda X: [*list(X), [0, 0]], "preprocess returned 31 rows of 30"),
        (gs.stage(lambda X: None, name="nothing"), "preprocess returned NoneType"),
    ],
    ids=["fewer", "more", "none"],
)
def test_preprocessing_that_changes_the_number_of_rows_is_told(preprocess: Any, said: str) -> None:
    result = executed(estimator=Ridge(), preprocess=preprocess)
    exception = result.runs[0].exception
    assert exception is not None
    assert said in exception.message


def test_other_preprocessing_is_other_code() -> None:
    with gs.open_store("memory://") as store:
        values = [
            gs.Experiment(
                "e", dataset=(X, Y), splits=3, metrics=["rmse"], estimator=Ridge(), preprocess=each
            )
            .execute(store=store, executor="inline", progress=False)
            .runs[0].metrics["rmse"].value
            for each in (lambda X: X, lambda X: 0 * X)
        ]  # fmt: skip
    assert values[0] < 1 < values[1]
