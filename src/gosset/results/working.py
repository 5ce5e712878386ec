"""What one call of ``execute`` or ``resume`` did, beyond its counts: asked of the catalog."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from ..entities import Computation, ComputationStatus, Launch, Run
from ..filters import And, Comparison, Expression, In, Like, Name, equal
from ..running.tally import Tally
from ..storage.base import Order
from ..store import Store

CHUNK = 500
"""How many keys are asked for at once."""

_WARNING = re.compile(r"\b(\w*Warning): ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one call of ``execute`` or ``resume`` did.

    Attributes
    ----------
    seconds : float or None
        How long it took, without the time for which a launch lay idle before it was resumed.
    resumed : bool
        Whether the launch had begun before.
    shared : int
        Computations that took what another one of this very call had just computed; they
        count as cached.
    warned : int
        Computations of the launch that printed warnings.
    warning : str
        The kind of the first of these warnings, e.g. ``"ConvergenceWarning"``.
    warned_run : str or None
        Id of the run that it is of.
    """

    seconds: float | None = None
    resumed: bool = False
    shared: int = 0
    warned: int = 0
    warning: str = ""
    warned_run: str | None = None

    @classmethod
    def of(cls, store: Store, launch: Launch, runs: Sequence[Run], tally: Tally) -> Work:
        """Ask the catalog what the call did that ended with `tally`."""
        if not tally.computations:
            return cls(seconds=0.0, resumed=True)
        within = equal(project=launch.project, experiment=launch.experiment, launch=launch.number)
        resumed, seconds = _time(store, launch, runs, tally, within)
        warned, warning, run = _warned(store, within)
        return cls(
            seconds=seconds,
            resumed=resumed,
            shared=_shared(store, within, tally),
            warned=warned,
            warning=warning,
            warned_run=run,
        )


def _time(
    store: Store, launch: Launch, runs: Sequence[Run], tally: Tally, within: Expression
) -> tuple[bool, float | None]:
    """Return whether the launch had begun before, and how long this call worked on it."""
    taken = [run for run in runs if run.id in tally.runs]
    if len(taken) == len(runs) and len(store.catalog.attempts(runs[0].id)) == 1:
        return False, launch.duration
    attempts = [store.catalog.attempts(run.id) for run in taken]
    ends = [run.ended for run in runs if run.id not in tally.runs]
    ends += [attempt.ended or attempt.started for of in attempts for attempt in of[:-1]]
    # What earlier launches did to runs that this one carried on is not of this one.
    own = (end for end in ends if end is not None and end > launch.created)
    before = max(own, default=None)
    if before is None or launch.ended is None:
        return False, launch.duration
    later = And((within, Comparison(Name(("started",)), ">", before.isoformat())))
    computed = store.catalog.select("computations", where=later, order=[Order("started")], limit=1)
    begun = [attempt.started for of in attempts for attempt in of[-1:]]
    begun += [cast("Computation", each).started or launch.ended for each in computed]
    return True, (launch.ended - min(begun, default=launch.ended)).total_seconds()


def _shared(store: Store, within: Expression, tally: Tally) -> int:
    if not tally.computations.get(ComputationStatus.CACHED):
        return 0
    cached = equal(status=str(ComputationStatus.CACHED))
    keys = list(tally.outcomes)
    found = 0
    for start in range(0, len(keys), CHUNK):
        these = In(Name(("key",)), tuple(keys[start : start + CHUNK]))
        found += store.catalog.count("computations", where=And((within, cached, these)))
    return found


def _warned(store: Store, within: Expression) -> tuple[int, str, str | None]:
    """Return how many computations printed warnings, and of the first its kind and its run."""
    where = And((within, Like(Name(("log",)), "%Warning: %")))
    found = cast("list[Computation]", store.catalog.select("computations", where=where, limit=1))
    kind = _WARNING.search(found[0].log) if found else None
    if kind is None:
        return 0, "", None
    return store.catalog.count("computations", where=where), kind[1], found[0].run
