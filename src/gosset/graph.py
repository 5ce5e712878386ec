"""By-name directed graphs: what comes first.

A graph maps each node to the names that it needs. A name that is needed and is no node
comes from outside (a dataset, a word of the run) and takes no part.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from .exceptions import PipelineError


def topological(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """Order the nodes so that each comes after all that it needs.

    Where the graph leaves it free, the order of declaration is kept: next is always the
    first-declared node that can be.

    Parameters
    ----------
    graph : mapping
        Node → names that it needs.

    Returns
    -------
    list of str
        Every node once.

    Raises
    ------
    PipelineError
        Nodes need each other in a circle, which the message names.

    Examples
    --------
    >>> topological({"score": ["model", "rows"], "rows": [], "model": ["rows"]})
    ['rows', 'model', 'score']
    """
    needs = _materialised(graph)
    sorter = TopologicalSorter(needs)
    try:
        sorter.prepare()
    except CycleError as error:
        raise PipelineError(
            f"{_circle(error.args[1], list(needs))} need each other in a circle",
            hint="take one of them out, or rename the value that it should take instead",
        ) from None
    nodes = list(needs)
    position = {node: index for index, node in enumerate(nodes)}
    order: list[str] = []
    ready: list[int] = []
    while sorter.is_active():
        for node in sorter.get_ready():
            heapq.heappush(ready, position[node])
        order.append(nodes[heapq.heappop(ready)])
        sorter.done(order[-1])
    return order


def _materialised(graph: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Read every iterable once, and leave out the names from outside."""
    return {node: [name for name in needed if name in graph] for node, needed in graph.items()}


def _circle(cycle: list[str], declared: list[str]) -> str:
    """Write a cycle in the direction of need, from the node that was declared first."""
    nodes = cycle[:0:-1]
    start = nodes.index(min(nodes, key=declared.index))
    return " → ".join([*nodes[start:], *nodes[:start], nodes[start]])
