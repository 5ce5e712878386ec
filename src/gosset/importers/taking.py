"""The runs of another tracker, taken over into a store: some at a time, whole or not at all.

Each is written to a store in memory as a tracked run is, and that is merged into the one that
is meant. So a run that was taken over before is found by its id, one that has grown gets what is
new, and what was added to it since stays.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from blake3 import blake3

from ..artifacts.values import keep
from ..entities import ArtifactRef, Run, Status
from ..exceptions import ArtifactError, StorageError
from ..exchange import united
from ..exchange.uniting import Progress
from ..filters import In, Name
from ..identifiers import derived_id
from ..series import Chunk, Points, unpack
from ..settings import DEFAULT_PROJECT, load_settings
from ..storage import open_catalog
from ..storage.base import Merged
from ..storage.news import LEASE, Beat, Beginning, News
from ..tracking.frames import frame
from ..types import JSONValue
from .base import Found, Goal, Imported, LeftOut, Source, damaged
from .fitting import IMPORTED, Fitting, in_time

_RUNS: Final = 200
_POINTS: Final = 1_000_000
"""What is held in memory at once; of points it is more where one run has more."""

_SECOND: Final = 1_000_000


def take(
    kind: str, path: Path, source: Source, goal: Goal, progress: Progress | None = None
) -> Imported:
    """Take over the runs of a source.

    Parameters
    ----------
    kind : str
        The tracker.
    path : Path
        Where the source lies.
    source : Source
    goal : Goal
    progress : callable, optional
        Told how many of how many runs are done.

    Raises
    ------
    StorageError, ArtifactError
        The source or the store fails. What was taken over until then is whole, and is not
        taken over again.
    """
    taking = _Taking(kind, path, goal)
    tell = progress or (lambda done, total: None)
    done = 0
    tell(done, source.total)
    for batch in _batches(taking.runs(source.found)):
        taking.write(batch)
        done += len(batch)
        tell(done, max(source.total, done))
    tell(max(source.total, done), max(source.total, done))
    return taking.result()


def _batches(found: Iterable[Found]) -> Iterator[list[Found]]:
    batch: list[Found] = []
    held = 0
    for run in found:
        size = sum(map(len, run.metrics.values()))
        if batch and (len(batch) == _RUNS or held + size > _POINTS):
            yield batch
            batch, held = [], 0
        batch.append(run)
        held += size
    if batch:
        yield batch


class _Said(NamedTuple):
    """What is to be said of a run, and told of it; no news where nothing is new."""

    id: str
    name: str
    left_out: list[tuple[str, str]]
    unfinished: str
    news: News | None = None
    beat: Beat | None = None


class _Taking:
    """What came of it so far."""

    def __init__(self, kind: str, path: Path, goal: Goal) -> None:
        self._kind = kind
        self._path = path
        self._goal = goal
        self._default_project = load_settings().project or DEFAULT_PROJECT
        self._now = time.time_ns() // 1000
        self._artifacts: dict[str, int] = {}
        self._seen: set[str] = set()
        self._new = self._changed = self._unchanged = 0
        self._left_out: list[LeftOut] = []
        self._unfinished: dict[str, str] = {}

    def runs(self, found: Iterable[Found | LeftOut]) -> Iterator[Found]:
        """Iterate over what are runs, each once; the rest is left out."""
        for each in self._readable(found):
            if isinstance(each, LeftOut):
                self._left_out.append(each)
            elif each.id in self._seen:
                why = "it is there twice, and was taken over once"
                self._left_out.append(LeftOut(what=f"another copy of run {each.name}", why=why))
            else:
                self._seen.add(each.id)
                yield each

    def _readable(self, found: Iterable[Found | LeftOut]) -> Iterator[Found | LeftOut]:
        try:
            yield from found
        except OSError as error:
            raise StorageError(f"{self._path} cannot be read: {error}") from error

    def write(self, batch: list[Found]) -> None:
        """Take over some runs; one with which anything goes wrong is left out."""
        known = self._known(batch)
        ready: list[_Said] = []
        for found in batch:
            try:
                said = self._said(found, known.get(derived_id(self._kind, found.id)))
            except (StorageError, ArtifactError):  # the store's own
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the others are taken
                self._left_out.append(damaged(found.name or found.id, error))
                continue
            if said.news is None:
                self._settle(said)
                self._unchanged += 1
            else:
                ready.append(said)
        if ready:
            self._store(ready)

    def _store(self, ready: list[_Said]) -> None:
        """Take over runs at once; one by one where that goes wrong with one of them."""
        try:
            merged = self._merged(ready)
        except (StorageError, ArtifactError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the others are taken
            if len(ready) > 1:
                for said in ready:
                    self._store([said])
            else:
                self._left_out.append(damaged(ready[0].name, error))
            return
        for said in ready:
            self._settle(said)
        self._new += merged.runs
        self._changed += merged.changed

    def _merged(self, ready: list[_Said]) -> Merged:
        news = [said.news for said in ready if said.news is not None]
        beats = [said.beat for said in ready if said.beat is not None]
        draft = open_catalog("memory://")
        try:
            draft.sink().write(news, beats)
            here = self._goal.catalog, self._goal.artifacts
            return united(here, (draft, self._goal.artifacts))
        finally:
            draft.close()

    def _settle(self, said: _Said) -> None:
        """Count what is in the store now."""
        name = said.name
        self._left_out += [LeftOut(what=what, why=why, run=name) for what, why in said.left_out]
        if said.unfinished:
            told = f"{name} ({said.id})" if name in self._unfinished else name
            self._unfinished[told] = said.unfinished
        if said.news is not None:
            self._artifacts |= {kept.digest: kept.size for kept in said.news.artifacts}

    def _known(self, batch: list[Found]) -> dict[str, Run]:
        ids = tuple(derived_id(self._kind, found.id) for found in batch)
        found = self._goal.catalog.select("runs", where=In(Name(("id",)), ids))
        return {run.id: run for run in cast("list[Run]", found)}

    def _judged(self, found: Found) -> Found:
        """Return a run with the status that is true, by its last sign of life."""
        if found.status.ended:
            return found
        beaten = found.beaten if found.beaten is not None else found.started
        if beaten is None or beaten < self._now - LEASE * _SECOND:
            return replace(found, status=Status.CRASHED, ended=beaten)
        return replace(found, status=Status.RUNNING, ended=None, beaten=beaten)

    def _said(self, found: Found, known: Run | None) -> _Said:
        """Return what is to be said of a run."""
        ended = found.status.ended
        found = self._judged(in_time(found))
        fitting = Fitting(self._kind, found, self._keep)
        news = fitting.news(*self._place(fitting, found, known), self._now)
        name = found.name or found.id
        digest = _digest(found, news)
        left_out = list(fitting.left_out)
        same = known is not None and _mark(known).get("digest") == digest
        if known is not None and not same:
            news, changed = self._grown(known, news)
            left_out += changed
        said = _Said(found.id, name, left_out, "" if ended else found.status.value)
        if same:
            return said
        mark: JSONValue = {
            "tracker": self._kind,
            "id": found.id,
            "path": str(self._path.absolute()),
            "digest": digest,
            "left_out": [f"{what}: {why}" for what, why in left_out],
        }
        begins = cast("Beginning", news.begins)
        config: dict[str, JSONValue] = {**begins.config, IMPORTED: mark}
        said = said._replace(news=news._replace(begins=begins._replace(config=config)))
        if news.ends is None and found.beaten is not None:
            said = said._replace(beat=Beat(begins.launch.id, found.beaten))
        return said

    def _grown(self, known: Run, news: News) -> tuple[News, list[tuple[str, str]]]:
        """Return news without series that do not go on where those that are here end."""
        there: dict[str, list[Chunk]] = {}
        for name, _, chunk in news.points:
            there.setdefault(name, []).append(chunk)
        here = self._goal.catalog.series(known.id)
        other = {
            name
            for name, chunks in here.items()
            if name in there and not _goes_on(unpack(chunks), unpack(there[name]))
        }
        news = news._replace(
            points=[point for point in news.points if point[0] not in other],
            summaries={n: summary for n, summary in news.summaries.items() if n not in other},
        )
        why = "it was changed since it was taken over, and here it stays as it was"
        return news, [(f"what metric {name!r} is now", why) for name in sorted(other)]

    def _place(self, fitting: Fitting, found: Found, known: Run | None) -> tuple[str, str, int]:
        """Return project and experiment of a run, and when it started if the source is silent."""
        if known is not None:  # it stays where it is, also where it was moved in the source
            began = known.started or known.created
            moment = 0 if began is None else round(began.timestamp() * _SECOND)
            return known.project, known.experiment, moment
        project = self._goal.project or found.project or self._default_project
        return (
            fitting.named("project", project),
            fitting.named("experiment", found.experiment),
            self._first(found),
        )

    def _keep(self, value: Any, name: str, format: str | None = None) -> ArtifactRef:
        return keep(value, name, self._goal.artifacts, format=format, where=name)

    def _first(self, found: Found) -> int:
        """Return when a run started of which the source does not say it."""
        times = [points.times[0] for points in found.metrics.values() if len(points)]
        modified = self._path.stat().st_mtime_ns // 1000
        return min(times, default=found.ended if found.ended is not None else modified)

    def result(self) -> Imported:
        """Return what came of all."""
        return Imported(
            kind=self._kind,
            runs=self._new,
            changed=self._changed,
            unchanged=self._unchanged,
            artifacts=len(self._artifacts),
            bytes=sum(self._artifacts.values()),
            unfinished=self._unfinished,
            left_out=tuple(self._left_out),
        )


def _mark(run: Run) -> dict[str, Any]:
    mark = run.config.get(IMPORTED)
    return mark if isinstance(mark, dict) else {}


def _goes_on(before: Points, now: Points) -> bool:
    """Whether points begin with those that were there before."""
    first = now[: len(before)]
    return (
        first.steps == before.steps
        and first.times == before.times
        and list(map(repr, first.values)) == list(map(repr, before.values))  # NaN is NaN
    )


def _digest(found: Found, news: News) -> str:
    """Return what tells whether a run is as it was, whenever and wherever it was looked at."""
    begins = cast("Beginning", news.begins)
    launch = begins.launch._replace(project="", experiment="", moment=0)
    begins = begins._replace(launch=launch, moment=found.started or 0)
    ends = news.ends and news.ends._replace(moment=found.ended or found.beaten or 0)
    return blake3(frame(news._replace(begins=begins, ends=ends, number=0))).hexdigest()
