"""The bytes of a local file as memory, without reading them all first."""

from __future__ import annotations

import io
import mmap
import os
from typing import BinaryIO

MAP_FROM = 1 << 20
"""Bytes below which reading a file is as fast as mapping it."""


def mapped(file: BinaryIO) -> mmap.mmap | None:
    """Map `file` into memory, private to the caller.

    Pages are fetched from the file when they are touched and copied when they are
    changed, so that processes reading the same file share its memory and none of them can
    change it.

    Returns
    -------
    mmap.mmap or None
        The whole file from its start; None where it is not a local file, or is a small one.
    """
    if os.name != "posix" or not isinstance(file, io.BufferedReader):
        return None
    if not isinstance(file.raw, io.FileIO):
        return None
    if os.fstat(file.fileno()).st_size < MAP_FROM:
        return None
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)


def contents(file: BinaryIO) -> memoryview:
    """Return all of `file`, mapped where that is possible, else read."""
    return memoryview(mapped(file) or file.read())
