"""What people are told who look for what is not there."""

import pytest
from sklearn.dummy import DummyClassifier

import gosset as gs
from gosset.exceptions import NotFoundError, UsageError
from gosset.queries.lookup import find
from gosset.settings import Settings


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


def test_name_of_hexadecimal_letters_is_a_name():
    dataset = ([[float(n)] for n in range(10)], [0, 1] * 5)
    with gs.open_store("memory://") as store:
        for name in ("facade", "decade"):
            declared = gs.Experiment(name, dataset=dataset, estimator=DummyClassifier())
            declared.execute(store=store, progress=False)
        for name in ("facade", "decade"):
            kind, found = find(store, name)
            assert (kind, found.name) == ("experiments", name)
        assert find(store, "facade", ["datasets"])[1].name == "facade"


@pytest.fixture
def alone():
    """A store with one run, whose id begins as that of its launch does."""
    with gs.open_store("memory://") as store:
        gs.Experiment("one", stages=[gs.stage(one)]).execute(store=store, progress=False)
        yield store


@pytest.mark.parametrize("spelled", [str.lower, str.upper])
def test_beginning_of_ids_of_several_kinds_is_told(alone, spelled):
    begins = spelled(alone.runs()[0].id[:4])
    with pytest.raises(UsageError, match=f"'{begins}' begins ids among runs, launches"):
        find(alone, begins, ["runs", "launches"])


def test_name_comes_before_ids_that_begin_like_it(alone):
    begins = alone.runs()[0].id[:4]
    alone.catalog.ensure_experiment("default", begins)
    assert find(alone, begins, ["runs"])[0] == "runs"
    kind, found = find(alone, begins, ["runs", "launches", "experiments"])
    assert (kind, found.name) == ("experiments", begins)


def test_name_that_ends_in_latest_is_no_reference_to_the_latest(lab):
    found = gs.Experiment("ourlatest", project="Lab", stages=[gs.stage(one)])
    found.execute(store=lab, progress=False)
    settings = Settings(project="default")
    assert find(lab, "ourlatest", settings=settings)[1].name == "ourlatest"
