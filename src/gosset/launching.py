"""Carrying out what was prepared: a launch in the catalog, and its work done."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .artifacts.base import ArtifactStore
from .artifacts.values import keep
from .computing import WorkerSetup
from .entities import ArtifactRef, ComputationStatus, Dataset, Launch, Run, Status
from .exceptions import (
    ArtifactDamagedError,
    ArtifactError,
    ArtifactMissingError,
    NotFoundError,
    UsageError,
)
from .executors import open_executor
from .executors.base import Executor
from .filters import equal
from .identifiers import now
from .observing import Observer, Quiet
from .parameters import jsonable
from .pipeline import Scope
from .planner import Lookup, Plan, no_cache
from .preparing import Folds, Loaded, Prepared, Settled
from .provenance import host, user
from .provenance.capture import capture
from .runner import RunExtras, Runner, Tally
from .storage.base import Batch, NewRun, RunUpdate, Split
from .store import Store
from .types import JSONValue

HEARTBEAT = 5.0
"""Seconds between signs of life of a launch."""

ROUNDS = 3
"""How often a plan is made anew because bytes that it counted on were damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a launch is carried out; nothing of it is part of any cache key."""

    executor: str = "processes"
    jobs: int | None = None
    cache: bool = True
    notes: str = ""
    command: str = ""
    timeout: float | None = None
    settings: Mapping[str, JSONValue] = field(default_factory=dict)


def lookup_in(store: Store, *, cache: bool = True) -> Lookup:
    """Return what the planner asks of `store`'s cache."""
    if not cache:
        return no_cache()

    def present(artifact: ArtifactRef) -> bool:
        if artifact.inline is not None:
            return True
        path = store.artifacts.path(artifact.digest)
        if path is None:
            return store.artifacts.contains(artifact.digest)
        try:
            return path.stat().st_size == artifact.size
        except OSError:
            return False

    return Lookup(
        entries=store.catalog.entries, candidates=store.catalog.candidates, present=present
    )


def launch(
    prepared: Prepared,
    store: Store,
    options: Options,
    observer: Observer | None = None,
) -> tuple[Launch, Tally]:
    """Carry out everything that was prepared, as a new launch.

    Returns
    -------
    (Launch, Tally)

    Raises
    ------
    UsageError
        The executor cannot do what is asked of it.
    StorageError
        The store cannot be written.
    KeyboardInterrupt
        After the launch was recorded as stopped.
    """
    executor = _executor(options, store)
    catalog = store.catalog
    catalog.reap()
    _write_data(prepared, store)
    experiment = catalog.ensure_experiment(
        prepared.project,
        prepared.name,
        description=prepared.description,
        definition=prepared.definition,
    )
    execution = catalog.ensure_execution(
        experiment.id, prepared.code.fingerprint, prepared.code.content
    )
    started = catalog.add_launch(
        experiment.id,
        execution=execution.number,
        command=options.command,
        user=user(),
        host=host(),
        pid=os.getpid(),
        notes=options.notes,
        settings=options.settings,
        status=Status.RUNNING,
    )
    kept = _stored(prepared.data, store) if prepared.data else None
    runs = catalog.add_runs(
        started.id,
        [
            NewRun(
                params={name: jsonable(value) for name, value in run.params.items()},
                group=run.group,
                seed=run.seed,
                dataset=f"{kept.name}@{kept.version}" if kept else None,
                split=run.folds.digest if run.folds else None,
            )
            for run in prepared.runs
        ],
    )
    extras = [
        RunExtras(
            execution=execution.number,
            hyperparameters=prepared.blueprint.hyperparameters(run.params),
            fields=prepared.blueprint.fields(run.params),
        )
        for run in prepared.runs
    ]
    return _carry_out(
        prepared,
        store,
        options,
        executor,
        observer or Quiet(),
        started,
        runs,
        prepared.runs,
        extras,
    )


