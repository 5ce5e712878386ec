"""A launch from declaration to result: prepare (reads only), then carry out (writes)."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .artifacts.base import ArtifactStore
from .artifacts.values import keep
from .blueprints.base import Blueprint
from .coding import CodeVersion
from .computing import WorkerSetup
from .entities import ArtifactRef, ComputationStatus, Dataset, Launch, Run, Status
from .exceptions import (
    ArtifactDamagedError,
    ArtifactError,
    ArtifactMissingError,
    DatasetError,
    NotFoundError,
    UsageError,
)
from .executors import open_executor
from .executors.base import Executor
from .fingerprint import derive_seed, digest
from .identifiers import now
from .observing import Observer, Quiet
from .parameters import group_digest, jsonable
from .pipeline import Pipeline, Scope, build
from .planner import Lookup, Plan, RunPlan, no_cache, plan
from .provenance import host, user
from .provenance.capture import capture
from .runner import RunExtras, Runner, Tally
from .storage.base import Batch, NewRun, RunUpdate, Split
from .store import Store, quoted
from .types import JSONValue
from .works import Constant, RunFacts

if TYPE_CHECKING:
    from .datasets import Data
    from .splits import Fold

HEARTBEAT = 5.0
"""Seconds between signs of life of a launch."""

ROUNDS = 3
"""How often a plan is made anew because bytes that it counted on were damaged."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A dataset in memory, with what the plan needs to know of it.

    Attributes
    ----------
    entity : Dataset or None
        As it is stored; None while nothing was written.
    """

    name: str
    data: Data
    description: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folds:
    """The folds that one seed gives."""

    digest: str
    folds: tuple[Fold, ...]
    description: Mapping[str, JSONValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """One run to be: its parameter set, divided among the stages."""

    label: str
    seed: int
    params: Mapping[str, object]
    group: str
    assigned: Mapping[str, Mapping[str, object]]
    folds: Folds | None


@dataclass(slots=True, kw_only=True)
class Prepared:
    """Everything that a launch does, settled and checked, with nothing written yet."""

    project: str
    name: str
    description: str
    definition: Mapping[str, JSONValue]
    blueprint: Blueprint
    pipeline: Pipeline
    code: CodeVersion
    runs: Sequence[Settled]
    config: Mapping[str, object]
    data: Loaded | None
    others: Mapping[str, Loaded] = field(default_factory=dict)
    origin: Path | None = None

    # -- values from outside

    def source(self, name: str, run: RunPlan | None, fold: int | None) -> Constant:
        """Return the value from outside that goes by `name` in `run` on `fold`."""
        if name in ("seed", "run", "params", "config", "fold"):
            return self._word(name, run, fold)
        if self.data is not None and name in ("X", "y", "groups", "data"):
            return _part(self.data.data, name)
        loaded = self.others.get(name) or self.data
        assert loaded is not None
        return _part(loaded.data, _whole(loaded.data))

    def _word(self, name: str, run: RunPlan | None, fold: int | None) -> Constant:
        if name == "config":
            return Constant(digest(dict(self.config)), ("value", dict(self.config)))
        assert run is not None
        facts = run.facts
        if name == "seed":
            seed = facts.seed if fold is None else derive_seed(facts.seed, "fold", fold)
            return Constant(f"seed:{seed}", ("value", seed))
        if name == "params":
            return Constant(digest(dict(facts.params)), ("value", dict(facts.params)))
        if name == "run":
            identity = digest((facts.seed, dict(facts.params), dict(self.config)))
            return Constant(identity, ("run",))
        folds = next(r.folds for r in self.runs if r.folds and r.folds.digest == run.split)
        assert folds is not None
        assert fold is not None
        return Constant(f"fold:{folds.folds[fold].digest}", ("fold", run.split, fold))

    def run_plans(self, runs: Sequence[Run | None], chosen: Sequence[Settled]) -> list[RunPlan]:
        """Return the runs as the planner sees them; a run that is not stored has no id."""
        plans = []
        for position, (run, settled) in enumerate(zip(runs, chosen, strict=True)):
            facts = RunFacts(
                id=run.id if run else str(position),
                number=run.number if run else position,
                name=run.name if run else settled.label,
                seed=settled.seed,
                params=settled.params,
                config=self.config,
            )
            plans.append(
                RunPlan(
                    facts=facts,
                    label=settled.label,
                    assigned=settled.assigned,
                    folds=len(settled.folds.folds) if settled.folds else 0,
                    split=settled.folds.digest if settled.folds else "",
                    done=run is not None and run.status is Status.COMPLETE,
                )
            )
        return plans

    def plan(self, runs: Sequence[RunPlan], lookup: Lookup) -> Plan:
        """Decide what to compute, load and skip."""
        return plan(
            self.pipeline,
            runs,
            codes=self.code.stages,
            sources=self.source,
            lookup=lookup,
            targets=self.blueprint.targets,
        )


def _part(data: Data, part: str) -> Constant:
    match part:
        case "X":
            identity = data.features_digest
        case "y":
            identity = data.target_digest
        case "groups":
            identity = digest(data.groups)
        case _:
            identity = data.digest
    return Constant(f"data:{part}:{identity}", ("dataset", data.digest, part))


def _whole(data: Data) -> str:
    """Return what a stage gets that names a dataset: its frame, where it has one."""
    try:
        _ = data.frame
    except DatasetError:
        return "data"
    return "frame"


def settle_pipeline(
    blueprint: Blueprint, sources: Mapping[str, Scope], sets: Sequence[Mapping[str, object]]
) -> Pipeline:
    """Build the pipeline of a blueprint and keep only the views that it uses."""
    given = {name for params in sets for name in blueprint.translate(params).rest}
    stages = list(blueprint.stages)
    while True:
        taken = {value for stage in stages for value in stage.inputs.values()}
        taken |= {name for stage in stages for name in stage.parameters}
        kept = [s for s in stages if not s.view or taken.intersection(s.outputs)]
        if len(kept) == len(stages):
            return build(kept, sources, given=given)
        stages = kept


def settle_runs(
    blueprint: Blueprint,
    pipeline: Pipeline,
    sets: Sequence[Mapping[str, object]],
    seeds: Sequence[int],
    folds_for: Callable[[int], Folds | None],
) -> list[Settled]:
    """Return the runs of all parameter sets with all seeds, checked.

    Raises
    ------
    ParameterError
        A name that nothing takes.
    """
    labels = _labels(sets)
    settled = []
    for params, label in zip(sets, labels, strict=True):
        translation = blueprint.translate(params)
        assigned = pipeline.assign(translation.rest, translation.assigned)
        group = group_digest(params)
        for seed in seeds:
            settled.append(
                Settled(
                    label=f"{label}, seed={seed}" if len(seeds) > 1 else label,
                    seed=seed,
                    params=params,
                    group=group,
                    assigned=assigned,
                    folds=folds_for(seed),
                )
            )
    return settled


def _labels(sets: Sequence[Mapping[str, object]]) -> list[str]:
    """Return for each set the values that tell it from the others, as text."""
    shown = [{name: _short(value) for name, value in params.items()} for params in sets]
    names = dict.fromkeys(name for params in shown for name in params)
    varied = [n for n in names if len({params.get(n) for params in shown}) > 1]
    labels = [", ".join(f"{n}={params[n]}" for n in varied if n in params) for params in shown]
    seen: dict[str, int] = {}
    for position, label in enumerate(labels):
        seen[label] = seen.get(label, 0) + 1
        if seen[label] > 1:
            labels[position] = f"{label} ({seen[label]})".strip()
    return labels


def _short(value: object) -> str:
    text = str(jsonable(value))
    return text if len(text) <= 40 else f"{text[:37]}…"


# -- carrying out


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

    Aggregates over runs are carried out over all of them.

    Raises
    ------
    UsageError
        A run's parameter set cannot be found in the experiment or made from the record.
    """
    executor = _executor(options, store)
    catalog = store.catalog
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
                hint="run the experiment again instead of resuming",
            )
        chosen.append(settled)
    extras = [
        RunExtras(
            execution=execution.number,
            hyperparameters=prepared.blueprint.hyperparameters(settled.params),
            attempt=len(catalog.attempts(run.id)) + 1,
        )
        for run, settled in zip(runs, chosen, strict=True)
    ]
    catalog.update_launch(
        started.id, status=Status.RUNNING, heartbeat=now(), host=host(), pid=os.getpid()
    )
    return _carry_out(
        prepared, store, options, executor, observer or Quiet(), started, runs, chosen, extras
    )


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
    background = _Background(prepared, store, started)
    background.start()
    status = Status.FAILED
    tally = Tally()
    try:
        executor.open(_setup(prepared, store, echo=executor.name == "inline"))
        plans = prepared.run_plans(list(runs), chosen)
        lookup = lookup_in(store, cache=options.cache)
        for turn in range(ROUNDS):
            planned = prepared.plan(plans, lookup)
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
    if name == "inline" and options.timeout is not None:
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


def _setup(prepared: Prepared, store: Store, *, echo: bool) -> WorkerSetup:
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

    same = f"name == {quoted(loaded.name)} and digest == {quoted(loaded.data.digest)}"
    for found in store.select("datasets", same):
        assert isinstance(found, Dataset)
        if all(a.inline is not None or store.artifacts.contains(a.digest) for a in found.content):
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


class _Background(threading.Thread):
    """Keeps a launch alive in the catalog, and captures provenance off the critical path."""

    def __init__(self, prepared: Prepared, store: Store, started: Launch) -> None:
        super().__init__(name="gosset-background", daemon=True)
        self._prepared = prepared
        self._catalog = store.catalog
        self._artifacts: ArtifactStore = store.artifacts
        self._launch = started
        self._ending = threading.Event()
        self._failed: str | None = None

    def run(self) -> None:
        """Capture once, then beat until stopped."""
        self._capture()
        while not self._ending.wait(HEARTBEAT):
            self._catalog.update_launch(self._launch.id, heartbeat=now())

    def stop(self) -> None:
        """End the thread, after the capture is written."""
        self._ending.set()
        self.join()

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
