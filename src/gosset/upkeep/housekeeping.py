"""Takes things out of a store: entities, cache entries, and the bytes that they leave."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from ..artifacts.gc import Collected
from ..entities import (
    CacheEntry,
    Computation,
    Dataset,
    Execution,
    Experiment,
    Launch,
    Project,
    Run,
)
from ..exceptions import NotFoundError, UsageError, did_you_mean
from ..filters import equal
from ..identifiers import now
from ..queries.lookup import Entity
from ..storage.base import ArtifactSummary
from ..store import Store

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """What was taken out of the cache, or would be.

    Attributes
    ----------
    entries : int
    size : int
        Bytes of the outputs of the entries, of which some may be kept for other reasons.
    collected : Collected or None
        What then was garbage; None for a dry run.
    """

    entries: int
    size: int
    collected: Collected | None


def clear_cache(
    store: Store,
    *,
    stage: str | None = None,
    experiment: tuple[str, str] | None = None,
    older_than: timedelta | None = None,
    dry_run: bool = False,
) -> Cleared:
    """Evict entries of the cache and drop their bytes, where nothing else refers to them.

    The digests of what is evicted are remembered: what was computed from it stays good.

    Parameters
    ----------
    store : Store
    stage : str, optional
        Only entries of this stage.
    experiment : tuple of str, optional
        Project and name: only entries that runs of this experiment made or used.
    older_than : timedelta, optional
        Only entries made longer ago.
    dry_run : bool
        Only say what would go.

    Raises
    ------
    NotFoundError
        The cache never held anything of the stage.
    """
    if stage is not None and not store.catalog.count("cache", where=equal(stage=stage)):
        known = cast("list[CacheEntry]", store.catalog.select("cache"))
        names = {entry.stage for entry in known}
        raise NotFoundError(
            f"the cache holds nothing of a stage {stage!r}", hint=did_you_mean(stage, names)
        )
    which = equal(evicted=False) if stage is None else equal(evicted=False, stage=stage)
    entries = cast("list[CacheEntry]", store.catalog.select("cache", where=which))
    if experiment is not None:
        used = _keys_of(store, *experiment)
        entries = [entry for entry in entries if entry.key in used]
    if older_than is not None:
        before: datetime = now() - older_than
        entries = [entry for entry in entries if entry.created < before]
    size = sum(artifact.size for entry in entries for artifact in entry.outputs)
    if dry_run:
        return Cleared(entries=len(entries), size=size, collected=None)
    count = store.catalog.evict([entry.key for entry in entries])
    # Not all that is without a reference: a launch at work writes bytes before it refers to them.
    evicted = {artifact.digest for entry in entries for artifact in entry.outputs}
    return Cleared(entries=count, size=size, collected=store.collect_garbage(evicted=evicted))


def delete(store: Store, kind: str, entity: Entity) -> int:
    """Delete an entity with what it holds, and nothing above it.

    Returns
    -------
    int
        How many runs (of a dataset: versions) went with it.

    Raises
    ------
    UsageError
        It is, or holds, a launch at work, or it cannot be deleted by itself.
    """
    if isinstance(entity, ArtifactSummary):
        raise UsageError(
            "an artifact is not deleted by itself",
            hint="gosset cache clear drops what can be computed again",
        )
    if isinstance(entity, Dataset):
        return store.catalog.delete(kind, entity.digest)
    store.catalog.reap()
    for held in _held(store, kind, entity):
        if not held.status.ended:
            what = "launch" if isinstance(held, Launch) else "run"
            raise UsageError(
                f"{what} {held.experiment}#{held.number} is {held.status}", hint="stop it first"
            )
    return store.catalog.delete(kind, entity.id)


def parse_age(text: str) -> timedelta:
    """Read a length of time: a number and a unit, ``s``, ``m``, ``h``, ``d`` or ``w``.

    Raises
    ------
    UsageError
        It is none.

    Examples
    --------
    >>> parse_age("7d"), parse_age("1.5h")
    (datetime.timedelta(days=7), datetime.timedelta(seconds=5400))
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", text.strip())
    if found is None:
        raise UsageError(f"{text!r} is no length of time", hint="write e.g. 30m, 12h or 7d")
    return timedelta(**{_UNITS[found[2]]: float(found[1])})


def _held(
    store: Store, kind: str, entity: Run | Launch | Execution | Experiment | Project
) -> Sequence[Run | Launch]:
    """Return the run or the launches that would go with an entity, as they are now."""
    if isinstance(entity, Run | Launch):
        return [cast("Run | Launch", store.catalog.find(kind, entity.id))]
    within: dict[str, str | int] = {
        "project": entity.name if isinstance(entity, Project) else entity.project
    }
    if isinstance(entity, Execution):
        within |= {"experiment": entity.experiment, "execution": entity.number}
    elif isinstance(entity, Experiment):
        within["experiment"] = entity.name
    return cast("list[Launch]", store.catalog.select("launches", where=equal(**within)))


def _keys_of(store: Store, project: str, experiment: str) -> set[str]:
    within = equal(project=project, experiment=experiment)
    found = cast("list[Computation]", store.catalog.select("computations", where=within))
    return {computation.key for computation in found if computation.key is not None}
