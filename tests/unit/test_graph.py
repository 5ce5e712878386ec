import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gosset.exceptions import PipelineError
from gosset.graph import topological


@st.composite
def acyclic(draw: st.DrawFn) -> dict[str, list[str]]:
    """A graph whose edges follow a hidden order, declared in another one."""
    names = [f"n{i}" for i in range(draw(st.integers(0, 8)))]
    pairs = list(itertools.combinations(names, 2))
    chosen = draw(st.sets(st.sampled_from(pairs))) if pairs else set()
    needs = {name: sorted(a for a, b in chosen if b == name) for name in names}
    return {name: needs[name] for name in draw(st.permutations(names))}


def test_order_of_declaration_is_kept_where_the_graph_leaves_it_free() -> None:
    assert topological({"c": [], "a": [], "b": []}) == ["c", "a", "b"]
    assert topological({"late": ["x"], "free": [], "x": []}) == ["free", "x", "late"]


@given(acyclic())
def test_every_node_comes_once_and_after_all_that_it_needs(graph: dict[str, list[str]]) -> None:
    order = topological(graph)
    assert sorted(order) == sorted(graph)
    for node, needed in graph.items():
        assert all(order.index(name) < order.index(node) for name in needed)


@given(acyclic())
def test_an_order_that_is_valid_already_is_not_changed(graph: dict[str, list[str]]) -> None:
    order = topological(graph)
    assert topological({node: graph[node] for node in order}) == order


def test_names_from_outside_take_no_part() -> None:
    graph = {"model": ["dataset", "seed"], "score": ["model", "dataset"]}
    assert topological(graph) == ["model", "score"]


def test_iterables_that_can_be_read_only_once_are_read_once() -> None:
    assert topological({"b": iter(["a"]), "a": iter([])}) == ["a", "b"]


@pytest.mark.parametrize(
    ("graph", "circle"),
    [
        ({"a": ["b"], "b": ["a"]}, "a → b → a"),
        ({"a": ["a"]}, "a → a"),
        ({"free": [], "a": ["b"], "c": ["a"], "b": ["free", "c"]}, "a → b → c → a"),
    ],
)
def test_a_cycle_is_named_in_the_direction_of_need(
    graph: dict[str, list[str]], circle: str
) -> None:
    with pytest.raises(PipelineError, match=f"^{circle} need each other"):
        topological(graph)


def test_a_long_chain_needs_no_recursion() -> None:
    graph = {f"n{i}": [f"n{i - 1}"] if i else [] for i in range(5_000)}
    assert topological(graph)[-1] == "n4999"
