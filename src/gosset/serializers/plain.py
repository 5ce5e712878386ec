"""Text and bytes, as they are."""

from __future__ import annotations

from typing import Any, BinaryIO

from .base import Sink


class TextSerializer:
    """A ``str``, in UTF-8."""

    name = "text"
    extension = ".txt"
    safe = True

    def takes(self, value: object) -> bool:
        """Whether `value` is a str that UTF-8 can write, i.e. has no lone surrogates."""
        return type(value) is str and is_unicode(value)

    def dump(self, value: Any, file: Sink) -> None:
        """See :meth:`Serializer.dump`."""
        file.write(value.encode())

    def load(self, file: BinaryIO) -> str:
        """See :meth:`Serializer.load`."""
        return file.read().decode()


class BytesSerializer:
    """A ``bytes``."""

    name = "bytes"
    extension = ".bin"
    safe = True

    def takes(self, value: object) -> bool:
        """Whether `value` is a bytes."""
        return type(value) is bytes

    def dump(self, value: Any, file: Sink) -> None:
        """See :meth:`Serializer.dump`."""
        file.write(value)

    def load(self, file: BinaryIO) -> bytes:
        """See :meth:`Serializer.load`."""
        return file.read()


def is_unicode(text: str) -> bool:
    """Whether UTF-8 can write `text`.

    Examples
    --------
    >>> is_unicode("χ²"), is_unicode("\\ud800")
    (True, False)
    """
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
