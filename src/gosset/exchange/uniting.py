"""A store taken over into another: bytes first, then what refers to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ..artifacts.base import ArtifactStore
from ..artifacts.copying import copy
from ..filters import Expression
from ..storage.base import Catalog, Merged

Progress = Callable[[int, int], None]
"""Told how many of how many runs are done."""

Place = tuple[Catalog, ArtifactStore]


def united(
    target: Place,
    source: Place,
    *,
    where: Expression | None = None,
    progress: Progress | None = None,
) -> Merged:
    """Take over what the source has and the target lacks; see :meth:`gosset.Store.merge`.

    Raises
    ------
    StorageError, ArtifactError
    """
    catalog, artifacts = target
    others, theirs = source
    one_place = artifacts is theirs or (artifacts.url == theirs.url != "memory://")
    looked_at: set[str] = set()
    count = size = 0
    missing: list[str] = []

    def bring(digests: Mapping[str, int]) -> None:
        nonlocal count, size
        wanted = [] if one_place else sorted(set(digests) - looked_at)
        looked_at.update(wanted)
        copied = copy(wanted, theirs, artifacts)
        count, size = count + copied.artifacts, size + copied.bytes
        missing.extend(copied.missing)

    merged = catalog.merge(
        others, where=where, bring=bring, progress=progress or (lambda done, total: None)
    )
    # Who is at work elsewhere counts as gone until a later merge brings a sign of life.
    catalog.reap()
    return replace(merged, artifacts=count, bytes=size, missing=tuple(sorted(missing)))
