"""What of a store's cache a launch may find."""

from __future__ import annotations

from dataclasses import replace

from ..entities import ArtifactRef, CacheEntry, ComputationStatus, Launch
from ..planner.plan import Lookup, no_cache
from ..store import Store


def lookup_in(store: Store, *, cache: bool = True) -> Lookup:
    """Return what the planner asks of `store`'s cache."""
    if not cache:
        return no_cache()

    def present(artifact: ArtifactRef) -> bool:
        if artifact.inline is not None:
            return True
        path = store.artifacts.path(artifact.digest)
        if path is None:
            return store.artifacts.contains(artifact.digest)
        try:
            return path.stat().st_size == artifact.size
        except OSError:
            return False

    return Lookup(
        entries=store.catalog.entries, candidates=store.catalog.candidates, present=present
    )


def lookup_of(store: Store, started: Launch) -> Lookup:
    """Return what a launch may find in the cache when it is resumed.

    One that was not to use the cache finds what it computed itself, and nothing older.
    """
    if started.settings.get("cache") is not False:
        return lookup_in(store)
    computations = store.catalog.computations(launch_id=started.id)
    for run in store.runs_of(started):
        computations += store.catalog.computations(run.id)
    entries = store.catalog.entries({c.key for c in computations if c.key is not None})
    made = {
        c.key: CacheEntry(
            key=c.key,
            recipe="",
            stage=c.stage,
            parts=entries[c.key].parts if c.key in entries else {},
            outputs=c.outputs,
            wall=c.wall,
            created=c.started or started.created,
        )
        for c in computations
        if c.key is not None and c.status is ComputationStatus.COMPUTED
    }
    return replace(
        lookup_in(store),
        entries=lambda keys: {key: made[key] for key in keys if key in made},
        candidates=lambda recipes: {},
    )
