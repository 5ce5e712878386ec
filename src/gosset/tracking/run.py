"""A run that is tracked: the handle that a script or a notebook holds."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from ..exceptions import UsageError
from ..series import CHUNK, Chunk, Number, Points, Summary, pack, summarise
from ..storage.news import Beginning, Ending, News, Opening, TakenUp
from . import context
from .attributes import Attributes
from .fields import Config, Fields, gathered
from .given import (
    LIMIT,
    NUMBERS,
    alert_of,
    as_mapping,
    as_number,
    as_parameters,
    as_step,
    checked,
    given_step,
    microseconds,
    reached,
)
from .keeping import Keeping
from .outcomes import status_of, told_of
from .values import OpenValues, Values

if TYPE_CHECKING:
    from .artifacts import Keeper
    from .telemetry.transcript import Transcript
    from .writer import Writer

_Point = tuple[str, Number, int | None, int]
"""Name, value, step and time of what was logged."""

_FLOOD: Final = 1_000_000
"""Points that wait to be written from which on who logs more of them waits a little, too."""

_SMALL: Final = 512
"""Points of a chunk that is written anew as it grows; a larger one is left as it is."""


class TrackedRun(Attributes, Keeping):
    """A run at work, which takes what is logged and brings it to the store.

    Nothing here waits for the store, and nothing but a wrong call raises. What was logged
    survives this process 250 ms later, however it ends.

    Attributes
    ----------
    id, name, seed
        Of the run.
    params, config : Values
        What is varied, and what is fixed: read-only; see :meth:`log_params`.
    fields : Fields
        Other values that are kept with the run, of any kind that can be read without running
        code. Lists and filters see them as plain JSON; ``store.fields(run)`` gives them back
        as they were.
    vars, state : OpenValues
        What the code at work puts aside; neither goes to the store.
    tags : tuple of str
    status : str
    exception : BaseException or None
        What ended it.
    parent : str or None
        Id of the run in which it was started.
    transcript : Transcript or None
        Takes in what is printed.
    """

    __slots__ = (
        "_before",
        "_begins",
        "_ends",
        "_forgotten",
        "_latest",
        "_monotonic",
        "_names",
        "_next",
        "_numbers",
        "_owner",
        "_pending",
        "_said",
        "_sampled",
        "_sayings",
        "_tails",
        "_taken",
        "_token",
        "_writer",
        "_writer_id",
        "beginning",
        "config",
        "exception",
        "id",
        "launch",
        "name",
        "params",
        "parent",
        "seed",
        "state",
        "status",
        "store",
        "transcript",
        "vars",
    )

    id: str
    name: str
    seed: int | None
    params: Values
    config: Config
    status: str

    def __init__(
        self,
        id: str,
        writer: Writer,
        *,
        begins: Beginning | None,
        writer_id: int,
        store: str,
        params: Mapping[str, Any] | None = None,
        config: Mapping[str, Any] | None = None,
        monotonic: bool = False,
    ) -> None:
        self._put(
            id=id,
            name=begins.name if begins else id[:8],
            seed=begins.seed if begins else None,
            params=Values(params or {}),
            config=Config(self._say, config or {}),
            fields=Fields(self._say, self._keeper),
            tags=tuple(begins.tags) if begins else (),
            status="running",
        )
        self.store = store
        self.launch: Opening | None = begins.launch if begins else None
        self.parent = begins.parent if begins else None
        self.vars = OpenValues({})
        self.state = OpenValues({})
        self.exception: BaseException | None = None
        self.beginning = self._begins = begins
        self._owner = begins is not None
        self._ends: Ending | None = None
        self._monotonic = monotonic
        self._token: Any = None
        self._before: Any = None
        self._forgotten = False
        self._writer = writer
        self._writer_id = writer_id
        self._said = self._sampled = 0
        self._pending: list[_Point] = []
        self._sayings: list[tuple[str, Any]] = []
        self._taken = 0
        self._names: set[str] = set()
        self._latest: dict[str, int] = {}
        self._next: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        self._tails: dict[str, Points] = {}
        self.transcript: Transcript | None = None
        writer.add(self)

    # -- what is said of it

    def log(
        self, metrics: Mapping[str, Number] | str, value: Any = None, step: int | None = None
    ) -> None:
        """Log metrics by name, at a step.

        Returns at once; the values are in the store at most 250 ms later.

        Parameters
        ----------
        metrics : mapping
            Name → number: a float, an integer or a bool, of Python, NumPy, PyTorch … All are
            kept exactly, NaN and infinities too. Or one name, with its `value`.
        step : int, optional
            Also as the second argument behind a mapping.
            By default one more than the last of each name, from 0. Steps may come in any
            order and repeat.

        Raises
        ------
        UsageError
            A value that is no number, a name that is no text, a step that is no integer, or
            one that goes backwards in a run that is ``monotonic``.
        """
        moment = time.time_ns() // 1000
        if isinstance(metrics, str):
            metrics = {metrics: value}
        elif value is not None:
            step = given_step(value, step)
        if step is not None and (type(step) is not int or not -LIMIT <= step < LIMIT):
            step = as_step(step)
        if type(metrics) is not dict:
            metrics = as_mapping("metrics", metrics)
        points = [
            (
                name,
                number
                if type(number) in NUMBERS or (type(number) is int and -LIMIT <= number < LIMIT)
                else as_number(name, number),
                step,
                moment,
            )
            for name, number in metrics.items()
        ]
        if not self._names.issuperset(metrics):
            self._names.update([checked("a metric", name) for name in metrics])
        if self._monotonic or self._ends is not None or self._writer.trouble is not None:
            self._check(metrics, step)
        self._pending.extend(points)
        if not self._writer.waiting:
            self._writer.awake()
        elif len(self._pending) > _FLOOD:
            time.sleep(0.001)  # else the memory would be full before they are written

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Add parameters; one that is there gets the new value."""
        self._say("params", as_parameters(params))
        self._put(params=Values({**dict(self.params), **params}))

    def alert(self, title: str, text: str = "", level: str = "warning") -> None:
        """Tell something that wants to be seen: it stands with the run."""
        self._say("alerts", [alert_of(title, text, level)])

    # -- its life

    @property
    def ended(self) -> bool:
        """Whether nothing more is taken."""
        return self._ends is not None

    @property
    def number(self) -> int:
        """Number of the run in its experiment; waits until the store has it."""
        return self._writer.number(self.id)

    def finish(
        self,
        status: str = "complete",
        exception: BaseException | None = None,
        *,
        exit_code: int | None = None,
    ) -> None:
        """End the run: returns when all that was logged is in the store, or in the spool.

        Parameters
        ----------
        status : {"complete", "failed", "stopped", "pruned"}
        exception : BaseException, optional
            What ended it.
        exit_code : int, optional
            0 is ``"complete"``, any other ``"failed"``.
        """
        if exit_code is not None:
            status = "failed" if exit_code else "complete"
        if status not in _ENDINGS:
            raise UsageError(f"no run ends as {status!r}", hint=f"use one of {', '.join(_ENDINGS)}")
        if self._ends is None:
            self.end(status, exception)
            self._settle()
            self._writer.flush()
            self._raise_trouble()

    def flush(self) -> None:
        """Return when all that was logged so far is in the store, or in the spool.

        Either way it survives that this process is killed.
        """
        self._writer.flush()
        self._raise_trouble()

    def end(self, status: str, exception: BaseException | None) -> Writer:
        """Say how the run ended; return who is to write it, and does so soon."""
        context.left(self)
        self._listen_no_more()
        self.exception = exception
        if self._owner and self._ends is None:
            assert self.launch is not None
            self._put(status=status)
            self._ends = Ending(
                status=status,
                moment=microseconds(),
                exception=None if exception is None else told_of(exception),
                launch=self.launch.id,
                leaves=context.leaves(self),
            )
        self._writer.awake()
        return self._writer

    def take_up(
        self,
        facts: TakenUp,
        launch: Opening,
        *,
        params: Mapping[str, Any],
        config: Mapping[str, Any],
        tags: Sequence[str],
        notes: str,
    ) -> None:
        """Go on with a run that was there before, as its owner; add what else is given."""
        self._owner, self.launch = True, launch
        self._put(
            name=facts.name,
            seed=facts.seed,
            params=Values({**facts.params, **params}),
            config=Config(self._say, {**facts.config, **config}),
            tags=tuple(dict.fromkeys((*facts.tags, *tags))),
        )
        self.parent = facts.parent
        self.fields._values.update(facts.fields)
        self._next = {name: step + 1 for name, step in facts.steps.items()}
        for kind, what in (("params", params), ("config", config), ("tags", list(tags))):
            if what:
                self._say(kind, what)
        if notes:
            self._say("notes", notes)

    def __enter__(self) -> TrackedRun:
        self._token = context._active.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        token, self._token = self._token, None
        if token is not None:
            with contextlib.suppress(ValueError):  # a generator may end in another context
                context._active.reset(token)
        self.finish(status_of(error), error)

    def __repr__(self) -> str:
        return f"<run {self.name}: {self.status}>"

    def _repr_html_(self) -> str:
        from ..displays import facts, values  # which no script needs

        known = {"status": self.status, "seed": self.seed, "id": self.id}
        known["tags"] = ", ".join(self.tags) or None
        held = (values(n, dict(getattr(self, n))) for n in ("params", "config", "fields"))
        return facts(f"run {self.name}", known, *held)

    # -- to the writer

    def news(self) -> list[News]:
        """Return what was not said yet. Called by the writer's thread alone."""
        # First whether it ended: what was logged before is said with that, or before.
        ends = self._ends if self._owner else None
        count, says = len(self._pending), len(self._sayings)  # others may append meanwhile
        transcript = self.transcript
        console, gap = transcript.take(last=self.ended) if transcript else ([], None)
        if not (count or says or self._begins or ends or console):
            return []
        batch, sayings = self._pending[:count], self._sayings[:says]
        self._taken += count + says
        del self._pending[:count], self._sayings[:says]
        if self._forgotten:
            return []
        points, summaries = self._points(batch)
        self._said += 1
        news = News(
            run=self.id,
            writer=self._writer_id,
            number=self._said,
            begins=self._begins,
            points=points,
            summaries=summaries,
            console=console,
            gap=gap,
            ends=ends,
            **gathered(sayings),
        )
        self._begins = None
        if ends is not None:
            self._owner = False  # it was said
        return [news]

    def forget(self) -> None:
        """Say nothing more: the store has no such run any longer."""
        self._forgotten = True

    @property
    def activity(self) -> int:
        """How often something was logged by somebody."""
        return self._taken + len(self._pending) + len(self._sayings) - self._sampled

    def forked(self) -> None:
        """Go on in a child process, as another writer of a run that is its parent's to end."""
        # It may be the first to tell the store of the run.
        self._owner, self._begins, self.launch = False, self.beginning, None
        self._writer_id = int.from_bytes(os.urandom(8), "big") >> 1
        self._said = 0
        self._pending, self._sayings = [], []
        self._numbers, self._tails = {}, {}
        if self.transcript is not None:
            self.transcript.forked()

    def sample(self, values: Mapping[str, float]) -> None:
        """Log what is known without anybody logging it; never raises."""
        if self._ends is None:
            moment = microseconds()
            self._sampled += len(values)
            self._pending.extend([(name, value, None, moment) for name, value in values.items()])
            self.awake()

    def awake(self) -> None:
        """See that what was put aside is written soon."""
        if not self._writer.waiting:
            self._writer.awake()

    def _listen_no_more(self) -> None:
        if self.transcript is not None and self._ends is None:
            from .telemetry import console

            console.leave(self, self.transcript)

    def _points(
        self, batch: list[_Point]
    ) -> tuple[list[tuple[str, int, Chunk]], dict[str, Summary]]:
        columns: dict[str, Points] = {}
        following = self._next
        for name, value, step, moment in batch:
            points = columns.get(name)
            if points is None:
                points = columns[name] = Points()
            at = min(following.get(name, 0), LIMIT - 1) if step is None else step
            following[name] = at + 1
            points.steps.append(at)
            points.values.append(value)
            points.times.append(moment)
        chunks = [chunk for name, points in columns.items() for chunk in self._packed(name, points)]
        return chunks, {name: summarise(points) for name, points in columns.items()}

    def _packed(self, name: str, points: Points) -> Iterator[tuple[str, int, Chunk]]:
        tail = self._tails.pop(name, None)
        if tail is not None:
            tail.extend(points)
            points = tail
        number = self._numbers.get(name, 0)
        for start in range(0, len(points), CHUNK):
            part = points if len(points) <= CHUNK else points[start : start + CHUNK]
            yield name, number, pack(part)
            if len(part) < _SMALL:
                self._tails[name] = part
            else:
                number += 1
        self._numbers[name] = number

    def _settle(self) -> None:
        # Loaded where any were kept; another thread may be about to load it.
        settle = getattr(sys.modules.get("gosset.tracking.artifacts"), "settle", None)
        if settle is not None:
            settle(self.store)

    def _keeper(self) -> Keeper:
        from .artifacts import keeper_of

        writer = self._writer
        return keeper_of(self.store, strict=writer.strict, durability=writer.durability)

    def _say(self, kind: str, what: Any) -> None:
        self._check_open()
        self._sayings.append((kind, what))
        self._writer.awake()

    def _check(self, metrics: Mapping[str, Number], step: int | None) -> None:
        self._check_open()
        if self._monotonic:
            # The writer's own count only follows.
            last = {name: self._next.get(name, 0) - 1 for name in metrics} | self._latest
            self._latest.update(reached(metrics, step, last))

    def _check_open(self) -> None:
        self._raise_trouble()
        if self._ends is not None and not context.cut_off():
            raise UsageError(f"run {self.name} has ended", hint="start another, or resume it")

    def _raise_trouble(self) -> None:
        trouble = self._writer.trouble
        if trouble is not None:
            self._writer.trouble = None
            raise trouble


_ENDINGS: Final = ("complete", "failed", "stopped", "pruned")
