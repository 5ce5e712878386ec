"""Carrying out a plan: work to the executor, outcomes to the catalog."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ..artifacts.base import ArtifactStore
from ..entities import (
    ArtifactRef,
    Attempt,
    Computation,
    ComputationStatus,
    ExceptionInfo,
    Status,
)
from ..exceptions import ArtifactDamagedError, ArtifactMissingError
from ..executors.base import (
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
from ..executors.inline import InlineExecutor
from ..identifiers import new_id, now
from ..planner.plan import Action, Item, Place, Plan
from ..planner.planning import to_work
from ..planner.works import Outcome, TaskSpec, Work, outputs_in
from ..storage.base import Catalog
from ..storage.changes import RunUpdate
from .cautions import Repeats, undeclared
from .logged import POINTS, read_logged, without
from .measuring import Measured, measure
from .observing import Observer
from .recording import FLUSH_EVERY, Entries, Recorder
from .sayings import Sayings
from .tally import Member, Tally
from .tasks import Tasks
from .telling import Told


class Runner:
    """Carries out one plan.

    Parameters
    ----------
    launch_id : str
    plan : Plan
    members : sequence of Member
        The runs, in the order of the plan.
    earlier : mapping
        Key → outcome, of what this launch computed under an earlier plan.
    again : bool
        Part of it was carried out under an earlier plan: what its runs said then is dropped.
    final : bool
        False: where bytes turn out to be damaged, another plan follows, and runs that
        failed in this one are not told yet.
    fail_fast : bool
        Whether all is stopped once a run fails: nothing more begins, what is at work is
        cancelled, and the runs that are not over are stopped.
    """

    def __init__(
        self,
        launch_id: str,
        plan: Plan,
        members: Sequence[Member],
        *,
        catalog: Catalog,
        artifacts: ArtifactStore,
        executor: Executor,
        observer: Observer,
        timeout: float | None = None,
        earlier: Mapping[str, Outcome] | None = None,
        again: bool = False,
        final: bool = True,
        fail_fast: bool = False,
    ) -> None:
        self._launch = launch_id
        self._plan = plan
        self._members = members
        self._artifacts = artifacts
        self._executor = executor
        self._observer = observer
        self._timeout = timeout
        self._final = final
        self._fail_fast = fail_fast
        self._failing: set[int] = set()
        self._submitted: set[int] = set()
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
        self._recorder = Recorder(catalog)
        self._sayings = Sayings(members, lambda news: self._recorder.add(news=[news]), anew=again)
        self._entries = Entries()
        self._warned: set[str] = set()
        self._told_reads: set[str] = set()
        self._repeats = Repeats()
        self._seeded = len({member.run.seed for member in members}) > 1
        self._tasks = Tasks([item for item in plan.items if item.action is Action.COMPUTE])
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
        if isinstance(self._executor, InlineExecutor):
            self._executor.listener = self._listen
        try:
            with self._recorder:
                self._settle_and_work_off()
            for message in self._repeats.told():
                self._observer.warn(message)
        finally:
            self._observer.end()
        return self.tally

    def _settle_and_work_off(self) -> None:
        try:
            for item in self._items:
                if item.action is not Action.COMPUTE:
                    if item.entry is not None:
                        self._tell_reads(item.stage.name, item.entry.parts.get("reads"))
                    self._settle(self._from_plan(item))
            self._work_off()
            if self._breaks_off:
                self._break_off()
        except KeyboardInterrupt:
            self._executor.close()
            self._stop_the_rest()
            raise

    def _work_off(self) -> None:
        tasks = self._tasks
        for task in tasks.ready():
            self._submit(tasks, task)
        while tasks.open and not self._breaks_off:
            for event in self._executor.events(timeout=FLUSH_EVERY):
                self._handle(tasks, event)
            for task in () if self._breaks_off else tasks.ready():
                self._submit(tasks, task)

    @property
    def _breaks_off(self) -> bool:
        # Damaged bytes are computed anew by another plan, and no failure of the run.
        awaits_another = self.tally.damaged and not self._final
        return bool(self._fail_fast and self._failing and not awaits_another)

    def _break_off(self) -> None:
        """Cancel what is at work, and end the runs: those that failed, and the rest as stopped."""
        waiting = self._submitted & self._tasks.open
        for task in waiting:
            self._executor.cancel(task)
        while waiting & self._tasks.open:
            for event in self._executor.events(timeout=FLUSH_EVERY):
                if isinstance(event, Started | Message | Done):
                    self._handle(self._tasks, event)
                else:
                    self._tasks.close(event.task)
        for number in self._failing:
            for place in self._by_run[number]:
                if place.item not in self._outcomes:
                    skipped = Outcome(work=place.item, status=ComputationStatus.SKIPPED)
                    self._outcomes[place.item] = skipped
                    self._record(place, skipped, skipped.status)
            if self._members[number].run.id not in self.tally.runs:
                self._end_run(number)
        self._stop_the_rest()

    def _submit(self, tasks: Tasks, task: int) -> None:
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
        spec = TaskSpec(works=tuple(map(self._work, items)), known=known)
        self._submitted.add(task)
        self._executor.submit(Task(id=task, payload=spec, timeout=self._timeout))

    def _work(self, item: Item) -> Work:
        """Return what a worker needs; of a step with what those before it said."""
        work = to_work(item)
        place = self._place_of(item.id)
        if place is None or place.run is None or work.run is None or item.stage.cache:
            return work
        return replace(work, run=self._sayings.facts(place.run, place.fold, work.run))

    def _place_of(self, work: int) -> Place | None:
        """Return where the work of an uncached stage belongs.

        None: a run that is done has it already, and it is done again for an aggregate alone.
        """
        places = self._places[work]
        return places[0] if places else None

    def _listen(self, content: object) -> bool:
        """Take what a stage says while it is at work; others wait until they are handled."""
        if not isinstance(content, Told):
            return False
        place = self._place_of(content.work)
        if place is not None and place.run is not None:
            # Of a task that is carried out in this process nobody has heard yet.
            self._mark_begun([self._items[content.work]])
            self._sayings.say(place.run, place.fold, content.saying)
        return True

    def _handle(self, tasks: Tasks, event: Event) -> None:
        match event:
            case Started(task):
                self._mark_begun(tasks.items(task))
            case Message(_, content):
                if not self._listen(content):
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
            self._warn(outcome.warnings)
            self._tell_reads(self._items[outcome.work].stage.name, outcome.reads)
            self._settle(outcome)

    def _warn(self, messages: Iterable[str]) -> None:
        """Tell each once."""
        for message in messages:
            if message not in self._warned:
                self._warned.add(message)
                self._observer.warn(message)

    def _tell_reads(self, stage: str, reads: object) -> None:
        """Tell once of a stage that it read files which the cache knows nothing of."""
        if isinstance(reads, list | tuple) and reads and stage not in self._told_reads:
            self._told_reads.add(stage)
            self._observer.warn(undeclared(stage, [*map(str, reads)]))

    def _give_up(self, tasks: Tasks, task: int, exception: ExceptionInfo) -> None:
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
                # Where the bytes of an entry are gone, what came out now takes its place; both
                # in one call, for what is taken apart may be written apart. One that is evicted
                # makes room by itself, and other work may have filled it since.
                entry = item.entry
                stale = [] if entry is None or entry.evicted else [entry.key]
                self._recorder.add(entries=[self._entries.entry_of(item, outcome)], stale=stale)
        if outcome.state is not None and item.run is not None:
            self.tally.states[item.run.facts.id].append(outcome.state)
        for position, place in enumerate(self._places[outcome.work]):
            # Shared work is computed by the first run that needs it; the others find it.
            again = computed and position > 0
            status = ComputationStatus.CACHED if again else outcome.status
            self._record(place, outcome, status)
            self._open[place.run] -= 1
            if self._open[place.run] == 0 and place.run is not None:
                self._end_run(place.run)

    def _record(self, place: Place, outcome: Outcome, status: ComputationStatus) -> None:
        self.tally.computations[status] += 1
        if self._items[outcome.work].action is Action.COMPUTE:
            self._observer.advance(status, 1)
        self._recorder.add(computations=[self._computation(place, outcome, status)])
        if status is ComputationStatus.FAILED and place.run is not None:
            self._failing.add(place.run)

    def _say_again(self, number: int, clashing: Collection[str]) -> None:
        """Say of a run what its cached stages had logged; the others spoke for themselves."""
        for place in self._by_run[number]:
            if not self._items[place.item].stage.cache:
                continue
            outputs = self._outcomes[place.item].outputs
            try:
                said = read_logged(outputs, self._artifacts, points=True)
            except (ArtifactDamagedError, ArtifactMissingError):
                # What the log itself says is missed by others; here it is its points.
                self.tally.damaged.extend(ref.digest for ref in outputs if ref.name == POINTS)
                continue
            if said is not None:
                self._sayings.say_again(number, place.fold, without(said, clashing))

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
            run=None if place.run is None else self._members[place.run].run.id,
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
                    self._sayings.begin(place.run)
                    run = self._members[place.run].run
                    self._recorder.add(
                        runs=[RunUpdate(id=run.id, status=Status.RUNNING, started=moment)],
                        attempts=[self._attempt(place.run, Status.RUNNING, moment)],
                    )

    def _end_run(self, number: int) -> None:
        run = self._members[number].run
        outcomes = [self._outcomes[place.item] for place in self._by_run[number]]
        measured = measure(
            (
                (self._items[place.item].stage, place.fold, self._outcomes[place.item].outputs)
                for place in self._by_run[number]
            ),
            self._artifacts,
            run.metrics if self._members[number].goes_on else None,
        )
        self.tally.damaged.extend(measured.damaged)
        self._say_again(number, measured.clashes)
        self._sayings.settle(number, measured.exact, measured.kept)
        self._warn(measured.partial)
        failure = next((o.exception for o in outcomes if o.exception is not None), None)
        failure = failure or _unusable(measured)
        skipped = any(
            o.status is ComputationStatus.SKIPPED and self._items[o.work].action is Action.COMPUTE
            for o in outcomes
        )
        status = Status.FAILED if failure or skipped else Status.COMPLETE
        if status is Status.FAILED and self.tally.damaged and not self._final:
            return
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
        member = self._members[number]
        update = RunUpdate(
            id=run.id,
            status=status,
            started=started,
            ended=ended,
            metrics=measured.metrics,
            fields={**member.fields, **measured.fields},
            hyperparameters=member.hyperparameters,
            exception=failure,
            clear_exception=failure is None,
            cached=cached,
            execution=member.execution,
        )
        attempt = self._attempt(number, status, started, ended, failure)
        self._recorder.add(runs=[update], attempts=[attempt])
        if status is Status.COMPLETE:
            self._compare(number, measured)
        else:
            self._failing.add(number)
        self.tally.runs[run.id] = status
        self._observer.run_ended(run, status, measured.metrics)

    def _compare(self, number: int, measured: Measured) -> None:
        """Note what a run gave, unless a stage of it may do more than return it."""
        places = self._by_run[number]
        if self._seeded and all(self._items[place.item].stage.cache for place in places):
            given = ((p.stage, p.fold, self._outcomes[p.item].outputs) for p in places)
            self._repeats.add(self._members[number].run, given, measured)

    def _attempt(
        self,
        number: int,
        status: Status,
        started: datetime,
        ended: datetime | None = None,
        exception: ExceptionInfo | None = None,
    ) -> Attempt:
        member = self._members[number]
        return Attempt(
            run=member.run.id,
            number=member.attempt,
            status=status,
            resource=self._executor.name,
            execution=member.execution,
            started=started,
            ended=ended,
            exception=exception,
        )

    def _stop_the_rest(self) -> None:
        moment = now()
        for number, run in enumerate(member.run for member in self._members):
            if run.id in self.tally.runs or number not in self._by_run:
                continue
            self.tally.runs[run.id] = Status.STOPPED
            began = self._began.get(number)
            self._recorder.add(
                runs=[RunUpdate(id=run.id, status=Status.STOPPED, ended=moment)],
                attempts=[self._attempt(number, Status.STOPPED, began, moment)] if began else (),
            )


def _unusable(measured: Measured) -> ExceptionInfo | None:
    """Return why what a run measured cannot stand, although all its stages went well."""
    if measured.damaged:
        message = "what a stage had logged cannot be read"
        return ExceptionInfo(type="ArtifactDamagedError", message=message)
    if measured.clashes:
        return ExceptionInfo(type="StageError", message=next(iter(measured.clashes.values())))
    return None
