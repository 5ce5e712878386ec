"""Functions that make estimators: whose arguments parameters are."""

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import gosset as gs
from gosset.exceptions import ParameterError


def make(C=1.0):
    return LogisticRegression(C=C * 10, max_iter=5000)


def piped(strength=1.0):
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=50))


def declared(estimator, **options):
    options.setdefault("metrics", ["accuracy"])
    dataset = gs.datasets.load_iris()
    return gs.Experiment("made", dataset=dataset, splits=2, estimator=estimator, **options)


def effective(experiment, store):
    result = experiment.execute(store=store, executor="inline", progress=False)
    result.raise_for_status()
    return [{h.name: h.value for h in run.hyperparameters} for run in result.runs]


def test_arguments_of_a_factory_are_parameters_and_it_is_called_for_each(store):
    found = effective(declared(make, parameters={"make.C": [0.1, 0.5]}), store)
    assert [each["make.C"] for each in found] == [0.1, 0.5]
    assert [each["LogisticRegression.C"] for each in found] == [1.0, 5.0]


def test_a_plain_name_goes_to_the_factory_where_the_estimator_knows_it_not(store):
    found = effective(declared(piped, parameters={"strength": [0.5]}), store)
    assert found[0]["piped.strength"] == 0.5
    assert found[0]["logisticregression.C"] == 0.5


def test_defaults_of_a_factory_are_recorded_and_the_estimator_can_be_varied_beside(store):
    found = effective(declared(make, parameters={"LogisticRegression.C": [3.0]}), store)
    assert (found[0]["make.C"], found[0]["LogisticRegression.C"]) == (1.0, 3.0)


def test_factory_and_estimator_are_configured_together(store):
    space = {"strength": 0.5, "logisticregression.tol": 0.01}
    found = effective(declared(piped, parameters=space), store)
    assert found[0]["logisticregression.C"] == 0.5
    assert found[0]["logisticregression.tol"] == 0.01


def test_a_plain_name_of_both_is_refused():
    with pytest.raises(ParameterError, match="argument of make") as caught:
        declared(make, parameters={"C": [1, 2]}).prepare()
    assert "'make.C' or 'LogisticRegression.C'" in str(caught.value)


def test_one_argument_by_two_names_is_refused():
    with pytest.raises(ParameterError, match="same argument"):
        declared(piped, parameters={"strength": 1.0, "piped.strength": 2.0}).prepare()


def test_a_class_has_no_arguments_besides_the_parameters_of_its_estimators(store):
    found = effective(declared(LogisticRegression, parameters={"C": [2.0]}), store)
    assert found[0]["LogisticRegression.C"] == 2.0


def test_arguments_of_a_decorated_function_are_parameters(store):
    project = gs.Project("p")

    @project.experiment(dataset=gs.datasets.load_iris(), splits=2, parameters={"depth": [4]})
    def decorated(depth=1):
        return LogisticRegression(max_iter=depth * 10, tol=0.1)

    found = effective(decorated, store)
    assert (found[0]["decorated.depth"], found[0]["LogisticRegression.max_iter"]) == (4, 40)


def test_arguments_of_a_function_that_makes_stages_do_not_vary():
    project = gs.Project("p")

    @gs.stage
    def doubled(n: int = 1):
        return 2 * n

    @project.experiment(parameters={"n": [1, 2]})
    def graph(n=3):
        return [doubled]

    with pytest.raises(ParameterError, match=r"argument of graph\(\), which makes stages"):
        graph.prepare()


def test_a_fitting_function_needs_a_default_for_what_varies():
    def fit(X_train, y_train, C):
        return LogisticRegression(C=C).fit(X_train, y_train)

    with pytest.raises(ParameterError, match="no value for 'C'") as caught:
        declared(fit, parameters={"C": [1, 2]}).prepare()
    assert "give C a default" in str(caught.value)


def test_the_functions_of_an_estimator_are_not_offered_as_parameters():
    def fit(X_train, y_train, C=1.0):
        return LogisticRegression(C=C).fit(X_train, y_train)

    with pytest.raises(ParameterError, match="has no parameter 'x'") as caught:
        declared(fit, parameters={"x": [1, 2]}).prepare()
    for name in ("fit_function", "evaluate_function", "task"):
        assert name not in str(caught.value)


def test_a_misspelled_argument_of_a_factory_is_told_with_its_neighbour():
    with pytest.raises(ParameterError, match="did you mean 'strength'"):
        declared(piped, parameters={"strenght": [1]}).prepare()


def test_a_factory_without_defaults_is_told_to_give_them():
    def without_default(C):
        return LogisticRegression(C=C)

    with pytest.raises(ParameterError, match="has a default for every argument"):
        declared(without_default, parameters={"C": [1, 2]}).prepare()
