"""Where news wait while the store cannot be written: files of frames, one writer's own.

Each frame has its length and checksum before it, so that one that was cut off by a crash is
known. A file is locked while its writer lives; whoever finds it unlocked takes what is in
it to the store and deletes it. What is in the store already is not taken in again.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Final

from ..exceptions import NotFoundError, StorageError
from ..settings import sqlite_path
from ..storage.news import Beat, News, Sink

try:
    import fcntl
except ImportError:  # not on Windows: there nobody takes over what a dead process left
    fcntl = None  # type: ignore[assignment]

_SUFFIX: Final = ".news"
_AT_ONCE: Final = 50
"""Frames that one transaction takes in."""

LEFT_FOR: Final = 86_400.0
"""Seconds that news wait for a run to be begun by another process."""


class NotYetError(StorageError):
    """It is worth trying again soon."""


Refused = Callable[[News, Exception], None]
"""Told of news that the store does not take; may raise what :func:`deliver` raises."""


def deliver(
    sink: Sink,
    news: Sequence[News],
    beats: Sequence[Beat] = (),
    *,
    patience: float | None,
    refused: Refused,
) -> None:
    """Take news to the store, all but those that it refuses.

    Raises
    ------
    StorageError
        The store cannot be written; what it took in is not taken in again.
    """
    try:
        sink.write(news, beats, patience=patience)
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(f"store {sink.url}: {error}") from error
    except Exception as error:  # noqa: BLE001 - whatever it is, the others are not to blame
        if len(news) == 1 and not beats:
            refused(news[0], error)
            return
        for one in news:
            deliver(sink, [one], patience=patience, refused=refused)
        if beats:
            deliver(sink, [], beats, patience=patience, refused=refused)


def spool_folders(url: str) -> list[Path]:
    """Return where news for a store wait: beside it, or among what the user's caches hold.

    Examples
    --------
    >>> beside, cached = spool_folders("sqlite:////lab/.gosset/store.db")
    >>> beside.as_posix(), cached.parent.name
    ('/lab/.gosset/spool/store.db', 'spool')
    """
    from blake3 import blake3  # loaded anyway, unlike hashlib

    path = sqlite_path(url)
    if path is None:
        # Whatever password or options it is opened with, it is the same store.
        scheme, _, rest = url.partition("?")[0].partition("://")
        user, _, host = rest.rpartition("@")
        named = f"{scheme}://{user.partition(':')[0]}@{host}"
    else:
        named = path.absolute().as_posix()
    name = blake3(named.encode()).hexdigest(length=8)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    cached = Path(base) / "gosset" / "spool" / name
    return [cached] if path is None else [path.parent / "spool" / path.name, cached]


class Spool:
    """News of one process that wait for their store.

    Parameters
    ----------
    folders : sequence of Path
        Made when the first news come; where one cannot be written the next is used.
    sync : bool
        Wait for the disk, so that what is put aside survives that the power fails.
    """

    def __init__(self, folders: Sequence[Path], *, sync: bool = False) -> None:
        self._folders = folders
        self._sync = sync
        self._files: list[_File] = []

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._files

    @property
    def place(self) -> str:
        """Where the latest news wait."""
        return str(self._files[-1].path if self._files else self._folders[0])

    def append(self, news: Sequence[News]) -> None:
        """Put news aside; they outlive this process when the call returns.

        Raises
        ------
        OSError
            They can be written nowhere; what was there is still there.
        """
        from .frames import frame

        if self._files and not self._files[-1].damaged:
            with contextlib.suppress(OSError):
                self._files[-1].append(map(frame, news))
                return
        trouble: OSError | None = None
        for folder in self._folders:
            try:
                file = _File.made(folder, sync=self._sync)
            except OSError as error:
                trouble = error
                continue
            try:
                file.append(map(frame, news))
            except OSError as error:
                trouble = error
                file.remove()
            else:
                self._files.append(file)
                return
        assert trouble is not None
        raise trouble

    def drain(
        self, sink: Sink, *, patience: float | None, seconds: float, refused: Refused
    ) -> None:
        """Take what waits to the store, in its order; go on for some seconds at most.

        Raises
        ------
        StorageError
            The store cannot be written.
        """
        until = time.monotonic() + seconds
        while self._files:
            if self._files[0].drain(sink, patience, until, refused):
                self._files.pop(0).remove()
            if time.monotonic() >= until:
                return

    def forked(self) -> None:
        """Leave the files to the process that this one was forked from."""
        for file in self._files:
            file.close()
        self._files = []


class _File:
    """A file of frames, which is read from its start while it grows."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self.damaged = False
        self._file = file
        self._size = 0
        self._read = 0

    @classmethod
    def made(cls, folder: Path, *, sync: bool) -> _File:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{os.getpid()}-{os.urandom(6).hex()}{_SUFFIX}"
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)
        if sync:
            flags |= getattr(os, "O_SYNC", 0)
        file = os.fdopen(os.open(path, flags, 0o600), "r+b", buffering=0)
        made = cls(path, file)
        try:
            _lock(file)
        except OSError:
            made.remove()
            raise
        return made

    def append(self, frames: Iterable[bytes]) -> None:
        """Add frames, each made when it is written: all of them, or none, or it is damaged."""
        if not self.path.exists():  # with its folder, as a rule; nobody would find it
            self.damaged = True
            raise FileNotFoundError(self.path)
        written = 0
        try:
            for frame in frames:
                rest = memoryview(frame)
                while rest:
                    count = self._file.write(rest) or 0
                    written, rest = written + count, rest[count:]
        except BaseException:
            try:
                self._file.truncate(self._size)
            except OSError:
                self.damaged = True
            raise
        self._size += written

    def drain(self, sink: Sink, patience: float | None, until: float, refused: Refused) -> bool:
        """Take frames to the store; return whether none is left."""
        for news, end in _batches(self._file, self._read):
            deliver(sink, news, patience=patience, refused=refused)
            self._read = end
            if time.monotonic() >= until:
                break
        return self._read >= self._size

    def close(self) -> None:
        self._file.close()

    def remove(self) -> None:
        with contextlib.suppress(OSError):
            self.path.unlink()
        self._file.close()


