"""What people are told who look for what is not there."""

import pytest

import gosset as gs
from gosset.exceptions import NotFoundError
from gosset.queries.lookup import find


def one():
    return 1


@pytest.fixture
def lab():
    with gs.open_store("memory://") as store:
        for name in ("iris", "wine"):
            gs.Experiment(name, stages=[gs.stage(one)]).execute(store=store, progress=False)
        yield store


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("nope", "experiments are 'iris', 'wine'; gosset list runs shows the runs"),
        ("latestt", "did you mean 'latest'?"),
        ("iris@1", "did you mean 'iris#1'?"),
        ("iris#7", "did you mean 'iris#1'?"),
        ("irs", "did you mean 'iris#1'?"),
    ],
)
def test_what_is_nowhere_is_answered_by_what_could_be_meant(lab, reference, told):
    with pytest.raises(NotFoundError) as raised:
        find(lab, reference)
    assert raised.value.hint == told


def test_in_an_empty_store_there_is_nothing_to_suggest():
    with gs.open_store("memory://") as store, pytest.raises(NotFoundError) as raised:
        find(store, "nope")
    assert raised.value.hint == "nothing was run yet"
