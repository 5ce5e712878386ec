"""The active run: what the code of a stage or a step holds while it is at work."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..exceptions import UsageError
from .values import OpenValues, Values

if TYPE_CHECKING:
    from ..planner.works import RunFacts


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
    >>> from gosset.planner.works import RunFacts
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

    @property
    def ended(self) -> bool:
        """False: whoever holds it is at work."""
        return False

    def log(self, metrics: Mapping[str, float], step: int | None = None) -> None:
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
