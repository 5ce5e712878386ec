"""A store: the catalog and the artifacts, opened by one URL."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, cast, overload

from .artifacts import open_artifacts
from .artifacts.base import ArtifactStore
from .artifacts.gc import Collected, collect
from .artifacts.values import load
from .entities import ArtifactRef, Computation, Dataset, Experiment, Launch, Run
from .exceptions import NotFoundError, UsageError, did_you_mean
from .filters import Expression, equal, parse
from .naming import checked_name
from .reading import Runs, Series, read_series, store_html
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
from .storage.news import field_place
from .storage.quick import quick_catalog
from .tracking.spool import take_in_spooled
from .types import JSONValue

if TYPE_CHECKING:
    import pandas as pd

    from .datasets import Data
    from .importers import Imported
    from .splits import Fold


class Store:
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
        UsageError, StorageError, MissingExtraError
        """
        if format == "gosset":
            from .exchange import write

            where = parse(filter) if isinstance(filter, str) else filter
            write(Path(target), self.catalog, self.artifacts, where=where, progress=progress)
            return Path(target)
        from .reading.files import export

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

    def run(self, reference: str) -> Run:
        """Return the one run that `reference` names: an id, ``EXPERIMENT#NUMBER``, ``latest``."""
        return cast("Run", self.catalog.find("runs", reference))

    def load(self, artifact: ArtifactRef, *, trust: bool = False) -> Any:
        """Return the value that an artifact holds.

        Parameters
        ----------
        artifact : ArtifactRef
        trust : bool
            Reading a pickled value runs code: say that you trust whoever wrote the store.

        Raises
        ------
        ArtifactMissingError, ArtifactDamagedError, SerializationError
        """
        return load(artifact, self.artifacts, trust=trust)

    def output(
        self, run: Run | Launch | str, name: str, *, fold: int | None = None, trust: bool = False
    ) -> Any:
        """Return what a stage of a run gave under the name `name`.

        Parameters
        ----------
        run : Run, Launch or str
            The launch for the outputs of a stage over runs.
        name : str
            The output's name, e.g. ``"results"`` or ``"model"``.
        fold : int, optional
            Position of the fold; needed where there are several.

        Raises
        ------
        NotFoundError
            No such output, on that fold or at all, or several; or a stage failed before.
        """
        if isinstance(run, Launch):
            owner, computations = "the launch", self.catalog.computations(launch_id=run.id)
        else:
            entity = run if isinstance(run, Run) else self.run(run)
            owner, computations = f"run {entity.name}", self.catalog.computations(entity.id)
        found = [
            (computation, artifact)
            for computation in computations
            for artifact in computation.outputs
            if artifact.name == name and fold in (None, computation.fold)
        ]
        if not found:
            raise _no_output(owner, name, fold, computations)
        if len(found) > 1:
            raise NotFoundError(
                f"{owner} has {name!r} on {len(found)} folds", hint="say which: fold=0"
            )
        return self.load(found[0][1], trust=trust)

    def artifacts_of(self, run: Run | str) -> dict[str, ArtifactRef]:
        """Return what was kept with a run by ``log_artifact`` and the like: name → reference.

        The values of fields are read by :meth:`fields`.
        """
        # An id names its run already; whether there is one is asked where nothing was kept.
        id_ = run.id if isinstance(run, Run) else run
        kept = self.catalog.artifacts(id_) or self.catalog.artifacts(self.run(id_).id)
        return {ref.name: ref for ref in kept if not ref.name.startswith("fields[")}

    def artifact(self, run: Run | str, name: str, *, trust: bool = False) -> Any:
        """Return what was kept with a run under a name.

        Parameters
        ----------
        run : Run or str
        name : str
            As it was given to ``log_artifact``. A file comes back as a
            :class:`~gosset.serializers.files.File`, a folder as an
            :class:`~gosset.serializers.files.Archive`: nothing is written or unpacked before
            it is asked.
        trust : bool
            Reading a pickled value runs code: say that you trust whoever wrote the store.

        Raises
        ------
        NotFoundError
            There is none of that name.
        ArtifactMissingError, ArtifactDamagedError, SerializationError
        """
        found = self.artifacts_of(run)
        if name not in found:
            raise NotFoundError(
                f"the run has no artifact {name!r}",
                hint=did_you_mean(name, found) or f"it has {len(found)}: see artifacts_of(run)",
            )
        return self.load(found[name], trust=trust)

    def fields(self, run: Run | str, *names: str) -> dict[str, Any]:
        """Return the fields of a run, in value and in type as they were set.

        ``run.fields`` has them as plain JSON.

        Parameters
        ----------
        run : Run or str
        *names : str
            By default all.

        Raises
        ------
        NotFoundError
            The run has no such field.
        ArtifactMissingError, ArtifactDamagedError, SerializationError
        """
        from .artifacts.fields import put_together

        entity = self.run(run if isinstance(run, str) else run.id)
        kept = {ref.name: ref for ref in self.catalog.artifacts(entity.id)}
        found: dict[str, Any] = {}
        for name in names or entity.fields:
            if name not in entity.fields:
                hint = did_you_mean(name, entity.fields)
                raise NotFoundError(f"run {entity.name} has no field {name!r}", hint=hint)
            ref = kept.get(field_place(name))
            found[name] = (
                entity.fields[name]
                if ref is None
                else put_together(ref, kept.values(), self.artifacts)
            )
        return found

    def folds(self, run: Run | str) -> tuple[Fold, ...]:
        """Return the folds that a run was carried over; empty where it had none.

        Raises
        ------
        NotFoundError, ArtifactMissingError, ArtifactDamagedError
        """
        from .splits import folds_from_bytes

        entity = run if isinstance(run, Run) else self.run(run)
        if entity.split is None:
            return ()
        return folds_from_bytes(self.load(self.catalog.split(entity.split).artifact))

    def dataset(self, reference: str) -> Data:
        """Return a version of a dataset: ``NAME``, ``NAME@VERSION`` or a digest.

        Raises
        ------
        NotFoundError, ArtifactMissingError, ArtifactDamagedError
        """
        from .datasets import from_entity

        return from_entity(
            cast("Dataset", self.catalog.find("datasets", reference)), self.artifacts
        )

    def results(self, run: Run | str, *, fold: int = 0) -> pd.DataFrame:
        """Return the per-row results of an estimator on one fold.

        Returns
        -------
        DataFrame
            One row per part and row of the data: ``part``, ``row``, ``truth``,
            ``predicted`` and ``probability:LABEL`` or ``decision``.

        Raises
        ------
        NotFoundError
            The run has no such results.
        """
        found: pd.DataFrame = self.output(run, "results", fold=fold)
        return found

    def results_record(self, run: Run | str, *, fold: int = 0) -> dict[str, JSONValue]:
        """Return the results on one fold as a JSON record.

        Returns
        -------
        dict
            ``dataset``, ``training_samples``, ``testing_samples``, ``split_num``,
            ``training_indices``, ``testing_indices``, ``type`` and ``predictions``, which
            maps a row of the test part to ``truth``, ``predicted`` and ``probabilities``.
        """
        from .estimators import results_record

        entity = run if isinstance(run, Run) else self.run(run)
        experiment = cast(
            "Experiment",
            self.catalog.find("experiments", entity.experiment, project=entity.project),
        )
        return results_record(
            self.results(entity, fold=fold),
            dataset=entity.dataset or "",
            fold=self.folds(entity)[fold],
            split_num=fold,
            task=str(experiment.definition.get("task", "")),
        )

    def computations(self, run: Run | str) -> list[Computation]:
        """Return the computations of a run."""
        entity = run if isinstance(run, Run) else self.run(run)
        return self.catalog.computations(entity.id)

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


def _no_output(
    owner: str, name: str, fold: int | None, computations: Sequence[Computation]
) -> NotFoundError:
    """Return the error that says why there is no output of that name."""
    folds = {c.fold for c in computations if c.fold is not None}
    if fold is not None and folds and fold not in folds:
        last = max(folds)
        return NotFoundError(
            f"{owner} has no fold {fold}; {f'its folds are 0–{last}' if last else 'its only one is 0'}"
        )
    failures = [
        (c.stage, c.exception) for c in computations if c.exception and fold in (None, c.fold)
    ]
    where = "" if fold is None else f" on fold {fold}"
    why = "".join(f": stage {s!r} failed with {e.line}" for s, e in failures[:1])
    outputs = {artifact.name for c in computations for artifact in c.outputs}
    known = {output for output in outputs if not output.startswith("@")}  # those are Gosset's own
    # What failed tells more than the names of what did not.
    hint = "" if failures or name in known else did_you_mean(name, known)
    return NotFoundError(f"{owner} has no output {name!r}{where}{why}", hint=hint)


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
