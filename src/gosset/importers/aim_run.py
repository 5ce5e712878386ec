"""One run of Aim, from the lines that were written out of it and what Aim's database says."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from ..entities import Status
from .base import Found
from .databases import opened, tables_of
from .logged import Logged, micros
from .nesting import dotted
from .places import refused

Line = dict[str, Any]

_SYSTEM: Final = {
    "__system__cpu": "process/cpu",
    "__system__memory_percent": "memory",
    "__system__disk_percent": "disk",
    "__system__gpu": "gpu/{gpu}",
    "__system__gpu_memory_percent": "gpu/{gpu}/memory",
    "__system__gpu_power_watts": "gpu/{gpu}/power",
    "__system__gpu_temp": "gpu/{gpu}/temperature",
}
"""What Gosset measures too, in the same unit."""

_SYSTEM_PARAMETERS: Final = "__system_params"
_CONSOLE: Final = "aim.log_line"
_SIGN: Final = re.compile(r"-[a-z_]+-(\d+\.\d+)-")
_ENDINGS: Final = {"aim.image": "png", "aim.audio": "wav", "aim.figure": "json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties:
    """What Aim's database says of a run."""

    name: str = ""
    experiment: str = ""
    description: str = ""
    created: str | None = None
    archived: bool = False
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def properties_of(database: Path) -> dict[str, Properties]:
    """Return the properties of all runs by their hashes.

    Raises
    ------
    NotFoundError, StoreVersionError, StorageError
    """
    query = (
        "SELECT run.id, hash, run.name, experiment.name AS experiment, run.description,"
        " run.created_at, run.is_archived FROM run"
        " LEFT JOIN experiment ON experiment.id = run.experiment_id"
    )
    with opened(database, of="Aim") as connection:
        several: dict[str, dict[int, list[str]]] = {"tags": {}, "notes": {}}
        told = {
            "tags": "SELECT run_id, tag.name FROM run_tag JOIN tag ON tag.id = tag_id",
            "notes": "SELECT run_id, content FROM note WHERE run_id IS NOT NULL ORDER BY id",
        }
        for what, its_query in told.items():
            if {"run_tag", "tag", "note"} <= tables_of(connection):
                for run, text in connection.execute(its_query):
                    several[what].setdefault(run, []).append(text)
        return {
            row["hash"]: Properties(
                name=row["name"] or "",
                experiment=row["experiment"] or "",
                description=row["description"] or "",
                created=row["created_at"],
                archived=bool(row["is_archived"]),
                tags=tuple(several["tags"].get(row["id"], ())),
                notes=tuple(several["notes"].get(row["id"], ())),
            )
            for row in connection.execute(query)
        }


