"""Numbers as databases hold them: doubles, with NaN as nothing; times as microseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

EXACT: Final = 2**53
"""Integers below this are doubles exactly."""


def as_double(value: float) -> float | None:
    """Return the nearest double, infinite for huge integers; None for NaN.

    Examples
    --------
    >>> as_double(3), as_double(-(10**400)), as_double(float("nan"))
    (3.0, -inf, None)
    """
    try:
        number = float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    return None if number != number else number


def time_of(microseconds: int) -> datetime:
    """Return the time so many microseconds after the epoch, exactly.

    Examples
    --------
    >>> time_of(1_500_000).isoformat()
    '1970-01-01T00:00:01.500000+00:00'
    """
    from datetime import UTC, datetime, timedelta  # not for those who only write

    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
