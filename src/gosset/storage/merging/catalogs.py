"""One catalog taken over into another, some runs at a time, each batch whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from ...exceptions import StorageError
from ...filters import Expression
from .. import errors
from .. import schema as s
from ..base import Merged
from ..chunking import chunks
from ..compile import Query
from ..connect import Database
from . import declared, launches, points, runs, work
from .reading import rows_of

Bring = Callable[[Mapping[str, int]], None]
"""Told the digests and sizes of artifacts before the catalog refers to them."""

_RUNS: Final = 250
_POINTS: Final = 2_000_000
"""What one transaction takes over at most; of points it is more where one run has more."""
_OTHERS: Final = 500
_ATTEMPTS: Final = 5
"""How often a batch is tried where others write to the same rows."""

_LOCK: Final = 0x676F737375
_turns = threading.Lock()
"""Two threads that merge two stores in memory into each other would wait for ever."""


@dataclass(frozen=True, kw_only=True)
class _Owners:
    """What one batch takes over, as primary keys of the source (digests, where so named)."""

    runs: Sequence[int] = ()
    launches: Sequence[int] = ()
    experiments: Sequence[int] = ()
    datasets: Sequence[int] = ()
    splits: Sequence[str] = ()


def merge(
    target: Database,
    source: Database,
    *,
    where: Expression | None,
    bring: Bring,
    progress: Callable[[int, int], None],
) -> Merged:
    """Take over what the source has and the target lacks; see :meth:`Catalog.merge`."""
    with _snapshot(source) as there:
        batches = list(_batches(there, _selected(there, where)))
    total = sum(map(len, batches))
    new = changed = done = 0
    progress(done, total)
    for batch in batches:
        result = _runs(target, source, batch, bring)
        new, changed, done = new + result[0], changed + result[1], done + len(batch)
        progress(done, total)
    if where is None:
        _unused(target, source, bring)
    _launches(target, source, where, bring)
    _cache(target, source, where, bring)
    return Merged(runs=new, changed=changed)


@contextmanager
def _snapshot(database: Database) -> Iterator[sa.Connection]:
    """Give a connection that sees one state of the database however often it asks."""
    with database.read() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield connection


def _carried(
    target: Database,
    source: Database,
    act: Callable[[sa.Connection, sa.Connection], Any],
    prepare: Callable[[sa.Connection], None] = lambda there: None,
) -> Any:
    """Do `act` with the source and the target, in one transaction of each."""
    with _turns, _snapshot(source) as there:
        prepare(there)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with target.write() as here:
                    if here.dialect.name == "postgresql":
                        here.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
                    return act(there, here)
            except StorageError as error:
                if attempt == _ATTEMPTS or not errors.locked(error):
                    raise
        raise AssertionError("the last attempt returns or raises")


# -- runs


def _selected(there: sa.Connection, where: Expression | None) -> list[int]:
    """Return the primary keys of the runs that are wanted, oldest first."""
    if where is None:
        return list(there.execute(sa.select(s.runs.c.pk).order_by(s.runs.c.pk)).scalars())
    return sorted(row[0] for row in Query(there, "runs", where).rows((), None, 0))


def _batches(there: sa.Connection, pks: Sequence[int]) -> Iterator[list[int]]:
    c = s.series.c
    counted = sa.select(c.run, sa.func.sum(c.count).label("points")).group_by(c.run)
    sizes = {row["run"]: int(row["points"]) for row in rows_of(there, counted, c.run, pks)}
    batch: list[int] = []
    held = 0
    for pk in pks:
        size = sizes.get(pk, 0)
        if batch and (len(batch) == _RUNS or held + size > _POINTS):
            yield batch
            batch, held = [], 0
        batch.append(pk)
        held += size
    if batch:
        yield batch


def _runs(target: Database, source: Database, pks: Sequence[int], bring: Bring) -> tuple[int, int]:
    """Take over some runs with all that they belong to and all that belongs to them."""
    found = _Owners()

    def prepare(there: sa.Connection) -> None:
        nonlocal found
        found = _owners(there, pks)
        bring(_digests(there, found))

    def act(there: sa.Connection, here: sa.Connection) -> tuple[int, int]:
        return _write_runs(there, here, found)

    result: tuple[int, int] = _carried(target, source, act, prepare)
    return result


def _owners(there: sa.Connection, pks: Sequence[int]) -> _Owners:
    """Return what runs need to be there before they are."""
    r, c, d = s.runs.c, s.computations.c, s.datasets.c
    columns = sa.select(r.pk, r.launch, r.experiment, r.dataset, r.split)
    found = list(rows_of(there, columns, r.pk, pks))
    held = sa.select(c.launch).where(c.run.is_not(None)).distinct()
    its = {row["launch"] for row in found}
    its |= {row["launch"] for row in rows_of(there, held, c.run, pks)}
    wanted = {row["dataset"] for row in found} - {None}
    named = sa.select(d.pk, d.version, s.dataset_names.c.name).join(s.dataset_names)
    versions = there.execute(named).all() if wanted else ()
    return _Owners(
        runs=[row["pk"] for row in found],
        launches=sorted(its),
        experiments=sorted({row["experiment"] for row in found}),
        datasets=[pk for pk, version, name in versions if f"{name}@{version}" in wanted],
        splits=sorted({row["split"] for row in found} - {None}),
    )


def _digests(there: sa.Connection, owners: _Owners) -> dict[str, int]:
    """Return digest → size of what must lie in the artifact store for these to be whole."""
    c, made, split = s.artifact_links.c, s.computations.c, s.splits.c
    of_runs = sa.select(made.pk).where(made.run.is_not(None))
    computations = [row["pk"] for row in rows_of(there, of_runs, made.run, owners.runs)]
    splits = [row["pk"] for row in rows_of(there, sa.select(split.pk), split.digest, owners.splits)]
    statement = sa.select(c.digest, c.size).where(c.kept, c.inline.is_(None)).distinct()
    return {
        row["digest"]: row["size"]
        for owner, pks in (
            ("runs", owners.runs),
            ("computations", computations),
            ("launches", owners.launches),
            ("datasets", owners.datasets),
            ("splits", splits),
        )
        for row in rows_of(there, statement.where(c.kind == s.OWNER[owner]), c.owner, pks)
    }


def _write_runs(there: sa.Connection, here: sa.Connection, owners: _Owners) -> tuple[int, int]:
    declared.carry_experiments(there, here, owners.experiments)
    declared.carry_datasets(there, here, owners.datasets)
    declared.carry_splits(there, here, owners.splits)
    known, own = declared.known(there), declared.known(here)
    theirs = runs.side(there, known, s.runs.c.pk, owners.runs)
    # With the signs of life that were known here before those of the source come.
    mine = runs.side(here, own, s.runs.c.id, list(theirs.rows))
    opened = launches.carry_launches(there, here, known, own, owners.launches)
    changes = runs.write_runs(here, theirs, mine, opened)
    keys = {id_: row["pk"] for id_, row in mine.rows.items()}
    keys |= {change.id: change.pk for change in changes}
    ids = {id_: row["pk"] for id_, row in theirs.rows.items()}
    points.carry_points(there, here, theirs, mine, changes)
    changed = {change.id for change in changes}
    changed |= points.carry_texts(there, here, theirs, keys)
    changed |= work.carry_attempts(there, here, theirs, mine, keys)
    changed |= work.carry_computations(there, here, "run", ids, keys, opened)
    new = set(ids) - set(mine.rows)
    return len(new), len(changed - new)


# -- what no run needs


def _unused(target: Database, source: Database, bring: Bring) -> None:
    """Take over what is declared, whether a run uses it or not."""
    found = _Owners()

    def prepare(there: sa.Connection) -> None:
        nonlocal found
        found = _Owners(
            datasets=list(there.execute(sa.select(s.datasets.c.pk)).scalars()),
            splits=list(there.execute(sa.select(s.splits.c.digest)).scalars()),
        )
        bring(_digests(there, found))

    def act(there: sa.Connection, here: sa.Connection) -> None:
        declared.carry_experiments(there, here, None)
        declared.carry_datasets(there, here, found.datasets)
        declared.carry_splits(there, here, found.splits)
        digests = there.execute(sa.select(s.environments.c.digest)).scalars()
        declared.carry_environments(there, here, digests)

    _carried(target, source, act, prepare)


def _launches(target: Database, source: Database, where: Expression | None, bring: Bring) -> None:
    """Take over launches with the computations that belong to no run of theirs."""
    statement = sa.select(s.launches.c.pk).order_by(s.launches.c.pk)
    with _snapshot(source) as there:
        if where is None:
            pks = list(there.execute(statement).scalars())
        else:
            pks = list(_owners(there, _selected(there, where)).launches)
    for start in range(0, len(pks), _OTHERS):
        _some_launches(target, source, pks[start : start + _OTHERS], bring)


def _some_launches(target: Database, source: Database, pks: Sequence[int], bring: Bring) -> None:
    c, made, links = s.launches.c, s.computations.c, s.artifact_links.c

    def prepare(there: sa.Connection) -> None:
        found = _digests(there, _Owners(launches=pks))
        alone = sa.select(made.pk).where(made.run.is_(None))
        owners = [row["pk"] for row in rows_of(there, alone, made.launch, pks)]
        statement = sa.select(links.digest, links.size).where(
            links.kept, links.inline.is_(None), links.kind == s.OWNER["computations"]
        )
        its = rows_of(there, statement, links.owner, owners)
        bring(found | {row["digest"]: row["size"] for row in its})

    def act(there: sa.Connection, here: sa.Connection) -> None:
        rows = list(rows_of(there, sa.select(c.pk, c.id, c.experiment), c.pk, pks))
        declared.carry_experiments(there, here, {row["experiment"] for row in rows})
        known, own = declared.known(there), declared.known(here)
        opened = launches.carry_launches(there, here, known, own, pks)
        ids = {row["id"]: row["pk"] for row in rows}
        work.carry_computations(there, here, "launch", ids, opened, opened)

    _carried(target, source, act, prepare)


def _cache(target: Database, source: Database, where: Expression | None, bring: Bring) -> None:
    """Take over the entries of the cache; of a selection those that its computations used."""
    c, made, links = s.cache_entries.c, s.computations.c, s.artifact_links.c
    with _snapshot(source) as there:
        if where is None:
            keys = list(there.execute(sa.select(c.key)).scalars())
        else:
            used = sa.select(made.key).where(made.key.is_not(None)).distinct()
            keys = [row["key"] for row in rows_of(there, used, made.run, _selected(there, where))]
    for some in chunks(sorted(set(keys))):
        differ = _differing(target, source, some)
        for start in range(0, len(differ), _OTHERS):
            batch = differ[start : start + _OTHERS]

            def prepare(there: sa.Connection, batch: Sequence[str] = batch) -> None:
                pks = [row["pk"] for row in rows_of(there, sa.select(c.pk), c.key, batch)]
                statement = sa.select(links.digest, links.size).where(
                    links.kept, links.inline.is_(None), links.kind == s.OWNER["cache"]
                )
                found = rows_of(there, statement, links.owner, pks)
                bring({row["digest"]: row["size"] for row in found})

            def act(
                there: sa.Connection, here: sa.Connection, batch: Sequence[str] = batch
            ) -> None:
                work.carry_cache(there, here, batch)

            _carried(target, source, act, prepare)


def _differing(target: Database, source: Database, keys: Iterable[str]) -> list[str]:
    """Return the keys whose entries are not alike in both."""
    c = s.cache_entries.c
    statement = sa.select(c.key, c.evicted, c.created)
    keys = list(keys)
    with _snapshot(source) as there:
        theirs = {row["key"]: row for row in rows_of(there, statement, c.key, keys)}
    with target.read() as here:
        mine = {row["key"]: row for row in rows_of(here, statement, c.key, keys)}
    return [key for key, row in theirs.items() if mine.get(key) != row]
