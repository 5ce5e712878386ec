"""News of tracked runs, written to the tables in SQL that SQLite and PostgreSQL both take.

In plain text, because a tracked run reaches an SQLite store without SQLAlchemy, whose import
takes longer than all else that a short script does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from ..exceptions import NotFoundError, UsageError
from ..identifiers import new_id
from ..series import Chunk, Summary
from ..types import JSONValue
from .news import (
    Alert,
    Beat,
    Beginning,
    Captured,
    Ending,
    Gap,
    Kept,
    News,
    Opening,
    TakenUp,
    field_place,
)
from .numbers import as_double
from .owners import alive
from .values import decode, encode, encode_summary, plain, side_row, whole_number

LAUNCHES: Final = 5
RUNS: Final = 6
"""The values of ``artifact_links.kind`` for launches and runs."""

_ENDED: Final = ("stopped", "complete", "failed", "pruned", "crashed")

Row = Mapping[str, Any]


class Statements(Protocol):
    """Carries out statements with parameters that are written ``:name``."""

    @property
    def locking(self) -> str:
        """What a query ends with that keeps others from changing what it found."""
        ...

    def one(self, sql: str, row: Row) -> Sequence[Any] | None:
        """Return the first row of the result; None where there is none."""
        ...

    def all(self, sql: str, row: Row) -> Sequence[Sequence[Any]]:
        """Return all rows of the result."""
        ...

    def many(self, sql: str, rows: Sequence[Row]) -> None:
        """Carry out a statement for each row."""
        ...

    def moment(self, microseconds: int) -> Any:
        """Return what a column of times holds; the time is given since the epoch."""
        ...


def write(statements: Statements, news: Iterable[News], beats: Iterable[Beat]) -> None:
    """Take in news and signs of life, inside a transaction that writes."""
    for one in news:
        _take_in(statements, one)
    rows = [_beat(statements, beat) for beat in beats]
    statements.many(_BEAT, rows)
    statements.many(_REVIVE, [row for row in rows if row["ended"] is None])


def take_up(statements: Statements, run: str, launch: Opening, lease: float) -> TakenUp:
    """Make a run one of the launch, at work again; see :meth:`Sink.take_up`."""
    # First locked, then read: who was first has changed its owner.
    found = statements.one(_FIND + statements.locking, {"run": run})
    if found is None:
        raise NotFoundError(f"no run {run!r} in the store")
    pk = int(found[0])
    latest = statements.moment(launch.moment - int(lease * 1e6))
    owner = statements.one(_OWNER, {"run": pk, "latest": latest})
    assert owner is not None
    name, status, host, pid, beaten = owner
    if status not in _ENDED and beaten and (host != launch.host or alive(pid)):
        raise UsageError(
            f"run {name} is at work in process {pid} on {host or 'another host'}",
            hint="stop it first, or start a run of its own",
        )
    _, its_launch, execution = _launch(statements, launch)
    statements.many(_TAKE_UP, [{"run": pk, "launch": its_launch, "execution": execution}])
    return _taken_up(statements, run, pk)


def _taken_up(statements: Statements, run: str, pk: int) -> TakenUp:
    found = statements.one(_FACTS, {"run": pk})
    assert found is not None
    name, seed, params, config, fields, tags, parent = found
    steps = statements.all("SELECT name, step FROM run_metrics WHERE run = :run", {"run": pk})
    return TakenUp(
        id=run,
        name=name,
        seed=seed,
        params=decode(params),
        config=decode(config),
        fields=decode(fields),
        tags=tuple(decode(tags)),
        parent=parent,
        steps={metric: int(step) for metric, step in steps if step is not None},
    )


def number(statements: Statements, run: str) -> int:
    """Return the number of a run in its experiment."""
    found = statements.one("SELECT number FROM runs WHERE id = :run", {"run": run})
    if found is None:
        raise NotFoundError(f"no run {run!r} in the store")
    return int(found[0])


def _take_in(statements: Statements, news: News) -> None:
    # Who writes to a run at the same time waits here, and finds what this one leaves.
    found = statements.one(_FIND + statements.locking, {"run": news.run})
    if found is None:
        if news.begins is None:
            raise NotFoundError(f"no run {news.run!r} in the store: it was deleted")
        pk, over = _begin(statements, news.run, news.begins), False
    else:
        pk, over = int(found[0]), bool(found[1])
    said = {"run": pk, "writer": news.writer, "last": news.number}
    if statements.one(_SAID, said) is None:
        return  # it was taken in before, and only the answer was lost
    _points(statements, pk, news.writer, news.points, news.summaries)
    _documents(statements, pk, news)
    _forget(statements, pk, news.fields)
    _artifacts(statements, RUNS, pk, news.artifacts)
    _texts(statements, pk, news.console, news.alerts)
    if news.gap is not None:
        _leave_out(statements, pk, news.gap)
    if news.captured is not None:
        _capture(statements, news.captured)
    if news.ends is not None:
        # Of a run that is over at once there is nothing but what was said just now.
        metrics = _metrics_document(statements, pk) if found else _document(news.summaries)
        _end(statements, pk, news.ends, metrics)
    if over and news.summaries:
        # Somebody else who logs to a run may have more to say than who ended it.
        statements.many(_RENEW, [{"run": pk, "metrics": _metrics_document(statements, pk)}])


# -- launches and runs


def _launch(statements: Statements, opening: Opening) -> tuple[int, int, int]:
    """Return the primary keys of experiment and launch, and the number of the execution."""
    known = statements.one(_FIND_LAUNCH, {"launch": opening.id})
    if known is not None:
        if known[3] != "running":
            statements.many(_BEAT, [_beat(statements, Beat(opening.id, opening.moment))])
        return known[0], known[1], known[2]
    time = statements.moment(opening.moment)
    names = {"project": plain(opening.project), "experiment": plain(opening.experiment)}
    made = {**names, "id": new_id(), "created": time}
    statements.many(_PROJECT, [made])
    statements.many(_EXPERIMENT, [made | {"id": new_id()}])
    # To take a number locks the experiment until the end of the transaction.
    experiment = statements.one(_NEXT_LAUNCH, names)
    assert experiment is not None
    execution = _execution(statements, experiment[0], opening)
    launch = {
        "id": opening.id,
        "experiment": experiment[0],
        "number": experiment[1],
        "execution": execution,
        "status": "running",
        "command": plain(opening.command),
        "user": plain(opening.user),
        "host": plain(opening.host),
        "pid": opening.pid,
        "notes": plain(opening.notes),
        "settings": encode(opening.settings, "the settings"),
        "provenance": encode(opening.provenance, "the provenance"),
        "moment": time,
    }
    pk = statements.one(_LAUNCH, launch)
    assert pk is not None
    return experiment[0], pk[0], execution


def _execution(statements: Statements, experiment: int, opening: Opening) -> int:
    row = {"experiment": experiment, "fingerprint": opening.fingerprint}
    found = statements.one(_FIND_EXECUTION, row)
    if found is None:
        found = statements.one(_NEXT_EXECUTION, row)
        assert found is not None
        made = {
            **row,
            "id": new_id(),
            "number": found[0],
            "code": encode(opening.code, "the code"),
            "created": statements.moment(opening.moment),
        }
        statements.many(_EXECUTION, [made])
    return int(found[0])


def _begin(statements: Statements, run: str, begins: Beginning) -> int:
    experiment, launch, execution = _launch(statements, begins.launch)
    number = statements.one(_NEXT_RUN, {"experiment": experiment})
    assert number is not None
    row = {
        "id": run,
        "experiment": experiment,
        "launch": launch,
        "number": number[0],
        "execution": execution,
        "name": plain(begins.name),
        "seed": begins.seed,
        "group": begins.group,
        "cached": False,
        "moment": statements.moment(begins.moment),
        "params": encode(begins.params, "parameters"),
        "config": encode(begins.config, "the configuration"),
        "tags": encode(list(begins.tags), "tags"),
        "notes": plain(begins.notes),
        "parent": begins.parent,
    }
    made = statements.one(_RUN, row)
    assert made is not None
    pk = int(made[0])
    _sides(statements, "run_params", pk, begins.params)
    statements.many(_TAG, [{"run": pk, "tag": plain(tag)} for tag in begins.tags])
    return pk


def _end(statements: Statements, pk: int, ends: Ending, metrics: str) -> None:
    over = ends.status in _ENDED
    row = {
        "run": pk,
        "status": ends.status,
        "ended": statements.moment(ends.moment) if over else None,
        "exception": None if ends.exception is None else encode(ends.exception, "an exception"),
        "metrics": metrics if over else "",
        "launch": ends.launch,
    }
    statements.many(_END if ends.launch is None else _END + _OWN, [row])
    if ends.launch is not None and ends.leaves is not None:
        left = Beat(launch=ends.launch, moment=ends.moment, status=ends.leaves)
        statements.many(_BEAT, [_beat(statements, left)])


def _beat(statements: Statements, beat: Beat) -> Row:
    moment = statements.moment(beat.moment)
    return {
        "launch": beat.launch,
        "status": beat.status,
        "heartbeat": moment,
        "ended": moment if beat.status in _ENDED else None,
    }


def _metrics_document(statements: Statements, pk: int) -> str:
    """Return the metrics of a run as its row keeps them, so that lists need one table only."""
    document: dict[str, JSONValue] = {}
    for name, value, std, direction, whole, *series in statements.all(_METRICS, {"run": pk}):
        exact = decode(whole) if whole is not None else float("nan") if value is None else value
        document[name] = [exact, std, [], direction, series]
    return encode(document, "metrics")


def _document(summaries: Mapping[str, Summary]) -> str:
    """Return the same for metrics that nobody logged before."""
    document: dict[str, JSONValue] = {}
    for name, summary in sorted(summaries.items()):
        document[plain(name)] = [summary.last, None, [], "none", encode_summary(summary)]
    return encode(document, "metrics")


# -- what it holds


def _points(
    statements: Statements,
    pk: int,
    writer: int,
    points: Sequence[tuple[str, int, Chunk]],
    summaries: Mapping[str, Summary],
) -> None:
    rows = [
        {
            "run": pk,
            "name": plain(name),
            "writer": writer,
            "number": number,
            "count": chunk.count,
            "kind": chunk.kind,
            "step": chunk.step,
            "stride": chunk.stride,
            "time": chunk.time,
            "steps": chunk.steps,
            "values": chunk.values,
            "times": chunk.times,
        }
        for name, number, chunk in points
    ]
    statements.many(_CHUNK, rows)
    statements.many(_METRIC, [_metric(pk, name, s) for name, s in summaries.items()])


def _metric(pk: int, name: str, summary: Summary) -> Row:
    return {
        "run": pk,
        "name": plain(name),
        "value": as_double(summary.last),
        "whole": whole_number(summary.last),
        "count": summary.count,
        "step": summary.step,
        "time": summary.time,
        "minimum": summary.minimum,
        "maximum": summary.maximum,
        "total": summary.total,
        "numbers": summary.numbers,
    }


def _documents(statements: Statements, pk: int, news: News) -> None:
    for column, table, given in (
        ("params", "run_params", news.params),
        ("fields", "run_fields", news.fields),
        ("config", None, news.config),
    ):
        if given:
            merged = _merge(statements, pk, column, given)
        if given and table is not None:
            _sides(statements, table, pk, given)
        if given and column == "params":
            _set(statements, pk, '"group"', _group(merged))
    if news.tags or news.untags:
        found = statements.one("SELECT tags FROM runs WHERE pk = :run", {"run": pk})
        assert found is not None
        tags = dict.fromkeys([*decode(found[0]), *news.tags])
        left = [tag for tag in tags if tag not in news.untags]
        _set(statements, pk, "tags", encode(left, "tags"))
        statements.many(_UNTAG, [{"run": pk, "tag": plain(tag)} for tag in news.untags])
        statements.many(_TAG, [{"run": pk, "tag": plain(tag)} for tag in news.tags if tag in left])
    for column, text in (("name", news.name), ("notes", news.notes)):
        if text is not None:
            _set(statements, pk, column, plain(text))


def _merge(
    statements: Statements, pk: int, column: str, given: Mapping[str, JSONValue]
) -> dict[str, JSONValue]:
    found = statements.one(f"SELECT {column} FROM runs WHERE pk = :run", {"run": pk})
    assert found is not None
    merged = {**decode(found[0]), **given}
    _set(statements, pk, column, encode(merged, column))
    return merged


def _group(params: Mapping[str, JSONValue]) -> str:
    from ..fingerprint.plainly import plain_digest

    return plain_digest(params)


def _set(statements: Statements, pk: int, column: str, value: str) -> None:
    statements.many(
        f"UPDATE runs SET {column} = :value WHERE pk = :run", [{"run": pk, "value": value}]
    )


def _sides(statements: Statements, table: str, pk: int, given: Mapping[str, JSONValue]) -> None:
    rows = [side_row(pk, name, value) for name, value in given.items()]
    for row in rows:
        row["name"] = plain(row["name"])
        row["text"] = None if row["text"] is None else plain(row["text"])
        row["whole"] = None if row["whole"] is None else plain(row["whole"])
    statements.many(_SIDE.format(table=table), rows)


def _forget(statements: Statements, pk: int, fields: Iterable[str]) -> None:
    """Drop what was kept of the former values of fields."""
    of_run = {"kind": RUNS, "owner": pk}
    places = [plain(field_place(name)) for name in fields]
    if places and statements.one(_LINKED, of_run) is not None:
        rows = [of_run | {"place": place, "length": len(place)} for place in places]
        statements.many(_FORGET, rows)


def _artifacts(statements: Statements, kind: int, pk: int, artifacts: Sequence[Kept]) -> None:
    latest = {
        plain(kept.name): {
            "kind": kind,
            "owner": pk,
            "name": plain(kept.name),
            "format": kept.format,
            "digest": kept.digest,
            "size": kept.size,
            "inline": kept.inline,
            "kept": True,
        }
        for kept in artifacts
    }
    # First all, then all: each looks through what is there already.
    statements.many(_UNLINK, list(latest.values()))
    statements.many(_LINK, list(latest.values()))


def _texts(
    statements: Statements,
    pk: int,
    console: Sequence[tuple[str, int, str]],
    alerts: Sequence[Alert],
) -> None:
    statements.many(
        'INSERT INTO console (run, stream, "time", text) VALUES (:run, :stream, :time, :text)',
        [
            {"run": pk, "stream": stream, "time": moment, "text": plain(text)}
            for stream, moment, text in console
        ],
    )
    statements.many(
        'INSERT INTO alerts (run, "time", level, title, text)'
        " VALUES (:run, :time, :level, :title, :text)",
        [
            {
                "run": pk,
                "time": alert.moment,
                "level": alert.level,
                "title": plain(alert.title),
                "text": plain(alert.text),
            }
            for alert in alerts
        ],
    )


def _leave_out(statements: Statements, pk: int, gap: Gap) -> None:
    row = {"run": pk, "start": gap.start, "end": gap.end, "text": plain(gap.text)}
    statements.many(_GAP, [row])
    statements.many(_LEAVE_OUT, [row])


def _capture(statements: Statements, captured: Captured) -> None:
    found = statements.one(_FIND_LAUNCH, {"launch": captured.launch})
    if found is None:
        return  # it was deleted
    if captured.digest is not None:
        content = encode(captured.environment, "the environment")
        statements.many(_ENVIRONMENT, [{"digest": captured.digest, "content": content}])
    row = {
        "launch": found[1],
        "provenance": encode(captured.provenance, "the provenance"),
        "environment": captured.digest,
    }
    statements.many(_CAPTURED, [row])
    statements.many(_UNLINK_ALL, [{"kind": LAUNCHES, "owner": found[1]}])
    _artifacts(statements, LAUNCHES, found[1], captured.artifacts)


# -- the statements

_BEAT: Final = """
UPDATE launches SET heartbeat = :heartbeat, status = :status, ended = :ended WHERE id = :launch
"""
_REVIVE: Final = """
UPDATE runs SET status = 'running', ended = NULL
WHERE launch = (SELECT pk FROM launches WHERE id = :launch) AND status = 'crashed'
"""
_FIND: Final = "SELECT pk, metrics <> '' FROM runs WHERE id = :run"
_OWNER: Final = """
SELECT runs.name, runs.status, launches.host, launches.pid, launches.heartbeat >= :latest
FROM runs JOIN launches ON launches.pk = runs.launch WHERE runs.pk = :run
"""
_TAKE_UP: Final = """
UPDATE runs SET launch = :launch, execution = :execution, status = 'running', ended = NULL,
    exception = NULL, metrics = ''
