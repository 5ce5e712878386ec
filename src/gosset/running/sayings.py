"""What stages say of their runs, on its way to the catalog."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..entities import ArtifactRef
from ..planner.works import RunFacts
from ..series import Summary, merged
from ..storage.news import Kept, News, field_place
from ..tracking.account import Saying
from ..types import JSONValue

if TYPE_CHECKING:
    from .tally import Member


def fold_name(fold: int, name: str) -> str:
    """Return what a series, or an artifact, of one fold is called.

    Examples
    --------
    >>> fold_name(0, "loss")
    'fold0/loss'
    """
    return f"fold{fold}/{name}"


def is_series(name: str, summary: Summary, stepped: Iterable[str]) -> bool:
    """Whether what a stage logged on a fold is more than one number of that fold."""
    return summary.count > 1 or name in stepped


@dataclass(slots=True)
class _OfRun:
    """What is known of a run by what was said.

    Attributes
    ----------
    following : mapping
        Fold and name of a metric → step behind the last.
    held : mapping
        Fold and name of what has one point so far, and may stay without a series.
    series : set
        Fold and name of what has one.
    """

    begun: bool = False
    fields: dict[str, JSONValue] = field(default_factory=dict)
    kept: dict[str, Kept] = field(default_factory=dict)
    following: dict[tuple[int | None, str], int] = field(default_factory=dict)
    held: dict[tuple[int, str], Summary] = field(default_factory=dict)
    series: set[tuple[int, str]] = field(default_factory=set)

    def take(self, news: News) -> None:
        """Remember the fields that are said."""
        for name in news.fields:
            former = [place for place in self.kept if place.startswith(field_place(name))]
            for place in former:
                del self.kept[place]
        self.fields.update(news.fields)
        self.kept.update((k.name, k) for k in news.artifacts if k.name.startswith("fields["))


class Sayings:
    """Passes on what stages say, each run under its own id; any thread may.

    Parameters
    ----------
    members : sequence of Member
    add : callable
        Takes news.
    anew : bool
        Whether also the first attempt of a run begins anew: part of it was carried out before.
    """

    def __init__(
        self, members: Iterable[Member], add: Callable[[News], None], *, anew: bool
    ) -> None:
        self._members = list(members)
        self._add = add
        self._anew = anew
        self._lock = threading.Lock()
        self._runs: dict[int, _OfRun] = {}

    def begin(self, number: int) -> None:
        """Have a run begin, anew where it was tried before; once."""
        with self._lock:
            self._begin(number)

    def say(self, number: int, fold: int | None, said: Saying) -> None:
        """Pass on a piece that a stage says of a run."""
        with self._lock:
            known = self._begin(number)
            run = self._members[number].run
            news = said.news._replace(
                run=run.id,
                planned=True,
                params={n: v for n, v in said.news.params.items() if n not in run.params},
            )
            if fold is not None:
                news = _of_fold(news, fold, said.stepped, known)
            for name, summary in said.news.summaries.items():
                at = max(known.following.get((fold, name), 0), summary.step + 1)
                known.following[fold, name] = at
            known.take(news)
            self._add(news)

    def say_again(self, number: int, fold: int | None, said: Saying) -> None:
        """Say of a run all that a stage said, of this one or of another."""
        self.say(number, fold, said._replace(news=said.news._replace(writer=_writer(), number=1)))

    def facts(self, number: int, fold: int | None, facts: RunFacts) -> RunFacts:
        """Return the facts of a run with what was said of it meanwhile."""
        with self._lock:
            known = self._known(number)
            places = tuple(field_place(name) for name in known.fields)
            kept = [ref for ref in facts.kept if not ref.name.startswith(places)]
            kept += [ArtifactRef(**item._asdict()) for item in known.kept.values()]
            return replace(
                facts,
                fields={**facts.fields, **known.fields},
                kept=tuple(kept),
                following={n: at for (f, n), at in known.following.items() if f == fold},
            )

    def settle(self, number: int, fields: Mapping[str, JSONValue], kept: Sequence[Kept]) -> None:
        """Say of a run what only all of its folds together say; nothing follows."""
        with self._lock:
            self._begin(number)
            if fields:
                run = self._members[number].run.id
                self._add(News(run, _writer(), 1, fields=fields, artifacts=kept))
            self._runs[number] = _OfRun(begun=True)

    def _begin(self, number: int) -> _OfRun:
        known = self._known(number)
        if not known.begun:
            known.begun = True
            member = self._members[number]
            if not member.goes_on and (self._anew or member.attempt > 1):
                self._add(News(run=member.run.id, writer=_writer(), number=1, anew=True))
                for news in member.news:
                    self._add(news._replace(writer=_writer()))
        return known

    def _known(self, number: int) -> _OfRun:
        if number not in self._runs:
            member = self._members[number]
            self._runs[number] = _OfRun(following=_behind(member) if member.goes_on else {})
        return self._runs[number]


def _behind(member: Member) -> dict[tuple[int | None, str], int]:
    series = {m.name: m.series for m in member.run.metrics.values()}
    return {(None, name): s.step + 1 for name, s in series.items() if s is not None}


def _of_fold(news: News, fold: int, stepped: Iterable[str], known: _OfRun) -> News:
    """Return what can be said already of a run whose stage is at work on one of its folds.

    Its fields wait for those of the other folds.
    """
    summaries: dict[str, Summary] = {}
    for name, new in news.summaries.items():
        before = known.held.pop((fold, name), None)
        summary = new if before is None else merged(before, new)
        # Once it is a series each further point belongs to it.
        if (fold, name) in known.series or is_series(name, summary, stepped):
            known.series.add((fold, name))
            summaries[name] = summary
        else:
            known.held[fold, name] = summary
    return news._replace(
        points=[(fold_name(fold, n), at, c) for n, at, c in news.points if n in summaries],
        summaries={fold_name(fold, name): s for name, s in summaries.items()},
        fields={},
        artifacts=[
            kept._replace(name=fold_name(fold, kept.name))
            for kept in news.artifacts
            if not kept.name.startswith("fields[")
        ],
    )


def _writer() -> int:
    return int.from_bytes(os.urandom(8), "big") >> 1
