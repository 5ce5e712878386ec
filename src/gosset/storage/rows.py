"""Writing rows: keys given out beforehand, many at once, and the links to artifacts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ..entities import ArtifactRef
from ..exceptions import NotFoundError
from ..types import JSONValue
from . import schema as s
from .chunking import chunks

Row = dict[str, Any]


def reserve(connection: sa.Connection, table: sa.Table, count: int) -> Sequence[int]:
    """Return `count` unused primary keys, ascending, inside a transaction that writes."""
    if connection.dialect.name == "sqlite":
        # The transaction holds the write lock, so that nobody else takes them.
        last = connection.execute(sa.select(sa.func.max(table.c.pk))).scalar() or 0
        return range(last + 1, last + 1 + count)
    sequence = sa.func.nextval(sa.func.pg_get_serial_sequence(table.name, "pk"))
    statement = sa.select(sequence).select_from(sa.func.generate_series(1, count))
    return sorted(connection.execute(statement).scalars())


def insert(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert rows, all with the same columns."""
    if rows:
        connection.execute(table.insert(), rows)


def insert_missing(connection: sa.Connection, table: sa.Table, row: Row) -> None:
    """Insert a row unless one is there already that it must not repeat."""
    statement = _insert(connection)(table).on_conflict_do_nothing()
    connection.execute(statement, row)


def insert_new(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> set[int]:
    """Insert rows, save those that another process was faster with; return the keys written."""
    pks = [row["pk"] for row in rows]
    if connection.dialect.name == "sqlite":
        insert(connection, table, rows)
        return set(pks)
    if rows:
        connection.execute(_insert(connection)(table).on_conflict_do_nothing(), rows)
    return {
        pk
        for chunk in chunks(pks)
        for pk in connection.execute(sa.select(table.c.pk).where(table.c.pk.in_(chunk))).scalars()
    }


def upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert rows, replacing those with the same primary key."""
    if not rows:
        return
    statement = _insert(connection)(table)
    key = [column.name for column in table.primary_key]
    others = {name: statement.excluded[name] for name in rows[0] if name not in key}
    statement = statement.on_conflict_do_update(index_elements=key, set_=others)
    connection.execute(statement, rows)


def _insert(connection: sa.Connection) -> Any:
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert


def keys(
    connection: sa.Connection, table: sa.Table, what: str, ids: Iterable[str]
) -> dict[str, int]:
    """Return id → primary key of rows that must be there, kept from being deleted."""
    wanted = set(ids)
    found: dict[str, int] = {}
    for chunk in chunks(wanted):
        statement = sa.select(table.c.id, table.c.pk).where(table.c.id.in_(chunk))
        locked = statement.order_by(table.c.pk).with_for_update(read=True, key_share=True)
        found.update((id_, pk) for id_, pk in connection.execute(locked))
    if len(found) < len(wanted):
        raise NotFoundError(f"no {what} {min(wanted - found.keys())!r} in the store")
    return found


def link_rows(owner: str, pk: int, artifacts: Iterable[ArtifactRef]) -> Iterator[Row]:
    """Iterate over the rows of ``artifact_links`` for the artifacts of an owner."""
    for position, artifact in enumerate(artifacts):
        yield {
            "kind": s.OWNER[owner],
            "owner": pk,
            "position": position,
            "name": artifact.name,
            "format": artifact.format,
            "digest": artifact.digest,
            "size": artifact.size,
            "inline": artifact.inline,
            "kept": True,
        }


def unlink(connection: sa.Connection, owner: str, pks: sa.Select[Any] | Sequence[int]) -> None:
    """Drop the links of the owners with these primary keys."""
    c = s.artifact_links.c
    batches = [pks] if isinstance(pks, sa.Select) else chunks(pks)
    for batch in batches:
        chosen = sa.delete(s.artifact_links).where(c.kind == s.OWNER[owner], c.owner.in_(batch))
        connection.execute(chosen)


def references(document: JSONValue | Mapping[str, JSONValue], name: str = "") -> list[ArtifactRef]:
    """Return the artifacts that a JSON document names.

    An artifact is named by a mapping with at least ``digest``, ``format`` and ``size``,
    wherever it stands.
    """
    if isinstance(document, Mapping):
        digest, form, size = (document.get(key) for key in ("digest", "format", "size"))
        if isinstance(digest, str) and isinstance(form, str) and isinstance(size, int):
            named = str(document.get("name") or name)
            return [ArtifactRef(name=named, format=form, digest=digest, size=size)]
        return [found for key, value in document.items() for found in references(value, key)]
    if isinstance(document, list | tuple):
        return [found for value in document for found in references(value, name)]
    return []
