"""Finds the experiment of a launch again, in the file that declared it."""

from __future__ import annotations

from .discovery import load_experiments
from .entities import Launch
from .exceptions import UsageError
from .experiment import Experiment


def experiment_of(launch: Launch) -> Experiment:
    """Import the file of a launch anew and return its experiment.

    Raises
    ------
    UsageError
        The launch was not started from a file, or the file cannot be imported.
    NotFoundError
        The file is gone, or does not declare the experiment any more.
    """
    file = launch.settings.get("file")
    if not isinstance(file, str):
        raise UsageError(
            f"launch {launch.experiment}#{launch.number} was not started from a file",
            hint="call resume() of the experiment where it is declared",
        )
    experiment = load_experiments(f"{file}::{launch.experiment}")[0]
    if experiment.project is None:
        # The active project may be another one by now.
        experiment.project = launch.project
    return experiment
