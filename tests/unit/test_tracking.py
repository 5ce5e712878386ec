"""The active run: names that are known, values that may be set, and where it is active."""

import pickle
import threading

import pytest

from gosset.exceptions import UsageError
from gosset.planner.works import RunFacts
from gosset.tracking import OpenValues, Values, active, current_run, log
from gosset.tracking.inside import ActiveRun


def run(**params):
    return ActiveRun(RunFacts(id="1", number=1, name="e#1", seed=0, params=params, config={"k": 1}))


def test_values_read_as_attributes_items_and_mapping():
    values = Values({"lr": 0.1, "SVC.C": 1.0})
    assert values.lr == values["lr"] == 0.1
    assert values["SVC.C"] == 1.0
    assert dict(values) == dict(**values) == {"lr": 0.1, "SVC.C": 1.0}
    assert list(values) == ["lr", "SVC.C"]
    assert len(values) == 2
    assert "SVC.C" in values
    assert "C" not in values


def test_unknown_value_names_the_known_ones():
    with pytest.raises(AttributeError, match="no value 'rl'; known: lr"):
        Values({"lr": 1}).rl  # noqa: B018
    with pytest.raises(AttributeError, match="known: none"):
        Values({}).rl  # noqa: B018
    with pytest.raises(KeyError):
        Values({})["rl"]


def test_given_values_cannot_be_set_and_their_source_is_not_shared():
    source = {"lr": 1}
    values = Values(source)
    with pytest.raises(AttributeError, match="cannot be set"):
        values.lr = 2
    with pytest.raises(TypeError):
        values["lr"] = 2
    source["lr"] = 3
    assert values.lr == 1


def test_store_takes_values_by_attribute_and_item():
    store = OpenValues({})
    store.a = 1
    store["b c"] = 2
    assert dict(store) == {"a": 1, "b c": 2}
    del store.a
    assert "a" not in store


@pytest.mark.parametrize("kind", [Values, OpenValues])
def test_values_survive_pickling(kind):
    again = pickle.loads(pickle.dumps(kind({"lr": 1})))
    assert type(again) is kind
    assert dict(again) == {"lr": 1}


def test_unknown_attribute_of_a_run_is_an_error():
    with pytest.raises(AttributeError):
        run().acuracy = 1


def test_last_value_of_a_metric_counts():
    one = run()
    one.log({"loss": 1})
    one.log({"loss": 0.5, "accuracy": True})
    assert one.metrics == {"loss": 0.5, "accuracy": 1.0}


@pytest.mark.parametrize("value", ["high", None, [1.0]])
def test_metric_that_is_no_number_names_itself(value):
    with pytest.raises(UsageError, match="metric 'loss' is not a number"):
        run().log({"loss": value})


def test_tags_are_kept_once():
    one = run()
    one.set_tags("a", "b")
    one.set_tags("b", "c")
    assert one.tags == ("a", "b", "c")


def test_run_is_active_inside_the_block_only_also_after_an_error():
    with pytest.raises(UsageError, match="no run is active"):
        current_run()
    outer, inner = run(n=1), run(n=2)
    with active(outer):
        with pytest.raises(ZeroDivisionError), active(inner):
            log({"loss": 1 / 0})
        assert current_run() is outer
        log({"loss": 2})
    assert outer.metrics == {"loss": 2.0}
    assert inner.metrics == {}
    with pytest.raises(UsageError):
        log({"loss": 1})


def test_threads_do_not_see_each_others_run():
    found = []

    def look():
        try:
            found.append(current_run())
        except UsageError:
            found.append(None)

    with active(run()):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert found == [None]


def test_run_for_logging_takes_what_is_logged_and_says_nothing_of_what_was_given():
    one = run(lr=0.1)
    blind = one.for_logging()
    blind.log({"loss": 1})
    blind.fields["seen"] = 2
    blind.set_tags("draft")
    assert (one.metrics, dict(one.fields), one.tags) == ({"loss": 1.0}, {"seen": 2}, ("draft",))
    for name in ("seed", "params", "config"):
        with pytest.raises(UsageError, match=f"reads '{name}' of the run.*take {name}"):
            getattr(blind, name)
    assert one.params.lr == 0.1
    with pytest.raises(AttributeError, match="a run has no 'accuracy'"):
        blind.accuracy  # noqa: B018
