"""Scenario 5: one experiment under every kind of splitting."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from sklearn.datasets import load_iris
from workplace import Workplace

import gosset as gs
from gosset.entities import Run

SCRIPT = """
    import gosset as gs
    import numpy as np
    from sklearn.dummy import DummyClassifier

    def held_out(rows, seed):
        order = np.random.default_rng(seed).permutation(rows)
        return order[:100], order[100:]

    ten = gs.datasets.from_xy((np.arange(20.0).reshape(10, 2), np.arange(10) % 2), name="ten")
    triples = [
        (range(0, 100), range(100, 120), range(120, 150)),
        (range(50, 150), range(0, 20), range(20, 50)),
    ]
    asked = {
        "random": (gs.datasets.load_iris(), gs.splits.random(test=0.25, validation=0.1)),
        "stratified": (gs.datasets.load_iris(), gs.splits.stratified(4)),
        "ten rows": (ten, gs.splits.kfold(3)),
        "explicit": (gs.datasets.load_iris(), triples),
        "function": (gs.datasets.load_iris(), held_out),
        "none": (gs.datasets.load_iris(), None),
    }
    for name, (dataset, splits) in asked.items():
        experiment = gs.Experiment(
            name,
            dataset=dataset,
            splits=splits,
            estimator=DummyClassifier(strategy="stratified", random_state=0),
            metrics=["accuracy"],
        )
        experiment.execute(seeds=[1, 2]).raise_for_status()
        experiment.execute(seeds=[1]).raise_for_status()
"""

TESTED = ("random", "stratified", "ten rows", "explicit", "function")


@pytest.fixture(scope="module")
def store(new_workplace: Callable[..., Workplace]) -> Iterator[gs.Store]:
    """A store with each experiment carried out with seeds 1 and 2, and again with seed 1."""
    place = new_workplace()
    place.python(place.write("splitting.py", SCRIPT))
    with place.store() as opened:
        yield opened


def runs_of(store: gs.Store, name: str) -> tuple[Run, Run, Run]:
    """Return the runs of an experiment with seed 1, seed 2, and seed 1 again."""
    first, other, again = store.runs(f"experiment == '{name}'", order_by="number")
    assert [run.seed for run in (first, other, again)] == [1, 2, 1]
    return first, other, again


@pytest.mark.parametrize("name", [*TESTED, "none"])
def test_parts_of_a_fold_are_disjoint_and_folds_are_numbered_from_zero(
    store: gs.Store, name: str
) -> None:
    """No row is in two parts of a fold."""
    for run in runs_of(store, name):
        folds = store.folds(run)
        assert [fold.number for fold in folds] == list(range(len(folds)))
        for fold in folds:
            rows = [*fold.train, *fold.validation, *fold.test]
            assert len(rows) == len(set(rows))
            assert len(fold.train) > 0


def test_random_parts_have_the_sizes_asked_for(store: gs.Store) -> None:
    """A quarter to test, a tenth to validate, and the most to train."""
    (fold,) = store.folds(runs_of(store, "random")[0])
    sizes = (len(fold.train), len(fold.validation), len(fold.test))
    assert sizes == (97, 15, 38)
    assert set(runs_of(store, "random")[0].metrics) == {
        "accuracy",
        "validation/accuracy",
        "train/accuracy",
    }


@pytest.mark.parametrize(("name", "k", "rows"), [("stratified", 4, 150), ("ten rows", 3, 10)])
def test_cross_validation_tests_every_row_exactly_once(
    store: gs.Store, name: str, k: int, rows: int
) -> None:
    """Also where the rows cannot be shared out evenly."""
    folds = store.folds(runs_of(store, name)[0])
    assert len(folds) == k
    assert sorted(row for fold in folds for row in fold.test) == list(range(rows))
    for fold in folds:
        assert sorted([*fold.train, *fold.test]) == list(range(rows))


def test_stratified_folds_have_the_same_number_of_each_class(store: gs.Store) -> None:
    """Counts of a class differ by at most one between folds."""
    target = load_iris().target
    folds = store.folds(runs_of(store, "stratified")[0])
    counts = np.array([np.bincount(target[fold.test], minlength=3) for fold in folds])
    assert (counts.max(axis=0) - counts.min(axis=0)).max() <= 1


def test_explicit_rows_are_taken_as_they_are_given(store: gs.Store) -> None:
    """Train, validation and test in the order of the triple."""
    first, second = store.folds(runs_of(store, "explicit")[0])
    assert first.train.tolist() == list(range(100))
    assert first.validation.tolist() == list(range(100, 120))
    assert first.test.tolist() == list(range(120, 150))
    assert second.test.tolist() == list(range(20, 50))


def test_without_a_split_every_row_trains_and_none_is_tested(store: gs.Store) -> None:
    """The scores are those of the training part alone."""
    run, _, _ = runs_of(store, "none")
    (fold,) = store.folds(run)
    assert sorted(fold.train) == list(range(150))
    assert len(fold.validation) == len(fold.test) == 0
    assert set(run.metrics) == {"train/accuracy"}


@pytest.mark.parametrize("name", [*TESTED, "none"])
def test_the_same_seed_gives_the_same_rows(store: gs.Store, name: str) -> None:
    """Another launch with the same seed has the same folds, and the same scores."""
    first, _, again = runs_of(store, name)
    assert first.split == again.split
    assert first.metrics == again.metrics
    assert again.cached


@pytest.mark.parametrize("name", ["random", "stratified", "ten rows", "function"])
def test_another_seed_gives_other_rows(store: gs.Store, name: str) -> None:
    """Every splitting that draws, draws by the seed."""
    first, other, _ = runs_of(store, name)
    assert [f.test.tolist() for f in store.folds(first)] != [
        f.test.tolist() for f in store.folds(other)
    ]
