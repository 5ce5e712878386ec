"""Runs of other trackers: read as they wrote them, and taken over into a store.

- ``base.py``: what a reader gives: :class:`Found` for each run, :class:`LeftOut` for the rest
- ``taking.py``, ``fitting.py``: how that comes into a store
- ``mlflow/`` … : one reader a tracker; none of them needs the tracker to be installed
- ``databases.py``, ``protobuf.py``, …: what several of them read
"""

from __future__ import annotations

import importlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from ..exceptions import StorageError, UsageError, did_you_mean
from .base import Imported as Imported
from .base import LeftOut as LeftOut

if TYPE_CHECKING:
    from ..exchange.uniting import Progress
    from .base import Goal, Reader, Source

__all__ = ["GOSSET", "KINDS", "Imported", "LeftOut", "import_runs", "kind_of"]

GOSSET: Final = "gosset"
"""What ``export(format="gosset")`` wrote."""

KINDS: Final = ("mlflow", "mltraq", "wandb", "trackio", "aim", "tensorboard")
"""The trackers whose runs can be taken over; each has a reader in a module of its name.

The last is that of which the others keep files, too.
"""


def kind_of(path: Path) -> str:
    """Return who wrote what lies at a path; where nobody clearly did, it is called Gosset's.

    Raises
    ------
    StorageError
        It is a folder, which Gosset does not write runs to, and no tracker's.
    """
    found = next((kind for kind in KINDS if _reader(kind).recognises(path)), GOSSET)
    if found == GOSSET and path.is_dir():
        raise StorageError(
            f"{path} cannot be read: no tracker's runs are recognised in this folder",
            hint=f"say whose they are: {', '.join(KINDS)}",
        )
    return found


def import_runs(
    path: Path,
    kind: str | None,
    goal: Goal,
    progress: Progress | None = None,
    *,
    python: str | Path | None = None,
) -> Imported:
    """Take over the runs that lie at a path; see :meth:`gosset.Store.import_from`."""
    if kind is not None and kind not in KINDS and kind != GOSSET:
        raise UsageError(
            f"runs of {kind!r} cannot be taken over",
            hint=did_you_mean(kind, [*KINDS, GOSSET]),
        )
    kind = kind or kind_of(path)
    if python is not None and kind != "aim":
        raise UsageError(
            f"runs of {kind} are read without a Python of their own",
            hint="one is named for those of aim alone",
        )
    if kind == GOSSET:
        return _exported(path, goal, progress)
    from .taking import take

    try:
        source = _reader(kind).read(path) if python is None else _aim_read(path, python)
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror or error}") from error
    return take(kind, path, source, goal, progress)


def _aim_read(path: Path, python: str | Path) -> Source:
    from .aim import read

    return read(path, python)


def _exported(path: Path, goal: Goal, progress: Progress | None) -> Imported:
    from ..exchange import read

    if goal.project is not None:
        raise UsageError(
            f"the runs of {path} are in projects of their own already",
            hint="a project is chosen for runs of other trackers alone",
        )
    merged = read(path, goal.catalog, goal.artifacts, progress=progress)
    return Imported(kind=GOSSET, **asdict(merged))


def _reader(kind: str) -> Reader:
    return cast("Reader", importlib.import_module(f".{kind}", __name__))
