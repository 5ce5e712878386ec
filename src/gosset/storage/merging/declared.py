"""What runs belong to: projects, experiments, code versions; environments, datasets and splits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from .. import rows
from .. import schema as s
from ..rows import Row
from .numbering import numbered
from .ranking import told
from .reading import linked, links_of, rows_of

Place = tuple[str, str]
"""The names of a project and of an experiment in it."""


class Known(NamedTuple):
    """How a store numbers what others know by name and content.

    Attributes
    ----------
    places : mapping
        Primary key of an experiment → its names.
    executions : mapping
        Names of an experiment and number of an execution → fingerprint.
    datasets : mapping
        ``NAME@VERSION`` → name and digest.
    """

    places: dict[int, Place]
    executions: dict[tuple[Place, int], str]
    datasets: dict[str, tuple[str, str]]


def known(connection: sa.Connection) -> Known:
    """Return how a store numbers things."""
    e, x, d, n = s.experiments.c, s.executions.c, s.datasets.c, s.dataset_names.c
    named = sa.select(e.pk, s.projects.c.name, e.name).join_from(s.experiments, s.projects)
    places = {pk: (project, name) for pk, project, name in connection.execute(named)}
    coded = connection.execute(sa.select(x.experiment, x.number, x.fingerprint))
    versions = sa.select(n.name, d.version, d.digest).join_from(s.datasets, s.dataset_names)
    return Known(
        places=places,
        executions={(places[pk], number): print_ for pk, number, print_ in coded},
        datasets={f"{m}@{v}": (m, digest) for m, v, digest in connection.execute(versions)},
    )


# -- projects, experiments, executions


def carry_experiments(
    source: sa.Connection, target: sa.Connection, pks: Iterable[int] | None
) -> None:
    """Take over experiments of the source by primary key, with all above and their executions.

    Of projects and experiments of one name the older id counts, and what was declared with
    the later launch. None: all, also of projects that have none.
    """
    if pks is None:
        ordered = sa.select(s.projects).order_by(s.projects.c.name)
        for each in source.execute(ordered).mappings():
            _project(target, each)
        pks = list(source.execute(sa.select(s.experiments.c.pk)).scalars())
    of_project = (c.label(f"project_{c.name}") for c in s.projects.c)
    statement = sa.select(s.experiments, *of_project)
    found = rows_of(source, statement.join(s.projects), s.experiments.c.pk, pks)
    # In the order of their names, so that two who merge never wait for each other in a ring.
    for row in sorted(found, key=lambda row: (row["project_name"], row["name"])):
        project = _project(target, {c.name: row[f"project_{c.name}"] for c in s.projects.c})
        theirs, latest = row["pk"], _latest(source, row["pk"])
        row = {c.name: row[c.name] for c in s.experiments.c if c.name != "pk"}
        mine = _experiment(target, row | {"project": project}, latest)
        _executions(source, target, theirs, mine)


def _project(target: sa.Connection, theirs: Any) -> int:
    row = {name: theirs[name] for name in ("id", "name", "description", "created")}
    found = _found_or_made(target, s.projects, row, s.projects.c.name == row["name"])
    joined = {
        "id": min(found["id"], row["id"]),
        "created": min(found["created"], row["created"]),
        "description": max(found["description"], row["description"], key=lambda t: (len(t), t)),
    }
    _change(target, s.projects, found, joined)
    return int(found["pk"])


def _experiment(target: sa.Connection, theirs: Row, latest: str) -> int:
    c = s.experiments.c
    chosen = sa.and_(c.project == theirs["project"], c.name == theirs["name"])
    found = _found_or_made(target, s.experiments, theirs, chosen)

    def declared(row: Row, launch: str) -> tuple[Any, ...]:
        return row["definition"] != "{}", launch, row["definition"], row["description"]

    here = declared(found, _latest(target, found["pk"]))
    _, _, definition, description = max(here, declared(theirs, latest))
    joined = {
        "id": min(found["id"], theirs["id"]),
        "created": min(found["created"], theirs["created"]),
        "definition": definition,
        "description": description or found["description"] or theirs["description"],
        **{name: max(found[name], theirs[name]) for name in _COUNTERS},
    }
    _change(target, s.experiments, found, joined)
    return int(found["pk"])


_COUNTERS = ("last_execution", "last_launch", "last_run")


def _latest(connection: sa.Connection, experiment: int) -> str:
    """Return the id of the latest launch that declared the experiment."""
    c = s.launches.c
    statement = sa.select(sa.func.max(c.id)).where(c.experiment == experiment, c.settings != "{}")
    return connection.execute(statement).scalar() or ""


def _found_or_made(target: sa.Connection, table: sa.Table, row: Row, chosen: Any) -> Row:
    """Return the row that is there, held fast, or one made like that of the other store."""
    statement = sa.select(table).where(chosen).with_for_update()
    found = target.execute(statement).mappings().first()
    if found is None:
        rows.insert_missing(target, table, row)
        found = target.execute(statement).mappings().one()
    return dict(found)


def _change(target: sa.Connection, table: sa.Table, found: Row, joined: Row) -> None:
    changes = {name: value for name, value in joined.items() if found[name] != value}
    if changes:
        target.execute(sa.update(table).where(table.c.pk == found["pk"]).values(**changes))


def _executions(source: sa.Connection, target: sa.Connection, theirs: int, mine: int) -> None:
    """Take over the executions of an experiment; of one code version the older record counts."""
    c = s.executions.c
    columns = sa.select(c.pk, c.id, c.number, c.fingerprint).order_by(c.number)
    here = {row.fingerprint: row for row in target.execute(columns.where(c.experiment == mine))}
    there = source.execute(columns.where(c.experiment == theirs)).all()
    wanted = {row.pk: row for row in there if row.fingerprint not in here}
    older = {
        row.pk: here[row.fingerprint].pk
        for row in there
        if row.fingerprint in here and row.id < here[row.fingerprint].id
    }
    whole = {row["pk"]: row for row in rows_of(source, sa.select(s.executions), c.pk, [*wanted, *older])}  # fmt: skip
    for pk, own in older.items():
        values = {name: whole[pk][name] for name in ("id", "code", "created")}
        target.execute(sa.update(s.executions).where(c.pk == own).values(**values))
    taken = {row.number for row in here.values()}
    numbers = give_numbers(
        target, mine, "last_execution", [row.number for row in wanted.values()], taken
    )
    made = [
        {**{name: whole[pk][name] for name in ("id", "fingerprint", "code", "created")},
         "experiment": mine, "number": number}
        for pk, number in zip(wanted, numbers, strict=True)
    ]  # fmt: skip
    rows.insert(target, s.executions, made)


def give_numbers(
    target: sa.Connection, experiment: int, counter: str, wanted: Sequence[int], taken: set[int]
) -> list[int]:
    """Return a number for each that is wanted in an experiment, which is held fast."""
    if not wanted:
        return []
    column, c = s.experiments.c[counter], s.experiments.c
    last = target.execute(
        sa.select(column).where(c.pk == experiment).with_for_update()
    ).scalar_one()
    given, highest = numbered(wanted, taken, last)
    if highest != last:
        target.execute(
            sa.update(s.experiments).where(c.pk == experiment).values({counter: highest})
        )
    return given


# -- what is known by its digest


def carry_environments(
    source: sa.Connection, target: sa.Connection, digests: Iterable[str]
) -> None:
    """Take over the environments of these digests."""
    c = s.environments.c
    wanted = set(digests)
    wanted -= {row["digest"] for row in rows_of(target, sa.select(c.digest), c.digest, wanted)}
    statement = sa.select(c.digest, c.content)
    for row in rows_of(source, statement, c.digest, sorted(wanted)):
        rows.insert_missing(target, s.environments, row)


def carry_splits(source: sa.Connection, target: sa.Connection, digests: Iterable[str]) -> None:
    """Take over the splits of these digests."""
    c = s.splits.c
    wanted = set(digests)
    wanted -= {row["digest"] for row in rows_of(target, sa.select(c.digest), c.digest, wanted)}
    found = list(rows_of(source, sa.select(s.splits), c.digest, sorted(wanted)))
    links = links_of(source, "splits", (row["pk"] for row in found))
    pks = rows.reserve(target, s.splits, len(found))
    written = rows.insert_new(
        target, s.splits, [row | {"pk": pk} for row, pk in zip(found, pks, strict=True)]
    )
    made = zip(found, pks, strict=True)
    rows.insert(
        target,
        s.artifact_links,
        [link for row, pk in made if pk in written for link in linked("splits", pk, links[row["pk"]])],
    )  # fmt: skip


def carry_datasets(source: sa.Connection, target: sa.Connection, pks: Iterable[int]) -> None:
    """Take over versions of datasets; of one content, what was told of the later one counts."""
    n = s.dataset_names.c
    statement = sa.select(s.datasets, n.name.label("of"), n.last_version).join(s.dataset_names)
    found = list(rows_of(source, statement, s.datasets.c.pk, pks))
    links = links_of(source, "datasets", (row["pk"] for row in found))
    for name in sorted({row["of"] for row in found}):
        versions = sorted(
            (row for row in found if row["of"] == name), key=lambda row: int(row["version"])
        )
        _versions(target, name, versions, links)


def _versions(
    target: sa.Connection, name: str, versions: Sequence[Row], links: dict[int, list[Row]]
) -> None:
    first = {"name": name, "last_version": 0}
    of = _found_or_made(target, s.dataset_names, first, s.dataset_names.c.name == name)
    c = s.datasets.c
    mine = sa.select(s.datasets).where(c.name == of["pk"])
    here = {row["digest"]: dict(row) for row in target.execute(mine).mappings()}
    own = links_of(target, "datasets", (row["pk"] for row in here.values()))
    fresh = [row for row in versions if row["digest"] not in here]
    last = max(of["last_version"], *(row["last_version"] for row in versions))
    taken = {row["version"] for row in here.values()}
    numbers, last = numbered([row["version"] for row in fresh], taken, last)
    _change(target, s.dataset_names, of, {"last_version": last})
    made: list[Row] = []
    linked_rows: list[Row] = []
    for pk, row, number in zip(
        rows.reserve(target, s.datasets, len(fresh)), fresh, numbers, strict=True
    ):
        made.append({**_facts(row), "pk": pk, "name": of["pk"], "version": number})
        linked_rows += linked("datasets", pk, links[row["pk"]])
    rows.insert(target, s.datasets, made)
    for theirs in versions:
        found = here.get(theirs["digest"])
        if found is None or _telling(theirs, links) <= _telling(found, own):
            continue
        _change(target, s.datasets, found, _facts(theirs))
        rows.unlink(target, "datasets", [found["pk"]])
        linked_rows += linked("datasets", found["pk"], links[theirs["pk"]])
    rows.insert(target, s.artifact_links, linked_rows)


_FACTS = ("digest", "columns", "rows", "description", "source", "created")


def _facts(row: Row) -> Row:
    return {name: row[name] for name in _FACTS}


def _telling(row: Row, links: dict[int, list[Row]]) -> tuple[Any, ...]:
    return row["created"], told(_facts(row)), [told(link) for link in links[row["pk"]]]
