"""Scenarios 1 and 2: the first start in an empty home; datasets of every kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from workplace import Workplace

import gosset as gs

DATASETS = """
    import json
    import sys
    import gosset as gs
    import networkx as nx
    import numpy as np
    import pandas as pd

    frame = pd.DataFrame(
        {"height": [1.5, 1.6, 1.7], "grade": ["b", "a", "b"], "weight": [50, 60, 70]}
    )
    if sys.argv[1:] == ["changed"]:
        frame.loc[1, "weight"] = 61
    table = pd.DataFrame(np.arange(8.0).reshape(4, 2), columns=["left", "right"])
    graph = nx.Graph()
    graph.add_node("alone", colour="red")
    graph.add_edge("a", "b", weight=0.5)
    graph.add_edge("b", "c", weight=2.0)

    sources = [
        gs.datasets.load_iris(),
        gs.datasets.from_csv("fruits.csv", target="fruit"),
        gs.datasets.from_frame(frame, name="pupils", target="grade"),
        gs.datasets.from_arrays(np.arange(8.0).reshape(4, 2), columns=["left", "right"], name="matrix"),
        gs.datasets.as_source(graph, name="friends"),
    ]

    def look(run):
        run.fields["looked"] = True

    for source in sources:
        gs.Experiment(f"look at {source.name}", dataset=source, steps=[look]).execute()
"""

FRUITS = """
    weight,fruit,price
    150.0,apple,1.5
    120.0,pear,1.2
    155.0,apple,1.6
