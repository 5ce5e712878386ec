"""Bytes from one artifact store to another: those that are missing, verified, a buffer at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ..exceptions import ArtifactDamagedError, ArtifactMissingError
from .base import ArtifactStore
from .integrity import CHUNK, damaged


class Copied(NamedTuple):
    """What was copied.

    Attributes
    ----------
    artifacts, bytes : int
    missing : tuple of str
        Digests of which the source has no bytes, or damaged ones.
    """

    artifacts: int = 0
    bytes: int = 0
    missing: tuple[str, ...] = ()


def copy(digests: Iterable[str], source: ArtifactStore, target: ArtifactStore) -> Copied:
    """Copy the bytes that the target lacks.

    Raises
    ------
    ArtifactError, StoreReadOnlyError
        They cannot be read, or kept.

    Examples
    --------
    >>> from gosset.artifacts.memory import MemoryArtifacts
    >>> one, other = MemoryArtifacts(), MemoryArtifacts()
    >>> digest = one.put(b"some bytes")
    >>> copy([digest], one, other)
    Copied(artifacts=1, bytes=10, missing=())
    >>> copy([digest], one, other).artifacts
    0
    """
    artifacts = size = 0
    missing: list[str] = []
    for digest in digests:
        if target.contains(digest):
            continue
        try:
            size += _copy(digest, source, target)
        except (ArtifactMissingError, ArtifactDamagedError):
            missing.append(digest)
        else:
            artifacts += 1
    return Copied(artifacts, size, tuple(missing))


def _copy(digest: str, source: ArtifactStore, target: ArtifactStore) -> int:
    with source.open(digest) as file, target.writer() as writer:
        while chunk := file.read(4 * CHUNK):
            writer.write(chunk)
        if writer.digest != digest:
            # It changed since it was verified; what was written is not published.
            raise damaged(digest, source.url)
    return writer.size
