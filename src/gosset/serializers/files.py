"""Files and folders as they are: the bytes of a file, and a TAR archive of a folder."""

from __future__ import annotations

import io
import os
import re
import shutil
import stat
import sys
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from ..exceptions import NotFoundError, SerializationError, UsageError, did_you_mean
from ..types import PathLike
from .base import Sink
from .mapping import contents

_BLOCK = 1 << 20


class File:
    """The bytes of a file, read when they are asked for.

    Parameters
    ----------
    opened : callable
        Opens the bytes anew.
    """

    def __init__(self, opened: Callable[[], BinaryIO]) -> None:
        self._opened = opened

    @classmethod
    def at(cls, path: PathLike) -> File:
        """Return the file at `path`; its bytes are those that are there when they are read."""
        return cls(lambda: Path(path).open("rb"))

    def open(self) -> BinaryIO:
        """Return a binary file over the bytes."""
        return self._opened()

    def read(self) -> bytes:
        """Return the bytes."""
        with self.open() as file:
            return file.read()

    def save(self, target: PathLike) -> Path:
        """Write the bytes to a new file, and return its path."""
        path = Path(target)
        with self.open() as file, _new(path) as copy:
            shutil.copyfileobj(file, copy, _BLOCK)
        return path

    def __repr__(self) -> str:
        with self.open() as file:
            return f"<file of {file.seek(0, os.SEEK_END):,} bytes>"


class FileSerializer:
    """A :class:`File`: its bytes, unchanged."""

    name = "file"
    extension = ""
    safe = True

    def takes(self, value: object) -> bool:
        """Whether `value` is a file."""
        return type(value) is File

    def dump(self, value: Any, file: Sink) -> None:
        """See :meth:`Serializer.dump`."""
        with value.open() as source:
            while block := source.read(_BLOCK):
                file.write(block)

    def load(self, file: BinaryIO) -> File:
        """See :meth:`Serializer.load`."""
        data = contents(file)
        return File(lambda: io.BufferedReader(_View(data), _BLOCK))


class Archive:
    """The files of a folder. Nothing is written anywhere until :meth:`extract` is called.

    Parameters
    ----------
    opened : callable
        Opens the bytes of the TAR file anew.
    """

    def __init__(self, opened: Callable[[], BinaryIO]) -> None:
        self._opened = opened

    def names(self) -> list[str]:
        """Return the paths of what is in it, with slashes; those of empty folders end with one.

        Raises
        ------
        SerializationError
            It is damaged, or holds what must not be extracted.
        """
        return [_path(member) + "/" * member.isdir() for _, member in self._members()]

    def read(self, name: str) -> bytes:
        """Return the bytes of one file.

        Raises
        ------
        NotFoundError
        """
        names = []
        for archive, member in self._members():
            names.append(_path(member))
            if names[-1] == name and member.isreg():
                return _bytes_of(archive, member)
        raise NotFoundError(
            f"the archive has no file {name!r}", hint=did_you_mean(name, names) or "see names()"
        )

    def extract(self, target: PathLike, names: Iterable[str] | None = None) -> Path:
        """Write files below the folder `target`, and return it.

        Parameters
        ----------
        target : path-like
            Made where it is not there.
        names : iterable of str, optional
            Paths as :meth:`names` gives them; by default all.

        Raises
        ------
        SerializationError
            A member lies outside (``..``, an absolute path), is a link or a device, or the
            archive is damaged. Nothing is written then.
        UsageError
            A file is there already.
        NotFoundError
            There is none of such a name.
        """
        there = self.names()
        chosen = set(there if names is None else names)
        if missing := chosen - set(there):
            name = min(missing)
            raise NotFoundError(
                f"the archive has no file {name!r}", hint=did_you_mean(name, there) or "see names()"
            )
        root = Path(target)
        root.mkdir(parents=True, exist_ok=True)
        for archive, member in self._members():
            name = _path(member)
            if name + "/" * member.isdir() not in chosen:
                continue
            place = root / name
            folder = place if member.isdir() else place.parent
            _make_below(folder, root)
            if member.isreg():
                with _new(place) as file:
                    shutil.copyfileobj(_reader(archive, member), file, _BLOCK)
                if member.mode & stat.S_IXUSR:
                    place.chmod(place.stat().st_mode | stat.S_IXUSR)
        return root

    def _members(self) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
        try:
            with self._opened() as file, tarfile.open(fileobj=file, mode="r:") as archive:
                for member in archive:
                    _check(member)
                    yield archive, member
        except tarfile.TarError as error:
            raise SerializationError(f"the archive is damaged: {error}") from error

    def __repr__(self) -> str:
        return f"<archive of {len(self.names())} files>"


class ArchiveSerializer:
    """An :class:`Archive`, or a :class:`Folder` that becomes one, as a TAR file.

    The same files give the same bytes: owners and times are left out, members are sorted.
    """

    name = "tar"
    extension = ".tar"
    safe = True

    def takes(self, value: object) -> bool:
        """Whether `value` is an archive or a folder."""
        return type(value) in (Archive, Folder)

    def dump(self, value: Any, file: Sink) -> None:
        """See :meth:`Serializer.dump`."""
        if type(value) is Folder:
            value.write(file)
            return
        with value._opened() as source:
            while block := source.read(_BLOCK):
                file.write(block)

    def load(self, file: BinaryIO) -> Archive:
        """See :meth:`Serializer.load`."""
        data = contents(file)
        return Archive(lambda: io.BufferedReader(_View(data), _BLOCK))