WHERE pk = :run
"""
_FACTS: Final = """
SELECT name, seed, params, config, fields, tags, parent FROM runs WHERE pk = :run
"""
_RENEW: Final = "UPDATE runs SET metrics = :metrics WHERE pk = :run AND metrics <> ''"
_FIND_LAUNCH: Final = """
SELECT experiment, pk, execution, status FROM launches WHERE id = :launch
"""
_PROJECT: Final = """
INSERT INTO projects (id, name, description, created) VALUES (:id, :project, '', :created)
ON CONFLICT DO NOTHING
"""
_EXPERIMENT: Final = """
INSERT INTO experiments
    (id, project, name, description, definition, created, last_execution, last_launch, last_run)
SELECT :id, pk, :experiment, '', '{}', :created, 0, 0, 0 FROM projects WHERE name = :project
ON CONFLICT DO NOTHING
"""
_NEXT_LAUNCH: Final = """
UPDATE experiments SET last_launch = last_launch + 1
WHERE name = :experiment AND project = (SELECT pk FROM projects WHERE name = :project)
RETURNING pk, last_launch
"""
_FIND_EXECUTION: Final = """
SELECT number FROM executions WHERE experiment = :experiment AND fingerprint = :fingerprint
"""
_NEXT_EXECUTION: Final = """
UPDATE experiments SET last_execution = last_execution + 1 WHERE pk = :experiment
RETURNING last_execution
"""
_EXECUTION: Final = """
INSERT INTO executions (id, experiment, number, fingerprint, code, created)
VALUES (:id, :experiment, :number, :fingerprint, :code, :created)
"""
_LAUNCH: Final = """
INSERT INTO launches
    (id, experiment, number, execution, status, command, "user", host, pid, notes, settings,
     provenance, created, started, heartbeat)
