"""The contract of the catalog: every entity, in SQL, behind one Protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ..entities import (
    ArtifactRef,
    Attempt,
    CacheEntry,
    Computation,
    Dataset,
    Environment,
    Execution,
    Experiment,
    Launch,
    Project,
    Run,
    Status,
)
from ..filters import Expression
from ..series import Chunk
from ..types import JSONValue
from .changes import Batch, NewRun
from .news import Alert, Sink

if TYPE_CHECKING:
    from .arrays import Values

KINDS = (
    "projects",
    "experiments",
    "executions",
    "launches",
    "runs",
    "computations",
    "datasets",
    "artifacts",
    "metrics",
    "cache",
)
"""What can be selected; the words of ``gosset list``."""


@dataclass(frozen=True, slots=True)
class Order:
    """One term of a sort: a field as filters write it, and which way."""

    name: str
    descending: bool = False

    @classmethod
    def of(cls, term: str) -> Order:
        """Read a term; a leading ``-`` puts the largest first.

        Examples
        --------
        >>> Order.of("-metrics.accuracy")
        Order(name='metrics.accuracy', descending=True)
        """
        return cls(term.removeprefix("-"), term.startswith("-"))


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSummary:
    """A metric's name over many runs, for ``list metrics``."""

    name: str
    direction: str
    runs: int
    minimum: float | None
    mean: float | None
    maximum: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactSummary:
    """An artifact that the catalog knows, for ``list artifacts``.

    Attributes
    ----------
    references : int
        How many computations, cache entries, datasets and splits name it.
    """

    digest: str
    format: str
    size: int
    references: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The folds that runs were carried over, kept once per distinct content."""

    digest: str
    folds: int
    artifact: ArtifactRef
    description: Mapping[str, JSONValue]


class Page(NamedTuple):
    """Some of many runs.

    Attributes
    ----------
    runs : list of Run
    after : str or None
        Where they end, to be given for the next page; None: there are no more.
    """

    runs: list[Run]
    after: str | None


class Printed(NamedTuple):
    """A piece of what a run printed.

    Attributes
    ----------
    number : int
        Ascending.
    stream : str
        ``"stdout"`` or ``"stderr"``.
    time : int
        Microseconds since the epoch.
    """

    number: int
    stream: str
    time: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What was taken over from another store.

    Attributes
    ----------
    runs, changed : int
        Runs that were not there, and those of which something was not.
    artifacts, bytes : int
        Artifacts whose bytes were not there, and how many those are.
    missing : tuple of str
        Digests of artifacts whose bytes the other store does not have either, or damaged.
    """

    runs: int = 0
    changed: int = 0
    artifacts: int = 0
    bytes: int = 0
    missing: tuple[str, ...] = ()


