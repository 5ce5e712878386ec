"""Many values bound in several statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

T = TypeVar("T")

CHUNK: Final = 5000
"""Values in one IN: far below what SQLite (32 766) and PostgreSQL (65 535) bind."""


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """Iterate over `values` in lists short enough to be bound in one statement."""
    values = list(values)
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
