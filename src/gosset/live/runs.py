"""The runs of a live experiment, by id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, TypeVar

from ..compare.runs import runs_frame
from ..displays import table
from ..entities import Run
from ..exceptions import NotFoundError, UsageError, did_you_mean
from .place import Place
from .run import LiveRun

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")

_SHOWN = 20


class LiveRuns(MutableMapping[str, LiveRun]):
    """Runs by id, in the order in which they came.

    Examples
    --------
    >>> runs = LiveRuns()
    >>> run = runs.add(LiveRun({"lr": 0.1}))
    >>> runs[run.id] is run, runs.first.params.lr, len(runs | LiveRuns())
    (True, 0.1, 1)
    """

    __slots__ = ("_runs", "place")

    def __init__(self, runs: Iterable[LiveRun] = (), place: Place | None = None) -> None:
        self.place = place or Place()
        self._runs = {run.id: run for run in runs}

    def __getitem__(self, id: str) -> LiveRun:
        try:
            return self._runs[id]
        except KeyError:
            raise NotFoundError(
                f"no run {id!r} here", hint=did_you_mean(str(id), self._runs) or "runs go by id"
            ) from None

    def __setitem__(self, id: str, run: LiveRun) -> None:
        if not isinstance(run, LiveRun):
            raise UsageError(f"{run!r} is no run of a live experiment", hint="use add_run(…)")
        if run.id != id:
            raise UsageError(f"{run!r} does not go by {id!r}", hint="use runs.add(run)")
        self._runs[id] = run

    def __delitem__(self, id: str) -> None:
        del self._runs[self[id].id]

    def __contains__(self, id: object) -> bool:
        return id in self._runs

    def __iter__(self) -> Iterator[str]:
        return iter(self._runs)

    def __len__(self) -> int:
        return len(self._runs)

    @property
    def first(self) -> LiveRun:
        """The one that came first.

        Raises
        ------
        NotFoundError
            There is none.
        """
        for run in self.values():
            return run
        raise NotFoundError("there are no runs yet", hint="add some, or execute the experiment")

    def add(self, run: LiveRun) -> LiveRun:
        """Add a run, and return it."""
        self[getattr(run, "id", "")] = run
        return run

    def apply(self, function: Callable[[LiveRun], T]) -> list[T]:
        """Return what a function returns for each run."""
        return [function(run) for run in self.values()]

    def __or__(self, other: Mapping[str, LiveRun]) -> LiveRuns:
        if not isinstance(other, Mapping):
            return NotImplemented
        return LiveRuns([*self.values(), *other.values()], self.place)

    def __ior__(self, other: Mapping[str, LiveRun]) -> LiveRuns:
        if not isinstance(other, Mapping):
            return NotImplemented
        self.update(other)
        return self

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each run: facts, parameters, metrics, and fields as plain data."""
        return runs_frame([run.entity for run in self.values()], fields=True)

    def take(
        self,
        entities: Iterable[Run],
        states: Mapping[str, Mapping[str, Any]],
        *,
        params: Mapping[str, Mapping[str, Any]],
        config: Mapping[str, Any],
    ) -> None:
        """Take what became of runs, those that are not here yet as well.

        Parameters
        ----------
        states : mapping
            Id of a run → what it left in ``state``.
        params : mapping
            Group of a run → its parameters, as they were given.
        """
        for entity in entities:
            state = states.get(entity.id)
            if entity.id in self._runs:
                self._runs[entity.id].renewed(entity, state)
            else:
                given = params.get(entity.group)
                self._runs[entity.id] = LiveRun.of(
                    entity, self.place, params=given, config=config, state=state
                )

    def __repr__(self) -> str:
        return f"<{len(self)} runs>"

    def _repr_html_(self) -> str:
        shown = list(self.values())[:_SHOWN]
        names = list(dict.fromkeys(name for run in shown for name in run.entity.params))
        metrics = list(dict.fromkeys(name for run in shown for name in run.metrics))
        rows = [
            [
                run.name,
                run.status,
                *(run.entity.params.get(name) for name in names),
                *(run.metrics[name].value if name in run.metrics else None for name in metrics),
            ]
            for run in shown
        ]
        note = f"{len(shown)} of {len(self)} runs" if len(self) > len(shown) else ""
        return table(["run", "status", *names, *metrics], rows, note)
