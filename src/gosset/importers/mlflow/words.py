"""What MLflow says of a run, in Gosset's words, whichever of its stores it stands in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

from ...entities import Status
from ...naming import NAME_LENGTH
from ...series import Points
from ..base import Found
from ..places import files_in

STATUSES: Final = {
    "RUNNING": Status.RUNNING,
    "SCHEDULED": Status.RUNNING,
    "FINISHED": Status.COMPLETE,
    "FAILED": Status.FAILED,
    "KILLED": Status.STOPPED,
}
_OWN: Final = "mlflow."
_SAID: Final = frozenset(
    f"mlflow.{name}" for name in ("runName", "parentRunId", "note.content", "user", "source.name")
)
"""Tags that have another place in Gosset."""

_GIT: Final = {
    "mlflow.source.git.commit": "commit",
    "mlflow.source.git.branch": "branch",
    "mlflow.source.git.repoURL": "remote",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A run as MLflow has it: all texts are its own, times are milliseconds."""

    id: str
    experiment: str
    name: str
    status: str
    user: str = ""
    started: int | None = None
    ended: int | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Points] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, Path] = field(default_factory=dict)
    left_out: tuple[tuple[str, str], ...] = ()


def found(told: Told) -> Found:
    """Return a run in Gosset's words."""
    own = {name: text for name, text in told.tags.items() if name.startswith(_OWN)}
    named = {name: text for name, text in told.tags.items() if name not in own}
    # A tag of MLflow has a value, of any length; one of Gosset is one name.
    written = {name: f"{name}={text}" if text else name for name, text in named.items()}
    long = {name for name, text in written.items() if len(text) > NAME_LENGTH}
    fields = dict(told.fields) | {name: named[name] for name in sorted(long)}
    rest = {name: text for name, text in own.items() if name not in _SAID and name not in _GIT}
    source = own.get("mlflow.source.name", "")
    provenance = {word: own[name] for name, word in _GIT.items() if own.get(name)}
    times = [time for points in told.metrics.values() for time in points.times]
    started = _micro(told.started)
    return Found(
        id=told.id,
        experiment=told.experiment,
        name=told.name or own.get("mlflow.runName", "") or told.id,
        status=STATUSES.get(told.status, Status.CRASHED),
        started=started,
        ended=_micro(told.ended),
        beaten=max(times, default=started),
        parent=own.get("mlflow.parentRunId") or None,
        params={name: parameter(text) for name, text in told.params.items()},
        config={"mlflow": rest} if rest else {},
        tags=tuple(text for name, text in written.items() if name not in long),
        notes=own.get("mlflow.note.content", ""),
        metrics=told.metrics,
        fields=fields,
        artifacts=told.artifacts,
        command=source,
        user=own.get("mlflow.user", "") or told.user,
        code="\0".join([source, *provenance.values()]),
        provenance=provenance,
        left_out=told.left_out,
    )


def parameter(text: str) -> str | int | float | bool | None:
    """Return a parameter, of which MLflow keeps what ``str()`` gives, as what it was.

    Only where ``str()`` of that gives the same text: none of it is lost.

    Examples
    --------
    >>> [parameter(text) for text in ("0.1", "12", "True", "None", "1.50", "007", "relu", "nan")]
    [0.1, 12, True, None, '1.50', '007', 'relu', 'nan']
    """
    words = {"True": True, "False": False, "None": None}
    if text in words:
        return words[text]
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        if str(value) == text and math.isfinite(value):
            return value
    return text


class Reach(NamedTuple):
    """Where files may lie.

    Attributes
    ----------
    root : Path
        The folder that was named: what MLflow says to lie outside of it is not read.
    near : Path
        The folder in which the store lies, from which relative addresses start.
    """

    root: Path
    near: Path


def artifacts_of(
    what: str,
    uri: str,
    reach: Reach,
    beside: Iterable[Path],
    left_out: list[tuple[str, str]],
) -> dict[str, Path]:
    """Return the files of a run, or of a model.

    Parameters
    ----------
    what : str
        What they are called, where nobody can say whether there are any: MLflow makes the
        folder of a run with its first file, in that of its experiment.
    uri : str
        The folder that MLflow names, where those beside the store have nothing.
    reach : Reach
    beside : iterable of Path
        Where they are if they lie with the store.
    left_out : list of (what, why)
    """
    for folder in beside:
        before = len(left_out)
        files = files_in(folder, reach.root, left_out)
        if files or len(left_out) > before:
            return files
    place = _local(uri, reach.near)
    if place is None or not place.parent.parent.is_dir():
        left_out.append((what, f"nothing can be read at {uri}"))
        return {}
    if not place.resolve().is_relative_to(reach.root.resolve()):
        if any(place.rglob("*")):
            why = f"they lie at {place}, outside of {reach.root}: name a folder that has both"
            left_out.append((what, why))
        return {}
    return files_in(place, reach.root, left_out)


def _local(uri: str, near: Path) -> Path | None:
    """Return the folder that an address of artifacts names; None where it is elsewhere."""
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return None if parts.scheme else near / unquote(uri)


def _micro(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else milliseconds * 1000
