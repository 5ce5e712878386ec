"""What is really different between two experiments, or two code versions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from gosset.compare import executions_diff, experiments_diff
from gosset.entities import Execution, Experiment

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def experiment(name: str, **definition: Any) -> Experiment:
    return Experiment(
        id=name, project="P", name=name, description="", definition=definition, created=NOW
    )


def execution(number: int, sources: dict[str, Any], **packages: Any) -> Execution:
    code = {"sources": sources, "stages": {"fit": {"digest": "x", "packages": packages}}}
    return Execution(
        id=str(number),
        project="P",
        experiment="e",
        number=number,
        fingerprint=str(number),
        code=code,
        created=NOW,
    )


SVC = {"class": "sklearn.svm.SVC", "parameters": {"C": 1.0, "kernel": "rbf"}}


def test_only_real_differences_are_listed_component_by_component() -> None:
    a = experiment(
        "a",
        kind="estimator",
        dataset={"name": "iris", "rows": 150},
        splits={"kind": "stratified", "folds": 5},
        seeds=[0],
        components={"SVC": SVC, "PCA": {"class": "sklearn.decomposition.PCA"}},
    )
    b = experiment(
        "b",
        kind="estimator",
        dataset={"name": "wine", "rows": 150},
        splits={"kind": "stratified", "folds": 10},
        seeds=[1],
        components={"SVC": {**SVC, "parameters": {"C": 2.0, "kernel": "rbf"}}},
    )
    diff = experiments_diff(a, b)
    assert [(d.component, d.name, d.kind, d.left, d.right) for d in diff.differences] == [
        ("dataset", "name", "changed", "iris", "wine"),
        ("splits", "folds", "changed", 5, 10),
        ("seed", "", "changed", [0], [1]),
        ("pipeline", "SVC.parameters.C", "changed", 1.0, 2.0),
        ("pipeline", "PCA", "removed", {"class": "sklearn.decomposition.PCA"}, None),
    ]
    text = diff.to_text()
    assert "rows" not in text
    assert "rbf" not in text
    assert "SVC.parameters.C: 1.0 → 2.0" in text


def test_equal_experiments_do_not_differ() -> None:
    diff = experiments_diff(experiment("a", seeds=[0]), experiment("b", seeds=[0]))
    assert not diff
    assert diff.to_dict()["equal"] is True
    assert diff.to_text() == "a and b do not differ"


def test_numbers_and_truth_values_that_compare_equal_in_python_differ() -> None:
    assert experiments_diff(experiment("a", config={"x": 1}), experiment("b", config={"x": True}))


def test_code_is_a_unified_diff_of_each_source() -> None:
    a = execution(1, {"m.clean": "def clean(x):\n    return x\n", "m.same": "def same(): ..."})
    b = execution(
        2,
        {
            "m.clean": "def clean(x):\n    return x + 1\n",
            "m.same": "def same(): ...",
            "m.new": "def new(): ...",
        },
    )
    diff = executions_diff(a, b)
    assert [(d.name, d.kind) for d in diff.differences] == [
        ("m.clean", "changed"),
        ("m.new", "added"),
    ]
    assert "-    return x\n+    return x + 1" in diff.differences[0].diff
    assert "same" not in diff.to_text()


def test_versions_of_packages_are_compared() -> None:
    diff = executions_diff(execution(1, {}, numpy="1.26"), execution(2, {}, numpy="2.0"))
    (found,) = diff.differences
    assert (found.component, found.name, found.left, found.right) == (
        "packages",
        "numpy",
        "1.26",
        "2.0",
    )


def test_the_code_of_experiments_is_compared_where_it_is_given() -> None:
    code = (execution(1, {"m.f": "a"}), execution(2, {"m.f": "b"}))
    diff = experiments_diff(experiment("a"), experiment("b"), code=code)
    assert [d.component for d in diff.differences] == ["code"]
