"""Keeping values and loading them."""

from __future__ import annotations

import dataclasses
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from gosset.artifacts.filesystem import FilesystemArtifacts
from gosset.artifacts.memory import MemoryArtifacts
from gosset.artifacts.values import INLINE_LIMIT, keep, load
from gosset.exceptions import (
    ArtifactDamagedError,
    ArtifactMissingError,
    NotFoundError,
    SerializationError,
)


class Model:
    """Anything that only pickle takes."""

    def __init__(self) -> None:
        self.weights = [1.0, 2.0]
        self.lock: object = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and self.weights == other.weights


@pytest.fixture
def artifacts(tmp_path: Path) -> FilesystemArtifacts:
    return FilesystemArtifacts(tmp_path)


@pytest.mark.parametrize("length", [0, 1, INLINE_LIMIT, INLINE_LIMIT + 1, 100_000])
def test_few_bytes_lie_in_the_reference_and_many_in_the_store(
    length: int, artifacts: FilesystemArtifacts
) -> None:
    ref = keep(b"x" * length, "data", artifacts)
    assert (ref.name, ref.format, ref.size) == ("data", "bytes", length)
    assert (ref.inline is not None) == (length <= INLINE_LIMIT)
    assert artifacts.contains(ref.digest) == (length > INLINE_LIMIT)
    assert load(ref, artifacts) == b"x" * length


def test_the_digest_does_not_depend_on_where_the_bytes_lie(artifacts: FilesystemArtifacts) -> None:
    text = "y" * INLINE_LIMIT
    assert keep(text, "text", artifacts).digest == artifacts.put(text.encode())


def test_the_identity_tells_types_apart(artifacts: FilesystemArtifacts) -> None:
    values = [1, "1", b"1", True, 1.0, [1], (1,), np.float64(1), np.array(1), None]
    assert len({keep(value, "v", artifacts).identity for value in values}) == len(values)


def test_a_named_format_is_used(artifacts: FilesystemArtifacts) -> None:
    assert keep("text", "t", artifacts, format="json").inline == b'"text"'
    with pytest.raises(SerializationError) as caught:
        keep([1], "t", artifacts, format="npy", where="stage 'a', output 't'")
    assert str(caught.value) == (
        "stage 'a', output 't': a list cannot be kept as npy and come back the same; "
        "format='json' takes it"
    )
    with pytest.raises(NotFoundError, match="did you mean 'parquet'"):
        keep([1], "t", artifacts, format="parket")


def test_what_cannot_be_kept_says_where_and_leaves_nothing(artifacts: FilesystemArtifacts) -> None:
    model = Model()
    model.weights = [0.1] * 100_000
    model.lock = threading.Lock()
    with pytest.raises(SerializationError) as caught:
        keep(model, "model", artifacts, where="stage 'trained', output 'model'")
    assert str(caught.value).startswith("stage 'trained', output 'model': a Model cannot be kept")
    assert ".lock" in str(caught.value)
    assert [path for path in Path(artifacts.url[7:]).rglob("*") if path.is_file()] == []


def test_a_librarys_refusal_is_wrapped(artifacts: FilesystemArtifacts) -> None:
    import pandas as pd

    frame = pd.DataFrame({"t": np.array([2**62], dtype="datetime64[s]")})
    with pytest.raises(SerializationError, match="output 't': a DataFrame cannot be kept as parq"):
        keep(frame, "t", artifacts, where="output 't'")


def test_pickles_are_loaded_on_trust_only(artifacts: FilesystemArtifacts) -> None:
    ref = keep(Model(), "model", artifacts)
    assert ref.format == "pickle"
    with pytest.raises(SerializationError, match="trust=True"):
        load(ref, artifacts)
    assert load(ref, artifacts, trust=True) == Model()


def test_damaged_and_missing_bytes_are_noticed(artifacts: FilesystemArtifacts) -> None:
    small = dataclasses.replace(keep(1, "n", artifacts), inline=b"2")
    with pytest.raises(ArtifactDamagedError, match="'n'"):
        load(small, artifacts)
    ref = keep(np.arange(1000), "a", artifacts)
    path = artifacts.path(ref.digest)
    assert path is not None
    os.truncate(path, ref.size - 1)
    with pytest.raises(ArtifactDamagedError):
        load(ref, artifacts)
    artifacts.delete(ref.digest)
    with pytest.raises(ArtifactMissingError):
        load(ref, artifacts)


def test_bytes_that_are_not_of_the_format_are_a_serialization_error() -> None:
    artifacts = MemoryArtifacts()
    ref = dataclasses.replace(keep("no json", "t", artifacts), format="json")
    with pytest.raises(SerializationError, match="artifact 't' cannot be read as json"):
        load(ref, artifacts)


@pytest.mark.parametrize("count", [10, 1_000_000])
def test_a_loaded_array_is_the_callers_own(count: int, artifacts: FilesystemArtifacts) -> None:
    ref = keep(np.arange(count, dtype="f8"), "a", artifacts)
    first, second = load(ref, artifacts), load(ref, artifacts)
    assert type(first) is np.ndarray
    assert first.flags.writeable
    first += 1
    assert second[0] == 0  # type: ignore[index]
    assert load(ref, artifacts)[-1] == count - 1  # type: ignore[index]
    artifacts.delete(ref.digest)
    assert second.sum() == count * (count - 1) / 2  # type: ignore[attr-defined]


def test_large_arrays_are_neither_copied_nor_read_at_once(artifacts: FilesystemArtifacts) -> None:
    import tracemalloc

    array = np.ones(4_000_000)
    tracemalloc.start()
    try:
        load(keep(array, "a", artifacts), artifacts)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000