class Folder:
    """A folder whose files are to be kept.

    Parameters
    ----------
    path : path-like
    include, exclude : sequence of str
        Patterns of paths below the folder: ``*`` is anything but a slash, ``**`` anything.
        One without a slash is of the name alone, at any depth: ``"*.py"``. What a pattern
        says of a folder it says of all that is in it.

    Raises
    ------
    UsageError
        There is no such folder.
    """

    def __init__(
        self, path: PathLike, *, include: Iterable[str] = (), exclude: Iterable[str] = ()
    ) -> None:
        self._path = Path(path)
        self._include = [_pattern(text) for text in include]
        self._exclude = [_pattern(text) for text in exclude]
        if not self._path.is_dir():
            raise UsageError(f"there is no folder {str(path)!r}")

    def files(self) -> Iterator[tuple[str, Path]]:
        """Iterate over the chosen files and empty folders: path below the folder, and path."""
        yield from self._below(self._path, "", included=not self._include)

    def write(self, sink: Sink) -> None:
        """Write the files as a TAR file."""
        from .tables import OpenSink

        stream: Any = OpenSink(sink)
        with tarfile.open(
            fileobj=stream, mode="w|", bufsize=_BLOCK, format=tarfile.PAX_FORMAT
        ) as to:
            for name, path in self.files():
                member = tarfile.TarInfo(name)
                if path.is_dir():
                    member.type, member.mode = tarfile.DIRTYPE, 0o755
                    to.addfile(member)
                    continue
                with path.open("rb") as file:
                    status = os.fstat(file.fileno())
                    member.size = status.st_size
                    member.mode = 0o755 if status.st_mode & stat.S_IXUSR else 0o644
                    to.addfile(member, file)

    def _below(self, folder: Path, prefix: str, *, included: bool) -> Iterator[tuple[str, Path]]:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        if not entries and prefix and included:
            yield prefix.removesuffix("/"), folder
        for entry in entries:
            name = prefix + entry.name
            if any(pattern.fullmatch(name) for pattern in self._exclude):
                continue
            chosen = included or any(pattern.fullmatch(name) for pattern in self._include)
            if entry.is_dir(follow_symlinks=False):
                yield from self._below(Path(entry.path), f"{name}/", included=chosen)
            elif chosen:
                if not entry.is_file():
                    raise UsageError(
                        f"{entry.path!r} is neither a file nor a folder",
                        hint=f"leave it out with exclude={name!r}",
                    )
                yield name, Path(entry.path)


class _View(io.RawIOBase):
    """Memory in the shape of a file."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: len(self._data)}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        part = self._data[self._at : self._at + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


def _pattern(text: str) -> re.Pattern[str]:
    """Return what matches the paths that a pattern is of.

    Examples
    --------
    >>> bool(_pattern("*.py").fullmatch("a/b.py")), bool(_pattern("a/*").fullmatch("a/b/c"))
    (True, False)
    """
    pieces = re.findall(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|.", text.strip("/"), re.DOTALL)
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    anywhere = "" if "/" in text.strip("/") else "(?:.*/)?"
    found = [
        known.get(piece)
        or (f"[{piece[1:-1].replace('!', '^', 1)}]" if len(piece) > 1 else re.escape(piece))
        for piece in pieces
    ]
    return re.compile(anywhere + "".join(found), re.DOTALL)


def _check(member: tarfile.TarInfo) -> None:
    """Refuse what must not be extracted."""
    name = member.name
    path = PurePosixPath(name)
    outside = path.is_absolute() or ".." in path.parts or not path.parts
    foreign = "\0" in name or (sys.platform == "win32" and re.search(r"[\\:]", name))
    if outside or foreign:
        raise SerializationError(f"the archive has a member that lies outside: {name!r}")
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE):
        raise SerializationError(
            f"member {name!r} of the archive is a link, a device or something else that is "
            f"neither file nor folder"
        )


def _path(member: tarfile.TarInfo) -> str:
    return PurePosixPath(member.name).as_posix()


def _reader(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Any:
    return archive.extractfile(member)


def _bytes_of(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    data: bytes = _reader(archive, member).read()
    if len(data) != member.size:
        raise SerializationError(f"member {member.name!r} of the archive is cut off")
    return data


def _make_below(folder: Path, root: Path) -> None:
    """Make a folder, unless a link that is there leads out of `root`."""
    folder.mkdir(parents=True, exist_ok=True)
    if not folder.resolve().is_relative_to(root.resolve()):
        raise SerializationError(f"{str(folder)!r} leads out of {str(root)!r}")


def _new(path: Path) -> BinaryIO:
    try:
        return path.open("xb")
    except FileExistsError:
        raise UsageError(f"{str(path)!r} is there already", hint="give another place") from None
