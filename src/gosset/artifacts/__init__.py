"""Artifact stores: bytes by their digest, in memory, in a folder or wherever fsspec reaches."""

from __future__ import annotations

import os

from ..types import PathLike
from .base import ArtifactStore as ArtifactStore
from .base import ArtifactWriter as ArtifactWriter
from .base import Stored as Stored

__all__ = ["ArtifactStore", "ArtifactWriter", "Stored", "open_artifacts"]


def open_artifacts(url: PathLike, *, fsync: bool = False) -> ArtifactStore:
    """Open the artifact store at a URL or in a folder.

    Parameters
    ----------
    url : str or path-like
        A path or ``file://`` for a local folder; ``memory://`` for a new, empty store in
        this process; any other URL goes through fsspec (``s3://bucket/folder``,
        ``gs://…``, ``sftp://…``). ``fsspec+PROTOCOL://…`` sends a URL there by force.
    fsync : bool
        Wait for the disk of a folder, so that bytes survive that the power fails.

    Raises
    ------
    UsageError
        No kind of store has such a URL.
    MissingExtraError
        The library for that protocol is not installed.

    Examples
    --------
    >>> artifacts = open_artifacts("memory://")
    >>> artifacts.contains(artifacts.put(b"some bytes"))
    True
    """
    text = os.fspath(url)
    scheme, mark, _ = text.partition("://")
    if mark and scheme == "memory":
        from .memory import MemoryArtifacts

        return MemoryArtifacts()
    if mark and scheme != "file":
        # fsspec takes a while to import and most stores are folders.
        from .remote import FsspecArtifacts

        return FsspecArtifacts(text)
    from .filesystem import FilesystemArtifacts

    return FilesystemArtifacts(_path(text) if mark else text, fsync=fsync)


def _path(url: str) -> str:
    # Takes longer to import than an artifact to write, and few folders are named by URLs.
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    return url2pathname(urlsplit(url).path)
