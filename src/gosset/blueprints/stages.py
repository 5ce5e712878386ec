"""Experiments of stages, a graph by argument names, and of steps, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from ..exceptions import MetricError
from ..metrics import resolve
from ..stages import Stage
from ..usercode import called_name
from .base import Blueprint, Translation, untranslated
from .scoring import known_objective, labels_view, score


def compile_stages(
    stages: Sequence[Stage], *, metrics: Iterable[Any] = (), views: Sequence[Stage] = ()
) -> Blueprint:
    """Return the blueprint of an experiment of user-declared stages.

    Parameters
    ----------
    stages : sequence of Stage
    metrics : iterable
        Names, stages or functions over the stages' outputs; built-in ones take ``truth``
        and ``predicted``.
    views : sequence of Stage
        Looks at the dataset that the stages may take.

    Raises
    ------
    MetricError
        A metric that is unknown, that needs what no stage gives, or that is the output of a
        stage which is no metric.
    """
    given = {output for stage in stages for output in stage.outputs}
    looks = list(views)
    if "labels" not in given and {"truth", "predicted"} <= given:
        looks.append(labels_view())
    provided = given | {output for look in looks for output in look.outputs}
    silent = {output for stage in stages if not stage.metrics for output in stage.outputs}
    asked = list(metrics)
    _check_scores(asked, stages)
    _check_given(asked, provided)
    scoring = score(asked, provided=provided, silent=silent)
    return Blueprint(
        kind="stages",
        stages=(*stages, *scoring.stages, *looks),
        translate=untranslated,
        scores={stage.name for stage in scoring.stages},
        objective=scoring.objective,
        description={
            "stages": [stage.name for stage in stages],
            "metrics": list(scoring.names),
        },
    )


def _check_scores(metrics: Iterable[Any], stages: Sequence[Stage]) -> None:
    """Raise for an asked-for metric that is what a stage gives, unless the stage is a metric."""
    plain = {output: stage for stage in stages if not stage.metric for output in stage.outputs}
    for metric in metrics:
        name = metric.name if isinstance(metric, Stage) else metric
        if isinstance(name, str) and name in plain:
            raise MetricError(
                f"{name!r} is what stage {plain[name].name!r} gives, which is no metric",
                hint="declare a function that returns the number with @gosset.metric",
            )


def _check_given(metrics: Iterable[Any], provided: Collection[str]) -> None:
    """Raise for a metric that looks at the results of an estimator, which stages have not."""
    for metric in metrics:
        found = resolve([metric], provided=provided)
        lacking = [s.name.rpartition("/")[2] for s in found.stages if s.view]
        if lacking and "results" not in provided:
            # The labels are told from the truth and the predictions, where these are given.
            words = [word for word in lacking if word != "labels"] or lacking
            raise MetricError(
                f"{found.metrics[0]} needs {' and '.join(map(repr, words))}, which no stage gives",
                hint=f"name outputs of a stage so: outputs={tuple(words)!r}",
            )


class Step:
    """A function of the run as the function of a stage; waits for the step before it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.__wrapped__ = function
        self.__name__ = called_name(function)
        self.__doc__ = function.__doc__

    def __call__(self, run: object, previous: object = None) -> object:
        """Call the function with the run alone."""
        return self.function(run)


def compile_steps(steps: Sequence[Callable[..., Any]], *, metrics: Iterable[Any] = ()) -> Blueprint:
    """Return the blueprint of an experiment of steps, carried out in order for each run.

    The names of parameters are free: a step reads them from ``run.params``. So are those of
    metrics, which steps log; one that goes by a known name has the known better end.

    Raises
    ------
    MetricError
        A metric that is not a name.
    """
    names = list(metrics)
    for name in names:
        if not isinstance(name, str):
            raise MetricError(
                f"steps log their metrics, so {name!r} cannot be computed from them",
                hint="name what is logged, e.g. metrics=['accuracy']",
            )
    stages: list[Stage] = []
    for declared in steps:
        function = declared.function if isinstance(declared, Stage) else declared
        name = called_name(function)
        inputs = {"run": "run"}
        if stages:
            inputs["previous"] = stages[-1].outputs[0]
        stages.append(
            Stage(
                name=name,
                function=Step(function),
                inputs=inputs,
                parameters={},
                outputs=(name,),
                cache=isinstance(declared, Stage) and declared.cache,
            )
        )
    return Blueprint(
        kind="steps",
        stages=tuple(stages),
        translate=_free,
        awaited=names,
        objective=next(filter(None, map(known_objective, names)), None),
        description={"stages": [stage.name for stage in stages], "metrics": [*names]},
    )


def _free(params: Mapping[str, object]) -> Translation:
    return Translation({}, {})
