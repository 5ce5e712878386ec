"""The tables of the catalog.

Inside, rows are joined by small integers (``pk``); outside, entities are known by UUIDs,
numbers and names. Names are always data. A run's parameters, metrics and fields are kept
twice: exactly, as JSON with the run, from where they are listed, and one row each in side
tables clustered by run, from where they are filtered and sorted.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from ..entities import ComputationStatus, Direction, Status
from .values import plain

VERSION_TABLE: Final = "gosset_version"
VERSIONS: Final = ("0001", "0002")
"""Every version of the schema, oldest first: the revisions in ``migrations/versions``."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Time(sa.types.TypeDecorator[datetime]):
    """An aware time: microseconds since the epoch on SQLite, timestamptz on PostgreSQL."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.TIMESTAMP(timezone=True))
        return dialect.type_descriptor(sa.BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if dialect.name == "postgresql":
            time: datetime = value
            return time.astimezone(UTC)
        return _EPOCH + timedelta(microseconds=value)


class Microseconds(sa.types.TypeDecorator[int]):
    """A time as it lies in SQLite: microseconds since the epoch."""

    impl = sa.BigInteger
    cache_ok = True


class microseconds(FunctionElement[int]):
    """A time as microseconds since the epoch."""

    type = Microseconds()
    inherit_cache = True


@compiles(microseconds, "sqlite")
def _microseconds_sqlite(element: microseconds, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(microseconds, "postgresql")
def _microseconds_postgresql(element: microseconds, compiler: Any, **options: Any) -> str:
    time = compiler.process(element.clauses, **options)
    return f"CAST(extract(epoch FROM {time}) * 1000000 AS bigint)"


class Text(sa.types.TypeDecorator[str]):
    """Text that any database takes: what is no UTF-8, or zero, is kept as an escape."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else plain(value)


Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _key() -> sa.Column[int]:
    return sa.Column("pk", Key, primary_key=True, autoincrement=True)


def _parent(name: str, table: str, *, nullable: bool = False, **options: Any) -> sa.Column[Any]:
    reference = sa.ForeignKey(f"{table}.pk", ondelete="CASCADE")
    return sa.Column(name, Key, reference, nullable=nullable, **options)


def _text(name: str, *, nullable: bool = False, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, Text, nullable=nullable, **options)


projects = sa.Table(
    "projects",
    metadata,
    _key(),
    _text("id", unique=True),
    _text("name", unique=True),
    _text("description"),
    sa.Column("created", Time, nullable=False),
)

experiments = sa.Table(
    "experiments",
    metadata,
    _key(),
    _text("id", unique=True),
    _parent("project", "projects"),
    _text("name"),
    _text("description"),
    _text("definition"),
    sa.Column("created", Time, nullable=False),
    # The highest numbers ever given: deleting does not lower them.
    sa.Column("last_execution", sa.Integer, nullable=False),
    sa.Column("last_launch", sa.Integer, nullable=False),
    sa.Column("last_run", sa.Integer, nullable=False),
    sa.UniqueConstraint("project", "name"),
)

executions = sa.Table(
    "executions",
    metadata,
    _key(),
    _text("id", unique=True),
    _parent("experiment", "experiments"),
    sa.Column("number", sa.Integer, nullable=False),
    _text("fingerprint"),
    _text("code"),
    sa.Column("created", Time, nullable=False),
    sa.UniqueConstraint("experiment", "number"),
    sa.UniqueConstraint("experiment", "fingerprint"),
)

launches = sa.Table(
    "launches",
    metadata,
    _key(),
    _text("id", unique=True),
    _parent("experiment", "experiments"),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("execution", sa.Integer, nullable=False),
    _text("status", index=True),
    _text("command"),
    _text("user"),
    _text("host"),
    sa.Column("pid", sa.BigInteger, nullable=False),
    _text("notes"),
    _text("settings"),
    _text("provenance"),
    _text("environment", nullable=True),
    sa.Column("created", Time, nullable=False),
    sa.Column("started", Time),
    sa.Column("ended", Time),
    sa.Column("heartbeat", Time),
    sa.UniqueConstraint("experiment", "number"),
)