def _created(text: str | None) -> int | None:
    if not text:
        return None
    return micros(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def found_run(
    run: str,
    lines: Iterable[Line],
    properties: Properties | None,
    repository: Path,
    folder: Path,
    root: Path,
) -> Found:
    """Return a run.

    Parameters
    ----------
    run : str
        Its hash.
    lines : iterable of dict
        All that was written out of it.
    properties : Properties or None
    repository : Path
        The folder ``.aim``.
    folder : Path
        Where the files are that the lines name.
    root : Path
        Of files elsewhere none is read.
    """
    gathering = _Gathering(run, repository, folder, root)
    for line in lines:
        gathering.take(line)
    return gathering.found(properties or Properties())


class _Gathering:
    def __init__(self, run: str, repository: Path, folder: Path, root: Path) -> None:
        self._run = run
        self._repository = repository
        self._folder = folder
        self._root = root
        self._logged = Logged()
        self._files: dict[str, Path] = {}
        self._console: list[tuple[str, int, str]] = []
        self._meta: dict[str, Any] = {}
        self._left_out: list[tuple[str, str]] = []
        self._seen: list[int] = []

    def take(self, line: Line) -> None:
        """Take a line."""
        if "broken" in line:
            self._left_out.append((line["broken"], f"it is damaged: {line['why']}"))
        elif "series" in line:
            self._take_series(line)
        elif "object" in line:
            self._take_object(line)
        else:
            self._meta = line["meta"]
            for name, uri in line["artifacts"].items():
                self._take_artifact(name, uri)

    def _take_series(self, line: Line) -> None:
        name = _called(line["series"], line["context"])
        odd = 0
        for step, value, seconds, epoch in line["points"]:
            time = self._time(seconds)
            if not isinstance(step, int):
                odd += 1
                continue
            self._logged.add(name, value, step, time)
            if epoch is not None:
                self._logged.add(f"{name}/epoch", epoch, step, time)
        if odd:
            self._left_out.append((f"{odd} points of {name!r}", "their steps are no integers"))

    def _time(self, seconds: float | None) -> int:
        time = micros(seconds) if seconds is not None else max(self._seen, default=0)
        self._seen.append(time)
        return time

    def _take_object(self, line: Line) -> None:
        time, value = self._time(line["time"]), line["value"]
        if line["kind"] == _CONSOLE:
            self._console.append(("stdout", time, f"{value}\n"))
            return
        name = _called(line["object"].removeprefix("__"), line["context"])
        said = dict(value) if isinstance(value, dict) else {"text": value}
        if "__aim__" in said:
            why = f"this version of Gosset does not know a {said['__aim__']}"
            self._left_out.append((f"{name!r} at step {line['step']}", why))
            return
        if "file" in said:
            ending = str(said.get("format") or _ENDINGS.get(line["kind"], "bin")).lower()
            ending = "json" if ending == "raw_json" else ending
            its_name = f"{name}/{line['step']}/{line['number']}.{ending}"
            while its_name in self._files:  # an artifact that is called so
                its_name = f"logged/{its_name}"
            self._files[its_name] = self._folder / Path(said["file"]).name
            said["file"] = its_name
        if line["epoch"] is not None:
            said["epoch"] = line["epoch"]
        self._logged.add(name, {"kind": line["kind"], **said}, line["step"], time)

    def _take_artifact(self, name: str, uri: str) -> None:
        parts = urlsplit(uri)
        place = Path(unquote(parts.path)) if parts.scheme == "file" else None
        if why := f"it lies at {uri}" if place is None else refused(place, self._root):
            self._left_out.append((f"artifact {name!r}", why))
        elif place is not None:
            self._files[name] = place

    def found(self, properties: Properties) -> Found:
        """Return all of the run."""
        parameters = dict(self._meta.get("attrs") or {})
        system = parameters.pop(_SYSTEM_PARAMETERS, None) or {}
        about = {"archived": True} if properties.archived else {}
        about |= {"packages": system["packages"]} if system.get("packages") else {}
        if system.get("env_variables"):
            why = "there may be secrets among them"
            self._left_out.append(("the environment variables", why))
        ended = self._meta.get("end_time")
        started = _created(properties.created)
        seen = max([*self._seen, *self._signs()], default=started)
        git = system.get("git_info") or {}
        return Found(
            id=self._run,
            experiment=properties.experiment or "default",
            name=properties.name or self._run,
            status=Status.RUNNING if ended is None else Status.COMPLETE,
            started=started if started is not None else min(self._seen, default=None),
            ended=None if ended is None else micros(ended),
            beaten=seen,
            params=dotted(parameters),
            tags=properties.tags,
            notes="\n\n".join(note for note in (properties.description, *properties.notes) if note),
            metrics=self._logged.metrics,
            fields={"aim": about} if about else {},
            artifacts=self._logged.artifacts(self._files),
            console=tuple(sorted(self._console, key=lambda line: line[1])),
            command=shlex.join(map(str, system.get("arguments") or ())),
            code=" ".join(map(str, (system.get("arguments") or [""])[:1])),
            provenance=_provenance(git),
            left_out=tuple(self._left_out),
        )

    def _signs(self) -> list[int]:
        """Return when the run gave signs of life: the names of files say it."""
        matches = (
            _SIGN.search(file.name.removeprefix(self._run))
            for file in (self._repository / "check_ins").glob(f"{self._run}-*")
        )
        return [micros(float(match[1])) for match in matches if match]


def _called(name: str, context: Mapping[str, Any]) -> str:
    """Return what a series is called.

    Examples
    --------
    >>> _called("loss", {"subset": "train"}), _called("__system__gpu", {"gpu": 0})
    ('loss[subset=train]', 'system/gpu/0')
    """
    known = _SYSTEM.get(name)
    if known is not None and ("{gpu}" in known) == ("gpu" in context):
        return f"system/{known.format(**context)}"
    if name.startswith("__system__"):
        name = f"system/{name.removeprefix('__system__')}"
    if not context:
        return name
    said = ",".join(
        f"{key}={value if isinstance(value, str) else json.dumps(value)}"
        for key, value in sorted(context.items())
    )
    return f"{name}[{said}]"


def _provenance(git: Mapping[str, Any]) -> dict[str, Any]:
    commit = git.get("commit")
    said = {
        "branch": git.get("branch"),
        "remote": git.get("remote_origin_url"),
        "commit": commit.get("hash") if isinstance(commit, Mapping) else commit,
    }
    return {name: value for name, value in said.items() if value}
