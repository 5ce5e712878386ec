"""What a launch came to, in the hands of the user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING, Any

from ..entities import ComputationStatus, Direction, Experiment, Launch, Run, Status
from ..exceptions import ExecutionError
from ..running.measuring import foremost, mean
from ..running.runner import Tally
from ..store import Store
from ..types import JSONValue
from .wire import launch_to_json

if TYPE_CHECKING:
    import pandas as pd

    from .summary import Summary


@dataclass(frozen=True, slots=True)
class LaunchResult:
    """A launch that came to its end.

    Attributes
    ----------
    store : Store
        Where everything lies; stays open.
    launch : Launch
    runs : list of Run
        In the order of the parameter sets.
    computations : mapping
        ``computed``, ``cached``, ``failed``, ``skipped`` → count.
    objective : tuple of (str, Direction) or None
        The metric that tells the best run.
    states : mapping
        Run id → what the run left in ``state``.
    """

    store: Store
    launch: Launch
    runs: list[Run]
    computations: Mapping[str, int]
    objective: tuple[str, Direction] | None = None
    states: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        store: Store,
        launch: Launch,
        tally: Tally,
        objective: tuple[str, Direction] | None,
    ) -> LaunchResult:
        """Read what a launch came to from `store`."""
        runs = store.runs_of(launch)
        counts = {str(s): tally.computations.get(s, 0) for s in ComputationStatus}
        states: dict[str, Mapping[str, Any]] = {}
        if tally.states:
            import cloudpickle

            # Made by our own worker a moment ago, so it may be unpickled.
            for run, left in tally.states.items():
                states[run] = {k: v for state in left for k, v in cloudpickle.loads(state).items()}
        return cls(store, launch, runs, counts, objective or _guess(runs), states)

    @property
    def status(self) -> Status:
        """How the launch ended."""
        return self.launch.status

    @property
    def best(self) -> Run | None:
        """The first run of the best parameter set, by the mean of the objective over its seeds."""
        return best_run(self.runs, self.objective)

    def output(
        self, run: Run | Launch | str, name: str, *, fold: int | None = None, trust: bool = False
    ) -> Any:
        """Return what a stage of a run (or one over all runs) gave; see :meth:`Store.output`."""
        return self.store.output(run, name, fold=fold, trust=trust)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per run: number, status, seed, parameters and metrics."""
        from ..compare import runs_frame

        return runs_frame(self.runs)

    def summary(self) -> Summary:
        """Return what the launch came to, in words and one table; ``print`` shows it."""
        from .summary import summarise_launch

        return summarise_launch(
            self.launch,
            self.runs,
            computations=self.computations,
            objective=self.objective,
            url=self.store.url,
        )

    def __str__(self) -> str:
        return str(self.summary())

    def to_dict(self) -> dict[str, JSONValue]:
        """Return the JSON that ``gosset run --json`` prints."""
        return launch_to_json(
            self.launch,
            self.runs,
            computations=self.computations,
            best=self.best,
            objective=self.objective,
        )

    def raise_for_status(self) -> None:
        """Raise ExecutionError naming the first run, or else aggregate, that failed."""
        failed = [run for run in self.runs if run.status is not Status.COMPLETE]
        if failed:
            first = failed[0]
            what = first.exception.line if first.exception else first.status.label
            raise ExecutionError(
                f"{len(failed)} of {len(self.runs)} runs did not complete; {first.name}: {what}",
                hint=f"see gosset show {first.name}",
            )
        for computation in self.store.catalog.computations(launch_id=self.launch.id):
            if computation.exception is not None:
                raise ExecutionError(
                    f"stage {computation.stage!r} over the runs failed: "
                    f"{computation.exception.line}"
                )

    def __repr__(self) -> str:
        complete = sum(run.status is Status.COMPLETE for run in self.runs)
        return (
            f"<launch {self.launch.experiment}#{self.launch.number} {self.launch.status}: "
            f"{complete} of {len(self.runs)} runs complete>"
        )


def best_run(runs: Sequence[Run], objective: tuple[str, Direction] | None) -> Run | None:
    """Return the first complete run of the best parameter set.

    Sets are ranked by the mean of the objective over their complete runs, which differ in
    the seed alone: one lucky seed makes no best set.

    Examples
    --------
    >>> best_run([], ("accuracy", Direction.MAXIMIZE)) is None
    True
    """
    if objective is None:
        return None
    name, direction = objective
    sign = -1.0 if direction is Direction.MINIMIZE else 1.0
    groups: dict[str, list[Run]] = {}
    for run in runs:
        if run.status is Status.COMPLETE and name in run.metrics:
            groups.setdefault(run.group, []).append(run)
    means = {
        group: mean([run.metrics[name].value for run in members])
        for group, members in groups.items()
    }
    ranked = {group: sign * score for group, score in means.items() if not isnan(score)}
    return groups[max(ranked, key=ranked.__getitem__)][0] if ranked else None


def objective_of(experiment: Experiment, runs: Sequence[Run]) -> tuple[str, Direction] | None:
    """Return the metric that tells the best run: as it was declared, else the first that can."""
    declared = experiment.definition.get("objective")
    if isinstance(declared, Mapping):
        return str(declared["metric"]), Direction(str(declared["direction"]))
    return _guess(runs)


def _guess(runs: Sequence[Run]) -> tuple[str, Direction] | None:
    """Return the first metric that has a better end."""
    names = foremost(name for run in runs for name in run.metrics)
    for run in runs:
        for metric in run.metrics.values():
            if metric.direction is not Direction.NONE and metric.name in names:
                return metric.name, metric.direction
    return None
