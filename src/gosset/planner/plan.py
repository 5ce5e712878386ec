"""What a plan says: pieces of work, where each belongs, and what is to be done about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ..entities import ArtifactRef, CacheEntry
from ..fingerprint import Planned
from ..pipeline import Pipeline
from ..stages import Stage
from .works import Candidates, Constant, Held, Ref, RunFacts, outputs_in


class Action(StrEnum):
    """What a plan means to do about a piece of work."""

    COMPUTE = "compute"
    LOAD = "load"  # cached, and its value is needed
    SKIP = "skip"  # nothing needs it


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """One run, as the planner sees it.

    Attributes
    ----------
    label : str
        Unique in the launch and the same in every launch of the same parameter sets.
    assigned : mapping
        Stage → parameter → value.
    folds : int
        How many folds its split has.
    done : bool
        It came to its end earlier: nothing is done for it but what an aggregate over runs
        takes from it.
    """

    facts: RunFacts
    label: str
    assigned: Mapping[str, Mapping[str, object]]
    folds: int
    split: str = ""
    done: bool = False


Sources = Callable[[str, RunPlan | None, int | None], Constant]
"""``(name, run, fold)`` → the value from outside that goes by this name there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """What the planner asks of the cache.

    Attributes
    ----------
    entries : callable
        Keys → the entries that are there.
    candidates : callable
        Recipes → the entries made by each.
    present : callable
        Whether the bytes of an artifact can be had.
    """

    entries: Callable[[Iterable[str]], Mapping[str, CacheEntry]]
    candidates: Callable[[Iterable[str]], Mapping[str, Sequence[CacheEntry]]]
    present: Callable[[ArtifactRef], bool]


def no_cache() -> Lookup:
    """Return a lookup that finds nothing."""
    return Lookup(
        entries=lambda keys: {}, candidates=lambda recipes: {}, present=lambda artifact: False
    )


@dataclass(slots=True, kw_only=True)
class Item:
    """A distinct piece of work in a plan.

    Attributes
    ----------
    key : str or None
        None while an input is not known yet.
    entry : CacheEntry or None
        What the cache holds under the key.
    why : str
        In words.
    files : tuple of Planned
        Files whose content is in the key, as of this plan.
    """

    id: int
    stage: Stage
    inputs: dict[str, Ref]
    parameters: Mapping[str, object]
    recipe: str
    code: str
    run: RunPlan | None
    fold: int | None
    files: tuple[Planned, ...] = ()
    identities: dict[str, str | None] = field(default_factory=dict)
    key: str | None = None
    entry: CacheEntry | None = None
    action: Action = Action.SKIP
    why: str = ""
    candidates: Mapping[str, Held] = field(default_factory=dict)

    def needs(self) -> set[int]:
        """Return the ids of the work that this one rests on."""
        return {output.work for ref in self.inputs.values() for output in outputs_in(ref)}


@dataclass(frozen=True, slots=True)
class Place:
    """One computation: a stage of a run on a fold, and the work that settles it.

    Attributes
    ----------
    run : int or None
        Position of the run in the launch; None for a stage over runs.
    """

    run: int | None
    stage: str
    fold: int | None
    item: int


@dataclass(frozen=True, slots=True, repr=False)
class Plan:
    """What a launch is going to do.

    Attributes
    ----------
    items : list of Item
        Each after those that it rests on.
    places : list of Place
        Every computation of every run that is not done yet.
    """

    pipeline: Pipeline
    items: list[Item]
    places: list[Place]

    @property
    def runs(self) -> int:
        """How many runs there is something to settle for."""
        return len({place.run for place in self.places} - {None})

    def candidates(self) -> Candidates:
        """Return what the cache holds for work whose inputs are not known yet."""
        return {item.recipe: item.candidates for item in self.items if item.candidates}

    def entries_with(self, digests: Iterable[str]) -> set[str]:
        """Return the keys of the cache entries that it counts on and that hold an artifact
        of `digests`."""
        sought = set(digests)
        counted_on = [
            *((i.entry.key, i.entry.outputs) for i in self.items if i.entry is not None),
            *((k, held.outputs) for made in self.candidates().values() for k, held in made.items()),
        ]
        return {key for key, held in counted_on if any(a.digest in sought for a in held)}

    def settled(self) -> Iterator[tuple[Place, Action, str]]:
        """Iterate over the computations, each with what is done about it and why.

        What several runs share is computed once: the others load it.
        """
        seen: set[int] = set()
        for place in self.places:
            item = self.items[place.item]
            if item.action is Action.COMPUTE and item.id in seen:
                yield place, Action.LOAD, "another run of this launch computes the same"
            else:
                yield place, item.action, item.why
            seen.add(item.id)

    def by_stage(self) -> dict[str, Counter[Action]]:
        """Return stage → action → count; of runs that share work, one computes it."""
        counted: dict[str, Counter[Action]] = {}
        for place, action, _ in self.settled():
            counted.setdefault(place.stage, Counter())[action] += 1
        return counted

    def counts(self) -> Counter[Action]:
        """Return action → how many computations (not pieces of work) it concerns."""
        return sum(self.by_stage().values(), Counter())

    def reasons(self) -> dict[str, Counter[str]]:
        """Return stage → why, in words → for how many of its computations."""
        counted: dict[str, Counter[str]] = {}
        for place, _, why in self.settled():
            counted.setdefault(place.stage, Counter())[why] += 1
        return counted

    def __str__(self) -> str:
        counted = self.by_stage()
        width = max(map(len, counted), default=0)
        lines = [f"  {stage:{width}}  {_told(count)}" for stage, count in counted.items()]
        return "\n".join([repr(self)[1:-1], *lines])

    def __repr__(self) -> str:
        return f"<plan of {self.runs} run{'s' * (self.runs != 1)}: {_told(self.counts())}>"


def _told(counted: Counter[Action]) -> str:
    return ", ".join(f"{counted[a]} to {a}" for a in Action if counted[a]) or "nothing to do"
