"""What is shared between stages cannot be changed by one of them for the others."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import gosset as gs
from gosset.running.guarding import guarded


def test_array_comes_back_as_a_view_that_cannot_be_written():
    array = np.zeros(2)
    with pytest.raises(ValueError, match="read-only"):
        guarded(array)[0] = 1
    assert np.shares_memory(guarded(array), array)
    array[0] = 1  # the owner still can


@pytest.mark.parametrize("make", [scipy.sparse.csr_matrix, scipy.sparse.coo_array])
def test_sparse_matrix_comes_back_as_a_copy(make):
    matrix = make(np.eye(2))
    guarded(matrix).data *= 2
    assert matrix.sum() == 2


def test_frame_comes_back_as_a_copy():
    frame = pd.DataFrame({"a": [1.0, 2.0]})
    given = guarded(frame)
    given.loc[0, "a"] = 9.0
    assert frame["a"].tolist() == [1.0, 2.0]


def test_data_of_arrays_are_guarded_part_by_part():
    data = gs.datasets.from_arrays(np.zeros((2, 1)), [0, 1], name="tiny").load()
    with pytest.raises(ValueError, match="read-only"):
        guarded(data).X[0, 0] = 1
    assert guarded(data).digest == data.digest


def test_containers_come_back_as_deep_copies_and_all_else_as_it_is():
    nested = {"layers": [1]}
    guarded(nested)["layers"].append(2)
    assert nested == {"layers": [1]}
    thing = object()
    assert guarded(thing) is thing
