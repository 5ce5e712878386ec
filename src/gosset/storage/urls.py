"""URLs of SQL catalogs: read, checked, and shown without their secrets."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy import exc

from ..exceptions import UsageError
from ..settings import sqlite_url

LOCK_TIMEOUT: Final = 60.0
"""Seconds to wait for other writers, unless the URL says ``?timeout=``."""

_SECRETS = frozenset({"password", "passfile", "sslpassword", "sslkey"})


def parsed(url: str) -> sa.URL:
    """Return the parts of a URL, with the path of a file made absolute.

    Raises
    ------
    UsageError
        It names no catalog.
    """
    scheme = url.partition(":")[0]
    if scheme == "memory":
        return sa.URL.create("memory")
    names = {
        "sqlite": "sqlite",
        "postgresql": "postgresql+psycopg",
        "postgresql+psycopg": "postgresql+psycopg",
        "postgres": "postgresql+psycopg",
    }
    if scheme not in names:
        raise UsageError(
            f"no catalog is opened by {scheme + ':' if ':' in url else url!r}",
            hint="use sqlite:///path, postgresql://user@host/database or memory://",
        )
    parts = None
    with suppress(exc.ArgumentError, ValueError):
        parts = sa.make_url(url).set(drivername=names[scheme])
    if parts is None:
        # Raised apart from its cause, which quotes the URL and so perhaps a password.
        raise UsageError(
            f"the {scheme} URL of the store cannot be read",
            hint="percent-encode '/', '@', ':' and '#' in its user name and password",
        )
    if scheme == "sqlite" and (parts.host or parts.database in (None, "", ":memory:")):
        raise UsageError(
            f"{url!r} names no file",
            hint="use sqlite:///relative/path, sqlite:////absolute/path or memory://",
        )
    if scheme == "sqlite":
        # Whoever is given the URL later may stand in another folder.
        parts = parts.set(database=str(Path(str(parts.database)).expanduser().absolute()))
    return parts


def shown(url: sa.URL) -> str:
    """Return a URL as text, without any secret."""
    if url.drivername == "memory":
        return "memory://"
    # Made anew, because URL.set() takes None for "leave it as it is".
    told = sa.URL.create(
        url.get_backend_name(),
        username=url.username,
        host=url.host,
        port=url.port,
        database=url.database,
        query={key: value for key, value in url.query.items() if key not in _SECRETS},
    ).render_as_string()
    if url.get_backend_name() != "sqlite":
        return told
    # SQLAlchemy itself encodes every letter that is not of ASCII.
    return "".join((sqlite_url(Path(str(url.database))), *told.partition("?")[1:]))


def timeout(url: sa.URL) -> float:
    """Return how many seconds to wait for others who write."""
    given = url.query.get("timeout")
    try:
        return LOCK_TIMEOUT if given is None else float(str(given))
    except ValueError:
        raise UsageError(f"timeout={given} in the store's URL is no number of seconds") from None
