"""What a stage prints: kept with its computation, head and tail."""

from __future__ import annotations

import io
from typing import TextIO

LOG_LIMIT = 64_000
"""Characters of what a computation printed that are kept: its head and its tail."""


class Log(io.TextIOBase):
    """Keeps the head and the tail of what is printed; passes it on where asked to."""

    def __init__(self, echo: TextIO | None) -> None:
        self._echo = echo
        self._head: list[str] = []
        self._tail = ""
        self._room = LOG_LIMIT // 2
        self._dropped = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self._echo is not None:
            self._echo.write(text)
        kept = text[: self._room]
        if kept:
            self._head.append(kept)
            self._room -= len(kept)
        if len(kept) < len(text):
            tail = self._tail + text[len(kept) :]
            self._dropped += max(0, len(tail) - LOG_LIMIT // 2)
            self._tail = tail[-(LOG_LIMIT // 2) :]
        return len(text)

    def flush(self) -> None:
        if self._echo is not None:
            self._echo.flush()

    def text(self) -> str:
        """Return what is kept."""
        gap = f"\n… {self._dropped} characters left out …\n" if self._dropped else ""
        return "".join(self._head) + gap + self._tail