def recover(folders: Sequence[Path], sink: Sink) -> int:
    """Take to the store what processes left that ended before they could; return how many.

    Raises
    ------
    StorageError
        The store cannot be written; what is left waits on.
    """
    left = [path for folder in folders for path in sorted(_left(folder))]
    early = [path for path in left if not _recovered(path, sink)]
    # What a child process says of a run may lie before what begins it.
    return len(left) - sum(not _recovered(path, sink) for path in early)


def _recovered(path: Path, sink: Sink) -> bool:
    """Take a file to the store, if nobody else has it; return whether it is done with."""
    early: list[News] = []

    def refused(news: News, error: Exception) -> None:
        if isinstance(error, NotFoundError):
            early.append(news)

    try:
        file = path.open("rb", buffering=0)
    except OSError:  # another process was first, or it is somebody else's
        return True
    with file:
        try:
            _lock(file)
        except OSError:  # its writer lives, or another process takes it over
            return True
        for news, _ in _batches(file, 0):
            deliver(sink, news, patience=None, refused=refused)
        old = time.time() - os.fstat(file.fileno()).st_mtime > LEFT_FOR
        if early and not old:
            return False
        path.unlink(missing_ok=True)
    return True


def take_in_spooled(url: str, sink: Callable[[], Sink]) -> None:
    """Take to a store what waits for it, if it can be written; else it waits on."""
    folders = spool_folders(url)
    if any(map(_left, folders)):
        with contextlib.suppress(StorageError):
            recover(folders, sink())


def _left(folder: Path) -> list[Path]:
    if fcntl is None:
        return []
    try:
        return [folder / name for name in os.listdir(folder) if name.endswith(_SUFFIX)]
    except OSError:
        return []


def _lock(file: IO[bytes]) -> None:
    """Lock a file; raise OSError where somebody has."""
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _batches(file: IO[bytes], start: int) -> Iterator[tuple[list[News], int]]:
    """Iterate over the news from a position on, with the position after each piece."""
    from .frames import frames

    file.seek(start)
    pieces = frames(file)
    while batch := list(islice(pieces, _AT_ONCE)):
        yield [news for news, _ in batch], batch[-1][1]
