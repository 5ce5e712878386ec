"""Runs of which some folds failed."""

import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

import gosset as gs
from gosset.exceptions import MetricError, NotFoundError
from gosset.running.rescoring import compute_metrics, with_results


class Unlucky(ClassifierMixin, BaseEstimator):
    """Fails where a certain row is among those that it learns from."""

    def __init__(self, row=None):
        self.row = row

    def fit(self, X, y):
        if self.row is not None and self.row in X[:, 0]:
            raise ValueError("no")
        self.classes_ = [0, 1]
        return self

    def predict(self, X):
        return [0] * len(X)


def test_metric_is_over_all_folds_or_the_run_has_none(store):
    rows = [[float(n)] for n in range(10)]
    experiment = gs.Experiment(
        "unlucky",
        dataset=(rows, [0, 1] * 5),
        splits=gs.splits.kfold(5),
        estimator=Unlucky(),
        parameters={"row": [None, 0.0]},
        metrics=["accuracy"],
    )
    result = experiment.execute(executor="inline", store=store, progress=False)
    good, failed = result.runs
    assert [str(run.status) for run in result.runs] == ["complete", "failed"]
    assert failed.metrics == {}
    # What the one fold gave that did not fail stays where it is.
    (kept,) = {c.fold for c in store.computations(failed) if c.stage == "accuracy" and c.outputs}
    values = [store.output(run, "accuracy", fold=kept) for run in result.runs]
    assert values[0] == values[1]
    assert store.runs("metrics.accuracy > 0.1") == [good]
    # Nor do its results give a metric later.
    assert with_results(store, result.runs) == [good]
    with pytest.raises(MetricError, match="on some of its folds"):
        compute_metrics(store, [failed], ["f1_macro"])


def test_output_that_is_not_there_is_told_by_its_fold_or_by_what_failed(store):
    @gs.stage
    def part(fold):
        if len(fold.test) and 0 in fold.test:
            raise ValueError("no")
        return 1

    @gs.stage
    def after(part):
        return part

    experiment = gs.Experiment(
        "parts", stages=[part, after], dataset=([[0.0]] * 4, [0] * 4), splits=gs.splits.kfold(2)
    )
    (run,) = experiment.execute(executor="inline", store=store, progress=False).runs
    failed, good = (0, 1) if store.computations(run)[0].exception else (1, 0)
    assert store.output(run, "after", fold=good) == 1
    with pytest.raises(NotFoundError) as told:
        store.output(run, "after", fold=17)
    assert str(told.value).startswith("run parts#1 has no fold 17; its folds are 0–1")
    with pytest.raises(NotFoundError, match="has no fold 17"):
        store.results(run, fold=17)
    for name in ("part", "after"):
        with pytest.raises(NotFoundError) as told:
            store.output(run, name, fold=failed)
        assert f"run parts#1 has no output '{name}' on fold {failed}" in str(told.value)
        assert "stage 'part' failed with ValueError: no" in str(told.value)
    with pytest.raises(NotFoundError, match="did you mean 'after'"):
        store.output(run, "aftr", fold=good)


def test_metric_that_is_not_logged_on_every_fold_is_told_once(carry_out):
    @gs.stage
    def fit(fold, seed):
        gs.log({"all": 1.0, **({"some": 2.0} if fold.number != 1 else {})})

    rows = [[float(n)] for n in range(9)]
    options = {"dataset": (rows, [0, 1, 0] * 3), "splits": gs.splits.kfold(3), "seeds": [1, 2]}
    result, told = carry_out(fit, **options)
    assert [[*run.metrics] for run in result.runs] == [["all"], ["all"]]
    (warning,) = [each for each in told["warnings"] if "'some'" in each]
    assert warning.startswith("metric 'some' is not logged on fold 1: ")
