"""Datasets of experiments: under which names they are kept, and what stages get of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

import gosset as gs
from gosset.exceptions import DatasetError

X = np.arange(20.0).reshape(10, 2)
FRAME = pd.DataFrame({"u": X[:, 0], "v": X[:, 1], "y": X[:, 0] + 1})


def kept(store: gs.Store) -> list[str]:
    found: list[Any] = list(store.catalog.select("datasets"))
    return sorted(f"{each.name}@{each.version}" for each in found)


def fitted(store: gs.Store, name: str, dataset: Any) -> None:
    experiment = gs.Experiment(name, dataset=dataset, estimator=Ridge(), splits=2, metrics=[])
    result = experiment.execute(store=store, executor="inline", progress=False)
    result.raise_for_status()


def test_data_without_a_name_are_kept_under_the_experiments() -> None:
    with gs.open_store("memory://") as store:
        fitted(store, "first", (X, X[:, 0]))
        fitted(store, "second", lambda: (X, X[:, 1]))
        fitted(store, "second", (X, -X[:, 1]))
        assert kept(store) == ["first@1", "second@1", "second@2"]


def test_data_with_a_name_keep_it() -> None:
    with gs.open_store("memory://") as store:
        fitted(store, "first", gs.datasets.from_arrays(X, X[:, 0], name="data"))
        fitted(store, "second", gs.datasets.as_source((X, X[:, 1]), name="mine"))
        assert kept(store) == ["data@1", "mine@1"]


def test_an_experiment_like_a_parameter_of_a_stage_gives_it_no_data() -> None:
    """The name under which data are kept is none by which stages find them."""

    @gs.stage
    def scaled(X: Any, factor: float = 2.0) -> float:
        return float(factor * X.sum())

    experiment = gs.Experiment("factor", dataset=(X, X[:, 0]), stages=[scaled])
    result = experiment.execute(store="memory://", executor="inline", progress=False)
    assert result.output(result.runs[0], "scaled") == 2 * X.sum()


def test_each_name_gives_a_stage_what_the_documentation_says() -> None:
    @gs.stage
    def looked(data: Any, mine: Any, X: Any, y: Any) -> list[Any]:
        kinds = [type(each).__name__ for each in (data, mine, X, y)]
        return [*kinds, list(mine.columns), list(X.columns), data["v"].sum(), data[["y"]].shape]

    source = gs.datasets.from_frame(FRAME, name="mine", target="y")
    result = gs.Experiment("e", dataset=source, stages=[looked]).execute(
        store="memory://", executor="inline", progress=False
    )
    assert result.output(result.runs[0], "looked") == [
        *("Data", "DataFrame", "DataFrame", "ndarray"),
        *(["u", "v", "y"], ["u", "v"], FRAME["v"].sum(), (10, 1)),
    ]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("w", "no column 'w'; known are 'u', 'v', 'y'"),
        (["u", "why"], "no column 'why'"),
        (0, "not a value of type int; data.frame is the DataFrame"),
        (X[:, 0] > 3, "not a value of type ndarray; data.frame is the DataFrame"),
    ],
)
def test_a_column_that_is_not_there_is_named(columns: Any, said: str) -> None:
    data = gs.datasets.from_frame(FRAME, name="mine", target="y").load()
    with pytest.raises(DatasetError, match=said):
        data[columns]
