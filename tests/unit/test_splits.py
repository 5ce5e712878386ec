"""Folds: checking them, comparing them, and bytes."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from gosset.exceptions import SerializationError, SplitError
from gosset.splits import Fold, digest_folds, folds_from_bytes, folds_to_bytes, validate


def test_a_fold_has_its_own_read_only_integers():
    rows = np.array([0, 1], dtype=np.int32)
    fold = Fold(0, 0, rows, [], (2,))
    rows[0] = 7
    assert fold.train.tolist() == [0, 1]
    assert {part.dtype for part in (fold.train, fold.validation, fold.test)} == {np.dtype("int64")}
    with pytest.raises(ValueError, match="read-only"):
        fold.test[0] = 1


def test_a_fold_stays_read_only_through_pickle():
    fold = pickle.loads(pickle.dumps(Fold(3, 1, [0, 1], [2], [3])))
    assert fold == Fold(3, 1, [0, 1], [2], [3])
    assert not fold.train.flags.writeable


@pytest.mark.parametrize(
    "other",
    [
        Fold(1, 0, [0, 1], [2], [3]),
        Fold(0, 1, [0, 1], [2], [3]),
        Fold(0, 0, [1, 0], [2], [3]),
        Fold(0, 0, [0, 1, 2], [], [3]),
        Fold(0, 0, [0, 1], [2], [4]),
    ],
)
def test_folds_differ_by_number_repeat_rows_and_their_order(other):
    fold = Fold(0, 0, [0, 1], [2], [3])
    assert fold != other
    assert fold.digest != other.digest
    assert len({fold, other, Fold(0, 0, [0, 1], [2], [3])}) == 2


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ([True, False], "fold 4, train: the first row is True, of type bool; give row numbers"),
        ([0.0, 1.0], "fold 4, train: the first row is 0.0, of type float"),
        (["0"], "fold 4, train: the first row is '0', of type str"),
        ([[0], [1]], "fold 4, train: rows of shape (2, 1)"),
        ([[0], [1, 2]], "fold 4, train: not a list of row numbers"),
        (3, "fold 4, train: rows of shape ()"),
    ],
)
def test_rows_that_are_no_integers_are_refused(train, message):
    with pytest.raises(SplitError) as caught:
        Fold(4, 0, train, [], [9])
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        ([], "the split has no folds"),
        ([Fold(1, 0, [0], [], [1])], "fold 1 stands at position 0"),
        ([Fold(0, 0, [], [], [1])], "fold 0, train: no rows"),
        ([Fold(0, 0, [0], [1], [])], "fold 0, test: no rows"),
        ([Fold(0, 0, [0], [], [1]), Fold(1, 0, [0], [], [5])], "fold 1, test: row 5 is out of"),
        ([Fold(0, 0, [0, -1], [], [1])], "fold 0, train: row -1 is out of range; rows are"),
        ([Fold(0, 0, [0, 2, 0], [], [1])], "fold 0, train: row 0 is there more than once"),
        ([Fold(0, 0, [0, 3], [], [1, 3])], "fold 0: row 3 is in train and in test"),
        ([Fold(0, 0, [0, 3], [3], [1])], "fold 0: row 3 is in train and in validation"),
        ([Fold(0, 0, [0], [2, 3], [1, 2])], "fold 0: row 2 is in validation and in test"),
    ],
)
def test_what_is_no_split_is_refused(folds, message):
    with pytest.raises(SplitError) as caught:
        validate(folds, 5)
    assert str(caught.value).startswith(message)


def test_only_an_untested_split_may_lack_test_rows():
    validate([Fold(0, 0, [0, 1], [], [])], 2, untested=True)
    with pytest.raises(SplitError, match="train: no rows"):
        validate([Fold(0, 0, [], [], [])], 2, untested=True)


@st.composite
def splits(draw):
    folds = []
    for number in range(draw(st.integers(1, 4))):
        rows = draw(st.permutations(range(draw(st.integers(2, 20)))))
        first, second = sorted(
            draw(st.tuples(st.integers(0, len(rows)), st.integers(0, len(rows))))
        )
        train, *held = rows[:first], rows[first:second], rows[second:]
        if draw(st.booleans()):
            train = sorted(train)
        folds.append(Fold(number, draw(st.integers(0, 3)), train, *held))
    return tuple(folds)


@given(splits())
@settings(max_examples=200, deadline=None)
def test_folds_come_back_from_bytes(folds):
    data = folds_to_bytes(folds)
    assert folds_from_bytes(data) == folds
    assert digest_folds(folds) == blake3(data).hexdigest()


def test_bytes_of_leave_one_out_grow_with_the_rows_alone():
    rows = np.arange(1000)
    folds = [Fold(i, 0, np.delete(rows, i), [], [i]) for i in rows]
    assert len(folds_to_bytes(folds)) < 30 * 1000
    assert folds_from_bytes(folds_to_bytes(folds))[-1] == folds[-1]


def test_rows_beyond_32_bits_come_back():
    fold = Fold(0, 0, [2**40], [], [0])
    assert folds_from_bytes(folds_to_bytes([fold])) == (fold,)


def test_the_bytes_are_those_of_this_version():
    folds = [Fold(0, 0, [1, 2], [], [0]), Fold(1, 0, [2, 0], [], [1])]
    assert (
        digest_folds(folds)
        == blake3(
            b"gosset-folds-1\n"
            b'{"dtype":"<i4","folds":[[0,0,-2,0,1],[1,0,2,0,1]]}\n'
            + np.array([0, 2, 0, 1], "<i4").tobytes()
        ).hexdigest()
    )


@pytest.mark.parametrize("cut", [0, 5, 20, -1])
def test_bytes_that_are_no_folds_are_refused(cut):
    data = folds_to_bytes([Fold(0, 0, [1, 2], [], [0])])
    with pytest.raises(SerializationError, match="not folds"):
        folds_from_bytes(data[:cut])
    with pytest.raises(SerializationError, match="not folds"):
        folds_from_bytes(b"x" + data)
