"""networkx graphs as data: a row for each edge, and a table of the nodes."""

from __future__ import annotations

from typing import Any

from ..exceptions import DatasetError, require
from .building import Schema, data_from_frame
from .data import Data


def data_from_graph(graph: Any, schema: Schema) -> Data:
    """Return the edges of a networkx graph as data, with the nodes beside them.

    The columns are ``source``, ``target`` and the attributes of the edges; ``nodes`` in
    the content has ``node`` and the attributes of the nodes, also of those without edges.
    Nodes that are neither all texts nor all integers go by their ``str``.

    Raises
    ------
    DatasetError
        The graph has no edges, or an attribute is called like one of these columns.
    """
    require("pandas", "frames", "a graph as a dataset")
    import pandas as pd

    nodes = list(graph.nodes)
    alike = any(all(type(node) is kind for node in nodes) for kind in (int, str))
    name = {node: node if alike else str(node) for node in nodes}
    edges = [
        {"source": name[start], "target": name[end], **_apart(attributes, "source", "target")}
        for start, end, attributes in graph.edges(data=True)
    ]
    if not edges:
        raise DatasetError("the graph has no edges")
    table = [{"node": name[node], **_apart(graph.nodes[node], "node")} for node in nodes]
    data = data_from_frame(pd.DataFrame(edges), schema)
    return Data({**data.content, "nodes": pd.DataFrame(table)}, data.columns)


def _apart(attributes: Any, *taken: str) -> dict[str, Any]:
    found = {str(key): value for key, value in attributes.items()}
    for name in taken:
        if name in found:
            raise DatasetError(
                f"the graph has the attribute {name!r}, which is the name of a column",
                hint="rename the attribute",
            )
    return found
