"""Experiments of stages: a graph by argument names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..entities import Direction
from ..stages import Stage
from .base import Blueprint, untranslated
from .scoring import Scoring


def compile_stages(
    stages: Sequence[Stage], *, scoring: Scoring, views: Sequence[Stage] = ()
) -> Blueprint:
    """Return the blueprint of an experiment of user-declared stages.

    Parameters
    ----------
    stages : sequence of Stage
    scoring : Scoring
        The asked-for metrics.
    views : sequence of Stage
        Looks at the dataset that the stages may take.
    """
    return Blueprint(
        kind="stages",
        stages=(*stages, *scoring.stages, *views),
        translate=untranslated,
        objective=scoring.objective,
        description={"stages": [stage.name for stage in stages]},
    )


class Step:
    """A function of the run as the function of a stage; waits for the step before it."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.__wrapped__ = function
        self.__name__ = getattr(function, "__name__", type(function).__name__)
        self.__doc__ = function.__doc__

    def __call__(self, run: object, previous: object = None) -> object:
        return self.function(run)


def compile_steps(steps: Sequence[Any]) -> Blueprint:
    """Return the blueprint of an experiment of steps, carried out in order for each run.

    The names of parameters are free: a step reads them from ``run.params``.
    """
    stages: list[Stage] = []
    for position, function in enumerate(steps):
        if isinstance(function, Stage):
            function = function.function
        name = getattr(function, "__name__", f"step{position}")
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
                cache=False,
            )
        )

    def translate(params: Mapping[str, object]) -> Any:
        from .base import Translation

        return Translation({}, {})

    return Blueprint(
        kind="steps",
        stages=tuple(stages),
        translate=translate,
        objective=None,
        description={"stages": [stage.name for stage in stages]},
    )


__all__ = ["Direction", "Step", "compile_stages", "compile_steps"]