def resume(
    prepared: Prepared,
    store: Store,
    options: Options,
    started: Launch,
    observer: Observer | None = None,
) -> tuple[Launch, Tally]:
    """Carry out the runs of a launch that did not complete; the others are left alone.

    Aggregates over runs are carried out over all of them. A launch that is complete stays
    as it is.

    Raises
    ------
    UsageError
        The launch is still at work, or a run's parameter set is none of the experiment's.
    """
    executor = _executor(options, store)
    catalog = store.catalog
    current = catalog.find("launches", started.id)
    assert isinstance(current, Launch)
    if not current.status.ended:
        raise UsageError(
            f"launch {current.experiment}#{current.number} is still at work, "
            f"in process {current.pid} on {current.host}",
            hint="stop it first, or wait until it has ended",
        )
    if current.status is Status.COMPLETE:
        return current, Tally()
    _write_data(prepared, store)
    aggregates = Scope.LAUNCH in prepared.pipeline.scopes.values()
    runs = [r for r in store.runs_of(started) if aggregates or r.status is not Status.COMPLETE]
    experiment = catalog.ensure_experiment(
        prepared.project, prepared.name, definition=prepared.definition
    )
    execution = catalog.ensure_execution(
        experiment.id, prepared.code.fingerprint, prepared.code.content
    )
    known = {(run.group, run.seed): run for run in prepared.runs}
    chosen = []
    for run in runs:
        settled = known.get((run.group, run.seed or 0))
        if settled is None:
            raise UsageError(
                f"the parameters of run {run.name} are not those of the experiment any more",
                hint="give them again with parameters=…, or run the experiment again",
            )
        chosen.append(settled)
    extras = [
        RunExtras(
            execution=execution.number,
            hyperparameters=prepared.blueprint.hyperparameters(settled.params),
            fields=prepared.blueprint.fields(settled.params),
            attempt=len(catalog.attempts(run.id)) + 1,
        )
        for run, settled in zip(runs, chosen, strict=True)
    ]
    observer = observer or Quiet()
    if execution.number != started.execution:
        observer.warn(
            f"the code has changed since launch {started.experiment}#{started.number} started: "
            f"what is carried out now belongs to execution {execution.number}, "
            f"what was complete to execution {started.execution}"
        )
    catalog.update_launch(
        started.id, status=Status.RUNNING, heartbeat=now(), host=host(), pid=os.getpid()
    )
    return _carry_out(prepared, store, options, executor, observer, started, runs, chosen, extras)


def _carry_out(
    prepared: Prepared,
    store: Store,
    options: Options,
    executor: Executor,
    observer: Observer,
    started: Launch,
    runs: Sequence[Run],
    chosen: Sequence[Settled],
    extras: Sequence[RunExtras],
) -> tuple[Launch, Tally]:
    catalog = store.catalog
    began = now()
    background = _Background(prepared, store, started, observer)
    background.start()
    status = Status.FAILED
    tally = Tally()
    try:
        plans = prepared.run_plans(list(runs), chosen)
        lookup = lookup_in(store, cache=options.cache)
        for turn in range(ROUNDS):
            planned = prepared.plan(plans, lookup)
            executor.open(_setup(prepared, store, planned, echo=executor.name == "inline"))
            runner = Runner(
                started.id,
                planned,
                runs,
                extras,
                catalog=catalog,
                artifacts=store.artifacts,
                executor=executor,
                observer=observer,
                timeout=options.timeout,
                earlier=tally.outcomes,
                final=turn == ROUNDS - 1,
            )
            tally = runner.carry_out()
            if not tally.damaged:
                break
            executor.close()
            _drop(store, planned, tally.damaged, observer)
            _write_data(prepared, store)
        failed = tally.computations.get(ComputationStatus.FAILED, 0)  # also of an aggregate
        good = not failed and all(state is Status.COMPLETE for state in tally.runs.values())
        status = Status.COMPLETE if good else Status.FAILED
    except BaseException as error:
        status = Status.STOPPED if isinstance(error, KeyboardInterrupt) else Status.FAILED
        executor.close()
        _end_runs(store, started, status)
        raise
    finally:
        executor.close()
        background.stop()
        catalog.update_launch(
            started.id, status=status, started=started.started or began, ended=now()
        )
    found = catalog.find("launches", started.id)
    assert isinstance(found, Launch)
    return found, tally


def _end_runs(store: Store, started: Launch, status: Status) -> None:
    """Leave no run of a launch that ended early as if it were still to come."""
    open_ = [run.id for run in store.runs_of(started) if not run.status.ended]
    updates = [RunUpdate(id=run, status=status, ended=now()) for run in open_]
    store.catalog.record(Batch(runs=updates))


def _executor(options: Options, store: Store) -> Executor:
    """Return what carries the work out; raise UsageError before anything is written."""
    name, jobs = options.executor, options.jobs
    if store.url.startswith("memory:") and name == "processes":
        # The bytes of such a store live in this process; workers could not reach them.
        name, jobs = "inline", None
    timeout = options.timeout
    if timeout is not None and not (isinstance(timeout, int | float) and timeout > 0):
        raise UsageError(f"timeout={timeout!r}", hint="it is a number of seconds, more than 0")
    if name == "inline" and timeout is not None:
        raise UsageError(
            "work that is carried out inline cannot be ended by a timeout",
            hint="use executor='processes', with a store that is no memory://",
        )
    if name != "processes":
        return open_executor(name, jobs)
    loaded = [module for module in sys.modules if module.partition(".")[0] in _PRELOADED]
    return open_executor(name, jobs, preload=loaded)


_PRELOADED = ("numpy", "scipy", "pandas", "pyarrow", "sklearn", "joblib", "gosset")
"""Packages that are imported once for all workers, where the controller uses them: they are
known to bear a fork after their import."""


