"""Reads runs that wandb kept on disk: offline ones, and what lies there of those it sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ..exceptions import NotFoundError, StorageError, StoreVersionError
from .base import Found, LeftOut, Source, attempted
from .protobuf import Message
from .wandb_log import Log, is_log
from .wandb_run import RUN, Gathering

_LOGS: Final = "run-*.wandb"
_FOLDERS: Final = ("", "*run-*/", "wandb/*run-*/")
"""Where logs lie: in the folder of a run, one of such folders, or one where a script ran."""

_Part = tuple[Log, Message]
"""A log, and its first record that says which run it is of."""


def recognises(path: Path) -> bool:
    """See :meth:`Reader.recognises`."""
    try:
        return any(is_log(log) for log in _logs(path))
    except (NotFoundError, StoreVersionError, OSError):
        return False


def read(path: Path) -> Source:
    """Read one run's log or folder, or a folder of those; see :meth:`Reader.read`."""
    runs: dict[str, list[_Part]] = {}
    left_out: list[LeftOut] = []
    for place in _logs(path):
        try:
            log = Log(place)
            told = _run_of(log)
        except (StorageError, StoreVersionError) as error:
            if place == path:
                raise
            left_out.append(LeftOut(what=str(place), why=error.message))
            continue
        if told is None:
            why = "nothing of it has reached the disk"
            left_out.append(LeftOut(what=f"the run of {place}", why=why))
        else:
            id_ = f"{told.text(3)}/{told.text(1)}"
            runs.setdefault(id_, []).append((log, told))
    for parts in runs.values():
        parts.sort(key=lambda part: (_begun(part[1]), part[0].path))
    return Source(len(runs), _found(runs, left_out))


def _logs(path: Path) -> list[Path]:
    """Return the logs at a path."""
    if path.is_file():
        return [path]
    if not path.exists():
        raise NotFoundError(f"there is no file or folder {path}")
    found = [log for folder in _FOLDERS for log in path.glob(folder + _LOGS)]
    if not found:
        raise StoreVersionError(
            f"{path} has no log of a wandb run",
            hint="name a folder 'wandb', one 'offline-run-…' in it, or a file 'run-….wandb'",
        )
    return sorted({log.resolve(): log for log in found}.values())


def _run_of(log: Log) -> Message | None:
    """Return what a log says first of its run; None where it does not come to it."""
    for record in log.records():
        message = Message(record)
        if message.has(RUN):
            return message.inner(RUN)
    return None


def _begun(run: Message) -> tuple[int, int]:
    started = run.inner(17)
    return started.integer(1), started.integer(2)


def _found(runs: dict[str, list[_Part]], left_out: list[LeftOut]) -> Iterator[Found | LeftOut]:
    yield from left_out
    for id_, parts in runs.items():
        yield attempted(parts[-1][1].text(8) or id_, _run, id_, [log for log, _ in parts])


def _run(id_: str, logs: list[Log]) -> Found:
    gathering = Gathering(id_)
    for log in logs:
        gathering.take(log)
    return gathering.found()
