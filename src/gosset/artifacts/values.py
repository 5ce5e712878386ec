"""Values to artifacts and back: the serializers and the artifact store at work together."""

from __future__ import annotations

import io
from contextlib import ExitStack
from typing import BinaryIO

from blake3 import blake3

from ..entities import ArtifactRef
from ..exceptions import ArtifactDamagedError, GossetError, SerializationError
from ..serializers import choose, get
from .base import ArtifactStore, ArtifactWriter
from .integrity import ANEW

INLINE_LIMIT = 1024
"""Bytes up to which a value lies in the catalog itself, so that a number costs no file."""


def keep(
    value: object,
    name: str,
    artifacts: ArtifactStore,
    *,
    format: str | None = None,
    where: str = "",
) -> ArtifactRef:
    """Keep a value and say where it lies.

    Parameters
    ----------
    value : object
    name : str
        The output's name.
    artifacts : ArtifactStore
        Takes the bytes where there are more than ``INLINE_LIMIT``.
    format : str, optional
        A serializer's name; by default the first that takes the value.
    where : str, optional
        Whose value it is, for messages, e.g. ``"stage 'trained', output 'model'"``.

    Returns
    -------
    ArtifactRef

    Raises
    ------
    SerializationError
        No serializer takes the value, or `format` does not.
    NotFoundError
        There is no such format.
    ArtifactError, StoreReadOnlyError
        The bytes could not be kept.

    Examples
    --------
    >>> from gosset.artifacts.memory import MemoryArtifacts
    >>> ref = keep(0.93, "accuracy", MemoryArtifacts())
    >>> ref.format, ref.size, ref.inline
    ('json', 4, b'0.93')
    """
    where = where or f"value {name!r}"
    serializer = choose(value, format=format, where=where)
    with ExitStack() as scope:
        spool = _Spool(artifacts, scope)
        try:
            serializer.dump(value, spool)
        except SerializationError as error:
            raise SerializationError(f"{where}: {error.message}", hint=error.hint) from error
        except (GossetError, MemoryError):
            raise
        except Exception as error:
            raise SerializationError(
                f"{where}: a {type(value).__name__} cannot be kept as {serializer.name}: {error}",
                hint="another format may take it, e.g. format='pickle'",
            ) from error
    return spool.ref(name, serializer.name)


def load(ref: ArtifactRef, artifacts: ArtifactStore, *, trust: bool = False) -> object:
    """Return the value that `ref` refers to; it is the caller's own, free to be changed.

    Parameters
    ----------
    ref : ArtifactRef
    artifacts : ArtifactStore
    trust : bool
        Whether the bytes come from somebody who may run code here; needed for formats
        that are not safe (pickle).

    Raises
    ------
    SerializationError
        The format is not safe and `trust` was not given, or its library cannot read the
        bytes.
    ArtifactMissingError, ArtifactDamagedError
        The bytes are not there, or are not those that were kept.

    Examples
    --------
    >>> from gosset.artifacts.memory import MemoryArtifacts
    >>> artifacts = MemoryArtifacts()
    >>> load(keep({"C": (1, 10)}, "grid", artifacts), artifacts)
    {'C': (1, 10)}
    """
    serializer = get(ref.format)
    if not serializer.safe and not trust:
        raise SerializationError(
            f"artifact {ref.name!r} is kept as {ref.format}, which can run code when it is read",
            hint="load it with trust=True if you trust whoever made it",
        )
    with _opened(ref, artifacts) as file:
        try:
            return serializer.load(file)
        except (GossetError, MemoryError):
            raise
        except Exception as error:
            raise SerializationError(
                f"artifact {ref.name!r} cannot be read as {ref.format}: "
                f"{type(error).__name__}: {error}",
                hint="the libraries may be other ones than when it was kept",
            ) from error


def read(ref: ArtifactRef, artifacts: ArtifactStore) -> bytes:
    """Return the bytes that `ref` refers to, verified.

    Raises
    ------
    ArtifactMissingError, ArtifactDamagedError
    """
    return artifacts.read(ref.digest) if ref.inline is None else _inline(ref, ref.inline)


def _opened(ref: ArtifactRef, artifacts: ArtifactStore) -> BinaryIO:
    if ref.inline is None:
        return artifacts.open(ref.digest)
    return io.BytesIO(_inline(ref, ref.inline))


def _inline(ref: ArtifactRef, data: bytes) -> bytes:
    if blake3(data).hexdigest() != ref.digest:
        raise ArtifactDamagedError(
            f"artifact {ref.name!r} is damaged: the bytes in the catalog have another digest "
            f"than {ref.digest!r}",
            hint=ANEW,
        )
    return data


class _Spool:
    """Holds bytes back while they are few; passes them on to the store when they are many."""

    def __init__(self, artifacts: ArtifactStore, scope: ExitStack) -> None:
        self._artifacts = artifacts
        self._scope = scope
        self._held = bytearray()
        self._writer: ArtifactWriter | None = None

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        if self._writer is None:
            length = memoryview(data).nbytes
            if len(self._held) + length <= INLINE_LIMIT:
                self._held += data
                return length
            self._writer = self._scope.enter_context(self._artifacts.writer())
            self._writer.write(self._held)
        return self._writer.write(data)

    def ref(self, name: str, format: str) -> ArtifactRef:
        writer = self._writer
        if writer is not None:
            return ArtifactRef(name=name, format=format, digest=writer.digest, size=writer.size)
        inline = bytes(self._held)
        digest = blake3(inline).hexdigest()
        return ArtifactRef(name=name, format=format, digest=digest, size=len(inline), inline=inline)
