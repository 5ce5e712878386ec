"""What a stage or a step says of its run: gathered while it is at work, and told in pieces."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from ..series import CHUNK, Chunk, Number, Points, Summary, merged, pack, summarise
from ..storage.news import News
from .fields import gathered
from .given import LIMIT

Point = tuple[str, Number, int | None, int]
"""Name, value, step and time of what was logged."""

Numbered = tuple[str, int, Chunk]
"""Name of a series, number of the chunk, and the chunk: it replaces one of that number."""

_SMALL: Final = 512
"""Points of a chunk that is written anew as it grows; a larger one is left as it is."""

_FLOOD: Final = 100_000
"""Points that may wait until whoever logs more waits with them."""


class Saying(NamedTuple):
    """A piece of what is said.

    Attributes
    ----------
    news : News
    stepped : sequence of str
        Metrics to which a step was given, up to now.
    """

    news: News
    stepped: tuple[str, ...]


class Columns:
    """Series as they grow: each batch of points gives the chunks that are new or have grown.

    Parameters
    ----------
    following : mapping, optional
        Name → step of the next point for which none is given, where that is not 0.

    Examples
    --------
    >>> columns = Columns()
    >>> chunks, _ = columns.add([("loss", 0.5, None, 10), ("loss", 0.25, None, 20)])
    >>> [(name, number, chunk.count) for name, number, chunk in chunks]
    [('loss', 0, 2)]
    >>> chunks, summaries = columns.add([("loss", 0.125, None, 30)])
    >>> chunks[0][2].count, summaries["loss"].step
    (3, 2)
    """

    __slots__ = ("_numbers", "_tails", "following")

    def __init__(self, following: Mapping[str, int] | None = None) -> None:
        self.following = dict(following or {})
        self._numbers: dict[str, int] = {}
        self._tails: dict[str, Points] = {}

    def add(self, batch: Iterable[Point]) -> tuple[list[Numbered], dict[str, Summary]]:
        """Take points; return chunks, and the summaries of these points alone."""
        columns: dict[str, Points] = {}
        following = self.following
        for name, value, step, moment in batch:
            points = columns.get(name)
            if points is None:
                points = columns[name] = Points()
            at = min(following.get(name, 0), LIMIT - 1) if step is None else step
            following[name] = at + 1
            points.steps.append(at)
            points.values.append(value)
            points.times.append(moment)
        chunks = [chunk for name, points in columns.items() for chunk in self._packed(name, points)]
        return chunks, {name: summarise(points) for name, points in columns.items()}

    def ahead(self, batch: Iterable[Point]) -> dict[str, Summary]:
        """Return the summaries that :meth:`add` would return."""
        return Columns(self.following).add(batch)[1]

    def _packed(self, name: str, points: Points) -> Iterator[Numbered]:
        tail = self._tails.pop(name, None)
        if tail is not None:
            tail.extend(points)
            points = tail
        number = self._numbers.get(name, 0)
        for start in range(0, len(points), CHUNK):
            part = points if len(points) <= CHUNK else points[start : start + CHUNK]
            yield name, number, pack(part)
            if len(part) < _SMALL:
                self._tails[name] = part
            else:
                number += 1
        self._numbers[name] = number


class Account:
    """Everything that one stage says of its run.

    Any thread may add to it, and take out what is new or look at the last values.

    Parameters
    ----------
    run : str
        Id of the run.
    awake : callable, optional
        Called where there is something to be told.
    following : mapping, optional
        See :class:`Columns`.
    """

    __slots__ = (
        "_columns",
        "_number",
        "_packing",
        "_pending",
        "_run",
        "_said",
        "_sayings",
        "_writer",
        "awake",
        "chunks",
        "stepped",
        "summaries",
    )

    def __init__(
        self,
        run: str = "",
        awake: Callable[[], None] | None = None,
        following: Mapping[str, int] | None = None,
    ) -> None:
        self.awake = awake
        self.chunks: dict[tuple[str, int], Chunk] = {}
        self.stepped: dict[str, None] = {}
        self.summaries: dict[str, Summary] = {}
        self._columns = Columns(following)
        self._number = 0
        self._packing = threading.RLock()  # a signal may come to who holds it
        self._pending: list[Point] = []
        self._run = run
        self._said: dict[str, Any] = {}
        self._sayings: list[tuple[str, Any]] = []
        self._writer = int.from_bytes(os.urandom(8), "big") >> 1

    def log(self, points: list[Point]) -> None:
        """Take points."""
        self._pending += points
        if self.awake is None:
            if len(self._pending) >= CHUNK:
                self.news()
        else:
            self.awake()
            if len(self._pending) > _FLOOD:
                time.sleep(0.001)  # else the memory would be full before they are told

    def say(self, kind: str, what: Any) -> None:
        """Take anything else, as :func:`~gosset.tracking.fields.gathered` knows it."""
        self._sayings.append((kind, what))
        if self.awake is not None:
            self.awake()

    def news(self) -> Saying | None:
        """Return what is new; None where nothing is."""
        with self._packing:
            return self._news()

    def _news(self) -> Saying | None:
        count, said = len(self._pending), len(self._sayings)  # others may append meanwhile
        if not count and not said:
            return None
        batch, sayings = self._pending[:count], self._sayings[:said]
        del self._pending[:count], self._sayings[:said]
        self._said = gathered([*self._said.items(), *sayings])
        points, summaries = self._columns.add(batch)
        self.stepped.update((name, None) for name, _, step, _ in batch if step is not None)
        if self.awake is None:  # nobody else keeps them
            self.chunks.update(((name, number), chunk) for name, number, chunk in points)
        for name, new in summaries.items():
            before = self.summaries.get(name)
            self.summaries[name] = new if before is None else merged(before, new)
        self._number += 1
        news = News(
            run=self._run,
            writer=self._writer,
            number=self._number,
            points=points,
            summaries=summaries,
            **gathered(sayings),
        )
        return Saying(news, tuple(self.stepped))

    def whole(self) -> Saying:
        """Return all that was said, once more in one piece. Chunks only where nobody was told."""
        with self._packing:
            self._news()
            news = News(
                run=self._run,
                writer=self._writer,
                number=self._number + 1,
                points=[(name, number, chunk) for (name, number), chunk in self.chunks.items()],
                summaries=dict(self.summaries),
                **self._said,
            )
            return Saying(news, tuple(self.stepped))

    @property
    def following(self) -> Mapping[str, int]:
        """Name → step of the next point for which none is given."""
        return self._columns.following

    def last(self) -> dict[str, Number]:
        """Return the last value of each metric: that with the highest step."""
        with self._packing:
            pending = self._columns.ahead(self._pending[:])
            found = dict(self.summaries)
        for name, new in pending.items():
            found[name] = merged(found[name], new) if name in found else new
        return {name: summary.last for name, summary in found.items()}

    def __bool__(self) -> bool:
        return bool(self._pending or self._sayings or self._said or self.summaries)
