"""What every serializer promises, of each of them."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from blake3 import blake3
from scipy import sparse

from gosset.artifacts.filesystem import FilesystemArtifacts
from gosset.artifacts.values import keep, load
from gosset.serializers import choose, serializers
from gosset.serializers.charts import Chart
from gosset.serializers.files import Archive, File


def text() -> object:
    return "χ² of the\r\nfit"


def binary() -> object:
    return bytes(range(256)) * 10


def plain() -> object:
    return {
        "shape": (2, 3),
        "names": {"alpha", "beta", "gamma", "delta"},
        "frozen": frozenset([frozenset("ab"), frozenset("cd")]),
        1: [None, True, float("inf")],
    }


def array() -> object:
    return np.asfortranarray(np.arange(600_000.0).reshape(600, 1000))


def frame() -> object:
    return pd.DataFrame(
        {
            "name": ["a", "b", None] * 100,
            "kind": pd.Categorical(["x", "y", "x"] * 100, categories=["z", "y", "x"]),
            "time": pd.date_range("2026-01-01", periods=300, freq="h", tz="Europe/Berlin"),
            "value": np.linspace(0, 1, 300),
        }
    )


def series() -> object:
    return pd.Series([1, 2, None], index=["a", "b", "c"], dtype="Int64", name=("a", 1))


def table() -> object:
    return pa.table({"a": [1, 2, None], "b": [["x"], [], None]})


def polars_frame() -> object:
    return pl.DataFrame({"a": [1, None], "b": pl.Series(["x", "y"], dtype=pl.Categorical)})


def matrix() -> object:
    return sparse.random_array((50, 40), density=0.1, format="csr", rng=np.random.default_rng(1))


def figure() -> object:
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(2, 2))
    drawn.subplots().plot([1, 2, 3], label="loss")
    return drawn


def chart() -> object:
    return Chart("vega-lite", {"mark": "bar", "data": {"values": [{"χ": 1}]}})


def plotly_figure() -> object:
    return Chart("plotly", {"data": [{"y": [1, 2]}], "layout": {}})


def file() -> object:
    return File(lambda: io.BytesIO(b"a\r\nb" * 1000))


def archive() -> object:
    return Archive(lambda: io.BytesIO(tar_of({"a.txt": b"a", "b/c.txt": b"c" * 2000})))


def tar_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as to:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            to.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def estimator() -> object:
    from sklearn.linear_model import LogisticRegression

    generator = np.random.default_rng(1)
    features = pd.DataFrame(generator.random((40, 3)), columns=["a", "b", "c"])
    return LogisticRegression(C=0.5).fit(features, [0, 1] * 20)


MAKERS: dict[str, list[Callable[[], object]]] = {
    "text": [text],
    "bytes": [binary],
    "json": [plain],
    "npy": [array],
    "parquet": [frame, series],
    "arrow": [table],
    "polars": [polars_frame],
    "sparse": [matrix],
    "figure": [figure],
    "vega-lite": [chart],
    "plotly": [plotly_figure],
    "file": [file],
    "tar": [archive],
    "pickle": [estimator],
}
CASES = [pytest.param(name, make, id=make.__name__) for name in MAKERS for make in MAKERS[name]]


def dumped(name: str, value: object) -> bytes:
    buffer = io.BytesIO()
    serializer = choose(value, format=name)
    serializer.dump(value, buffer)
    return buffer.getvalue()


def same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other) and one.flags.f_contiguous == other.flags.f_contiguous
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
        return True
    if isinstance(one, pd.Series):
        pd.testing.assert_series_equal(one, other)
        return True
    if sparse.issparse(one):
        return bool(one.format == other.format and (one != other).nnz == 0)
    if isinstance(one, File):
        return one.read() == other.read()
    if isinstance(one, Archive):
        return [(n, one.read(n)) for n in one.names()] == [(n, other.read(n)) for n in one.names()]
    return bool(one.equals(other)) if hasattr(one, "equals") else bool(one == other)


def test_every_serializer_has_a_case() -> None:
    assert list(MAKERS) == [serializer.name for serializer in serializers()]


@pytest.mark.parametrize(("name", "make"), CASES)
def test_it_is_chosen_for_its_kind_of_value(name: str, make: Callable[[], object]) -> None:
    assert choose(make()).name == name


@pytest.mark.parametrize(("name", "make"), CASES)
def test_the_value_comes_back(name: str, make: Callable[[], object], tmp_path: Path) -> None:
    artifacts = FilesystemArtifacts(tmp_path)
    ref = keep(make(), "value", artifacts)
    back = load(ref, artifacts, trust=True)
    artifacts.delete(ref.digest)
    if name == "figure":
        assert back._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]
        assert "</svg>" in back._repr_svg_()  # type: ignore[attr-defined]
    elif name == "pickle":
        assert back.coef_.tolist() == make().coef_.tolist()  # type: ignore[attr-defined]
    else:
        assert type(back) is type(make())
        assert same(back, make())


@pytest.mark.parametrize(("name", "make"), CASES)
def test_a_loaded_value_has_the_same_bytes_again(name: str, make: Callable[[], object]) -> None:
    first = dumped(name, make())
    serializer = choose(make(), format=name)
    assert dumped(name, serializer.load(io.BytesIO(first))) == first


@pytest.mark.parametrize(("name", "make"), CASES)
def test_equal_values_have_equal_bytes(name: str, make: Callable[[], object]) -> None:
    assert dumped(name, make()) == dumped(name, make())


def digests() -> dict[str, str]:
    return {
        make.__name__: blake3(dumped(name, make())).hexdigest()
        for name, makers in MAKERS.items()
        for make in makers
    }


def test_bytes_are_the_same_in_every_process() -> None:
    script = "import test_serializer_contract as contract; print(contract.digests())"
    printed = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parent)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert printed == {str(digests())}


@pytest.mark.parametrize("serializer", serializers(), ids=lambda serializer: serializer.name)
def test_a_value_of_another_kind_is_not_taken(serializer: Any) -> None:
    class Other:
        pass

    assert serializer.takes(Other()) == (serializer.name == "pickle")
    assert not serializer.takes(n for n in [1, 2])
