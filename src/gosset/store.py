"""A store: the catalog and the artifacts, opened by one URL."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, overload

from .artifacts import open_artifacts
from .artifacts.base import ArtifactStore
from .artifacts.gc import Collected, collect
from .entities import Launch, Run
from .exceptions import NotFoundError, UsageError
from .filters import Expression, equal, parse
from .naming import checked_name
from .reading import Runs, Series, ValueReader, read_series, store_html
from .settings import (
    Settings,
    artifacts_url,
    default_store_url,
    find_root,
    load_settings,
    prepare_store_folder,
    sqlite_path,
)
from .storage import open_catalog
from .storage.base import Catalog, Merged, Order
from .storage.changes import Batch, RunUpdate
from .storage.quick import quick_catalog
from .tracking.spool import take_in_spooled

if TYPE_CHECKING:
    from .importers import Imported


class Store(ValueReader):
    """Where everything is kept. Made by :func:`open_store`.

    Attributes
    ----------
    catalog : Catalog
        Every entity, in SQL.
    artifacts : ArtifactStore
        Bytes under their digests.

    Examples
    --------
    >>> with open_store("memory://") as store:
    ...     store.runs()
    <0 runs of memory://>
    """

    def __init__(self, catalog: Catalog, artifacts: ArtifactStore) -> None:
        self.catalog = catalog
        self.artifacts = artifacts

    @property
    def url(self) -> str:
        """What :func:`open_store` opens this store by, without a password."""
        return self.catalog.url

    def close(self) -> None:
        """Release connections."""
        self.catalog.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<store {self.url}>"

    def _repr_html_(self) -> str:
        return store_html(self.catalog)

    # -- reading

    def runs(
        self,
        filter: str | Expression | None = None,
        *,
        order_by: str | Sequence[str] = (),
        columns: Sequence[str] | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> Runs:
        """Return runs, newest first unless ordered otherwise.

        They are read when they are needed, in the form that is needed: ``len()``, a loop,
        ``to_list()``, ``to_pandas()``, ``to_parquet()``, ``aggregate()``, ``page()`` …

        Parameters
        ----------
        filter : str or Expression, optional
            E.g. ``"params.SVC.C > 0.1 and metrics.accuracy >= 0.9"``, or one that was read.
        order_by : str or sequence of str
            Names; a leading ``-`` puts the largest first.
        columns : sequence of str, optional
            Names of what frames and files have of each run, e.g. ``"metrics.loss.min"``.
        limit, offset : int
            A page.

        Returns
        -------
        Runs

        Raises
        ------
        FilterError
            The filter cannot be read, or, when they are read, a name is of what no run has.
        """
        return Runs(
            self.catalog,
            where=parse(filter) if isinstance(filter, str) else filter,
            order=tuple(_order(order_by)),
            columns=None if columns is None else tuple(columns),
            limit=limit,
            offset=offset,
        )

    @overload
    def series(  # type: ignore[overload-overlap]  # a str is one name, if a sequence too
        self, run: Run | str, names: str
    ) -> Series: ...
    @overload
    def series(self, run: Run | str, names: Sequence[str] | None = None) -> dict[str, Series]: ...

    def series(
        self, run: Run | str, names: str | Sequence[str] | None = None
    ) -> Series | dict[str, Series]:
        """Return the points of a metric of a run as arrays, sorted by step, then by time.

        ``.downsample(500)`` of what is returned gives as many as a chart needs.

        Parameters
        ----------
        run : Run or str
        names : str or sequence of str, optional
            One name for one series; several, or none for all, for a mapping of their names.
            Of several runs :meth:`Runs.series` makes one frame.

        Raises
        ------
        NotFoundError
            The run has no such series.
        """
        entity = run if isinstance(run, Run) else self.run(run)
        return read_series(self.catalog, entity, names)

    def export(
        self,
        target: str | Path,
        *,
        format: Literal["gosset", "parquet", "duckdb"] = "parquet",
        filter: str | Expression | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Path:
        """Write runs with their parameters, metrics and points for other tools.

        Parameters
        ----------
        target : str or Path
            A folder for ``"parquet"``, with ``runs.parquet``, ``params.parquet``,
            ``metrics.parquet`` and ``points.parquet``; a file for ``"duckdb"``, with tables
            of these names, and for ``"gosset"``, with all that the runs have and belong to,
            also artifacts: :meth:`import_from` takes it over into another store.
        format : {"gosset", "parquet", "duckdb"}
        filter : str or Expression, optional
            Which runs.
        progress : callable, optional
            Called with how many of how many runs are done, for ``"gosset"``.

        Raises
        ------
        UsageError
            There is another file in its place: only an earlier export is replaced.
        StorageError, MissingExtraError
        """
        from .reading.files import check_replaceable, export

        check_replaceable(Path(target), format)
        if format == "gosset":
            from .exchange import write

            where = parse(filter) if isinstance(filter, str) else filter
            write(Path(target), self.catalog, self.artifacts, where=where, progress=progress)
            return Path(target)

        return export(self.runs(filter), Path(target), format)

    def import_from(
        self,
        path: str | Path,
        kind: str | None = None,
        *,
        project: str | None = None,
        python: str | Path | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Imported:
        """Take over runs that another store or tracker wrote; to do so again changes nothing.

        Each run is there whole or not at all. Runs that have grown in the meantime get what is
        new. The tracker need not be installed; but Aim alone can open what it wrote, and is
        asked by a Python that has it.

        Parameters
        ----------
        path : str or Path
            A file that ``export(format="gosset")`` wrote, or what a tracker left.
        kind : str, optional
            Who wrote it: ``"mlflow"``, ``"mltraq"``, ``"tensorboard"``, ``"wandb"``,
            ``"trackio"``, ``"aim"`` or ``"gosset"``; by default that is found out.
        project : str, optional
            Where the runs of a tracker go; by default to the project that it names, else to
            the active one.
        python : str or Path, optional
            For runs of Aim: the interpreter that has it, by default the one at work.
        progress : callable, optional
            Called with how many of how many runs are done.

        Returns
        -------
        Imported
            How many runs are new, changed, unchanged; and in ``left_out`` what could not be
            taken over, and why.

        Raises
        ------
        NotFoundError, StorageError
            There is nothing, it is something else, was cut off or damaged, or comes from a
            newer version.
        MissingExtraError
            Aim is not installed for that Python.
        """
        from .importers import import_runs
        from .importers.base import Goal

        goal = Goal(catalog=self.catalog, artifacts=self.artifacts, project=project)
        return import_runs(Path(path), kind, goal, progress, python=python)

    def select(
        self,
        kind: str,
        filter: str | Expression | None = None,
        *,
        order_by: str | Sequence[str] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> list[object]:
        """Return entities of `kind`; the arguments are those of :meth:`runs`."""
        where = parse(filter) if isinstance(filter, str) else filter
        return self.catalog.select(
            kind, where=where, order=_order(order_by), limit=limit, offset=offset
        )

    def runs_of(self, launch: Launch) -> list[Run]:
        """Return the runs of a launch, first to last."""
        of_launch = equal(
            project=launch.project, experiment=launch.experiment, launch=launch.number
        )
        return self.runs(of_launch, order_by="number").to_list()

    # -- uniting

    def merge(
        self,
        other: Store | str,
        *,
        filter: str | Expression | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Merged:
        """Take over what another store has and this one lacks; the other is left as it is.

        Runs come with their points, fields, artifacts, computations, launches, code versions,
        datasets and cache entries, also those at work: a later merge brings what came since.
        Whatever ends it in between, each run is here whole or not at all, and the next merge
        goes on. Ids stay; a number that is taken here is given anew. What was deleted here
        and not there comes back.

        Parameters
        ----------
        other : Store or str
            Or its URL; it must be there.
        filter : str or Expression, optional
            Only these runs, with what they belong to.
        progress : callable, optional
            Called with how many of how many runs are done.

        Returns
        -------
        Merged
            How many runs and artifacts came, and which bytes the other store lacks, too.

        Raises
        ------
        UsageError
            It is this store.
        NotFoundError, StorageError, ArtifactError

        Examples
        --------
        >>> here, there = open_store("memory://"), open_store("memory://")
        >>> _ = there.catalog.ensure_project("Examples")
        >>> here.merge(there).runs, [project.name for project in here.select("projects")]
        (0, ['Examples'])
        """
        from .exchange import united

        if isinstance(other, str):
            # Where artifacts lie is set for the store that is worked with, not for others.
            settings = load_settings()._replace(artifacts=None)
            with open_store(other, create=False, settings=settings) as opened:
                return self.merge(opened, filter=filter, progress=progress)
        if other.catalog is self.catalog or (other.url == self.url and self.url != "memory://"):
            raise UsageError(f"{self.url} and {other.url} are one store")
        return united(
            (self.catalog, self.artifacts),
            (other.catalog, other.artifacts),
            where=parse(filter) if isinstance(filter, str) else filter,
            progress=progress,
        )

    # -- keeping house

    def tag(self, run: Run | str, *tags: str, remove: bool = False) -> Run:
        """Add tags to a run that has ended, or take them away, and return it as it then is.

        Parameters
        ----------
        run : Run or str
        *tags : str
            Those that it has already, or has not when they are taken away, stay as they are.
        remove : bool
            Take them away.

        Raises
        ------
        UsageError
            The run is at work, and may set tags itself; or one of `tags` is no name.
        """
        current = self.run(run.id if isinstance(run, Run) else run)
        if not current.status.ended:
            raise UsageError(
                f"run {current.name} is {current.status}", hint="tag it when it has ended"
            )
        kept = [tag for tag in current.tags if not remove or tag not in tags]
        new = () if remove else tuple(checked_name("a tag", tag) for tag in tags)
        wanted = tuple(dict.fromkeys((*kept, *new)))
        self.catalog.record(Batch(runs=[RunUpdate(id=current.id, tags=wanted)]))
        return self.run(current.id)

    def collect_garbage(
        self, *, dry_run: bool = False, grace: float = 3600.0, evicted: Collection[str] = ()
    ) -> Collected:
        """Drop the bytes of artifacts that nothing refers to.

        Parameters
        ----------
        dry_run : bool
            Only say what would go.
        grace : float
            Seconds: bytes younger than this stay, because a launch at work may be about
            to refer to them.
        evicted : collection of str
            Digests of which no launch at work is known to need the bytes: they go at any age.
        """
        return collect(
            self.artifacts,
            self.catalog.referenced(),
            dry_run=dry_run,
            grace=grace,
            evicted=evicted,
            now=time.time(),
        )


def open_store(
    url: str | None = None,
    *,
    artifacts: str | None = None,
    create: bool = True,
    settings: Settings | None = None,
) -> Store:
    """Open a store, making it where it is not there yet.

    Parameters
    ----------
    url : str, optional
        ``sqlite:///path/lab.db``, ``postgresql://…`` or ``memory://``; by default what the
        settings say, else ``.gosset/store.db`` in the project's root folder.
    artifacts : str, optional
        Folder or fsspec URL of the artifacts; by default beside the catalog.
    create : bool
        False: a store that is not there is an error.

    Raises
    ------
    StoreVersionError, StoreReadOnlyError, StorageError, NotFoundError, UsageError

    Examples
    --------
    >>> with open_store("memory://") as store:
    ...     store
    <store memory://>
    """
    if url is not None and not isinstance(url, str):
        raise UsageError(
            f"a store is opened by a URL, not by a {type(url).__name__}",
            hint=f"write 'sqlite:///{url}'" if isinstance(url, Path) else "e.g. 'sqlite:///lab.db'",
        )
    settings = settings or load_settings()
    root = find_root(Path.cwd())
    chosen = url or settings.store or default_store_url(root)
    place = artifacts or artifacts_url(chosen, settings)
    if not create and not exists(chosen):
        raise NotFoundError(
            f"there is no store at {chosen}",
            hint="run an experiment, or name the store with --store or GOSSET_STORE",
        )
    whole = partial(open_catalog, chosen, create=create)
    file = sqlite_path(chosen)
    if create and file is not None and not file.exists():
        prepare_store_folder(file.parent)
    catalog = quick_catalog(chosen, whole) or whole()
    try:
        take_in_spooled(chosen, catalog.sink)
        return Store(catalog, open_artifacts(place))
    except BaseException:
        catalog.close()
        raise


def _order(order_by: str | Sequence[str]) -> list[Order]:
    terms = [order_by] if isinstance(order_by, str) else list(order_by)
    return [Order.of(term) for term in terms if term]


def exists(url: str) -> bool:
    """Whether a store is at `url`, as far as can be told without opening it.

    Raises
    ------
    UsageError
        No kind of store has such URLs.
    """
    file = sqlite_path(url)
    if file is not None:
        return file.exists()
    from .storage.urls import parsed

    parsed(url)
    return True
