"""The log of a wandb run, record by record: blocks as in LevelDB's log, a head of its own.

The file starts with a head of 7 bytes: ``:W&B``, a mark of two and the version. From there on it
consists of blocks of 32 KiB, the head counted with the first. A piece of a record is four bytes
of CRC-32 (over kind and content), two of length, one of kind, and its content; a block with less
than 7 bytes left is filled with zeros.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from zlib import crc32

from ..exceptions import NotFoundError, StorageError, StoreVersionError

_MAGIC: Final = b":W&B\xe1\xbe"
_VERSION: Final = 0
_HEAD: Final = 7
_BLOCK: Final = 1 << 15
_LOST, _WHOLE, _FIRST, _MIDDLE, _LAST = range(5)
_BEGINS: Final = {_kind: crc32(bytes([_kind])) for _kind in (_WHOLE, _FIRST, _MIDDLE, _LAST)}


def is_log(path: Path) -> bool:
    """Whether a file is the log of a wandb run; raises nothing."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


class Log:
    """The log of a run.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    cut : bool
        Of the last reading, after all was read: whether it ends in the middle of a record, as it does while the run
        is at work or when it was killed.
    damaged : list of int
        Likewise: where records begin whose bytes are not those that were written.

    Raises
    ------
    NotFoundError, StoreVersionError, StorageError
        There is no such file; it is something else; it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cut = False
        self.damaged: list[int] = []
        try:
            with path.open("rb") as file:
                head = file.read(_HEAD)
        except FileNotFoundError:
            raise NotFoundError(f"there is no file {path}") from None
        except OSError as error:
            raise StorageError(f"{path} cannot be read: {error.strerror or error}") from error
        if not head.startswith(_MAGIC):
            raise StoreVersionError(f"{path} is no log of a wandb run")
        if head[len(_MAGIC) :] != bytes([_VERSION]):
            raise StoreVersionError(
                f"{path} has another version of the format than {_VERSION}",
                hint="upgrade with 'pip install -U gosset'",
            )

    def records(self) -> Iterator[bytes]:
        """Iterate over the records, as far as they are whole."""
        self.cut, self.damaged = False, []
        parts: list[bytes] = []
        for kind, content in self._pieces():
            if kind in (_WHOLE, _FIRST, _LOST):
                parts = []
            elif not parts:  # the rest of one whose beginning was damaged
                continue
            if kind != _LOST:
                parts.append(content)
            if kind in (_WHOLE, _LAST):
                yield b"".join(parts)
                parts = []
        self.cut = self.cut or bool(parts)

    def _pieces(self) -> Iterator[tuple[int, bytes]]:
        """Iterate over the pieces: kind and content."""
        try:
            with self.path.open("rb") as file:
                start = 0
                while block := file.read(_BLOCK):
                    yield from self._of_block(block, start)
                    start += len(block)
        except OSError as error:
            raise StorageError(f"{self.path} cannot be read: {error.strerror or error}") from error

    def _of_block(self, block: bytes, start: int) -> Iterator[tuple[int, bytes]]:
        at = 0 if start else _HEAD
        while _BLOCK - at >= _HEAD and at < len(block):
            length, kind = int.from_bytes(block[at + 4 : at + 6], "little"), block[at + 6 : at + 7]
            end = at + _HEAD + length
            if len(block) < _BLOCK and (not kind or end > len(block)):
                self.cut = True
                return
            content = block[at + _HEAD : end]
            check = int.from_bytes(block[at : at + 4], "little")
            begin = _BEGINS.get(kind[0])
            if begin is None or crc32(content, begin) != check:
                # Nothing says where the next one begins, before the next block does.
                self.damaged.append(start + at)
                yield _LOST, b""
                return
            yield kind[0], content
            at = end
