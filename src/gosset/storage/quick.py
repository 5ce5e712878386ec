"""A catalog that answers what is asked most often at once; for the rest it opens the whole one.

The whole one takes a tenth of a second to be loaded and more to take its first steps: a store
of a few runs has been read before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..settings import sqlite_path, sqlite_url
from . import answers
from .base import Catalog, Order, Page
from .direct import DirectFile, Unready

if TYPE_CHECKING:
    from ..entities import ArtifactRef
    from ..filters import Expression
    from ..series import Chunk
    from .arrays import Values
    from .news import Sink


class QuickCatalog:
    """Stands in for the catalog of an SQLite file.

    What it does not answer itself is asked of the whole catalog, by whatever name: it has all
    methods of :class:`~gosset.storage.base.Catalog`.

    Parameters
    ----------
    path : Path
    open_whole : callable
        Opens the whole catalog.

    Raises
    ------
    Unready
        The file must be looked at, or brought to another version.
    """

    def __init__(self, path: Path, open_whole: Callable[[], Catalog]) -> None:
        self.url = sqlite_url(path.expanduser().absolute())
        self._file = DirectFile(path.expanduser().absolute())
        self._open_whole = open_whole

    @cached_property
    def whole(self) -> Catalog:
        """The catalog that answers everything."""
        return self._open_whole()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.whole, name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}>"

    def close(self) -> None:
        """Release connections."""
        self._file.close()
        if "whole" in self.__dict__:
            self.whole.close()

    def select(
        self,
        kind: str,
        *,
        where: Expression | None = None,
        order: Sequence[Order] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Any]:
        """Return entities of a kind."""
        if kind != "runs" or where is not None or order:
            return self.whole.select(kind, where=where, order=order, limit=limit, offset=offset)
        with self._file.transaction(reading=True) as questions:
            return answers.newest(questions, limit, offset)

    def runs_page(
        self,
        *,
        where: Expression | None = None,
        order: Sequence[Order] = (),
        limit: int = 1000,
        after: str | None = None,
    ) -> Page:
        """Return the next runs behind a place."""
        if where is None and not order and after is None and limit > 0:
            with self._file.transaction(reading=True) as questions:
                if answers.count(questions) <= limit:  # they are all on one page
                    return Page(answers.newest(questions, limit), None)
        return self.whole.runs_page(where=where, order=order, limit=limit, after=after)

    def count(self, kind: str, *, where: Expression | None = None) -> int:
        """Return how many entities of a kind there are."""
        if kind != "runs" or where is not None:
            return self.whole.count(kind, where=where)
        with self._file.transaction(reading=True) as questions:
            return answers.count(questions)

    def series(self, run_id: str, names: Sequence[str] | None = None) -> dict[str, list[Chunk]]:
        """Return the points of a run's series, packed, by name."""
        return self.series_of([run_id], names)[run_id]

    def series_of(
        self, run_ids: Sequence[str], names: Sequence[str] | None = None
    ) -> dict[str, dict[str, list[Chunk]]]:
        """Return the same of several runs at once."""
        with self._file.transaction(reading=True) as questions:
            return answers.series(questions, run_ids, names)

    def runs_columns(
        self,
        names: Sequence[str] | None = None,
        *,
        where: Expression | None = None,
        order: Sequence[Order] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> dict[str, Values]:
        """Return name → column of runs."""
        from . import table

        if where is not None or order or not table.can_tell(names):
            return self.whole.runs_columns(
                names, where=where, order=order, limit=limit, offset=offset
            )
        with self._file.transaction(reading=True) as questions:
            return table.newest(questions, names, limit, offset)

    def sink(self) -> Sink:
        """Return what takes in the news of tracked runs."""
        return self.whole.sink()

    def artifacts(self, run_id: str) -> list[ArtifactRef]:
        """Return what was kept with a run by name."""
        with self._file.transaction(reading=True) as questions:
            return answers.artifacts(questions, run_id)


def quick_catalog(url: str, open_whole: Callable[[], Catalog]) -> Catalog | None:
    """Return what stands in for the catalog at a URL; None where it must be opened itself."""
    path = sqlite_path(url)
    if path is None or "?" in url or not path.is_file():
        return None
    try:
        return cast(Catalog, QuickCatalog(path, open_whole))
    except Unready:
        return None
