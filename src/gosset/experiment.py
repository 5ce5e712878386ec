"""Experiments: what users declare, and what they get back when they execute it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .blueprints import compile_estimator, compile_stages, compile_steps
from .blueprints.base import Blueprint
from .blueprints.rows import fold_views
from .coding import code_version, with_versioned_views
from .datasets import DatasetSource, as_source
from .declaring import (
    check_dataset_names,
    check_function,
    check_varied,
    config_of,
    listed,
    name_of,
    seeds_of,
    stages_of,
    steps_of,
)
from .entities import Launch
from .estimators import FunctionEstimator
from .exceptions import NotFoundError, UsageError
from .launching import Options, launch, lookup_in, resume
from .observing import Observer
from .outcome import LaunchResult
from .parameters import expand, flatten, jsonable, override
from .pipeline import Scope
from .planner import Plan, no_cache
from .preparing import Folds, Loaded, Prepared, settle_pipeline, settle_runs
from .provenance import command_line
from .settings import load_settings
from .stages import Stage
from .store import Store, open_store
from .types import UNSET, JSONValue, Unset
from .usercode import called, called_name

if TYPE_CHECKING:
    from .project import Project

DEFAULT_PROJECT = "default"
DEFAULT_FOLDS = 5


class Experiment:
    """A question: dataset, splits, what is done, parameter space and metrics.

    Parameters
    ----------
    name : str
        Unique in its project.
    project : Project or str, optional
        By default the active project of the settings, else ``"default"``.
    dataset : DatasetSource, DataFrame, (X, y) …, optional
        What the folds divide. Its parts reach stages as ``X``, ``y``, ``groups``, ``data``
        and by the dataset's own name.
    datasets : iterable, optional
        Further datasets, reached by their names.
    splits : optional
        A declaration of :mod:`gosset.splits`, any scikit-learn splitter, a number of
        folds, index tuples or a function. Estimators have 5 folds by default; None: no
        split, everything is training data.
    estimator : estimator or callable, optional
        Any scikit-learn-compatible estimator or pipeline, a function that makes one, or a
        function ``(X_train, y_train, …) -> model``.
    evaluator : callable, optional
        ``(model, X_test, …) -> predicted`` or ``(predicted, probabilities)``.
    preprocess : callable, optional
        Applied to the whole data before the folds. It sees the test rows: put what must
        be fitted on training rows only into the estimator's pipeline.
    stages : iterable of Stage, optional
        A graph by argument names.
    steps : iterable of callable, optional
        Functions of the run, in order.
    parameters : optional
        A mapping (its lists are a grid), an iterable of parameter sets, or a function
        that returns either.
    metrics : iterable, optional
        Names, metric stages or functions; the first tells the best run. Empty: none.
    seed : int
        0 unless given; recorded with every run.
    seeds : iterable of int, optional
        Carry out every parameter set once with each.
    config : mapping, optional
        What is fixed: stages and steps read it as ``config``.
    task : str, optional
        ``"classification"``, ``"regression"`` … where it cannot be told from the data.
    description : str
    store : str, optional
        URL of the store to use; by default the project's, else what the settings say.
    declared_by : callable, optional
        The decorated function: it returns an estimator, or a list of stages.

    Raises
    ------
    UsageError
        Not one but none or several of `estimator`, `stages` and `steps`, or an argument
        of the wrong kind.

    Examples
    --------
    >>> from gosset.stages import stage
    >>> @stage
    ... def doubled(n: int = 1): return 2 * n
    >>> experiment = Experiment("doubling", stages=[doubled], parameters={"n": [1, 2]})
    >>> result = experiment.execute(store="memory://", executor="inline", progress=False)
    >>> result.status.value, [result.output(run, "doubled") for run in result.runs]
    ('complete', [2, 4])
    """

    def __init__(
        self,
        name: str,
        *,
        project: Project | str | None = None,
        dataset: Any = None,
        datasets: Iterable[Any] = (),
        splits: Any = UNSET,
        estimator: Any = None,
        evaluator: Callable[..., Any] | None = None,
        preprocess: Callable[..., Any] | Stage | None = None,
        stages: Iterable[Stage] | None = None,
        steps: Iterable[Callable[..., Any]] | None = None,
        parameters: Any = None,
        metrics: Iterable[Any] | None = None,
        seed: int = 0,
        seeds: Iterable[int] | None = None,
        config: Mapping[str, Any] | None = None,
        task: str | None = None,
        description: str = "",
        store: str | None = None,
        declared_by: Callable[..., Any] | None = None,
    ) -> None:
        name_of("an experiment", name)
        ways = [w for w in (estimator, stages, steps, declared_by) if w is not None]
        if len(ways) != 1:
            raise UsageError(
                f"experiment {name!r} says {len(ways)} ways what runs",
                hint="give one of estimator=, stages= or steps=",
            )
        self.name = name
        self.project = project
        self.dataset = None if dataset is None else as_source(dataset)
        self.datasets = tuple(as_source(each) for each in listed(name, "datasets", datasets))
        own = self.dataset.name if self.dataset else None
        check_dataset_names(name, [further.name for further in self.datasets], own)
        check_function(name, "evaluator", evaluator)
        check_function(name, "preprocess", preprocess)
        self.splits = splits
        self.estimator = estimator
        self.evaluator = evaluator
        self.preprocess = preprocess
        self.stages = None if stages is None else stages_of(name, stages)
        self.steps = None if steps is None else steps_of(name, steps)
        # A generator can be read once only, a plan and a launch both read it.
        self.parameters = list(parameters) if isinstance(parameters, Iterator) else parameters
        self.metrics = None if metrics is None else listed(name, "metrics", metrics)
        self.seeds = seeds_of(name, seed, seeds)
        self.config = config_of(name, config)
        self.task = task
        self.description = description
        self.store = store
        self.declared_by = declared_by
        self.origin = _origin()
        if project is None or isinstance(project, str):
            name_of("a project", DEFAULT_PROJECT if project is None else project)
        elif not hasattr(project, "experiments"):
            raise UsageError(
                f"experiment {name!r}: project= is {project!r}",
                hint="give a gosset.Project, or the name of one",
            )
        else:
            project.experiments[name] = self
            self.store = store or project.store

    @property
    def project_name(self) -> str:
        """The project's name, also where it comes from the settings."""
        if self.project is None:
            return load_settings().project or DEFAULT_PROJECT
        return self.project if isinstance(self.project, str) else self.project.name

    def __repr__(self) -> str:
        return f"<experiment {self.project_name}/{self.name}>"

    # -- doing

    def execute(
        self,
        parameters: Any = None,
        *,
        vary: Mapping[str, Any] | None = None,
        seeds: Iterable[int] | int | None = None,
        executor: str | None = None,
        jobs: int | None = None,
        cache: bool = True,
        notes: str = "",
        metrics: Iterable[Any] | None = None,
        timeout: float | None = None,
        store: Store | str | None = None,
        progress: bool | Observer | None = None,
    ) -> LaunchResult:
        """Carry out all parameter sets with all seeds, as a new launch.

        Parameters
        ----------
        parameters : optional
            In the place of those that were declared.
        vary : mapping, optional
            Name → alternatives, for some parameters only; the others stay as declared.
        seeds : int or iterable of int, optional
            In the place of those that were declared.
        executor : {"processes", "inline"}, optional
            By default the settings'.
        jobs : int, optional
            How many worker processes; by default one for each core.
        cache : bool
            False: compute everything anew.
        notes : str
            Kept with the launch.
        metrics : iterable, optional
            In the place of those that were declared.
        timeout : float, optional
            Seconds that one task may take.
        store : Store or str, optional
        progress : bool or Observer, optional
            Whether to draw a progress bar; by default on a terminal only.

        Returns
        -------
        LaunchResult
            Also when runs failed: failure is data. ``result.raise_for_status()`` raises.

        Raises
        ------
        UsageError
            The declaration cannot be carried out; nothing was written.
        """
        metrics = None if metrics is None else listed(self.name, "metrics", metrics)
        seeds = None if seeds is None else seeds_of(self.name, seeds)
        prepared = self.prepare(parameters, vary=vary, seeds=seeds, metrics=metrics)
        with _opened(store or self.store) as opened:
            options = self._options(executor, jobs, cache=cache, notes=notes, timeout=timeout)
            sets = {run.group: jsonable(run.params) for run in prepared.runs}
            given: dict[str, JSONValue] = {
                "parameters": None if parameters is None and not vary else [*sets.values()],
                "seeds": None if seeds is None else [*seeds],
                "metrics": None if metrics is None else list(_names(metrics)),
            }
            options = replace(options, settings={**options.settings, **given})
            started, tally = launch(prepared, opened.store, options, _observer(progress))
            return LaunchResult.of(opened.keep(), started, tally, prepared.blueprint.objective)

    def resume(
        self,
        started: Launch | str = "latest",
        *,
        executor: str | None = None,
        jobs: int | None = None,
        store: Store | str | None = None,
        progress: bool | Observer | None = None,
        parameters: Any = None,
    ) -> LaunchResult:
        """Carry out the runs of a launch that did not complete.

        Parameters
        ----------
        started : Launch or str
            The launch, its id, number or ``"latest"``. What its call gave in the place of
            the declaration holds again: parameters, seeds, metrics; so does its time limit.
        executor, jobs, store, progress
            As of :meth:`execute`.
        parameters : optional
            In the place of those of the launch's call: where they hold what JSON does not
            keep, such as tuples, they are to be given again.

        Returns
        -------
        LaunchResult

        Raises
        ------
        NotFoundError
            There is no such launch of this experiment.
        UsageError
            It is still at work, or its parameters are not those of the experiment.
        """
        with _opened(store or self.store) as opened:
            catalog = opened.store.catalog
            catalog.reap()
            if not isinstance(started, Launch):
                numbered = started == "latest" or started.isdecimal()
                reference = f"{self.name}#{started}" if numbered else started
                found = catalog.find("launches", reference, project=self.project_name)
                assert isinstance(found, Launch)
                started = found
            given: Mapping[str, Any] = started.settings
            prepared = self.prepare(
                given.get("parameters") if parameters is None else parameters,
                seeds=given.get("seeds"),
                metrics=given.get("metrics"),
            )
            options = self._options(executor, jobs, timeout=given.get("timeout"))
            ended, tally = resume(prepared, opened.store, options, started, _observer(progress))
            return LaunchResult.of(opened.keep(), ended, tally, prepared.blueprint.objective)

    def plan(
        self,
        parameters: Any = None,
        *,
        vary: Mapping[str, Any] | None = None,
        seeds: Iterable[int] | int | None = None,
        metrics: Iterable[Any] | None = None,
        cache: bool = True,
        store: Store | str | None = None,
    ) -> Plan:
        """Say what :meth:`execute` would compute, load and skip. Writes nothing."""
        prepared = self.prepare(parameters, vary=vary, seeds=seeds, metrics=metrics)
        plans = prepared.run_plans([None] * len(prepared.runs), prepared.runs)
        if isinstance(store, Store):
            return prepared.plan(plans, lookup_in(store, cache=cache))
        try:
            opened = open_store(store or self.store, create=False)
        except NotFoundError:
            return prepared.plan(plans, no_cache())
        with opened:
            return prepared.plan(plans, lookup_in(opened, cache=cache))

    # -- from declaration to work

    def prepare(
        self,
        parameters: Any = None,
        *,
        vary: Mapping[str, Any] | None = None,
        seeds: Iterable[int] | int | None = None,
        metrics: Iterable[Any] | None = None,
    ) -> Prepared:
        """Load the data, compile the stages, check every name. Writes nothing.

        Raises
        ------
        UsageError
            Whatever in the declaration cannot be carried out.
        """
        space = self.parameters if parameters is None else parameters
        sets = expand(override(space, vary or {}))
        if self.steps is not None and vary:
            declared = {name for params in expand(space) for name in params}
            check_varied(self.name, flatten(vary), declared)
        chosen = self.seeds if seeds is None else seeds_of(self.name, seeds)
        data = None if self.dataset is None else _load(self.dataset)
        folding = _Folding(self._splits(), data, self.name)
        first = folding(chosen[0])
        asked = self.metrics if metrics is None else listed(self.name, "metrics", metrics)
        blueprint = self._compile(data, asked, first)
        others = self._others(blueprint, data)
        sources = _sources(data, others, folded=first is not None)
        pipeline = settle_pipeline(blueprint, sources, sets)
        code = code_version(pipeline, self._components(blueprint))
        return Prepared(
            project=self.project_name,
            name=self.name,
            description=self.description,
            definition=self._definition(blueprint, data, first, sets, chosen),
            blueprint=blueprint,
            pipeline=with_versioned_views(pipeline, code.stages),
            code=code,
            runs=settle_runs(blueprint, pipeline, sets, chosen, folding),
            config=self.config,
            data=data,
            others=others,
            origin=self.origin,
        )

    def _compile(
        self, data: Loaded | None, metrics: Sequence[Any] | None, first: Folds | None
    ) -> Blueprint:
        estimator, stages = self.estimator, self.stages
        factory = None
        if self.declared_by is not None:
            made = self._made(self.declared_by)
            if isinstance(made, list | tuple):
                stages = stages_of(self.name, made)
            else:
                estimator, factory = made, self.declared_by
        if self.steps is not None:
            return compile_steps(self.steps)
        if stages is not None:
            return self._compile_stages(stages, metrics, folded=first is not None)
        if data is None or first is None:
            raise UsageError(
                f"experiment {self.name!r} has an estimator but no dataset",
                hint="give dataset=…",
            )
        if factory is None and _is_factory(estimator):
            estimator, factory = self._made(estimator), estimator
        parts = [p for p in ("train", "validation", "test") if _has_part(first, p)]
        if not hasattr(estimator, "fit"):
            if not callable(estimator):
                raise UsageError(
                    f"experiment {self.name!r}: {type(estimator).__name__} is no estimator",
                    hint="an estimator has fit and predict, or is a function (X_train, y_train, …)",
                )
            estimator = FunctionEstimator(estimator, self.evaluator, task=self.task or "")
        return compile_estimator(
            estimator,
            factory=factory,
            preprocess=self.preprocess,
            metrics=metrics,
            task=self.task,
            data=data.data,
            parts=parts,
        )

    def _made(self, function: Callable[..., Any]) -> Any:
        """Return what a function of the user makes: an estimator, or a list of stages."""
        name = called_name(function)
        hint = f"give what {name} makes, or a function without arguments that makes it"
        with called(f"experiment {self.name!r}: {name}()", hint=hint):
            made = function()
        if made is None:
            raise UsageError(
                f"experiment {self.name!r}: {name}() returned None",
                hint="return the estimator, or a list of stages",
            )
        return made

    def _compile_stages(
        self, stages: Sequence[Stage], metrics: Sequence[Any] | None, *, folded: bool
    ) -> Blueprint:
        return compile_stages(stages, metrics=metrics or (), views=fold_views() if folded else ())

    def _splits(self) -> Any:
        if isinstance(self.splits, Unset):
            folded = self.estimator is not None or self.declared_by is not None
            return DEFAULT_FOLDS if folded and self.dataset is not None else UNSET
        return self.splits

    def _others(self, blueprint: Blueprint, data: Loaded | None) -> dict[str, Loaded]:
        """Load the further datasets that a stage takes by name."""
        declared = {source.name: source for source in self.datasets}
        if self.project is not None and not isinstance(self.project, str):
            declared = {**self.project.datasets, **declared}
        taken = {value for stage in blueprint.stages for value in stage.inputs.values()}
        own = data.name if data else ""
        return {
            name: _load(source)
            for name, source in declared.items()
            if name in taken and name != own
        }

    def _components(self, blueprint: Blueprint) -> dict[str, object]:
        components = dict(blueprint.components)
        if callable(self.splits) and not hasattr(self.splits, "split"):
            components["splits"] = self.splits
        return components

    def _definition(
        self,
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
            "config": jsonable(self.config),
            "objective": None
            if objective is None
            else {"metric": objective[0], "direction": str(objective[1])},
            **blueprint.description,
        }

    def _options(
        self,
        executor: str | None,
        jobs: int | None,
        *,
        cache: bool = True,
        notes: str = "",
        timeout: float | None = None,
    ) -> Options:
        settings = load_settings(arguments={"jobs": jobs, "executor": executor})
        return Options(
            executor=settings.executor,
            jobs=settings.jobs,
            cache=cache,
            notes=notes,
            command=command_line(),
            timeout=timeout,
            settings={
                "file": str(self.origin) if self.origin else None,
                "executor": settings.executor,
                "jobs": settings.jobs,
                "cache": cache,
                "timeout": timeout,
            },
        )


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
        from .splits import depends_on_seed, describe, digest_folds, make_folds

        at = seed if depends_on_seed(self._splits) else None
        if at not in self._made:
            folds = make_folds(self._splits, self._data.data, seed)
            self._made[at] = Folds(
                digest=digest_folds(folds), folds=folds, description=describe(self._splits)
            )
        return self._made[at]


