"""Scenario 9: metrics are a graph, of which only what is needed is computed, and once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from workplace import Workplace

import gosset as gs
from gosset.entities import ComputationStatus, Run

SCRIPT = """
    import gosset as gs
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    CALLS = "centred was called"

    @gs.stage
    def centred(X):
        print(CALLS)
        return X - X.mean(axis=0)

    @gs.stage(metrics=False)
    def silent(X):
        return X - X.mean(axis=0)

    @gs.metric(direction="minimize")
    def worst_miss(confusion_matrix):
        counts = np.asarray(confusion_matrix["counts"], dtype=float)
        return float(1 - (counts.diagonal() / counts.sum(axis=1)).min())

    @gs.metric
    def spread(centred):
        return float(np.abs(centred).max())

    @gs.metric
    def unheard(silent):
        raise RuntimeError("metrics of this stage are switched off")

    declared = dict(
        dataset=gs.datasets.load_iris(),
        splits=gs.splits.stratified(2),
        estimator=LogisticRegression(max_iter=500),
    )
    launches = [
        ("asked", centred, ["classification"]),
        ("asked", centred, ["classification", worst_miss]),
        ("asked", centred, ["classification", worst_miss, spread]),
        ("off", silent, ["accuracy", unheard]),
        ("none", centred, []),
    ]
    for name, preprocess, metrics in launches:
        experiment = gs.Experiment(name, preprocess=preprocess, metrics=metrics, **declared)
        experiment.execute().raise_for_status()
"""

SCORES = ("accuracy", "precision", "recall", "f1")


@pytest.fixture(scope="module")
def place(new_workplace: Callable[..., Workplace]) -> Workplace:
    """A workplace in which the same work was carried out with ever more metrics."""
    place = new_workplace()
    place.python(place.write("scored.py", SCRIPT))
    return place


@pytest.fixture(scope="module")
def store(place: Workplace) -> Iterator[gs.Store]:
    """Its store."""
    with place.store() as opened:
        yield opened


def runs_of(store: gs.Store, name: str) -> list[Run]:
    """Return the runs of an experiment, first to last."""
    return store.runs(f"experiment == '{name}'", order_by="number")


def computed(store: gs.Store, run: Run) -> Counter[str]:
    """Return stage → how often it was carried out for a run."""
    done = ComputationStatus.COMPUTED
    return Counter(c.stage for c in store.computations(run) if c.status is done)


def test_only_what_the_asked_for_metrics_need_is_computed_once(store: gs.Store) -> None:
    """The usual scores of a classification rest on one confusion matrix per part and fold."""
    first = runs_of(store, "asked")[0]
    parts = ("", "train/")
    of_metrics = {f"{part}{name}": 2 for part in parts for name in ("confusion_matrix", *SCORES)}
    assert computed(store, first) == {"centred": 1, "fit": 2, "evaluate": 2, **of_metrics}
    assert set(first.metrics) == {f"{part}{name}" for part in parts for name in SCORES}


def test_a_metric_of_the_confusion_matrix_takes_the_one_that_is_stored(store: gs.Store) -> None:
    """Nothing but the new metric is computed, and it equals the formula on the matrix."""
    second = runs_of(store, "asked")[1]
    assert computed(store, second) == {"worst_miss": 2, "train/worst_miss": 2}
    for fold in (0, 1):
        counts = np.array(store.output(second, "confusion_matrix", fold=fold)["counts"])
        missed = max(1 - counts[i, i] / counts[i].sum() for i in range(3))
        assert second.metrics["worst_miss"].folds[fold] == pytest.approx(missed, abs=1e-12)


def test_a_metric_can_look_at_what_the_preprocessing_gave(store: gs.Store) -> None:
    """One value, since preprocessing knows no folds; nothing else is computed."""
    third = runs_of(store, "asked")[2]
    assert set(computed(store, third)) == {"spread"}
    centred = store.output(third, "centred")
    assert third.metrics["spread"].value == pytest.approx(np.abs(centred).max(), abs=1e-12)


def test_no_metric_rests_on_a_stage_whose_metrics_are_off(store: gs.Store) -> None:
    """The run finishes with the other metrics."""
    (run,) = runs_of(store, "off")
    assert run.status is gs.Status.COMPLETE
    assert set(run.metrics) == {"accuracy", "train/accuracy"}
    assert "unheard" not in computed(store, run)


def test_without_metrics_the_run_still_finishes(store: gs.Store) -> None:
    """Only the work itself, which was done before."""
    (run,) = runs_of(store, "none")
    assert run.status is gs.Status.COMPLETE
    assert not run.metrics
    assert {c.stage for c in store.computations(run)} == {"centred", "fit", "evaluate"}


def test_metrics_are_suggested_for_the_task_and_for_what_they_consume(place: Workplace) -> None:
    """Names, directions, and the values of which stage they take."""
    listed = {each["name"]: each for each in place.json("metrics", "list", "--task", "regression")}
    assert "root_mean_squared_error" in listed
    assert listed["r2"]["direction"] == "maximize"
    assert "confusion_matrix" not in listed
    for_classes = {m.name: m for m in gs.metrics.available("classification")}
    assert for_classes["accuracy"].consumes == ("confusion_matrix",)
    assert for_classes["confusion_matrix"].consumes == ("truth", "predicted", "labels")
