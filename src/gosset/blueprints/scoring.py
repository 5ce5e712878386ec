"""Asked-for metrics as stages, one set for each part of the folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..entities import Direction
from ..metrics import in_part, resolve
from ..stages import Stage


@dataclass(frozen=True, slots=True)
class Scoring:
    """The metrics of an experiment.

    Attributes
    ----------
    stages : tuple of Stage
        Every metric stage that is needed, once for each part.
    names : tuple of str
        The asked-for outputs, of the test part.
    objective : tuple of (str, Direction) or None
        The first metric that has a better end.
    """

    stages: tuple[Stage, ...] = ()
    names: tuple[str, ...] = ()
    objective: tuple[str, Direction] | None = None


def score(
    metrics: Sequence[object],
    *,
    task: str | None,
    parts: Sequence[str] = ("test",),
    per_part: frozenset[str] = frozenset(),
    silent: frozenset[str] = frozenset(),
) -> Scoring:
    """Resolve `metrics` and wire them to each part.

    Parameters
    ----------
    metrics : sequence
        Names, metric stages or plain functions.
    task : str or None
        What the estimator does, which says what a name means; None for stages.
    parts : sequence of str
        ``test`` goes by plain names, the others are prefixed.
    per_part : frozenset of str
        Values that exist once for each part: the views of the results.
    silent : frozenset of str
        Outputs of stages declared with ``metrics=False``: what consumes them is left out.

    Raises
    ------
    MetricError
        A metric that is unknown or does not fit.
    """
    wanted: list[str] = []
    stages: dict[str, Stage] = {}
    for asked in metrics:
        resolved = resolve(asked, task)
        if any(silent.intersection(stage.inputs.values()) for stage in resolved.stages):
            continue
        wanted += [name for name in resolved.names if name not in wanted]
        for stage in resolved.stages:
            stages.setdefault(stage.name, stage)
    divided = _depending(stages, per_part)
    wired: list[Stage] = []
    for name, stage in stages.items():
        for part in parts if name in divided else ("test",):
            wired.append(_for_part(stage, part, per_part, stages, divided))
    directed = [
        (output, stage.direction)
        for stage in stages.values()
        for output in stage.outputs
        if output in wanted
    ]
    directions = dict(directed)
    objective = next(
        (
            (name, Direction(directions[name]))
            for name in wanted
            if directions.get(name, Direction.NONE) != Direction.NONE
        ),
        None,
    )
    return Scoring(tuple(wired), tuple(wanted), objective)


def _depending(stages: dict[str, Stage], per_part: frozenset[str]) -> set[str]:
    """Return the names of the metrics that rest on values of a part."""
    divided: set[str] = set()
    values = set(per_part)
    changed = True
    while changed:
        changed = False
        for name, stage in stages.items():
            takes = {*stage.inputs.values(), *stage.parameters}
            if name not in divided and takes & values:
                divided.add(name)
                values.update(stage.outputs)
                changed = True
    return divided


def _for_part(
    stage: Stage,
    part: str,
    per_part: frozenset[str],
    stages: dict[str, Stage],
    divided: set[str],
) -> Stage:
    if part == "test":
        return stage
    local = per_part | {o for name in divided for o in stages[name].outputs}
    moved = {a: in_part(v, part) for a, v in stage.inputs.items() if v in local}
    # An argument with a default becomes an input where the part gives its value.
    moved |= {a: in_part(a, part) for a in stage.parameters if a in local}
    parameters = {a: v for a, v in stage.parameters.items() if a not in moved}
    return replace(
        stage,
        name=in_part(stage.name, part),
        inputs={**stage.inputs, **moved},
        parameters=parameters,
        outputs=tuple(in_part(output, part) for output in stage.outputs),
    )
