"""Files as values: told apart by their content, wherever they lie."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from blake3 import blake3

from ..exceptions import FingerprintError
from .objects import estimator_params, is_declared

_SETTLED: Final = 2_000_000_000
"""Nanoseconds after which a file's last change is told from another one by its time."""

_digests: dict[tuple[int, ...], str] = {}
# By device, inode, size and times: a launch asks for the same file in each of its runs.


@dataclass(frozen=True, slots=True)
class File(os.PathLike[str]):
    """A file that a stage reads, as the value of a parameter: it counts by its content.

    Whatever takes a path takes it: ``open(book)``, ``pd.read_csv(book)``. Its content is
    looked at when a launch is planned.

    Parameters
    ----------
    path : str or path-like
        From the current folder, unless it is absolute.

    Raises
    ------
    FingerprintError
        When the content is asked for and cannot be read.

    Examples
    --------
    >>> from gosset.stages import stage
    >>> @stage
    ... def words(book: File = File("book.txt")):
    ...     with open(book) as file:
    ...         return file.read().split()
    """

    path: str

    def __init__(self, path: str | os.PathLike[str]) -> None:
        object.__setattr__(self, "path", os.fspath(path))

    def __fspath__(self) -> str:
        return self.path

    def __str__(self) -> str:
        return self.path

    @property
    def digest(self) -> str:
        """BLAKE3 of the content as it is now, 64 hexadecimal digits."""
        try:
            status = os.stat(self.path)
            if time.time_ns() - status.st_ctime_ns < _SETTLED:
                return _digest(self.path)
            times = (status.st_mtime_ns, status.st_ctime_ns)
            key = (status.st_dev, status.st_ino, status.st_size, *times)
            if key not in _digests:
                _digests[key] = _digest(self.path)
            return _digests[key]
        except OSError as error:
            raise FingerprintError(
                f"the file {self.path!r} cannot be read: {error.strerror}",
                hint=f"its path counts from {os.getcwd()}",
            ) from error

    def __gosset_identity__(self) -> str:
        return self.digest


@dataclass(frozen=True, slots=True)
class Planned:
    """A file as it was when a launch was planned: what its content is in keys.

    Attributes
    ----------
    path : str
        As it was given.
    place : str
        The same from the root: a stage may change the current folder.
    digest : str
    """

    path: str
    place: str
    digest: str

    @classmethod
    def of(cls, file: File) -> Planned:
        """Look at a file.

        Raises
        ------
        FingerprintError
            It cannot be read.
        """
        return cls(file.path, os.path.abspath(file.path), file.digest)

    def check(self) -> None:
        """Raise FingerprintError unless the content is still the same."""
        if File(self.place).digest != self.digest:
            raise FingerprintError(
                f"the file {self.path!r} changed while the launch was at work",
                hint="run again: what came out may be neither of its old content nor of its new",
            )


def files_in(value: object) -> Iterator[File]:
    """Iterate over the files in a value, also in Python's containers and in estimators.

    Examples
    --------
    >>> [file.path for file in files_in({"books": [File("a.txt"), File("b.txt")], "n": 1})]
    ['a.txt', 'b.txt']
    """
    if isinstance(value, File):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from files_in(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from files_in(item)
    elif not isinstance(value, type) and not is_declared(value):
        yield from files_in(estimator_params(value))


def _digest(path: str) -> str:
    hasher = blake3(max_threads=blake3.AUTO)
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return hasher.hexdigest()
