"""The catalog: every entity, in SQL, behind the contract of :mod:`gosset.storage.base`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .base import Catalog


def open_catalog(url: str, *, create: bool = True) -> Catalog:
    """Open the catalog of a store.

    Parameters
    ----------
    url : str
        ``sqlite:///relative/path`` or ``sqlite:////absolute/path``,
        ``postgresql://user:password@host/database``, or ``memory://``, which is a new,
        empty one each time. ``?timeout=SECONDS`` bounds how long others who write are
        waited for (60).
    create : bool
        Whether a store is made where there is none; its folder too.

    Returns
    -------
    Catalog

    Raises
    ------
    UsageError
        The URL names no catalog.
    MissingExtraError
        PostgreSQL is asked for and psycopg is not installed.
    NotFoundError
        There is no store, and `create` is False.
    StoreVersionError
        It was made by a newer version of Gosset, or is something else.
    StoreReadOnlyError, StorageError
        It could not be made or opened.

    Examples
    --------
    >>> catalog = open_catalog("memory://")
    >>> catalog.ensure_project("Examples").name
    'Examples'
    >>> catalog.count("projects")
    1
    """
    # SQLAlchemy takes longer to import than all of Gosset, so it waits until here.
    from .sql import SQLCatalog

    return SQLCatalog(url, create=create)
