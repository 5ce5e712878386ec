"""The contract of a serializer: one kind of value to bytes and back."""

from __future__ import annotations

from typing import BinaryIO, Protocol


class Sink(Protocol):
    """What bytes are written to: an ``ArtifactWriter``, or any binary file."""

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Append `data`, C-contiguous, and return its length in bytes."""
        ...


class Serializer(Protocol):
    """Turns one kind of value into bytes and back, exactly.

    The bytes depend on nothing but the value: the same value gives the same bytes in
    every process, because the digest of the bytes is the identity of the value.

    Attributes
    ----------
    name : str
        The format's name, kept with every artifact, e.g. ``"npy"``. Never changes its
        meaning: a new layout gets a new name.
    extension : str
        For files that people see, e.g. ``".npy"``.
    safe : bool
        Whether reading bytes of unknown origin can run no code.
    """

    name: str
    extension: str
    safe: bool

    def takes(self, value: object) -> bool:
        """Whether this serializer gives `value` back equal, in value and in type."""
        ...

    def dump(self, value: object, file: Sink) -> None:
        """Write `value` to `file`, in pieces where it is large."""
        ...

    def load(self, file: BinaryIO) -> object:
        """Read back what :meth:`dump` wrote; the value must not depend on `file` being open."""
        ...
