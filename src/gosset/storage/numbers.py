"""Numbers as databases hold them: doubles, with NaN as nothing."""

from __future__ import annotations

from typing import Final

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
