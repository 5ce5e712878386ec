"""Carrying out work in a worker: load the inputs, call the stage, keep the outputs."""

from __future__ import annotations

import contextlib
import copy
import resource
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote, urlsplit

from ..artifacts import open_artifacts
from ..artifacts.base import ArtifactStore
from ..artifacts.values import keep, load
from ..entities import ArtifactRef, ComputationStatus, Dataset
from ..exceptions import SerializationError, StageError
from ..executors.base import Send
from ..executors.failures import describe_exception
from ..identifiers import now
from ..planner.works import (
    Candidates,
    Collected,
    Constant,
    Look,
    Outcome,
    Output,
    Ref,
    TaskSpec,
    Work,
    identity_of,
    key_of,
    outputs_in,
    without_lost,
)
from ..provenance.seeds import seeded
from ..stages import Stage
from ..tracking import active
from ..tracking.account import Account
from ..tracking.inside import ActiveRun
from .guarding import guarded
from .logged import keep_logged
from .logs import Log
from .measuring import scored
from .reads import noticing
from .telling import Teller

REPORT_EVERY = 0.05
"""Seconds: outcomes are sent on at least this often while a task goes on."""


@dataclass(frozen=True, slots=True)
class WorkerSetup:
    """Everything a worker needs to carry out the work of one launch.

    Attributes
    ----------
    stages : mapping
        Name → stage, views included.
    artifacts : str or ArtifactStore
        URL of the artifact store; the store itself where it lives in this process.
    datasets : mapping
        Digest → dataset.
    splits : mapping
        Digest → artifact that holds the folds.
    candidates : mapping
        Recipe → key → what the cache holds, for work whose inputs are not known
        yet. It comes once to a worker, not with every task.
    echo : bool
        Whether what a stage prints is also shown.
    """

    stages: Mapping[str, Stage]
    artifacts: str | ArtifactStore
    datasets: Mapping[str, Dataset] = field(default_factory=dict)
    splits: Mapping[str, ArtifactRef] = field(default_factory=dict)
    candidates: Candidates = field(default_factory=dict)
    echo: bool = False

    def __call__(self) -> Worker:
        """Make the worker."""
        return Worker(self)


class Worker:
    """Carries out tasks, one after the other. The handler of an executor."""

    def __init__(self, setup: WorkerSetup) -> None:
        self._stages = setup.stages
        self._artifacts = (
            open_artifacts(setup.artifacts) if isinstance(setup.artifacts, str) else setup.artifacts
        )
        self._datasets = setup.datasets
        self._splits = setup.splits
        self._candidates = setup.candidates
        self._echo = setup.echo
        self._folder = _folder_of(self._artifacts)
        self._loaded: dict[tuple[object, ...], Any] = {}
        self._teller = Teller()

    def __call__(self, payload: object, send: Send) -> list[Outcome]:
        """Carry out the work of a task; what is not sent on the way is returned."""
        assert isinstance(payload, TaskSpec)
        task = _Task(self, payload, send)
        pending: list[Outcome] = []
        sent = time.monotonic()
        for work in payload.works:
            # What may kill this process must not take with it what was done before.
            risky = not self._stages[work.stage].light
            if pending and (risky or time.monotonic() - sent > REPORT_EVERY):
                send(pending)
                pending, sent = [], time.monotonic()
            pending.append(task.carry_out(work))
        return pending

    def constant(self, constant: Constant) -> Any:
        """Return a value from outside; data and folds are loaded once."""
        kind, *rest = constant.origin
        if kind == "value":
            return guarded(rest[0])
        if constant.origin not in self._loaded:
            if kind == "dataset":
                self._loaded[constant.origin] = self._dataset_part(str(rest[0]), str(rest[1]))
            else:
                self._loaded[constant.origin] = self._folds(str(rest[0]))[int(str(rest[1]))]
        return guarded(self._loaded[constant.origin])

    def artifacts_of(self, ref: Ref) -> Iterator[ArtifactRef]:
        """Iterate over the artifacts that hold the data and folds under `ref`."""
        match ref:
            case Constant(origin=("dataset", digest, _)):
                yield from self._datasets[str(digest)].content
            case Constant(origin=("fold", split, _)):
                yield self._splits[str(split)]
            case Look():
                for _, inner in ref.inputs:
                    yield from self.artifacts_of(inner)

    def _dataset_part(self, digest: str, part: str) -> Any:
        from ..datasets.content import from_entity

        whole = ("data", digest)
        if whole not in self._loaded:
            self._loaded[whole] = from_entity(self._datasets[digest], self._artifacts)
        data = self._loaded[whole]
        return data if part == "data" else getattr(data, part)

    def _folds(self, split: str) -> Any:
        from ..splits import folds_from_bytes

        if ("folds", split) not in self._loaded:
            stored = load(self._splits[split], self._artifacts)
            assert isinstance(stored, bytes)
            self._loaded["folds", split] = folds_from_bytes(stored)
        return self._loaded["folds", split]


