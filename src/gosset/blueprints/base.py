"""What every kind of experiment compiles to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from ..entities import Direction, Hyperparameter
from ..stages import Stage
from ..types import JSONValue


def _no_hyperparameters(params: Mapping[str, object]) -> tuple[Hyperparameter, ...]:
    return ()


def _no_fields(params: Mapping[str, object]) -> Mapping[str, JSONValue]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """An experiment as stages.

    Attributes
    ----------
    kind : str
        ``"estimator"``, ``"stages"`` or ``"steps"``.
    stages : sequence of Stage
        All of them: the user's, those of the kind, metrics and views.
    targets : sequence of str or None
        What is asked for; None: whatever no other stage takes.
    translate : callable
        Parameter set → stage → parameter → value, for names that are not those of stages.
        Returns also the rest, which the pipeline assigns.
    hyperparameters : callable
        Parameter set → effective parameters.
    fields : callable
        Parameter set → what else is kept with its runs, to search by.
    scores : collection of str
        Names of the stages that are there for the asked-for metrics alone.
    awaited : collection of str
        Names of the metrics that runs are to log by themselves.
    components : mapping
        Name → object whose code or value belongs to the code version besides the stages.
    objective : tuple of (str, Direction) or None
        The first metric, by which the best run is told.
    description : mapping
        For the experiment's definition.
    """

    kind: str
    stages: Sequence[Stage]
    targets: Sequence[str] | None = None
    translate: Callable[[Mapping[str, object]], Translation]
    hyperparameters: Callable[[Mapping[str, object]], tuple[Hyperparameter, ...]] = (
        _no_hyperparameters
    )
    fields: Callable[[Mapping[str, object]], Mapping[str, JSONValue]] = _no_fields
    scores: Collection[str] = ()
    awaited: Collection[str] = ()
    components: Mapping[str, object] = field(default_factory=dict)
    objective: tuple[str, Direction] | None = None
    description: Mapping[str, JSONValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Translation:
    """A parameter set, divided.

    Attributes
    ----------
    assigned : mapping
        Stage → parameter → value.
    rest : mapping
        Names for the pipeline to assign.
    """

    assigned: Mapping[str, Mapping[str, object]]
    rest: Mapping[str, object]


def untranslated(params: Mapping[str, object]) -> Translation:
    """Leave all parameters to the pipeline."""
    return Translation({}, params)
