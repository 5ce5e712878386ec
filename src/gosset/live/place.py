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

    __slots__ = ("_gone", "_held", "_store", "url")

    def __init__(
        self, url: str | None = None, store: Store | None = None, *, gone: bool = False
    ) -> None:
        self.url = store.url if store is not None else url
        self._store = store
        self._gone = gone
        self._held = False

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
        """Raise UsageError where both are known to hold runs and are different stores.

        No store is opened to find out: that would make one where a URL is mistyped.
        """
        place = Place(store=other) if isinstance(other, Store) else other
        here, there = self._holds(), place if isinstance(place, str) else place._holds()
        if here is None or there is None or self._is(place):
            return
        here, there = _plain(here), _plain(there)
        if here != there or here == _MEMORY:
            raise UsageError(
                f"the runs are in {here}, not in {there}",
                hint="bring them there first: gosset push, or store.merge(other)",
            )

    def _holds(self) -> str | None:
        """Return the URL of the store where it is, or was before pickling, open."""
        return self.url if self._store is not None or self._held else None

    def _is(self, other: Place | str) -> bool:
        if self._store is None or isinstance(other, str) or other._store is None:
            return False
        return self._store.catalog is other._store.catalog

    def __reduce__(self) -> tuple[Any, ...]:
        gone = self._gone or (self.url == _MEMORY and self._store is not None)
        return _unpickled, (self.url, gone, self._holds() is not None and not gone)


def _unpickled(url: str | None, gone: bool, held: bool) -> Place:
    place = Place(url, gone=gone)
    place._held = held
    return place


def _plain(url: str) -> str:
    """Return the URL of a store as all write it who mean the same."""
    from ..storage import urls

    return urls.shown(urls.parsed(url).difference_update_query(["timeout"]))
