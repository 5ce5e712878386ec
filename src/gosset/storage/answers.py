"""What is asked most often: runs with all that they hold, and their points.

In plain text, as SQLite and PostgreSQL both take it, so that a store in a file answers without
SQLAlchemy, whose import and first steps take longer than the answer. Filters and sorts are
compiled by :mod:`gosset.storage.compile`; what they choose is read here, too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from ..entities import ArtifactRef, Direction, Metric, Run, Status
from ..series import Chunk
from . import documents as d
from . import statements as q
from .alone import chunk_of
from .chunking import chunks
from .tracks import RUNS as RUNS_KIND
from .values import decode

if TYPE_CHECKING:
    import numpy as np

Row = Sequence[Any]
Pairs = tuple["np.ndarray", "np.ndarray"]
"""Whole numbers, and doubles."""


class Questions(Protocol):
    """Carries out queries with parameters that are written ``:name``."""

    def all(self, sql: str, row: Mapping[str, Any]) -> Sequence[Row]:
        """Return all rows of the result."""
        ...

    def among(self, sql: str, **chosen: Sequence[int] | Sequence[str]) -> Sequence[Row]:
        """Return the rows of a query with a list of values at each ``IN :name``."""
        ...

    def pairs(self, key: str, value: str, source: str, row: Mapping[str, Any]) -> Pairs:
        """Return two columns as arrays, without an object for each: where the second is there."""
        ...

    def time(self, value: Any) -> datetime | None:
        """Return the time that a column of times holds."""
        ...

    def microseconds(self, column: str) -> str:
        """Return the SQL for a column of times as microseconds since the epoch."""
        ...


NEWEST: Final = "SELECT pk FROM runs ORDER BY pk DESC LIMIT :limit OFFSET :offset"
COUNT: Final = "SELECT count(*) FROM runs"

RUNS: Final = """
SELECT runs.pk, runs.id, projects.name, experiments.name, runs.execution, launches.number,
    runs.number, runs.name, runs.status, runs.seed, runs."group", runs.params, runs.metrics,
    runs.fields, runs.hyperparameters, runs.tags, runs.dataset, runs.split, runs.exception,
    runs.cached, runs.created, runs.started, runs.ended, runs.parent, runs.config, runs.notes
FROM runs JOIN launches ON launches.pk = runs.launch
JOIN experiments ON experiments.pk = runs.experiment
JOIN projects ON projects.pk = experiments.project
WHERE runs.pk IN :pks
"""

LIVE: Final = """
SELECT run, name, value, std, direction, whole, count, step, "time", minimum, maximum, total,
    numbers
FROM run_metrics WHERE run IN :pks ORDER BY run, name
"""

IDS: Final = "SELECT pk, id FROM runs WHERE id IN :ids"

CHUNKS: Final = """
SELECT run, name, count, kind, step, stride, "time", steps, "values", times
FROM series WHERE run {chosen} ORDER BY run, name, writer, number
"""


ARTIFACTS: Final = """
SELECT links.name, links.format, links.digest, links.size, links.inline
FROM artifact_links AS links JOIN runs ON runs.pk = links.owner
WHERE links.kind = :kind AND runs.id = :run ORDER BY links.position
"""


def newest(questions: Questions, limit: int | None, offset: int = 0) -> list[Run]:
    """Return the newest runs, the newest first."""
    largest = 2**63 - 1  # SQLite has no other way to say "all"
    row = {"limit": largest if limit is None else limit, "offset": offset}
    return runs(questions, [pk for (pk,) in questions.all(NEWEST, row)])


def count(questions: Questions) -> int:
    """Return how many runs there are."""
    [[found]] = questions.all(COUNT, {})
    return int(found)


def artifacts(questions: Questions, run_id: str) -> list[ArtifactRef]:
    """Return what was kept with a run by name, in the order in which it came."""
    return [
        ArtifactRef(name=name, format=format_, digest=digest, size=size, inline=inline)
        for name, format_, digest, size, inline in questions.all(
            ARTIFACTS, {"run": run_id, "kind": RUNS_KIND}
        )
    ]


def runs(questions: Questions, pks: Iterable[int]) -> list[Run]:
    """Return the runs with these primary keys, in the order of the keys."""
    pks = list(pks)
    found: dict[int, Run] = {}
    for some in chunks(pks):
        rows = questions.among(RUNS, pks=some)
        live = live_metrics(questions, [row[0] for row in rows if not row[12]])
        for row in rows:
            found[row[0]] = _run(questions, row, live)
    return [found[pk] for pk in pks]


def _run(questions: Questions, row: Row, live: Mapping[int, Mapping[str, Metric]]) -> Run:
    # fmt: off
    (
        pk, id_, project, experiment, execution, launch, number, name, status, seed, group,
        params, metrics, fields, hyperparameters, tags, dataset, split, exception, cached,
        created, started, ended, parent, config, notes,
    ) = row
    # fmt: on
    return Run(
        id=id_,
        project=project,
        experiment=experiment,
        execution=execution,
        launch=launch,
        number=number,
        name=name,
        status=Status(status),
        seed=seed,
        group=group,
        params=decode(params),
        metrics=d.decode_metrics(metrics) if metrics else live[pk],
        fields=decode(fields),
        hyperparameters=d.decode_hyperparameters(hyperparameters),
        tags=tuple(decode(tags)),
        dataset=dataset,
        split=split,
        exception=d.decode_exception(exception),
        cached=bool(cached),
        created=questions.time(created),
        started=questions.time(started),
        ended=questions.time(ended),
        parent=parent,
        config=decode(config),
        notes=notes,
    )


def live_metrics(questions: Questions, pks: Sequence[int]) -> dict[int, dict[str, Metric]]:
    """Return the metrics of runs at work, by primary key: their rows do not have them yet."""
    found: dict[int, dict[str, Metric]] = {pk: {} for pk in pks}
    for run, name, number, std, direction, whole, *series in (
        questions.among(LIVE, pks=pks) if pks else ()
    ):
        value = decode(whole) if whole is not None else math.nan if number is None else number
        found[run][name] = Metric(
            name=name,
            value=value,
            std=std,
            direction=Direction(direction),
            series=None if series[0] is None else d.decode_summary(value, series),
        )
    return found


def series(
    questions: Questions, ids: Sequence[str], names: Sequence[str] | None
) -> dict[str, dict[str, list[Chunk]]]:
    """Return the series of runs: id → name → chunks, those of a writer in their order."""
    found: dict[str, dict[str, list[Chunk]]] = {id_: {} for id_ in ids}
    for some in chunks(ids):
        runs = {pk: found[id_] for pk, id_ in questions.among(IDS, ids=some)}
        among = "IN :pks" if names is None else "IN :pks AND name IN :names"
        chosen: dict[str, Any] = {"pks": list(runs)} | ({} if names is None else {"names": names})
        for run, name, *columns in questions.among(CHUNKS.format(chosen=among), **chosen):
            runs[run].setdefault(name, []).append(Chunk(*columns))
        for run, name, *columns in questions.among(q.ALONE.format(chosen=among), **chosen):
            runs[run][name] = [chunk_of(*columns)]
    return {id_: dict(sorted(its.items())) for id_, its in found.items()}
