"""Reads Aim repositories, through a Python that has Aim: nothing else can open what it keeps."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ..exceptions import (
    MissingExtraError,
    NotFoundError,
    StorageError,
    StoreVersionError,
    UsageError,
)
from .aim_run import Line, Properties, found_run, properties_of
from .base import Found, LeftOut, Source, attempted

_EXPORT: Final = Path(__file__).with_name("aim_export.py")
_LINES: Final = "lines.jsonl"
_MEND: Final = "name a Python that has it: --python PATH"


def recognises(path: Path) -> bool:
    """See :meth:`Reader.recognises`."""
    return _repository(path) is not None


def read(path: Path, python: str | Path | None = None) -> Source:
    """Read the repository in a folder, or the folder ``.aim`` itself; see :meth:`Reader.read`.

    Parameters
    ----------
    path : Path
    python : str or Path, optional
        An interpreter that has Aim; by default the one that runs this, if it does.

    Raises
    ------
    MissingExtraError, UsageError
        It has not; there is none.
    """
    repository = _repository(path)
    if repository is None:
        if not path.exists():
            raise NotFoundError(f"there is no folder {path}")
        raise StoreVersionError(
            f"{path} has no repository of Aim", hint="name the folder in which '.aim' lies"
        )
    runs = _Exported(repository, _interpreter(python), path)
    return Source(len(list((repository / "meta" / "chunks").iterdir())), runs)


def _repository(path: Path) -> Path | None:
    for place in (path / ".aim", path):
        if (place / "meta" / "chunks").is_dir() and (place / "seqs").is_dir():
            return place
    return None


def _interpreter(python: str | Path | None) -> str:
    if python is not None:
        found = shutil.which(str(python))
        if found is None:
            raise UsageError(f"there is no Python at {python}", hint=_MEND)
        return os.path.abspath(found)
    if importlib.util.find_spec("aim") is None:
        raise MissingExtraError(
            "a repository of Aim can only be opened by Aim, which is not installed here",
            hint=_MEND,
        )
    return sys.executable


class _Exported(Iterator[Found | LeftOut]):
    """The runs of a repository, written out to a folder that goes when nobody has them any more.

    Parameters
    ----------
    repository : Path
        The folder ``.aim``.
    interpreter : str
        A Python that has Aim.
    root : Path
        The folder that was named; of files elsewhere none is read.
    """

    def __init__(self, repository: Path, interpreter: str, root: Path) -> None:
        # Who takes a run over reads its files when the last of all has been asked for.
        self._folder = Path(tempfile.mkdtemp(prefix="gosset-aim-"))
        self._finalizer = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._repository = repository
        self._root = root
        _export(repository, self._folder, interpreter)
        self._found = self._runs()

    def __next__(self) -> Found | LeftOut:
        return next(self._found)

    def _runs(self) -> Iterator[Found | LeftOut]:
        properties, told = _properties(self._repository)
        yield from told
        if any((self._repository / "meta" / "chunks").iterdir()):
            why = "Aim does not keep whether they failed; those that were closed count as complete"
            yield LeftOut(what="how the runs ended", why=why)
        lines: list[Line] = []
        for line in self._lines():
            if "broken" in line and str(line["broken"]).startswith("run "):
                yield LeftOut(what=line["broken"], why=f"it is damaged: {line['why']}")
                lines = []
            elif "ends" in line:
                run = line["ends"]
                places = self._repository, self._folder, self._root
                yield attempted(run, found_run, run, lines, properties.get(run), *places)
                lines = []
            else:
                lines.append(line)

    def _lines(self) -> Iterator[Line]:
        with (self._folder / _LINES).open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)


def _properties(repository: Path) -> tuple[dict[str, Properties], list[LeftOut]]:
    """Return what Aim keeps of runs in a database of its own, if it can be read."""
    try:
        return properties_of(repository / "run_metadata.sqlite"), []
    except (NotFoundError, StoreVersionError, StorageError) as error:
        what = "names, experiments, tags and notes of all runs"
        return {}, [LeftOut(what=what, why=error.message)]


def _export(repository: Path, folder: Path, interpreter: str) -> None:
    """Have a repository written out.

    Raises
    ------
    UsageError, StorageError
        The interpreter has no Aim; it fails.
    """
    environment = {**os.environ, "AIM_DISABLE_TELEMETRY": "1"}
    # Not as a file: what lies beside it is called as what it imports.
    command = [interpreter, "-", str(repository.absolute()), str(folder)]
    try:
        with _EXPORT.open("rb") as script:
            done = subprocess.run(
                command, stdin=script, capture_output=True, cwd=folder, env=environment, check=False
            )
    except OSError as error:
        why = error.strerror or error
        raise UsageError(f"{interpreter} cannot be run: {why}", hint=_MEND) from error
    if done.returncode == 0:
        return
    said: Any = done.stderr.decode("utf-8", "replace").strip().splitlines() or [
        f"exit code {done.returncode}"
    ]
    if any("ModuleNotFoundError: No module named 'aim" in line for line in said):
        raise MissingExtraError(f"Aim is not installed for {interpreter}", hint=_MEND)
    raise StorageError(f"Aim could not read {repository}: {said[-1]}")
