import dataclasses
import enum
import logging
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naming import stable
from sklearn.svm import SVC

from gosset.exceptions import ParameterError
from gosset.parameters import expand, fixed, flatten, grid, group_digest, jsonable, parse_option


class Kernel(enum.Enum):
    RBF = "rbf"


@dataclasses.dataclass
class Optimizer:
    lr: float = 0.1
    betas: tuple[float, float] = (0.9, 0.99)


@dataclasses.dataclass
class Config:
    depth: int = 3
    optimizer: Optimizer = dataclasses.field(default_factory=Optimizer)


# -- flatten


def test_nesting_and_dots_say_the_same() -> None:
    nested = {"SVC": {"C": [0.1, 1.0]}, "PCA": {"n_components": 2}}
    assert flatten(nested) == flatten({"SVC.C": [0.1, 1.0], "PCA.n_components": 2})


def test_dots_and_nesting_mix_at_any_depth() -> None:
    assert flatten({"a.b": {"c": {"d": 1}}, "a": {"b.e": 2}}) == {"a.b.c.d": 1, "a.b.e": 2}


def test_a_fixed_mapping_is_a_value() -> None:
    assert grid({"weights": fixed({"a": 1})}) == [{"weights": {"a": 1}}]


def test_a_step_and_its_parameter_may_both_vary() -> None:
    assert flatten({"SVC": 1, "SVC.C": 2}) == {"SVC": 1, "SVC.C": 2}


def test_a_name_that_is_given_twice_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"'SVC\.C' is given twice"):
        flatten({"SVC": {"C": 1}, "SVC.C": 2})


@pytest.mark.parametrize("name", ["", ".C", "SVC.", "SVC..C", "SVC. .C"])
def test_a_name_with_an_empty_part_is_refused(name: str) -> None:
    with pytest.raises(ParameterError, match="has an empty part"):
        flatten({name: 1})


def test_a_name_that_is_no_text_is_refused() -> None:
    with pytest.raises(ParameterError, match="a parameter is named 3"):
        flatten({"SVC": {3: 1}})


# -- grid


def test_the_last_name_changes_fastest() -> None:
    sets = grid({"a": [1, 2], "b": ["x", "y"]})
    assert sets == [
        {"a": 1, "b": "x"},
        {"a": 1, "b": "y"},
        {"a": 2, "b": "x"},
        {"a": 2, "b": "y"},
    ]
    assert [list(params) for params in sets] == [["a", "b"]] * 4


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ([1, 2], [1, 2]),
        ((1, 2), [1, 2]),
        (range(1, 3), [1, 2]),
        (iter([1, 2]), [1, 2]),
        (np.array([1, 2]), [1, 2]),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.array(3), [np.array(3)]),
        ("rbf", ["rbf"]),
        (3, [3]),
        (None, [None]),
        ([None], [None]),
        ([[1, 2]], [[1, 2]]),
        (fixed([1, 2]), [[1, 2]]),
        ([fixed([1]), 2], [[1], 2]),
    ],
    ids=stable,
)
def test_what_holds_alternatives_and_what_is_one_value(
    written: object, values: list[object]
) -> None:
    assert [params["p"] for params in grid({"p": written})] == values


def test_alternatives_of_an_array_are_plain_numbers() -> None:
    (params,) = grid({"C": np.logspace(-1, -1, 1)})
    assert type(params["C"]) is float


@pytest.mark.parametrize("empty", [[], (), range(0), np.array([])], ids=repr)
def test_a_name_without_alternatives_is_refused(empty: object) -> None:
    with pytest.raises(ParameterError, match=r"'SVC\.C' has no alternatives"):
        grid({"SVC": {"C": empty}})


def test_a_set_is_refused_because_it_has_no_order() -> None:
    with pytest.raises(ParameterError, match="'C' is given as a set"):
        grid({"C": {1, 2}})


def test_an_empty_space_has_one_point() -> None:
    assert grid({}) == grid({"SVC": {}}) == [{}]


@given(
    st.dictionaries(
        st.sampled_from("abcd"), st.lists(st.integers(0, 9), min_size=1, max_size=3), max_size=4
    )
)
def test_a_grid_has_the_product_of_the_sizes(space: dict[str, list[int]]) -> None:
    sets = grid(space)
    assert len(sets) == math.prod(map(len, space.values()))
    for params in sets:
        assert list(params) == list(space)
        assert all(value in space[name] for name, value in params.items())


# -- expand


def test_no_parameters_are_one_empty_set() -> None:
    assert expand(None) == expand({}) == [{}]


def test_a_mapping_is_a_grid() -> None:
    assert expand({"SVC": {"C": [1, 2]}}) == [{"SVC.C": 1}, {"SVC.C": 2}]


def test_each_mapping_of_a_provider_is_one_set_taken_as_it_is() -> None:
    def provider() -> Iterator[dict[str, object]]:
        for c in [0.1, 0.5]:
            yield {"SVC": {"C": c + 1}, "layers": [64, 32], "w": fixed({"a": 1})}

    expected = [
        {"SVC.C": 1.1, "layers": [64, 32], "w": {"a": 1}},
        {"SVC.C": 1.5, "layers": [64, 32], "w": {"a": 1}},
    ]
    assert expand(provider) == expand(provider()) == expand(list(provider())) == expected


def test_a_parameter_map_is_a_function_that_returns_a_space() -> None:
    assert expand(lambda: {"C": [1, 2]}) == [{"C": 1}, {"C": 2}]


def test_a_dataclass_instance_is_one_set_with_its_nested_ones_as_structure() -> None:
    expected = [{"depth": 3, "optimizer.lr": 0.1, "optimizer.betas": (0.9, 0.99)}]
    assert expand(Config()) == expand([Config()]) == expand(Config) == expected


