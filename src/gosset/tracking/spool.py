"""Where news wait while the store cannot be written: a file of frames, one writer's own.

Each frame has its length and checksum before it, so that one that was cut off by a crash is
known. The file is locked while its writer lives; whoever finds it unlocked takes what is in
it to the store and deletes it. What is in the store already is not taken in again.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from ..exceptions import NotFoundError
from ..storage.news import News, Sink

try:
    import fcntl
except ImportError:  # not on Windows: there nobody takes over what a dead process left
    fcntl = None  # type: ignore[assignment]

_SUFFIX: Final = ".news"


class Spool:
    """News of one process that wait for their store.

    Parameters
    ----------
    folder : Path
        Made when the first news come.
    name : str
        Unique among all writers.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}{_SUFFIX}"
        self._file: IO[bytes] | None = None
        self.empty = True

    def of_a_child(self) -> Spool:
        """Return the spool for a process that was forked from this one."""
        return Spool(self.path.parent, f"{os.getpid()}-{os.urandom(6).hex()}")

    def append(self, news: Sequence[News]) -> None:
        """Put news aside; they outlive this process when the call returns.

        Raises
        ------
        OSError
            The file cannot be written; what was there is still there.
        """
        from .frames import frame

        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = _opened(self.path, "ab")
        end = self._file.tell()
        try:
            self._file.write(b"".join(map(frame, news)))
            self._file.flush()
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(end)
            raise
        self.empty = False

    def drain(self, sink: Sink, patience: float | None = None) -> None:
        """Take all that waits to the store, in its order."""
        if self.empty:
            return
        assert self._file is not None
        with self.path.open("rb") as file:
            _deliver(file, sink, patience)
        self._file.close()
        self._file, self.empty = None, True
        self.path.unlink(missing_ok=True)


def recover(folder: Path, sink: Sink) -> int:
    """Take to the store what processes left that ended before they could; return how many."""
    taken = 0
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        try:
            file = _opened(path, "rb")
        except OSError:  # its writer lives, or another process was first
            continue
        with file:
            _deliver(file, sink, None)
            path.unlink(missing_ok=True)
            taken += 1
    return taken


def _opened(path: Path, mode: str) -> IO[bytes]:
    """Open a file that nobody else has open; raise OSError where somebody has."""
    file: IO[bytes] = path.open(mode)
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise
    return file


def _deliver(file: IO[bytes], sink: Sink, patience: float | None) -> None:
    from .frames import frames

    for news in frames(file):
        # Of a run that was deleted meanwhile there is nothing more to say.
        with contextlib.suppress(NotFoundError):
            sink.write([news], patience=patience)