runs = sa.Table(
    "runs",
    metadata,
    _key(),
    _text("id", unique=True),
    _parent("experiment", "experiments"),
    _parent("launch", "launches", index=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("execution", sa.Integer, nullable=False),
    _text("name", index=True),
    _text("status", index=True),
    sa.Column("seed", sa.BigInteger),
    _text("group"),
    _text("dataset", nullable=True),
    _text("split", nullable=True),
    sa.Column("cached", sa.Boolean, nullable=False),
    sa.Column("created", Time, nullable=False),
    sa.Column("started", Time),
    sa.Column("ended", Time),
    _text("params"),
    # Empty while a run is tracked: its metrics are those of ``run_metrics``.
    _text("metrics"),
    _text("fields"),
    _text("hyperparameters"),
    _text("tags"),
    _text("exception", nullable=True),
    # Of a run that was started within another: that one's id.
    _text("parent", nullable=True, index=True),
    _text("config", server_default="{}"),
    _text("notes", server_default=""),
    sa.UniqueConstraint("experiment", "number"),
)


def _values(table: str) -> sa.Table:
    """Return a side table of named values of runs.

    A number lies in ``number`` (NaN as NULL), the head of a text in ``text``. ``whole``
    is the value where these are not exact: a long text as it is, else JSON.
    """
    return sa.Table(
        table,
        metadata,
        _parent("run", "runs", primary_key=True),
        _text("name", primary_key=True),
        sa.Column("number", sa.Double),
        _text("text", nullable=True),
        _text("whole", nullable=True),
        sa.Index(None, "name", "number", "run"),
        sa.Index(None, "name", "text", "run"),
        sqlite_with_rowid=False,
    )


run_params = _values("run_params")
run_fields = _values("run_fields")

run_metrics = sa.Table(
    "run_metrics",
    metadata,
    _parent("run", "runs", primary_key=True),
    _text("name", primary_key=True),
    sa.Column("value", sa.Double),
    sa.Column("std", sa.Double),
    _text("direction"),
    # The last value as JSON, where a double is not exact.
    _text("whole", nullable=True),
    # Of a series; NULL where there is none. ``step`` and ``time`` (microseconds since the
    # epoch) are those of the last point; NaN is counted in ``count`` alone.
    sa.Column("count", sa.BigInteger),
    sa.Column("step", sa.BigInteger),
    sa.Column("time", sa.BigInteger),
    sa.Column("minimum", sa.Double),
    sa.Column("maximum", sa.Double),
    sa.Column("total", sa.Double),
    sa.Column("numbers", sa.BigInteger),
    # The direction is there for summaries, which are then read from the index alone.
    sa.Index(None, "name", "value", "run", "direction"),
    sqlite_with_rowid=False,
)

run_tags = sa.Table(
    "run_tags",
    metadata,
    _parent("run", "runs", primary_key=True),
    _text("tag", primary_key=True),
    sa.Index(None, "tag", "run"),
    sqlite_with_rowid=False,
)

series = sa.Table(
    "series",
    metadata,
    # Points of a metric in chunks (see ``gosset.series``). Each process that logs to a run
    # numbers its own; the last chunk grows until it is full.
    _key(),
    _parent("run", "runs"),
    _text("name"),
    sa.Column("writer", sa.BigInteger, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    _text("kind"),
    sa.Column("step", sa.BigInteger, nullable=False),
    sa.Column("stride", sa.BigInteger, nullable=False),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("steps", sa.LargeBinary, nullable=False),
    sa.Column("values", sa.LargeBinary, nullable=False),
    sa.Column("times", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("run", "name", "writer", "number"),
)

writers = sa.Table(
    "writers",
    metadata,
    # How much of what a process said of a run is in: nothing is taken in twice.
    _parent("run", "runs", primary_key=True),
    sa.Column("writer", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("last", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

console = sa.Table(
    "console",
    metadata,
    # What a run printed, in pieces.
    _key(),
    _parent("run", "runs"),
    _text("stream"),
    sa.Column("time", sa.BigInteger, nullable=False),
    _text("text"),
    sa.Index(None, "run", "pk"),
)

alerts = sa.Table(
    "alerts",
    metadata,
    _key(),
    _parent("run", "runs", index=True),
    sa.Column("time", sa.BigInteger, nullable=False),
    _text("level"),
    _text("title"),
    _text("text"),
)

attempts = sa.Table(
    "attempts",
    metadata,
    _parent("run", "runs", primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    _text("status"),
    _text("resource"),
    sa.Column("execution", sa.Integer, nullable=False),
    sa.Column("started", Time, nullable=False),
    sa.Column("ended", Time),
    _text("exception", nullable=True),
)

computations = sa.Table(
    "computations",
    metadata,
    _key(),
    _text("id", unique=True),
    _parent("launch", "launches"),
    _parent("run", "runs", nullable=True),
    _text("stage"),
    sa.Column("fold", sa.Integer),
    _text("status"),
    _text("key", nullable=True),
    _text("inputs"),
    sa.Column("started", Time),
    sa.Column("wall", sa.Double),
    sa.Column("cpu", sa.Double),
    sa.Column("memory", sa.BigInteger),
    _text("log"),
    _text("exception", nullable=True),
    sa.Index(None, "run", "stage", "fold"),
    sa.Index(None, "launch", "run"),
)

cache_entries = sa.Table(
    "cache_entries",
    metadata,
    _key(),
    _text("key", unique=True),
    _text("recipe", index=True),
    _text("stage"),
    _text("parts"),
    sa.Column("wall", sa.Double),
    sa.Column("created", Time, nullable=False),
    sa.Column("evicted", sa.Boolean, nullable=False),
)

environments = sa.Table(
    "environments",
    metadata,
    _key(),
    _text("digest", unique=True),
    _text("content"),
)

dataset_names = sa.Table(
    "dataset_names",
    metadata,
    _key(),
    _text("name", unique=True),
    sa.Column("last_version", sa.Integer, nullable=False),
)

datasets = sa.Table(
    "datasets",
    metadata,
    _key(),
    _parent("name", "dataset_names"),
    sa.Column("version", sa.Integer, nullable=False),
    _text("digest", index=True),
    _text("columns"),
    sa.Column("rows", sa.BigInteger, nullable=False),
    _text("description"),
    _text("source"),
    sa.Column("created", Time, nullable=False),
    sa.UniqueConstraint("name", "digest"),
    sa.UniqueConstraint("name", "version"),
)

splits = sa.Table(
    "splits",
    metadata,
    _key(),
    _text("digest", unique=True),
    sa.Column("folds", sa.Integer, nullable=False),
    _text("description"),
)

artifact_links = sa.Table(
    "artifact_links",
    metadata,
    # One row per reference. The owner is a row of one of several tables, told by `kind`,
    # and has no foreign key: who deletes an owner deletes its links.
    sa.Column("kind", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("owner", Key, primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    _text("name"),
    _text("format"),
    _text("digest"),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("inline", sa.LargeBinary),
    # False once the owner was evicted: the digest is remembered, the bytes may go.
    sa.Column("kept", sa.Boolean, nullable=False),
    sa.Index(None, "digest", "kept"),
    sqlite_with_rowid=False,
)

OWNER: Final = {"computations": 1, "cache": 2, "datasets": 3, "splits": 4, "launches": 5, "runs": 6}
"""The values of ``artifact_links.kind``; they never change their meaning."""

CHOICES: Final = {
    "status": tuple(status.value for status in Status),
    "computations.status": tuple(status.value for status in ComputationStatus),
    "direction": tuple(direction.value for direction in Direction),
}
"""Column → the only texts that occur in it."""
