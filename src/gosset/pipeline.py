"""The checked graph of stages: who gives what, and how often each is carried out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from .exceptions import ParameterError, PipelineError, did_you_mean
from .fingerprint import File
from .graph import topological
from .stages import Stage
from .types import UNSET


class Scope(IntEnum):
    """How often a value is made. A stage has the widest scope of its inputs."""

    CONSTANT = 0  # once for all: a dataset
    LAUNCH = 1  # once in a launch: an aggregate over runs
    RUN = 2  # once in every run
    FOLD = 3  # once on every fold of every run


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Stages that fit together. Made by :func:`build`.

    Attributes
    ----------
    stages : mapping
        Name → stage, in an order in which each comes after what it needs.
    producers : mapping
        Value name → name of the stage that gives it.
    sources : mapping
        Value name → scope, of the values that are given from outside.
    scopes : mapping
        Stage name → scope.
    """

    stages: Mapping[str, Stage]
    producers: Mapping[str, str]
    sources: Mapping[str, Scope]
    scopes: Mapping[str, Scope]

    def scope_of(self, value: str) -> Scope:
        """Return how often the value named `value` is made."""
        if value in self.producers:
            return self.scopes[self.producers[value]]
        return self.sources[value]

    def leaves(self) -> list[str]:
        """Return the stages whose outputs no other stage takes: what is asked for by default."""
        taken = {value for stage in self.stages.values() for value in stage.inputs.values()}
        return [
            name
            for name, stage in self.stages.items()
            if not stage.view and taken.isdisjoint(stage.outputs)
        ]

    def parameters(self) -> dict[str, list[str]]:
        """Return parameter name → the stages that declare it."""
        found: dict[str, list[str]] = {}
        for name, stage in self.stages.items():
            for parameter in stage.parameters:
                found.setdefault(parameter, []).append(name)
        return found

    def assign(
        self,
        params: Mapping[str, object],
        settled: Mapping[str, Mapping[str, object]] | None = None,
    ) -> dict[str, dict[str, object]]:
        """Return stage → its parameters' values under the parameter set `params`.

        ``lr`` reaches every stage that declares ``lr``; ``trained.lr`` only the stage
        ``trained``, before which the plain name gives way. Defaults fill the rest. In the
        place of a file a text is the path of another one.

        Parameters
        ----------
        params : mapping
        settled : mapping, optional
            Stage → parameter → value, where a value was found in another way.

        Raises
        ------
        ParameterError
            A name that no stage takes, or a parameter without a default that is not given.
        """
        self.check_parameters(params)
        settled = settled or {}
        assigned: dict[str, dict[str, object]] = {}
        for name, stage in self.stages.items():
            if not stage.parameters:
                continue
            values = {
                parameter: params.get(f"{name}.{parameter}", params.get(parameter, default))
                for parameter, default in stage.parameters.items()
            }
            values |= settled.get(name, {})
            for parameter, default in stage.parameters.items():
                if isinstance(default, File) and isinstance(values[parameter], str):
                    values[parameter] = File(str(values[parameter]))
            missing = [parameter for parameter, value in values.items() if value is UNSET]
            if missing:
                raise ParameterError(
                    f"stage {name!r} needs the parameter {missing[0]!r}",
                    hint=f"give it as {name}.{missing[0]}, or give the argument a default",
                )
            assigned[name] = values
        return assigned

    def check_parameters(self, names: Iterable[str]) -> None:
        """Raise ParameterError for a name that no stage takes."""
        declared = self.parameters()
        known = {
            *declared,
            *(f"{stage}.{parameter}" for parameter, stages in declared.items() for stage in stages),
        }
        for name in names:
            if name not in known:
                raise ParameterError(
                    f"no stage takes the parameter {name!r}", hint=did_you_mean(name, known)
                )


