"""Cache keys: what differs has another one, what is the same has the same in every process."""

import functools
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

import gosset as gs
from gosset.exceptions import FingerprintError, ParameterError, PipelineError
from gosset.filters import equal


@dataclass(frozen=True)
class Layer:
    size: int = 1
    rate: float = 0.5


@dataclass(frozen=True)
class Model:
    encoder: Layer
    decoder: Layer


class Plain:
    """Has no repr of its own."""

    def __init__(self, n):
        self.n = n


class Named(Plain):
    def __gosset_identity__(self):
        return self.n


def long_array(middle):
    values = np.zeros(5000)
    values[2500] = middle
    return values


def long_frame(middle):
    return pd.DataFrame({"a": long_array(middle), "b": "text"})


@gs.stage
def used(value=None, other=None):
    return 1


def computed_anew(carry_out, first, second):
    """Whether `used` is computed for the second parameter set after the first."""
    _, told = carry_out(used, parameters=[first])
    assert told["computed"] == ["used"]
    _, told = carry_out(used, parameters=[second])
    return told["computed"] == ["used"]


def one_scope():
    return (lambda x: x + 1), (lambda x: x + 2)


plus_one, plus_two = one_scope()

DIFFERENT = {
    "swapped nested dataclasses": (
        {"value": Model(Layer(1), Layer(2))},
        {"value": Model(Layer(2), Layer(1))},
    ),
    "values moved between names": ({"value": 11, "other": 0}, {"value": 10, "other": 1}),
    "swapped values": ({"value": 1, "other": 2}, {"value": 2, "other": 1}),
    "digits moved between name and value": ({"value": [{"a1": 1}]}, {"value": [{"a": 11}]}),
    "two lambdas of one scope": ({"value": plus_one}, {"value": plus_two}),
    "arrays over 1000 items differing in the middle": (
        {"value": long_array(1)},
        {"value": long_array(2)},
    ),
    "frames over 1000 rows differing in the middle": (
        {"value": long_frame(1)},
        {"value": long_frame(2)},
    ),
    "series and its array": ({"value": pd.Series([1.0])}, {"value": np.array([1.0])}),
    "arrays of other dtype": ({"value": np.zeros(3)}, {"value": np.zeros(3, "float32")}),
    "arrays of other shape": ({"value": np.zeros((2, 3))}, {"value": np.zeros((3, 2))}),
    "partials of other arguments": (
        {"value": functools.partial(max, 1)},
        {"value": functools.partial(max, 2)},
    ),
    "number and text": ({"value": 1}, {"value": "1"}),
    "whole and broken number": ({"value": 1}, {"value": 1.0}),
    "number and truth": ({"value": 1}, {"value": True}),
    "nothing and its name": ({"value": None}, {"value": "None"}),
    "list and tuple": ({"value": [1, 2]}, {"value": (1, 2)}),
    "nested otherwise": ({"value": [[1], [2]]}, {"value": [[1, 2]]}),
    "texts divided otherwise": ({"value": ["ab", "c"]}, {"value": ["a", "bc"]}),
    "neighbouring numbers": ({"value": 0.1}, {"value": float(np.nextafter(0.1, 1))}),
    "objects that say what they are": ({"value": Named(1)}, {"value": Named(2)}),
    "types": ({"value": Layer}, {"value": Model}),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_what_differs_is_computed_anew(carry_out, case):
    assert computed_anew(carry_out, *DIFFERENT[case])


SAME = {
    "equal dataclasses": (
        {"value": Model(Layer(1), Layer(2))},
        {"value": Model(Layer(1), Layer(2))},
    ),
    "mappings in another order": ({"value": [{"a": 1, "b": 2}]}, {"value": [{"b": 2, "a": 1}]}),
    "sets in another order": ({"value": {"a", "b", "c"}}, {"value": {"c", "b", "a"}}),
    "parameters in another order": ({"value": 1, "other": 2}, {"other": 2, "value": 1}),
    "a default that is spelled out": ({"value": 1}, {"value": 1, "other": None}),
    "equal arrays in other memory": (
        {"value": np.arange(6).reshape(2, 3)},
        {"value": np.asfortranarray(np.arange(6).reshape(2, 3))},
    ),
    "equal partials": ({"value": functools.partial(max, 1)}, {"value": functools.partial(max, 1)}),
    "not a number": ({"value": float("nan")}, {"value": float("nan")}),
    "equal objects that say what they are": ({"value": Named(1)}, {"value": Named(1)}),
}


@pytest.mark.parametrize("case", SAME)
def test_what_is_the_same_is_computed_once(carry_out, case):
    assert not computed_anew(carry_out, *SAME[case])


@pytest.mark.parametrize("value", [Plain(1), (n for n in range(3))])
def test_value_whose_identity_cannot_be_told_is_an_error(carry_out, store, value):
    # An object without a repr would have another key in each process, or all of them one.
    with pytest.raises(FingerprintError, match="value"):
        carry_out(used, parameters=[{"value": value}])
    assert store.runs() == []


def test_parameter_that_nothing_takes_is_an_error(carry_out):
    with pytest.raises(ParameterError, match="did you mean 'value'"):
        carry_out(used, parameters=[{"valeu": 1}])


def test_parameter_of_another_stage_does_not_count(carry_out):
    @gs.stage
    def after(used, rate: float = 1.0):
        return used * rate

    carry_out(used, after, parameters={"rate": [1.0]})
    _, told = carry_out(used, after, parameters={"rate": [2.0]})
    assert told["computed"] == ["after"]


def test_how_and_where_it_runs_does_not_count(carry_out):
    carry_out(used, parameters={"value": [1, 2]}, notes="here")
    _, told = carry_out(
        used,
        parameters={"value": [1, 2]},
        executor="processes",
        jobs=2,
        timeout=50.0,
        notes="there",
    )
    assert told["computed"] == []


def test_experiments_share_what_is_the_same(carry_out):
    carry_out(used, parameters={"value": [1]}, name="one")
    assert carry_out(used, parameters={"value": [1, 2]}, name="two")[1]["stages"] == {
        "used": {"computed": 1, "cached": 1}
    }


def test_functions_of_one_name_do_not_share(carry_out):
    def made(amount):
        @gs.stage
        def result(n: int = 1):
            return n + amount

        return result

    first, _ = carry_out(made(1))
    second, told = carry_out(made(2))
    assert told["computed"] == ["result"]
    assert first.output(first.runs[0], "result") == 2
    assert second.output(second.runs[0], "result") == 3


def test_functions_of_one_name_in_two_modules_do_not_share(folder):
    for module, amount in (("one", 1), ("two", 2)):
        folder.write(
            f"{module}.py",
            "import gosset as gs\n"
            "@gs.stage\n"
            "def result(n: int = 1):\n"
            f"    return n + {amount}\n"
            "experiment = gs.Experiment('e', stages=[result])\n",
        )
    assert folder.carry_out("one")["outputs"] == {"result": 2}
    assert folder.carry_out("two")["outputs"] == {"result": 3}


def test_same_stage_twice_in_a_run_gives_each_its_own_value(carry_out):
    def double(x):
        return 2 * x

    @gs.stage
    def start(n: int = 1):
        return n

    doubled = gs.stage(name="doubled")(lambda start: double(start))
    again = gs.stage(name="again")(lambda doubled: double(doubled))
    for _ in range(2):
        result, _told = carry_out(start, doubled, again)
        assert result.output(result.runs[0], "doubled") == 2
        assert result.output(result.runs[0], "again") == 4


def test_same_stage_on_other_data_is_another_computation(carry_out):
    @gs.stage
    def model(X):
        return float(X.sum())

    first, _ = carry_out(model, dataset=(np.full((4, 2), 100.0), np.arange(4)))
    second, told = carry_out(model, dataset=(np.full((4, 2), 50.0), np.arange(4)))
    assert told["computed"] == ["model"]
    assert first.output(first.runs[0], "model") == 800.0
    assert second.output(second.runs[0], "model") == 400.0


def test_target_that_a_stage_does_not_take_does_not_count(carry_out):
    @gs.stage
    def model(X):
        return float(X.sum())

    features = np.ones((4, 2))
    carry_out(model, dataset=(features, np.arange(4)))
    assert carry_out(model, dataset=(features, np.arange(4)[::-1]))[1]["computed"] == []


def test_other_folds_are_other_computations_and_equal_folds_are_not(carry_out):
    @gs.stage
    def size(X_train, fold):
        return len(X_train)

    data = (np.arange(12.0).reshape(6, 2), np.arange(6))
    carry_out(size, dataset=data, splits=gs.splits.kfold(3))
    _, told = carry_out(size, dataset=data, splits=gs.splits.kfold(2))
    assert told["stages"]["size"] == {"computed": 2}
    _, told = carry_out(size, dataset=data, splits=gs.splits.kfold(3))
    assert told["stages"]["size"] == {"cached": 3}


def test_inputs_swapped_between_arguments_are_another_computation(carry_out):
    @gs.stage
    def a():
        return 5

    @gs.stage
    def b():
        return 3

    @gs.stage
    def difference(a, b):
        return a - b

    first, _ = carry_out(a, b, difference)
    swapped = replace(difference, inputs={"a": "b", "b": "a"}, settled=True)
    second, told = carry_out(a, b, swapped)
    assert told["computed"] == ["difference"]
    assert first.output(first.runs[0], "difference") == 2
    assert second.output(second.runs[0], "difference") == -2


def test_values_that_print_alike_are_other_inputs(carry_out):
    @gs.stage
    def made(n: int = 0):
        return [1, "1", 1.0, True][n]

    @gs.stage
    def kind(made):
        return type(made).__name__

    result, told = carry_out(made, kind, parameters={"n": [0, 1, 2, 3]})
    assert [result.output(run, "kind") for run in result.runs] == ["int", "str", "float", "bool"]
    assert told["stages"]["kind"] == {"computed": 4}


def test_equal_outputs_of_different_runs_share_what_follows(carry_out):
    @gs.stage
    def parity(n: int = 1):
        return n % 2

    @gs.stage
    def named(parity):
        return ["even", "odd"][parity]

    result, _ = carry_out(parity, named, parameters={"n": [1, 2, 3, 4]})
    assert [result.output(run, "named") for run in result.runs] == ["odd", "even", "odd", "even"]
    _, told = carry_out(parity, named, parameters={"n": [5, 6]})
    assert told["computed"] == ["parity"]


def test_renamed_outputs_are_another_computation(carry_out):
    @gs.stage(outputs=("left", "right"))
    def halves():
        return 1, 2

    carry_out(halves)
    swapped = replace(halves, outputs=("right", "left"))
    result, told = carry_out(swapped)
    assert told["computed"] == ["halves"]
    assert result.output(result.runs[0], "right") == 1


def test_equal_names_are_an_error_instead_of_a_lost_value(carry_out):
    @gs.stage
    def other():
        return 2

    with pytest.raises(PipelineError, match="two stages are named 'used'"):
        carry_out(used, replace(other, name="used"))
    with pytest.raises(PipelineError, match="both give 'used'"):
        carry_out(used, replace(other, outputs=("used",)))
    with pytest.raises(PipelineError, match="an output twice"):
        gs.stage(outputs=("x", "x"))(lambda: (1, 2))


def test_keys_are_the_same_in_every_process(folder):
    folder.write(
        "lab.py",
        "import gosset as gs\n"
        "from dataclasses import dataclass, field\n"
        "@dataclass\n"
        "class Options:\n"
        "    names: set = field(default_factory=lambda: {'a', 'b', 'c', 'd'})\n"
        "TABLE = {'x', 'y', 'z'}\n"
        "@gs.stage\n"
        "def used(options=None, call=None):\n"
        "    return sorted(TABLE)\n"
        "experiment = gs.Experiment('e', stages=[used], parameters=[\n"
        "    {'options': Options(), 'call': lambda x: x + 1}, {'options': [{'k': Options()}]}])\n",
    )
    first = folder.carry_out(cache=False)
    # A hash seed of its own orders sets otherwise.
    for seed in ("1", "2"):
        script = (
            "import sys; sys.path.insert(0, '.')\n"
            "import lab\n"
            "result = lab.experiment.execute(store='sqlite:///lab.db', executor='inline',"
            " progress=False)\n"
            "print(sorted(c.key for r in result.runs for c in result.store.computations(r)))\n"
        )
        done = folder.run("-c", script, PYTHONHASHSEED=seed)
        assert done.stdout.strip() == str(first["keys"])


def test_experiments_whose_names_look_alike_keep_their_own_runs(carry_out, store):
    names = ["a-b", "a_b", "A_B", "a b", "a'; drop table runs; --", "ä"]
    for name in names:
        carry_out(used, name=name)
    assert [len(store.runs(equal(experiment=name))) for name in names] == [1] * len(names)
