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
from . import statements as q
from .alone import chunk_of, told_by_chunks
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
    statements.many(q.BEAT, rows)
    statements.many(q.REVIVE, [row for row in rows if row["ended"] is None])


def take_up(statements: Statements, run: str, launch: Opening, lease: float) -> TakenUp:
    """Make a run one of the launch, at work again; see :meth:`Sink.take_up`."""
    # First locked, then read: who was first has changed its owner.
    found = statements.one(q.FIND + statements.locking, {"run": run})
    if found is None:
        raise NotFoundError(f"no run {run!r} in the store")
    pk = int(found[0])
    latest = statements.moment(launch.moment - int(lease * 1e6))
    owner = statements.one(q.OWNER, {"run": pk, "latest": latest})
    assert owner is not None
    name, status, host, pid, beaten = owner
    if status not in _ENDED and beaten and (host != launch.host or alive(pid)):
        raise UsageError(
            f"run {name} is at work in process {pid} on {host or 'another host'}",
            hint="stop it first, or start a run of its own",
        )
    _, its_launch, execution = _launch(statements, launch)
    _unfold(statements, pk)
    statements.many(q.TAKE_UP, [{"run": pk, "launch": its_launch, "execution": execution}])
    return _taken_up(statements, run, pk)


def _taken_up(statements: Statements, run: str, pk: int) -> TakenUp:
    found = statements.one(q.FACTS, {"run": pk})
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
    found = statements.one(q.FIND + statements.locking, {"run": news.run})
    if found is None:
        if news.begins is None:
            raise NotFoundError(f"no run {news.run!r} in the store: it was deleted")
        pk, over = _begin(statements, news, news.begins), False
    else:
        pk, over = int(found[0]), bool(found[1])
        if over:
            _unfold(statements, pk)
    said = {"run": pk, "writer": news.writer, "last": news.number}
    if statements.one(q.SAID, said) is None:
        return  # it was taken in before, and only the answer was lost
    if news.anew:
        for statement in q.ANEW:
            statements.many(statement, [{"run": pk, "kind": RUNS}])
    _points(statements, pk, news, whole=found is None and news.ends is not None)
    _documents(statements, pk, news)
    _forget(statements, pk, news.fields)
    _artifacts(statements, RUNS, pk, news.artifacts)
    _texts(statements, pk, news.console, news.alerts)
    if news.gap is not None:
        _leave_out(statements, pk, news.gap)
    if news.captured is not None:
        _capture(statements, news.captured)
    if news.ends is not None and found is not None:
        _end(statements, pk, news.ends)
    if over and news.summaries:
        # Somebody else who logs to a run may have more to say than who ended it.
        statements.many(q.RENEW, [{"run": pk, "metrics": _metrics_document(statements, pk)}])


# -- launches and runs


def _launch(
    statements: Statements, opening: Opening, *, left: bool = False
) -> tuple[int, int, int]:
    """Return the primary keys of experiment and launch, and the number of the execution.

    The launch is at work from now on, unless it is `left` with the same words.
    """
    known = statements.one(q.FIND_LAUNCH, {"launch": opening.id})
    if known is not None:
        if known[3] != "running" and not left:
            statements.many(q.BEAT, [_beat(statements, Beat(opening.id, opening.moment))])
        return known[0], known[1], known[2]
    time = statements.moment(opening.moment)
    names = {"project": plain(opening.project), "experiment": plain(opening.experiment)}
    made = {**names, "id": new_id(), "created": time}
    statements.many(q.PROJECT, [made])
    statements.many(q.EXPERIMENT, [made | {"id": new_id()}])
    # To take a number locks the experiment until the end of the transaction.
    experiment = statements.one(q.NEXT_LAUNCH, names)
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
    pk = statements.one(q.LAUNCH, launch)
    assert pk is not None
    return experiment[0], pk[0], execution


def _execution(statements: Statements, experiment: int, opening: Opening) -> int:
    row = {"experiment": experiment, "fingerprint": opening.fingerprint}
    found = statements.one(q.FIND_EXECUTION, row)
    if found is None:
        found = statements.one(q.NEXT_EXECUTION, row)
        assert found is not None
        made = {
            **row,
            "id": new_id(),
            "number": found[0],
            "code": encode(opening.code, "the code"),
            "created": statements.moment(opening.moment),
        }
        statements.many(q.EXECUTION, [made])
    return int(found[0])


