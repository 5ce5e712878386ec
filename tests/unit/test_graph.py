import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gosset.exceptions import PipelineError
from gosset.graph import ancestors, descendants, topological

DIAMOND = {"raw": [], "left": ["raw"], "right": ["raw"], "joined": ["left", "right"], "other": []}


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
    assert ancestors(graph, ["score"]) == {"model"}


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


def test_ancestors_are_the_needed_nodes_without_the_targets_themselves() -> None:
    assert ancestors(DIAMOND, ["joined"]) == {"raw", "left", "right"}
    assert ancestors(DIAMOND, ["raw", "other"]) == set()
    assert ancestors(DIAMOND, ["joined", "left"]) == {"raw", "left", "right"}


def test_descendants_are_the_nodes_that_need_a_target() -> None:
    assert descendants(DIAMOND, ["raw"]) == {"left", "right", "joined"}
    assert descendants(DIAMOND, ["left", "other"]) == {"joined"}


@given(acyclic())
def test_descendants_are_the_converse_of_ancestors(graph: dict[str, list[str]]) -> None:
    for node in graph:
        assert descendants(graph, [node]) == {n for n in graph if node in ancestors(graph, [n])}


def test_a_long_chain_needs_no_recursion() -> None:
    graph = {f"n{i}": [f"n{i - 1}"] if i else [] for i in range(5_000)}
    assert topological(graph)[-1] == "n4999"
    assert len(ancestors(graph, ["n4999"])) == 4_999


@pytest.mark.parametrize("walk", [ancestors, descendants])
def test_an_unknown_target_is_named_with_what_was_meant(walk: object) -> None:
    with pytest.raises(PipelineError, match="nothing is named 'joind'; did you mean 'joined'"):
        walk(DIAMOND, ["joind"])  # type: ignore[operator]
