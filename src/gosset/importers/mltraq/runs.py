"""One row of an experiment of MLtraq as a run."""

from __future__ import annotations

import datetime
import io
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from ...entities import Status
from ...exceptions import SerializationError
from ...serializers.files import Archive
from ...series import Points
from ..base import Found
from . import datapak

_STORE: Final = "mltraq.datastore"
"""The folder of large values, unless MLtraq was told otherwise; it lies where it was started."""

_KEYS: Final = {"idx", "timestamp"}
_ARGUMENTS: Final = {"config", "params"}

_NATIVE: Final[dict[str, Callable[[Any], Any]]] = {
    "bool": bool,
    "int": int,
    "int32": int,
    "int64": int,
    "float": float,
    "float32": float,
    "float64": float,
    "str": str,
    "bytes": lambda value: value.encode("latin-1") if isinstance(value, str) else bytes(value),
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "UUID": lambda value: uuid.UUID(hex=value),
}


@dataclass
class Gathering:
    """What becomes of the fields of a run.

    Attributes
    ----------
    near : Path
        The folder of the database.
    """

    near: Path
    params: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Points] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    artifacts: dict[str, Any] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    _reading: list[Path] = field(default_factory=list)

    def native(self, name: str, value: Any, kind: str) -> None:
        """Take in a column of SQL, whose values were of a Python type."""
        if value is None:
            why = "it is NULL in the database: it was NaN or None, or was not set"
            self.left_out.append((f"field {name!r}", why))
            return
        try:
            self.fields[name] = _NATIVE.get(kind, _same)(value)
        except (TypeError, ValueError, UnicodeEncodeError):
            self.fields[name] = value  # what another run has in the column

    def packed(self, name: str, data: Any) -> None:
        """Take in a column of DATAPAK."""
        if data is None:
            self.native(name, None, "")
            return
        try:
            self._take(name, datapak.read(data))
        except (SerializationError, OSError) as error:
            self.left_out.append((f"field {name!r}", str(error)))

    def shared(self, values: Mapping[str, Any]) -> None:
        """Take in the fields of the experiment, which here has no place of its own for values."""
        for name, value in values.items():
            try:
                self._take(f"experiment.{name}", value)
            except (SerializationError, OSError) as error:
                self.left_out.append((f"field {name!r} of its experiment", str(error)))

    def _take(self, name: str, value: Any) -> None:
        match value:
            case datapak.Sequence(table):
                self._sequence(name, table)
            case datapak.Archive(data):
                self.artifacts[name] = Archive(lambda: io.BytesIO(data))
            case datapak.Stored(url, packed=False):
                path = self._stored(url)
                self.artifacts[name] = Archive(lambda: path.open("rb"))
            case dict() if value.keys() == _ARGUMENTS and all(
                isinstance(part, dict) for part in value.values()
            ):
                # What 'args_field' keeps, under whatever name.
                self.params |= value["params"]
                self.config |= value["config"]
            case _:
                self.fields[name] = self._inside(value)

    def _inside(self, value: Any) -> Any:
        """Return a value with what stands inside of it in a form that fields take."""
        match value:
            case datapak.Sequence(table):
                return table
            case datapak.Archive(data):
                return data
            case datapak.Stored(url, packed):
                return self._contents(self._stored(url), packed)
            case dict():
                return {key: self._inside(item) for key, item in value.items()}
            case list() | tuple():
                return type(value)(self._inside(item) for item in value)
        return value

    def _contents(self, path: Path, packed: bool) -> Any:
        if not packed:
            return path.read_bytes()
        if path in self._reading:
            raise SerializationError(f"it is kept at {path}, which is kept in itself")
        self._reading.append(path)
        try:
            return self._inside(datapak.read(path.read_bytes()))
        finally:
            self._reading.pop()

    def _stored(self, url: str) -> Path:
        """Return the file of a value that lies beside the database."""
        root = (self.near / _STORE).resolve()
        path = (root / unquote(urlsplit(url).path).lstrip("/")).resolve()
        if not path.is_relative_to(root):
            raise SerializationError(f"it is kept at {url}, outside of the store")
        if not path.is_file():
            raise SerializationError(f"it is kept at {path}, where nothing is")
        return path

    def _sequence(self, name: str, frame: Any) -> None:
        """Take in the columns of a sequence as series; all of it, where one has no numbers."""
        columns = [str(column) for column in frame.columns if str(column) not in _KEYS]
        if not set(map(str, frame.columns)) >= _KEYS:
            self.fields[name] = frame
            return
        steps = [int(step) for step in frame["idx"]]
        times = [
            _micros(time) for time in frame["timestamp"].astype("datetime64[us]").astype("int64")
        ]
        for column in columns:
            values = _numbers(frame[column])
            if values is None:
                self.fields[name] = frame
            elif steps:
                self.metrics[f"{name}.{column}"] = Points(list(steps), values, list(times))

    def found(self, id_: str, experiment: str, name: str, code: str) -> Found:
        """Return the run."""
        times = [time for points in self.metrics.values() for time in points.times]
        return Found(
            id=id_,
            experiment=experiment,
            name=name,
            status=Status.COMPLETE,
            started=min(times, default=None),
            ended=max(times, default=None),
            params=self.params,
            config=self.config,
            metrics=self.metrics,
            fields=self.fields,
            artifacts=self.artifacts,
            code=code,
            left_out=tuple(self.left_out),
        )


def _same(value: Any) -> Any:
    return value


def _micros(local: int) -> int:
    """Return a time of MLtraq, which is that of the clock on the wall, in UTC."""
    wall = datetime.datetime.fromtimestamp(local / 1e6, datetime.UTC).replace(tzinfo=None)
    offset = wall.astimezone().utcoffset()
    assert offset is not None
    return local - round(offset.total_seconds() * 1_000_000)


def _numbers(column: Any) -> list[Any] | None:
    """Return a column as numbers, exactly; None where it has others. What is missing is NaN."""
    values = column.tolist()
    if column.dtype.kind in "biuf":
        return list(values)
    numbers = [float("nan") if value is None else value for value in values]
    return numbers if all(type(value) in (bool, int, float) for value in numbers) else None
