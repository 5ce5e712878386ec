"""Artifacts in the memory of this process: for trials and tests."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from blake3 import blake3

from .base import ArtifactWriter, Stored
from .integrity import HashingWriter, damaged, missing


class MemoryArtifacts:
    """An artifact store that lives and dies with this object.

    Notes
    -----
    Thread-safe without a lock: each method does one operation on a dict. A forked process
    has a copy of its own.

    Examples
    --------
    >>> artifacts = MemoryArtifacts()
    >>> digest = artifacts.put(b"some bytes")
    >>> artifacts.read(digest)
    b'some bytes'
    """

    url = "memory://"

    def __init__(self) -> None:
        self._kept: dict[str, tuple[bytes, float]] = {}

    @contextmanager
    def writer(self) -> Iterator[ArtifactWriter]:
        """See :meth:`ArtifactStore.writer`."""
        data = bytearray()
        writer = HashingWriter(data.extend, self.url)
        yield writer
        self._kept[writer.digest] = (bytes(data), time.time())

    def put(self, data: bytes) -> str:
        """See :meth:`ArtifactStore.put`."""
        digest = blake3(data).hexdigest()
        self._kept[digest] = (bytes(data), time.time())
        return digest

    def read(self, digest: str) -> bytes:
        """See :meth:`ArtifactStore.read`."""
        kept = self._kept.get(digest)
        if kept is None:
            raise missing(digest, self.url)
        data, _ = kept
        if blake3(data).hexdigest() != digest:
            raise damaged(digest, self.url)
        return data

    def open(self, digest: str) -> BinaryIO:
        """See :meth:`ArtifactStore.open`."""
        return io.BytesIO(self.read(digest))

    def path(self, digest: str) -> Path | None:
        """Return None: there is no file."""
        return None

    def contains(self, digest: str) -> bool:
        """See :meth:`ArtifactStore.contains`."""
        return digest in self._kept

    def delete(self, digest: str) -> None:
        """See :meth:`ArtifactStore.delete`."""
        self._kept.pop(digest, None)

    def list(self) -> Iterator[Stored]:
        """See :meth:`ArtifactStore.list`."""
        for digest, (data, modified) in tuple(self._kept.items()):
            yield Stored(digest, len(data), modified)
