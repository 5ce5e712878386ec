"""Data to what the catalog keeps of it, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..artifacts.base import ArtifactStore
from ..artifacts.values import keep, load
from ..entities import Dataset
from .data import Data


def to_entity(
    name: str,
    data: Data,
    artifacts: ArtifactStore,
    *,
    description: str = "",
    source: str = "",
) -> Dataset:
    """Keep the content of `data` and return the dataset that refers to it.

    Parameters
    ----------
    name : str
        Of the dataset.
    data : Data
    artifacts : ArtifactStore
        Takes the content: one artifact for the frame, or for each array.
    description, source : str

    Returns
    -------
    Dataset
        With ``version=0``; the catalog gives the number.

    Examples
    --------
    >>> from gosset.artifacts.memory import MemoryArtifacts
    >>> from gosset.datasets import from_arrays
    >>> data, artifacts = from_arrays([[1.0]], [0], name="one").load(), MemoryArtifacts()
    >>> from_entity(to_entity("one", data, artifacts), artifacts).digest == data.digest
    True
    """
    content = tuple(
        keep(_keepable(part), label, artifacts, where=f"dataset {name!r}, {label}")
        for label, part in data.content.items()
    )
    return Dataset(
        name=name,
        version=0,
        digest=data.digest,
        columns=data.columns,
        rows=data.rows,
        content=content,
        description=description,
        source=source,
    )


def from_entity(dataset: Dataset, artifacts: ArtifactStore) -> Data:
    """Return the data of a dataset as they were.

    Raises
    ------
    ArtifactMissingError, ArtifactDamagedError
        The content is not there, or is not what was kept.
    """
    content = {ref.name: _as_it_was(load(ref, artifacts)) for ref in dataset.content}
    return Data(content, dataset.columns)


def _keepable(part: Any) -> Any:
    # Documents are an array of Python strings, which as such only pickle could keep.
    return part.tolist() if isinstance(part, np.ndarray) and part.dtype == object else part


def _as_it_was(part: Any) -> Any:
    return np.array(part, dtype=object) if isinstance(part, list) else part