"""


def test_the_first_commands_in_an_empty_home(workplace: Workplace) -> None:
    """Scenario 1: settings and a store are made, defaults, empty lists, exit code 0, at once."""
    settings = workplace.json("config", "list")
    assert {"store", "project", "executor", "jobs"} <= set(settings)
    assert settings["jobs"] == {"value": None, "origin": "default"}
    assert "default" in workplace.gosset("config", "list").stdout
    assert workplace.json("list", "datasets") == []
    assert workplace.json("data", "list") == []
    assert {"config.toml", "store.db", ".gitignore"} <= {
        file.name for file in (workplace.folder / ".gosset").iterdir()
    }
    assert workplace.json("init")["created"] is False
    assert workplace.json("list", "datasets") == []


@pytest.mark.parametrize("scope", ["user", "project", "local"])
def test_settings_round_trip_also_in_a_new_section(workplace: Workplace, scope: str) -> None:
    """Scenario 1: what was set is got, where there was no file, or no section in it."""
    project = workplace.write("pyproject.toml", '[project]\nname = "study"  # mine\n')
    workplace.gosset("config", "set", "--scope", scope, "project", "My first study")
    workplace.gosset("config", "set", "--scope", scope, "jobs", "3")
    assert workplace.gosset("config", "get", "project").stdout == "My first study\n"
    got = workplace.json("config", "get", "jobs")
    assert got["value"] == 3
    assert project.read_text() == '[project]\nname = "study"  # mine\n'
    origin = workplace.json("config", "list")["jobs"]["origin"]
    assert {"user": "home", "project": "gosset.toml", "local": ".gosset"}[scope] in origin


def test_a_section_of_the_project_file_is_edited_in_its_place(workplace: Workplace) -> None:
    """Scenario 1: where ``pyproject.toml`` speaks of Gosset, it is asked and changed."""
    project = workplace.write("pyproject.toml", "[tool.gosset]\njobs = 2  # few\n\n[tool.other]\n")
    workplace.gosset("config", "set", "--scope", "project", "project", "My first study")
    assert workplace.gosset("config", "get", "project").stdout == "My first study\n"
    assert workplace.gosset("config", "get", "jobs").stdout == "2\n"
    assert "jobs = 2  # few\n" in project.read_text()
    assert project.read_text().endswith("[tool.other]\n")


def test_a_setting_that_does_not_exist_is_a_wrong_call(workplace: Workplace) -> None:
    """Scenario 1: exit code 2, and the name that was meant."""
    refused = workplace.gosset("config", "set", "job", "3", code=2)
    assert "jobs" in refused.stderr


@pytest.fixture(scope="module")
def loaded(new_workplace: Callable[..., Workplace]) -> dict[str, Any]:
    """Datasets of five kinds, kept, kept again, and kept with one cell changed."""
    place = new_workplace()
    place.write("fruits.csv", FRUITS)
    script = place.write("datasets.py", DATASETS)
    listed = []
    for words in ([], [], ["changed"]):
        place.python(script, *words)
        listed.append(place.json("list", "datasets", "--sort", "name,version"))
    return {"place": place, "first": listed[0], "again": listed[1], "changed": listed[2]}


def columns_of(dataset: dict[str, Any]) -> dict[str, str]:
    """Return column → role."""
    return {column["name"]: column["role"] for column in dataset["columns"]}


def test_five_kinds_of_data_are_five_datasets(loaded: dict[str, Any]) -> None:
    """Scenario 2: attributes, target flags and row counts of each."""
    by_name = {dataset["name"]: dataset for dataset in loaded["first"]}
    assert len(loaded["first"]) == len(by_name) == 5
    assert {name: dataset["rows"] for name, dataset in by_name.items()} == {
        "iris": 150, "fruits": 3, "pupils": 3, "matrix": 4, "friends": 2,
    }  # fmt: skip
    assert [role for role in columns_of(by_name["iris"]).values()].count("feature") == 4
    assert columns_of(by_name["fruits"]) == {
        "weight": "feature", "fruit": "target", "price": "feature",
    }  # fmt: skip
    assert columns_of(by_name["pupils"]) == {
        "height": "feature", "grade": "target", "weight": "feature",
    }  # fmt: skip
    assert columns_of(by_name["matrix"]) == {"left": "feature", "right": "feature"}
    assert set(columns_of(by_name["friends"])) == {"source", "target", "weight"}
    assert by_name["iris"]["targets"] == ["target"]


def test_a_graph_keeps_its_nodes_also_those_without_edges(loaded: dict[str, Any]) -> None:
    """Scenario 2: two edges, four nodes, and their attributes."""
    with loaded["place"].store() as store:
        content = store.dataset("friends").content
    assert len(content["frame"]) == 2
    nodes = content["nodes"].set_index("node")
    assert set(nodes.index) == {"alone", "a", "b", "c"}
    assert nodes.loc["alone", "colour"] == "red"


def test_labels_keep_their_names(loaded: dict[str, Any]) -> None:
    """Scenario 2: of a coded target as of a target that is text."""
    with loaded["place"].store() as store:
        data = {name: store.dataset(f"{name}@1") for name in ("iris", "fruits", "pupils")}
    assert data["iris"].labels == ("setosa", "versicolor", "virginica")
    assert set(data["fruits"].labels) == {"apple", "pear"}
    assert list(data["fruits"].y) == ["apple", "pear", "apple"]
    assert list(data["pupils"].y) == ["b", "a", "b"]
    assert np.asarray(data["pupils"].X).tolist() == [[1.5, 50], [1.6, 60], [1.7, 70]]


def test_the_same_content_is_no_new_version_and_one_cell_makes_one(loaded: dict[str, Any]) -> None:
    """Scenario 2: versions 1 and 2 of what was changed, and nothing else new."""
    assert loaded["again"] == loaded["first"]
    new = [d for d in loaded["changed"] if d not in loaded["first"]]
    assert [(d["name"], d["version"]) for d in new] == [("pupils", 2)]
    assert len(loaded["changed"]) == 6


def test_both_versions_can_be_had_by_their_digests(loaded: dict[str, Any]) -> None:
    """Scenario 2: the cell as it was, and as it is; shown by digest and by NAME@VERSION."""
    place = loaded["place"]
    first, second = (d for d in loaded["changed"] if d["name"] == "pupils")
    with place.store() as store:
        versions = [store.dataset(told["digest"]).frame for told in (first, second)]
    cells = [version["weight"].tolist() for version in versions]
    assert cells == [[50, 60, 70], [50, 61, 70]]
    assert place.json("data", "show", first["digest"])["version"] == 1
    assert place.json("show", "pupils@2")["digest"] == second["digest"]


def test_the_command_loads_files_and_bundled_data(workplace: Workplace) -> None:
    """Scenario 2: by name of a column; the same content twice is one version."""
    workplace.write("fruits.csv", FRUITS)
    words = ("data", "load", "fruits.csv", "--target", "fruit")
    kept = workplace.json(*words)
    assert (kept["name"], kept["version"], kept["rows"], kept["targets"]) == (
        "fruits",
        1,
        3,
        ["fruit"],
    )
    assert (kept["new"], workplace.json(*words)["new"]) == (True, False)
    workplace.edit("fruits.csv", "1.2", "1.3")
    assert workplace.json(*words)["version"] == 2
    refused = workplace.gosset("data", "load", "fruits.csv", "--target", "friut", "--json", code=2)
    assert "fruit" in json.loads(refused.stderr)["error"]["hint"]
    assert (
        gs.datasets.load_iris().load().digest
        == workplace.json("data", "load", "sklearn:iris")["digest"]
    )