def _setup(prepared: Prepared, store: Store, planned: Plan, *, echo: bool) -> WorkerSetup:
    datasets: dict[str, Dataset] = {}
    for loaded in (prepared.data, *prepared.others.values()):
        if loaded is not None:
            datasets[loaded.data.digest] = _stored(loaded, store)
    splits = {
        run.folds.digest: store.catalog.split(run.folds.digest).artifact
        for run in {r.folds.digest: r for r in prepared.runs if r.folds}.values()
        if run.folds
    }
    inside = store.artifacts.url.startswith("memory:")
    return WorkerSetup(
        stages=dict(prepared.pipeline.stages),
        artifacts=store.artifacts if inside else store.artifacts.url,
        datasets=datasets,
        splits=splits,
        candidates=planned.candidates(),
        echo=echo,
    )


def _write_data(prepared: Prepared, store: Store) -> None:
    """Keep the datasets and splits of a launch, where they are not kept yet."""
    for loaded in (prepared.data, *prepared.others.values()):
        if loaded is not None:
            _stored(loaded, store)
    for settled in prepared.runs:
        if settled.folds is not None:
            _write_split(settled.folds, store)


def _stored(loaded: Loaded, store: Store) -> Dataset:
    from .datasets.content import to_entity

    same = equal(name=loaded.name, digest=loaded.data.digest)
    for found in store.select("datasets", same):
        assert isinstance(found, Dataset)
        told = found.columns == loaded.data.columns
        told = told and loaded.description in ("", found.description)
        there = (a.inline is not None or store.artifacts.contains(a.digest) for a in found.content)
        if told and all(there):
            return found
    entity = to_entity(
        loaded.name,
        loaded.data,
        store.artifacts,
        description=loaded.description,
        source=loaded.source,
    )
    return store.catalog.ensure_dataset(entity)


def _write_split(folds: Folds, store: Store) -> None:
    from .splits import folds_to_bytes

    try:
        kept = store.catalog.split(folds.digest).artifact
        if kept.inline is not None or store.artifacts.contains(kept.digest):
            return
    except NotFoundError:
        pass
    artifact = keep(folds_to_bytes(folds.folds), "folds", store.artifacts, format="bytes")
    store.catalog.ensure_split(
        Split(
            digest=folds.digest,
            folds=len(folds.folds),
            artifact=artifact,
            description=folds.description,
        )
    )


def _drop(store: Store, planned: Plan, damaged: Iterable[str], observer: Observer) -> None:
    """Forget what cannot be read, so that it is computed anew."""
    store.catalog.evict(planned.entries_with(damaged))
    for text in dict.fromkeys(damaged):
        observer.warn(f"artifact {text[:12]} was damaged or gone; it is computed anew")
        try:
            store.artifacts.open(text).close()
        except (ArtifactDamagedError, ArtifactMissingError):
            try:
                store.artifacts.delete(text)
            except ArtifactError as error:
                observer.warn(str(error))


class _Background:
    """Keeps a launch alive in the catalog, and captures provenance off the critical path.

    Each in its own thread: capturing a large repository must not look like a death.
    """

    def __init__(
        self, prepared: Prepared, store: Store, started: Launch, observer: Observer
    ) -> None:
        self._prepared = prepared
        self._catalog = store.catalog
        self._artifacts: ArtifactStore = store.artifacts
        self._launch = started
        self._observer = observer
        self._ending = threading.Event()
        self._failures: dict[str, Exception] = {}
        self._threads = [
            threading.Thread(target=work, name=f"gosset-{name}", daemon=True)
            for name, work in (("capture", self._capture_once), ("heartbeat", self._keep_alive))
        ]

    def start(self) -> None:
        """Start to capture, and to beat."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, after the capture is written, and warn of what failed."""
        self._ending.set()
        for thread in self._threads:
            thread.join()
        for what, error in self._failures.items():
            self._observer.warn(f"launch {self._launch.number}: {what}: {error}")

    def _capture_once(self) -> None:
        self._attempt("its provenance could not be kept", self._capture)

    def _keep_alive(self) -> None:
        while not self._ending.wait(HEARTBEAT):
            self._attempt("it could not give a sign of life", self._beat)

    def _attempt(self, what: str, work: Callable[[], None]) -> None:
        # The results are worth more than the notes on them: the launch itself goes on.
        try:
            work()
        except Exception as error:  # noqa: BLE001 - told at the end
            self._failures[what] = error

    def _beat(self) -> None:
        self._catalog.update_launch(self._launch.id, heartbeat=now())

    def _capture(self) -> None:
        origin = self._prepared.origin or Path.cwd()
        provenance, environment = capture(origin, self._artifacts)
        self._catalog.ensure_environment(environment)
        self._catalog.update_launch(
            self._launch.id,
            provenance=provenance,
            environment=environment.digest,
            heartbeat=now(),
        )
