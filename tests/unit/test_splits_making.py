"""Splits: whatever is declared gives proper folds, and scikit-learn's where it says so."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naming import stable
from sklearn import model_selection as ms

import gosset.splits as splits
from gosset.datasets import from_arrays
from gosset.exceptions import SplitError
from gosset.splits import Fold, depends_on_seed, describe, make_folds


def data(rows=30, classes=3, groups=None, y="classes", seed=0):
    rng = np.random.default_rng(seed)
    targets = {
        "classes": np.arange(rows) % classes,
        "text": np.array(["abcdefgh"[i % classes] for i in range(rows)]),
        "number": rng.normal(size=rows),
        None: None,
    }
    held = None if groups is None else np.arange(rows) % groups
    return from_arrays(rng.normal(size=(rows, 2)), targets[y], groups=held, name="data").load()


def parts(fold):
    return fold.train.tolist(), fold.validation.tolist(), fold.test.tolist()


def same_as_sklearn(folds, splitter, d):
    groups = d.groups if "Group" in type(splitter).__name__ else None
    theirs = [(a.tolist(), b.tolist()) for a, b in splitter.split(d.X, d.y, groups)]
    return [(f.train.tolist(), f.test.tolist()) for f in folds] == theirs


# -- what every split keeps


@given(
    rows=st.integers(12, 80),
    k=st.integers(2, 6),
    seed=st.integers(0, 2**63),
    validation=st.sampled_from([0.0, 0.1, 0.25, 2]),
    repeats=st.integers(1, 3),
    kind=st.sampled_from(["kfold", "stratified", "grouped", "unshuffled"]),
)
@settings(max_examples=80, deadline=None)
def test_k_fold_tests_every_row_once_in_each_repeat(rows, k, seed, validation, repeats, kind):
    d = data(rows, classes=2, groups=7)
    options = {"validation": validation if kind != "stratified" else 0.0}
    if kind == "unshuffled":
        splitter, repeats = splits.kfold(k, shuffle=False, **options), 1
    elif kind == "grouped":
        k = min(k, 4)  # else the validation part would take all groups
        splitter, repeats = splits.grouped(k, **options), 1
    else:
        splitter = getattr(splits, kind)(k, repeats=repeats, **options)
    folds = make_folds(splitter, d, seed)
    assert [f.number for f in folds] == list(range(k * repeats))
    assert [f.repeat for f in folds] == [i // k for i in range(k * repeats)]
    for repeat in range(repeats):
        tested = np.concatenate([f.test for f in folds if f.repeat == repeat])
        assert sorted(tested.tolist()) == list(range(rows))
    for fold in folds:
        together = np.concatenate([fold.train, fold.validation, fold.test])
        assert sorted(together.tolist()) == list(range(rows))
        if kind in ("kfold", "unshuffled"):
            assert abs(fold.test.size - rows / k) < 1


@given(
    rows=st.integers(5, 300),
    test=st.sampled_from([0.1, 0.25, 0.5]),
    validation=st.sampled_from([0.0, 0.1, 0.2]),
    seed=st.integers(0, 2**40),
)
@settings(max_examples=60, deadline=None)
def test_random_parts_are_disjoint_shares_of_all_rows(rows, test, validation, seed):
    (fold,) = make_folds(splits.random(test, validation), data(rows), seed)
    assert fold.test.size == int(np.ceil(test * rows))
    assert fold.validation.size == int(np.ceil(validation * rows))
    together = np.concatenate([fold.train, fold.validation, fold.test])
    assert sorted(together.tolist()) == list(range(rows))


def test_ratios_are_shares_of_all_rows():
    (fold,) = make_folds(splits.random(test=0.25, validation=0.1), data(100), 1)
    assert (fold.train.size, fold.validation.size, fold.test.size) == (65, 10, 25)


def test_sizes_may_be_given_as_numbers_of_rows():
    (fold,) = make_folds(splits.random(test=7, validation=3), data(30), 1)
    assert (fold.train.size, fold.validation.size, fold.test.size) == (20, 3, 7)


SEEDED = [
    splits.random(),
    splits.random(validation=0.2),
    splits.random(stratify=True),
    splits.kfold(3),
    splits.stratified(3),
    splits.repeated(3, 2),
    splits.grouped(3, validation=0.2),
    ms.KFold(3, shuffle=True),
    ms.RepeatedStratifiedKFold(n_splits=3, n_repeats=2),
    ms.ShuffleSplit(2),
    "random",
    lambda rows, seed: tuple(np.split(np.random.default_rng(seed).permutation(rows), 2)),
]


@pytest.mark.parametrize("splitter", SEEDED, ids=stable)
def test_same_seed_same_folds_and_other_seed_other_folds(splitter):
    d = data(groups=10)
    assert depends_on_seed(splitter)
    assert make_folds(splitter, d, 1) == make_folds(splitter, d, 1)
    assert make_folds(splitter, d, 1) != make_folds(splitter, d, 2)
    assert make_folds(splitter, d, 1) != make_folds(splitter, d, 2**32 + 1)


@pytest.mark.parametrize(
    "splitter",
    [
        splits.random(seed=3),
        splits.kfold(3, seed=3),
        splits.kfold(3, shuffle=False),
        splits.grouped(3),
        splits.timeseries(3),
        splits.leave_one_out(),
        splits.none(),
        3,
        None,
        ms.KFold(3),
        ms.KFold(3, shuffle=True, random_state=0),
        ms.ShuffleSplit(2, random_state=np.random.RandomState(4)),
        ms.GroupKFold(3),
        ms.TimeSeriesSplit(3),
        [([0], [1])],
        lambda rows: (range(rows - 1), [rows - 1]),
    ],
    ids=stable,
)
def test_splits_with_a_seed_of_their_own_or_none_do_not_change(splitter):
    d = data(groups=10)
    assert not depends_on_seed(splitter)
    assert make_folds(splitter, d, 1) == make_folds(splitter, d, 2)


@pytest.mark.parametrize("validation", [0.1, 5])
@pytest.mark.parametrize("make", [splits.kfold, splits.stratified])
def test_validation_leaves_the_test_rows_as_they_are(make, validation):
    d = data(60)
    bare, held = make_folds(make(4), d, 1), make_folds(make(4, validation=validation), d, 1)
    for a, b in zip(bare, held, strict=True):
        assert a.test.tolist() == b.test.tolist()
        assert sorted([*b.train, *b.validation]) == a.train.tolist()
        assert b.validation.size == 6 if validation == 0.1 else 5


@given(
    counts=st.lists(st.integers(5, 20), min_size=2, max_size=4),
    k=st.integers(2, 5),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=50, deadline=None)
def test_stratified_class_counts_differ_by_one_at_most(counts, k, seed):
    y = np.repeat(np.arange(len(counts)), counts)
    d = from_arrays(np.zeros((y.size, 1)), y, name="d").load()
    folds = make_folds(splits.stratified(k), d, seed)
    table = np.array([np.bincount(y[f.test], minlength=len(counts)) for f in folds])
    assert (table.max(axis=0) - table.min(axis=0) <= 1).all()


def test_stratified_random_parts_keep_the_classes():
    d = data(90, classes=3, y="text")
    (fold,) = make_folds(splits.random(0.2, 0.1, stratify=True), d, 1)
    for part, each in ((fold.train, 21), (fold.validation, 3), (fold.test, 6)):
        assert np.unique(d.y[part], return_counts=True)[1].tolist() == [each] * 3


def test_groups_are_never_torn_apart():
    d = data(60, groups=12)
    for splitter in (
        splits.grouped(4, validation=0.2),
        splits.kfold(4, groups=True, validation=0.2),
        splits.grouped(3, stratify=True),
    ):
        for fold in make_folds(splitter, d, 1):
            held = [
                set(d.groups[rows].tolist()) for rows in (fold.train, fold.validation, fold.test)
            ]
            assert len(set.union(*held)) == sum(map(len, held))
    assert all(f.validation.size >= 12 for f in make_folds(splits.grouped(4, validation=0.2), d, 1))


# -- scikit-learn's rows

EQUAL = [
    (splits.kfold(4, seed=1), ms.KFold(4, shuffle=True, random_state=1)),
    (splits.kfold(4, shuffle=False), ms.KFold(4)),
    (splits.stratified(4, seed=1), ms.StratifiedKFold(4, shuffle=True, random_state=1)),
    (splits.kfold(4, stratify=True, shuffle=False), ms.StratifiedKFold(4)),
    (splits.grouped(4), ms.GroupKFold(4)),
    (splits.grouped(3, stratify=True), ms.StratifiedGroupKFold(3)),
    (splits.repeated(4, 3, seed=1), ms.RepeatedKFold(n_splits=4, n_repeats=3, random_state=1)),
    (
        splits.repeated(4, 3, stratify=True, seed=1),
        ms.RepeatedStratifiedKFold(n_splits=4, n_repeats=3, random_state=1),
    ),
    (splits.random(0.3, seed=1, repeats=3), ms.ShuffleSplit(3, test_size=0.3, random_state=1)),
    (
        splits.random(0.3, stratify=True, seed=1, repeats=3),
        ms.StratifiedShuffleSplit(3, test_size=0.3, random_state=1),
    ),
    (splits.timeseries(4), ms.TimeSeriesSplit(4)),
    (splits.timeseries(3, test_size=4, gap=2), ms.TimeSeriesSplit(3, test_size=4, gap=2)),
    (splits.leave_one_out(), ms.LeaveOneOut()),
    (5, ms.StratifiedKFold(5)),
]


@pytest.mark.parametrize(("ours", "theirs"), EQUAL, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("rows", [31, 48])
def test_declared_splits_are_those_of_scikit_learn(ours, theirs, rows):
    d = data(rows, groups=7)
    assert same_as_sklearn(make_folds(ours, d, 99), theirs, d)
    if not isinstance(ours, int):
        assert make_folds(theirs, d, 99) == tuple(
            Fold(f.number, f.repeat if hasattr(theirs, "n_repeats") else 0, f.train, [], f.test)
            for f in make_folds(ours, d, 99)
        )


@given(
    rows=st.integers(6, 70),
    seed=st.integers(0, 2**32 - 1),
    share=st.floats(0.05, 0.6),
    k=st.integers(2, 5),
)
@settings(max_examples=60, deadline=None)
def test_equality_with_scikit_learn_for_any_seed_and_size(rows, seed, share, k):
    d = data(rows, y="number")
    for ours, theirs in (
        (splits.random(share, seed=seed), ms.ShuffleSplit(1, test_size=share, random_state=seed)),
        (splits.kfold(k, seed=seed), ms.KFold(k, shuffle=True, random_state=seed)),
        (splits.timeseries(k), ms.TimeSeriesSplit(k)),
    ):
        assert same_as_sklearn(make_folds(ours, d, 0), theirs, d)


def test_a_splitter_without_a_seed_gets_that_of_the_run_and_stays_as_it_was():
    d, splitter = data(), ms.KFold(3, shuffle=True)
    folds = make_folds(splitter, d, 7)
    assert splitter.random_state is None
    assert same_as_sklearn(folds, ms.KFold(3, shuffle=True, random_state=7), d)


def test_a_generator_in_a_splitter_is_not_moved_on():
    state = np.random.RandomState(5)
    splitter = ms.ShuffleSplit(2, random_state=state)
    before = state.get_state()[1].copy()
    assert make_folds(splitter, data(), 1) == make_folds(splitter, data(), 1)
    assert (state.get_state()[1] == before).all()


def test_a_user_class_with_split_is_a_splitter():
    class FirstRows:
        def split(self, X, y=None, groups=None):
            yield range(2, len(X)), range(2)

    (fold,) = make_folds(FirstRows(), data(5), 1)
    assert parts(fold) == ([2, 3, 4], [], [0, 1])


def test_repeats_of_scikit_learn_are_recognised():
    folds = make_folds(ms.RepeatedKFold(n_splits=3, n_repeats=2), data(), 1)
    assert [(f.number, f.repeat) for f in folds] == [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1), (5, 1)]


# -- integers, names, functions, explicit rows


def test_an_integer_stratifies_classes_and_cuts_numbers_in_order():
    for kind in ("classes", "text"):
        d = data(31, y=kind)
        assert same_as_sklearn(make_folds(4, d, 0), ms.StratifiedKFold(4), d)
    for kind in ("number", None):
        d = data(31, y=kind)
        assert same_as_sklearn(make_folds(4, d, 0), ms.KFold(4), d)


def test_none_trains_on_all_rows():
    for splitter in (None, "none", splits.none()):
        (fold,) = make_folds(splitter, data(4), 0)
        assert parts(fold) == ([0, 1, 2, 3], [], [])


@pytest.mark.parametrize(
    ("name", "folds"),
    [("random", 1), ("kfold", 5), ("stratified", 5), ("grouped", 5), ("timeseries", 5),
     ("leave-one-out", 30), ("leave_one_out", 30), ("none", 1)],
)  # fmt: skip
def test_splits_go_by_name(name, folds):
    assert len(make_folds(name, data(groups=10), 0)) == folds


@pytest.mark.parametrize(
    "fold",
    [
        ([0, 1], [2]),
        ([0, 1], [], [2]),
        {"train": [0, 1], "test": [2]},
        {"train": [0, 1], "validation": [], "test": [2]},
        (np.array([0, 1]), pd.Series([2])),
        Fold(9, 9, [0, 1], [], [2]),
    ],
)
def test_rows_may_be_given_explicitly(fold):
    for splitter in ([fold], splits.explicit([fold]), iter([fold])):
        assert [parts(f) for f in make_folds(splitter, data(5), 0)] == [([0, 1], [], [2])]


def mask(rows):
    tested = np.arange(rows) < 2
    return ~tested, tested


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda data: (range(2), [2]), [([0, 1], [], [2])]),
        (lambda rows: ([0], [1], [rows - 1]), [([0], [1], [4])]),
        (
            lambda X, y, groups: [([0, 1], [2]), ([1, 2], [0])],
            [([0, 1], [], [2]), ([1, 2], [], [0])],
        ),
        (lambda seed, shift=1: {"train": [seed], "test": [seed + shift]}, [([3], [], [4])]),
        (mask, [([2, 3, 4], [], [0, 1])]),
        (lambda rows: [mask(rows)], [([2, 3, 4], [], [0, 1])]),
        (lambda **_: (([i], [i + 1]) for i in range(2)), [([0], [], [1]), ([1], [], [2])]),
    ],
)
def test_a_function_is_answered_by_argument_name(function, expected):
    assert [parts(f) for f in make_folds(function, data(5), 3)] == expected
    assert [parts(f) for f in make_folds(splits.function(function), data(5), 3)] == expected


# -- wrong input

WRONG = [
    ([([0, 1], [1, 2])], "fold 0: row 1 is in train and in test"),
    ([([0], [1]), ([0, 2, 2], [1])], "fold 1, train: row 2 is there more than once"),
    ([([0], [30])], "fold 0, test: row 30 is out of range; rows are numbered from 0 to 29"),
    ([([0], [-1])], "fold 0, test: row -1 is out of range"),
    ([([0], [])], "fold 0, test: no rows"),
    ([([True], [1])], "fold 0, train: the first row is True, of type bool"),
    ([([0.5], [1])], "fold 0, train: the first row is 0.5, of type float"),
    ([], "the split has no folds"),
    ([[0]], "fold 0 is a list of 1; give (train, test)"),
    ([{"train": [0], "tset": [1]}], "fold 0 has the part 'tset'"),
    ([{"train": [0]}], "fold 0 lacks 'train' or 'test'"),
    ("kfolds", "no split 'kfolds'; did you mean 'kfold'?"),
    (1, "1 folds; use 2 or more"),
    (True, "True is no split"),
    (2.5, "2.5 is no split"),
    (ms.KFold, "the class KFold; make one: KFold(…)"),
    (splits.kfold(31), "31 folds of 30 rows"),
    (40, "40 folds of 30 rows"),
    (splits.random(0.9, 5), "27 test and 5 validation rows of 30 leave none to train on"),
    (splits.kfold(2, validation=15), "15 validation rows of 15 leave none to train on"),
    (splits.timeseries(40), "40 folds with 1 test rows and a gap of 0 need more than 30 rows"),
    (splits.grouped(3), "a grouped split needs groups; declare the dataset with groups=…"),
    (ms.GroupKFold(3), "GroupKFold cannot split the data: The 'groups' parameter should not"),
    (ms.KFold(31), "KFold cannot split the data: Cannot have number of splits"),
    (lambda fold: None, "split function <lambda> has the argument 'fold'; known are 'X', "),
    (lambda rows: rows, "split function <lambda> returned int"),
    (lambda rows: [([0], [True] * 3)], "fold 0, test: the first row is True, of type bool"),
]


@pytest.mark.parametrize(("splitter", "message"), WRONG, ids=stable)
def test_wrong_splits_are_named_in_one_line(splitter, message):
    with pytest.raises(SplitError) as caught:
        make_folds(splitter, data(), 1)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_an_argument_that_is_not_answered_is_named():
    with pytest.raises(SplitError, match=r"has the argument 'group'; did you mean 'groups'\?"):
        splits.function(lambda group: None)


@pytest.mark.parametrize("y", ["number", None])
def test_stratifying_needs_classes(y):
    with pytest.raises(SplitError, match="target"):
        make_folds("stratified", data(y=y), 1)


@pytest.mark.parametrize(
    "declare",
    [
        lambda: splits.kfold(1),
        lambda: splits.kfold(True),
        lambda: splits.kfold(2.0),
        lambda: splits.kfold(3, shuffle=False, repeats=2),
        lambda: splits.kfold(3, validation=1.0),
        lambda: splits.kfold(3, seed=-1),
        lambda: splits.random(0.0),
        lambda: splits.random(1.5),
        lambda: splits.random(float("nan")),
        lambda: splits.random(test="0.2"),
        lambda: splits.random(repeats=0),
        lambda: splits.timeseries(3, gap=-1),
        lambda: splits.timeseries(3, test_size=0),
        lambda: splits.explicit("abc"),
        lambda: splits.explicit([]),
        lambda: make_folds("random", data(), -1),
    ],
)
def test_parameters_that_make_no_sense_are_refused(declare):
    with pytest.raises(SplitError):
        declare()


# -- descriptions


def test_descriptions_are_json_and_tell_parameters_apart():
    described = [
        describe(s)
        for s in (
            splits.kfold(3), splits.kfold(4), splits.random(), splits.timeseries(), None, 5,
            ms.KFold(3), ms.KFold(4), ms.RepeatedKFold(n_splits=3, n_repeats=2),
            ms.ShuffleSplit(random_state=np.random.RandomState(1)),
            ms.PredefinedSplit([0, 1, 1]), ms.PredefinedSplit([0, 0, 1]),
            [([0], [1])], [([0], [2])], mask, lambda rows: ([0], [1]),
        )
    ]  # fmt: skip
    texts = [json.dumps(d, allow_nan=False) for d in described]
    assert len(set(texts)) == len(texts)
    assert all(set(d) == {"class", "parameters"} for d in described)


def test_a_scikit_learn_splitter_is_described_by_its_public_name():
    assert describe(ms.RepeatedKFold(n_splits=3, n_repeats=2, random_state=1)) == {
        "class": "sklearn.model_selection.RepeatedKFold",
        "parameters": {"n_splits": 3, "n_repeats": 2, "random_state": 1},
    }


def test_small_classes_warn_as_in_scikit_learn_but_split():
    d = from_arrays(np.zeros((7, 1)), list("aaaabbb"), name="d").load()
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        assert len(make_folds(splits.stratified(4), d, 1)) == 4
