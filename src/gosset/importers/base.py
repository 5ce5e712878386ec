"""What the stores of other trackers are read to, whatever they are: the contract of a reader."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ..artifacts.base import ArtifactStore
from ..entities import Status
from ..exceptions import GossetError, MissingExtraError
from ..series import Points
from ..storage.base import Catalog, Merged
from ..storage.errors import BUSY, LOCKED, code

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Something that was not taken over, and why.

    Attributes
    ----------
    what : str
        E.g. ``"the system metrics"``; names the thing.
    why : str
        Continues the sentence ``WHAT was not taken over: WHY``.
    run : str
        What people call the run that it belongs to; empty where it belongs to none.
    """

    what: str
    why: str
    run: str = ""

    def __str__(self) -> str:
        whose = f" of run {self.run}" if self.run else ""
        return f"{self.what}{whose}: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One run of another tracker, whole, as plain values.

    Names that no store takes (empty, of more than 250 characters, with a zero character) and
    values that none takes need no care: who writes makes them fit, and tells.

    Attributes
    ----------
    id : str
        What the source tells the run from all others by, wherever it was moved to: its own
        UUID where it has one. The run's id follows from it.
    experiment : str
    project : str or None
        Where the source knows projects.
    name : str
    status : Status
        ``RUNNING`` where the source says so; `beaten` tells whether it can be true.
    started, ended : int or None
        Microseconds since the epoch.
    beaten : int or None
        Likewise, of the last sign of life.
    parent : str or None
        The `id` of the run in which it was started.
    params : mapping
        What was varied: name → value with a form in JSON.
    config : mapping
        What else was fixed beforehand, likewise.
    tags : sequence of str
    notes : str
    metrics : mapping
        Name → points, in the order in which the source took them in: when the run has grown,
        what is new stands at the end. Steps are integers of 64 bits, times microseconds
        since the epoch. A single number is a series of one point at step 0.
    fields : mapping
        Name → a value of any kind that :class:`gosset.tracking.fields.Fields` takes.
    artifacts : mapping
        Name → the path of a file or a folder, ``bytes`` (of a file), or any other value that
        a safe serializer takes.
    console : sequence of (stream, time, text)
        What it printed, in order; the stream is ``"stdout"`` or ``"stderr"``, times are
        microseconds.
    command, user, host : str
    code : str
        Whatever tells one version of the code from another, e.g. file and commit.
    provenance : mapping
        What is known of where the code comes from, as :func:`gosset.provenance.capture` has
        it: ``commit``, ``branch``, ``remote`` …
    left_out : sequence of (what, why)
        What the source has of the run, and cannot be taken over.
    """

    id: str
    experiment: str
    name: str
    status: Status
    project: str | None = None
    started: int | None = None
    ended: int | None = None
    beaten: int | None = None
    parent: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    notes: str = ""
    metrics: Mapping[str, Points] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, Path | bytes | Any] = field(default_factory=dict)
    console: tuple[tuple[str, int, str], ...] = ()
    command: str = ""
    user: str = ""
    host: str = ""
    code: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    left_out: tuple[tuple[str, str], ...] = ()


def attempted(run: str, read: Callable[..., _T], *arguments: Any) -> _T | LeftOut:
    """Return what is read of a run; whatever goes wrong with it leaves out this run alone.

    Parameters
    ----------
    run : str
        What people call it.
    read : callable
        Called with the arguments.

    Raises
    ------
    MissingExtraError, sqlite3.OperationalError
        No other run can be read either: a library is missing; the database is locked.

    Examples
    --------
    >>> attempted("one", int, "12")
    12
    >>> print(attempted("two", int, "x"))
    run two: it is damaged: ValueError: invalid literal for int() with base 10: 'x'
    """
    try:
        return read(*arguments)
    except MissingExtraError:
        raise
    except Exception as error:
        if isinstance(error, sqlite3.OperationalError) and code(error) in (BUSY, LOCKED):
            raise
        return damaged(run, error)


def damaged(run: str, error: Exception) -> LeftOut:
    """Return that a run was left out because of an error."""
    if isinstance(error, GossetError):
        return LeftOut(what=f"run {run}", why=f"it is damaged: {error.message}")
    why = f"it is damaged: {type(error).__name__}: {error}"
    return LeftOut(what=f"run {run}", why=" ".join(why.split()))


@dataclass(frozen=True, slots=True)
class Source:
    """What a reader found at a path.

    Attributes
    ----------
    total : int
        How many runs there are about, for the progress that is shown.
    found : iterator of Found or LeftOut
        The runs, one at a time, each read when it is asked for; between them what belongs to no run and was not taken over.
    """

    total: int
    found: Iterator[Found | LeftOut]


class Reader(Protocol):
    """Reads the stores of one tracker. A module is one.

    Promises: nothing is written, no code of the source is run or unpickled, and the tracker
    need not be installed. What cannot be read comes out as an error of Gosset: ``NotFoundError``
    where there is nothing at the path, ``StoreVersionError`` where something else is there,
    ``StorageError`` where it is damaged as a whole. What is damaged in a part only is a
    :class:`LeftOut`: all else is taken over. So each run is read through :func:`attempted`.
    """

    def recognises(self, path: Path) -> bool:
        """Whether what lies at the path was clearly written by this tracker; raises nothing."""
        ...

    def read(self, path: Path) -> Source:
        """Return what lies at the path."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Where runs are taken over to.

    Attributes
    ----------
    catalog : Catalog
    artifacts : ArtifactStore
    project : str or None
        For all of them; by default that of the source, else the active one.
    """

    catalog: Catalog
    artifacts: ArtifactStore
    project: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported(Merged):
    """What was taken over from another tracker.

    Attributes
    ----------
    kind : str
        The tracker.
    artifacts, bytes : int
        Artifacts of the runs that are new or changed, and how many bytes those are.
    unchanged : int
        Runs that had been taken over before, and are as they were.
    unfinished : mapping
        Runs that the source says are still at work: name → what was made of that, ``running``
        or ``crashed``.
    left_out : tuple of LeftOut
    """

    kind: str
    unchanged: int = 0
    unfinished: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()