def build(
    stages: Sequence[Stage],
    sources: Mapping[str, Scope],
    *,
    given: Iterable[str] = (),
) -> Pipeline:
    """Check that `stages` fit together and return their pipeline.

    Parameters
    ----------
    stages : sequence of Stage
        In any order.
    sources : mapping
        Name → scope of what is given from outside: datasets, ``fold``, ``seed`` …
        A stage's output of the same name goes before a source.
    given : iterable of str
        Names of parameters that the parameter sets give, plain or ``stage.parameter``: an
        argument without a default may be one of them.

    Raises
    ------
    PipelineError
        Two stages of one name, two outputs of one name, an input that nothing gives, a
        cycle, or an aggregate with nothing to collect.

    Examples
    --------
    >>> from gosset.stages import stage
    >>> @stage
    ... def words(text): return text.split()
    >>> @stage
    ... def count(words, per: int = 1): return len(words) / per
    >>> pipeline = build([count, words], {"text": Scope.CONSTANT})
    >>> list(pipeline.stages), pipeline.leaves()
    (['words', 'count'], ['count'])
    """
    producers = _producers(stages)
    given = set(given)
    bound = {stage.name: _bind(stage, producers, sources, given) for stage in stages}
    needs = {
        name: [producers[value] for value in stage.inputs.values() if value in producers]
        for name, stage in bound.items()
    }
    ordered = {name: bound[name] for name in topological(needs)}
    scopes: dict[str, Scope] = {}
    for name, stage in ordered.items():
        scopes[name] = _scope(stage, producers, sources, scopes)
    return Pipeline(ordered, producers, dict(sources), scopes)


def _producers(stages: Sequence[Stage]) -> dict[str, str]:
    producers: dict[str, str] = {}
    names: set[str] = set()
    for stage in stages:
        if stage.name in names:
            raise PipelineError(
                f"two stages are named {stage.name!r}", hint="give one of them name='…'"
            )
        names.add(stage.name)
        for output in stage.outputs:
            if output in producers:
                raise PipelineError(
                    f"stages {producers[output]!r} and {stage.name!r} both give {output!r}",
                    hint="name the outputs apart with outputs=(…)",
                )
            producers[output] = stage.name
    return producers


def _bind(
    stage: Stage,
    producers: Mapping[str, str],
    sources: Mapping[str, Scope],
    given: set[str],
) -> Stage:
    """Settle which arguments are inputs and which are parameters."""
    fixed = stage.view or stage.settled
    inputs: dict[str, str] = {}
    parameters = dict(stage.parameters)
    for argument, value in stage.inputs.items():
        if value in producers or value in sources:
            inputs[argument] = value
        elif not fixed and (argument in given or f"{stage.name}.{argument}" in given):
            parameters[argument] = UNSET
        else:
            raise PipelineError(
                f"stage {stage.name!r} needs {value!r}, which no stage or dataset gives",
                hint=did_you_mean(value, [*producers, *sources]),
            )
    for argument in () if fixed else stage.parameters:
        # A default stands in only where nothing gives the value.
        produced = argument in producers and producers[argument] != stage.name
        if produced or argument in sources:
            inputs[argument] = argument
            del parameters[argument]
    return replace(stage, inputs=inputs, parameters=parameters)


def _scope(
    stage: Stage,
    producers: Mapping[str, str],
    sources: Mapping[str, Scope],
    scopes: Mapping[str, Scope],
) -> Scope:
    of_inputs = [
        scopes[producers[value]] if value in producers else sources[value]
        for value in stage.inputs.values()
    ]
    widest = max(of_inputs, default=Scope.CONSTANT)
    if stage.view:
        return widest
    if stage.over == "folds":
        if widest is not Scope.FOLD:
            raise PipelineError(
                f"stage {stage.name!r} is over folds, but none of its inputs depends on the fold",
                hint="take the output of a stage that takes `fold`, or drop over='folds'",
            )
        return Scope.RUN
    if stage.over == "runs":
        if widest < Scope.RUN:
            raise PipelineError(
                f"stage {stage.name!r} is over runs, but none of its inputs depends on the run",
                hint="take the output of another stage, or drop over='runs'",
            )
        return Scope.LAUNCH
    if widest is Scope.LAUNCH:
        return Scope.LAUNCH
    # A stage of constants alone still belongs to a run: its parameters are the run's.
    return max(widest, Scope.RUN)