class Catalog(Protocol):
    """Where every entity is kept.

    Promises of every implementation:

    - Each method is one transaction: all of it is there afterwards, or none of it.
    - Many processes may use one catalog at once, also for the very first time.
    - A locked database is waited for; what the driver raises comes out as
      ``StorageError`` (``StoreReadOnlyError`` where writing is refused) with its cause.
    - Times are aware and in UTC. Entities that are returned are frozen.
    - Numbers (of executions, launches, runs) are given here, without gaps or repeats
      however many processes ask at once; deleting never frees a number.
    """

    @property
    def url(self) -> str:
        """What :func:`open_catalog` opens this catalog by; without a password."""
        ...

    def close(self) -> None:
        """Release connections. The catalog can be used again; it reconnects."""
        ...

    # -- declared things, found or made

    def ensure_project(self, name: str, *, description: str = "") -> Project:
        """Return the project of that name, made when it is not there."""
        ...

    def ensure_experiment(
        self,
        project: str,
        name: str,
        *,
        description: str = "",
        definition: Mapping[str, JSONValue] | None = None,
        id: str | None = None,
    ) -> Experiment:
        """Return the experiment `name` of `project` (both made when not there).

        A `definition` that is given replaces the one that is kept, as does a
        non-empty `description`. One that is made gets `id`, where it is given.
        """
        ...

    def ensure_execution(
        self, experiment_id: str, fingerprint: str, code: Mapping[str, JSONValue]
    ) -> Execution:
        """Return the execution of that code version, numbered anew when it is not there."""
        ...

    def ensure_environment(self, environment: Environment) -> None:
        """Keep `environment` unless its digest is there."""
        ...

    def ensure_dataset(self, dataset: Dataset) -> Dataset:
        """Return the stored version with this name and digest; else keep it as the next version.

        What is told of a stored version takes the place of what was kept: where its bytes
        lie, columns with their units, and description and source where they are given.
        `dataset.version` and `dataset.created` are ignored on the way in.
        """
        ...

    def ensure_split(self, split: Split) -> None:
        """Keep `split` unless its digest is there."""
        ...

    # -- doing

    def add_launch(
        self,
        experiment_id: str,
        *,
        execution: int,
        command: str = "",
        user: str = "",
        host: str = "",
        pid: int = 0,
        notes: str = "",
        settings: Mapping[str, JSONValue] | None = None,
        status: Status = Status.CREATED,
    ) -> Launch:
        """Add a launch under the next number of its experiment, with a fresh heartbeat."""
        ...

    def update_launch(
        self,
        launch_id: str,
        *,
        expected: Status | None = None,
        status: Status | None = None,
        started: datetime | None = None,
        ended: datetime | None = None,
        heartbeat: datetime | None = None,
        host: str | None = None,
        pid: int | None = None,
        provenance: Mapping[str, JSONValue] | None = None,
        environment: str | None = None,
    ) -> bool:
        """Change what is given, and return whether it was.

        It is not where the launch has another status than `expected`: of two processes
        that take up one launch, one gets it. ``ended`` is cleared when `status` is one that
        has not ended.
        """
        ...

    def add_runs(self, launch_id: str, runs: Sequence[NewRun]) -> list[Run]:
        """Add runs in status ``queued``, numbered on in their experiment, in order.

        An empty name becomes ``EXPERIMENT#NUMBER``.
        """
        ...

    def record(self, batch: Batch) -> None:
        """Write `batch` in one transaction."""
        ...

    def reap(self, lease: float = 20.0) -> int:
        """Mark launches as ``crashed`` whose owner is gone, with their unfinished runs.

        Gone: not ended, and no heartbeat for `lease` seconds, or on this host with a
        process id that is no more. Returns how many launches were marked. A read-only
        store is left as it is, and 0 returned.
        """
        ...

    # -- cache

    def entries(self, keys: Iterable[str]) -> dict[str, CacheEntry]:
        """Return the entries that are there, also evicted ones, by key."""
        ...

    def candidates(self, recipes: Iterable[str]) -> dict[str, list[CacheEntry]]:
        """Return the entries of each recipe that has any, newest first, evicted ones left out.

        Of the entries of one recipe some thousands at least; older ones may be left out,
        so that what is asked does not grow with the age of a store. Who misses one
        computes it anew.
        """
        ...

    def evict(self, keys: Iterable[str]) -> int:
        """Mark entries as evicted, with their inline bytes dropped; return how many were."""
        ...

    # -- reading

    def select(
        self,
        kind: str,
        *,
        where: Expression | None = None,
        order: Sequence[Order] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> list[object]:
        """Return entities of `kind` (see :data:`KINDS`) that satisfy `where`.

        Without `order`: newest first for launches, runs and executions, by name
        otherwise. Missing values sort last, whichever way.

        Raises
        ------
        FilterError
            An unknown name in `where` or `order`, with "did you mean".
        """
        ...

    def runs_page(
        self,
        *,
        where: Expression | None = None,
        order: Sequence[Order] = (),
        limit: int = 1000,
        after: str | None = None,
    ) -> Page:
        """Return the first runs of :meth:`select`, or those behind where a page ended.

        What is added or deleted in between neither repeats nor hides another run.
        """
        ...

    def runs_columns(
        self,
        names: Sequence[str] | None = None,
        *,
        where: Expression | None = None,
        order: Sequence[Order] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> dict[str, Values]:
        """Return runs as columns by name, see :mod:`gosset.storage.columns`.

        Much faster than :meth:`select`. Times are in UTC. By default the facts of the runs
        and all their parameters, fields and metrics.

        Raises
        ------
        FilterError
            A name that no run has, with "did you mean".
        """
        ...

    def count(self, kind: str, *, where: Expression | None = None) -> int:
        """Return how many :meth:`select` would give without limits."""
        ...

    def names(self, kind: str) -> list[str]:
        """Return the names that filters and sorts may use for `kind`; for runs also the
        parameters, metrics and fields that occur, dotted (``params.SVC.C``)."""
        ...

    def find(self, kind: str, reference: str, *, project: str | None = None) -> object:
        """Return the one entity that `reference` names.

        A UUID, a unique prefix of one (4 characters or more), a digest or a unique prefix
        of one, a name, ``EXPERIMENT#NUMBER``, ``PROJECT/EXPERIMENT[#NUMBER]``,
        ``NAME@VERSION`` for datasets, or ``latest`` (``EXPERIMENT#latest``).

        Raises
        ------
        NotFoundError
            Nothing has that name, with "did you mean".
        UsageError
            Several have it; the message lists them.
        """
        ...

    def computations(
        self, run_id: str | None = None, *, launch_id: str | None = None
    ) -> list[Computation]:
        """Return the computations of a run, or those of a launch that belong to no run."""
        ...

    def series(self, run_id: str, names: Sequence[str] | None = None) -> dict[str, list[Chunk]]:
        """Return the points of a run's series, packed, by name; of all, or of `names`."""
        ...

    def series_of(
        self, run_ids: Sequence[str], names: Sequence[str] | None = None
    ) -> dict[str, dict[str, list[Chunk]]]:
        """Return the same of several runs at once, by their ids, in the order of these."""
        ...

    def artifacts(self, run_id: str) -> list[ArtifactRef]:
        """Return what was kept with a run by name, in the order in which it came."""
        ...

    def alerts(self, run_id: str) -> list[Alert]:
        """Return the alerts of a run, in the order in which they came."""
        ...

    def console(self, run_id: str, *, after: int = 0) -> list[Printed]:
        """Return what a run printed, in order, behind the piece with the number `after`."""
        ...

    def sink(self) -> Sink:
        """Return what takes in the news of tracked runs."""
        ...

    def attempts(self, run_id: str) -> list[Attempt]:
        """Return the attempts of a run, first to last."""
        ...

    def environment(self, digest: str) -> Environment:
        """Return an environment. Raises NotFoundError."""
        ...

    def split(self, digest: str) -> Split:
        """Return a split. Raises NotFoundError."""
        ...

    def referenced(self) -> dict[str, int]:
        """Return digest → number of references, of every artifact that must be kept."""
        ...

    # -- uniting

    def merge(
        self,
        other: Catalog,
        *,
        where: Expression | None = None,
        bring: Callable[[Mapping[str, int]], None] = lambda digests: None,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Merged:
        """Take over what `other` has and this catalog lacks; `other` is left as it is.

        Some runs at a time, each of these batches one transaction: whatever ends it in
        between, each run is there whole or not at all, and the next merge goes on. Merging
        again changes nothing. See :mod:`gosset.storage.merging` for what counts where both say
        something else.

        Parameters
        ----------
        where : Expression, optional
            Only these runs, with what they belong to. By default everything.
        bring : callable
            Called with digest → size of artifacts before the catalog refers to them.
        progress : callable
            Called with how many of how many runs are done.

        Raises
        ------
        UsageError
            `other` is no catalog in SQL.
        StorageError
        """
        ...

    # -- removing

    def delete(self, kind: str, id: str) -> int:
        """Delete one entity with what it holds, and nothing above it.

        Kinds: projects, experiments, executions, launches, runs, datasets (one version,
        by its digest). Returns how many runs (for datasets: versions) went with it. The
        bytes of artifacts stay until garbage collection finds them unreferenced.
        """
        ...
