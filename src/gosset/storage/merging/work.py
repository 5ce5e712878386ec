"""Computations, attempts and cache entries: in each place, the latest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from .. import rows
from .. import schema as s
from ..chunking import chunks
from ..rows import Row
from .launches import Numbers
from .ranking import progress, told, when
from .reading import linked, links_of, rows_of
from .runs import Side

Spot = tuple[str, str, int | None]
"""Whose a computation is (of a run, else of a launch), stage and fold."""


def carry_computations(
    source: sa.Connection,
    target: sa.Connection,
    owner: str,
    theirs: Mapping[str, int],
    mine: Mapping[str, int],
    launches: Mapping[str, int],
) -> set[str]:
    """Take over the computations of owners that are later than those here; return whose.

    Parameters
    ----------
    owner : {"run", "launch"}
        Of the launches only computations that belong to no run.
    theirs, mine : mapping
        Id of the owner → primary key on either side.
    launches : mapping
        Id of a launch → primary key in the target.
    """
    there = _spots(source, owner, {pk: id_ for id_, pk in theirs.items()})
    here = _spots(target, owner, {pk: id_ for id_, pk in mine.items()})
    later = {
        pk: spot for spot, (id_, pk) in there.items() if spot not in here or id_ > here[spot][0]
    }
    if not later:
        return set()
    replaced = [here[spot][1] for spot in later.values() if spot in here]
    rows.unlink(target, "computations", replaced)
    for chunk in chunks(replaced):
        target.execute(sa.delete(s.computations).where(s.computations.c.pk.in_(chunk)))
    statement = sa.select(s.computations, s.launches.c.id.label("launch_id")).join(s.launches)
    found = list(rows_of(source, statement, s.computations.c.pk, later))
    links = links_of(source, "computations", later)
    made: list[Row] = []
    linked_rows: list[Row] = []
    for pk, row in zip(rows.reserve(target, s.computations, len(found)), found, strict=True):
        id_ = later[row["pk"]][0]
        linked_rows += linked("computations", pk, links[row["pk"]])
        launch = launches[row.pop("launch_id")]
        made.append(
            row | {"pk": pk, "launch": launch, "run": mine[id_] if owner == "run" else None}
        )
    rows.insert(target, s.computations, made)
    rows.insert(target, s.artifact_links, linked_rows)
    return {spot[0] for spot in later.values()}


def _spots(
    connection: sa.Connection, owner: str, ids: Mapping[int, str]
) -> dict[Spot, tuple[str, int]]:
    """Return where computations stand → id and primary key."""
    c = s.computations.c
    statement = sa.select(c.pk, c.id, c.stage, c.fold, c[owner].label("owner"))
    if owner == "launch":
        statement = statement.where(c.run.is_(None))
    return {
        (ids[row["owner"]], row["stage"], row["fold"]): (row["id"], row["pk"])
        for row in rows_of(connection, statement, c[owner], ids)
    }


def carry_attempts(
    source: sa.Connection, target: sa.Connection, theirs: Side, mine: Side, keys: Mapping[str, int]
) -> set[str]:
    """Take over the attempts of runs that are later than those here; return whose."""
    numbers = Numbers(mine.known)
    there = _attempts(source, theirs, {row["pk"]: id_ for id_, row in theirs.rows.items()})
    here = _attempts(target, mine, {pk: id_ for id_, pk in keys.items() if id_ in mine.rows})
    made, changed = [], set()
    for spot, (state, row) in there.items():
        if spot not in here or state > here[spot][0]:
            run = theirs.rows[spot[0]]
            known = row | {"experiment": run["experiment"]}
            execution = numbers.execution(theirs.known, known)
            made.append(row | {"run": keys[spot[0]], "execution": execution})
            changed.add(spot[0])
    rows.upsert(target, s.attempts, made)
    return changed


def _attempts(
    connection: sa.Connection, side: Side, ids: Mapping[int, str]
) -> dict[tuple[str, int], tuple[tuple[Any, ...], Row]]:
    found = {}
    for row in rows_of(connection, sa.select(s.attempts), s.attempts.c.run, ids):
        id_ = ids[row["run"]]
        place = side.known.places[side.rows[id_]["experiment"]]
        print_ = side.known.executions.get((place, row["execution"]))
        facts = {name: value for name, value in row.items() if name not in ("run", "execution")}
        state = when(row["started"]), *progress(row), told(facts | {"execution": print_})
        found[id_, row["number"]] = (state, row)
    return found


def carry_cache(source: sa.Connection, target: sa.Connection, keys: Iterable[str]) -> None:
    """Take over cache entries; of two under one key the older counts that is not evicted."""
    c = s.cache_entries.c
    statement = sa.select(s.cache_entries)
    keys = sorted(keys)
    there = list(rows_of(source, statement, c.key, keys))
    locked = statement.order_by(c.key).with_for_update()
    here = {row["key"]: row for row in rows_of(target, locked, c.key, keys)}
    links = links_of(source, "cache", (row["pk"] for row in there))
    own = links_of(target, "cache", (row["pk"] for row in here.values()))
    fresh = [row for row in there if row["key"] not in here]
    pks = rows.reserve(target, s.cache_entries, len(fresh))
    made = [row | {"pk": pk} for pk, row in zip(pks, fresh, strict=True)]
    written = rows.insert_new(target, s.cache_entries, made)
    linked_rows = [
        link
        for pk, row in zip(pks, fresh, strict=True)
        if pk in written
        for link in linked("cache", pk, links[row["pk"]])
    ]
    for row in there:
        old = here.get(row["key"])
        if old is None or _entry(row, links) >= _entry(old, own):
            continue
        values = {name: value for name, value in row.items() if name != "pk"}
        target.execute(sa.update(s.cache_entries).where(c.pk == old["pk"]).values(**values))
        rows.unlink(target, "cache", [old["pk"]])
        linked_rows += linked("cache", old["pk"], links[row["pk"]])
    rows.insert(target, s.artifact_links, linked_rows)


def _entry(row: Row, links: Mapping[int, list[Row]]) -> tuple[Any, ...]:
    facts = {name: value for name, value in row.items() if name != "pk"}
    outputs = [told(link) for link in links[row["pk"]]]
    return row["evicted"], row["created"], told(facts), outputs
