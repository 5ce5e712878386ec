"""Stages: functions declared as steps of the work.

A stage says what it needs by its argument names, as pytest's fixtures do. An argument
without a default is the output of another stage (or a dataset, or a word of the run such
as ``fold`` or ``seed``); an argument with a default is a parameter that can be varied.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, overload

from .entities import Direction
from .exceptions import PipelineError
from .usercode import called_name

RUN_WORDS = ("run", "seed", "fold", "params", "config")
"""Argument names that the run itself answers."""


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A function declared as a step of the work. Made by :func:`stage`.

    Attributes
    ----------
    name : str
        Unique in a pipeline; the function's name unless given.
    function : callable
        What is called, with keyword arguments only.
    inputs : mapping
        Argument name → name of the value it takes, for arguments without a default.
    parameters : mapping
        Argument name → default, for arguments that have one.
    outputs : tuple of str
        Names of what it returns; one name means that the return value itself is it.
    over : str or None
        ``"folds"`` or ``"runs"``: each input that varies over them arrives collected, as a
        dictionary from the fold's number (the run's label) to the value.
    cache : bool
        Whether its outputs may be taken from, and are put into, the cache.
    view : bool
        A cheap, pure look at another value: made where it is used, never kept or counted.
    light : bool
        Cheap enough to be carried out wherever its inputs were made.
    metric : bool
        Its outputs are scores of the run.
    metrics : bool
        False: no metric is computed from its outputs.
    formats : mapping
        Output name → name of the serializer to use instead of the one chosen by type.
    depends : tuple
        Further functions, classes or values that count as part of its code.
    version : str
        Put in the place of the code in the cache key, where it is not empty.
    settled : bool
        Its inputs and parameters are as they stand; otherwise a default gives way where a
        stage or dataset gives a value of the argument's name.
    direction : Direction
        Which end of a metric is the good one.
    """

    name: str
    function: Callable[..., Any]
    inputs: Mapping[str, str]
    parameters: Mapping[str, object]
    outputs: tuple[str, ...]
    over: str | None = None
    cache: bool = True
    view: bool = False
    light: bool = False
    metric: bool = False
    metrics: bool = True
    formats: Mapping[str, str] = field(default_factory=dict)
    depends: tuple[object, ...] = ()
    version: str = ""
    settled: bool = False
    direction: Direction = Direction.NONE

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself, outside any run."""
        return self.function(*args, **kwargs)

    @property
    def __wrapped__(self) -> Callable[..., Any]:
        return self.function

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        return self.function.__doc__

    def renamed(self, name: str, *, outputs: Iterable[str]) -> Stage:
        """Return the same stage under another name, with its outputs named anew."""
        return replace(self, name=name, outputs=tuple(outputs))

    def rewired(self, values: Mapping[str, str]) -> Stage:
        """Return the same stage, taking other values: old name → new name."""
        inputs = {argument: values.get(value, value) for argument, value in self.inputs.items()}
        return replace(self, inputs=inputs)

    def __repr__(self) -> str:
        arguments = ", ".join([*self.inputs, *(f"{p}=…" for p in self.parameters)])
        return f"<stage {self.name}({arguments}) -> {', '.join(self.outputs)}>"


@overload
def stage(function: Callable[..., Any], /) -> Stage: ...
@overload
def stage(
    *,
    name: str | None = None,
    outputs: str | Iterable[str] | None = None,
    over: str | None = None,
    cache: bool | None = None,
    light: bool = False,
    metrics: bool = True,
    formats: Mapping[str, str] | None = None,
    depends: Iterable[object] = (),
    version: str = "",
) -> Callable[[Callable[..., Any]], Stage]: ...


def stage(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    outputs: str | Iterable[str] | None = None,
    over: str | None = None,
    cache: bool | None = None,
    light: bool = False,
    metrics: bool = True,
    formats: Mapping[str, str] | None = None,
    depends: Iterable[object] = (),
    version: str = "",
) -> Stage | Callable[[Callable[..., Any]], Stage]:
    """Declare a function as a stage.

    Parameters
    ----------
    function : callable
        Its arguments without a default name what it needs: outputs of other stages,
        datasets, or ``fold``, ``seed``, ``run``, ``params``, ``config``. Its arguments
        with a default are parameters.
    name : str, optional
        Instead of the function's own name.
    outputs : str or iterable of str, optional
        Names of the returned values, in order; by default one, named like the stage.
    over : {"folds", "runs"}, optional
        Collect the inputs over folds or runs: such an input arrives as a dictionary from
        the number of the fold, or from the label of the run (the values that tell it from
        the others, e.g. ``"lr=0.1, k=3"``), to the value.
    cache : bool, optional
        By default True, except for a stage that takes ``run``.
    light : bool
        The work is so small that it should not travel to another worker.
    metrics : bool
        False: no metric is computed from its outputs.
    formats : mapping, optional
        Output name → serializer name (``"json"``, ``"npy"``, ``"parquet"``, ``"pickle"`` …).
    depends : iterable, optional
        Functions, classes or values that the code reaches in ways that cannot be seen
        (``getattr``, registries): they become part of the code's digest.
    version : str, optional
        Stands for the code in the cache key: the stage is recomputed when you change it,
        and not when you change the code.

    Returns
    -------
    Stage
        It can still be called like the function.

    Raises
    ------
    PipelineError
        The signature cannot be a stage's: ``*args``, ``**kwargs`` or positional-only
        arguments, no or repeated output names, an unknown `over`.

    Examples
    --------
    >>> @stage
    ... def features(raw, min_count: int = 5):
    ...     return [word for word in raw if len(word) >= min_count]
    >>> features
    <stage features(raw, min_count=…) -> features>
    >>> features(["a", "word"], min_count=2)
    ['word']
    """
    declared = functools.partial(
        declare,
        name=name,
        outputs=outputs,
        over=over,
        cache=cache,
        light=light,
        metrics=metrics,
        formats=formats,
        depends=depends,
        version=version,
    )
    return declared if function is None else declared(function)


def declare(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    outputs: str | Iterable[str] | None = None,
    over: str | None = None,
    cache: bool | None = None,
    view: bool = False,
    light: bool = False,
    metric: bool = False,
    metrics: bool = True,
    formats: Mapping[str, str] | None = None,
    depends: Iterable[object] = (),
    version: str = "",
    direction: str = Direction.NONE,
) -> Stage:
    """Return a function as a stage of any kind: one of the user's, a view or a metric."""
    if isinstance(function, Stage):
        raise PipelineError(f"stage {function.name!r} is declared twice")
    if not callable(function):
        raise PipelineError(f"a stage is a function, not {type(function).__name__}")
    name = name or called_name(function)
    inputs, parameters = _arguments(name, function)
    names = (outputs,) if isinstance(outputs, str) else tuple(outputs or (name,))
    if len(set(names)) != len(names):
        raise PipelineError(f"stage {name!r} names an output twice: {', '.join(names)}")
    if over not in (None, "folds", "runs"):
        raise PipelineError(f"stage {name!r} is over {over!r}", hint="use 'folds' or 'runs'")
    unknown = sorted(set(formats or {}) - set(names))
    if unknown:
        raise PipelineError(
            f"stage {name!r} has a format for {unknown[0]!r}, which it does not return"
        )
    return Stage(
        name=name,
        function=function,
        inputs=inputs,
        parameters=parameters,
        outputs=names,
        over=over,
        cache="run" not in inputs if cache is None else cache,
        view=view,
        light=light or view or metric,
        metric=metric,
        metrics=metrics,
        formats=dict(formats or {}),
        depends=tuple(depends),
        version=version,
        direction=Direction(direction),
    )


def _arguments(
    stage: str, function: Callable[..., Any]
) -> tuple[dict[str, str], dict[str, object]]:
    """Return what a function takes: argument → name of the value, parameter → default."""
    inputs: dict[str, str] = {}
    parameters: dict[str, object] = {}
    for argument in inspect.signature(function).parameters.values():
        if argument.kind not in (argument.POSITIONAL_OR_KEYWORD, argument.KEYWORD_ONLY):
            raise PipelineError(
                f"stage {stage!r} has the argument '{argument}'",
                hint="name every argument, because the names say what the stage needs",
            )
        if argument.default is argument.empty:
            inputs[argument.name] = argument.name
        else:
            parameters[argument.name] = argument.default
    return inputs, parameters


def view(
    function: Callable[..., Any], *, name: str | None = None, outputs: Iterable[str] | None = None
) -> Stage:
    """Declare a cheap look at other values, such as the training rows of a fold."""
    return declare(function, name=name, outputs=outputs, view=True)