class _opened:
    """A store for the length of a block; stays open where it is handed on or was given."""

    def __init__(self, store: Store | str | None) -> None:
        self._given = isinstance(store, Store)
        self.store = store if isinstance(store, Store) else open_store(store)

    def keep(self) -> Store:
        """Return the store, to stay open after the block."""
        self._given = True
        return self.store

    def __enter__(self) -> _opened:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._given:
            self.store.close()


def _load(source: DatasetSource) -> Loaded:
    return Loaded(source.name, source.load(), source.description, source.source)


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
        sources |= dict.fromkeys(("X", "y", "groups", "data", data.name), Scope.CONSTANT)
    if folded:
        sources["fold"] = Scope.FOLD
    return sources


def _names(metrics: Iterable[Any]) -> list[str]:
    """Return the metrics by name."""
    return [
        m if isinstance(m, str) else getattr(m, "name", None) or called_name(m) for m in metrics
    ]


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


def _observer(progress: bool | Observer | None) -> Observer | None:
    if progress is not None and not isinstance(progress, bool):
        return progress
    from .progress import progress_bar

    return progress_bar(progress)


def _origin() -> Path | None:
    """Return the file in which an experiment is declared; None in a console."""
    here = Path(__file__).parent
    frame = inspect.currentframe()
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        if here not in file.parents:
            return file.resolve() if file.exists() else None
        frame = frame.f_back
    return None
