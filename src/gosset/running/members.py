"""Which runs a launch carries out: new ones, those left of an earlier time, those brought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..compiling.prepared import Prepared, Settled
from ..entities import Execution, Launch, Run, Status
from ..exceptions import UsageError
from ..parameters import jsonable
from ..pipeline import Scope
from ..planner.works import Earlier
from ..storage.changes import Batch, NewRun, RunUpdate
from ..storage.news import News
from ..store import Store
from .inputs import stored
from .tally import Member

Chosen = tuple[Settled, Member]
"""A run, as it was settled and as the runner takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A run that is there before the launch that carries it on.

    Attributes
    ----------
    stored : bool
        Whether it is in the store: else it is added under its id.
    news : sequence of News
        What was said of it before it was in the store.
    """

    id: str
    stored: bool
    earlier: Earlier = field(default_factory=Earlier)
    news: Sequence[News] = ()


def new_runs(
    prepared: Prepared, store: Store, execution: Execution, started: Launch
) -> list[Chosen]:
    """Add every run that was prepared to the launch."""
    runs = _added(prepared, store, started, prepared.runs)
    return [
        (settled, _member(prepared, run, settled, execution))
        for run, settled in zip(runs, prepared.runs, strict=True)
    ]


def _added(
    prepared: Prepared,
    store: Store,
    started: Launch,
    chosen: Sequence[Settled],
    ids: Sequence[str | None] | None = None,
) -> list[Run]:
    data = stored(prepared.data, store) if prepared.data else None
    config = {name: jsonable(value) for name, value in prepared.config.items()}
    return store.catalog.add_runs(
        started.id,
        [
            NewRun(
                id=id_,
                params={name: jsonable(value) for name, value in settled.params.items()},
                group=settled.group,
                seed=settled.seed,
                dataset=f"{data.name}@{data.version}" if data else None,
                split=settled.folds.digest if settled.folds else None,
                config=config,
            )
            for settled, id_ in zip(chosen, ids or [None] * len(chosen), strict=True)
        ],
    )


def taken_up(
    prepared: Prepared,
    store: Store,
    execution: Execution,
    started: Launch,
    brought: Sequence[Brought],
) -> list[Chosen]:
    """Make runs those of the launch; add those that are not in the store yet.

    Raises
    ------
    UsageError
        Another launch is at work on one of them, or it is one of another experiment.
    """
    catalog = store.catalog
    taken = [
        RunUpdate(id=run.id, launch=started.id, status=Status.QUEUED, clear_exception=True)
        for run in brought
        if run.stored
    ]
    catalog.record(Batch(runs=taken))
    new = [
        (settled, run)
        for settled, run in zip(prepared.runs, brought, strict=True)
        if not run.stored
    ]
    _added(prepared, store, started, [settled for settled, _ in new], [run.id for _, run in new])
    catalog.sink().write([news for run in brought for news in run.news])
    runs = {run.id: run for run in store.runs_of(started)}
    return [
        (
            settled,
            _member(
                prepared,
                runs[run.id],
                settled,
                execution,
                _attempts(store, run) + 1,
                goes_on=run.stored,
                news=run.news,
            ),
        )
        for settled, run in zip(prepared.runs, brought, strict=True)
    ]


def _attempts(store: Store, run: Brought) -> int:
    return len(store.catalog.attempts(run.id)) if run.stored else 0


def _member(
    prepared: Prepared,
    run: Run,
    settled: Settled,
    execution: Execution,
    attempt: int = 1,
    *,
    goes_on: bool = False,
    news: Sequence[News] = (),
) -> Member:
    return Member(
        run=run,
        execution=execution.number,
        hyperparameters=prepared.blueprint.hyperparameters(settled.params),
        fields=prepared.blueprint.fields(settled.params),
        attempt=attempt,
        goes_on=goes_on,
        news=news,
    )


def runs_left(
    prepared: Prepared, store: Store, execution: Execution, started: Launch
) -> list[Chosen]:
    """Return the runs that did not complete; all of them where an aggregate takes them."""
    aggregates = Scope.LAUNCH in prepared.pipeline.scopes.values()
    known = {(settled.group, settled.seed): settled for settled in prepared.runs}
    left = []
    for run in store.runs_of(started):
        if run.status is Status.COMPLETE and not aggregates:
            continue
        settled = known.get((run.group, run.seed or 0))
        if settled is None:
            raise UsageError(
                f"the parameters of run {run.name} are not those of the experiment any more",
                hint="give them again with parameters=…, or run the experiment again",
            )
        attempt = len(store.catalog.attempts(run.id)) + 1
        left.append((settled, _member(prepared, run, settled, execution, attempt)))
    return left
