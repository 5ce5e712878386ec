"""Tracking: what is known of a run while it is at work, and how it reaches the store.

- ``starting.py``: :func:`start_run`, from the call to a run that takes what is logged
- ``run.py``: the handle; ``log`` only puts aside what it is given
- ``given.py``, ``attributes.py``: what of it is taken, and what is refused
- ``writer.py``: one thread a process brings that to the store, at most 250 ms later
- ``spool.py``: where it goes while the store cannot be written, as ``frames.py`` says
- ``courier.py``: keeps the writer from waiting for a store that is slow to answer
- ``ending.py``: how the process ended, told as it was
- ``threads.py``: what works in the background, until then
- ``fields.py``, ``keeping.py``, ``artifacts.py``: values of any kind, and where their bytes go
- ``verbs.py``: the same verbs as functions, under the names that other trackers use
- ``inside.py``, ``account.py``: the same verbs inside a stage or a step, whose launch writes
  what is gathered; ``earlier.py``: what it finds there of former executions
- ``context.py``: which run the calling code works for

A script that logs one number shall not wait for what it does not use: nothing here loads
NumPy, SQLAlchemy or the rest of Gosset.
"""

from .context import active, current_run, log
from .run import TrackedRun
from .starting import finish, start_run
from .values import OpenValues, Values

__all__ = [
    "OpenValues",
    "TrackedRun",
    "Values",
    "active",
    "current_run",
    "finish",
    "log",
    "start_run",
]
