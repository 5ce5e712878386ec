"""Garbage collection: drop the artifacts that nothing refers to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from .base import ArtifactStore

STALE = 24 * 3600.0
"""Age in seconds at which a temporary file is taken for one whose writer was killed."""


@runtime_checkable
class Sweepable(Protocol):
    """An artifact store whose killed writers leave temporary files behind."""

    def sweep(self, before: float) -> int:
        """Remove temporary files that last changed before `before`; return how many."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What a garbage collection did, or would do.

    Attributes
    ----------
    kept, kept_bytes : int
        Artifacts that stay, and their bytes.
    removed, removed_bytes : int
        Artifacts that went (in a dry run: would go), and their bytes.
    digests : tuple of str
        The digests of those that went.
    swept : int
        Temporary files of killed writers that went.
    """

    kept: int = 0
    kept_bytes: int = 0
    removed: int = 0
    removed_bytes: int = 0
    digests: tuple[str, ...] = ()
    swept: int = 0


def collect(
    artifacts: ArtifactStore,
    referenced: Mapping[str, int],
    *,
    dry_run: bool = False,
    grace: float = 3600.0,
    evicted: Collection[str] = (),
    now: float,
) -> Collected:
    """Remove every artifact that nothing refers to and that is older than `grace`.

    Parameters
    ----------
    artifacts : ArtifactStore
    referenced : mapping
        Digest → number of references, as ``Storage.referenced`` gives it.
    dry_run : bool
        Count only.
    grace : float
        Seconds. A computation writes its outputs before the catalog refers to them, so
        what was written a moment ago is not garbage.
    evicted : collection of str
        Digests that go at any age: the catalog has just ceased to refer to them.
    now : float
        Seconds since the epoch.

    Returns
    -------
    Collected

    Examples
    --------
    >>> from gosset.artifacts.memory import MemoryArtifacts
    >>> artifacts = MemoryArtifacts()
    >>> used, unused = artifacts.put(b"used"), artifacts.put(b"unused")
    >>> collected = collect(artifacts, {used: 1}, now=4e9)
    >>> collected.kept, collected.removed, collected.digests == (unused,)
    (1, 1, True)
    """
    kept = kept_bytes = removed_bytes = 0
    digests: list[str] = []
    for stored in artifacts.list():
        young = now - stored.modified <= grace and stored.digest not in evicted
        if young or referenced.get(stored.digest):
            kept += 1
            kept_bytes += stored.size
            continue
        if not dry_run:
            artifacts.delete(stored.digest)
        digests.append(stored.digest)
        removed_bytes += stored.size
    swept = 0
    if not dry_run and isinstance(artifacts, Sweepable):
        swept = artifacts.sweep(now - STALE)
    return Collected(
        kept=kept,
        kept_bytes=kept_bytes,
        removed=len(digests),
        removed_bytes=removed_bytes,
        digests=tuple(sorted(digests)),
        swept=swept,
    )
