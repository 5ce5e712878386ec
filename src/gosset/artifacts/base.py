"""The contract of an artifact store: bytes under the digest of themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class Stored:
    """What an artifact store keeps under one digest.

    Attributes
    ----------
    digest : str
        BLAKE3, 64 hexadecimal digits.
    size : int
        Bytes.
    modified : float
        Seconds since the epoch when the bytes were written.
    """

    digest: str
    size: int
    modified: float


class ArtifactWriter(Protocol):
    """A binary file open for writing that hashes what passes through it."""

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Append `data` and return its length in bytes."""
        ...

    @property
    def digest(self) -> str:
        """BLAKE3 of everything written; final once the ``with`` block has ended."""
        ...

    @property
    def size(self) -> int:
        """Bytes written so far."""
        ...


class ArtifactStore(Protocol):
    """Bytes addressed by their BLAKE3 digest.

    Every implementation keeps these promises:

    - *Atomic*: bytes appear under their digest whole or not at all. Whatever kills the
      writer, a reader never sees a part.
    - *Idempotent*: the same bytes written twice, also by two processes at once, are kept
      once, and neither writer fails.
    - *Verified*: :meth:`read` and :meth:`open` hash what they are about to give and raise
      ``ArtifactDamagedError`` when it is not what was stored.
    - Methods may be called from several threads and from forked processes.
    """

    @property
    def url(self) -> str:
        """Where the bytes lie; :func:`open_artifacts` of it opens the same store."""
        ...

    def writer(self) -> AbstractContextManager[ArtifactWriter]:
        """Return a writer; its bytes are published when the block ends without an error.

        Raises
        ------
        StoreReadOnlyError
            The place cannot be written.
        ArtifactError
            The bytes could not be kept, e.g. the disk is full. Nothing is left behind.
        """
        ...

    def put(self, data: bytes) -> str:
        """Keep `data` and return its digest."""
        ...

    def read(self, digest: str) -> bytes:
        """Return the bytes, verified.

        Raises
        ------
        ArtifactMissingError, ArtifactDamagedError
        """
        ...

    def open(self, digest: str) -> BinaryIO:
        """Return a seekable binary file over the bytes, verified before it is returned.

        Meant for large values: no more than a buffer of them is held in memory.

        Raises
        ------
        ArtifactMissingError, ArtifactDamagedError
        """
        ...

    def path(self, digest: str) -> Path | None:
        """Return a local file that holds the bytes (not verified), or None where there is none."""
        ...

    def contains(self, digest: str) -> bool:
        """Whether bytes are kept under `digest`; says nothing about damage."""
        ...

    def delete(self, digest: str) -> None:
        """Drop the bytes; nothing happens when there are none."""
        ...

    def list(self) -> Iterator[Stored]:
        """Iterate over everything that is kept, in no particular order."""
        ...
