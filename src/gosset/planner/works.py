"""What a worker is given and what it gives back: plain data that travels by pickle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from ..entities import ArtifactRef, ComputationStatus, ExceptionInfo
from ..fingerprint import Planned, combine
from ..stages import Stage
from ..types import JSONValue


@dataclass(frozen=True, slots=True)
class Constant:
    """A value from outside the pipeline.

    Attributes
    ----------
    identity : str
        What a cache key says of it.
    origin : tuple
        How a worker comes by it: ``("dataset", digest, part)``, ``("fold", split, number)``,
        ``("value", value)`` or ``("run",)``.
    """

    identity: str
    origin: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Output:
    """An output of another piece of work of the same plan."""

    work: int
    name: str


@dataclass(frozen=True, slots=True)
class Look:
    """A view of other values, made where it is used."""

    view: str
    output: str
    inputs: tuple[tuple[str, Ref], ...]


@dataclass(frozen=True, slots=True)
class Collected:
    """Values collected over folds or runs: label → value."""

    values: tuple[tuple[str | int, Ref], ...]


Ref: TypeAlias = Constant | Output | Look | Collected


@dataclass(frozen=True, slots=True)
class Held:
    """What the cache holds under a key: outputs, and the files that the stage read past it."""

    outputs: tuple[ArtifactRef, ...]
    reads: tuple[str, ...] = ()


Candidates: TypeAlias = Mapping[str, Mapping[str, Held]]
"""Recipe → key → what the cache holds."""

LOGGED = "@logged"
"""Name of the extra output that holds what a stage logged to its run, so that a cached
computation brings it back: ``{"metrics": {…}, "fields": {…}, "tags": […], …}``. Where it does
not do, other outputs whose names begin with ``@`` hold the rest."""


def outputs_in(ref: Ref) -> Iterator[Output]:
    """Iterate over the outputs of other work that `ref` rests on."""
    yield from (each for each in within(ref) if isinstance(each, Output))


def within(ref: Ref) -> Iterator[Ref]:
    """Iterate over `ref` and all that it is made of."""
    yield ref
    match ref:
        case Look():
            children = [inner for _, inner in ref.inputs]
        case Collected():
            children = [inner for _, inner in ref.values]
        case _:
            children = []
    for inner in children:
        yield from within(inner)


def without_lost(
    inputs: Mapping[str, Ref], known: Callable[[Output], str | None]
) -> tuple[dict[str, Ref], tuple[str, ...]]:
    """Leave out of what is collected over runs those that lack one of the values.

    A run is left out of all inputs alike, so that they can be read side by side.

    Returns
    -------
    (dict, tuple of str)
        The inputs that remain, and the labels that were left out.
    """
    collected = {name: ref for name, ref in inputs.items() if isinstance(ref, Collected)}
    lost = {
        str(label): None
        for ref in collected.values()
        for label, inner in ref.values
        if any(known(output) is None for output in outputs_in(inner))
    }
    kept: dict[str, Ref] = {
        name: Collected(tuple(each for each in ref.values if str(each[0]) not in lost))
        for name, ref in collected.items()
    }
    return {**inputs, **kept}, tuple(lost)


def identity_of(
    ref: Ref, stages: Mapping[str, Stage], known: Callable[[Output], str | None]
) -> str | None:
    """Return what a cache key says of `ref`; None while an output under it is not known.

    Parameters
    ----------
    known : callable
        Returns the identity of an output, or None.
    """
    children: Sequence[tuple[str | int, Ref]]
    match ref:
        case Constant():
            return ref.identity
        case Output():
            return known(ref)
        case Look():
            # The version of a view is the digest of its code; who makes the plan sets it.
            view = stages[ref.view]
            parts = ["view", view.version or view.name, ref.output]
            children = ref.inputs
        case Collected():
            parts = ["collected"]
            children = ref.values
    for label, inner in children:
        identity = identity_of(inner, stages, known)
        if identity is None:
            return None
        parts += [str(label), identity]
    return combine(*parts)


def shape_of(ref: Ref) -> object:
    """Return what tells one unknown input from another: the work that it waits for."""
    match ref:
        case Output():
            return ("output", ref.work, ref.name)
        case Look():
            return ("look", ref.view, ref.output, *((a, shape_of(r)) for a, r in ref.inputs))
        case Collected():
            return ("collected", *((label, shape_of(r)) for label, r in ref.values))
        case Constant():
            return ref.identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One computation to be carried out (or found in the cache, once its inputs are known).

    Attributes
    ----------
    id : int
        Position in the plan.
    inputs : mapping
        Argument name → where its value comes from.
    parameters : mapping
        Argument name → value.
    recipe : str
        Digest of everything in the cache key but the inputs.
    cacheable : bool
    seed : int
        For the global generators, where the stage does not take ``seed`` itself and is
        not cached; else they are seeded by the key.
    files : tuple of Planned
        Files whose content is in the cache key.
    """

    id: int
    stage: str
    inputs: Mapping[str, Ref]
    parameters: Mapping[str, object]
    recipe: str
    cacheable: bool
    seed: int
    run: RunFacts | None = None
    fold: int | None = None
    files: tuple[Planned, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A function that is carried out on a run.

    Attributes
    ----------
    name : str
        Of the stage.
    source : str
        Text of the function; empty where it has none.
    """

    name: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What former executions left with a run.

    Attributes
    ----------
    fields : mapping
        Name → plain form, as lists and filters see them.
    kept : tuple of ArtifactRef
        Those in which the exact values of `fields` lie.
    state : bytes or None
        What the run left in ``state``: a mapping, by cloudpickle.
    tags : tuple of str
    """

    fields: Mapping[str, JSONValue] = field(default_factory=dict)
    kept: tuple[ArtifactRef, ...] = ()
    state: bytes | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts(Earlier):
    """What an active run tells about itself, in the worker.

    Attributes
    ----------
    steps : tuple of Step
        What is carried out on it, in order.
    following : mapping
        Metric → step of its next point for which none is given, where that is not 0.
    """

    id: str
    number: int
    name: str
    seed: int
    params: Mapping[str, object]
    config: Mapping[str, object]
    steps: tuple[Step, ...] = ()
    following: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """Work that goes to one worker together, in order.

    Attributes
    ----------
    known : mapping
        ``(work, output name)`` → artifact, for outputs made outside this task.
    """

    works: tuple[Work, ...]
    known: Mapping[tuple[int, str], ArtifactRef]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one piece of work.

    Attributes
    ----------
    damaged : tuple of str
        Digests of inputs whose bytes were missing or damaged; the work was not done.
    state : bytes or None
        The run's ``state`` after the stage, by cloudpickle, where it holds anything.
    reads : tuple of str
        Files that a stage that is cached read, now or when what the cache holds was computed,
        although their content is no part of its key.
    """

    work: int
    status: ComputationStatus
    key: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: tuple[ArtifactRef, ...] = ()
    started: datetime | None = None
    wall: float | None = None
    cpu: float | None = None
    memory: int | None = None
    log: str = ""
    exception: ExceptionInfo | None = None
    damaged: tuple[str, ...] = ()
    state: bytes | None = None
    warnings: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()


def key_of(recipe: str, identities: Mapping[str, str]) -> str:
    """Return the cache key of a recipe over inputs of these identities."""
    parts = [recipe]
    for argument in sorted(identities):
        parts += [argument, identities[argument]]
    return combine(*parts)
