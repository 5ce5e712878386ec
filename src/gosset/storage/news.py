"""What there is to say of tracked runs: plain data, by which a run at work reaches a catalog.

Loads neither a database library nor dataclasses: a script that tracks one number need not wait
for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from ..series import Chunk, Summary
from ..types import JSONValue

_NOTHING: Mapping[str, Any] = {}  # never written to

LEASE: Final = 20.0
"""Seconds after the last sign of life for which a process is taken to live."""


class Opening(NamedTuple):
    """A launch that tracked runs belong to.

    Attributes
    ----------
    id : str
        UUID of the launch.
    fingerprint : str
        Of the code version: the digest of the script.
    code : mapping
        What the execution keeps of the code, where it is a new one.
    moment : int
        Microseconds since the epoch.
    provenance : mapping
        What is known at once of where the code comes from; see :class:`Captured`.
    """

    id: str
    project: str
    experiment: str
    fingerprint: str
    code: Mapping[str, JSONValue] = _NOTHING
    command: str = ""
    user: str = ""
    host: str = ""
    pid: int = 0
    notes: str = ""
    settings: Mapping[str, JSONValue] = _NOTHING
    moment: int = 0
    provenance: Mapping[str, JSONValue] = _NOTHING


class Beginning(NamedTuple):
    """A run as it begins.

    Attributes
    ----------
    launch : Opening
        Opened with the first run that names it.
    group : str
        Digest of the parameters.
    parent : str or None
        Id of the run in which it was started.
    """

    launch: Opening
    name: str
    group: str
    seed: int | None = None
    params: Mapping[str, JSONValue] = _NOTHING
    config: Mapping[str, JSONValue] = _NOTHING
    tags: Sequence[str] = ()
    notes: str = ""
    parent: str | None = None
    moment: int = 0


class Kept(NamedTuple):
    """An artifact of a run. One of the same name replaces it."""

    name: str
    format: str
    digest: str
    size: int
    inline: bytes | None = None


def field_place(name: str) -> str:
    """Return the name of the artifact that has the exact value of a field.

    There is one where JSON has no word for the value. Those of its large parts have longer
    names, such as ``fields['weights'][0]``.

    Examples
    --------
    >>> field_place("weights")
    "fields['weights']"
    """
    return f"fields[{name!r}]"


class Alert(NamedTuple):
    """Something that wants to be seen."""

    moment: int
    level: str
    title: str
    text: str = ""


class Captured(NamedTuple):
    """Where a launch comes from, once it was looked into.

    Attributes
    ----------
    launch : str
        Id.
    provenance : mapping
        Takes the place of what was known before.
    artifacts : sequence of Kept
        Those that `provenance` names; they are the launch's.
    digest : str or None
        Of the environment.
    environment : mapping
        Its content.
    """

    launch: str
    provenance: Mapping[str, JSONValue]
    artifacts: Sequence[Kept] = ()
    digest: str | None = None
    environment: Mapping[str, JSONValue] = _NOTHING


class Gap(NamedTuple):
    """What is no longer kept of what a run printed.

    Attributes
    ----------
    start, end : int
        Times of the first and the last piece that are left out.
    text : str
        Stands in the place of the first.
    """

    start: int
    end: int
    text: str


class Ending(NamedTuple):
    """How a run ended, or that it goes on again.

    Attributes
    ----------
    status : str
        A value of :class:`gosset.Status`.
    exception : tuple of (type, message, traceback) or None
    launch : str or None
        Id of the launch whose process says so. Nothing changes where the run belongs to
        another by now: somebody took it up, and will say how it ends.
    leaves : str or None
        How the launch ended, where no other run of it is at work.
    """

    status: str
    moment: int
    exception: tuple[str, str, str] | None = None
    launch: str | None = None
    leaves: str | None = None


class News(NamedTuple):
    """What one process says of one run at once; all of it is kept or nothing.

    Attributes
    ----------
    run : str
        Id.
    writer : int
        The process: a random number of 63 bits.
    number : int
        From 1, in the order in which the writer said it. What was said is taken in once,
        however often it is repeated.
    points : list of (name, number, Chunk)
        Chunks of series, numbered by writer and name. One that is there is replaced.
    summaries : mapping
        Name → of the points that are new.
    params, fields : mapping
        Merged over those that are there. What was kept as artifacts of the fields is dropped.
    tags : sequence of str
        Added to those that are there.
    console : sequence of (stream, time, text)
        What the run printed, in order.
    gap : Gap or None
        Pieces of it that are taken away again.
    captured : Captured or None
        Of a launch that is in the store.
    anew : bool
        The run begins anew: its metrics, series, fields, artifacts and alerts go first.
    planned : bool
        The group of the run was settled when it was planned: other parameters leave it as it is.
    """

    run: str
    writer: int
    number: int
    begins: Beginning | None = None
    points: Sequence[tuple[str, int, Chunk]] = ()
    summaries: Mapping[str, Summary] = _NOTHING
    params: Mapping[str, JSONValue] = _NOTHING
    config: Mapping[str, JSONValue] = _NOTHING
    fields: Mapping[str, JSONValue] = _NOTHING
    tags: Sequence[str] = ()
    untags: Sequence[str] = ()
    name: str | None = None
    notes: str | None = None
    artifacts: Sequence[Kept] = ()
    console: Sequence[tuple[str, int, str]] = ()
    alerts: Sequence[Alert] = ()
    ends: Ending | None = None
    gap: Gap | None = None
    captured: Captured | None = None
    anew: bool = False
    planned: bool = False


class Beat(NamedTuple):
    """A sign of life of a launch, or that it came to its end.

    Who lives was not gone: a launch that was taken for crashed, and its runs that nobody took
    up, are at work again.
    """

    launch: str
    moment: int
    status: str = "running"


class TakenUp(NamedTuple):
    """What is known of a run that goes on.

    Attributes
    ----------
    steps : mapping
        Name of each metric → its highest step.
    """

    id: str
    name: str
    seed: int | None
    params: Mapping[str, JSONValue]
    config: Mapping[str, JSONValue]
    fields: Mapping[str, JSONValue]
    tags: Sequence[str]
    parent: str | None
    steps: Mapping[str, int]


class Sink(Protocol):
    """Takes in what is said of tracked runs.

    Promises: :meth:`write` is one transaction; what was taken in is not taken in again;
    trouble comes out as ``StorageError``, after which nothing of the call was kept.
    """

    @property
    def url(self) -> str:
        """URL of the store, without a password."""
        ...

    def write(
        self, news: Sequence[News], beats: Sequence[Beat] = (), *, patience: float | None = None
    ) -> None:
        """Take in news, in their order, and signs of life.

        `patience` bounds, where the store can, how many seconds others who write are waited
        for.
        """
        ...

    def take_up(self, run: str, launch: Opening, *, lease: float = LEASE) -> TakenUp:
        """Make a run one of the launch, at work again; of several who try at once one does.

        Raises
        ------
        NotFoundError
            No run has this id.
        UsageError
            Another process is at work on it: one of this host that lives, or one that gave a
            sign of life less than `lease` seconds ago.
        """
        ...

    def number(self, run: str) -> int:
        """Return the number of a run in its experiment."""
        ...

    def close(self) -> None:
        """Release connections; the sink can be used again."""
        ...

    def forked(self) -> None:
        """Begin anew in a child process, whatever its parent was doing."""
        ...
