"""Reads what TensorBoard shows: folders with event files, each folder a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...exceptions import NotFoundError, StoreVersionError
from ..base import Found, LeftOut, Source, attempted
from .runs import identity, run

_PATTERN = "*tfevents*"


def recognises(path: Path) -> bool:
    """Whether there are event files in the folder, or it is one."""
    if path.is_file():
        return "tfevents" in path.name
    return next(path.rglob(_PATTERN), None) is not None


def read(path: Path) -> Source:
    """Return what lies in a folder and all folders in it, or in the folder of an event file."""
    if not path.exists():
        raise NotFoundError(f"there is no {path}")
    if not recognises(path):
        raise StoreVersionError(
            f"{path} has no event files of TensorBoard",
            hint="name the folder that is given to tensorboard --logdir",
        )
    folders: dict[Path, list[Path]] = {}
    for file in [path] if path.is_file() else sorted(path.rglob(_PATTERN)):
        if file.is_file():
            folders.setdefault(file.parent, []).append(file)
    root = path.parent if path.is_file() else path
    return Source(len(folders), _all(root, folders))


def _all(root: Path, folders: dict[Path, list[Path]]) -> Iterator[Found | LeftOut]:
    ids: dict[Path, str] = {}
    experiment = root.absolute().name or "tensorboard"
    for folder, files in sorted(folders.items()):
        name = folder.relative_to(root).as_posix() if folder != root else experiment
        id_ = identity(files)
        if id_ is None:
            yield LeftOut(what=f"run {name}", why="no event of it can be read")
            continue
        ids[folder] = id_
        parent = next((ids[above] for above in folder.parents if above in ids), None)
        yield attempted(name, run, name, experiment, id_, parent, files)
        if (folder / "projector_config.pbtxt").exists():
            why = "the projector keeps them in files of its own"
            yield LeftOut(what="embeddings", why=why, run=name)
