"""Errors of the database drivers, in Gosset's words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..exceptions import (
    GossetError,
    StorageError,
    StoreReadOnlyError,
    StoreVersionError,
    UsageError,
)

# SQLite's primary result codes, and PostgreSQL's SQLSTATEs.
BUSY, LOCKED, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB = 5, 6, 8, 10, 11, 13, 14, 26
_LOCKED = {BUSY, LOCKED, "55P03", "40P01", "40001"}
_READONLY = {READONLY, "25006", "42501"}
_FULL = {FULL, "53100"}
_DAMAGED = {CORRUPT, NOTADB}


def code(error: Any) -> int | str | None:
    """Return SQLite's primary result code, or PostgreSQL's SQLSTATE, of what a driver raised."""
    number = getattr(error, "sqlite_errorcode", None)
    if number is not None:
        return int(number) & 0xFF
    state: str | None = getattr(error, "sqlstate", None)
    return state


def locked(error: BaseException) -> bool:
    """Whether an error of Gosset says that others write, so that it is worth trying again."""
    return error.__cause__ is not None and code(error.__cause__) in _LOCKED


@contextmanager
def wrapped(store: str) -> Iterator[None]:
    """Raise what SQLAlchemy raises as an error of Gosset, with the driver's as its cause."""
    from sqlalchemy import exc

    try:
        yield
    except exc.StatementError as error:
        # Bound values are converted beneath SQLAlchemy, which wraps what that raises.
        if isinstance(error.orig, GossetError):
            raise error.orig from None
        if not isinstance(error, exc.DBAPIError):
            raise UsageError(f"a value cannot be kept in the store: {error.orig}") from error.orig
        raise _translated(error.orig, store) from error.orig
    except OverflowError as error:
        raise _too_large() from error
    except exc.SQLAlchemyError as error:
        raise StorageError(f"store {store}: {error}") from error


@contextmanager
def wrapped_sqlite(store: str) -> Iterator[None]:
    """Raise what SQLite's driver raises as an error of Gosset."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translated(error, store) from error
    except OverflowError as error:
        raise _too_large() from error


def _too_large() -> UsageError:
    return UsageError("a number has more than 64 bits, which only parameters may")


def full(store: str) -> StorageError:
    """Return the error for a store on a disk without room."""
    return StorageError(
        f"the disk of store {store} is full",
        hint="nothing was changed; free some space and try again",
    )


def _translated(error: object, store: str) -> StorageError:
    found = code(error)
    if found in _LOCKED:
        return StorageError(
            f"store {store} is locked by another process",
            hint="nothing was changed; try again when it has finished writing",
        )
    if found in _READONLY:
        return StoreReadOnlyError(
            f"store {store} cannot be written: it is read-only for you",
            hint="give yourself the right to write there, or use another store",
        )
    if found in _FULL:
        return full(store)
    if found == IOERR:
        # Also where a file beside the store, such as the index of its log, finds no room.
        return StorageError(
            f"the disk of store {store} is full or damaged: {error}",
            hint="nothing was changed; see that it has free space, and try again",
        )
    if found in _DAMAGED:
        return StoreVersionError(
            f"{store} is no Gosset store, or a damaged one: {error}",
            hint="restore it from a copy, or open another path",
        )
    message = str(error).strip().splitlines() or [type(error).__name__]
    return StorageError(f"store {store}: {message[0]}")
