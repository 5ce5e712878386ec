"""What a stage logged, among its outputs: kept there, and read back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

from ..artifacts.base import ArtifactStore
from ..artifacts.values import keep, load, read
from ..entities import ArtifactRef
from ..planner.works import LOGGED
from ..series import Chunk, Number, Points, Summary, summarise
from ..storage.documents import decode_summary
from ..storage.news import Alert, Kept, News, field_place
from ..storage.values import encode_summary
from ..tracking.account import Saying
from ..types import JSONValue

POINTS: Final = "@points"
"""Output with the bytes of all chunks, one after another: ``@logged`` says where each lies."""

KEPT: Final = "@kept/"
"""Outputs that begin so are the run's artifacts, those of its fields included."""

_COLUMNS: Final = ("steps", "values", "times")


def keep_logged(said: Saying, artifacts: ArtifactStore) -> tuple[ArtifactRef, ...]:
    """Return the outputs that hold what was said, in one piece; none where it was nothing.

    Raises
    ------
    ArtifactError, StoreReadOnlyError
        The bytes could not be kept.
    """
    news = said.news
    document: dict[str, JSONValue] = {
        "metrics": {name: summary.last for name, summary in news.summaries.items()},
        "fields": dict(news.fields),
        "tags": list(news.tags),
        "untags": list(news.untags),
        "params": dict(news.params),
        "alerts": [list(alert) for alert in news.alerts],
        "series": {name: encode_summary(s) for name, s in news.summaries.items()},
        "stepped": list(said.stepped),
        "chunks": [[name, number, *_head(chunk)] for name, number, chunk in news.points],
    }
    kept = {item.name: _as_output(item) for item in news.artifacts}
    document = {key: part for key, part in document.items() if part or key in _ALWAYS}
    if not any(document.values()) and not kept:
        return ()
    outputs = [keep(document, LOGGED, artifacts, format="json"), *kept.values()]
    if news.points:
        body = b"".join(getattr(chunk, c) for _, _, chunk in news.points for c in _COLUMNS)
        outputs.append(keep(body, POINTS, artifacts, format="bytes"))
    return tuple(outputs)


def read_logged(
    outputs: Iterable[ArtifactRef], artifacts: ArtifactStore, *, points: bool = False
) -> Saying | None:
    """Return what :func:`keep_logged` was given; None where there is nothing.

    Parameters
    ----------
    points : bool
        Whether the points are read, too.

    Raises
    ------
    ArtifactMissingError, ArtifactDamagedError
    """
    by_name = {ref.name: ref for ref in outputs}
    if LOGGED not in by_name:
        return None
    document: Any = load(by_name[LOGGED], artifacts)
    series = document.get("series", {})
    body = read(by_name[POINTS], artifacts) if points and POINTS in by_name else b""
    news = News(
        run="",
        writer=0,
        number=0,
        points=[*_chunks(document.get("chunks", ()), body)] if body else (),
        summaries={
            name: decode_summary(last, series[name]) if name in series else _single(last)
            for name, last in document["metrics"].items()
        },
        fields=document["fields"],
        tags=document["tags"],
        untags=document.get("untags", ()),
        params=document.get("params", {}),
        alerts=[Alert(*alert) for alert in document.get("alerts", ())],
        artifacts=[_as_kept(ref) for name, ref in by_name.items() if name.startswith(KEPT)],
    )
    return Saying(news, tuple(document.get("stepped", ())))


_ALWAYS: Final = ("metrics", "fields", "tags")


def without(said: Saying, names: Collection[str]) -> Saying:
    """Return what was said but for what goes by these names."""
    if not names:
        return said
    news, places = said.news, tuple(map(field_place, names))
    return said._replace(
        news=news._replace(
            points=[point for point in news.points if point[0] not in names],
            summaries={name: s for name, s in news.summaries.items() if name not in names},
            fields={name: value for name, value in news.fields.items() if name not in names},
            artifacts=[kept for kept in news.artifacts if not kept.name.startswith(places)],
        )
    )


def _single(value: Number) -> Summary:
    """Return the summary of a number that an earlier version kept without its point."""
    return summarise(Points([0], [value], [0]))


def _head(chunk: Chunk) -> list[JSONValue]:
    sizes = (len(getattr(chunk, column)) for column in _COLUMNS)
    return [chunk.count, chunk.kind, chunk.step, chunk.stride, chunk.time, *sizes]


def _chunks(heads: Iterable[Any], body: bytes) -> Iterator[tuple[str, int, Chunk]]:
    position = 0
    for name, number, count, kind, step, stride, time, *sizes in heads:
        columns = []
        for size in sizes:
            columns.append(body[position : position + size])
            position += size
        yield name, number, Chunk(count, kind, step, stride, time, *columns)


def _as_output(kept: Kept) -> ArtifactRef:
    return ArtifactRef(
        name=f"{KEPT}{kept.name}",
        format=kept.format,
        digest=kept.digest,
        size=kept.size,
        inline=kept.inline,
    )


def _as_kept(ref: ArtifactRef) -> Kept:
    name = ref.name.removeprefix(KEPT)
    return Kept(name, ref.format, ref.digest, ref.size, ref.inline)
