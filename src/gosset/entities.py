"""The frozen entities of the catalog and their statuses.

What is read from a store is one of these: plain values that can be compared,
pickled and shown, and that nothing can change. Live handles (an experiment that can
be executed, a run that is being tracked) are other objects, on higher floors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .displays import facts, values
from .series import Summary
from .types import JSONValue


class Status(StrEnum):
    """What a launch, a run or an attempt is doing, or how it ended."""

    CREATED = "created"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    COMPLETE = "complete"
    FAILED = "failed"
    PRUNED = "pruned"
    CRASHED = "crashed"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen unless it is resumed."""
        return self in _ENDED

    @property
    def label(self) -> str:
        """The word shown to people."""
        return "stopped early" if self is Status.PRUNED else self.value


_ENDED = frozenset({Status.STOPPED, Status.COMPLETE, Status.FAILED, Status.PRUNED, Status.CRASHED})


class ComputationStatus(StrEnum):
    """How a computation came by its outputs."""

    COMPUTED = "computed"
    CACHED = "cached"
    FAILED = "failed"
    SKIPPED = "skipped"


class Direction(StrEnum):
    """Which end of a metric is the good one."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactRef:
    """Where a value lies: the digest of its bytes and the format to read them by.

    Attributes
    ----------
    name : str
        The output's name.
    format : str
        The serializer's name, e.g. ``"npy"``.
    digest : str
        BLAKE3 of the bytes, 64 hexadecimal digits.
    size : int
        Bytes.
    inline : bytes or None
        The bytes themselves where they are few (see ``artifacts.values.INLINE_LIMIT``), so that a
        number does not cost a file.
    """

    name: str
    format: str
    digest: str
    size: int
    inline: bytes | None = None

    @property
    def identity(self) -> str:
        """What a cache key says of this value: the format tells ``1`` from ``"1"``."""
        return f"{self.format}:{self.digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionInfo:
    """An exception that was raised in a computation, as text.

    Attributes
    ----------
    type : str
        Qualified name of its class.
    message : str
        ``str()`` of it.
    traceback : str
        As Python prints it.
    """

    type: str
    message: str
    traceback: str = ""

    @property
    def line(self) -> str:
        """What was raised, on one line: Gosset's errors say enough by their message."""
        said = " ".join(self.message.split())
        if self.type.startswith("gosset."):
            return said
        return f"{self.type.rpartition('.')[2]}: {said}" if said else self.type


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A named collection of experiments."""

    id: str
    name: str
    description: str
    created: datetime

    def _repr_html_(self) -> str:
        return facts(f"project {self.name}", _told(self, "description id created"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A question: dataset, splits, stages, parameter space and metrics.

    Attributes
    ----------
    definition : mapping
        What was declared, as JSON: ``kind``, ``dataset``, ``splits``, ``stages``,
        ``components``, ``parameters``, ``metrics``, ``seed``. Written anew by each launch.
    """

    id: str
    project: str
    name: str
    description: str
    definition: Mapping[str, JSONValue]
    created: datetime

    def _repr_html_(self) -> str:
        title = f"experiment {self.project}/{self.name}"
        known = _told(self, "description id created")
        return facts(title, known, values("declared", self.definition))


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One code version of an experiment at work.

    Attributes
    ----------
    number : int
        From 1, in its experiment.
    fingerprint : str
        Closure digest over all stages.
    code : mapping
        For showing and comparing: ``stages``, name → {``digest``, ``parts``, ``packages``,
        ``version``}; ``sources``, component → source; ``unresolved``.
    """

    id: str
    project: str
    experiment: str
    number: int
    fingerprint: str
    code: Mapping[str, JSONValue]
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One press of the button.

    Attributes
    ----------
    number : int
        From 1, in its experiment.
    execution : int
        Number of the execution that it started with.
    command : str
        The command line.
    settings : mapping
        Executor, jobs, file, parameters as given: what ``resume`` needs.
    provenance : mapping
        Code version (commit, branch, remote, diff …) as JSON.
    environment : str
        Digest of the environment, see :class:`Environment`.
    """

    id: str
    project: str
    experiment: str
    execution: int
    number: int
    status: Status
    command: str
    user: str
    host: str
    pid: int
    notes: str
    settings: Mapping[str, JSONValue]
    provenance: Mapping[str, JSONValue]
    environment: str | None
    created: datetime
    started: datetime | None = None
    ended: datetime | None = None
    heartbeat: datetime | None = None

    def _repr_html_(self) -> str:
        title = f"launch {self.project}/{self.experiment}#{self.number}"
        return facts(title, _told(self, "status command user host notes id started ended"))

    @property
    def duration(self) -> float | None:
        """Seconds from start to end; None while it is not over."""
        return _seconds(self.started, self.ended)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Python, packages, operating system and hardware, once per distinct content."""

    digest: str
    content: Mapping[str, JSONValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A named score of one run.

    Attributes
    ----------
    name : str
        Plain for the test part (``accuracy``), else prefixed (``train/accuracy``).
    value : float
        Mean over the folds; without folds the value itself; of a series the last.
    std : float or None
        Standard deviation over the folds (``ddof=1``); None with fewer than two.
    folds : tuple of float
        In fold order; empty when the metric does not depend on the fold.
    series : Summary or None
        Of the points, where it was logged step by step: how many, minimum, maximum, mean.
    """

    name: str
    value: float
    std: float | None = None
    folds: tuple[float, ...] = ()
    direction: Direction = Direction.NONE
    series: Summary | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperparameter:
    """An effective parameter of an estimator, found by introspection.

    Attributes
    ----------
    name : str
        Dotted, ``STEP.PARAMETER``.
    kind : str
        ``"model"``, ``"optimizer"`` or ``"other"``.
    """

    name: str
    value: JSONValue
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One parameter set with one seed, carried through the stages.

    Attributes
    ----------
    number : int
        From 1, in its experiment.
    group : str
        Digest of the parameters without the seed: equal in runs that differ only in it.
    params : mapping
        Dotted name → value.
    metrics : mapping
        Name → :class:`Metric`.
    fields : mapping
        Any other value kept with the run.
    hyperparameters : tuple of Hyperparameter
    split : str or None
        Digest of the folds.
    cached : bool
        Whether every computation of the run came from the cache.
    parent : str or None
        Id of the run in which it was started.
    config : mapping
        Values that are the same in all runs, of a run that was tracked.
    """

    id: str
    project: str
    experiment: str
    execution: int
    launch: int
    number: int
    name: str
    status: Status
    seed: int | None
    group: str
    params: Mapping[str, JSONValue]
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    fields: Mapping[str, JSONValue] = field(default_factory=dict)
    hyperparameters: tuple[Hyperparameter, ...] = ()
    tags: tuple[str, ...] = ()
    dataset: str | None = None
    split: str | None = None
    exception: ExceptionInfo | None = None
    cached: bool = False
    created: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    parent: str | None = None
    config: Mapping[str, JSONValue] = field(default_factory=dict)
    notes: str = ""

    def _repr_html_(self) -> str:
        known = _told(self, "project experiment number status seed notes id started ended")
        if self.tags:
            known["tags"] = ", ".join(self.tags)
        metrics = {metric.name: metric.value for metric in self.metrics.values()}
        return facts(
            f"run {self.name}",
            known,
            values("params", self.params),
            values("metrics", metrics),
            values("fields", self.fields),
        )

    @property
    def duration(self) -> float | None:
        """Seconds from start to end; None while it is not over."""
        return _seconds(self.started, self.ended)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of a run on one resource."""

    run: str
    number: int
    status: Status
    resource: str
    execution: int
    started: datetime
    ended: datetime | None = None
    exception: ExceptionInfo | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Computation:
    """One stage of one run (on one fold, where the stage depends on the fold).

    Attributes
    ----------
    run : str or None
        Id of the run; None for an aggregate over runs, which belongs to the launch.
    fold : int or None
        Position of the fold in the run's split, from 0.
    key : str or None
        Cache key; None where nothing is cached.
    inputs : mapping
        Argument name → identity of the value (``format:digest``).
    wall, cpu : float or None
        Seconds.
    memory : int or None
        Peak resident size of the process when the stage ended, bytes.
    log : str
        What it printed, capped.
    """

    id: str
    launch: str
    run: str | None
    stage: str
    fold: int | None
    status: ComputationStatus
    key: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: tuple[ArtifactRef, ...] = ()
    started: datetime | None = None
    wall: float | None = None
    cpu: float | None = None
    memory: int | None = None
    log: str = ""
    exception: ExceptionInfo | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheEntry:
    """What a computation once gave, under the key of all that it depended on.

    Attributes
    ----------
    key : str
        Digest of ``recipe`` and the identities of the inputs.
    recipe : str
        Digest of all parts but the inputs: stage, code, parameters, outputs, formats.
    parts : mapping
        For ``cache explain``: ``code``, a digest; ``parameters``, name → value;
        ``inputs``, argument → identity; where there are any, ``files``, path → digest, of
        those among the parameters, ``reached``, parameter → component → {``digest``,
        ``heading``}, of code in their values, and ``reads``, the paths of other files that
        were read.
    evicted : bool
        The bytes were dropped; the digests are remembered, so that what was computed
        from them is still known to be good.
    """

    key: str
    recipe: str
    stage: str
    parts: Mapping[str, JSONValue]
    outputs: tuple[ArtifactRef, ...]
    wall: float | None
    created: datetime
    evicted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a dataset.

    Attributes
    ----------
    dtype : str
        As pandas or NumPy names it.
    role : str
        ``"feature"``, ``"target"`` or ``"group"``.
    unit : str
        E.g. ``"cm"``; empty when not declared.
    labels : tuple
        Class names of a coded target in the order of its codes; empty otherwise.
    """

    name: str
    dtype: str
    role: str = "feature"
    unit: str = ""
    description: str = ""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One version of named data.

    Attributes
    ----------
    version : int
        From 1, in the order in which contents were first seen.
    digest : str
        Over all of the data and the columns' names, types and roles.
    columns : tuple of Column
    rows : int
    content : tuple of ArtifactRef
        ``frame`` (of a graph also ``nodes``), or ``X`` and, where there are, ``y`` and
        ``groups``.
    """

    name: str
    version: int
    digest: str
    columns: tuple[Column, ...]
    rows: int
    content: tuple[ArtifactRef, ...]
    description: str = ""
    source: str = ""
    created: datetime | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the target columns."""
        return tuple(column.name for column in self.columns if column.role == "target")


def _seconds(started: datetime | None, ended: datetime | None) -> float | None:
    if started is None or ended is None:
        return None
    return (ended - started).total_seconds()


def _told(entity: object, names: str) -> dict[str, object]:
    """Return what is known of an entity, by name, for a display."""
    known = {name: getattr(entity, name) for name in names.split()}
    return {name: value for name, value in known.items() if value not in (None, "")}
