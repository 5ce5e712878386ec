"""The decorator that declares a function as a metric."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, Literal, overload

from ..entities import Direction
from ..exceptions import MetricError, did_you_mean
from ..stages import Stage, declare

DirectionName = Literal["maximize", "minimize", "none"]


@overload
def metric(function: Callable[..., Any], /) -> Stage: ...
@overload
def metric(
    *,
    name: str | None = None,
    direction: DirectionName | None = None,
    outputs: str | Iterable[str] | None = None,
    over: str | None = None,
    depends: Iterable[object] = (),
    version: str = "",
) -> Callable[[Callable[..., Any]], Stage]: ...


def metric(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    direction: DirectionName | None = None,
    outputs: str | Iterable[str] | None = None,
    over: str | None = None,
    depends: Iterable[object] = (),
    version: str = "",
) -> Stage | Callable[[Callable[..., Any]], Stage]:
    """Declare a function as a metric: a stage whose outputs are scores of the run.

    Parameters
    ----------
    function : callable
        Its arguments without a default name what it consumes: per-row results (``truth``,
        ``predicted``, ``probabilities``, ``decision``, ``labels``, ``rows``,
        ``embedding``), another metric (``confusion_matrix``, ``errors``), or the output
        of any stage. It returns a number, or one for each name in `outputs`.
    name : str, optional
        Instead of the function's own name.
    direction : {"maximize", "minimize"}, optional
        Which end is the good one; by default neither.
    outputs : str or iterable of str, optional
        Names of several scores returned together.
    over : {"folds", "runs"}, optional
        Collect the inputs over folds or runs, as for any stage.
    depends, version
        As for any stage.

    Returns
    -------
    Stage
        It can still be called like the function.

    Raises
    ------
    MetricError
        The direction is none of the above.
    PipelineError
        The signature cannot be a stage's.

    Examples
    --------
    >>> @metric(direction="minimize")
    ... def cost(confusion_matrix, price: float = 5.0):
    ...     (_, false_alarms), (missed, _) = confusion_matrix["counts"]
    ...     return false_alarms + price * missed
    >>> cost({"labels": [0, 1], "counts": [[8, 1], [2, 9]]})
    11.0
    >>> cost.direction.value, dict(cost.inputs)
    ('minimize', {'confusion_matrix': 'confusion_matrix'})
    """
    if direction not in (None, *Direction):
        known = [way.value for way in Direction]
        raise MetricError(f"no direction {direction!r}", hint=did_you_mean(str(direction), known))
    declared = functools.partial(
        declare,
        name=name,
        outputs=outputs,
        over=over,
        metric=True,
        depends=depends,
        version=version,
        direction=direction or Direction.NONE,
    )
    return declared if function is None else declared(function)
