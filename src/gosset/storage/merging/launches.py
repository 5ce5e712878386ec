"""Launches: of two states of one, that with the later sign of life counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from .. import rows
from .. import schema as s
from ..rows import Row
from .declared import Known, carry_environments, give_numbers
from .ranking import progress, told, when
from .reading import linked, links_of, rows_of

_OWN = ("pk", "experiment", "number", "execution")
_FACTS = tuple(c.name for c in s.launches.c if c.name not in _OWN)


def carry_launches(
    source: sa.Connection,
    target: sa.Connection,
    theirs: Known,
    mine: Known,
    pks: Iterable[int],
) -> dict[str, int]:
    """Take over launches by primary key; return how they are found in the target: id → key."""
    statement, c = sa.select(s.launches), s.launches.c
    found = sorted(rows_of(source, statement, c.pk, pks), key=_number)
    locked = statement.order_by(c.pk).with_for_update()
    ids = [row["id"] for row in found]
    here = {row["id"]: row for row in rows_of(target, locked, c.id, ids)}
    carry_environments(source, target, {row["environment"] for row in found} - {None})
    links = links_of(source, "launches", (row["pk"] for row in found))
    numbers = Numbers(mine)
    fresh = [row for row in found if row["id"] not in here]
    made = []
    for (experiment, given), (pk, row) in zip(
        placed(target, s.launches, "last_launch", theirs, numbers, fresh),
        zip(rows.reserve(target, s.launches, len(fresh)), fresh, strict=True),
        strict=True,
    ):
        own = {"pk": pk, "experiment": experiment, "number": given}
        made.append({**_facts(row), **own, "execution": numbers.execution(theirs, row)})
    rows.insert(target, s.launches, made)
    linked_rows = [
        link
        for own, row in zip(made, fresh, strict=True)
        for link in linked("launches", own["pk"], links[row["pk"]])
    ]
    for row in found:
        old = here.get(row["id"])
        if old is None or _state(theirs, row) <= _state(mine, old):
            continue
        values = {**_facts(row), "execution": numbers.execution(theirs, row)}
        target.execute(sa.update(s.launches).where(c.pk == old["pk"]).values(**values))
        rows.unlink(target, "launches", [old["pk"]])
        linked_rows += linked("launches", old["pk"], links[row["pk"]])
    rows.insert(target, s.artifact_links, linked_rows)
    return {row["id"]: row["pk"] for row in (*here.values(), *made)}


class Numbers:
    """The other way round: from what others know things by to the keys and numbers here."""

    def __init__(self, known: Known) -> None:
        self.experiments = {place: pk for pk, place in known.places.items()}
        self._executions = {
            (place, print_): number for (place, number), print_ in known.executions.items()
        }
        self._datasets = {of: name for name, of in known.datasets.items()}

    def execution(self, theirs: Known, row: Row) -> int:
        """Return the number of a row's execution here; 0 for one that was deleted."""
        place = theirs.places[row["experiment"]]
        print_ = theirs.executions.get((place, row["execution"]))
        return 0 if print_ is None else self._executions[place, print_]

    def dataset(self, told: Any) -> str | None:
        """Return how a dataset's version is named here."""
        return self._datasets.get(told) if isinstance(told, tuple) else told


def placed(
    target: sa.Connection,
    table: sa.Table,
    counter: str,
    theirs: Known,
    numbers: Numbers,
    fresh: list[Row],
) -> list[tuple[int, int]]:
    """Return the experiment and the number that each new row of a table has in the target."""
    found: dict[int, tuple[int, int]] = {}
    by_place: dict[int, list[int]] = {}
    for position, row in enumerate(fresh):
        by_place.setdefault(numbers.experiments[theirs.places[row["experiment"]]], []).append(position)  # fmt: skip
    for experiment in sorted(by_place):
        positions = by_place[experiment]
        wanted = [fresh[position]["number"] for position in positions]
        statement = sa.select(table.c.number).where(table.c.experiment == experiment)
        taken = {row["number"] for row in rows_of(target, statement, table.c.number, wanted)}
        given = give_numbers(target, experiment, counter, wanted, taken)
        found.update((p, (experiment, n)) for p, n in zip(positions, given, strict=True))
    return [found[position] for position in range(len(fresh))]


def _number(row: Row) -> tuple[int, int]:
    return row["experiment"], row["number"]


def _facts(row: Row) -> Row:
    return {name: row[name] for name in _FACTS}


def _state(known: Known, row: Row) -> tuple[Any, ...]:
    print_ = known.executions.get((known.places[row["experiment"]], row["execution"]))
    beaten = when(row["heartbeat"] or row["started"])
    return beaten, *progress(row), told(_facts(row) | {"execution": print_})
