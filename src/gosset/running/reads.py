"""Notices which of the user's files are opened for reading while a stage runs."""

from __future__ import annotations

import os
import sys
import sysconfig
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from types import FrameType
from typing import Any, Final

_LIMIT: Final = 100
"""Files that are noticed in one block: enough to say that there are many."""

_TICK: Final = 0.01
"""Seconds: the time of a file's change may be this much too early."""

_CODE: Final = (".py", ".pyc", ".pyi", ".pyx", ".so", ".pth", ".ipynb", ".dylib")
_SYSTEM: Final = (
    "/proc/",
    "/sys/",
    "/dev/",
    "/etc/",
    "/run/",
    "/usr/",
    "/lib/",
    "/lib64/",
    "/bin/",
)
_DATA: Final = ("/dev/shm/", "/run/media/")
_INSTALLED: Final = {"site-packages", "dist-packages", "__pycache__", ".cache", ".config"}
_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_PACKAGE: Final = __name__.partition(".")[0] + "."
_IMPORT: Final = "<frozen importlib._bootstrap>"


class Reads:
    """What was opened inside a block of :func:`noticing`."""

    def __init__(self) -> None:
        self._here = _here()
        self._begun = time.time() - _TICK
        self._read: dict[str, None] = {}
        self._written: set[str] = set()

    def note(self, path: str, flags: int) -> None:
        """Take a file that is being opened."""
        if flags & _WRITES:
            self._written.add(path)
        elif (
            path not in self._read
            and path not in self._written
            and len(self._read) < _LIMIT
            and _is_data(path)
            and self._is_older(path)  # as it is now: the stage may write it afterwards
            and not _importing()
        ):
            self._read[path] = None

    def foreign(self, known: Iterable[str] = (), own: str = "") -> tuple[str, ...]:
        """Return the files whose content came from elsewhere, as a user would write them.

        Left out are those that were written or changed inside the block before they were
        read, or are gone already; code, installed libraries and the system's own; and what
        is declared.

        Parameters
        ----------
        known : iterable of str
            Paths of files that count already.
        own : str
            A folder whose files do not count, such as that of the artifacts.
        """
        if not self._read:
            return ()
        declared = {os.path.realpath(path) for path in known}
        return tuple(
            path.removeprefix(self._here)
            for path in self._read
            if os.path.realpath(path) not in declared
            and not (own and path.startswith(os.path.join(own, "")))
            and os.path.isfile(path)
        )

    def _is_older(self, path: str) -> bool:
        try:
            # The time of its last change of any kind: a copy may bear the times of its original.
            return os.path.isfile(path) and os.stat(path).st_ctime < self._begun
        except OSError:
            return False


# An audit hook cannot be taken back, so there is one for the whole process; it looks here.
_noticing: dict[int, Reads] = {}


@contextmanager
def noticing() -> Iterator[Reads]:
    """Notice the files that are opened inside the block, by this thread and those it starts.

    What compiled code opens past Python, and what other processes open, is not noticed.

    Examples
    --------
    >>> with noticing() as reads:
    ...     with open(__file__) as file:
    ...         source = file.read()
    >>> reads.foreign()
    ()
    """
    _install()
    thread = threading.get_ident()
    before, reads = _noticing.get(thread), Reads()
    _noticing[thread] = reads
    try:
        yield reads
    finally:
        if before is None:
            del _noticing[thread]
        else:
            _noticing[thread] = before


@cache
def _install() -> None:
    sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or not _noticing:
        return
    path, _, flags = arguments
    if isinstance(path, int):
        return
    try:
        path = os.fsdecode(path)
        reads = _noticing.get(threading.get_ident()) or _of_starter()
        if reads is not None and not path.endswith(_CODE):
            reads.note(os.path.abspath(path), flags if isinstance(flags, int) else 0)
    except Exception:  # noqa: BLE001 - what is raised here comes out of the user's own open()
        return


def _of_starter() -> Reads | None:
    """Return the block that a further thread belongs to, where there is only one."""
    if threading.current_thread().name.startswith("gosset-"):
        return None
    blocks = list(_noticing.values())
    return blocks[0] if len(blocks) == 1 else None


def _importing() -> bool:
    """Whether the stage imports a module: what that reads meanwhile comes with its code."""
    frame: FrameType | None = sys._getframe().f_back
    while frame is not None and frame.f_globals is globals():  # note() and the hook
        frame = frame.f_back
    while frame is not None and not str(frame.f_globals.get("__name__")).startswith(_PACKAGE):
        if frame.f_code.co_filename == _IMPORT:
            return True
        frame = frame.f_back
    return False


def _is_data(path: str) -> bool:
    """Whether a file is neither the system's nor a library's."""
    parts = path.split(os.sep)
    installed = not _INSTALLED.isdisjoint(parts) or any(p.endswith(".egg-info") for p in parts)
    return not installed and (path.startswith(_DATA) or not path.startswith(_system()))


@cache
def _system() -> tuple[str, ...]:
    """Return the folders of the system and of Python itself."""
    # Not Python's prefix: a virtual environment may lie around the user's own files.
    paths = sysconfig.get_paths()
    own = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib", "include")]
    shared = [os.path.join(prefix, "share") for prefix in (sys.prefix, sys.base_prefix)]
    return (*_SYSTEM, *(os.path.join(path, "") for path in (*own, *shared)))


def _here() -> str:
    """Return the current folder, as paths in it begin; empty where it is gone."""
    try:
        return os.path.join(os.getcwd(), "")
    except OSError:
        return ""