VALUES
    (:id, :experiment, :number, :execution, :status, :command, :user, :host, :pid, :notes,
     :settings, :provenance, :moment, :moment, :moment)
RETURNING pk
"""
_NEXT_RUN: Final = """
UPDATE experiments SET last_run = last_run + 1 WHERE pk = :experiment RETURNING last_run
"""
_RUN: Final = """
INSERT INTO runs
    (id, experiment, launch, number, execution, name, status, seed, "group", cached, created,
     started, params, metrics, fields, hyperparameters, tags, parent, config, notes)
VALUES
    (:id, :experiment, :launch, :number, :execution, :name, 'running', :seed, :group, :cached,
     :moment, :moment, :params, '', '{}', '[]', :tags, :parent, :config, :notes)
RETURNING pk
"""
_END: Final = """
UPDATE runs SET status = :status, ended = :ended, exception = :exception, metrics = :metrics
WHERE pk = :run
"""
_OWN: Final = "AND launch = (SELECT pk FROM launches WHERE id = :launch)"
_SAID: Final = """
INSERT INTO writers (run, writer, last) VALUES (:run, :writer, :last)
ON CONFLICT (run, writer) DO UPDATE SET last = excluded.last WHERE writers.last < excluded.last
RETURNING last
"""
_CHUNK: Final = """
INSERT INTO series
    (run, name, writer, number, count, kind, step, stride, "time", steps, "values", times)
