"""The store of live runs: opened when it is needed, and known by its URL when it is not."""

from __future__ import annotations

from typing import Any

from ..exceptions import UsageError
from ..store import Store, open_store

_MEMORY = "memory://"


class Place:
    """Where runs are kept.

    Parameters
    ----------
    url : str, optional
        By default what the settings say.
    store : Store, optional
        The store itself, where it is open.
    """

    __slots__ = ("_store", "url")

    def __init__(self, url: str | None = None, store: Store | None = None) -> None:
        self.url = store.url if store is not None else url
        self._store = store

    def opened(self) -> Store:
        """Return the store; it stays open.

        Raises
        ------
        UsageError
            It was in the memory of another process.
        """
        if self._store is None:
            if self.url == _MEMORY:
                raise UsageError(
                    "the store of these runs was in memory, and is gone",
                    hint="use a store on disk: store='sqlite:///lab.db'",
                )
            self._store = open_store(self.url)
            self.url = self._store.url
        return self._store

    def use(self, store: Store) -> None:
        """Use a store that is open."""
        self._store, self.url = store, store.url

    def __reduce__(self) -> tuple[Any, ...]:
        return Place, (self.url,)
