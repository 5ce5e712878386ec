"""Which of two states of a launch, a run or an attempt is the later one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ...entities import Status
from ..rows import Row

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def when(time: datetime | None) -> datetime:
    """Return a time by which none is before all others."""
    return _LONG_AGO if time is None else time


def rank(status: str) -> int:
    """Return how much is known of an end.

    ``crashed`` is what a store concludes where signs of life are missing: more than that there
    was none yet, and less than what the process itself said.
    """
    if status == Status.CRASHED:
        return 1
    return 2 if Status(status).ended else 0


def progress(row: Row) -> tuple[Any, ...]:
    """Return what grows as a launch, a run or an attempt moves on."""
    return rank(row["status"]), when(row["ended"])


def told(row: Row) -> tuple[tuple[str, str], ...]:
    """Return all that a row says, to tell apart what nothing else does."""
    return tuple(sorted((name, repr(value)) for name, value in row.items()))
