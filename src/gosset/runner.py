"""Carrying out a plan: work to the executor, outcomes to the catalog."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from .artifacts.base import ArtifactStore
from .artifacts.values import load
from .entities import (
    ArtifactRef,
    Attempt,
    CacheEntry,
    Computation,
    ComputationStatus,
    Direction,
    ExceptionInfo,
    Hyperparameter,
    Metric,
    Run,
    Status,
)
from .executors.base import (
    Cancelled,
    Done,
    Event,
    Executor,
    Failed,
    Lost,
    Message,
    Started,
    Task,
    TimedOut,
)
from .identifiers import new_id, now
from .planner import Action, Item, Place, Plan, to_work
from .storage.base import Batch, Catalog, RunUpdate
from .types import JSONValue
from .works import LOGGED, Outcome, TaskSpec, outputs_in

FLUSH_EVERY = 0.25
"""Seconds between transactions while outcomes come in: what a kill can lose."""


class Observer(Protocol):
    """Is told how a launch goes on, e.g. to draw a progress bar."""

    def begin(self, total: int, cached: int) -> None:
        """The plan is made: `total` computations, `cached` of them need no work."""
        ...

    def advance(self, status: ComputationStatus, count: int) -> None:
        """`count` more computations came to an end."""
        ...

    def run_ended(self, run: Run, status: Status, metrics: Sequence[Metric]) -> None:
        """A run came to an end."""
        ...

    def warn(self, message: str) -> None:
        """Something worth knowing, once per message."""
        ...

    def end(self) -> None:
        """Nothing more will happen."""
        ...


class Quiet:
    """An observer that does nothing."""

    def begin(self, total: int, cached: int) -> None:
        """Do nothing."""

    def advance(self, status: ComputationStatus, count: int) -> None:
        """Do nothing."""

    def run_ended(self, run: Run, status: Status, metrics: Sequence[Metric]) -> None:
        """Do nothing."""

    def warn(self, message: str) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""


@dataclass(slots=True, kw_only=True)
class RunExtras:
    """What the runner writes with a run besides its outcomes."""

    execution: int
    hyperparameters: tuple[Hyperparameter, ...] = ()
    attempt: int = 1


@dataclass(slots=True)
class Tally:
    """What a launch came to.

    Attributes
    ----------
    computations : mapping
        Status → count.
    runs : mapping
        Run id → status.
    damaged : list of str
        Digests of artifacts that could not be read: plan again without them.
    outcomes : mapping
        Key → outcome, of what was computed.
    """

    computations: dict[ComputationStatus, int] = field(default_factory=lambda: defaultdict(int))
    runs: dict[str, Status] = field(default_factory=dict)
    states: dict[str, bytes] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)


class Runner:
    """Carries out one plan.

    Parameters
    ----------
    launch_id : str
    plan : Plan
    runs : sequence of Run
        In the order of the plan's runs.
    extras : sequence of RunExtras
        Likewise.
    earlier : mapping
        Key → outcome, of what this launch computed under an earlier plan.
    final : bool
        False: where bytes turn out to be damaged, another plan follows, and runs that
        failed in this one are not told yet.
    """

    def __init__(
        self,
        launch_id: str,
        plan: Plan,
        runs: Sequence[Run],
        extras: Sequence[RunExtras],
        *,
        catalog: Catalog,
        artifacts: ArtifactStore,
        executor: Executor,
        observer: Observer,
        timeout: float | None = None,
        earlier: Mapping[str, Outcome] | None = None,
        final: bool = True,
    ) -> None:
        self._launch = launch_id
        self._plan = plan
        self._runs = runs
        self._extras = extras
        self._catalog = catalog
        self._artifacts = artifacts
        self._executor = executor
        self._observer = observer
        self._timeout = timeout
        self._final = final
        self._items = plan.items
        self._outcomes: dict[int, Outcome] = {}
        self._places: dict[int, list[Place]] = defaultdict(list)
        self._open: dict[int | None, int] = defaultdict(int)
        self._by_run: dict[int | None, list[Place]] = defaultdict(list)
        for place in plan.places:
            self._places[place.item].append(place)
            self._by_run[place.run].append(place)
            self._open[place.run] += 1
        self._began: dict[int, datetime] = {}
        self._entries: list[CacheEntry] = []
        self._stale: list[str] = []
        self._computations: list[Computation] = []
        self._updates: list[RunUpdate] = []
        self._attempts: list[Attempt] = []
        self._flushed = time.monotonic()
        self._warned: set[str] = set()
        self._tasks = _Tasks([item for item in plan.items if item.action is Action.COMPUTE])
        self.tally = Tally(outcomes=dict(earlier or {}))

    # -- the way through

    def carry_out(self) -> Tally:
        """Carry out the plan and return what it came to.

        Raises
        ------
        KeyboardInterrupt
            After what was finished is written, and the rest marked as stopped.
        """
        todo = [item for item in self._items if item.action is Action.COMPUTE]
        waiting = sum(len(self._places[item.id]) for item in todo)
        self._observer.begin(len(self._plan.places), len(self._plan.places) - waiting)
        try:
            for item in self._items:
                if item.action is not Action.COMPUTE:
                    self._settle(self._from_plan(item))
            self._flush()
            self._work_off()
        except KeyboardInterrupt:
            self._executor.close()
            self._stop_the_rest()
            raise
        finally:
            self._flush()
            self._observer.end()
        return self.tally

    def _work_off(self) -> None:
        tasks = self._tasks
        for task in tasks.ready():
            self._submit(tasks, task)
        while tasks.open:
            for event in self._executor.events(timeout=FLUSH_EVERY):
                self._handle(tasks, event)
            for task in tasks.ready():
                self._submit(tasks, task)
            if time.monotonic() - self._flushed > FLUSH_EVERY:
                self._flush()

    def _submit(self, tasks: _Tasks, task: int) -> None:
        items = tasks.items(task)
        inside = {item.id for item in items}
        known: dict[tuple[int, str], ArtifactRef] = {}
        for item in items:
            for ref in item.inputs.values():
                for output in outputs_in(ref):
                    if output.work not in inside:
                        outcome = self._outcomes[output.work]
                        for artifact in outcome.outputs:
                            if artifact.name == output.name:
                                known[output.work, output.name] = artifact
        spec = TaskSpec(works=tuple(to_work(item) for item in items), known=known)
        self._executor.submit(Task(id=task, payload=spec, timeout=self._timeout))

    def _handle(self, tasks: _Tasks, event: Event) -> None:
        match event:
            case Started(task):
                self._mark_begun(tasks.items(task))
            case Message(_, content):
                self._take(content)
            case Done(task, result):
                self._take(result)
                tasks.close(task)
            case Failed(task, exception):
                self._give_up(tasks, task, exception)
            case Lost(task, reason):
                what = f"the worker died: {reason}"
                self._give_up(tasks, task, ExceptionInfo(type="WorkerLostError", message=what))
            case TimedOut(task, seconds):
                what = f"ran longer than its limit of {seconds:g} s"
                self._give_up(tasks, task, ExceptionInfo(type="TimeLimitError", message=what))
            case Cancelled(task):
                what = "cancelled"
                self._give_up(tasks, task, ExceptionInfo(type="Cancelled", message=what))

    def _take(self, outcomes: object) -> None:
        assert isinstance(outcomes, list)
        for outcome in outcomes:
            for message in outcome.warnings:
                if message not in self._warned:
                    self._warned.add(message)
                    self._observer.warn(message)
            self._settle(outcome)

    def _give_up(self, tasks: _Tasks, task: int, exception: ExceptionInfo) -> None:
        """Fail the piece of work that a task was at when it ended, and skip the rest."""
        failed = False
        for item in tasks.items(task):
            if item.id in self._outcomes:
                continue
            status = ComputationStatus.SKIPPED if failed else ComputationStatus.FAILED
            self._settle(
                Outcome(work=item.id, status=status, exception=None if failed else exception)
            )
            failed = True
        tasks.close(task)

    # -- what became of the work

    def _settle(self, outcome: Outcome) -> None:
        item = self._items[outcome.work]
        self._outcomes[outcome.work] = outcome
        self._tasks.settle(outcome.work)
        self.tally.damaged.extend(outcome.damaged)
        computed = outcome.status is ComputationStatus.COMPUTED
        if computed and outcome.key is not None:
            self.tally.outcomes[outcome.key] = outcome
            if item.action is Action.COMPUTE:
                self._entries.append(_entry(item, outcome))
                if item.entry is not None:
                    # Its bytes are gone: what came out now takes its place.
                    self._stale.append(item.entry.key)
        if outcome.state is not None and item.run is not None:
            self.tally.states[item.run.facts.id] = outcome.state
        for position, place in enumerate(self._places[outcome.work]):
            # Shared work is computed by the first run that needs it; the others find it.
            again = computed and position > 0
            status = ComputationStatus.CACHED if again else outcome.status
            self.tally.computations[status] += 1
            if item.action is Action.COMPUTE:
                self._observer.advance(status, 1)
            self._computations.append(self._computation(place, outcome, status))
            self._open[place.run] -= 1
            if self._open[place.run] == 0 and place.run is not None:
                self._end_run(place.run)

    def _from_plan(self, item: Item) -> Outcome:
        """Return the outcome of work that the plan settled already."""
        if item.key in self.tally.outcomes:
            return replace(self.tally.outcomes[item.key], work=item.id)
        identities = {a: i for a, i in item.identities.items() if i is not None}
        return Outcome(
            work=item.id,
            status=ComputationStatus.SKIPPED if item.entry is None else ComputationStatus.CACHED,
            key=item.key,
            inputs=identities,
            outputs=() if item.entry is None else item.entry.outputs,
        )

    def _computation(
        self, place: Place, outcome: Outcome, status: ComputationStatus
    ) -> Computation:
        measured = status in (ComputationStatus.COMPUTED, ComputationStatus.FAILED)
        return Computation(
            id=new_id(),
            launch=self._launch,
            run=None if place.run is None else self._runs[place.run].id,
            stage=place.stage,
            fold=place.fold,
            status=status,
            key=outcome.key,
            inputs=outcome.inputs,
            outputs=outcome.outputs,
            started=outcome.started if measured else None,
            wall=outcome.wall if measured else None,
            cpu=outcome.cpu if measured else None,
            memory=outcome.memory if measured else None,
            log=outcome.log if measured else "",
            exception=outcome.exception,
        )

    def _mark_begun(self, items: Sequence[Item]) -> None:
        moment = now()
        for item in items:
            for place in self._places[item.id]:
                if place.run is not None and place.run not in self._began:
                    self._began[place.run] = moment
                    run = self._runs[place.run]
                    self._updates.append(
                        RunUpdate(id=run.id, status=Status.RUNNING, started=moment)
                    )
                    self._attempts.append(self._attempt(place.run, Status.RUNNING, moment))

    def _end_run(self, number: int) -> None:
        run = self._runs[number]
        outcomes = [self._outcomes[place.item] for place in self._by_run[number]]
        failure = next((o.exception for o in outcomes if o.exception is not None), None)
        skipped = any(
            o.status is ComputationStatus.SKIPPED and self._items[o.work].action is Action.COMPUTE
            for o in outcomes
        )
        status = Status.FAILED if failure or skipped else Status.COMPLETE
        if status is Status.FAILED and self.tally.damaged and not self._final:
            return
        metrics, fields, tags = self._measured(number)
        ended = now()
        started = self._began.get(number, ended)
        cached = not failure and all(
            outcome.status in (ComputationStatus.CACHED, ComputationStatus.SKIPPED)
            for outcome in outcomes
        )
        if failure is None and skipped:
            failure = ExceptionInfo(
                type="StageError", message="a stage that this run shares with another one failed"
            )
        extras = self._extras[number]
        self._updates.append(
            RunUpdate(
                id=run.id,
                status=status,
                started=started,
                ended=ended,
                metrics=metrics,
                fields=fields,
                tags=tuple(dict.fromkeys((*run.tags, *tags))),
                hyperparameters=extras.hyperparameters,
                exception=failure,
                clear_exception=failure is None,
                cached=cached,
                execution=extras.execution,
            )
        )
        self._attempts.append(self._attempt(number, status, started, ended, failure))
        self.tally.runs[run.id] = status
        self._observer.run_ended(run, status, metrics)

    def _attempt(
        self,
        number: int,
        status: Status,
        started: datetime,
        ended: datetime | None = None,
        exception: ExceptionInfo | None = None,
    ) -> Attempt:
        extras = self._extras[number]
        return Attempt(
            run=self._runs[number].id,
            number=extras.attempt,
            status=status,
            resource=self._executor.name,
            execution=extras.execution,
            started=started,
            ended=ended,
            exception=exception,
        )

    def _measured(self, number: int) -> tuple[list[Metric], dict[str, JSONValue], tuple[str, ...]]:
        """Gather the metrics, fields and tags of a run from its outcomes."""
        scores: dict[str, dict[int | None, float]] = defaultdict(dict)
        directions: dict[str, str] = {}
        fields: dict[str, JSONValue] = {}
        tags: list[str] = []
        for place in self._by_run[number]:
            stage = self._items[place.item].stage
            for artifact in self._outcomes[place.item].outputs:
                if artifact.name == LOGGED:
                    logged = load(artifact, self._artifacts)
                    assert isinstance(logged, dict)
                    for name, value in logged["metrics"].items():
                        scores[name][place.fold] = value
                    fields.update(logged["fields"])
                    tags.extend(logged["tags"])
                elif stage.metric and artifact.inline is not None:
                    value = load(artifact, self._artifacts, trust=True)
                    for name, score in _scores(artifact.name, value):
                        scores[name][place.fold] = score
                        directions[name] = getattr(stage, "direction", "none")
        metrics = [
            summarise(name, by_fold, Direction(directions.get(name, "none")))
            for name, by_fold in scores.items()
        ]
        return metrics, fields, tuple(tags)

    # -- writing

    def _flush(self) -> None:
        batch = Batch(
            entries=self._entries,
            computations=self._computations,
            attempts=self._attempts,
            runs=self._updates,
        )
        self._flushed = time.monotonic()
        if self._stale:
            self._catalog.evict(self._stale)
        if batch.entries or batch.computations or batch.attempts or batch.runs:
            self._catalog.record(batch)
        self._entries, self._stale, self._computations = [], [], []
        self._attempts, self._updates = [], []

    def _stop_the_rest(self) -> None:
        moment = now()
        for number, run in enumerate(self._runs):
            if run.id in self.tally.runs or number not in self._by_run:
                continue
            self.tally.runs[run.id] = Status.STOPPED
            self._updates.append(RunUpdate(id=run.id, status=Status.STOPPED, ended=moment))
            if number in self._began:
                began = self._began[number]
                self._attempts.append(self._attempt(number, Status.STOPPED, began, moment))


class _Tasks:
    """Which work travels together, and which of it can go now.

    Chains travel together, so that a value need not wait for another worker; light work
    goes wherever its inputs are made. What has several heavy consumers is a task of its
    own, so that they can be carried out side by side.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        chosen = {item.id: item for item in items}
        heavy_consumers: dict[int, int] = defaultdict(int)
        needs = {item.id: item.needs() & chosen.keys() for item in items}
        for item in items:
            if not item.stage.light:
                for need in needs[item.id]:
                    heavy_consumers[need] += 1
        self._task_of: dict[int, int] = {}
        self._members: dict[int, list[Item]] = defaultdict(list)
        for item in items:
            tasks = {self._task_of[need] for need in needs[item.id]}
            alone = item.stage.light or all(heavy_consumers[n] == 1 for n in needs[item.id])
            task = tasks.pop() if len(tasks) == 1 and alone else len(self._members)
            self._task_of[item.id] = task
            self._members[task].append(item)
        self._waits: dict[int, set[int]] = {}
        for task, members in self._members.items():
            inside = {item.id for item in members}
            self._waits[task] = set().union(*(needs[item.id] for item in members)) - inside
        self._blocks: dict[int, list[int]] = defaultdict(list)
        for task, waits in self._waits.items():
            for need in waits:
                self._blocks[need].append(task)
        self._fresh = [task for task, waits in self._waits.items() if not waits]
        self.open = set(self._members)

    def items(self, task: int) -> list[Item]:
        """Return the work of `task`, in order."""
        return self._members[task]

    def settle(self, work: int) -> None:
        """Note that a piece of work is settled: what waited for it alone can go."""
        for task in self._blocks.pop(work, ()):
            self._waits[task].discard(work)
            if not self._waits[task]:
                self._fresh.append(task)

    def ready(self) -> list[int]:
        """Return the tasks that can go since the last call."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def close(self, task: int) -> None:
        """Note that a task came to its end."""
        self.open.discard(task)


def summarise(name: str, scores: Mapping[int | None, float], direction: Direction) -> Metric:
    """Return a metric over folds: mean, standard deviation (``ddof=1``) and every value.

    Examples
    --------
    >>> summarise("accuracy", {0: 0.5, 1: 1.0}, Direction.MAXIMIZE).value
    0.75
    """
    if None in scores:
        return Metric(name=name, value=scores[None], direction=direction)
    folds = tuple(scores[fold] for fold in sorted(f for f in scores if f is not None))
    mean = sum(folds) / len(folds)
    std = None
    if len(folds) > 1:
        std = (sum((value - mean) ** 2 for value in folds) / (len(folds) - 1)) ** 0.5
    return Metric(name=name, value=mean, std=std, folds=folds, direction=direction)


def _scores(name: str, value: object) -> Iterable[tuple[str, float]]:
    if isinstance(value, bool | int | float):
        yield name, float(value)
    elif hasattr(value, "dtype") and getattr(value, "ndim", 1) == 0:
        yield name, float(value)  # type: ignore[arg-type]


def _entry(item: Item, outcome: Outcome) -> CacheEntry:
    assert outcome.key is not None
    return CacheEntry(
        key=outcome.key,
        recipe=item.recipe,
        stage=item.stage.name,
        parts={
            "code": item.code,
            "parameters": {name: _shown(value) for name, value in item.parameters.items()},
            "inputs": dict(outcome.inputs),
        },
        outputs=outcome.outputs,
        wall=outcome.wall,
        created=outcome.started or now(),
    )


def _shown(value: object) -> JSONValue:
    from .parameters import jsonable

    return jsonable(value)
