"""Everything that a launch does, settled and checked before anything is written."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..blueprints.base import Blueprint
from ..entities import Run, Status
from ..exceptions import DatasetError
from ..fingerprint import derive_seed, digest
from ..naming import checked_name
from ..parameters import group_digest, jsonable
from ..pipeline import Pipeline, Scope, build
from ..planner.plan import Lookup, Plan, RunPlan
from ..planner.planning import plan
from ..planner.works import Constant, Earlier, RunFacts, Step
from ..stages import Stage
from ..types import UNSET, JSONValue
from .coding import CodeVersion

if TYPE_CHECKING:
    from ..datasets import Data
    from ..splits import Fold


@dataclass(frozen=True, slots=True)
class Loaded:
    """A dataset in memory, and what its declaration says of it.

    Attributes
    ----------
    name : str
        Under which the store keeps it.
    argument : str
        By which stages take it.
    """

    name: str
    argument: str
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


@dataclass(kw_only=True)
class Prepared:
    """Everything that a launch does, settled and checked, with nothing written yet.

    Attributes
    ----------
    id : str or None
        Of the experiment, where the store does not know it yet.
    """

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
    id: str | None = None

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
            return Constant(digest(dict(self.config), where="config"), ("value", dict(self.config)))
        assert run is not None
        facts = run.facts
        if name == "seed":
            seed = facts.seed if fold is None else derive_seed(facts.seed, "fold", fold)
            return Constant(f"seed:{seed}", ("value", seed))
        if name == "params":
            return Constant(digest(dict(facts.params)), ("value", dict(facts.params)))
        if name == "run":
            params = digest(dict(facts.params), where="parameters")
            config = digest(dict(self.config), where="config")
            return Constant(digest((facts.seed, params, config)), ("run",))
        folds = next(r.folds for r in self.runs if r.folds and r.folds.digest == run.split)
        assert folds is not None
        assert fold is not None
        return Constant(f"fold:{folds.folds[fold].digest}", ("fold", run.split, fold))

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """What is carried out on each run, in order."""
        scopes = self.pipeline.scopes
        stages = (stage for stage in self.pipeline.stages.values() if not stage.view)
        return tuple(
            Step(stage.name, _source(stage, self.code.content["sources"]))
            for stage in stages
            if scopes[stage.name] is not Scope.LAUNCH
        )

    def run_plans(
        self,
        runs: Sequence[Run | None],
        chosen: Sequence[Settled],
        earlier: Mapping[str, Earlier] | None = None,
    ) -> list[RunPlan]:
        """Return the runs as the planner sees them; a run that is not stored has no id.

        Parameters
        ----------
        earlier : mapping, optional
            Run id → what former executions left with it, of runs that go on.
        """
        plans = []
        for position, (run, settled) in enumerate(zip(runs, chosen, strict=True)):
            facts = RunFacts(
                id=run.id if run else str(position),
                number=run.number if run else position,
                name=run.name if run else settled.label,
                seed=settled.seed,
                params=settled.params,
                config=self.config,
                steps=self.steps,
                **_left(earlier.get(run.id) if earlier and run else None),
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
            files=self.code.files,
        )


def _left(earlier: Earlier | None) -> dict[str, Any]:
    if earlier is None:
        return {}
    return {field.name: getattr(earlier, field.name) for field in fields(Earlier)}


def _source(stage: Stage, sources: JSONValue) -> str:
    function = inspect.unwrap(stage.function)
    title = f"{function.__module__}.{getattr(function, '__qualname__', '')}"
    if isinstance(sources, Mapping) and title in sources:
        return str(sources[title])
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return ""


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
            break
        stages = kept
    for stage in stages:
        # What has no identity is told here, before anything is written.
        defaults = {n: v for n, v in stage.parameters.items() if v is not UNSET}
        digest(defaults, where=f"stage {stage.name!r}, parameters")
    return build(stages, sources, given=given)


def settle_runs(
    blueprint: Blueprint,
    pipeline: Pipeline,
    sets: Sequence[Mapping[str, object]],
    chosen: Sequence[tuple[int, int]],
    folds_for: Callable[[int], Folds | None],
) -> list[Settled]:
    """Return the runs of parameter sets, checked.

    Parameters
    ----------
    chosen : sequence of (int, int)
        Position of the parameter set, and the seed of each run.

    Raises
    ------
    ParameterError
        A name that nothing takes.
    UsageError
        A name that the catalog cannot keep.
    """
    assigned, groups = [], []
    for params in sets:
        for name in params:
            checked_name("a parameter", name)
        translation = blueprint.translate(params)
        assigned.append(pipeline.assign(translation.rest, translation.assigned))
        groups.append(group_digest(params))
    labels, several = _labels(sets), len({seed for _, seed in chosen}) > 1
    return [
        Settled(
            label=", ".join(filter(None, (labels[position], f"seed={seed}" * several))),
            seed=seed,
            params=sets[position],
            group=groups[position],
            assigned=assigned[position],
            folds=folds_for(seed),
        )
        for position, seed in chosen
    ]


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
