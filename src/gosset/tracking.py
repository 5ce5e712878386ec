"""The active run: what the code of a stage or a step holds while it is at work."""

from __future__ import annotations

import contextlib
import contextvars
import copy
from collections.abc import Iterator, Mapping
from typing import Any

from .exceptions import UsageError
from .planner.works import RunFacts


class Values:
    """Named values that read as attributes and as items; unknown names are errors.

    Examples
    --------
    >>> values = Values({"lr": 0.1, "SVC.C": 1.0})
    >>> values.lr, values["SVC.C"], "lr" in values
    (0.1, 1.0, True)
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_values", dict(values))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self._values[name]
        except KeyError:
            known = ", ".join(self._values) or "none"
            raise AttributeError(f"no value {name!r}; known: {known}") from None

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def keys(self) -> Any:
        """Return the names; with ``[]`` this makes it a mapping for ``dict(…)`` and ``**``."""
        return self._values.keys()

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{name!r} cannot be set: these values were given")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._values!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._values,)


class OpenValues(Values):
    """Named values that can be set, too."""

    __slots__ = ()

    def __setattr__(self, name: str, value: Any) -> None:
        self._values[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        self._values[name] = value

    def __delattr__(self, name: str) -> None:
        del self._values[name]


_GIVEN = ("seed", "params", "config")
"""What tells one run from another before anything is done."""


class ActiveRun:
    """A run at work, seen from inside.

    Attributes
    ----------
    id, number, name, seed
        Of the run.
    params : Values
        What is varied, read-only: ``run.params.lr`` or ``run.params["SVC.C"]``.
    config : Values
        What is fixed, read-only.
    vars : OpenValues
        Lives only while the run is carried out: what one step sets, the next ones find.
        Stages may be carried out by different workers and pass values as outputs instead.
    state : OpenValues
        Likewise, and survives the run in memory; never goes to the catalog.
    fields : OpenValues
        Kept in the catalog with the run, and searchable. What a stage keeps on each fold
        becomes a list, in fold order, unless all folds have the same.

    Examples
    --------
    >>> facts = RunFacts(id="…", number=1, name="quick#1", seed=0, params={"lr": 0.1}, config={})
    >>> run = ActiveRun(facts)
    >>> run.fields["accuracy"] = run.params.lr * 9
    >>> run.log({"loss": 0.5})
    >>> dict(run.fields), run.metrics
    ({'accuracy': 0.9}, {'loss': 0.5})
    """

    __slots__ = (
        "config",
        "fields",
        "id",
        "metrics",
        "name",
        "number",
        "params",
        "seed",
        "state",
        "tags",
        "vars",
    )

    def __init__(self, facts: RunFacts) -> None:
        self.id = facts.id
        self.number = facts.number
        self.name = facts.name
        self.seed = facts.seed
        self.params = Values(facts.params)
        self.config = Values(facts.config)
        self.vars = OpenValues({})
        self.state = OpenValues({})
        self.fields = OpenValues({})
        self.metrics: dict[str, float] = {}
        self.tags: list[str] = []

    def for_logging(self) -> ActiveRun:
        """Return the same run, which takes what is logged but says nothing of its parameters.

        It is what a cached stage that does not take ``run`` has: its cache key says nothing
        of them either, so that it may be carried out once for several runs.
        """
        blind = copy.copy(self)
        for name in _GIVEN:
            delattr(blind, name)
        return blind

    def __getattr__(self, name: str) -> Any:
        if name in _GIVEN:
            raise UsageError(
                f"the stage reads {name!r} of the run, which it does not take",
                hint=f"take {name} (or run) as an argument, so that the cache knows of it",
            )
        raise AttributeError(f"a run has no {name!r}")

    def log(self, metrics: Mapping[str, float]) -> None:
        """Log metrics by name; the last value of a name counts.

        What a stage logs on each fold is summarised over them. A run in which another stage
        gives the same name for the whole run fails: one name has one meaning.

        Raises
        ------
        UsageError
            A value that is not a number.
        """
        for name, value in metrics.items():
            try:
                self.metrics[str(name)] = float(value)
            except (TypeError, ValueError):
                raise UsageError(
                    f"metric {name!r} is not a number but {type(value).__name__}",
                    hint=f"use run.fields[{name!r}] for other values",
                ) from None

    def set_tags(self, *tags: str) -> None:
        """Add tags to the run."""
        self.tags.extend(tag for tag in tags if tag not in self.tags)

    def __repr__(self) -> str:
        return f"<run {self.name}>"


_active: contextvars.ContextVar[ActiveRun | None] = contextvars.ContextVar("run", default=None)


def current_run() -> ActiveRun:
    """Return the run that the calling code works for.

    In a stage that may be cached it takes what is logged, but has no ``params``, ``config``
    or ``seed``: the stage takes these as arguments.

    Raises
    ------
    UsageError
        No run is active here.
    """
    run = _active.get()
    if run is None:
        raise UsageError(
            "no run is active here", hint="call this from a stage or a step of an experiment"
        )
    return run


def log(metrics: Mapping[str, float]) -> None:
    """Log metrics to the active run; see :meth:`ActiveRun.log`."""
    current_run().log(metrics)


@contextlib.contextmanager
def active(run: ActiveRun) -> Iterator[ActiveRun]:
    """Make `run` the active one inside the block."""
    token = _active.set(run)
    try:
        yield run
    finally:
        _active.reset(token)
