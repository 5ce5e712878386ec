"""Carrying out what was prepared: a launch in the catalog, and its work done."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..compiling.prepared import Prepared
from ..entities import Execution, Experiment, Launch, Status
from ..exceptions import (
    ArtifactDamagedError,
    ArtifactError,
    ArtifactMissingError,
    UsageError,
    did_you_mean,
)
from ..executors.base import Executor
from ..identifiers import now
from ..planner.plan import Lookup, Plan
from ..planner.works import Earlier
from ..provenance import host, user
from ..storage.changes import Batch, RunUpdate
from ..store import Store
from .background import Background
from .cautions import unseen_code
from .computing import WorkerSetup
from .inputs import stored, write_inputs
from .lookups import lookup_in, lookup_of
from .members import Brought, Chosen, new_runs, runs_left, taken_up
from .observing import Observer, Quiet
from .options import Options, executor_for
from .runner import Runner
from .tally import Tally

ROUNDS = 3
"""How often a plan is made anew because bytes that it counted on were damaged."""


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
    executor = executor_for(options, store)
    store.catalog.reap()
    write_inputs(prepared, store)
    experiment, execution = _declared(prepared, store)
    started = _started(store, experiment, execution, options)
    lookup = lookup_in(store, cache=options.cache)
    launching = _Launching(prepared, store, options, executor, started, lookup, observer or Quiet())
    return launching.carry_out(lambda: new_runs(prepared, store, execution, started))


def carry_on(
    prepared: Prepared,
    store: Store,
    options: Options,
    brought: Sequence[Brought],
    observer: Observer | None = None,
) -> tuple[Launch, Tally]:
    """Carry out what was prepared on runs that are there, as a new launch, which takes them up.

    Parameters
    ----------
    brought : sequence of Brought
        In the order of the runs that were prepared.

    Raises
    ------
    UsageError
        Another launch is at work on one of them, or it is one of another experiment.
    """
    executor = executor_for(options, store)
    store.catalog.reap()
    write_inputs(prepared, store)
    experiment, execution = _declared(prepared, store, further=any(b.stored for b in brought))
    started = _started(store, experiment, execution, options)
    lookup = lookup_in(store, cache=options.cache)
    launching = _Launching(
        prepared,
        store,
        options,
        executor,
        started,
        lookup,
        observer or Quiet(),
        earlier={run.id: run.earlier for run in brought},
    )
    return launching.carry_out(lambda: taken_up(prepared, store, execution, started, brought))


def _started(
    store: Store, experiment: Experiment, execution: Execution, options: Options
) -> Launch:
    return store.catalog.add_launch(
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


def _declared(
    prepared: Prepared, store: Store, *, further: bool = False
) -> tuple[Experiment, Execution]:
    # What is carried out further leaves what the experiment declares as it is.
    experiment = store.catalog.ensure_experiment(
        prepared.project,
        prepared.name,
        description=prepared.description,
        definition=None if further else prepared.definition,
        id=prepared.id,
    )
    execution = store.catalog.ensure_execution(
        experiment.id, prepared.code.fingerprint, prepared.code.content
    )
    return experiment, execution


def resume(
    prepared: Prepared,
    store: Store,
    options: Options,
    started: Launch,
    observer: Observer | None = None,
) -> tuple[Launch, Tally]:
    """Carry out the runs of a launch that did not complete; the others are left alone.

    A launch that ended before it had runs gets them now. Of one that was not to use the
    cache, only its own work is found again.
    Aggregates over runs are carried out over all of them. A launch that is complete stays
    as it is.

    Raises
    ------
    UsageError
        The launch is still at work, or a run's parameter set is none of the experiment's.
    """
    executor = executor_for(options, store)
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
    write_inputs(prepared, store)
    _, execution = _declared(prepared, store)
    left = runs_left(prepared, store, execution, started)
    observer = observer or Quiet()
    if execution.number != started.execution:
        observer.warn(
            f"the code has changed since launch {started.experiment}#{started.number} started: "
            f"what is carried out now belongs to execution {execution.number}, "
            f"what was complete to execution {started.execution}"
        )
    if not catalog.update_launch(
        started.id,
        expected=current.status,
        status=Status.RUNNING,
        heartbeat=now(),
        host=host(),
        pid=os.getpid(),
    ):
        raise UsageError(
            f"launch {started.experiment}#{started.number} was resumed by another process",
            hint="wait until it has ended",
        )
    lookup = lookup_of(store, started)
    launching = _Launching(prepared, store, options, executor, started, lookup, observer)
    if not store.runs_of(started):
        return launching.carry_out(lambda: new_runs(prepared, store, execution, started))
    return launching.carry_out(lambda: left)


class _Launching:
    """A launch at work. However it ends, the catalog says so."""

    def __init__(
        self,
        prepared: Prepared,
        store: Store,
        options: Options,
        executor: Executor,
        started: Launch,
        lookup: Lookup,
        observer: Observer,
        earlier: Mapping[str, Earlier] | None = None,
    ) -> None:
        self._prepared = prepared
        self._store = store
        self._options = options
        self._executor = executor
        self._launch = started
        self._lookup = lookup
        self._observer = observer
        self._earlier = earlier

    def carry_out(self, chosen: Callable[[], Sequence[Chosen]]) -> tuple[Launch, Tally]:
        """Carry out the runs that `chosen` returns."""
        began = now()
        background = Background(self._store, self._launch, self._prepared.origin, self._observer)
        background.start()
        status = Status.FAILED
        try:
            tally = self._work_through(chosen())
            status = Status.COMPLETE if tally.good else Status.FAILED
        except BaseException as error:
            status = Status.STOPPED if isinstance(error, KeyboardInterrupt) else Status.FAILED
            self._executor.close()
            self._end_runs(status)
            raise
        finally:
            self._executor.close()
            background.stop()
            self._store.catalog.update_launch(
                self._launch.id, status=status, started=self._launch.started or began, ended=now()
            )
        self._tell_unlogged()
        found = self._store.catalog.find("launches", self._launch.id)
        assert isinstance(found, Launch)
        return found, tally

    def _tell_unlogged(self) -> None:
        """Warn of metrics that were asked for and that no run has, though it came to its end."""
        awaited = self._prepared.blueprint.awaited
        if not awaited:
            return
        complete = [r for r in self._store.runs_of(self._launch) if r.status is Status.COMPLETE]
        logged = {name for run in complete for name in run.metrics}
        for name in awaited if complete else ():
            if name not in logged:
                hint = did_you_mean(name, logged) or "log it with run.log({…})"
                self._observer.warn(f"no run logged the metric {name!r}; {hint}")

    def _work_through(self, chosen: Sequence[Chosen]) -> Tally:
        """Plan and carry out; again, where bytes that the plan counted on are damaged."""
        members = [member for _, member in chosen]
        plans = self._prepared.run_plans(
            [member.run for member in members], [settled for settled, _ in chosen], self._earlier
        )
        for message in unseen_code(self._prepared):
            self._observer.warn(message)
        tally = Tally()
        for turn in range(ROUNDS):
            planned = self._prepared.plan(plans, self._lookup)
            self._executor.open(self._setup(planned))
            runner = Runner(
                self._launch.id,
                planned,
                members,
                catalog=self._store.catalog,
                artifacts=self._store.artifacts,
                executor=self._executor,
                observer=self._observer,
                timeout=self._options.timeout,
                earlier=tally.outcomes,
                again=turn > 0,
                final=turn == ROUNDS - 1,
                fail_fast=self._options.fail_fast,
            )
            tally = runner.carry_out()
            if not tally.damaged:
                break
            self._executor.close()
            self._drop(planned, tally.damaged)
            write_inputs(self._prepared, self._store)
        return tally

    def _setup(self, planned: Plan) -> WorkerSetup:
        prepared, store = self._prepared, self._store
        loaded = [one for one in (prepared.data, *prepared.others.values()) if one is not None]
        splits = {settled.folds.digest for settled in prepared.runs if settled.folds}
        inside = store.artifacts.url.startswith("memory:")
        return WorkerSetup(
            stages=dict(prepared.pipeline.stages),
            artifacts=store.artifacts if inside else store.artifacts.url,
            datasets={one.data.digest: stored(one, store) for one in loaded},
            splits={digest: store.catalog.split(digest).artifact for digest in splits},
            candidates=planned.candidates(),
            echo=self._executor.name == "inline",
        )

    def _drop(self, planned: Plan, damaged: Iterable[str]) -> None:
        """Forget what cannot be read, so that it is computed anew."""
        artifacts = self._store.artifacts
        self._store.catalog.evict(planned.entries_with(damaged))
        for text in dict.fromkeys(damaged):
            self._observer.warn(f"artifact {text[:12]} was damaged or gone; it is computed anew")
            try:
                artifacts.open(text).close()
            except (ArtifactDamagedError, ArtifactMissingError):
                try:
                    artifacts.delete(text)
                except ArtifactError as error:
                    self._observer.warn(str(error))

    def _end_runs(self, status: Status) -> None:
        """Leave no run of a launch that ended early as if it were still to come."""
        open_ = [run.id for run in self._store.runs_of(self._launch) if not run.status.ended]
        updates = [RunUpdate(id=run, status=status, ended=now()) for run in open_]
        self._store.catalog.record(Batch(runs=updates))
