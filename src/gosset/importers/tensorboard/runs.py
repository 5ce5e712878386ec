"""A folder with event files of TensorBoard as one run."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final

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
            return f"{file.name}@{Message(record.data).double(e.WALL_TIME)!r}"
    return None


def run(name: str, experiment: str, id_: str, parent: str | None, files: list[Path]) -> Found:
    """Return the run of some event files, in the order of their names."""
    gathering = _Gathering()
    for file in files:
        gathering.take(file)
    return gathering.found(name, experiment, id_, parent, files[0].name)


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
                self._artifacts[name] = _later(
                    file, offset, size, partial(Message.data, number=field)
                )
        for field, what in _RARE.items():
            self._unknown[what] += event.has(field)
        for at, value in enumerate(e.values(event.inner(e.SUMMARY))):
            # Only the first value of a tag need say whose it is.
            plugin = self._plugins.setdefault(value.tag, value.plugin)
            self._value(
                value,
                plugin,
                event.integer(e.STEP),
                wall,
                partial(_value, at),
                (file, offset, size),
            )

    def _value(
        self,
        value: e.Value,
        plugin: str,
        step: int,
        wall: float,
        again: Callable[[Message], Message],
        place: tuple[Path, int, int],
    ) -> None:
        message, tag = value.message, value.tag
        tensor = message.inner(e.TENSOR)
        if message.has(e.SIMPLE):
            self._point(tag, step, wall, message.single(e.SIMPLE))
        elif plugin == "hparams":
            self._session(Message(value.content))
        elif message.has(e.IMAGE):
            data = message.inner(e.IMAGE).data(4)
            get = partial(_inner, again, e.IMAGE, 4)
            self._media(f"images/{tag}", step, data, _later(*place, get))
        elif message.has(e.AUDIO):
            data = message.inner(e.AUDIO).data(4)
            get = partial(_inner, again, e.AUDIO, 4)
            self._media(f"audio/{tag}", step, data, _later(*place, get))
        elif message.has(e.HISTOGRAM):
            told = e.histogram(message.inner(e.HISTOGRAM))
            self._histograms.setdefault(tag, []).append({"step": step, "time": wall, **told})
        elif message.has(e.TENSOR):
            self._tensor(tag, plugin, step, wall, tensor, again, place)
        else:
            self._unknown[f"what plugin {plugin!r} shows, of {tag!r}"] += 1

    def _tensor(
        self,
        tag: str,
        plugin: str,
        step: int,
        wall: float,
        tensor: Message,
        again: Callable[[Message], Message],
        place: tuple[Path, int, int],
    ) -> None:
        if plugin == "scalars" and (number := e.number(tensor)) is not None:
            self._point(tag, step, wall, number)
        elif plugin == "text" and e.is_text(tensor):
            texts = [text.decode("utf-8", "replace") for text in e.strings(tensor)]
            self._texts.setdefault(tag.removesuffix(_TEXT), []).append(
                (step, texts[0] if len(texts) == 1 else texts)
            )
        elif plugin in ("images", "audio") and e.is_text(tensor):
            pieces = e.strings(tensor)
            # Before images stand width and height; behind each sound stands its label.
            chosen = range(2, len(pieces)) if plugin == "images" else range(0, len(pieces), 2)
            for at in chosen:
                get = partial(_piece, again, at)
                self._media(f"{plugin}/{tag}", step, pieces[at], _later(*place, get))
        elif plugin == "histograms" and (buckets := e.array(tensor)) is not None:
            told = {"step": step, "time": wall, "buckets": buckets.tolist()}
            self._histograms.setdefault(tag, []).append(told)
        else:
            self._unknown[f"what plugin {plugin!r} shows, of {tag!r}"] += 1

    def _point(self, tag: str, step: int, wall: float, number: float | int | bool) -> None:
        points = self._metrics.setdefault(tag, Points())
        points.steps.append(step)
        points.values.append(number)
        points.times.append(e.micros(wall))

    def _media(self, name: str, step: int, data: bytes, file: File) -> None:
        ending = next((end for start, end in _ENDINGS.items() if data.startswith(start)), "bin")
        number, path = 1, f"{name}/{step}.{ending}"
        while path in self._artifacts:
            number += 1
            path = f"{name}/{step}-{number}.{ending}"
        self._artifacts[path] = file

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


# -- bytes that are read again when they are needed, for there may be many


def _later(file: Path, offset: int, size: int, get: Callable[[Message], bytes]) -> File:
    def opened() -> BinaryIO:
        with file.open("rb") as stream:
            stream.seek(offset)
            return io.BytesIO(get(Message(stream.read(size))))

    return File(opened)


def _value(at: int, event: Message) -> Message:
    return event.inner(e.SUMMARY).several(1)[at]


def _inner(again: Callable[[Message], Message], kind: int, field: int, event: Message) -> bytes:
    return again(event).inner(kind).data(field)


def _piece(again: Callable[[Message], Message], at: int, event: Message) -> bytes:
    return e.strings(again(event).inner(e.TENSOR))[at]
