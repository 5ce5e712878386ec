"""How a launch is carried out: what can be asked for, and the executor that does it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..exceptions import UsageError
from ..executors import open_executor
from ..executors.base import Executor
from ..store import Store
from ..types import JSONValue

_PRELOADED = ("numpy", "scipy", "pandas", "pyarrow", "sklearn", "joblib", "gosset")
"""Packages that are imported once for all workers, where the controller uses them: they are
known to bear a fork after their import."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a launch is carried out; nothing of it is part of any cache key."""

    executor: str = "processes"
    jobs: int | None = None
    cache: bool = True
    notes: str = ""
    command: str = ""
    timeout: float | None = None
    fail_fast: bool = False
    settings: Mapping[str, JSONValue] = field(default_factory=dict)


def executor_for(options: Options, store: Store) -> Executor:
    """Return what carries the work out; raise UsageError before anything is written."""
    name, jobs = options.executor, options.jobs
    if store.url.startswith("memory:") and name == "processes":
        # The bytes of such a store live in this process; workers could not reach them.
        name, jobs = "inline", None
    timeout = options.timeout
    if timeout is not None and not (isinstance(timeout, int | float) and timeout > 0):
        raise UsageError(f"timeout={timeout!r}", hint="it is a number of seconds, more than 0")
    if name == "inline" and timeout is not None:
        raise UsageError(
            "work that is carried out inline cannot be ended by a timeout",
            hint="use executor='processes', with a store that is no memory://",
        )
    if name != "processes":
        return open_executor(name, jobs)
    loaded = [module for module in sys.modules if module.partition(".")[0] in _PRELOADED]
    return open_executor(name, jobs, preload=loaded)
