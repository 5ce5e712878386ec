"""Artifacts anywhere that fsspec reaches: S3, Google Cloud, Azure, SSH, WebDAV and more."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

import fsspec
from blake3 import blake3

from ..exceptions import GossetError, MissingExtraError, UsageError, did_you_mean
from .base import ArtifactWriter, Stored
from .integrity import CHUNK, HashingWriter, damaged, is_digest, missing, not_kept, not_read

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

T = TypeVar("T")

IN_MEMORY = 8 << 20
"""Bytes up to which :meth:`FsspecArtifacts.open` makes no temporary file."""

_MODIFIED = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")


class FsspecArtifacts:
    """An artifact store in a folder or bucket of any fsspec file system.

    Parameters
    ----------
    url : str
        What fsspec understands, optionally with ``fsspec+`` before it. Credentials come
        from where the protocol's library looks for them.

    Raises
    ------
    UsageError
        fsspec has no such protocol.
    MissingExtraError
        The protocol's library is not installed.

    Notes
    -----
    Bytes are written under ``tmp/`` and moved to their digest when they are complete. On
    file systems a move is a rename; on object stores, which have none, it is a copy, and
    an object appears there whole or not at all.

    Examples
    --------
    >>> artifacts = FsspecArtifacts("fsspec+memory://example")
    >>> artifacts.read(artifacts.put(b"some bytes"))
    b'some bytes'
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._pid = 0
        self._folders: set[str] = set()
        self._connect()

    @contextmanager
    def writer(self) -> Iterator[ArtifactWriter]:
        """See :meth:`ArtifactStore.writer`."""
        files = self._connect()
        path = f"{self._root}/tmp/{uuid.uuid4().hex}"
        try:
            with self._keeping():
                file = _making_parents(files, path, lambda: files.open(path, "wb"))
            try:
                writer = HashingWriter(lambda view: self._append(file, view), self.url)
                yield writer
            except BaseException:
                with suppress(Exception):  # the first error is the one to report
                    file.close()
                raise
            with self._keeping():
                file.close()
                place = self._place(writer.digest)
                self._make_folder(files, place)
                _making_parents(files, place, lambda: files.mv(path, place))
        except BaseException:
            with suppress(Exception):  # as above; `sweep` finds what stays behind
                files.rm(path)
            raise

    def put(self, data: bytes) -> str:
        """See :meth:`ArtifactStore.put`."""
        with self.writer() as writer:
            writer.write(data)
        return writer.digest

    def read(self, digest: str) -> bytes:
        """See :meth:`ArtifactStore.read`."""
        with self._reading(digest) as file:
            data = cast(bytes, file.read())
        if blake3(data).hexdigest() != digest:
            raise damaged(digest, self._shown(digest))
        return data

    def open(self, digest: str) -> BinaryIO:
        """See :meth:`ArtifactStore.open`.

        The bytes are fetched once, to a temporary file where they are many, so that what
        was verified is what is read.
        """
        hasher = blake3()
        # The caller closes it: a spooled file is what is returned.
        copy = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
        try:
            with self._reading(digest) as file:
                while chunk := file.read(16 * CHUNK):
                    hasher.update(chunk)
                    copy.write(chunk)
            if hasher.hexdigest() != digest:
                raise damaged(digest, self._shown(digest))
            copy.seek(0)
        except BaseException:
            copy.close()
            raise
        return cast(BinaryIO, copy)

    def path(self, digest: str) -> Path | None:
        """Return None: the bytes are somewhere else."""
        return None

    def contains(self, digest: str) -> bool:
        """See :meth:`ArtifactStore.contains`."""
        if not is_digest(digest):
            return False
        files = self._connect()
        files.invalidate_cache()
        try:
            return bool(files.isfile(self._place(digest)))
        except Exception as error:
            raise not_read(error, digest, self.url) from error

    def delete(self, digest: str) -> None:
        """See :meth:`ArtifactStore.delete`."""
        if is_digest(digest):
            files = self._connect()
            with self._keeping(), suppress(FileNotFoundError):
                files.rm_file(self._place(digest))

    def list(self) -> Iterator[Stored]:
        """See :meth:`ArtifactStore.list`."""
        for path, entry in self._found(self._root):
            digest = "".join(path.rsplit("/", 2)[-2:])
            if is_digest(digest):
                yield Stored(digest, int(entry["size"]), self._modified(path, entry))

    def sweep(self, before: float) -> int:
        """Remove what writers that were killed left behind; see ``FilesystemArtifacts``."""
        removed = 0
        for path, entry in self._found(f"{self._root}/tmp"):
            if self._modified(path, entry) < before:
                with self._keeping(), suppress(FileNotFoundError):
                    self._files.rm_file(path)
                    removed += 1
        return removed

    def _connect(self) -> AbstractFileSystem:
        # Connections do not survive a fork; fsspec makes new ones in the child.
        if self._pid != os.getpid():
            self._files, self._root = _file_system(self.url.removeprefix("fsspec+"))
            self._pid = os.getpid()
        return self._files

    def _make_folder(self, files: AbstractFileSystem, place: str) -> None:
        # A move into a folder that is not there may be tried again as a copy, which others
        # would see half done where somebody makes the folder in between.
        folder = place.rpartition("/")[0]
        if folder not in self._folders:
            files.makedirs(folder, exist_ok=True)
            self._folders.add(folder)

    def _place(self, digest: str) -> str:
        return f"{self._root}/{digest[:2]}/{digest[2:]}"

    def _shown(self, digest: str) -> str:
        return f"{self.url.rstrip('/')}/{digest[:2]}/{digest[2:]}"

    def _found(self, folder: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        files = self._connect()
        files.invalidate_cache()
        try:
            yield from files.find(folder, detail=True).items()
        except FileNotFoundError:
            return

    def _modified(self, path: str, entry: Mapping[str, Any]) -> float:
        # Each protocol has its own name and type for it, and asking costs a round trip.
        moment = next((entry[name] for name in _MODIFIED if entry.get(name)), None)
        if moment is None:
            moment = self._files.modified(path)
        if isinstance(moment, str):
            moment = datetime.fromisoformat(moment)
        return moment.timestamp() if isinstance(moment, datetime) else float(moment)

    def _append(self, file: BinaryIO, view: memoryview) -> None:
        with self._keeping():
            file.write(view)

    @contextmanager
    def _reading(self, digest: str) -> Iterator[Any]:
        if not is_digest(digest):
            raise missing(digest, self.url)
        files = self._connect()
        try:
            with files.open(self._place(digest), "rb") as file:
                yield file
        except FileNotFoundError:
            raise missing(digest, self.url) from None
        except Exception as error:
            raise not_read(error, digest, self.url) from error

    @contextmanager
    def _keeping(self) -> Iterator[None]:
        # Each protocol's library has errors of its own; here is the border.
        try:
            yield
        except GossetError:
            raise
        except Exception as error:
            raise not_kept(error, self.url) from error


def _file_system(url: str) -> tuple[AbstractFileSystem, str]:
    scheme = url.partition("://")[0]
    try:
        files, root = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise MissingExtraError(
            f"no library for {scheme}:// is installed", hint=str(error)
        ) from error
    except ValueError as error:
        raise UsageError(
            f"no kind of artifact store has the URL {url!r}",
            hint=did_you_mean(scheme, fsspec.available_protocols()),
        ) from error
    return files, root.rstrip("/")


def _making_parents(files: AbstractFileSystem, path: str, act: Callable[[], T]) -> T:
    """Do `act`, which writes to `path`; make the folders first only where it needs them."""
    try:
        return act()
    except FileNotFoundError:
        files.makedirs(path.rpartition("/")[0], exist_ok=True)
        return act()
