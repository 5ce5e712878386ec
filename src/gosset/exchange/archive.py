"""The artifacts within a file of runs: an artifact store that can only be read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

from ..artifacts.base import Stored
from ..artifacts.integrity import damaged, digest_of, is_digest, missing
from ..exceptions import ArtifactDamagedError, StoreReadOnlyError

FOLDER = "artifacts"


def member(digest: str) -> str:
    """Return the name that an artifact has in the archive.

    Examples
    --------
    >>> member("ab" * 32)[:17]
    'artifacts/ab/abab'
    """
    return f"{FOLDER}/{digest[:2]}/{digest[2:]}"


class ArchivedArtifacts:
    """Artifacts as members of a ZIP archive.

    Parameters
    ----------
    archive : ZipFile
        Open for reading.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._sizes = {info.filename: info.file_size for info in archive.infolist()}
        self.url = str(archive.filename)

    def writer(self) -> NoReturn:
        """Refuse to write."""
        raise StoreReadOnlyError(f"{self.url} cannot be written")

    def put(self, data: bytes) -> NoReturn:
        """Refuse to write."""
        self.writer()

    def delete(self, digest: str) -> NoReturn:
        """Refuse to write."""
        self.writer()

    def read(self, digest: str) -> bytes:
        """See :meth:`ArtifactStore.read`."""
        with self.open(digest) as file:
            return file.read()

    def open(self, digest: str) -> BinaryIO:
        """See :meth:`ArtifactStore.open`."""
        if not self.contains(digest):
            raise missing(digest, self.url)
        with self._member(digest) as file:
            if digest_of(cast(BinaryIO, file)) != digest:
                raise damaged(digest, self.url)
        return cast(BinaryIO, self._archive.open(member(digest)))

    def path(self, digest: str) -> Path | None:
        """Return None: there is no file of its own."""
        return None

    def contains(self, digest: str) -> bool:
        """See :meth:`ArtifactStore.contains`."""
        return is_digest(digest) and member(digest) in self._sizes

    def list(self) -> Iterator[Stored]:
        """See :meth:`ArtifactStore.list`."""
        for name, size in self._sizes.items():
            digest = name.removeprefix(f"{FOLDER}/").replace("/", "", 1)
            if name.startswith(f"{FOLDER}/") and is_digest(digest):
                yield Stored(digest, size, 0.0)

    @contextmanager
    def _member(self, digest: str) -> Iterator[io.BufferedIOBase]:
        try:
            with self._archive.open(member(digest)) as file:
                yield cast(io.BufferedIOBase, file)
        except (zipfile.BadZipFile, EOFError, OSError) as error:
            raise ArtifactDamagedError(f"artifact {digest!r} in {self.url}: {error}") from error
