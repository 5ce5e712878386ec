"""The runs of a launch, and what it came to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..entities import ComputationStatus, Hyperparameter, Run, Status
from ..planner.works import Outcome
from ..storage.news import News
from ..types import JSONValue


@dataclass(slots=True, kw_only=True)
class Member:
    """A run of the launch, with what is written of it besides its outcomes.

    Attributes
    ----------
    goes_on : bool
        What earlier executions left with the run stays; else its series, artifacts and fields
        begin anew with a further attempt.
    news : sequence of News
        What was said of it before it was in the store: it is said again where it begins anew.
    """

    run: Run
    execution: int
    hyperparameters: tuple[Hyperparameter, ...] = ()
    fields: Mapping[str, JSONValue] = field(default_factory=dict)
    attempt: int = 1
    goes_on: bool = False
    news: Sequence[News] = ()


@dataclass(slots=True)
class Tally:
    """What a launch came to.

    Attributes
    ----------
    computations : mapping
        Status → count.
    runs : mapping
        Run id → status.
    damaged : list of str
        Digests of artifacts that could not be read: plan again without them.
    outcomes : mapping
        Key → outcome, of what was computed.
    states : mapping
        Run id → what its stages left in ``state``, pickled, in the order in which they ended.
    """

    computations: dict[ComputationStatus, int] = field(default_factory=lambda: defaultdict(int))
    runs: dict[str, Status] = field(default_factory=dict)
    states: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    damaged: list[str] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether nothing failed, no aggregate either, and every run is complete."""
        failed = self.computations.get(ComputationStatus.FAILED, 0)
        return not failed and all(status is Status.COMPLETE for status in self.runs.values())
