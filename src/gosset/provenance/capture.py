"""What a launch records of itself: code version, environment, with the bulk as artifacts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ..entities import Environment
from ..types import JSONValue
from .code import code_version
from .commands import scheduler
from .environments import environment


class Keeper(Protocol):
    """What keeps bytes under their digest: an artifact store."""

    def put(self, data: bytes, /) -> str:
        """Keep `data` and return its digest."""
        ...


def capture(
    path: Path, artifacts: Keeper, *, secret: Callable[[bytes], bool] = lambda data: False
) -> tuple[dict[str, JSONValue], Environment]:
    """Capture the code version and the environment of a launch.

    Parameters
    ----------
    path : Path
        The file that declares the experiment, or the folder of a notebook.
    artifacts : Keeper
        Takes the difference to the commit and the untracked files.
    secret : callable, optional
        Says whether bytes hold a secret: they are not kept, and a note says so.

    Returns
    -------
    provenance : dict
        The content of :func:`code_version`, as JSON. ``diff`` and the files of
        ``untracked`` that are kept name their artifact: ``digest``, ``format``, ``size``.
        ``scheduler`` names the job of a cluster.
    environment : Environment

    Raises
    ------
    ArtifactError, StoreReadOnlyError
        The bytes cannot be kept.
    """
    code = code_version(path)
    provenance = dict(code.content)
    secrets = [name for name, data in code.untracked.items() if secret(data)]
    if code.diff and secret(code.diff):
        secrets.append("the diff")
    elif code.diff:
        provenance["diff"] = _kept("diff", code.diff, artifacts)
    if secrets:
        notes = provenance.get("notes")
        assert isinstance(notes, list)
        told: JSONValue = f"not kept, for they hold a secret: {', '.join(secrets)}"
        provenance["notes"] = [*notes, told]
    if names := provenance.get("untracked"):
        assert isinstance(names, list)
        provenance["untracked"] = [
            _kept(str(name), code.untracked[str(name)], artifacts)
            if name in code.untracked and name not in secrets
            else {"name": name}
            for name in names
        ]
    if job := scheduler():
        provenance["scheduler"] = dict(job)
    return provenance, environment()


def _kept(name: str, data: bytes, artifacts: Keeper) -> JSONValue:
    digest = artifacts.put(data)
    return {"name": name, "digest": digest, "format": "bytes", "size": len(data)}
