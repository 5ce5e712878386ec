"""Runs in the hands of whoever declared them: before, between and after what is carried out.

- ``run.py``: one run, with all that a script reads of it and sets on it
- ``runs.py``: those of an experiment, by id
- ``copying.py``: runs of their own for a copy of an experiment
"""

from .run import LiveRun
from .runs import LiveRuns

__all__ = ["LiveRun", "LiveRuns"]
