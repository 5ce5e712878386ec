"""The active run: what the code of a stage or a step holds while it is at work."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from ..exceptions import UsageError, did_you_mean
from ..series import Number
from .account import Account, Point
from .attributes import GIVEN
from .earlier import LeftState, fields_of
from .fields import Fields
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
)
from .keeping import Keeping
from .values import OpenValues, Values

if TYPE_CHECKING:
    from ..artifacts import ArtifactStore
    from ..planner.works import RunFacts
    from .artifacts import Keeper


_GIVEN = ("seed", "params", "config")
"""What tells one run from another before anything is done."""


class ActiveRun(Keeping):
    """A run at work, seen from inside: the verbs of a run that a script starts.

    What is said while an uncached stage is at work, steps among them, is in the store at most
    half a second later. What a cached one says is kept with its outputs, and stands with each
    run that takes these.

    Attributes
    ----------
    id, number, name, seed
        Of the run.
    params : Values
        What is varied, read-only: ``run.params.lr`` or ``run.params["SVC.C"]``.
    config : Values
        What is fixed, read-only.
    vars : OpenValues
        Lives only while the run is carried out: what one step sets, the next ones find.
        Stages may be carried out by different workers and pass values as outputs instead.
    state : OpenValues
        Likewise, and survives the run in memory; never goes to the catalog.
    fields : Fields
        Kept with the run, of any kind that can be read without running code, and searchable
        in their plain form. What a stage keeps on each fold becomes a list, in fold order,
        unless all folds have the same. A step reads those that earlier ones set, a cached
        stage its own alone: its cache key says nothing of the others.
    tags : tuple of str
    steps : tuple of Step
        What is carried out on the run, in order: ``name`` and ``source`` of each function.
    status : str
        ``"running"``.
    exception : None
        Nothing has ended it.

    Examples
    --------
    >>> from gosset.planner.works import RunFacts
    >>> facts = RunFacts(id="…", number=1, name="quick#1", seed=0, params={"lr": 0.1}, config={})
    >>> run = ActiveRun(facts)
    >>> run.fields["accuracy"] = run.params.lr * 9
    >>> run.log({"loss": 0.5})
    >>> dict(run.fields), run.metrics
    ({'accuracy': 0.9}, {'loss': 0.5})
    """

    __slots__ = (
        "_account",
        "_artifacts",
        "_blind",
        "_names",
        "_seen",
        "_tags",
        "config",
        "id",
        "name",
        "number",
        "params",
        "seed",
        "state",
        "steps",
        "vars",
    )

    status: Final = "running"
    exception: Final = None

    def __init__(self, facts: RunFacts, artifacts: ArtifactStore | None = None) -> None:
        self.id = facts.id
        self.number = facts.number
        self.name = facts.name
        self.seed = facts.seed
        self.params = Values(facts.params)
        self.config = Values(facts.config)
        self.vars = OpenValues({})
        self.state = LeftState(facts.state)
        self.steps = facts.steps
        self._artifacts = artifacts
        self._blind = False
        self._names: set[str] = set()
        self._tags = list(facts.tags)
        self._seen = Fields(self._say, self._keeper, fields_of(facts, artifacts))
        self.fields = self._seen
        self._account = Account(facts.id)

    # -- for whoever carries out its stages

    def begin(self, account: Account, *, alone: bool) -> None:
        """Have a stage say what it says to `account`; `alone` is one that is cached."""
        self._account = account
        self.fields = Fields(self._say, self._keeper) if alone else self._seen

    def for_logging(self) -> ActiveRun:
        """Return the same run, which takes what is logged but says nothing of its parameters.

        It is what a cached stage that does not take ``run`` has: its cache key says nothing
        of them either, so that it may be carried out once for several runs.
        """
        blind = copy.copy(self)
        blind._blind = True
        for name in _GIVEN:
            delattr(blind, name)
        return blind

    @property
    def metrics(self) -> dict[str, Number]:
        """The last value of each metric that the stage logged: that with the highest step."""
        return self._account.last()

    @property
    def ended(self) -> bool:
        """False: whoever holds it is at work."""
        return False

    # -- what is said of it

    @property
    def tags(self) -> tuple[str, ...]:  # type: ignore[override]
        """Its tags, those that were added included."""
        return tuple(self._tags)

    def _tagged(self, tags: Iterable[str]) -> None:
        self._tags[:] = tags

    def log(
        self, metrics: Mapping[str, Number] | str, value: Any = None, step: int | None = None
    ) -> None:
        """Log metrics by name, at a step.

        The last value of a name counts: that with the highest step. What a stage logs on each
        fold is summarised over them, and its points are the series ``fold0/NAME``,
        ``fold1/NAME``, … where they are more than one, or have a step. A run in which another
        stage gives the same name for the whole run fails: one name has one meaning.

        Parameters
        ----------
        metrics : mapping
            Name → number: a float, an integer or a bool, of Python, NumPy, PyTorch … All are
            kept exactly, NaN and infinities too.
        step : int, optional
            By default one more than the last of each name, from 0. Steps may come in any
            order and repeat.

        Raises
        ------
        UsageError
            A value that is no number, a name that is no text, or a step that is no integer.
        """
        moment = microseconds()
        if isinstance(metrics, str):
            metrics = {metrics: value}
        elif value is not None:
            step = given_step(value, step)
        if step is not None and (type(step) is not int or not -LIMIT <= step < LIMIT):
            step = as_step(step)
        if type(metrics) is not dict:
            metrics = as_mapping("metrics", metrics)
        points: list[Point] = [
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
        self._account.log(points)

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Add parameters. Those that the run was planned with stay as they are.

        Raises
        ------
        UsageError
            One has another value already: it tells this run from the others.
        """
        known = {} if self._blind else dict(self.params)
        plain = as_parameters(params)
        for name in plain:
            if name in known and known[name] != params[name]:
                raise UsageError(
                    f"the parameter {name!r} of the run is {known[name]!r} already",
                    hint="what comes of a run is kept in run.fields",
                )
        if not self._blind:
            self.params = Values({**known, **params})
        self._say("params", {name: plain[name] for name in plain if name not in known})

    def alert(self, title: str, text: str = "", level: str = "warning") -> None:
        """Tell something that wants to be seen: it stands with the run."""
        self._say("alerts", [alert_of(title, text, level)])

    def _say(self, kind: str, what: Any) -> None:
        self._account.say(kind, what)

    def _keeper(self) -> Keeper:
        from .artifacts import Keeper

        if self._artifacts is None:
            from ..artifacts.memory import MemoryArtifacts

            self._artifacts = MemoryArtifacts()
        return Keeper(self._artifacts, (), strict=True)

    # -- names that it has not

    def __getattr__(self, name: str) -> Any:
        if name in _GIVEN:
            raise UsageError(
                f"the stage reads {name!r} of the run, which it does not take",
                hint=f"take {name} (or run) as an argument, so that the cache knows of it",
            )
        if name.startswith("_"):
            raise AttributeError(name)
        raise AttributeError(f"a run has no {name!r}{_meant(name)}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "tags":
            raise AttributeError(f"{name!r} of a run cannot be set; {GIVEN[name]}")
        try:
            object.__setattr__(self, name, value)
        except AttributeError:
            raise AttributeError(
                f"a run takes no {name!r}{_meant(name)}; values go to run.fields, run.state "
                "or run.vars"
            ) from None

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        kept = (*self.__slots__, "fields")  # ``tags`` follow from one of them
        return None, {name: getattr(self, name) for name in kept}

    def __repr__(self) -> str:
        return f"<run {self.name}>"


def _meant(name: str) -> str:
    return f"; {did_you_mean(name, [n for n in dir(ActiveRun) if not n.startswith('_')])}"
