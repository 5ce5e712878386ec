"""What artifact stores do alike: hash what goes in, check what comes out, say what is wrong."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from typing import BinaryIO

from blake3 import blake3

from ..exceptions import (
    ArtifactDamagedError,
    ArtifactError,
    ArtifactMissingError,
    GossetError,
    StoreReadOnlyError,
)

CHUNK = 1 << 18
"""Bytes read at a time while hashing; fits into the second-level cache."""

ANEW = "run again with --no-cache (cache=False): what it held is computed anew"
"""The mend of bytes that are lost; a value that nothing asks for is not made otherwise."""

_DIGEST = re.compile("[0-9a-f]{64}")
_NO_ROOM = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file would be larger than is allowed here",
}
_NO_PERMISSION = {errno.EACCES, errno.EPERM, errno.EROFS}


class HashingWriter:
    """Hashes and counts what passes through it; an ``ArtifactWriter``.

    Parameters
    ----------
    append : callable
        Takes a memoryview of bytes and keeps all of it, or raises OSError.
    url : str
        Of the store, for messages.
    """

    def __init__(self, append: Callable[[memoryview], object], url: str) -> None:
        self._append = append
        self._url = url
        self._hasher = blake3()
        self._size = 0

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Append `data` and return its length in bytes."""
        view = memoryview(data)
        if not view.nbytes:
            return 0
        view = view.cast("B")
        self._hasher.update(view)
        try:
            self._append(view)
        except OSError as error:
            raise not_kept(error, self._url) from error
        self._size += view.nbytes
        return view.nbytes

    @property
    def digest(self) -> str:
        """BLAKE3 of everything written so far."""
        return self._hasher.hexdigest()

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._size


def is_digest(text: str) -> bool:
    """Whether `text` is a digest; anything else never becomes part of a path.

    Examples
    --------
    >>> is_digest("0" * 64), is_digest("../" * 21 + "x")
    (True, False)
    """
    return _DIGEST.fullmatch(text) is not None


def digest_of(file: BinaryIO) -> str:
    """Return the BLAKE3 digest of the rest of `file`, a buffer of it at a time."""
    hasher = blake3()
    chunk = memoryview(bytearray(CHUNK))
    while count := file.readinto(chunk):  # type: ignore[attr-defined]
        hasher.update(chunk[:count])
    return hasher.hexdigest()


def missing(digest: str, url: str) -> ArtifactMissingError:
    """Return the error for a digest under which `url` keeps nothing."""
    return ArtifactMissingError(
        f"no artifact {digest!r} in {url}",
        hint=ANEW if is_digest(digest) else "a digest has 64 hexadecimal digits",
    )


def damaged(digest: str, place: str) -> ArtifactDamagedError:
    """Return the error for bytes at `place` that are not those of `digest`."""
    return ArtifactDamagedError(
        f"artifact {digest!r} is damaged: the bytes in {place} have another digest",
        hint=ANEW,
    )


def not_read(error: Exception, digest: str, place: str) -> ArtifactError:
    """Return the error for bytes that are there and cannot be read."""
    return ArtifactError(f"artifact {digest!r} cannot be read from {place}: {_reason(error)}")


def not_kept(error: Exception, url: str) -> GossetError:
    """Return the error for bytes that could not be written to `url`, by its cause."""
    number = getattr(error, "errno", None)
    if number in _NO_ROOM:
        return ArtifactError(
            f"{url} could not keep an artifact: {_NO_ROOM[number]}",
            hint="make room (e.g. with 'gosset cache clear') and run again",
        )
    if number in _NO_PERMISSION or isinstance(error, PermissionError | NotImplementedError):
        return StoreReadOnlyError(
            f"{url} cannot be written: {_reason(error)}",
            hint="give yourself the right to write there, or use another store",
        )
    return ArtifactError(f"{url} could not keep an artifact: {_reason(error)}")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