VALUES
    (:run, :name, :writer, :number, :count, :kind, :step, :stride, :time, :steps, :values, :times)
ON CONFLICT (run, name, writer, number) DO UPDATE SET
    count = excluded.count, kind = excluded.kind, step = excluded.step,
    stride = excluded.stride, "time" = excluded."time", steps = excluded.steps,
    "values" = excluded."values", times = excluded.times
"""
# The last point is that with the highest step, and of these the latest.
_LATER: Final = (
    "(run_metrics.step IS NULL OR excluded.step > run_metrics.step OR"
    ' (excluded.step = run_metrics.step AND excluded."time" >= run_metrics."time"))'
)
_METRIC: Final = f"""
INSERT INTO run_metrics
    (run, name, value, std, direction, whole, count, step, "time", minimum, maximum, total,
     numbers)
VALUES
    (:run, :name, :value, NULL, 'none', :whole, :count, :step, :time, :minimum, :maximum, :total,
     :numbers)
ON CONFLICT (run, name) DO UPDATE SET
    value = CASE WHEN {_LATER} THEN excluded.value ELSE run_metrics.value END,
    whole = CASE WHEN {_LATER} THEN excluded.whole ELSE run_metrics.whole END,
    count = coalesce(run_metrics.count, 0) + excluded.count,
    step = CASE WHEN {_LATER} THEN excluded.step ELSE run_metrics.step END,
    "time" = CASE WHEN {_LATER} THEN excluded."time" ELSE run_metrics."time" END,
    minimum = CASE WHEN run_metrics.minimum < excluded.minimum OR excluded.minimum IS NULL
        THEN run_metrics.minimum ELSE excluded.minimum END,
    maximum = CASE WHEN run_metrics.maximum > excluded.maximum OR excluded.maximum IS NULL
        THEN run_metrics.maximum ELSE excluded.maximum END,
    total = coalesce(run_metrics.total, 0) + excluded.total,
    numbers = coalesce(run_metrics.numbers, 0) + excluded.numbers
