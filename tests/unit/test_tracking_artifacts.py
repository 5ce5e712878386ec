"""Artifacts of tracked runs: kept at once, brought to the store whenever it can be written."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from matplotlib.figure import Figure as Drawing

import gosset as gs
from gosset.artifacts.filesystem import FilesystemArtifacts
from gosset.artifacts.memory import MemoryArtifacts
from gosset.exceptions import ArtifactError, NotFoundError, SerializationError, UsageError
from gosset.serializers.charts import Chart
from gosset.serializers.figures import Figure
from gosset.serializers.files import Archive, File
from gosset.store import Store
from gosset.tracking.artifacts import Keeper


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return f"sqlite:///{tmp_path}/lab.db"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with gs.open_store(url) as opened:
        yield opened


class Model:
    """What only pickle takes."""


def test_values_of_every_kind_come_back(url: str, store: Store) -> None:
    with gs.start_run("artifacts", store=url) as run:
        run.log_artifact(np.arange(5000), "array")
        run.log_artifact({"C": (1, 10)}, "grid")
        run.log_artifact(b"bytes", "bytes")
        run.log_artifact(pd.DataFrame({"a": [1]}), "frame")
        run.log_text("χ\n²", "text")
        run.log_dict({"a": [1, None]}, "dict")
    assert list(store.artifacts_of(run.id)) == ["array", "grid", "bytes", "frame", "text", "dict"]
    assert np.array_equal(store.artifact(run.id, "array"), np.arange(5000))
    assert store.artifact(run.id, "grid") == {"C": (1, 10)}
    assert store.artifact(run.id, "bytes") == b"bytes"
    assert store.artifact(run.id, "frame").equals(pd.DataFrame({"a": [1]}))
    assert store.artifact(run.id, "text") == "χ\n²"
    assert store.artifact(run.id, "dict") == {"a": [1, None]}
    assert store.artifacts_of(run.id)["dict"].format == "json"


def test_what_is_pickled_is_read_only_where_it_is_trusted(url: str, store: Store) -> None:
    with gs.start_run("artifacts", store=url) as run:
        run.log_artifact(Model(), "model")
    with pytest.raises(SerializationError, match="trust=True"):
        store.artifact(run.id, "model")
    assert type(store.artifact(run.id, "model", trust=True)).__name__ == "Model"


def test_the_last_of_a_name_counts(url: str, store: Store) -> None:
    with gs.start_run("artifacts", store=url) as run:
        run.log_text("first", "notes")
        run.flush()
        run.log_text("second", "notes")
        run.log_text("third", "notes")
    assert store.artifact(run.id, "notes") == "third"
    assert len(store.artifacts_of(run.id)) == 1


def test_a_value_is_kept_as_it_was_when_it_was_logged(url: str, store: Store) -> None:
    array = np.zeros(1000)
    with gs.start_run("artifacts", store=url) as run:
        run.log_artifact(array, "array")
        array[:] = 1
    assert store.artifact(run.id, "array").sum() == 0


def test_a_file_keeps_its_bytes_and_its_name(url: str, store: Store, tmp_path: Path) -> None:
    data = os.urandom(2_000_000)
    (tmp_path / "model.pt").write_bytes(data)
    with gs.start_run("artifacts", store=url) as run:
        run.log_artifact(tmp_path / "model.pt")
        run.log_artifact(str(tmp_path / "model.pt"), "best/model.pt")
    (tmp_path / "model.pt").unlink()
    for name in ("model.pt", "best/model.pt"):
        back = store.artifact(run.id, name)
        assert isinstance(back, File)
        assert back.read() == data
    assert back.save(tmp_path / "back.pt").read_bytes() == data
    assert len(list(store.artifacts.list())) == 1


def test_a_folder_becomes_an_archive_that_is_unpacked_only_when_asked(
    url: str, store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "plots"
    for name in ("a.png", "b.txt", "deep/c.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name * 500)
    with gs.start_run("artifacts", store=url) as run:
        run.log_artifact(folder)
        run.log_artifact(folder, "images", include="*.png", exclude=["deep/*"])
        run.log_artifacts(folder, "single")
    before = {path for path in tmp_path.rglob("*") if "lab" not in path.name}
    archive = store.artifact(run.id, "plots")
    assert isinstance(archive, Archive)
    assert archive.names() == ["a.png", "b.txt", "deep/c.png"]
    assert store.artifact(run.id, "images").names() == ["a.png"]
    assert store.artifact(run.id, "single/deep/c.png").read() == b"deep/c.png" * 500
    assert {path for path in tmp_path.rglob("*") if "lab" not in path.name} == before
    target = archive.extract(tmp_path / "target")
    assert (target / "deep" / "c.png").read_text() == "deep/c.png" * 500


TABLES: list[Any] = [
    pd.DataFrame({"a": [1, 2]}),
    pl.DataFrame({"a": [1, 2]}),
    pa.table({"a": [1, 2]}),
    [{"a": 1}, {"a": 2, "b": (3,)}],
    {"a": [1, 2], "b": ["x", "y"]},
]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: type(table).__module__)
def test_a_table_comes_back_as_it_was(url: str, store: Store, table: Any) -> None:
    with gs.start_run("artifacts", store=url) as run:
        run.log_table("one", table)
        run.log_table(table, "two")
    for name in ("one", "two"):
        back = store.artifact(run.id, name)
        assert type(back) is type(table)
        assert back.equals(table) if hasattr(table, "equals") else back == table


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"a": [1, 2], "b": [1]}, "different lengths: 'a': 2, 'b': 1"),
        ({"a": 1}, "no columns"),
        ([1, 2], "no mappings"),
        (np.zeros(3), "no table but a ndarray"),
    ],
    ids=["ragged", "no columns", "no rows", "array"],
)
def test_what_is_no_table_is_refused(url: str, table: Any, told: str) -> None:
    with (
        gs.start_run("artifacts", store=url) as run,
        pytest.raises(UsageError, match=told),
    ):
        run.log_table("table", table)


def test_figures_are_kept_as_they_look(
    url: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing = Drawing()
    axes = drawing.subplots()
    axes.plot([1, 2])
    chart, plotly = _chart_of("altair", monkeypatch), _chart_of("plotly.graph_objs", monkeypatch)
    with gs.start_run("artifacts", store=url) as run:
        run.log_figure("drawing", drawing)
        run.log_figure(axes, "axes")
        run.log_figure("chart", chart)
        run.log_figure("plotly", plotly)
        with pytest.raises(UsageError, match="'no' is no figure but a dict"):
            run.log_figure("no", {})
        with pytest.raises(UsageError, match="a figure needs a name"):
            run.log_figure("a", "b")
    assert isinstance(store.artifact(run.id, "drawing"), Figure)
    assert store.artifact(run.id, "axes") == store.artifact(run.id, "drawing")
    assert store.artifact(run.id, "chart") == Chart("vega-lite", {"mark": "bar"})
    assert store.artifact(run.id, "plotly") == Chart("plotly", {"data": []})


def _chart_of(module: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a chart of a library that the tests do not have, with what is asked of it."""

    class TopLevelMixin:
        def to_dict(self) -> dict[str, str]:
            return {"mark": "bar"}

        def to_json(self) -> str:
            return '{"data": []}'

    library = SimpleNamespace(TopLevelMixin=TopLevelMixin, Figure=TopLevelMixin)
    monkeypatch.setitem(sys.modules, module, library)  # type: ignore[misc]
    return TopLevelMixin()


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (lambda run: run.log_artifact((n for n in [1]), "g"), "^g: a generator cannot be kept"),
        (lambda run: run.log_artifact(1), "a int has no name; log_artifact"),
        (lambda run: run.log_artifact("missing.pt"), "no file 'missing.pt'; a text is kept by"),
        (lambda run: run.log_artifact(1, "a", include="*"), "are for folders"),
        (lambda run: run.log_artifact(1, "a", format="npy"), "a int cannot be kept as npy"),
        (lambda run: run.log_artifact(1, "fields['a']"), "names the value of a field"),
        (lambda run: run.log_artifact(1, ""), "is no name for an artifact"),
        (lambda run: run.log_text(1, "a"), "no text but a int"),
        (lambda run: run.log_dict({"a": len}, "a"), "cannot be kept as json"),
        (lambda run: run.log_artifacts("missing"), "no folder 'missing'"),
    ],
    ids=range(10),
)
def test_a_wrong_call_is_refused_at_once(
    url: str, log: Callable[[Any], None], told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with gs.start_run("artifacts", store=url) as run, pytest.raises(UsageError, match=told):
        log(run)


def test_an_artifact_that_is_not_there_is_named(url: str, store: Store) -> None:
    with gs.start_run("artifacts", store=url) as run:
        run.log_text("a", "notes")
    with pytest.raises(NotFoundError, match="no artifact 'note'; did you mean 'notes'"):
        store.artifact(run.id, "note")


# -- trouble with the store


class Broken(FilesystemArtifacts):
    """A store that can be written again when it is told so."""

    works = False

    def writer(self) -> Any:
        if not self.works:
            raise ArtifactError("the disk is full")
        return super().writer()


def test_bytes_wait_nearby_while_the_store_cannot_be_written(tmp_path: Path) -> None:
    broken = Broken(tmp_path / "store")
    keeper = Keeper(broken, [tmp_path / "nearby"])
    with pytest.warns(RuntimeWarning, match="the disk is full; artifacts are kept in .*nearby"):
        ref = keeper.keep(np.arange(1000), "array")
    again = keeper.keep(np.zeros(1000), "other")  # told once
    assert keeper.waiting
    assert not broken.contains(ref.digest)
    broken.works = True
    _wait(lambda: not keeper.waiting)
    assert broken.contains(ref.digest)
    assert broken.contains(again.digest)


def test_a_later_process_brings_what_a_former_one_left(tmp_path: Path) -> None:
    left = FilesystemArtifacts(tmp_path / "nearby").put(b"left" * 1000)
    store = FilesystemArtifacts(tmp_path / "store")
    keeper = Keeper(store, [tmp_path / "nearby"])
    _wait(lambda: not keeper.waiting)
    assert store.read(left) == b"left" * 1000


def test_what_was_damaged_while_it_waited_holds_up_nothing(tmp_path: Path) -> None:
    nearby = FilesystemArtifacts(tmp_path / "nearby")
    digests = [nearby.put(bytes([n]) * 1000) for n in range(5)]
    damaged = nearby.path(digests[2])
    assert damaged is not None
    damaged.write_bytes(b"damaged")
    store = FilesystemArtifacts(tmp_path / "store")
    keeper = Keeper(store, [])
    keeper._elsewhere.insert(0, nearby)
    with pytest.warns(RuntimeWarning, match="damaged"):
        keeper.settle()
    assert not keeper.waiting
    assert [store.contains(digest) for digest in digests] == [True, True, False, True, True]


def test_memory_takes_what_no_folder_does(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    broken = Broken(tmp_path / "store")
    keeper = Keeper(broken, [tmp_path / "file" / "nearby"])
    with pytest.warns(RuntimeWarning, match="kept in memory://"):
        ref = keeper.keep(np.arange(1000), "array")
    broken.works = True
    keeper.settle()
    assert broken.contains(ref.digest)


def test_strict_raises_trouble(tmp_path: Path) -> None:
    keeper = Keeper(Broken(tmp_path / "store"), [tmp_path / "nearby"], strict=True)
    with pytest.raises(ArtifactError, match="disk is full"):
        keeper.keep(np.arange(1000), "array")


def test_what_goes_to_a_server_is_not_waited_for(tmp_path: Path) -> None:
    class Slow:
        """As ``FsspecArtifacts``: no folder of this machine."""

        url = "s3://bucket"

        def __init__(self) -> None:
            self.inside = MemoryArtifacts()

        def writer(self) -> Any:
            time.sleep(0.5)
            return self.inside.writer()

    slow = Slow()
    keeper = Keeper(slow, [tmp_path / "nearby"])  # type: ignore[arg-type]
    start = time.perf_counter()
    ref = keeper.keep(np.arange(1000), "array")
    assert time.perf_counter() - start < 0.4
    keeper.settle()
    assert slow.inside.contains(ref.digest)
    assert not keeper.waiting


def test_an_artifact_of_a_run_survives_that_its_folder_is_in_the_way(
    url: str, tmp_path: Path
) -> None:
    """The whole way: the run goes on, and the next process brings the bytes."""
    script = """
import warnings, sys, numpy as np, gosset as gs
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    with gs.start_run("artifacts", store=sys.argv[1]) as run:
        run.log_artifact(np.arange(1000), "array")
        run.fields["weights"] = np.ones(1000)
print(run.id, len(told))
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    (tmp_path / "lab-artifacts").write_text("in the way")

    def carried_out() -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", script, url],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split()

    run, told = carried_out()
    assert told == "1"
    (tmp_path / "lab-artifacts").unlink()
    assert carried_out()[1] == "0"
    with gs.open_store(url) as store:
        assert store.artifact(run, "array").sum() == 499_500
        assert store.fields(run)["weights"].sum() == 1000
    assert not [p for p in (tmp_path / "spool").rglob("*") if p.is_file()]


def _wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)
