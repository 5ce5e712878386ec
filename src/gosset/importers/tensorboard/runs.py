"""A folder with event files of TensorBoard as one run."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from ...entities import Status
from ...exceptions import StorageError
from ...serializers.files import File
from ...series import Points
from ..base import Found
from ..protobuf import Message
from . import events as e
from .records import Damage, records

_FILE: Final = re.compile(r"tfevents\.\d+\.(?P<host>.+?)(\.\d+\.\d+)?(\.v2)?$")
_TEXT: Final = "/text_summary"
_ENDINGS: Final = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpg", b"GIF8": "gif", b"RIFF": "wav"}
_ENDED: Final = {1: Status.COMPLETE, 2: Status.FAILED}
"""How the plugin for hyperparameters says that a run ended."""

_RARE: Final = {e.LOG: "log messages", e.TRACE: "traces of TensorFlow sessions"}


def identity(files: list[Path]) -> str | None:
    """Return what tells a run from others wherever its folder lies; None where it has no event.

    That is the name of its first file, which has time and host, and the time of its first event.
    """
    for file in files:
        for record in records(file):
            if isinstance(record, Damage):
                break
            try:
                return f"{file.name}@{Message(record.data).double(e.WALL_TIME)!r}"
            except StorageError:  # told when its run is read
                continue
    return None


def run(name: str, experiment: str, id_: str, parent: str | None, files: list[Path]) -> Found:
    """Return the run of some event files, in the order of their names."""
    gathering = _Gathering()
    for file in files:
        gathering.take(file)
    return gathering.found(name, experiment, id_, parent, files[0].name)


class _Seen(NamedTuple):
    """A value, when it was logged, and where it stands: in which record, at which place."""

    value: e.Value
    step: int
    wall: float
    file: Path
    offset: int
    size: int
    at: int

    def later(self, get: Callable[[Message], bytes]) -> File:
        """Return bytes of the value, read again when they are needed."""

        def got(event: Message) -> bytes:
            return get(event.inner(e.SUMMARY).several(1)[self.at])

        return _later(self.file, self.offset, self.size, got)


class _Gathering:
    def __init__(self) -> None:
        self._plugins: dict[str, str] = {}
        self._metrics: dict[str, Points] = {}
        self._texts: dict[str, list[tuple[int, Any]]] = {}
        self._histograms: dict[str, list[dict[str, Any]]] = {}
        self._artifacts: dict[str, Any] = {}
        self._params: dict[str, Any] = {}
        self._config: dict[str, Any] = {}
        self._status: Status | None = None
        self._times: list[float] = []
        self._left_out: list[tuple[str, str]] = []
        self._unknown: Counter[str] = Counter()

    def take(self, file: Path) -> None:
        """Take in what stands in a file."""
        for record in records(file):
            if isinstance(record, Damage):
                what = f"what stands at byte {record.offset} of {file.name}"
                self._left_out.append((what, record.why))
                continue
            try:
                self._event(Message(record.data), file, record.offset, len(record.data))
            except StorageError as error:
                what = f"the event at byte {record.offset} of {file.name}"
                self._left_out.append((what, error.message))

    def _event(self, event: Message, file: Path, offset: int, size: int) -> None:
        wall = event.double(e.WALL_TIME)
        self._times.append(wall)
        for field, name in ((e.GRAPH, "graph.pb"), (e.META_GRAPH, "meta_graph.pb")):
            if event.has(field):
                get = partial(Message.data, number=field)
                self._artifacts[name] = _later(file, offset, size, get)
        for field, what in _RARE.items():
            self._unknown[what] += event.has(field)
        for at, value in enumerate(e.values(event.inner(e.SUMMARY))):
            # Only the first value of a tag need say whose it is.
            plugin = self._plugins.setdefault(value.tag, value.plugin)
            value = value._replace(plugin=plugin)
            try:
                self._value(_Seen(value, event.integer(e.STEP), wall, file, offset, size, at))
            except StorageError as error:
                what = f"{value.tag!r} in the event at byte {offset} of {file.name}"
                self._left_out.append((what, error.message))

    def _value(self, seen: _Seen) -> None:
        message, tag = seen.value.message, seen.value.tag
        if message.has(e.SIMPLE):
            self._point(seen, message.single(e.SIMPLE))
        elif seen.value.plugin == "hparams":
            self._session(Message(seen.value.content))
        elif message.has(e.IMAGE):
            self._media(f"images/{tag}", seen, lambda value: value.inner(e.IMAGE).data(4))
        elif message.has(e.AUDIO):
            self._media(f"audio/{tag}", seen, lambda value: value.inner(e.AUDIO).data(4))
        elif message.has(e.HISTOGRAM):
            self._histogram(seen, e.histogram(message.inner(e.HISTOGRAM)))
        elif not (message.has(e.TENSOR) and self._tensor(seen, message.inner(e.TENSOR))):
            self._unknown[f"what plugin {seen.value.plugin!r} shows, of {tag!r}"] += 1

    def _tensor(self, seen: _Seen, tensor: Message) -> bool:
        """Take in a tensor; return whether there is a place for it."""
        tag, plugin = seen.value.tag, seen.value.plugin
        if plugin == "scalars" and (number := e.number(tensor)) is not None:
            self._point(seen, number)
        elif plugin == "text" and e.is_text(tensor):
            texts = [text.decode("utf-8", "replace") for text in e.strings(tensor)]
            told = seen.step, texts[0] if len(texts) == 1 else texts
            self._texts.setdefault(tag.removesuffix(_TEXT), []).append(told)
        elif plugin in ("images", "audio") and e.is_text(tensor):
            count = len(e.strings(tensor))
            # Before images stand width and height; behind each sound stands its label.
            for at in range(2, count) if plugin == "images" else range(0, count, 2):
                self._media(f"{plugin}/{tag}", seen, partial(_piece, at))
        elif plugin == "histograms" and (buckets := e.array(tensor)) is not None:
            self._histogram(seen, {"buckets": buckets.tolist()})
        else:
            return False
        return True

    def _point(self, seen: _Seen, number: float | int | bool) -> None:
        points = self._metrics.setdefault(seen.value.tag, Points())
        points.steps.append(seen.step)
        points.values.append(number)
        points.times.append(e.micros(seen.wall))

    def _histogram(self, seen: _Seen, told: dict[str, Any]) -> None:
        histograms = self._histograms.setdefault(seen.value.tag, [])
        # In microseconds, as times are wherever values stand with their steps.
        histograms.append({"step": seen.step, "time": e.micros(seen.wall), **told})

    def _media(self, name: str, seen: _Seen, get: Callable[[Message], bytes]) -> None:
        data = get(seen.value.message)
        ending = next((end for start, end in _ENDINGS.items() if data.startswith(start)), "bin")
        number, path = 1, f"{name}/{seen.step}.{ending}"
        while path in self._artifacts:
            number += 1
            path = f"{name}/{seen.step}-{number}.{ending}"
        self._artifacts[path] = seen.later(get)

    def _session(self, content: Message) -> None:
        if content.has(3):
            start = content.inner(3)
            self._params |= e.hyperparameters(start)
            named = {2: "model_uri", 3: "monitor_url", 4: "group_name"}
            told = {name: start.text(field) for field, name in named.items() if start.text(field)}
            if told:
                self._config.setdefault("tensorboard", {}).update(told)
        elif content.has(4):
            self._status = _ENDED.get(content.inner(4).integer(1))

    def found(self, name: str, experiment: str, id_: str, parent: str | None, file: str) -> Found:
        """Return the run."""
        host = _FILE.search(file)
        first, last = min(self._times), max(self._times)
        histograms = {f"histograms/{tag}": told for tag, told in self._histograms.items()}
        unknown = [
            (f"{what} ({count} times)", "Gosset has no place for it")
            for what, count in self._unknown.items()
            if count
        ]
        return Found(
            id=id_,
            experiment=experiment,
            name=name,
            # Nothing says that a run is still at work; when it has grown it ends later.
            status=self._status or Status.COMPLETE,
            started=e.micros(first),
            ended=e.micros(last),
            parent=parent,
            params=self._params,
            config=self._config,
            metrics=self._metrics,
            fields={tag: _text(texts) for tag, texts in self._texts.items()},
            artifacts=self._artifacts | histograms,
            host=host["host"] if host else "",
            left_out=(*self._left_out, *unknown),
        )


def _text(texts: list[tuple[int, Any]]) -> Any:
    """Return the one text of a tag, or all with their steps."""
    if len(texts) == 1:
        return texts[0][1]
    return [{"step": step, "text": text} for step, text in texts]


def _later(file: Path, offset: int, size: int, get: Callable[[Message], bytes]) -> File:
    """Return bytes of an event, read again when they are needed: there may be many."""

    def opened() -> BinaryIO:
        with file.open("rb") as stream:
            stream.seek(offset)
            return io.BytesIO(get(Message(stream.read(size))))

    return File(opened)


def _piece(at: int, value: Message) -> bytes:
    return e.strings(value.inner(e.TENSOR))[at]
