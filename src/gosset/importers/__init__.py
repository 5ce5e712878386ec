"""Runs of other trackers: read as they wrote them, and taken over into a store.

- ``base.py``: what a reader gives: :class:`Found` for each run, :class:`LeftOut` for the rest
- ``taking.py``, ``fitting.py``: how that comes into a store
- ``mlflow.py`` … : one reader a tracker; none of them needs the tracker to be installed
- ``databases.py``, ``protobuf.py``, …: what several of them read
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from ..exceptions import UsageError, did_you_mean
from .base import Imported as Imported

if TYPE_CHECKING:
    from ..exchange.uniting import Progress
    from .base import Reader
    from .taking import Goal

__all__ = ["KINDS", "Imported", "import_runs", "kind_of"]

KINDS: Final = ("mlflow", "mltraq", "tensorboard", "wandb", "trackio", "aim")
"""The trackers whose runs can be taken over; each has a reader in a module of its name."""


def kind_of(path: Path) -> str | None:
    """Return the tracker that clearly wrote what lies at a path; None where none did."""
    return next((kind for kind in KINDS if _reader(kind).recognises(path)), None)


def import_runs(kind: str, path: Path, goal: Goal, progress: Progress | None = None) -> Imported:
    """Take over the runs that a tracker left at a path; see :meth:`gosset.Store.import_from`."""
    from .taking import take

    return take(kind, path, _reader(kind).read(path), goal, progress)


def _reader(kind: str) -> Reader:
    if kind not in KINDS:
        raise UsageError(f"runs of {kind!r} cannot be taken over", hint=did_you_mean(kind, KINDS))
    return cast("Reader", importlib.import_module(f".{kind}", __name__))
