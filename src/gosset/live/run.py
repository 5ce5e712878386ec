"""A run in the hands of whoever declared it: what it was given, and what it came to."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any

from ..entities import ArtifactRef, ExceptionInfo, Metric, Run, Status
from ..exceptions import SerializationError, did_you_mean
from ..filters import equal
from ..identifiers import new_id, short_name
from ..parameters import group_digest, jsonable
from ..planner.works import Earlier, Step
from ..running.members import Brought
from ..storage.news import Kept, News
from ..tracking.artifacts import Keeper
from ..tracking.attributes import GIVEN
from ..tracking.earlier import LeftState
from ..tracking.fields import Fields, gathered
from ..tracking.keeping import Keeping
from ..tracking.values import OpenValues, Values
from .place import Place

_AT_WORK = ("alert", "finish", "flush", "log", "log_params")
"""Verbs of a run at work."""

_lock = threading.RLock()
"""Held by who sets something on a run; runs themselves are pickled."""


def _forked() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class LiveRun(Keeping):
    """A run of a live experiment.

    It is changed by what is carried out on it, and by whoever holds it: fields, tags and
    artifacts that are set here are in the store at once, or as soon as the run is.

    Attributes
    ----------
    id : str
    entity : Run
        The run as the store had it last; with the status ``created`` where it is not there yet.
    params, config : Values
        What is varied, and what is fixed; they stay after the run was carried out.
    seed : int
    vars : Values
        Empty: they live only while stages run.
    state : OpenValues
        What stages left there. It is pickled with the run and never in the store.
    fields : Fields
        In value and type as they were set.
    metrics : mapping
        Name → :class:`gosset.entities.Metric`.
    tags : tuple of str
    exception : ExceptionInfo or None
        What ended it, where it failed.
    steps : tuple of Step
        What was carried out on it, each with its ``name`` and ``source``.
    """

    __slots__ = (
        "_fields",
        "_place",
        "_said",
        "_sayings",
        "_taken",
        "_writer",
        "config",
        "entity",
        "params",
        "seed",
        "state",
    )

    entity: Run
    params: Values
    config: Values
    seed: int
    state: OpenValues

    def __init__(
        self,
        params: Mapping[str, Any] | None = None,
        *,
        seed: int = 0,
        config: Mapping[str, Any] | None = None,
        place: Place | None = None,
        experiment: str = "",
        project: str = "",
    ) -> None:
        id_, params = new_id(), dict(params or {})
        entity = Run(
            id=id_,
            project=project,
            experiment=experiment,
            execution=0,
            launch=0,
            number=0,
            name=short_name(id_),
            status=Status.CREATED,
            seed=seed,
            group=group_digest(params),
            params={name: jsonable(value) for name, value in params.items()},
        )
        self._begin(entity, params, config or {}, place or Place())

    @classmethod
    def of(
        cls,
        entity: Run,
        place: Place,
        *,
        params: Mapping[str, Any] | None = None,
        config: Mapping[str, Any] | None = None,
        state: Mapping[str, Any] | None = None,
    ) -> LiveRun:
        """Return a run of the store; `params` and `config` as they were given, where known."""
        run = cls.__new__(cls)
        given = entity.params if params is None else params
        run._begin(entity, given, entity.config if config is None else config, place)
        run._put(state=OpenValues(state or {}))
        return run

    def _begin(
        self, entity: Run, params: Mapping[str, Any], config: Mapping[str, Any], place: Place
    ) -> None:
        self._put(
            entity=entity,
            params=Values(params),
            config=Values(config),
            seed=entity.seed or 0,
            state=OpenValues({}),
        )
        self._put(tags=entity.tags)
        self._place = place
        self._fields: Fields | None = None
        self._sayings: list[tuple[str, Any]] = []
        self._taken = 0
        self._writer = int.from_bytes(os.urandom(8), "big") >> 1
        self._said = 0

    # -- what it is

    @property
    def id(self) -> str:
        """UUID."""
        return self.entity.id

    @property
    def name(self) -> str:
        """Six characters of its id until the store has it, then ``EXPERIMENT#NUMBER``."""
        return self.entity.name

    @property
    def number(self) -> int:
        """Number in its experiment; 0 until the store has it."""
        return self.entity.number

    @property
    def status(self) -> Status:
        """``created`` until it is carried out."""
        return self.entity.status

    @property
    def stored(self) -> bool:
        """Whether the store has it."""
        return self.entity.number > 0

    @property
    def sound(self) -> bool:
        """Whether nothing that was carried out on it failed, or was broken off."""
        return self.status is Status.COMPLETE or not self.status.ended

    @property
    def exception(self) -> ExceptionInfo | None:
        """What ended it, where it failed."""
        return self.entity.exception

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Metrics by name."""
        return self.entity.metrics

    @property
    def vars(self) -> Values:
        """Empty: what code puts there lives only while it is at work."""
        return Values({})

    @property
    def fields(self) -> Fields:  # type: ignore[override]
        """Fields, in value and type as they were set."""
        with _lock:
            if self._fields is None:
                kept = self._place.opened().fields(self.entity) if self.entity.fields else {}
                self._fields = Fields(self._say, self._keeper, kept)
            return self._fields

    @property
    def steps(self) -> tuple[Step, ...]:
        """What was carried out on it, in order, as text."""
        if not self.stored:
            return ()
        store = self._place.opened()
        of = {"project": self.entity.project, "experiment": self.entity.experiment}
        found: dict[str, Step] = {}
        for attempt in store.catalog.attempts(self.id):
            for execution in store.select("executions", equal(**of, number=attempt.execution)):
                code: Any = getattr(execution, "code")  # noqa: B009 - of one kind
                for name, told in code["stages"].items():
                    sources = [code["sources"].get(part, "") for part in told["parts"]]
                    found[name] = Step(name, next(filter(None, sources), ""))
        return tuple(found.values())

    def copied(self, entity: Run) -> LiveRun:
        """Return the copy that the store has, with the same values and the same state."""
        given = {"params": dict(self.params), "config": dict(self.config)}
        return LiveRun.of(entity, self._place, **given, state=dict(self.state))

    def anew(self, *, experiment: str, project: str) -> LiveRun:
        """Return a run that is not in the store, given the same."""
        run = LiveRun(
            dict(self.params),
            seed=self.seed,
            config=dict(self.config),
            place=self._place,
            experiment=experiment,
            project=project,
        )
        run._put(state=OpenValues(dict(self.state)))
        run.fields.update(dict(self.fields))
        run.set_tags(*self.tags)
        return run

    # -- into a launch, and out of it

    def brought(self) -> Brought:
        """Return the run as a launch takes it, with what others did to it meanwhile."""
        if self.stored:
            entity = self._place.opened().run(self.id)
            self._put(entity=entity, tags=entity.tags)
        with _lock:
            earlier, news = self._earlier(), self._news()
        return Brought(id=self.id, stored=self.stored, earlier=earlier, news=news)

    def _earlier(self) -> Earlier:
        plain, kept = dict(self.entity.fields), []
        if self.stored and plain:
            kept = [r for r in self._place.opened().catalog.artifacts(self.id)]
        for kind, what in self._sayings:
            if kind == "field":
                plain[what[0]] = what[1]
                kept += [_reference(each) for each in what[2]]
        return Earlier(fields=plain, kept=tuple(kept), state=self._left(), tags=self.tags)

    def _left(self) -> bytes | None:
        """Return the state, pickled."""
        if not len(self.state):
            return None
        import cloudpickle

        try:
            return bytes(cloudpickle.dumps(dict(self.state)))
        except Exception as error:
            raise SerializationError(
                f"the state of run {self.name} ({', '.join(self.state)}) cannot be pickled: {error}",
                hint="keep there what can be pickled alone",
            ) from error

    def renewed(self, entity: Run, state: Mapping[str, Any] | None) -> None:
        """Take what became of the run."""
        with _lock:
            self._put(entity=entity, tags=entity.tags)
            self._fields = None
            self._written()
            if state is not None:
                self._put(state=OpenValues(state))
            if self._sayings and self.stored:  # said by others while it was carried out
                self._store()

    # -- what is set on it

    def _say(self, kind: str, what: Any) -> None:
        with _lock:
            self._sayings.append((kind, what))
            if self.stored:
                self._store()

    def _store(self) -> None:
        self._place.opened().catalog.sink().write(self._news())
        self._written()
        self._put(entity=self._place.opened().run(self.id))

    def _written(self) -> None:
        """Let go of what is in the store: all that was there when news were taken last."""
        del self._sayings[: self._taken]
        self._taken = 0

    def _news(self) -> list[News]:
        self._taken = len(self._sayings)
        if not self._sayings:
            return []
        self._said += 1
        return [News(self.id, self._writer, self._said, **gathered(self._sayings))]

    def _keeper(self) -> Keeper:
        return Keeper(self._place.opened().artifacts, (), strict=True)

    # -- in other hands

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in self.__slots__:
            raise AttributeError(name)
        if name in _AT_WORK:
            raise AttributeError(f"{name}() is for a run at work: call it in a step")
        raise AttributeError(f"a run has no {name!r}{_meant(name)}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "tags":
            raise AttributeError(f"{name!r} of a run cannot be set; {GIVEN[name]}")
        if not name.startswith("_"):
            there = hasattr(LiveRun, name)
            what = f"{name!r} of a run is only read" if there else f"a run takes no {name!r}"
            meant = "" if there else _meant(name)
            raise AttributeError(f"{what}{meant}; run.fields and run.state take any value")
        object.__setattr__(self, name, value)

    def _put(self, **values: Any) -> None:
        """Set what is read only for everybody else."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __getstate__(self) -> dict[str, Any]:
        fields = dict(self.fields)  # read now: there may be no store where it is unpickled
        kept = {name: getattr(self, name) for name in self.__slots__ if name != "_fields"}
        return {**kept, "tags": self.tags, "fields": fields, "state": self._left()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        fields, left = state.pop("fields"), state.pop("state")
        self._put(**state, state=LeftState(left))
        self._fields = Fields(self._say, self._keeper, fields)
        self._writer = int.from_bytes(os.urandom(8), "big") >> 1
        self._said = 0

    def __repr__(self) -> str:
        return f"<run {self.name}: {self.status}>"

    def _repr_html_(self) -> str:
        return self.entity._repr_html_()


def _reference(kept: Kept) -> ArtifactRef:
    name, format, digest, size, inline = kept
    return ArtifactRef(name=name, format=format, digest=digest, size=size, inline=inline)


def _meant(name: str) -> str:
    meant = did_you_mean(name, [known for known in dir(LiveRun) if not known.startswith("_")])
    return f"; {meant}" if meant else ""
