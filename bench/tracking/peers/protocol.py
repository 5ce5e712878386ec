"""What a module of a peer holds, and what its trackers do. Read, never imported by a cell.

A module has ``REQUIREMENTS`` (what is installed for it, first the peer itself) and
``TRACKERS``: the name of a row of the table → a class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


class Run(Protocol):
    """A run at work; what it does is what a user of the peer would write."""

    def log(self, values: Mapping[str, float], *, step: int) -> object:
        """Log the values of metrics at a step: one call for each step."""
        ...

    def results(self, values: Mapping[str, float]) -> object:
        """Log what came out of the run: all of it at once."""
        ...

    def keep(self, name: str, array: np.ndarray) -> object:
        """Keep an array with the run."""
        ...

    def finish(self) -> object:
        """End the run."""
        ...


class Tracker(Protocol):
    """A peer in one way of using it, with its store in the working directory.

    Attributes
    ----------
    power : str
        What a power cut takes of what had been logged by the time the clock stopped, by the
        peer's documented settings: it cannot be tried here.
    """

    power: str

    def load(self) -> None:
        """Import what is needed; in the case ``start`` the clock is running."""
        ...

    def open(self) -> None:
        """Open the store, and make it where it is not there."""
        ...

    def start(self, name: str) -> Run:
        """Start a run."""
        ...

    def close(self) -> None:
        """Return when all that was logged is in files."""
        ...

    def load_to_read(self) -> None:
        """Import what reading needs; the clock is not running."""
        ...

    def series(self) -> Mapping[str, Mapping[str, Sequence[float]]]:
        """Return run → metric → all values in the order of their steps."""
        ...

    def table(self) -> pd.DataFrame:
        """Return a row for each run, and a column for each metric."""
        ...

    def arrays(self) -> Mapping[str, np.ndarray]:
        """Return every array that was kept, by name.

        Raises
        ------
        NotImplementedError
            The peer has no way to read one back without a server.
        """
        ...
