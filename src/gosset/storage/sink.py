"""News of tracked runs into any SQL catalog, through SQLAlchemy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from . import tracks
from .answers import Pairs
from .connect import Database
from .direct import flattened, pairs_of
from .news import LEASE, Beat, News, Opening, TakenUp
from .numbers import time_of

_text = cache(sa.text)


@cache
def _listed(sql: str, *names: str) -> sa.TextClause:
    return sa.text(sql).bindparams(*(sa.bindparam(name, expanding=True) for name in names))


class SQLSink:
    """Takes news of tracked runs in; see :class:`gosset.storage.news.Sink`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def url(self) -> str:
        """URL of the store."""
        return self._database.url

    def write(
        self, news: Sequence[News], beats: Sequence[Beat] = (), *, patience: float | None = None
    ) -> None:
        """Take in news, in their order, and signs of life, in one transaction."""
        with self._database.write() as connection:
            tracks.write(Statements(connection), news, beats)

    def take_up(self, run: str, launch: Opening, *, lease: float = LEASE) -> TakenUp:
        """Make a run one of the launch, at work again; of several who try at once one does."""
        with self._database.write() as connection:
            return tracks.take_up(Statements(connection), run, launch, lease)

    def number(self, run: str) -> int:
        """Return the number of a run in its experiment."""
        with self._database.read() as connection:
            return tracks.number(Statements(connection), run)

    def close(self) -> None:
        """Release connections."""
        self._database.close()

    def forked(self) -> None:
        """Begin anew in a child process: the database sees to its connections itself."""


class Statements:
    """Carries out statements on a connection of SQLAlchemy."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._sqlite = connection.dialect.name == "sqlite"

    @property
    def locking(self) -> str:
        # In SQLite nobody else writes while a transaction does.
        return "" if self._sqlite else " FOR NO KEY UPDATE"

    def one(self, sql: str, row: Mapping[str, Any]) -> Sequence[Any] | None:
        return self._connection.execute(_text(sql), row).first()

    def all(self, sql: str, row: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        return self._connection.execute(_text(sql), row).all()

    def many(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self._connection.execute(_text(sql), list(rows))

    def among(self, sql: str, **chosen: Sequence[int] | Sequence[str]) -> Sequence[Sequence[Any]]:
        return self._connection.execute(_listed(sql, *chosen), chosen).all()

    def pairs(self, key: str, value: str, source: str, row: Mapping[str, Any]) -> Pairs:
        import numpy as np

        if self._sqlite:
            with self._connection.execute(_text(pairs_of(key, value, source)), row) as result:
                cursor: Any = result.cursor  # the driver's own rows
                return flattened(cursor)
        packed = f"string_agg(int8send({key}), ''), string_agg(float8send(CAST({value} AS double precision)), '')"
        sql = f"SELECT {packed} FROM {source} AND {value} IS NOT NULL"
        keys, values = self._connection.execute(_text(sql), row).one()
        return np.frombuffer(keys or b"", ">i8"), np.frombuffer(values or b"", ">f8")

    def microseconds(self, column: str) -> str:
        return column if self._sqlite else f"CAST(extract(epoch FROM {column}) * 1000000 AS bigint)"

    def time(self, value: Any) -> datetime | None:
        if value is None:
            return None
        return time_of(value) if self._sqlite else value.astimezone(UTC)

    def moment(self, microseconds: int) -> Any:
        if self._sqlite:
            return microseconds
        return time_of(microseconds)
