"""What there is to say of tracked runs: plain data, by which a run at work reaches a catalog.

Loads no database library: a script that tracks one number need not wait for one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..series import Chunk, Summary
from ..types import JSONValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
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
    """

    id: str
    project: str
    experiment: str
    fingerprint: str
    code: Mapping[str, JSONValue] = field(default_factory=dict)
    command: str = ""
    user: str = ""
    host: str = ""
    pid: int = 0
    notes: str = ""
    settings: Mapping[str, JSONValue] = field(default_factory=dict)
    moment: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
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
    params: Mapping[str, JSONValue] = field(default_factory=dict)
    config: Mapping[str, JSONValue] = field(default_factory=dict)
    tags: Sequence[str] = ()
    notes: str = ""
    parent: str | None = None
    moment: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An artifact of a run. One of the same name replaces it."""

    name: str
    format: str
    digest: str
    size: int
    inline: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something that wants to be seen."""

    moment: int
    level: str
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended, or that it goes on again.

    Attributes
    ----------
    status : str
        A value of :class:`gosset.Status`.
    exception : tuple of (type, message, traceback) or None
    """

    status: str
    moment: int
    exception: tuple[str, str, str] | None = None


@dataclass(slots=True, kw_only=True)
class News:
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
        Merged over those that are there.
    tags : sequence of str
        Added to those that are there.
    """

    run: str
    writer: int
    number: int
    begins: Beginning | None = None
    points: list[tuple[str, int, Chunk]] = field(default_factory=list)
    summaries: dict[str, Summary] = field(default_factory=dict)
    params: dict[str, JSONValue] = field(default_factory=dict)
    config: dict[str, JSONValue] = field(default_factory=dict)
    fields: dict[str, JSONValue] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    untags: list[str] = field(default_factory=list)
    name: str | None = None
    notes: str | None = None
    artifacts: list[Kept] = field(default_factory=list)
    console: list[tuple[str, int, str]] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    ends: Ending | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """A sign of life of a launch, or that it came to its end."""

    launch: str
    moment: int
    status: str = "running"


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

    def number(self, run: str) -> int:
        """Return the number of a run in its experiment."""
        ...

    def close(self) -> None:
        """Release connections; the sink can be used again."""
        ...