"""
_METRICS: Final = """
SELECT name, value, std, direction, whole, count, step, "time", minimum, maximum, total, numbers
FROM run_metrics WHERE run = :run ORDER BY name
"""
_SIDE: Final = """
INSERT INTO {table} (run, name, number, text, whole) VALUES (:run, :name, :number, :text, :whole)
ON CONFLICT (run, name) DO UPDATE SET
    number = excluded.number, text = excluded.text, whole = excluded.whole
"""
_TAG: Final = "INSERT INTO run_tags (run, tag) VALUES (:run, :tag) ON CONFLICT DO NOTHING"
_UNTAG: Final = "DELETE FROM run_tags WHERE run = :run AND tag = :tag"
_GAP: Final = """
UPDATE console SET text = :text WHERE run = :run AND "time" = :start
"""
_LEAVE_OUT: Final = """
DELETE FROM console WHERE run = :run AND "time" > :start AND "time" <= :end
"""
_ENVIRONMENT: Final = """
INSERT INTO environments (digest, content) VALUES (:digest, :content) ON CONFLICT DO NOTHING
"""
_CAPTURED: Final = """
UPDATE launches SET provenance = :provenance, environment = coalesce(:environment, environment)
WHERE pk = :launch
"""
_UNLINK_ALL: Final = "DELETE FROM artifact_links WHERE kind = :kind AND owner = :owner"
_UNLINK: Final = """
DELETE FROM artifact_links WHERE kind = :kind AND owner = :owner AND name = :name
"""
_LINKED: Final = "SELECT 1 FROM artifact_links WHERE kind = :kind AND owner = :owner LIMIT 1"
_FORGET: Final = """
DELETE FROM artifact_links
WHERE kind = :kind AND owner = :owner AND substr(name, 1, :length) = :place
"""
_LINK: Final = """
INSERT INTO artifact_links (kind, owner, position, name, format, digest, size, inline, kept)
VALUES
    (:kind, :owner,
     (SELECT coalesce(max(position), -1) + 1 FROM artifact_links
      WHERE kind = :kind AND owner = :owner),
     :name, :format, :digest, :size, :inline, :kept)
"""
