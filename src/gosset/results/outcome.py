"""What a launch came to, in the hands of the user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..compare import Objective, best_group, first_objective, fold_counts, runs_frame
from ..entities import ComputationStatus, Launch, Run, Status
from ..exceptions import ExecutionError
from ..running.tally import Tally
from ..store import Store
from ..types import JSONValue
from .wire import launch_to_json
from .working import Work

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
    folds : mapping
        Digest of a split → number of its folds.
    work : Work
        What this very call did.
    """

    store: Store
    launch: Launch
    runs: list[Run]
    computations: Mapping[str, int]
    objective: Objective | None = None
    states: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    folds: Mapping[str, int] = field(default_factory=dict)
    work: Work = field(default_factory=Work)

    @classmethod
    def of(
        cls,
        store: Store,
        launch: Launch,
        tally: Tally,
        objective: Objective | None,
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
        return cls(
            store,
            launch,
            runs,
            counts,
            objective or first_objective(runs),
            states,
            folds=fold_counts(store.catalog, runs),
            work=Work.of(store, launch, runs, tally),
        )

    @property
    def status(self) -> Status:
        """How the launch ended."""
        return self.launch.status

    @property
    def best(self) -> Run | None:
        """The first run of the best parameter set, by the mean of the objective over its seeds."""
        return next(iter(best_group(self.runs, self.objective)), None)

    def output(
        self, run: Run | Launch | str, name: str, *, fold: int | None = None, trust: bool = False
    ) -> Any:
        """Return what a stage of a run (or one over all runs) gave; see :meth:`Store.output`."""
        return self.store.output(run, name, fold=fold, trust=trust)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per run: number, status, seed, parameters and metrics."""
        return runs_frame(self.runs)

    def summary(self) -> Summary:
        """Return what the launch came to, in words and one table; ``print`` shows it."""
        from .summary import summarise_launch

        return summarise_launch(self)

    def __str__(self) -> str:
        return str(self.summary())

    def to_dict(self) -> dict[str, JSONValue]:
        """Return the JSON that ``gosset run --json`` prints; ``duration`` is that of this call."""
        told = launch_to_json(
            self.launch,
            self.runs,
            computations=self.computations,
            objective=self.objective,
        )
        return {**told, "duration": self.work.seconds}

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
