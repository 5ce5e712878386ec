"""An experiment and the runs in its hands: added, united, copied, loaded, deleted."""

from __future__ import annotations

import copy as copying
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

from ..compiling.checks import name_of, seeds_of
from ..compiling.declaration import Declaration
from ..entities import Experiment as Entity
from ..exceptions import UsageError, did_you_mean
from ..filters import And, Expression, equal, parse
from ..identifiers import new_id, short_name
from ..parameters import expand, override
from ..store import Store, open_store
from .copying import copied
from .place import Place
from .run import LiveRun
from .runs import LiveRuns


class Holding(Declaration):
    """An experiment with the runs in its hands: those added, carried out last, or loaded.

    Attributes
    ----------
    runs : LiveRuns
        By id.
    """

    __slots__ = ("_runs",)

    @property
    def runs(self) -> LiveRuns:
        """The runs in hand, by id."""
        if not hasattr(self, "_runs"):
            self._runs = LiveRuns(place=Place(self.store))
        return self._runs

    @runs.setter
    def runs(self, runs: LiveRuns) -> None:
        self._runs = runs

    def add_run(self, *, seed: int | None = None, **params: Any) -> LiveRun:
        """Add a run with these parameters, for the next :meth:`execute`; return it."""
        given = self.seeds[0] if seed is None else seeds_of(self.name, seed)[0]
        return self._add(params, given)

    def add_runs(
        self, parameters: Any = None, *, seeds: Iterable[int] | None = None, **vary: Any
    ) -> Self:
        """Add runs with all parameter sets and all seeds, for the next :meth:`execute`.

        Parameters
        ----------
        parameters : optional
            As of the experiment; by default none but those of `vary`.
        seeds : iterable of int, optional
            By default the experiment's.
        **vary
            Name → alternatives: ``add_runs(A=[1, 2], B=[3, 4])`` adds four runs.

        Returns
        -------
        Experiment
            The same one.

        Raises
        ------
        UsageError, ParameterError
            A parameter without alternatives, or what is no parameter space.
        """
        chosen = self.seeds if seeds is None else seeds_of(self.name, seeds)
        for params in expand(override(parameters, vary)):
            for seed in chosen:
                self._add(params, seed)
        return self

    def _add(self, params: Mapping[str, Any], seed: int) -> LiveRun:
        run = LiveRun(
            params,
            seed=seed,
            config=self.config,
            place=self.runs.place,
            experiment=self.name,
            project=self.project_name,
        )
        return self.runs.add(run)

    if not TYPE_CHECKING:  # or it would take any name for one that an experiment has

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            raise AttributeError(f"an experiment has no {name!r}{_meant(name)}")

        def __setattr__(self, name: str, value: Any) -> None:
            try:
                object.__setattr__(self, name, value)
            except AttributeError:
                raise AttributeError(f"an experiment takes no {name!r}{_meant(name)}") from None

    # -- several experiments

    def merge(self, *others: Holding) -> Self:
        """Take the runs of other experiments in hand, too; return the same experiment.

        They stay what they are in the store. Where further steps are carried out on runs of
        another experiment, these are copied into this one first.
        """
        for other in others:
            if not isinstance(other, Holding):
                raise UsageError(f"{other!r} is no experiment", hint="merge(experiment)")
            self.runs.place.check(other.runs.place)
            self.runs.update(other.runs)
        return self

    def __or__(self, other: Holding) -> Self:
        """Return a new experiment, without work of its own, with the runs of both in hand."""
        if not isinstance(other, Holding):
            return NotImplemented
        self.runs.place.check(other.runs.place)
        made = type(self)(project=self.project_name, store=self.store, config=_common(self, other))
        made.runs = self.runs | other.runs
        return made

    def __ior__(self, other: Holding) -> Self:
        """Take the runs of another experiment in hand, too; name and id stay."""
        return self.merge(other) if isinstance(other, Holding) else NotImplemented

    def copy(self, name: str | None = None) -> Self:
        """Return a copy with runs of its own, under another name.

        Runs that are in the store are copied there, with parameters, metrics, points, fields,
        tags and artifacts; the field ``copied_from`` names the original. Others become new
        ones.

        Parameters
        ----------
        name : str, optional
            By default six characters that follow from the copy's id.

        Raises
        ------
        UsageError
            There is an experiment of that name.
        """
        made = copying.copy(self)
        made.id = new_id()
        made.name = short_name(made.id) if name is None else name_of("an experiment", name)
        made._runs = LiveRuns(place=self.runs.place)
        self._check_new(made.name)
        self._copy_into(made, list(self.runs.values()))
        return made

    def _check_new(self, name: str) -> None:
        where = equal(project=self.project_name, name=name)
        there = any(run.stored for run in self.runs.values()) and bool(
            self.runs.place.opened().select("experiments", where)
        )
        if there or name == self.name:
            raise UsageError(
                f"there is an experiment {name!r} already", hint="give the copy another name"
            )

    def _copy_into(self, made: Holding, runs: list[LiveRun]) -> None:
        """Fill another experiment with copies of runs, in their order."""
        entities = [run.entity for run in runs if run.stored]
        copies = {}
        if entities:
            copies = copied(
                self.runs.place.opened(),
                entities,
                project=made.project_name,
                experiment=made.name,
                id=made.id,
            )
        for run in runs:
            if run.stored:
                made.runs.add(run.copied(copies[run.id]))
            else:
                made.runs.add(run.anew(experiment=made.name, project=made.project_name))

    # -- from the store and out of it

    @classmethod
    def load(
        cls,
        reference: str,
        *,
        project: str | None = None,
        filter: str | Expression | None = None,
        store: Store | str | None = None,
    ) -> Self:
        """Return an experiment of the store, with its runs in hand.

        The store keeps no functions: what is carried out further is given by
        ``execute(steps=[…])``.

        Parameters
        ----------
        reference : str
            Name or id of the experiment.
        project : str, optional
            Its project, where the name alone is not enough.
        filter : str or Expression, optional
            Only these runs.
        store : Store or str, optional

        Raises
        ------
        NotFoundError
            There is no such experiment.
        """
        if not isinstance(reference, str):
            raise UsageError(f"an experiment goes by its name or id, not by {reference!r}")
        place = Place(store=store) if isinstance(store, Store) else Place(store)
        if not isinstance(store, Store):
            place.use(open_store(store, create=False))
        opened = place.opened()
        found = opened.catalog.find("experiments", reference, project=project)
        assert isinstance(found, Entity)
        config = found.definition.get("config")
        made = cls(
            found.name,
            project=found.project,
            description=found.description,
            config=config if isinstance(config, Mapping) else None,
            store=place.url,
        )
        made.id = found.id
        made._runs = LiveRuns(place=place)
        where = equal(project=found.project, experiment=found.name)
        chosen = parse(filter) if isinstance(filter, str) else filter
        where = where if chosen is None else And((where, chosen))
        for entity in opened.runs(where, order_by="number"):
            made.runs.add(LiveRun.of(entity, place))
        return made

    def reload(self) -> Self:
        """Return the experiment with its runs as the store has them now.

        What only this process has is left behind: ``state``, and runs that were not carried
        out.
        """
        store = self.runs.place.opened()
        made = copying.copy(self)
        made._runs = LiveRuns(place=self.runs.place)
        for run in self.runs.values():
            if run.stored:
                entity = store.run(run.id)
                given = {"params": dict(run.params), "config": dict(run.config)}
                made.runs.add(LiveRun.of(entity, self.runs.place, **given))
        return made

    def delete(self) -> int:
        """Delete the experiment with all its runs from the store; return how many they were.

        Raises
        ------
        NotFoundError
            The store has no such experiment.
        """
        store = self.runs.place.opened()
        found = store.catalog.find("experiments", self.name, project=self.project_name)
        assert isinstance(found, Entity)
        deleted = store.catalog.delete("experiments", found.id)
        self._runs = LiveRuns(place=self.runs.place)
        return deleted

    # -- into a launch, and out of it

    def at_hand(
        self, chosen: Iterable[LiveRun] | None, *, further: bool, as_declared: bool
    ) -> list[LiveRun]:
        """Return the runs in hand that a launch carries on; none where it is to make its own.

        Parameters
        ----------
        chosen : iterable of LiveRun or None
            Some of them; None: all but those that did not complete, for what comes next would
            tell of them that they are.
        further : bool
            Whether it carries out further steps; else on those that were not carried out yet.
        as_declared : bool
            Whether it is given no parameters and seeds of its own.

        Raises
        ------
        UsageError
            It is to carry out further steps on runs that have parameters, and is given others;
            or a run is not in hand, or none is complete.
        """
        if chosen is not None:
            return self._chosen(list(chosen), further=further)
        if further and self.runs and not as_declared:
            raise UsageError(
                "further steps are carried out on the runs in hand, with their parameters",
                hint="leave out parameters=, vary= and seeds=, or add runs with add_runs()",
            )
        if not further and not as_declared:
            return []
        taken = [run for run in self.runs.values() if not run.stored or (further and run.sound)]
        if further and self.runs and not taken:
            raise UsageError(
                f"none of the {len(self.runs)} runs in hand is complete",
                hint="runs=[…] says on which of them to go on nevertheless",
            )
        return taken

    def _chosen(self, runs: list[LiveRun], *, further: bool) -> list[LiveRun]:
        if not further:
            raise UsageError(
                "runs= says on which of them further steps are carried out", hint="steps=[…]"
            )
        for run in runs:
            if not isinstance(run, LiveRun) or self.runs.get(run.id) is not run:
                raise UsageError(
                    f"{run!r} is none of the runs of experiment {self.name!r}",
                    hint="take some of experiment.runs.values()",
                )
        if not runs:
            raise UsageError("runs= is empty", hint="leave it out for all runs in hand")
        return runs

    def store_for(self, runs: list[LiveRun], given: Store | str | None) -> Store | str | None:
        """Return the store for a launch: that of the runs which it carries on, if there are any.

        Raises
        ------
        UsageError
            Another one is given.
        """
        if not runs:
            return given or self.store
        if given is None:
            return self.runs.place.opened()
        self.runs.place.check(given)
        return given

    def taken_along(self, runs: list[LiveRun], store: Store) -> list[LiveRun]:
        """Return runs as a launch in a store takes them: own ones.

        Those of other experiments are copied into this one first.
        """
        self.runs.place.use(store)
        own = self.project_name, self.name
        foreign = [r for r in runs if r.stored and (r.entity.project, r.entity.experiment) != own]
        if not foreign:
            return runs
        made = copying.copy(self)
        made._runs = LiveRuns(place=self.runs.place)
        self._copy_into(made, foreign)
        replaced = dict(zip((run.id for run in foreign), made.runs.values(), strict=True))
        kept = [replaced.get(run.id, run) for run in self.runs.values()]
        self._runs = LiveRuns(kept, self.runs.place)
        return [replaced.get(run.id, run) for run in runs]


def _meant(name: str) -> str:
    meant = did_you_mean(name, [known for known in dir(Holding) if not known.startswith("_")])
    return f"; {meant}" if meant else ""


def _common(one: Holding, other: Holding) -> dict[str, Any]:
    if one.config != other.config:
        raise UsageError(
            f"{one.name!r} and {other.name!r} have different configurations",
            hint="merge into one of them: one.merge(other)",
        )
    return one.config
