"""Experiments: what users declare, plan, execute and resume."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .compiling.checks import listed, seeds_of
from .compiling.compiler import prepare
from .compiling.prepared import Prepared
from .entities import Launch
from .exceptions import MetricError, NotFoundError, UsageError
from .importing import refuse_while_importing
from .live import LiveRun, LiveRuns
from .live.holding import Holding
from .live.place import Place
from .parameters import jsonable
from .planner.plan import Plan, no_cache
from .provenance import command_line
from .results.outcome import LaunchResult
from .running.launching import carry_on, launch, resume
from .running.lookups import lookup_in
from .running.observing import Observer
from .running.options import Options
from .running.tally import Tally
from .settings import load_settings
from .store import Store, open_store
from .types import JSONValue
from .usercode import called_name


class Experiment(Holding):
    """A question: dataset, splits, what is done, parameter space and metrics.

    Parameters
    ----------
    name : str, optional
        Unique in its project; without ``#``, ``/`` and ``::``, which references use. By
        default six characters that follow from the experiment's id.
    project : Project or str, optional
        By default the active project of the settings, else ``"default"``.
    dataset : DatasetSource, DataFrame, (X, y) …, optional
        What the folds divide. Stages take of it ``X`` (the features, as the frame or array
        that they came in), ``y`` and ``groups`` (arrays, or None), on folds also
        ``X_train``, ``y_test`` …, and by the dataset's own name all columns as a DataFrame.
        ``data`` is the :class:`gosset.datasets.Data` around them, with ``frame``,
        ``columns`` and ``labels``. Arrays without a name are kept under the experiment's.
    datasets : iterable, optional
        Further datasets, reached by their names.
    splits : optional
        A declaration of :mod:`gosset.splits`, any scikit-learn splitter, a number of
        folds, index tuples (also drawn ones: ``KFold(3).split(X)``) or a function.
        Estimators have 5 folds by default; None: no split, everything is training data.
    estimator : estimator or callable, optional
        Any scikit-learn-compatible estimator or pipeline, a function that makes one, or a
        function ``(X_train, y_train, …) -> model``. Arguments with defaults of a function
        ``make`` that makes one are parameters, too: ``make.C``, or ``C`` where the
        estimator knows no such name; it is called anew for each parameter set.
    evaluator : callable, optional
        ``(model, X_test, …) -> predicted`` or ``(predicted, probabilities)``, one for each
        row, in the place of the model's own ``predict``. Its arguments with defaults are
        parameters, too.
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
        Names, metric stages or functions that return a number; the first tells the best
        run. Empty: none. ``precision``, ``recall`` and ``f1`` are macro averages, the
        unweighted mean over the labels, also where there are two: ``"f1[yes]"`` is that of
        one label. With several targets ``rmse`` is the mean of the targets' own. What
        stands behind ± is the standard deviation (``ddof=1``) over the values of all folds
        of all seeds; in JSON and CSV tables ``NAME_n`` says how many they are.
    seed : int, optional
        0 unless given; recorded with every run.
    seeds : iterable of int, optional
        Carry out every parameter set once with each, in the place of `seed`: for three
        seeds ``range(3)``.
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

    __slots__ = ()

    # -- doing

    def execute(
        self,
        parameters: Any = None,
        *,
        steps: Iterable[Callable[..., Any]] | Callable[..., Any] | None = None,
        runs: Iterable[LiveRun] | None = None,
        vary: Mapping[str, Any] | None = None,
        seeds: Iterable[int] | int | None = None,
        executor: str | None = None,
        jobs: int | None = None,
        cache: bool = True,
        notes: str = "",
        metrics: Iterable[Any] | None = None,
        timeout: float | None = None,
        fail_fast: bool = False,
        store: Store | str | None = None,
        progress: bool | Observer | None = None,
    ) -> LaunchResult:
        """Carry out all parameter sets with all seeds, as a new launch.

        Runs that were added by :meth:`add_run` and not carried out yet are carried out in the
        place of those. Afterwards ``experiment.runs`` has what was carried out.

        Parameters
        ----------
        parameters : optional
            In the place of those that were declared.
        steps : callable or iterable of callable, optional
            Further steps, on the runs in hand, in the place of what was declared: they find
            the fields and the state of what was carried out before. Without runs in hand, on
            all parameter sets.
        runs : iterable of LiveRun, optional
            Of the runs in hand those on which further steps are carried out; by default all but
            those that failed, or did not come to their end.
        vary : mapping, optional
            Name → alternatives, for some parameters only; the others stay as declared.
        seeds : int or iterable of int, optional
            In the place of those that were declared. A number is the one seed: three seeds
            are ``range(3)``.
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
        fail_fast : bool
            Whether all is stopped once a run fails: what is at work is cancelled, and runs
            that are not over are stopped. ``resume`` goes on with them.
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
            The declaration cannot be carried out, or its file is just being imported by
            Gosset; nothing was written.
        """
        refuse_while_importing(f"experiment {self.name!r} is executed")
        metrics = None if metrics is None else listed(self.name, "metrics", metrics)
        seeds = None if seeds is None else seeds_of(self.name, seeds)
        declared = self if steps is None else self.with_steps(steps)
        declared.check_work()
        as_declared = parameters is None and not vary and seeds is None
        taken = self.at_hand(runs, further=steps is not None, as_declared=as_declared)
        prepared = declared.prepare(parameters, vary=vary, seeds=seeds, metrics=metrics, runs=taken)
        with _opened(self.store_for(taken, store)) as opened:
            options = self._options(executor, jobs, cache=cache, notes=notes, timeout=timeout)
            options = replace(options, fail_fast=fail_fast)
            sets = {run.group: jsonable(run.params) for run in prepared.runs}
            given: dict[str, JSONValue] = {
                "parameters": [*sets.values()] if taken or not as_declared else None,
                "seeds": None if seeds is None else [*seeds],
                "further": [step.name for step in prepared.steps] if steps is not None else None,
                "metrics": None if metrics is None else [_name(metric) for metric in metrics],
                "own_metrics": [_name(m) for m in metrics or () if not isinstance(m, str)],
            }
            options = replace(options, settings={**options.settings, **given})
            observer = _observer(progress)
            left = len(self.runs) - len(taken)
            if taken and left and steps is not None and runs is None and observer is not None:
                observer.warn(
                    f"runs that did not complete are left out: {left}; runs=[…] takes them"
                )
            if taken:
                brought = [run.brought() for run in self.taken_along(taken, opened.store)]
                started, tally = carry_on(prepared, opened.store, options, brought, observer)
            else:
                started, tally = launch(prepared, opened.store, options, observer)
            result = opened.handed_on(started, tally, prepared)
            return self._in_hand(result, prepared, goes_on=bool(taken))

    def _in_hand(self, result: LaunchResult, prepared: Prepared, *, goes_on: bool) -> LaunchResult:
        """Have the runs of a launch in hand: beside those that are, where it goes on."""
        if not goes_on:
            self._runs = LiveRuns(place=Place(store=result.store))
        params = {settled.group: settled.params for settled in prepared.runs}
        self.runs.take(result.runs, result.states, params=params, config=prepared.config)
        return result

    def resume(
        self,
        started: Launch | str = "latest",
        *,
        executor: str | None = None,
        jobs: int | None = None,
        store: Store | str | None = None,
        progress: bool | Observer | None = None,
        parameters: Any = None,
        metrics: Iterable[Any] | None = None,
    ) -> LaunchResult:
        """Carry out the runs of a launch that did not complete.

        Parameters
        ----------
        started : Launch or str
            The launch, its id, number or ``"latest"``. What its call gave in the place of
            the declaration holds again: parameters, seeds, metrics; so do its time limit, and
            its executor and jobs unless they are given here. One that was not to use the
            cache finds its own work again, and nothing older.
        executor, jobs, store, progress
            As of :meth:`execute`.
        parameters : optional
            In the place of those of the launch's call: where they hold what JSON does not
            keep, such as tuples, they are to be given again.
        metrics : iterable, optional
            In the place of those of the launch's call: functions that the experiment does
            not declare are to be given again.

        Returns
        -------
        LaunchResult

        Raises
        ------
        NotFoundError
            There is no such launch of this experiment.
        UsageError
            It is still at work, or its parameters are not those of the experiment.
        MetricError
            A metric function of its call is none of the experiment's.
        """
        refuse_while_importing(f"experiment {self.name!r} is resumed")
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
            if given.get("further"):
                raise UsageError(
                    f"launch {self.name}#{started.number} carried out further steps, "
                    f"{', '.join(given['further'])}, which the experiment does not declare",
                    hint="carry them out again: experiment.execute(steps=[…], runs=[…])",
                )
            prepared = self.prepare(
                given.get("parameters") if parameters is None else parameters,
                seeds=given.get("seeds"),
                metrics=self._metrics_of(started) if metrics is None else metrics,
            )
            options = self._options(
                executor or given.get("executor"),
                given.get("jobs") if jobs is None and executor is None else jobs,
                timeout=given.get("timeout"),
            )
            ended, tally = resume(prepared, opened.store, options, started, _observer(progress))
            result = opened.handed_on(ended, tally, prepared)
            known = any(run.id in self.runs for run in result.runs)
            return self._in_hand(result, prepared, goes_on=known)

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

    def _metrics_of(self, started: Launch) -> list[Any] | None:
        """Return the metrics that the call of a launch gave, functions of them as declared."""
        given: Mapping[str, Any] = started.settings
        if given.get("metrics") is None:
            return None
        declared = {_name(m): m for m in self.metrics or () if not isinstance(m, str)}
        own = given.get("own_metrics", ())
        for name in own:
            if name not in declared:
                raise MetricError(
                    f"launch {self.name}#{started.number} was given the metric {name!r}, which "
                    "the experiment does not declare",
                    hint="give it again with metrics=[…]",
                )
        return [declared[name] if name in own else name for name in given["metrics"]]

    # -- from declaration to work

    def prepare(
        self,
        parameters: Any = None,
        *,
        vary: Mapping[str, Any] | None = None,
        seeds: Iterable[int] | int | None = None,
        metrics: Iterable[Any] | None = None,
        runs: Sequence[LiveRun] = (),
    ) -> Prepared:
        """Load the data, compile the stages, check every name. Writes nothing.

        Raises
        ------
        UsageError
            Whatever in the declaration cannot be carried out.
        """
        return prepare(
            self,
            self.parameters if parameters is None else parameters,
            vary=vary or {},
            seeds=self.seeds if seeds is None else seeds_of(self.name, seeds),
            metrics=self.metrics if metrics is None else listed(self.name, "metrics", metrics),
            runs=[(dict(run.params), run.seed) for run in runs] or None,
        )

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
        if settings.executor == "inline" and jobs is None:
            settings = settings._replace(jobs=None)  # a setting for whoever has workers
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


class _opened:
    """A store for the length of a block; stays open where it is handed on or was given."""

    def __init__(self, store: Store | str | None) -> None:
        self._given = isinstance(store, Store)
        self.store = store if isinstance(store, Store) else open_store(store)

    def handed_on(self, launch: Launch, tally: Tally, prepared: Prepared) -> LaunchResult:
        """Return what a launch came to, with the store, which stays open after the block."""
        result = LaunchResult.of(self.store, launch, tally, prepared.blueprint.objective)
        self._given = True
        return result

    def __enter__(self) -> _opened:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._given:
            self.store.close()


def _name(metric: Any) -> str:
    """Return a metric by name."""
    if isinstance(metric, str):
        return metric
    return getattr(metric, "name", None) or called_name(metric)


def _observer(progress: bool | Observer | None) -> Observer | None:
    if progress is not None and not isinstance(progress, bool):
        return progress
    from .results.progress import progress_bar

    return progress_bar(progress)
