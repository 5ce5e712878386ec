"""The files of a wandb run: those in its folder, and those of the artifacts it logged."""

from __future__ import annotations

import base64
import filecmp
import hashlib
from pathlib import Path
from typing import Final

from .protobuf import Message

_CONSOLE: Final = "output.log"


class Files:
    """Finds the files that the records of a run speak of.

    Attributes
    ----------
    found : dict
        Name → path.
    """

    def __init__(self) -> None:
        self.found: dict[str, Path] = {}
        self._expected: dict[str, None] = {}
        self._left_out: list[tuple[str, str]] = []

    def expect(self, message: Message) -> None:
        """Take a record that names files in the folder."""
        self._expected.update(dict.fromkeys(item.text(1) for item in message.several(1)))

    def beside(self, log: Path, *, console_is_known: bool) -> None:
        """Take the files in the folder of a log."""
        folder = log.parent / "files"
        for file in sorted(folder.rglob("*")):
            name = file.relative_to(folder).as_posix()
            if name == _CONSOLE and console_is_known:
                self._expected.pop(name, None)
            elif file.is_file():
                self._add(name, file, otherwise=f"{log.parent.name}/{name}")
            elif file.is_symlink():
                self._left_out.append((f"file {name!r}", f"it was at {file.readlink()}"))

    def artifact(self, message: Message) -> None:
        """Take a record that says what an artifact consists of."""
        name = message.text(5)
        for entry in message.inner(12).several(4):
            its_name = f"{name}/{entry.text(1)}"
            place = Path(entry.text(6)) if entry.text(6) else None
            if entry.text(3):
                self._left_out.append((f"artifact {its_name!r}", f"it lies at {entry.text(3)}"))
            elif place is None or not _is_it(place, entry):
                where = f"no longer at {place}" if place else "on wandb's server only"
                self._left_out.append((f"artifact {its_name!r}", f"its bytes are {where}"))
            else:
                other = f"{name}:{message.text(6)[:8]}/{entry.text(1)}"
                self._add(its_name, place, otherwise=other)
        if message.inner(12).text(5):
            why = f"the list of its files is {message.inner(12).text(5)}"
            self._left_out.append((f"artifact {name!r}", why))

    def _add(self, name: str, file: Path, *, otherwise: str) -> None:
        """Take a file; under the other name where one with other bytes has its own."""
        known = self.found.get(name)
        if known is not None and not filecmp.cmp(known, file, shallow=False):
            name = otherwise
        self.found.setdefault(name, file)

    def missing(self) -> list[tuple[str, str]]:
        """Return what there is no file of, and why."""
        told = {what for what, _ in self._left_out}
        absent = [
            (f"file {name!r}", "it is not in the folder")
            for name in self._expected
            if name not in self.found and f"file {name!r}" not in told
        ]
        return self._left_out + absent


def _is_it(place: Path, entry: Message) -> bool:
    """Whether a file has the bytes that were logged: the log may be from another machine."""
    try:
        if not place.is_file() or place.stat().st_size != entry.integer(4):
            return False
        wanted = base64.b64decode(entry.text(2))
        with place.open("rb") as file:
            return hashlib.file_digest(file, "md5").digest() == wanted
    except (OSError, ValueError):
        return False
