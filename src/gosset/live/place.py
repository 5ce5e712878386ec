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
    gone : bool
        Whether it was in the memory of another process.
    """

    __slots__ = ("_gone", "_store", "url")

    def __init__(
        self, url: str | None = None, store: Store | None = None, *, gone: bool = False
    ) -> None:
        self.url = store.url if store is not None else url
        self._store = store
        self._gone = gone

    def opened(self) -> Store:
        """Return the store; it stays open.

        Raises
        ------
        UsageError
            It was in the memory of another process.
        """
        if self._store is None:
            if self._gone:
                raise UsageError(
                    "the store of these runs was in memory, and is gone",
                    hint="use a store on disk: store='sqlite:///lab.db'",
                )
            self._store = open_store(self.url)
            self.url = self._store.url
        return self._store

    def use(self, store: Store) -> None:
        """Use a store that is open."""
        self._store, self.url, self._gone = store, store.url, False

    def check(self, other: Store | Place | str) -> None:
        """Raise UsageError where both are open and are different stores."""
        if isinstance(other, str):
            other = open_store(other)
        there = other._store if isinstance(other, Place) else other
        here = self._store
        if here is None or there is None or here.catalog is there.catalog:
            return
        if here.url != there.url or here.url == _MEMORY:
            raise UsageError(
                f"the runs are in {here.url}, not in {there.url}",
                hint="bring them there first: gosset push, or store.merge(other)",
            )

    def __reduce__(self) -> tuple[Any, ...]:
        gone = self._gone or (self.url == _MEMORY and self._store is not None)
        return _unpickled, (self.url, gone)


def _unpickled(url: str | None, gone: bool) -> Place:
    return Place(url, gone=gone)
