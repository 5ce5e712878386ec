"""Gathers from a store what it takes to explain a computation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import cast

from ..entities import CacheEntry, Computation, ComputationStatus, Execution, Launch, Run
from ..exceptions import NotFoundError, did_you_mean
from ..filters import And, Comparison, Expression, Name, Not, equal
from ..storage.base import Order
from ..store import Store
from .explain import Explanation, Made, explain
from .inspection import execution_of, launch_of

NEAREST = 200
"""How many earlier computations of a stage are compared, the latest first."""


def explain_stage(
    store: Store, run: Run, stage: str, fold: int | None = None
) -> list[tuple[Computation, Explanation]]:
    """Say why a stage of a run was or was not taken from the cache.

    Parameters
    ----------
    store : Store
    run : Run
    stage : str
    fold : int, optional
        By default every fold.

    Returns
    -------
    list of (Computation, Explanation)
        In the order of the folds.

    Raises
    ------
    NotFoundError
        The run has no such computation.
    """
    computations = store.catalog.computations(run.id)
    chosen = [c for c in computations if c.stage == stage and fold in (None, c.fold)]
    if not chosen:
        stages = sorted({c.stage for c in computations})
        if stage in stages:
            raise NotFoundError(f"stage {stage!r} of run {run.name} has no fold {fold}")
        raise NotFoundError(
            f"run {run.name} has no stage {stage!r}", hint=did_you_mean(stage, stages)
        )
    history = _History(store, run)
    chosen.sort(key=lambda c: -1 if c.fold is None else c.fold)
    return [(computation, history.explain(computation)) for computation in chosen]


class _History:
    """Computations with their runs, launches and code, each looked up once."""

    def __init__(self, store: Store, run: Run) -> None:
        self._store = store
        self._run = run
        self._runs: dict[str, Run] = {run.id: run}
        self._computations: dict[str, list[Computation]] = {}
        self._launches: dict[tuple[str, str, int], Launch | None] = {}
        self._executions: dict[tuple[str, str, int], Execution | None] = {}

    def explain(self, computation: Computation) -> Explanation:
        run = self._run
        # What came later says nothing of it, however much that is.
        before = () if computation.started is None else (_before(computation.started),)
        same: list[Computation] = []
        if computation.key is not None:
            same = self._computed(And((equal(key=computation.key), *before)))
        within = equal(stage=computation.stage, project=run.project, experiment=run.experiment)
        siblings = equal(launch=run.launch)
        # Apart, so that a large launch does not push all earlier ones out of those compared.
        found = [
            *self._computed(And((within, *before, Not(siblings)))),
            *self._computed(And((within, *before, siblings))),
        ]
        earlier = [c for c in found if before and c.key != computation.key]
        keys = {c.key for c in (computation, *earlier) if c.key is not None}
        entries = self._store.catalog.entries(keys)
        made = self._made(computation, self._run, entries)
        return explain(
            replace(made, new=self._is_new(within)),
            self._others(same, computation, entries),
            self._others(earlier, computation, entries),
            self._producers,
        )

    def _is_new(self, within: Expression) -> bool:
        """Whether earlier launches had other stages, but none of this name."""
        run = self._run
        before = Comparison(Name(("launch",)), "<", run.launch)
        others = And((equal(project=run.project, experiment=run.experiment), before))
        return self._any(others) and not self._any(And((within, before)))

    def _any(self, which: Expression) -> bool:
        return bool(self._store.catalog.select("computations", where=which, limit=1))

    def _producers(self, before: Made, after: Made, name: str) -> tuple[Made, Made] | None:
        """Return the computations that the input `name` of both came from."""
        identity = after.computation.inputs.get(name)
        made = self._computations_of(after.run)
        later = next((c for c in made if identity in {a.identity for a in c.outputs}), None)
        if later is None:
            return None
        at, made = (later.stage, later.fold), self._computations_of(before.run)
        earlier = next((c for c in made if (c.stage, c.fold) == at), None)
        if earlier is None:
            return None
        keys = {c.key for c in (earlier, later) if c.key is not None}
        entries = self._store.catalog.entries(keys)
        return self._made(earlier, before.run, entries), self._made(later, after.run, entries)

    def _computations_of(self, run: Run) -> list[Computation]:
        if run.id not in self._computations:
            self._computations[run.id] = self._store.catalog.computations(run.id)
        return self._computations[run.id]

    def _computed(self, which: Expression) -> list[Computation]:
        """Return what was carried out, first to last."""
        done = equal(status=str(ComputationStatus.COMPUTED))
        found = self._store.catalog.select(
            "computations",
            where=And((which, done)),
            order=[Order("started", descending=True)],
            limit=NEAREST,
        )
        return cast("list[Computation]", found[::-1])

    def _others(
        self, computations: Iterable[Computation], but: Computation, entries: dict[str, CacheEntry]
    ) -> list[Made]:
        """Return those computations of runs that are not the one to explain."""
        return [
            self._made(c, self._run_of(c.run), entries)
            for c in computations
            if c.id != but.id and c.run is not None
        ]

    def _made(self, computation: Computation, run: Run, entries: dict[str, CacheEntry]) -> Made:
        at = (run.project, run.experiment, run.launch)
        if at not in self._launches:
            self._launches[at] = launch_of(self._store, run)
        launch = self._launches[at]
        code = (run.project, run.experiment, run.execution)
        if code not in self._executions:
            self._executions[code] = execution_of(self._store, run)
        return Made(
            computation=computation,
            run=run,
            entry=entries.get(computation.key or ""),
            execution=self._executions[code],
            cache_used=launch is None or launch.settings.get("cache") is not False,
        )

    def _run_of(self, run_id: str) -> Run:
        if run_id not in self._runs:
            self._runs[run_id] = self._store.run(run_id)
        return self._runs[run_id]


def _before(time: datetime) -> Expression:
    return Comparison(Name(("started",)), "<", time.isoformat())
