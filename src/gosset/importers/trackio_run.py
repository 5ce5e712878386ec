"""One run of trackio, from the tables of its project's database and the files beside it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ..entities import Status
from .base import Found
from .databases import columns_of
from .logged import Logged, as_number, as_numbers, inside, micros
from .nesting import dotted, leaves
from .places import refused

_SYSTEM: Final = {
    "cpu/utilization": "cpu",
    "memory/percent": "memory",
    "disk/read_mb_per_sec": "disk/read",
    "disk/write_mb_per_sec": "disk/written",
    "network/recv_mb_per_sec": "network/received",
    "network/sent_mb_per_sec": "network/sent",
}
"""What Gosset measures too, in the same unit."""

_OF_GPU: Final = {"utilization": "", "power": "/power", "temp": "/temperature"}
_INTERNAL: Final = ("_Username", "_Created", "_Group")


def found_run(connection: sqlite3.Connection, database: Path, id: str, name: str) -> Found:
    """Return a run.

    Parameters
    ----------
    connection : Connection
        To the database of its project.
    database : Path
    id : str
        Its id; where trackio knew none yet, its name.
    name : str
    """
    return _Run(connection, database, id, name).found()


class _Run:
    def __init__(self, connection: sqlite3.Connection, database: Path, id: str, name: str) -> None:
        self._connection = connection
        self._folder = database.parent
        self._project = database.stem
        self._id = id
        self._name = name
        self._has_id = False
        self._logged = Logged()
        self._files: dict[str, Path] = {}
        self._about: dict[str, Any] = {}
        self._times: list[int] = []
        self._left_out: list[tuple[str, str]] = []

    def found(self) -> Found:
        config = self._config()
        self._metrics()
        self._system_metrics()
        self._traces()
        alerts = self._alerts()
        self._artifacts()
        group = config.get("_Group")
        created = config.get("_Created")
        started = _moment(created) if created else min(self._times, default=None)
        fields: dict[str, Any] = {"alerts": alerts} if alerts else {}
        if self._about:
            fields["trackio"] = self._about
        return Found(
            id=self._id if self._has_id else f"{self._project}/{self._id}",
            project=self._project,
            experiment=str(group) if group else self._project,
            name=self._name,
            status=Status.COMPLETE,
            started=started,
            ended=max(self._times, default=started),
            params=dotted({key: v for key, v in config.items() if key not in _INTERNAL}),
            user=str(config.get("_Username") or ""),
            metrics=self._logged.metrics,
            fields=fields,
            artifacts=self._logged.artifacts(self._files),
            left_out=tuple(self._left_out),
        )

    def _rows(self, table: str) -> Iterator[sqlite3.Row]:
        """Iterate over what a table has of the run, in the order in which it was logged."""
        columns = columns_of(self._connection, table)
        if columns:
            query = f"SELECT * FROM {table} WHERE {key_of(columns)} = ? ORDER BY rowid"
            for row in self._connection.execute(query, (self._id,)):
                self._has_id |= "run_id" in columns and row["run_id"] is not None
                yield row

    def _moment_of(self, row: sqlite3.Row) -> int:
        time = _moment(row["timestamp"])
        self._times.append(time)
        return time

    def _json(self, row: sqlite3.Row, column: str) -> dict[str, Any]:
        """Return an object of JSON; what is none is told."""
        try:
            said = json.loads(row[column])
        except ValueError:  # also of bytes that are no text
            said = None
        if isinstance(said, dict):
            return said
        self._left_out.append((f"row {row['id']} of {column}", "it is no object of JSON"))
        return {}

    def _config(self) -> dict[str, Any]:
        config: dict[str, Any] = {}
        for row in self._rows("configs"):
            config |= as_numbers(self._json(row, "config"))
        return config

    def _metrics(self) -> None:
        for row in self._rows("metrics"):
            time, step = self._moment_of(row), row["step"]
            for name, value in self._json(row, "metrics").items():
                for inner, leaf in leaves(name, value, whole="_type"):
                    self._logged.add(inner, as_numbers(leaf), step, time)
                    self._media(inner, leaf, step)

    def _media(self, name: str, value: Any, step: int) -> None:
        """Take the files that a value speaks of, however deep in it."""
        if isinstance(value, list):
            for each in value:
                self._media(name, each, step)
        if not isinstance(value, dict):
            return
        place = value.get("file_path")
        if not isinstance(place, str):
            self._media(name, list(value.values()), step)
            return
        file = self._folder / "media" / place
        why = refused(file, self._folder) if inside(place) else f"{file} is not there"
        if why is None:
            self._files[f"{name}/{step}/{file.name}"] = file
        else:
            self._left_out.append((f"the file of {name!r} at step {step}", why))

    def _system_metrics(self) -> None:
        for row in self._rows("system_metrics"):
            time = self._moment_of(row)
            for key, value in self._json(row, "metrics").items():
                for inner, leaf in leaves(key, value):
                    name = _system_name(inner)
                    known = self._logged.metrics.get(name)
                    self._logged.add(name, as_number(leaf), len(known) if known else 0, time)

    def _traces(self) -> None:
        for row in self._rows("traces"):
            said = {
                part: json.loads(row[part])
                for part in ("messages", "metadata", "spans")
                if part in row.keys()  # noqa: SIM118 - a row iterates over its values
            }
            self._logged.add(row["key"], said, row["step"], self._moment_of(row))

    def _alerts(self) -> list[dict[str, Any]]:
        return [
            {"title": row["title"], "text": row["text"] or "", "level": row["level"]}
            | {"step": row["step"], "time": self._moment_of(row)}
            for row in self._rows("alerts")
        ]

    def _artifacts(self) -> None:
        if not columns_of(self._connection, "run_artifact_links"):
            return
        query = (
            "SELECT name, version, manifest, direction FROM run_artifact_links AS link"
            " JOIN artifact_versions AS version ON version.id = link.artifact_version_id"
            " JOIN artifacts ON artifacts.id = version.artifact_id"
            " WHERE link.run_id = ? ORDER BY link.id"
        )
        for name, version, manifest, direction in self._connection.execute(query, (self._id,)):
            its_name = f"{name}:v{version}"
            if direction == "input":
                self._about.setdefault("used_artifacts", []).append(its_name)
            else:
                for entry in json.loads(manifest):
                    self._file_of(f"{its_name}/{entry['path']}", entry)

    def _file_of(self, name: str, entry: dict[str, Any]) -> None:
        digest = str(entry.get("digest", ""))
        blob = self._folder / "artifacts" / self._project / "blobs" / "sha256" / digest[:2] / digest
        if entry.get("ref"):
            self._left_out.append((f"artifact {name!r}", f"it lies at {entry['ref']}"))
        elif why := refused(blob, self._folder) if digest.isalnum() else f"{blob} is not there":
            self._left_out.append((f"artifact {name!r}", why))
        else:
            self._files[name] = blob


def key_of(columns: set[str]) -> str:
    """Return what tells the runs in a table apart: of old ones there is no id, but a name."""
    return "coalesce(run_id, run_name)" if "run_id" in columns else "run_name"


def _moment(text: str) -> int:
    """Return a time as trackio writes it in microseconds; without a zone it is UTC."""
    time = datetime.fromisoformat(text)
    return micros((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())


def _system_name(key: str) -> str:
    first, _, rest = key.partition("/")
    number, _, what = rest.partition("/")
    if first == "gpu" and what in _OF_GPU:
        return f"system/gpu/{number}{_OF_GPU[what]}"
    return f"system/{_SYSTEM.get(key, key)}"
