"""Scenario 6: a grid of hyperparameters, given in three ways."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC
from workplace import Workplace

import gosset as gs
from gosset.compare import summary_table

SCRIPT = """
    import itertools
    import gosset as gs
    from sklearn.decomposition import PCA
    from sklearn.pipeline import Pipeline
    from sklearn.svm import SVC

    project = gs.Project("Grids")
    declared = dict(
        dataset=gs.datasets.load_iris(),
        splits=gs.splits.stratified(2),
        metrics=["accuracy"],
        seed=1,
    )
    grid = {"SVC": {"C": [0.1, 0.5, 1.0]}, "PCA": {"n_components": [1, 2, 3]}}

    def pipeline():
        return Pipeline([("PCA", PCA()), ("SVC", SVC())])

    def one_more():
        for C, n in itertools.product([0.1, 0.5, 1.0], [1, 2, 3]):
            yield {"SVC.C": C + 1, "PCA.n_components": n}

    given = gs.Experiment("given", project=project, estimator=pipeline(), **declared)
    decorated = project.experiment(name="decorated", parameters=grid, **declared)(pipeline)
    provided = gs.Experiment(
        "provided", project=project, estimator=pipeline(), parameters=one_more, **declared
    )
    scalar = gs.Experiment(
        "scalar",
        project=project,
        estimator=pipeline(),
        parameters={"SVC": {"C": 0.5}, "PCA": {"n_components": [2]}},
        **declared,
    )

    if __name__ == "__main__":
        given.execute(grid)
        for experiment in (decorated, provided, scalar):
            experiment.execute()
"""

POINTS = list(itertools.product([0.1, 0.5, 1.0], [1, 2, 3]))


@pytest.fixture(scope="module")
def place(new_workplace: Callable[..., Workplace]) -> Workplace:
    """A workplace in which every grid was carried out."""
    place = new_workplace()
    place.python(place.write("grid.py", SCRIPT))
    return place


@pytest.fixture(scope="module")
def store(place: Workplace) -> Iterator[gs.Store]:
    """Its store."""
    with place.store() as opened:
        yield opened


@pytest.mark.parametrize(("name", "more"), [("given", 0), ("decorated", 0), ("provided", 1)])
def test_every_point_has_its_own_effective_parameters(
    store: gs.Store, name: str, more: int
) -> None:
    """Nine runs of two folds: recorded parameters, and those of the fitted models."""
    runs = store.runs(f"experiment == '{name}'", order_by="number")
    expected = [(C + more, n) for C, n in POINTS]
    assert sorted((r.params["SVC.C"], r.params["PCA.n_components"]) for r in runs) == expected
    for run in runs:
        effective = {each.name: each.value for each in run.hyperparameters}
        assert effective["SVC.C"] == run.params["SVC.C"]
        assert effective["PCA.n_components"] == run.params["PCA.n_components"]
        for fold in (0, 1):
            model = store.output(run, "model", fold=fold, trust=True)
            assert model.get_params()["SVC__C"] == run.params["SVC.C"]
            assert model.named_steps["PCA"].components_.shape[0] == run.params["PCA.n_components"]


def test_scores_are_those_of_the_point_and_not_of_the_one_before(store: gs.Store) -> None:
    """Accuracy of every point and fold against a fit by hand."""
    X, y = load_iris(return_X_y=True)
    for run in store.runs("experiment == 'given'"):
        model = Pipeline(
            [("PCA", PCA(run.params["PCA.n_components"])), ("SVC", SVC(C=run.params["SVC.C"]))]
        )
        expected = [
            model.fit(X[fold.train], y[fold.train]).score(X[fold.test], y[fold.test])
            for fold in store.folds(run)
        ]
        assert run.metrics["accuracy"].folds == pytest.approx(expected, abs=1e-12)


def test_a_scalar_is_as_good_as_a_list(store: gs.Store) -> None:
    """``C: 0.5`` and ``n_components: [2]`` are one point."""
    (run,) = store.runs("experiment == 'scalar'")
    assert dict(run.params) == {"SVC.C": 0.5, "PCA.n_components": 2}


def test_mean_and_standard_deviation_per_point_and_the_best_point(store: gs.Store) -> None:
    """The table against numpy, and the best run against the table."""
    runs = store.runs("experiment == 'decorated'", order_by="number")
    rows = summary_table(runs).to_dicts()
    assert len(rows) == 9
    for row, run in zip(rows, runs, strict=True):
        folds = run.metrics["accuracy"].folds
        assert row["accuracy"] == pytest.approx(np.mean(folds))
        assert row["accuracy_std"] == pytest.approx(np.std(folds, ddof=1))
        assert row["accuracy_n"] == 2


def test_the_best_point_is_told(place: Workplace, store: gs.Store) -> None:
    """``gosset run --json`` names the run with the highest mean accuracy."""
    told = place.json("run", "grid.py::decorated")
    assert told["computations"]["computed"] == 0
    means = {run["id"]: run["metrics"]["accuracy"] for run in told["runs"]}
    assert told["best"]["metric"] == "accuracy"
    assert told["best"]["value"] == means[told["best"]["id"]] == max(means.values())


def test_a_misspelled_parameter_is_refused_before_anything_is_trained(place: Workplace) -> None:
    """Exit code 2, the name that was meant, and nothing written."""
    with place.store() as store:
        before = len(store.select("launches"))
    refused = place.gosset("run", "grid.py::scalar", "-p", "SVC.c=1,2", code=2)
    assert "SVC.c" in refused.stderr
    assert "SVC.C" in refused.stderr
    with place.store() as store:
        assert len(store.select("launches")) == before
