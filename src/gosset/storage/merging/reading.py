"""Rows of several tables, read for many owners at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from .. import schema as s
from ..chunking import chunks
from ..rows import Row

_LINK = ("name", "format", "digest", "size", "inline", "kept")


def rows_of(
    connection: sa.Connection, statement: sa.Select[Any], column: Any, chosen: Iterable[Any]
) -> Iterator[Row]:
    """Iterate over the rows of a statement whose `column` is among `chosen`, as dictionaries."""
    for chunk in chunks(dict.fromkeys(chosen)):
        result = connection.execute(statement.where(column.in_(chunk)))
        yield from map(dict, result.mappings())


def links_of(connection: sa.Connection, owner: str, pks: Iterable[int]) -> dict[int, list[Row]]:
    """Return the links to artifacts of owners by primary key, in their order."""
    c = s.artifact_links.c
    statement = sa.select(c.owner, *(c[name] for name in _LINK)).order_by(c.owner, c.position)
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows_of(connection, statement.where(c.kind == s.OWNER[owner]), c.owner, pks):
        found[row.pop("owner")].append(row)
    return found


def linked(owner: str, pk: int, links: Sequence[Row]) -> Iterator[Row]:
    """Iterate over the rows that give an owner these links."""
    for position, link in enumerate(links):
        yield {"kind": s.OWNER[owner], "owner": pk, "position": position, **link}


def bytes_of(links: Iterable[Row]) -> dict[str, int]:
    """Return digest → size of what of these links lies in the artifact store."""
    return {
        link["digest"]: link["size"] for link in links if link["kept"] and link["inline"] is None
    }
