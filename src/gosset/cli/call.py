"""What the global options say: which store, which active project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .output import say

if TYPE_CHECKING:
    import typer

    from ..settings import Settings
    from ..store import Store


@dataclass(frozen=True, slots=True)
class Call:
    """One call of ``gosset``.

    Attributes
    ----------
    store : str or None
        What ``--store`` gave.
    """

    store: str | None = None

    def settings(self) -> Settings:
        """Return the settings that hold here."""
        from ..settings import load_settings

        return load_settings(arguments={"store": self.store})

    def writing(self) -> Store:
        """Open the store, made where it is not there."""
        from ..store import open_store

        return open_store(settings=self.settings())

    def reading(self) -> Store:
        """Open the store; NotFoundError where there is none."""
        from ..store import open_store

        return _current(open_store(settings=self.settings(), create=False))

    def browsing(self) -> Store:
        """Open the store; the default one is made where it is not there yet."""
        from ..exceptions import StoreReadOnlyError
        from ..store import exists, open_store

        settings = self.settings()
        if settings.store is not None or exists(settings.store_url):
            return _current(open_store(settings=settings, create=False))
        try:
            store = open_store(settings=settings)
        except StoreReadOnlyError:
            say("there is no store yet, and none can be made here")
            return open_store("memory://")
        say(f"made a store: {store.url}")
        return store


def _current(store: Store) -> Store:
    """Mark the launches whose process is gone as crashed, so that nobody waits for them."""
    try:
        store.catalog.reap()
    except BaseException:
        store.close()
        raise
    return store


def call_of(context: typer.Context) -> Call:
    """Return the call that a command belongs to."""
    found = context.find_object(Call)
    return found or Call()
