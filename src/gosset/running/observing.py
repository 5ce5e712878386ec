"""Who is told how a launch goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..entities import ComputationStatus, Metric, Run, Status


class Observer(Protocol):
    """Is told how a launch goes on, e.g. to draw a progress bar."""

    def begin(self, total: int, cached: int) -> None:
        """The plan is made: `total` computations, `cached` of them need no work."""
        ...

    def advance(self, status: ComputationStatus, count: int) -> None:
        """`count` more computations came to an end."""
        ...

    def run_ended(self, run: Run, status: Status, metrics: Sequence[Metric]) -> None:
        """A run came to an end."""
        ...

    def warn(self, message: str) -> None:
        """Something worth knowing, once per message."""
        ...

    def end(self) -> None:
        """Nothing more will happen."""
        ...


class Quiet:
    """An observer that does nothing."""

    def begin(self, total: int, cached: int) -> None:
        """Do nothing."""

    def advance(self, status: ComputationStatus, count: int) -> None:
        """Do nothing."""

    def run_ended(self, run: Run, status: Status, metrics: Sequence[Metric]) -> None:
        """Do nothing."""

    def warn(self, message: str) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""