def _check(work: Work) -> None:
    """Raise FingerprintError where a file is not what the key says of it."""
    for file in work.files:
        file.check()


def _folder_of(artifacts: ArtifactStore) -> str:
    """Return the folder of an artifact store; empty where it has none."""
    url = urlsplit(artifacts.url)
    return unquote(url.path) if url.scheme == "file" else ""


@dataclass(slots=True)
class _Noticed:
    """What was noticed of a stage while it ran."""

    warnings: list[str] = field(default_factory=list)
    reads: tuple[str, ...] = ()


class _Task:
    """The work of one task, with what passes between its pieces."""

    def __init__(self, worker: Worker, spec: TaskSpec, send: Send) -> None:
        self._worker = worker
        self._send = send
        self._outputs: dict[tuple[int, str], ArtifactRef] = dict(spec.known)
        self._lost: set[int] = set()
        self._views: dict[str, Any] = {}
        self._looked_at = {
            (output.work, output.name)
            for work in spec.works
            for ref in work.inputs.values()
            if isinstance(ref, Look)
            for output in outputs_in(ref)
        }
        self._runs: dict[str, ActiveRun] = {}
        self._following: dict[tuple[str, int | None], Mapping[str, int]] = {}

    def carry_out(self, work: Work) -> Outcome:
        """Carry out one piece of work, or find it in the cache."""
        stage = self._worker._stages[work.stage]
        if stage.over == "runs":
            return self._carry_out_over_runs(stage, work)
        return self._carry_out(stage, work)

    def _carry_out_over_runs(self, stage: Stage, work: Work) -> Outcome:
        """Carry out an aggregate over the runs that gave what it takes."""
        inputs, lost = without_lost(work.inputs, self._known)
        if not lost or any(ref == Collected(()) for ref in inputs.values()):
            return self._carry_out(stage, work)
        outcome = self._carry_out(stage, replace(work, inputs=inputs))
        warning = f"stage {stage.name!r} leaves out what failed: {'; '.join(lost)}"
        return replace(outcome, warnings=(*outcome.warnings, warning))

    def _carry_out(self, stage: Stage, work: Work) -> Outcome:
        identities: dict[str, str] = {}
        for argument, ref in work.inputs.items():
            identity = identity_of(ref, self._worker._stages, self._known)
            if identity is None:
                self._lost.add(work.id)
                return Outcome(work=work.id, status=ComputationStatus.SKIPPED)
            identities[argument] = identity
        key = key_of(work.recipe, identities) if work.cacheable else None
        candidates = self._worker._candidates.get(work.recipe, {})
        if key is not None and key in candidates:
            held = candidates[key]
            self._remember(work, held.outputs)
            return Outcome(
                work=work.id,
                status=ComputationStatus.CACHED,
                key=key,
                inputs=identities,
                outputs=held.outputs,
                reads=held.reads,
            )
        outcome = self._compute(stage, work, key, identities)
        if outcome.status is ComputationStatus.COMPUTED:
            self._remember(work, outcome.outputs)
        else:
            self._lost.add(work.id)
        return outcome

    def _remember(self, work: Work, outputs: tuple[ArtifactRef, ...]) -> None:
        for artifact in outputs:
            self._outputs[work.id, artifact.name] = artifact

    def _known(self, output: Output) -> str | None:
        artifact = self._outputs.get((output.work, output.name))
        return None if artifact is None else artifact.identity

    # -- calling the stage

    def _compute(
        self, stage: Stage, work: Work, key: str | None, identities: Mapping[str, str]
    ) -> Outcome:
        started = now()
        begun, cpu = time.perf_counter(), time.process_time()
        log = Log(sys.stdout if self._worker._echo else None)
        run = self._run(work)
        noticed = _Noticed()
        try:
            arguments = {a: self._value(ref, work) for a, ref in work.inputs.items()}
        except Exception as error:  # noqa: BLE001 - also what no library can read is an outcome
            return Outcome(
                work=work.id,
                status=ComputationStatus.FAILED,
                key=key,
                inputs=identities,
                exception=describe_exception(error, without=__file__),
                damaged=tuple(artifact.digest for artifact in self._unreadable(work)),
            )
        account = self._account(stage, work)
        outputs: tuple[ArtifactRef, ...] = ()
        exception = state = None
        try:
            seed = arguments.get("seed")
            if not isinstance(seed, int):
                seed = int(key[:8], 16) if key else work.seed
            with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
                value = self._call(stage, work, arguments, seed, run, noticed)
            outputs = self._keep(stage, work, value)
            state = _state(run)
        # Whatever a stage raises is data, also when it means to end the process.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            # The frames of this module say nothing about the user's code.
            exception = describe_exception(error, without=__file__, function=stage.function)
            outputs = ()
        try:
            outputs += self._logged(account, work)
        except Exception as error:  # noqa: BLE001 - also a message that could not be sent
            exception = exception or describe_exception(error, without=__file__)
        return Outcome(
            work=work.id,
            status=ComputationStatus.FAILED if exception else ComputationStatus.COMPUTED,
            key=key,
            inputs=identities,
            outputs=outputs,
            started=started,
            wall=time.perf_counter() - begun,
            cpu=time.process_time() - cpu,
            memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT,
            log=log.text(),
            exception=exception,
            state=state,
            warnings=tuple(noticed.warnings),
            reads=noticed.reads,
        )

    def _call(
        self,
        stage: Stage,
        work: Work,
        arguments: Mapping[str, Any],
        seed: int,
        run: ActiveRun | None,
        noticed: _Noticed,
    ) -> Any:
        if not work.cacheable:
            return self._call_seeded(stage, work, arguments, seed, run, noticed)
        _check(work)
        with noticing() as reads:
            value = self._call_seeded(stage, work, arguments, seed, run, noticed)
        _check(work)
        # What is only to be told must not cost a result.
        with contextlib.suppress(Exception):
            declared = (file.place for file in work.files)
            noticed.reads = reads.foreign(declared, self._worker._folder)
        return value

    def _call_seeded(
        self,
        stage: Stage,
        work: Work,
        arguments: Mapping[str, Any],
        seed: int,
        run: ActiveRun | None,
        noticed: _Noticed,
    ) -> Any:
        # Without workers, or in a longer task, other work holds the same values.
        parameters = copy.deepcopy(dict(work.parameters))
        if stage.metric:
            return stage.function(**arguments, **parameters)
        with seeded(seed) as drawn, contextlib.ExitStack() as stack:
            if run is not None:
                shared = stage.cache and "run" not in stage.inputs.values()
                stack.enter_context(active(run.for_logging() if shared else run))
            value = stage.function(**arguments, **parameters)
            if work.cacheable and "seed" not in arguments and drawn():
                noticed.warnings.append(
                    f"stage {stage.name!r} draws random numbers but does not take `seed`: "
                    "its result is the same in runs of every seed"
                )
        return value

    def _keep(self, stage: Stage, work: Work, value: Any) -> tuple[ArtifactRef, ...]:
        names = stage.outputs
        if len(names) == 1:
            values = (value,)
        else:
            if not isinstance(value, tuple):
                raise StageError(
                    f"stage {stage.name!r} returned {type(value).__name__}, "
                    f"but it gives {len(names)} outputs: {', '.join(names)}",
                    hint="return them as a tuple, in this order",
                )
            if len(value) != len(names):
                raise StageError(
                    f"stage {stage.name!r} returned {len(value)} values, "
                    f"but it gives {len(names)} outputs: {', '.join(names)}",
                    hint="return one value for each name, or change outputs=",
                )
            values = value
        kept = []
        for name, item in zip(names, values, strict=True):
            if stage.metric:
                scored(name, item)
            artifact = keep(
                item,
                name,
                self._worker._artifacts,
                format=stage.formats.get(name),
                where=f"stage {stage.name!r}, output {name!r}",
            )
            kept.append(artifact)
            if (work.id, name) in self._looked_at:
                # Views are ours and change nothing, so they need not read it back.
                self._views[artifact.identity] = item
        return tuple(kept)

    def _account(self, stage: Stage, work: Work) -> Account | None:
        """Return what takes in what a stage says: live, unless it is cached."""
        run = self._run(work)
        if run is None:
            return None
        if stage.cache:
            account = Account(run.id)
        else:
            assert work.run is not None
            following = self._following.get((run.id, work.fold), work.run.following)
            account = Account(run.id, self._worker._teller.awake, following)
            self._worker._teller.begin(work.id, account, self._send)
        run.begin(account, alone=stage.cache)
        return account

    def _logged(self, account: Account | None, work: Work) -> tuple[ArtifactRef, ...]:
        """Keep what a stage had logged, also one that failed."""
        if account is None:
            return ()
        if account.awake is not None:
            self._worker._teller.end()
            assert work.run is not None
            self._following[work.run.id, work.fold] = account.following
        return keep_logged(account.whole(), self._worker._artifacts)

    def _run(self, work: Work) -> ActiveRun | None:
        if work.run is None:
            return None
        if work.run.id not in self._runs:
            self._runs[work.run.id] = ActiveRun(copy.deepcopy(work.run), self._worker._artifacts)
        return self._runs[work.run.id]

    # -- coming by the inputs

    def _value(self, ref: Ref, work: Work) -> Any:
        match ref:
            case Constant(origin=("run",)):
                return self._run(work)
            case Constant():
                return self._worker.constant(ref)
            case Output():
                return load(self._outputs[ref.work, ref.name], self._worker._artifacts, trust=True)
            case Look():
                return self._look(ref, work)
            case Collected():
                return {label: self._value(inner, work) for label, inner in ref.values}

    def _look(self, ref: Look, work: Work) -> Any:
        """Make a view, once in a task: several metrics look at the same results."""
        memo = identity_of(ref, self._worker._stages, self._known)
        assert memo is not None
        if memo not in self._views:
            view = self._worker._stages[ref.view]
            inputs: dict[str, Any] = {}
            for argument, inner in ref.inputs:
                identity = identity_of(inner, self._worker._stages, self._known)
                assert identity is not None
                if identity not in self._views:
                    self._views[identity] = self._value(inner, work)
                inputs[argument] = self._views[identity]
            value = view.function(**inputs)
            names = view.outputs
            values = value if len(names) > 1 else (value,)
            self._views[memo] = dict(zip(names, values, strict=True))[ref.output]
        return guarded(self._views[memo])

    def _unreadable(self, work: Work) -> Iterator[ArtifactRef]:
        """Iterate over the artifacts under the inputs that cannot be read any more."""
        for ref in work.inputs.values():
            outputs = (self._outputs[output.work, output.name] for output in outputs_in(ref))
            for artifact in (*outputs, *self._worker.artifacts_of(ref)):
                try:
                    load(artifact, self._worker._artifacts, trust=True)
                except Exception:  # noqa: BLE001 - the reason is told by the outcome
                    yield artifact


_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


def _state(run: ActiveRun | None) -> bytes | None:
    if run is None or not run.state.touched or not len(run.state):
        return None
    import cloudpickle

    try:
        return bytes(cloudpickle.dumps(dict(run.state)))
    except Exception as error:
        raise SerializationError(
            f"the state of run {run.name} ({', '.join(run.state)}) cannot be pickled: {error}",
            hint="keep in run.vars what need not survive the run",
        ) from error