def _begin(statements: Statements, news: News, begins: Beginning) -> int:
    """Begin a run, which may be over with the same words."""
    ends = news.ends
    left = ends is not None and ends.leaves is not None
    experiment, launch, execution = _launch(statements, begins.launch, left=left)
    number = statements.one(q.NEXT_RUN, {"experiment": experiment})
    assert number is not None
    row = {
        **_ending(statements, ends, "" if ends is None else _document(news.summaries)),
        "id": news.run,
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
    made = statements.one(q.RUN, row)
    assert made is not None
    pk = int(made[0])
    _sides(statements, "run_params", pk, begins.params)
    statements.many(q.TAG, [{"run": pk, "tag": plain(tag)} for tag in begins.tags])
    if ends is not None:
        _leave(statements, ends)
    return pk


def _end(statements: Statements, pk: int, ends: Ending) -> None:
    row = {
        **_ending(statements, ends, _metrics_document(statements, pk)),
        "run": pk,
        "launch": ends.launch,
    }
    statements.many(q.END if ends.launch is None else q.END + q.OWN, [row])
    _leave(statements, ends)


def _ending(statements: Statements, ends: Ending | None, metrics: str) -> dict[str, Any]:
    """Return the columns of a run that say how it ended, or that it is at work."""
    if ends is None:
        return {"status": "running", "ended": None, "exception": None, "metrics": ""}
    over = ends.status in _ENDED
    return {
        "status": ends.status,
        "ended": statements.moment(ends.moment) if over else None,
        "exception": None if ends.exception is None else encode(ends.exception, "an exception"),
        "metrics": metrics if over else "",
    }


def _leave(statements: Statements, ends: Ending) -> None:
    if ends.launch is not None and ends.leaves is not None:
        left = Beat(launch=ends.launch, moment=ends.moment, status=ends.leaves)
        statements.many(q.BEAT, [_beat(statements, left)])


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
    for name, value, std, direction, whole, *series in statements.all(q.METRICS, {"run": pk}):
        exact = decode(whole) if whole is not None else float("nan") if value is None else value
        logged = [] if series[0] is None else [series]
        document[name] = [exact, std, [], direction, *logged]
    return encode(document, "metrics")


def _document(summaries: Mapping[str, Summary]) -> str:
    """Return the same for metrics that nobody logged before."""
    document: dict[str, JSONValue] = {}
    for name, summary in sorted(summaries.items()):
        document[plain(name)] = [summary.last, None, [], "none", encode_summary(summary)]
    return encode(document, "metrics")


# -- what it holds


def _points(statements: Statements, pk: int, news: News, *, whole: bool) -> None:
    """Write points and summaries; `whole`: these are all of the run."""
    points = told_by_chunks(news.points, news.summaries) if whole else news.points
    statements.many(q.CHUNK, [_chunk(pk, news.writer, *point) for point in points])
    statements.many(q.METRIC, [_metric(pk, name, s) for name, s in news.summaries.items()])


def _unfold(statements: Statements, pk: int) -> None:
    """Give points that are alone chunks of their own, before others come."""
    rows = statements.all(q.ALONE.format(chosen="= :run"), {"run": pk})
    if rows:
        [[writer]] = statements.all(q.WRITER, {"run": pk})
        statements.many(q.CHUNK, [_chunk(pk, writer, r[1], 0, chunk_of(*r[2:])) for r in rows])


def _chunk(pk: int, writer: int, name: str, number: int, chunk: Chunk) -> Row:
    return {
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
        if given and column == "params" and not news.planned:
            _set(statements, pk, '"group"', _group(merged))
    if news.tags or news.untags:
        found = statements.one("SELECT tags FROM runs WHERE pk = :run", {"run": pk})
        assert found is not None
        tags = dict.fromkeys([*decode(found[0]), *news.tags])
        left = [tag for tag in tags if tag not in news.untags]
        _set(statements, pk, "tags", encode(left, "tags"))
        statements.many(q.UNTAG, [{"run": pk, "tag": plain(tag)} for tag in news.untags])
        statements.many(q.TAG, [{"run": pk, "tag": plain(tag)} for tag in news.tags if tag in left])
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
    statements.many(q.SIDE.format(table=table), rows)


def _forget(statements: Statements, pk: int, fields: Iterable[str]) -> None:
    """Drop what was kept of the former values of fields."""
    of_run = {"kind": RUNS, "owner": pk}
    places = [plain(field_place(name)) for name in fields]
    if places and statements.one(q.LINKED, of_run) is not None:
        rows = [of_run | {"place": place, "length": len(place)} for place in places]
        statements.many(q.FORGET, rows)


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
    statements.many(q.UNLINK, list(latest.values()))
    statements.many(q.LINK, list(latest.values()))


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
    statements.many(q.GAP, [row])
    statements.many(q.LEAVE_OUT, [row])


def _capture(statements: Statements, captured: Captured) -> None:
    found = statements.one(q.FIND_LAUNCH, {"launch": captured.launch})
    if found is None:
        return  # it was deleted
    if captured.digest is not None:
        content = encode(captured.environment, "the environment")
        statements.many(q.ENVIRONMENT, [{"digest": captured.digest, "content": content}])
    row = {
        "launch": found[1],
        "provenance": encode(captured.provenance, "the provenance"),
        "environment": captured.digest,
    }
    statements.many(q.CAPTURED, [row])
    statements.many(q.UNLINK_ALL, [{"kind": LAUNCHES, "owner": found[1]}])
    _artifacts(statements, LAUNCHES, found[1], captured.artifacts)
