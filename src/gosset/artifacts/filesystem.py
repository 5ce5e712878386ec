"""Artifacts as files in a local folder, or in one that several machines share."""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from blake3 import blake3

from ..types import PathLike
from .base import ArtifactWriter, Stored
from .integrity import HashingWriter, damaged, digest_of, is_digest, missing, not_kept, not_read


class FilesystemArtifacts:
    """An artifact store in a folder: ``ab/cdef…`` holds the bytes of digest ``abcdef…``.

    Parameters
    ----------
    folder : path-like
        Made by the first write; opening a store changes nothing.
    fsync : bool
        Wait until the bytes are on the disk before they are published. Off by default:
        after a power cut a file may be damaged, which the next read notices, and what it
        held is computed anew.

    Notes
    -----
    Bytes are written to ``tmp/`` in the same folder and renamed to their digest when they
    are complete, so any number of threads and processes may write. A write always takes
    the place of a file that is already there: one that was damaged is healed by it, and
    one that nothing refers to yet is as young as its last writer for garbage collection.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     artifacts = FilesystemArtifacts(folder)
    ...     digest = artifacts.put(b"some bytes")
    ...     artifacts.path(digest).relative_to(folder).parts == (digest[:2], digest[2:])
    True
    """

    def __init__(self, folder: PathLike, *, fsync: bool = False) -> None:
        self._root = Path(folder).expanduser().absolute()
        self._temporary = self._root / "tmp"
        self._fsync = fsync
        self.url = self._root.as_uri()

    @contextmanager
    def writer(self) -> Iterator[ArtifactWriter]:
        """See :meth:`ArtifactStore.writer`."""
        path = self._temporary / uuid.uuid4().hex
        file = self._create(path)
        try:
            with file:
                writer = HashingWriter(lambda view: _write_all(file, view), self.url)
                yield writer
                if self._fsync:
                    os.fsync(file.fileno())
            self._publish(path, self._place(writer.digest))
        except BaseException:
            with suppress(OSError):  # the first error is the one to report
                path.unlink()
            raise

    def put(self, data: bytes) -> str:
        """See :meth:`ArtifactStore.put`."""
        with self.writer() as writer:
            writer.write(data)
        return writer.digest

    def read(self, digest: str) -> bytes:
        """See :meth:`ArtifactStore.read`."""
        with self._opened(digest) as file:
            try:
                data = file.read()
            except OSError as error:
                raise not_read(error, digest, file.name) from error
        if blake3(data).hexdigest() != digest:
            raise damaged(digest, file.name)
        return data

    def open(self, digest: str) -> BinaryIO:
        """See :meth:`ArtifactStore.open`.

        The file is a plain one, so that a large array can be mapped instead of read.
        """
        file = self._opened(digest)
        try:
            found = digest_of(file)
            file.seek(0)
        except OSError as error:
            file.close()
            raise not_read(error, digest, file.name) from error
        if found != digest:
            file.close()
            raise damaged(digest, file.name)
        return file

    def path(self, digest: str) -> Path | None:
        """See :meth:`ArtifactStore.path`."""
        return self._place(digest) if self.contains(digest) else None

    def contains(self, digest: str) -> bool:
        """See :meth:`ArtifactStore.contains`."""
        return is_digest(digest) and self._place(digest).is_file()

    def delete(self, digest: str) -> None:
        """See :meth:`ArtifactStore.delete`."""
        if not is_digest(digest):
            return
        try:
            self._place(digest).unlink(missing_ok=True)
        except OSError as error:
            raise not_kept(error, self.url) from error

    def list(self) -> Iterator[Stored]:
        """See :meth:`ArtifactStore.list`."""
        for folder in _entries(self._root):
            if len(folder.name) != 2 or not folder.is_dir():
                continue
            for entry in _entries(folder.path):
                digest = folder.name + entry.name
                status = _status(entry) if is_digest(digest) else None
                if status is not None:
                    yield Stored(digest, status.st_size, status.st_mtime)

    def sweep(self, before: float) -> int:
        """Remove what writers that were killed left behind.

        Parameters
        ----------
        before : float
            Seconds since the epoch; a temporary file that changed later is in use.

        Returns
        -------
        int
            How many files were removed.
        """
        removed = 0
        for entry in _entries(self._temporary):
            status = _status(entry)
            if status is not None and status.st_mtime < before:
                Path(entry.path).unlink(missing_ok=True)
                removed += 1
        return removed

    def _place(self, digest: str) -> Path:
        return self._root / digest[:2] / digest[2:]

    def _opened(self, digest: str) -> io.BufferedReader:
        if not is_digest(digest):
            raise missing(digest, self.url)
        path = self._place(digest)
        try:
            return path.open("rb")
        except FileNotFoundError:
            raise missing(digest, self.url) from None
        except OSError as error:
            raise not_read(error, digest, str(path)) from error

    def _create(self, path: Path) -> io.FileIO:
        # Mode "x" asks for 0o666, so the umask says who may read it; tempfile would make
        # it private. Unbuffered: an error of the disk then belongs to the write it befell.
        try:
            try:
                return io.FileIO(path, "x")
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                return io.FileIO(path, "x")
        except OSError as error:
            raise not_kept(error, self.url) from error

    def _publish(self, path: Path, place: Path) -> None:
        try:
            try:
                os.replace(path, place)
            except FileNotFoundError:
                place.parent.mkdir(parents=True, exist_ok=True)
                os.replace(path, place)
            if self._fsync:
                _sync_folder(place.parent)
        except OSError as error:
            raise not_kept(error, self.url) from error


def _write_all(file: io.FileIO, view: memoryview) -> None:
    # The system may write less than it was given: 2 GiB at most, or what still fits.
    while view:
        view = view[file.write(view) :]


def _entries(folder: PathLike) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except FileNotFoundError:
        return


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat()
    except FileNotFoundError:  # deleted by another process since the folder was read
        return None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
