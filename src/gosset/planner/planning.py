"""Deciding what to compute, load and skip, before anything is done. Pure.

The plan is a list of distinct pieces of work. Runs that would do the same thing, on the
same inputs, share one: a stage that does not take the varied parameter is in the plan
once, however many runs there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..entities import CacheEntry
from ..exceptions import ParameterError
from ..fingerprint import Planned, combine, derive_seed, digest, files_in
from ..pipeline import Pipeline, Scope
from ..stages import Stage
from .plan import Action, Item, Lookup, Place, Plan, RunPlan, Sources
from .works import (
    Collected,
    Constant,
    Held,
    Look,
    Output,
    Ref,
    Work,
    identity_of,
    key_of,
    outputs_in,
    shape_of,
    within,
)

KEY_FORMAT = "gosset-key/1"


def plan(
    pipeline: Pipeline,
    runs: Sequence[RunPlan],
    *,
    codes: Mapping[str, str],
    sources: Sources,
    lookup: Lookup,
    targets: Iterable[str] | None = None,
    files: Mapping[str, tuple[Planned, ...]] | None = None,
) -> Plan:
    """Decide what to compute, load and skip.

    Parameters
    ----------
    pipeline : Pipeline
    runs : sequence of RunPlan
    codes : mapping
        Stage → digest of its code (or its declared version).
    sources : callable
        Gives the values from outside.
    lookup : Lookup
        The cache.
    targets : iterable of str, optional
        Stages whose outputs are asked for; by default those that no other stage takes.
    files : mapping, optional
        Stage → files whose content counts in the digest of its code.

    Returns
    -------
    Plan
    """
    planner = _Planner(pipeline, runs, codes, sources, lookup, files or {})
    for stage in pipeline.stages.values():
        if not stage.view:
            planner.add_stage(stage)
    wanted = set(pipeline.leaves() if targets is None else targets)
    planner.decide(wanted)
    return Plan(pipeline, planner.items, planner.places)


class _Planner:
    def __init__(
        self,
        pipeline: Pipeline,
        runs: Sequence[RunPlan],
        codes: Mapping[str, str],
        sources: Sources,
        lookup: Lookup,
        files: Mapping[str, tuple[Planned, ...]],
    ) -> None:
        self.pipeline = pipeline
        self.runs = runs
        self.codes = codes
        self.sources = sources
        self.lookup = lookup
        self.files = files
        self.items: list[Item] = []
        self.places: list[Place] = []
        self._item_at: dict[tuple[str, int | None, int | None], int] = {}
        self._same: dict[tuple[object, ...], int] = {}
        self._recipes: dict[tuple[str, int | None], tuple[tuple[Planned, ...], str]] = {}

    # -- who does what

    def add_stage(self, stage: Stage) -> None:
        """Add the work of one stage in all its runs and folds, and look it up."""
        first = len(self.items)
        scope = self.pipeline.scopes[stage.name]
        if scope is Scope.LAUNCH:
            self._add(stage, None, None)
        else:
            for number, run in enumerate(self.runs):
                folds: Iterable[int | None] = range(run.folds) if scope is Scope.FOLD else (None,)
                for fold in folds:
                    self._add(stage, number, fold)
        self._look_up(self.items[first:])

    def _add(self, stage: Stage, number: int | None, fold: int | None) -> None:
        run = None if number is None else self.runs[number]
        inputs = {
            argument: self._collect(stage, value, number)
            if stage.over
            else self._ref(value, number, fold)
            for argument, value in stage.inputs.items()
        }
        parameters = self._parameters(stage, run)
        # The same on every fold; to digest an estimator takes longer than all else here.
        known = self._recipes.get((stage.name, number))
        if known is None:
            # The files come first: one that changes between the two is found to have changed.
            files = self._files(stage, inputs, parameters, run) if stage.cache else ()
            known = files, self._recipe(stage, parameters)
            self._recipes[stage.name, number] = known
        files, recipe = known
        identities = {
            argument: identity_of(ref, self.pipeline.stages, self._known)
            for argument, ref in inputs.items()
        }
        # What is not cached is done for each run: it may act upon the run itself.
        own = () if stage.cache else (number, fold)
        same = (
            recipe,
            *own,
            *(self._told_apart_by(inputs[a], identities[a]) for a in sorted(inputs)),
        )
        item = self._same.get(same)
        if item is None:
            item = len(self.items)
            self._same[same] = item
            self.items.append(
                Item(
                    id=item,
                    stage=stage,
                    inputs=inputs,
                    parameters=parameters,
                    recipe=recipe,
                    code=self.codes[stage.name],
                    run=run,
                    fold=fold,
                    files=files,
                    identities=identities,
                )
            )
        self._item_at[stage.name, number, fold] = item
        if run is None or not run.done:
            self.places.append(Place(number, stage.name, fold, item))

    def _ref(self, value: str, number: int | None, fold: int | None) -> Ref:
        pipeline = self.pipeline
        run = None if number is None else self.runs[number]
        if value not in pipeline.producers:
            return self.sources(value, run, fold)
        stage = pipeline.stages[pipeline.producers[value]]
        if stage.view:
            inputs = ((a, self._ref(v, number, fold)) for a, v in stage.inputs.items())
            return Look(stage.name, value, tuple(inputs))
        scope = pipeline.scopes[stage.name]
        at = (
            stage.name,
            number if scope >= Scope.RUN else None,
            fold if scope is Scope.FOLD else None,
        )
        return Output(self._item_at[at], value)

    def _collect(self, stage: Stage, value: str, number: int | None) -> Ref:
        scope = self.pipeline.scope_of(value)
        if stage.over == "folds":
            if scope is not Scope.FOLD:
                return self._ref(value, number, None)
            assert number is not None
            return self._over_folds(value, number)
        if scope < Scope.RUN:
            return self._ref(value, None, None)
        collected: list[tuple[str | int, Ref]] = []
        for index, run in enumerate(self.runs):
            ref = (
                self._over_folds(value, index)
                if scope is Scope.FOLD
                else self._ref(value, index, None)
            )
            collected.append((run.label, ref))
        return Collected(tuple(collected))

    def _over_folds(self, value: str, number: int) -> Collected:
        folds = range(self.runs[number].folds)
        return Collected(tuple((fold, self._ref(value, number, fold)) for fold in folds))

    def _parameters(self, stage: Stage, run: RunPlan | None) -> Mapping[str, object]:
        if run is not None:
            return run.assigned.get(stage.name, {})
        first = self.runs[0].assigned.get(stage.name, {})
        for other in self.runs[1:]:
            assigned = other.assigned.get(stage.name, {})
            for name, value in first.items():
                if digest(value) != digest(assigned[name]):
                    raise ParameterError(
                        f"stage {stage.name!r} is carried out once for all runs, "
                        f"so its parameter {name!r} cannot vary between them"
                    )
        return first

    def _files(
        self,
        stage: Stage,
        inputs: Mapping[str, Ref],
        parameters: Mapping[str, object],
        run: RunPlan | None,
    ) -> tuple[Planned, ...]:
        """Return the files whose content is in the key: of code, parameters and constants."""
        found = dict.fromkeys(self.files.get(stage.name, ()))
        values: list[object] = [parameters]
        for ref in (each for outer in inputs.values() for each in within(outer)):
            match ref:
                case Look():
                    found.update(dict.fromkeys(self.files.get(ref.view, ())))
                case Constant(origin=("value", value)):
                    values.append(value)
                case Constant(origin=("run",)) if run is not None:
                    values += [run.facts.params, run.facts.config]
        found.update(dict.fromkeys(map(Planned.of, files_in(values))))
        return tuple(found)

    def _recipe(self, stage: Stage, parameters: Mapping[str, object]) -> str:
        values = digest(dict(parameters), where=f"stage {stage.name!r}, parameters")
        return combine(
            KEY_FORMAT,
            stage.name,
            self.codes[stage.name],
            values,
            *stage.outputs,
            *(f"{name}={stage.formats[name]}" for name in sorted(stage.formats)),
        )

    # -- what the cache holds

    def _known(self, output: Output) -> str | None:
        entry = self.items[output.work].entry
        if entry is None:
            return None
        for artifact in entry.outputs:
            if artifact.name == output.name:
                return artifact.identity
        return None

    def _told_apart_by(self, ref: Ref, identity: str | None) -> object:
        """Return what tells an input from those of other work.

        What an evicted entry remembers finds what was computed from it. If it is itself
        computed anew it may come out otherwise, so work that is alike by it alone may differ.
        """
        entries = (self.items[output.work].entry for output in outputs_in(ref))
        if identity is None or any(entry is not None and entry.evicted for entry in entries):
            return shape_of(ref)
        return identity

    def _look_up(self, items: Sequence[Item]) -> None:
        keyed: list[Item] = []
        unknown: list[Item] = []
        for item in items:
            if not item.stage.cache:
                continue
            identities = {a: i for a, i in item.identities.items() if i is not None}
            if len(identities) == len(item.identities):
                item.key = key_of(item.recipe, identities)
                keyed.append(item)
            else:
                unknown.append(item)
        if keyed:
            entries = self.lookup.entries([item.key for item in keyed if item.key])
            for item in keyed:
                item.entry = entries.get(item.key or "")
        if unknown:
            made = self.lookup.candidates({item.recipe for item in unknown})
            held = {
                recipe: {
                    entry.key: Held(entry.outputs, _reads(entry))
                    for entry in entries
                    if all(map(self.lookup.present, entry.outputs))
                }
                for recipe, entries in made.items()
            }
            for item in unknown:
                item.candidates = held.get(item.recipe, {})

    # -- what is needed

    def decide(self, targets: set[str]) -> None:
        """Settle the action of every item, from the targets backwards."""
        needed = {place.item for place in self.places if place.stage in targets}
        needed |= {place.item for place in self.places if not self.items[place.item].stage.cache}
        needed |= {item.id for item in self.items if self._run_lacks(item)}
        for item in reversed(self.items):
            if item.id not in needed:
                item.why = "nothing that is computed needs it"
                continue
            if self._at_hand(item.entry):
                item.action, item.why = Action.LOAD, "the same computation is in the cache"
                continue
            item.action, item.why = Action.COMPUTE, self._why_compute(item)
            needed |= item.needs()

    def _run_lacks(self, item: Item) -> bool:
        """Whether what a run takes over from the outputs, scores and logs, is gone."""
        outputs = () if item.entry is None else item.entry.outputs
        taken = outputs if item.stage.metric else [o for o in outputs if o.name[:1] == "@"]
        return not all(map(self.lookup.present, taken))

    def _at_hand(self, entry: CacheEntry | None) -> bool:
        if entry is None or entry.evicted:
            return False
        return all(map(self.lookup.present, entry.outputs))

    def _why_compute(self, item: Item) -> str:
        if not item.stage.cache:
            return "the stage is not cached"
        if item.entry is not None:
            return "it was computed before, but its bytes are gone"
        if item.key is None:
            return "an input is computed anew; if it comes out the same, the cache is used"
        return "this code, these parameters and inputs were not computed before"


def _reads(entry: CacheEntry) -> tuple[str, ...]:
    reads = entry.parts.get("reads")
    return tuple(map(str, reads)) if isinstance(reads, list) else ()


def to_work(item: Item) -> Work:
    """Return what a worker needs to carry out `item`."""
    run = item.run
    where = (item.stage.name, "" if item.fold is None else item.fold)
    return Work(
        id=item.id,
        stage=item.stage.name,
        inputs=item.inputs,
        parameters=item.parameters,
        recipe=item.recipe,
        cacheable=item.stage.cache,
        seed=derive_seed(run.facts.seed if run else 0, *where),
        run=run.facts if run else None,
        fold=item.fold,
        files=item.files,
    )
