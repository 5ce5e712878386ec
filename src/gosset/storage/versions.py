"""Versions of the schema: which one a database has, and bringing it to the newest.

Asking costs a plain SELECT. Alembic is imported only when there is something to do.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from ..exceptions import StoreVersionError
from . import errors
from .schema import VERSION_TABLE, VERSIONS

HEAD: Final = VERSIONS[-1]

# An arbitrary number, the same in every process: the advisory lock of first use.
_LOCK = 0x676F73736574

_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
}


def stored(connection: sa.Connection, store: str) -> str | None:
    """Return the version of the schema; None for a database without tables.

    Raises
    ------
    StoreVersionError
        The tables are not Gosset's, or those of a newer Gosset.
    """
    tables = set(connection.exec_driver_sql(_TABLES[connection.dialect.name]).scalars())
    if not tables:
        return None
    if VERSION_TABLE not in tables:
        raise StoreVersionError(
            f"{store} is a database, but no Gosset store: it has the table {min(tables)!r}",
            hint="open another path or database",
        )
    version = connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar()
    if version not in VERSIONS:
        raise StoreVersionError(
            f"store {store} has schema version {version}, newer than {HEAD}, the newest known here",
            hint="upgrade with 'pip install -U gosset'",
        )
    return str(version)


def upgrade(engine: sa.Engine, store: str) -> None:
    """Bring a database to the newest version in one transaction.

    Safe to be called by many processes at once on PostgreSQL; on SQLite the caller holds
    the lock of the file.
    """
    with errors.wrapped(store):
        if engine.dialect.name == "sqlite":
            with engine.begin() as connection:
                if stored(connection, store) == HEAD:
                    return
            # Outside of any transaction, where alone it is allowed.
            with contextlib.closing(engine.raw_connection()) as raw:
                raw.cursor().execute("PRAGMA journal_mode = WAL")
        with engine.execution_options(gosset_writes=True).begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            version = stored(connection, store)
            if version != HEAD:
                _migrate(connection, version)


def _migrate(connection: sa.Connection, version: str | None) -> None:
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(Path(__file__).parent / "migrations"))
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    with Operations.context(context):
        for revision in reversed(list(script.iterate_revisions(HEAD, version or "base"))):
            revision.module.upgrade()
            context.stamp(script, revision.revision)
