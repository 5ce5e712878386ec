"""Disks that are small, full or read-only, for commands that are started on them."""

from __future__ import annotations

import contextlib
import functools
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="mounts and refuses as Linux does")

_REFUSALS = [sys.executable, "-I", str(Path(__file__).with_name("refusals.py"))]

BY_PERMISSIONS = [*_REFUSALS, "permissions"]
"""The words before a command that permissions hold back, whoever starts it."""


class MountedDisk:
    """A file system in memory that begins with what is in the folder; its commands alone see it.

    Parameters
    ----------
    folder : Path
        In the place of which it is mounted; the folder itself stays as it is.
    size : int
        How many bytes there is room for.
    """

    def __init__(self, folder: Path, size: int) -> None:
        namespace = _namespace()
        assert namespace is not None
        script = 'cd "$0" && mount -t tmpfs -o size="$1" none "$0" && cp -a . "$0" && echo && cat'
        # The namespace lives as long as this process, which ends with its input.
        self._holder = subprocess.Popen(
            [*namespace, "sh", "-c", script, str(folder), str(size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        user = ["-U", "--preserve-credentials"] if "-Urm" in namespace else []
        enter = ["nsenter", "-t", str(self._holder.pid), *user, "-m", "--"]
        self.words = [*enter, *_in(folder)]
        """The words before a command that is to start on the disk, in its folder."""
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"\n"

    def fill(self) -> None:
        """Leave no room."""
        ballast = ["dd", "if=/dev/zero", "of=ballast", "bs=1k"]
        assert subprocess.run([*self.words, *ballast], capture_output=True).returncode

    def free(self) -> None:
        """Have the room again that there was at first."""
        subprocess.run([*self.words, "rm", "ballast"], check=True)

    def lock(self) -> None:
        """Be read-only from now on."""
        script = 'mount -o remount,ro,bind "$PWD"'
        subprocess.run([*self.words, "sh", "-c", script], check=True)

    def close(self) -> None:
        """Let it go."""
        self._holder.communicate()


class RefusingDisk:
    """The folder itself; what a small disk would refuse is refused to its commands.

    No process may mount anything in most containers. There is room for whatever is written at once
    and not larger than the disk.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder
        self._size = size
        self.free()

    @property
    def words(self) -> list[str]:
        """The words before a command that is to start on the disk, in its folder."""
        return [*_REFUSALS, *self._way, *_in(self._folder)]

    def fill(self) -> None:
        """Leave no room."""
        self._way = ["full", "0"]

    def free(self) -> None:
        """Have the room again that there was at first."""
        self._way = ["full", str(self._size)]

    def lock(self) -> None:
        """Be read-only from now on."""
        self._way = ["read-only"]

    def close(self) -> None:
        """Let it go, which takes nothing."""


Disk = MountedDisk | RefusingDisk


def kinds() -> list[type[Disk]]:
    """Return the kinds that this machine allows, the real one first."""
    return [MountedDisk, RefusingDisk] if _namespace() else [RefusingDisk]


@functools.cache
def _namespace() -> tuple[str, ...] | None:
    """Return the words before a command that may mount something, None where none may."""
    for words in (("unshare", "-m"), ("unshare", "-Urm")):
        with tempfile.TemporaryDirectory() as folder, contextlib.suppress(FileNotFoundError):
            mount = [*words, "mount", "-t", "tmpfs", "none", folder]
            if subprocess.run(mount, capture_output=True).returncode == 0:
                return words
    return None


def _in(folder: Path) -> list[str]:
    return ["sh", "-c", 'cd "$0" && exec "$@"', str(folder)]
