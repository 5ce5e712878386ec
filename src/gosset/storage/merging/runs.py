"""Runs, some hundreds at a time: read on both sides, joined, and written where they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from .. import rows
from .. import schema as s
from ..rows import Row
from ..values import decode, encode, side_row
from .declared import Known
from .launches import Numbers, placed
from .reading import linked, links_of, rows_of
from .states import Chunk, RunState, joined

_DOCUMENTS = ("params", "config", "fields", "metrics")
_APART = ("pk", "experiment", "launch", "number", "execution", "name", "dataset", "tags", "group", *_DOCUMENTS)  # fmt: skip
_FACTS = tuple(c.name for c in s.runs.c if c.name not in _APART)


@dataclass(frozen=True, kw_only=True)
class Side:
    """Some runs in one store.

    Attributes
    ----------
    rows : mapping
        Id of a run → its row.
    states : mapping
        Likewise → what is known of it.
    chunks : mapping
        Likewise → the primary key of each chunk of its series.
    known : Known
    """

    rows: Mapping[str, Row]
    states: Mapping[str, RunState]
    chunks: Mapping[str, Mapping[Chunk, int]]
    known: Known

    @property
    def keys(self) -> dict[int, str]:
        """Primary key → id."""
        return {row["pk"]: id_ for id_, row in self.rows.items()}


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a merge makes of a run.

    Attributes
    ----------
    pk : int
        In the target.
    state : RunState
        What it is to be.
    before : RunState or None
    unknown : list of str
        Series whose summary must be made anew.
    """

    id: str
    pk: int
    state: RunState
    before: RunState | None
    unknown: Sequence[str]


def side(connection: sa.Connection, known: Known, column: Any, chosen: Iterable[Any]) -> Side:
    """Return what a store knows of the runs whose `column` is among `chosen`, held fast."""
    opened = s.launches.c
    told = opened.id.label("launch_id"), opened.heartbeat.label("beaten")
    statement = sa.select(s.runs, *told)
    statement = statement.join(s.launches, s.runs.c.launch == s.launches.c.pk)
    statement = statement.order_by(s.runs.c.pk)
    if column is s.runs.c.id:
        statement = statement.with_for_update(of=s.runs)
    found = {row["id"]: row for row in rows_of(connection, statement, column, chosen)}
    pks = [row["pk"] for row in found.values()]
    w, m, p, c = s.writers.c, s.run_metrics.c, s.series.c, s.computations.c
    writers = _each(connection, sa.select(w.run, w.writer, w.last), w.run, pks)
    measured = _each(connection, sa.select(s.run_metrics), m.run, pks)
    counted = sa.select(p.run, p.pk, p.name, p.writer, p.number, p.count)
    points = _each(connection, counted, p.run, pks)
    ids = sa.select(c.run, sa.func.max(c.id).label("id")).group_by(c.run)
    latest = _each(connection, ids, c.run, pks)
    links = links_of(connection, "runs", pks)
    states = {}
    for id_, row in found.items():
        pk = row["pk"]
        states[id_] = RunState(
            facts=_facts(known, row),
            **{name: row[name] for name in _DOCUMENTS},
            tags=tuple(decode(row["tags"])),
            writers={each["writer"]: each["last"] for each in writers.get(pk, ())},
            latest=max((each["id"] for each in latest.get(pk, ())), default=""),
            links=tuple(links.get(pk, ())),
            measured={each["name"]: each for each in measured.get(pk, ())},
            points={_chunk(each): each["count"] for each in points.get(pk, ())},
            beaten=row["beaten"],
        )
    chunks = {
        id_: {_chunk(each): each["pk"] for each in points.get(row["pk"], ())}
        for id_, row in found.items()
    }
    return Side(rows=found, states=states, chunks=chunks, known=known)


def _each(
    connection: sa.Connection, statement: sa.Select[Any], column: Any, pks: Iterable[int]
) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in rows_of(connection, statement, column, pks):
        found.setdefault(row.pop("run"), []).append(row)
    return found


def _chunk(row: Row) -> Chunk:
    return row["name"], row["writer"], row["number"]


def _facts(known: Known, row: Row) -> Row:
    """Return the facts of a run without what is a number of its store."""
    place = known.places[row["experiment"]]
    default = row["name"] == f"{place[1]}#{row['number']}"
    return {
        **{name: row[name] for name in _FACTS},
        "launch": row["launch_id"],
        "execution": known.executions.get((place, row["execution"])),
        "name": None if default else row["name"],
        "dataset": known.datasets.get(row["dataset"], row["dataset"]),
    }