def test_a_dataclass_instance_among_alternatives_is_a_value() -> None:
    first, second = Optimizer(0.1), Optimizer(0.2)
    assert grid({"optimizer": [first, second]}) == [{"optimizer": first}, {"optimizer": second}]


def test_sets_that_occur_twice_are_dropped_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "gosset"):
        assert expand([{"a": 1, "b": 2}, {"a": 2}, {"b": 2, "a": 1}]) == [
            {"a": 1, "b": 2},
            {"a": 2},
        ]
    assert caplog.messages == ["dropped 1 of 3 parameter sets, because they occur twice"]


def test_values_of_different_types_are_different_sets() -> None:
    assert len(expand({"a": [1, 1.0, True, "1"]})) == 4


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ([], "hold no parameter set"),
        ("C=1", "cannot be given as str"),
        (3, "cannot be given as int"),
        (fixed({"C": 1}), "cannot be given as Fixed"),
        ([{"C": 1}, 2], "parameter set 1 is int"),
        ([{"C": 1}, "C"], "parameter set 1 is str"),
    ],
)
def test_what_cannot_be_parameters_is_refused(parameters: object, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        expand(parameters)


def test_group_digest_depends_on_names_and_values_but_not_on_their_order() -> None:
    first = group_digest({"a": 1, "b": "x"})
    assert first == group_digest({"b": "x", "a": 1})
    others = [{"a": "x", "b": 1}, {"a": 1}, {"a": 1.0, "b": "x"}, {"ab": 1, "": "x"}]
    assert len({first, *map(group_digest, others)}) == 5
    assert len(first) == 64


# -- parse_option


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.1,0.5", [0.1, 0.5]),
        ("1, 2", [1, 2]),
        ("-3,+3,.5,1.,1e-3,2E5", [-3, 3, 0.5, 1.0, 0.001, 2e5]),
        ("true,false,null", [True, False, None]),
        ("True,False,None", [True, False, None]),
        ("rbf,linear,none,NONE", ["rbf", "linear", "none", "NONE"]),
        ("two words", ["two words"]),
        ("inf,-inf", [math.inf, -math.inf]),
        ("007,1_0,0x10", ["007", "1_0", "0x10"]),
        ("'1','true',\"a,b\"", ["1", "true", "a,b"]),
        ("''", [""]),
        ("'it\\'s',don't", ["it's", "don't"]),
        ("[1,2],[3]", [[1, 2], [3]]),
        ("[true,null],[None]", [[True, None], [None]]),
        ("(1,2),{'a': [1, 2]}", [(1, 2), {"a": [1, 2]}]),
        ("[',', ']']", [[",", "]"]]),
        ("1:4", [1, 2, 3, 4]),
        ("1:10:4,x", [1, 5, 9, "x"]),
        ("10:0:-5", [10, 5, 0]),
        ("-1:1", [-1, 0, 1]),
        ("'1:4'", ["1:4"]),
        ("a=b", ["a=b"]),
        ("sqlite:///x.db", ["sqlite:///x.db"]),
    ],
)
def test_values_of_an_option(text: str, values: list[object]) -> None:
    name, found = parse_option(f" SVC.C ={text}")
    assert name == "SVC.C"
    assert found == values
    assert list(map(type, found)) == list(map(type, values))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("C", "has no value"),
        ("=1", "has no name"),
        ("C=", "'C' has an empty value"),
        ("C=1,,2", "'C' has an empty value"),
        ("C=[1,2", "lacks a closing ]"),
        ("C='a", "lacks a closing '"),
        ("C=[a]", "cannot be read; inside brackets, put quotes around texts"),
        ("C=5:1", "'5:1', which is empty"),
        ("C=1:5:0", "'1:5:0', which is empty"),
        ("C=0.1:1:0.1", "ranges are START:STOP"),
    ],
)
def test_an_option_that_cannot_be_read_is_refused(text: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        parse_option(text)


LITERALS = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text())


@given(st.lists(LITERALS, min_size=1))
def test_what_python_writes_is_read_back(values: list[object]) -> None:
    assert parse_option(f"p={','.join(map(repr, values))}") == ("p", values)
    assert parse_option(f"p={values!r}") == ("p", [values])


# -- jsonable


@pytest.mark.parametrize(
    ("value", "recorded"),
    [
        (True, True),
        (np.bool_(True), True),
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.float64(0.1), 0.1),
        (np.str_("x"), "x"),
        (np.longdouble("0.5"), "0.5"),
        (math.nan, "nan"),
        (np.float64("inf"), "inf"),
        ((1, [2.5, None]), [1, [2.5, None]]),
        ({"a": (1,), 2: "x"}, {"a": [1], "2": "x"}),
        (Kernel.RBF, "rbf"),
        (fixed([1]), [1]),
        (Path("a/b"), "a/b"),
        (np.array([[1, 2]]), [[1, 2]]),
        (np.zeros((20, 10)), "array(20×10, float64)"),
        (range(3), "range(0, 3)"),
        (len, "builtins.len"),
        (Optimizer, f"{__name__}.Optimizer"),
        (Optimizer(), "Optimizer(lr=0.1, betas=(0.9, 0.99))"),
        (object(), "builtins.object"),
    ],
    ids=stable,
)
def test_what_is_recorded_of_a_value(value: object, recorded: object) -> None:
    found = jsonable(value)
    assert found == recorded
    assert type(found) is type(recorded)


def test_estimators_are_recorded_with_what_was_set() -> None:
    assert jsonable(SVC(C=2.0)) == "SVC(C=2.0)"


def test_large_objects_are_recorded_by_their_type() -> None:
    assert jsonable(frozenset(range(500))) == "builtins.frozenset"
