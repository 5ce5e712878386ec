"""From the declaration of an experiment to everything that a launch does."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..blueprints import compile_estimator, compile_stages, compile_steps
from ..blueprints.base import Blueprint, Translation
from ..blueprints.factory import Factory, check_unvaried
from ..blueprints.rows import fold_views
from ..datasets import DatasetSource
from ..estimators import FunctionEstimator
from ..exceptions import UsageError
from ..metrics import resolve
from ..parameters import expand, flatten, jsonable, override
from ..pipeline import Scope
from ..stages import Stage
from ..types import UNSET, JSONValue, Unset
from ..usercode import called, called_name
from .checks import check_varied, check_without_estimator, stages_of
from .coding import code_version, with_versioned_views
from .declaration import Declaration
from .prepared import Folds, Loaded, Prepared, settle_pipeline, settle_runs

DEFAULT_FOLDS = 5
"""Of an estimator, where nothing is said of splits."""


def prepare(
    declared: Declaration,
    space: Any,
    *,
    vary: Mapping[str, Any],
    seeds: Sequence[int],
    metrics: Sequence[Any] | None,
    runs: Sequence[tuple[Mapping[str, object], int]] | None = None,
) -> Prepared:
    """Load the data, compile the stages, check every name. Writes nothing.

    Parameters
    ----------
    declared : Declaration
    space : object
        The parameters, in any form that :func:`gosset.parameters.expand` takes.
    vary : mapping
        Name → alternatives, in the place of those in `space`.
    seeds : sequence of int
        At least one.
    metrics : sequence or None
        None: the usual ones of an estimator's task.
    runs : sequence of (mapping, int), optional
        The parameter set and the seed of each run, in the place of all sets with all seeds.

    Raises
    ------
    UsageError
        Whatever in the declaration cannot be carried out.
    """
    declared.check_work()
    if runs is None:
        sets = expand(override(space, vary))
        chosen = [(position, seed) for position in range(len(sets)) for seed in seeds]
    else:
        sets = [dict(params) for params, _ in runs]
        chosen = [(position, seed) for position, (_, seed) in enumerate(runs)]
        seeds = [*dict.fromkeys(seed for _, seed in runs)]
    if declared.steps is not None and vary:
        names = {name for params in expand(space) for name in params}
        check_varied(declared.name, flatten(vary), names)
    data = None if declared.dataset is None else _load(declared.dataset, declared.name)
    folding = _Folding(_splits(declared), data, declared.name)
    first = folding(seeds[0])
    blueprint = _compile(declared, metrics, data, first)
    others = _others(declared, blueprint, data)
    sources = _sources(data, others, folded=first is not None)
    pipeline = settle_pipeline(blueprint, sources, sets)
    code = code_version(
        pipeline,
        _components(declared, blueprint),
        scores=blueprint.scores,
        metrics=_own_metrics(declared),
    )
    return Prepared(
        project=declared.project_name,
        name=declared.name,
        description=declared.description,
        definition=_definition(declared, blueprint, data, first, sets, seeds),
        blueprint=blueprint,
        pipeline=with_versioned_views(pipeline, code.stages),
        code=code,
        runs=settle_runs(blueprint, pipeline, sets, chosen, folding),
        config=declared.config,
        data=data,
        others=others,
        origin=declared.origin,
        id=declared.id,
    )


def _compile(
    declared: Declaration,
    metrics: Sequence[Any] | None,
    data: Loaded | None,
    first: Folds | None,
) -> Blueprint:
    estimator, stages, function = declared.estimator, declared.stages, declared.declared_by
    if function is not None:
        estimator = _made(declared, function)
        if isinstance(estimator, list | tuple):
            stages = stages_of(declared.name, estimator)
            check_without_estimator(
                declared.name,
                evaluator=declared.evaluator,
                preprocess=declared.preprocess,
                task=declared.task,
            )
    if declared.steps is not None:
        return compile_steps(declared.steps, metrics=metrics or ())
    if stages is not None:
        views = () if first is None else fold_views()
        blueprint = compile_stages(stages, metrics=metrics or (), views=views)
        return blueprint if function is None else _made_once(blueprint, function)
    if data is None or first is None:
        raise UsageError(
            f"experiment {declared.name!r} has an estimator but no dataset",
            hint="give dataset=…",
        )
    if function is None and _is_factory(estimator):
        estimator, function = _made(declared, estimator), estimator
    parts = [p for p in ("train", "validation", "test") if _has_part(first, p)]
    prototype = _prototype(declared, estimator)
    return compile_estimator(
        prototype,
        factory=None if function is None else _factory(declared, function),
        preprocess=declared.preprocess,
        # A function that fits became an estimator together with the evaluator.
        evaluator=declared.evaluator if prototype is estimator else None,
        metrics=metrics,
        task=declared.task,
        data=data.data,
        parts=parts,
    )


def _prototype(declared: Declaration, made: Any) -> Any:
    """Return the estimator; a function that fits becomes one."""
    if hasattr(made, "fit"):
        return made
    if not callable(made):
        raise UsageError(
            f"experiment {declared.name!r}: {type(made).__name__} is no estimator",
            hint="an estimator has fit and predict, or is a function (X_train, y_train, …)",
        )
    return FunctionEstimator(made, declared.evaluator, task=declared.task or "")


def _factory(declared: Declaration, function: Callable[..., Any]) -> Factory:
    def make(arguments: Mapping[str, object]) -> Any:
        return _prototype(declared, _made(declared, function, arguments))

    return Factory(function, make)


def _made_once(blueprint: Blueprint, function: Callable[..., Any]) -> Blueprint:
    """Return the blueprint of stages that `function` made, whose arguments do not vary."""

    def translate(params: Mapping[str, object]) -> Translation:
        check_unvaried(function, params)
        return blueprint.translate(params)

    return replace(blueprint, translate=translate)


def _made(
    declared: Declaration,
    function: Callable[..., Any],
    arguments: Mapping[str, object] | None = None,
) -> Any:
    """Return what a function of the user makes: an estimator, or a list of stages."""
    name = called_name(function)
    hint = f"give what {name} makes, or a function that makes it without being given arguments"
    with called(f"experiment {declared.name!r}: {name}()", hint=hint):
        made = function(**copy.deepcopy(dict(arguments or {})))
    if made is None:
        raise UsageError(
            f"experiment {declared.name!r}: {name}() returned None",
            hint="return the estimator, or a list of stages",
        )
    return made


def _splits(declared: Declaration) -> Any:
    if isinstance(declared.splits, Unset):
        folded = declared.estimator is not None or declared.declared_by is not None
        return DEFAULT_FOLDS if folded and declared.dataset is not None else UNSET
    return declared.splits


def _others(declared: Declaration, blueprint: Blueprint, data: Loaded | None) -> dict[str, Loaded]:
    """Load the further datasets that a stage takes by name."""
    known = {source.name: source for source in declared.datasets}
    if declared.project is not None and not isinstance(declared.project, str):
        known = {**declared.project.datasets, **known}
    taken = {value for stage in blueprint.stages for value in stage.inputs.values()}
    own = data.argument if data else ""
    return {
        name: _load(source, declared.name)
        for name, source in known.items()
        if name in taken and name != own
    }


def _components(declared: Declaration, blueprint: Blueprint) -> dict[str, object]:
    components = dict(blueprint.components)
    if callable(declared.splits) and not hasattr(declared.splits, "split"):
        components["splits"] = declared.splits
    return components


def _own_metrics(declared: Declaration) -> list[Stage]:
    """Return the metrics that the experiment declares otherwise than by name, as stages."""
    given = [metric for metric in declared.metrics or () if not isinstance(metric, str)]
    return [stage for stage in resolve(given).stages if not stage.view]


def _definition(
    declared: Declaration,
    blueprint: Blueprint,
    data: Loaded | None,
    first: Folds | None,
    sets: Sequence[Mapping[str, object]],
    seeds: Sequence[int],
) -> dict[str, JSONValue]:
    varied: dict[str, list[JSONValue]] = {}
    for params in sets:
        for name, value in params.items():
            shown = jsonable(value)
            if shown not in varied.setdefault(name, []):
                varied[name].append(shown)
    objective = blueprint.objective
    return {
        "kind": blueprint.kind,
        "dataset": None
        if data is None
        else {"name": data.name, "digest": data.data.digest, "rows": data.data.rows},
        "splits": dict(first.description) if first else None,
        "parameters": dict(varied),
        "seeds": list(seeds),
        "config": jsonable(declared.config),
        "objective": None
        if objective is None
        else {"metric": objective[0], "direction": str(objective[1])},
        **blueprint.description,
    }


def _is_factory(estimator: Any) -> bool:
    """Whether a callable makes an estimator, rather than being one or fitting one."""
    if hasattr(estimator, "fit") and not isinstance(estimator, type):
        return False
    if isinstance(estimator, type):
        return True
    if not callable(estimator) or isinstance(estimator, Stage):
        return False
    return not any(
        argument.default is argument.empty
        for argument in inspect.signature(estimator).parameters.values()
    )


def _has_part(folds: Folds, part: str) -> bool:
    return any(len(getattr(fold, part)) for fold in folds.folds)


class _Folding:
    """Makes the folds of a seed, once for all seeds where they do not depend on it."""

    def __init__(self, splits: Any, data: Loaded | None, name: str) -> None:
        self._splits = splits
        self._data = data
        self._made: dict[int | None, Folds] = {}
        if data is None and splits is not UNSET and splits is not None:
            raise UsageError(
                f"experiment {name!r} has splits but no dataset", hint="give dataset=…"
            )

    def __call__(self, seed: int) -> Folds | None:
        if self._data is None or self._splits is UNSET:
            return None
        from ..splits import depends_on_seed, describe, digest_folds, make_folds

        at = seed if depends_on_seed(self._splits) else None
        if at not in self._made:
            folds = make_folds(self._splits, self._data.data, seed)
            self._made[at] = Folds(
                digest=digest_folds(folds), folds=folds, description=describe(self._splits)
            )
        return self._made[at]


def _load(source: DatasetSource, experiment: str) -> Loaded:
    name = source.name if source.named else experiment
    return Loaded(name, source.name, source.load(), source.description, source.source)


def _sources(
    data: Loaded | None, others: Mapping[str, Loaded], *, folded: bool
) -> dict[str, Scope]:
    sources = {
        "seed": Scope.RUN,
        "run": Scope.RUN,
        "params": Scope.RUN,
        "config": Scope.CONSTANT,
        **dict.fromkeys(others, Scope.CONSTANT),
    }
    if data is not None:
        sources |= dict.fromkeys(("X", "y", "groups", "data", data.argument), Scope.CONSTANT)
    if folded:
        sources["fold"] = Scope.FOLD
    return sources
