"""Cache entries: added, revived, found by their recipe and evicted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import sqlalchemy as sa

from ..entities import CacheEntry
from . import rows
from . import schema as s
from .chunking import chunks
from .read import load
from .values import encode

CANDIDATES: Final = 5000
"""Entries of one recipe that are found at most: those of a launch of 500 parameter sets over
10 folds. A stage may have been carried out on ever new inputs for years."""


def add(connection: sa.Connection, new: Sequence[CacheEntry]) -> None:
    """Add cache entries; those that are there are left as they are unless evicted."""
    if not new:
        return
    # In the order of their keys, so that two processes never wait for each other in a ring.
    latest = {entry.key: entry for entry in sorted(reversed(new), key=lambda entry: entry.key)}
    c = s.cache_entries.c
    before: dict[str, tuple[int, bool]] = {}
    for chunk in chunks(latest):
        chosen = sa.select(c.key, c.pk, c.evicted).where(c.key.in_(chunk)).order_by(c.key)
        there = connection.execute(chosen.with_for_update())
        before.update((key, (pk, evicted)) for key, pk, evicted in there)
    again = [(before[key][0], latest[key]) for key in latest if key in before and before[key][1]]
    fresh = [entry for key, entry in latest.items() if key not in before]
    pks = rows.reserve(connection, s.cache_entries, len(fresh))
    made = [_entry_row(pk, entry) for pk, entry in zip(pks, fresh, strict=True)]
    written = rows.insert_new(connection, s.cache_entries, made)
    if again:
        revive = sa.update(s.cache_entries).where(c.pk == sa.bindparam("b_pk"))
        revived = [{**_entry_row(pk, entry), "b_pk": pk} for pk, entry in again]
        names = [name for name in revived[0] if name not in ("b_pk", "pk", "key")]
        revive = revive.values({name: sa.bindparam(name) for name in names})
        connection.execute(revive, revived)
        rows.unlink(connection, "cache", [pk for pk, _ in again])
    owners = [(pk, e) for pk, e in zip(pks, fresh, strict=True) if pk in written] + again
    links = [row for pk, e in owners for row in rows.link_rows("cache", pk, e.outputs)]
    rows.insert(connection, s.artifact_links, links)


def _entry_row(pk: int, entry: CacheEntry) -> rows.Row:
    return {
        "pk": pk,
        "key": entry.key,
        "recipe": entry.recipe,
        "stage": entry.stage,
        "parts": encode(entry.parts, "the parts of a cache key"),
        "wall": entry.wall,
        "created": entry.created,
        "evicted": entry.evicted,
    }


def candidates(connection: sa.Connection, recipes: Iterable[str]) -> dict[str, list[CacheEntry]]:
    """Return the entries of each recipe, newest first, at most :data:`CANDIDATES` of each."""
    c = s.cache_entries.c
    age = sa.func.row_number().over(partition_by=c.recipe, order_by=c.pk.desc())
    found: defaultdict[str, list[CacheEntry]] = defaultdict(list)
    for chunk in chunks(recipes):
        held = sa.select(c.pk, age.label("age")).where(c.recipe.in_(chunk), c.evicted.is_(False))
        ranked = held.subquery().c
        newest = sa.select(ranked.pk).where(ranked.age <= CANDIDATES).order_by(ranked.pk.desc())
        for entry in load(connection, "cache", connection.execute(newest).scalars()):
            found[entry.recipe].append(entry)
    return dict(found)


def evict(connection: sa.Connection, keys: Iterable[str]) -> int:
    """Mark cache entries as evicted, with their inline bytes dropped."""
    c = s.cache_entries.c
    links = s.artifact_links.c
    count = 0
    for chunk in chunks(sorted(keys)):  # in the order in which add() takes them
        chosen = sa.select(c.pk).where(c.key.in_(chunk), c.evicted.is_(False)).order_by(c.key)
        pks = list(connection.execute(chosen.with_for_update()).scalars())
        connection.execute(sa.update(s.cache_entries).where(c.pk.in_(pks)).values(evicted=True))
        connection.execute(
            sa.update(s.artifact_links)
            .where(links.kind == s.OWNER["cache"], links.owner.in_(pks))
            .values(inline=None, kept=False)
        )
        count += len(pks)
    return count
