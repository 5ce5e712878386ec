"""What is kept of what a run prints: lines as they ended up, the head and the tail of them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final

from ...storage.news import Gap
from .secrets import masked_text

HEAD: Final = 1 << 19
"""Characters from the beginning that are kept."""

TAIL: Final = 1 << 19
"""Characters from the end that are kept."""

_SLACK: Final = 1 << 16
"""Characters by which the tail may be longer: it is not shortened for every line."""

BURST: Final = 1 << 17
"""Characters from the beginning of what is printed between two looks that are kept, and half of
those from its end."""

_PART: Final = 1 << 14

_HOLD: Final = 1.0
"""Seconds that a line is waited for to be ended."""

_HOLD_PROGRESS: Final = 10.0
"""The same for one that writes over itself: of a progress bar few states are kept."""

Piece = tuple[str, int, str]
"""Stream, time in microseconds, and text."""


class Transcript:
    """Takes in what a run prints, in any thread, and gives what is to be kept, in one.

    A carriage return begins a line anew: of a progress bar its last state is kept.

    Parameters
    ----------
    awake : callable
        Called when there is something to be kept soon.

    Examples
    --------
    >>> transcript = Transcript(lambda: None)
    >>> for text in ("start\\n", " 10%", "\\r 50%", "\\r100%\\n", "done"):
    ...     transcript.write("stdout", text)
    >>> [text for _, _, text in transcript.take(last=True)[0]]
    ['start\\n100%\\ndone']
    """

    def __init__(self, awake: Callable[[], None]) -> None:
        self._awake = awake
        self.forked()

    def forked(self) -> None:
        """Begin anew; what waits is the parent's to tell."""
        self._first: list[tuple[str, str]] = []
        self._later: deque[tuple[str, str]] = deque()
        self._first_size = self._later_size = self._missed = 0
        self._open: dict[str, _Line] = {}
        self._room = HEAD
        self._tail: deque[tuple[int, int]] = deque()
        self._tail_size = 0
        self._left_out = 0
        self._gap: Gap | None = None
        self._moment = 0

    def write(self, stream: str, text: str) -> None:
        """Take in what was printed."""
        if len(text) <= _PART:
            self._put(stream, text)
        else:
            for start in range(0, len(text), _PART):
                self._put(stream, text[start : start + _PART])
        self._awake()

    def _put(self, stream: str, text: str) -> None:
        if self._first_size < BURST and not self._later:
            self._first.append((stream, text))
            self._first_size += len(text)
            return
        self._later.append((stream, text))
        self._later_size += len(text)
        while self._later_size > 2 * BURST:
            try:
                _, dropped = self._later.popleft()
            except IndexError:  # somebody took the rest
                break
            self._later_size -= len(dropped)
            self._missed += len(dropped)

    def take(self, *, last: bool = False) -> tuple[list[Piece], Gap | None]:
        """Return what is to be kept, and what is no longer; called by one thread alone.

        Lines that are not ended are waited for, but the `last` time.
        """
        told: list[tuple[str, str]] = []
        for stream, text in self._drained():
            line = self._open.setdefault(stream, _Line())
            if done := line.add(text):
                told.append((stream, done))
        for stream, line in self._open.items():
            if line.due or (last and not line.empty):
                told.append((stream, line.cut()))
        gap = self._gap
        pieces = [self._piece(stream, masked_text(text)) for stream, text in _joined(told)]
        return pieces, (self._gap if self._gap is not gap else None)

    def _drained(self) -> list[tuple[str, str]]:
        count = len(self._first)
        found = self._first[:count]
        later = [self._later.popleft() for _ in range(len(self._later))]
        missed, self._missed = self._missed, 0
        if missed:
            stream = (later or found)[0][0]
            found.append((stream, f"\n{_note(missed)}"))
        found += later
        del self._first[:count]
        self._first_size = self._later_size = 0
        return found

    def _piece(self, stream: str, text: str) -> Piece:
        self._moment = moment = max(time.time_ns() // 1000, self._moment + 1)
        if self._room > 0:
            self._room -= len(text)
            return stream, moment, text
        self._tail.append((moment, len(text)))
        self._tail_size += len(text)
        if self._tail_size > TAIL + _SLACK:
            self._shorten()
        return stream, moment, text

    def _shorten(self) -> None:
        """Leave the oldest pieces of the tail out; a note takes their place."""
        start = self._gap.start if self._gap else self._tail[0][0]
        end = start
        while self._tail_size > TAIL and len(self._tail) > 1:
            end, size = self._tail.popleft()
            self._tail_size -= size
            self._left_out += size
        self._gap = Gap(start, end, _note(self._left_out))


class _Line:
    """A line that is not ended yet."""

    def __init__(self) -> None:
        self._text = ""
        self._since = 0.0
        self._cut = False

    @property
    def empty(self) -> bool:
        """Whether all of it was told."""
        return not self._text.strip("\r")

    @property
    def due(self) -> bool:
        """Whether it was waited for long enough."""
        if self.empty:
            return False
        hold = _HOLD_PROGRESS if "\r" in self._text else _HOLD
        return len(self._text) > BURST or time.monotonic() - self._since > hold

    def add(self, text: str) -> str:
        """Add text; return the lines that it ends."""
        ended, newline, rest = (self._text + text).rpartition("\n")
        if not newline:
            if self.empty:
                self._since = time.monotonic()
            self._text = _open(rest)
            return ""
        self._text, self._since = _open(rest), time.monotonic()
        first, *others = ended.split("\n")
        lines = [self._ended(first), *map(_last, others), ""]
        self._cut = False
        return "\n".join(lines)

    def cut(self) -> str:
        """Return it as it is by now; what follows goes on from there, or writes over it."""
        told = self._ended(self._text)
        self._text = "\r" if self._text.endswith("\r") else ""
        self._since, self._cut = time.monotonic(), True
        return told

    def _ended(self, line: str) -> str:
        return ("\r" if self._cut and "\r" in line else "") + _last(line)


def _last(line: str) -> str:
    """Return a line as it ended up: what a carriage return went over is gone.

    Examples
    --------
    >>> _last(" 10%\\r 50%\\r100%\\r"), _last("no bar")
    ('100%', 'no bar')
    """
    if "\r" not in line:
        return line
    return next((part for part in reversed(line.split("\r")) if part), "")


def _open(line: str) -> str:
    """Return the same of a line that goes on: what is to come may write over it."""
    if "\r" not in line:
        return line
    return f"\r{_last(line)}" + ("\r" if line.endswith("\r") else "")


def _joined(told: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return texts with those of one stream that follow each other as one."""
    joined: list[tuple[str, list[str]]] = []
    for stream, text in told:
        if joined and joined[-1][0] == stream:
            joined[-1][1].append(text)
        else:
            joined.append((stream, [text]))
    return [(stream, "".join(texts)) for stream, texts in joined]


def _note(size: int) -> str:
    return f"[… {size:,} characters are left out …]\n"
