"""Parameters of estimators by dotted names."""

from __future__ import annotations

import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC

from gosset.estimators import check_parameters, configure, parameter_names
from gosset.exceptions import ParameterError


def pipeline() -> Pipeline:
    return Pipeline([("scale", StandardScaler()), ("reduce", PCA()), ("clf", SVC())])


@pytest.mark.parametrize("name", ["clf.C", "SVC.C", "clf__C"])
def test_a_step_is_named_by_itself_or_by_its_class(name: str) -> None:
    prototype = pipeline()
    assert configure(prototype, {name: 0.25})["clf"].C == 0.25
    assert prototype["clf"].C == 1.0


@pytest.mark.parametrize("name", ["SVC.C", "C"])
def test_a_bare_estimator_needs_no_name(name: str) -> None:
    assert configure(SVC(), {name: 0.25}).C == 0.25


@pytest.mark.parametrize(
    "name", ["BaggingClassifier.estimator.C", "estimator.C", "estimator__C", "SVC.C"]
)
def test_nested_estimators_are_reached(name: str) -> None:
    assert configure(BaggingClassifier(SVC()), {name: 0.25}).estimator.C == 0.25


def test_a_column_transformer_inside_a_pipeline_is_reached_by_class_and_name() -> None:
    columns = ColumnTransformer([("num", StandardScaler(), [0])])
    prototype = Pipeline([("prepare", columns), ("clf", SVC())])
    configured = configure(
        prototype, {"prepare.num.with_mean": False, "ColumnTransformer.num.with_std": False}
    )
    scaler = configured["prepare"].transformers[0][1]
    assert (scaler.with_mean, scaler.with_std) == (False, False)


def test_a_whole_step_can_be_replaced_and_set_at_once() -> None:
    configured = configure(pipeline(), {"clf": LogisticRegression(), "PCA.n_components": 2})
    assert isinstance(configured["clf"], LogisticRegression)
    assert configured["reduce"].n_components == 2


def test_an_estimator_given_as_a_value_is_not_shared() -> None:
    value = LogisticRegression()
    assert configure(pipeline(), {"clf": value})["clf"] is not value


def test_an_ambiguous_class_names_the_steps() -> None:
    twice = Pipeline([("a", SVC()), ("b", SVC())])
    with pytest.raises(ParameterError, match=r"'SVC\.C' means several.*'a\.C', 'b\.C'"):
        configure(twice, {"SVC.C": 1})


@pytest.mark.parametrize(
    ("name", "meant"),
    [("SVC.c", "SVC.C"), ("clf.gama", "clf.gamma"), ("PCA.n_component", "PCA.n_components")],
)
def test_a_misspelled_parameter_is_refused_with_its_neighbour(name: str, meant: str) -> None:
    with pytest.raises(ParameterError, match=f"did you mean '{meant}'"):
        check_parameters(pipeline(), [name])


def test_one_parameter_under_two_names_is_refused() -> None:
    with pytest.raises(ParameterError, match="the same parameter"):
        configure(pipeline(), {"SVC.C": 1, "clf.C": 2})


def test_a_class_instead_of_an_object_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"write SVC\(\)"):
        configure(SVC, {})


def test_the_copy_is_unfitted() -> None:
    fitted = MinMaxScaler().fit([[0.0], [1.0]])
    assert not hasattr(configure(fitted, {}), "scale_")


def test_every_name_that_is_listed_can_be_set() -> None:
    for prototype in (pipeline(), SVC(), BaggingClassifier(RandomForestClassifier())):
        names = parameter_names(prototype)
        assert names
        check_parameters(prototype, names)


class Threshold:
    """An estimator without scikit-learn."""

    def __init__(self, cut: float = 0.5) -> None:
        self.cut = cut

    def get_params(self) -> dict[str, float]:
        return {"cut": self.cut}

    def set_params(self, **params: float) -> None:
        self.cut = params["cut"]


def test_estimators_without_scikit_learn_are_configured() -> None:
    prototype = Threshold()
    assert configure(prototype, {"Threshold.cut": 0.1}).cut == 0.1
    assert prototype.cut == 0.5