def write_runs(
    target: sa.Connection, theirs: Side, mine: Side, launches: Mapping[str, int]
) -> list[Change]:
    """Write what both sides know of runs to the target, save points and what was printed."""
    numbers = Numbers(mine.known)
    fresh = [row for id_, row in theirs.rows.items() if id_ not in mine.rows]
    fresh.sort(key=lambda row: (row["experiment"], row["number"]))
    spots = placed(target, s.runs, "last_run", theirs.known, numbers, fresh)
    pks = rows.reserve(target, s.runs, len(fresh))
    changes: list[Change] = []
    made: list[Row] = []
    for pk, row, (experiment, number) in zip(pks, fresh, spots, strict=True):
        state = theirs.states[row["id"]]
        changes.append(Change(id=row["id"], pk=pk, state=state, before=None, unknown=()))
        own = {"pk": pk, "experiment": experiment, "number": number}
        made.append(_row(theirs.known, row, state, numbers, launches, number) | own)
        made[-1]["group"] = row["group"]
    rows.insert(target, s.runs, made)
    for id_, old in mine.rows.items():
        before = mine.states[id_]
        state, unknown = joined(before, theirs.states[id_])
        if state == before:
            continue
        changes.append(Change(id=id_, pk=old["pk"], state=state, before=before, unknown=unknown))
        values = _row(theirs.known, theirs.rows[id_], state, numbers, launches, old["number"])
        if state.facts == before.facts:
            # Its launch may be one that the other store does not have.
            values = {name: values[name] for name in (*_DOCUMENTS, "tags")}
        elif state.facts["execution"] is None:
            values.pop("execution")
        if state.params != before.params:
            whole = state.params == theirs.rows[id_]["params"]
            values["group"] = theirs.rows[id_]["group"] if whole else _group(state)
        target.execute(sa.update(s.runs).where(s.runs.c.pk == old["pk"]).values(**values))
    _write_sides(target, changes)
    return changes


def _row(
    known: Known,
    row: Row,
    state: RunState,
    numbers: Numbers,
    launches: Mapping[str, int],
    number: int,
) -> Row:
    """Return the row of a run in the target, of which the source has `row`."""
    facts = dict(state.facts)
    launch = facts.pop("launch")
    experiment = known.places[row["experiment"]][1]
    return {
        **facts,
        **{name: getattr(state, name) for name in _DOCUMENTS},
        "tags": encode(list(state.tags), "tags"),
        "launch": launches.get(launch),
        "execution": numbers.execution(known, row),
        "name": facts["name"] or f"{experiment}#{number}",
        "dataset": numbers.dataset(facts["dataset"]),
    }


def _group(state: RunState) -> str:
    from ...fingerprint.plainly import plain_digest

    return plain_digest(decode(state.params))


def _write_sides(target: sa.Connection, changes: Sequence[Change]) -> None:
    """Write what lies in tables beside that of the runs."""
    values: dict[str, list[Row]] = {"params": [], "fields": []}
    tags: list[Row] = []
    writers: list[Row] = []
    measured: list[Row] = []
    links: list[Row] = []
    relinked: list[int] = []
    for change in changes:
        pk, state, before = change.pk, change.state, change.before or RunState(facts={})
        for name, side_rows in values.items():
            document = getattr(state, name)
            if document != getattr(before, name):
                side_rows += [side_row(pk, key, value) for key, value in decode(document).items()]
        tags += [{"run": pk, "tag": tag} for tag in state.tags if tag not in before.tags]
        writers += [
            {"run": pk, "writer": writer, "last": last}
            for writer, last in state.writers.items()
            if before.writers.get(writer) != last
        ]
        measured += [
            row | {"run": pk}
            for name, row in state.measured.items()
            if before.measured.get(name) != row
        ]
        if state.links != before.links:
            relinked.append(pk)
            links += linked("runs", pk, state.links)
    rows.upsert(target, s.run_params, values["params"])
    rows.upsert(target, s.run_fields, values["fields"])
    rows.upsert(target, s.run_metrics, measured)
    rows.upsert(target, s.writers, writers)
    rows.insert(target, s.run_tags, tags)
    rows.unlink(target, "runs", relinked)
    rows.insert(target, s.artifact_links, links)
