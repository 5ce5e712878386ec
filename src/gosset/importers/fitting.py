"""A run of another tracker said in news: names and values made to fit, and what does not, told."""

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol

from blake3 import blake3

from ..artifacts.fields import take_apart
from ..entities import ArtifactRef
from ..exceptions import SerializationError, UsageError
from ..fingerprint.plainly import plain_digest
from ..identifiers import derived_id
from ..naming import NAME_LENGTH, checked_name
from ..provenance.redaction import redact_arguments, redact_url, redact_values
from ..provenance.suspicion import suspicious, suspicious_values
from ..serializers.files import File
from ..series import CHUNK, Points, pack, summarise
from ..storage.news import Beginning, Ending, Kept, News, Opening, field_place
from ..tracking.fields import LARGE, as_kept, as_parameter, gather, is_plain
from ..types import JSONValue
from .base import Found

IMPORTED: Final = "imported_from"
"""What is kept of where a run comes from, in its configuration."""


class Keep(Protocol):
    """Keeps a value under a name, in a format."""

    def __call__(self, value: Any, name: str, format: str | None = None) -> ArtifactRef: ...


_INT64: Final = range(-(2**63), 2**63)
_TIMES: Final = range(-62_135_596_800_000_000, 253_402_300_800_000_000)
"""The years 1 to 9999, in microseconds."""

_NO_TIME: Final = "it is outside of the years 1 to 9999"


def in_time(found: Found) -> Found:
    """Return a run without times that no calendar has; those are told."""
    left_out = list(found.left_out)
    changes: dict[str, Any] = {}
    for name in ("started", "ended", "beaten"):
        moment = getattr(found, name)
        if moment is not None and moment not in _TIMES:
            changes[name] = None
            left_out.append((f"the time {name!r}, {moment}", _NO_TIME))
    if any(time not in _TIMES for _, time, _ in found.console):
        changes["console"] = tuple(line for line in found.console if line[1] in _TIMES)
        lines = len(found.console) - len(changes["console"])
        left_out.append((f"{lines} pieces of what it printed", f"of their time, {_NO_TIME}"))
    metrics = dict(found.metrics)
    for name, points in found.metrics.items():
        if len(points) and not (min(points.times) in _TIMES and max(points.times) in _TIMES):
            metrics[name] = _only(points, [time in _TIMES for time in points.times])
            lost = len(points) - len(metrics[name])
            left_out.append((f"{lost} points of {name!r}", f"of their time, {_NO_TIME}"))
    return replace(found, metrics=metrics, left_out=tuple(left_out), **changes)


def _only(points: Points, wanted: Sequence[bool]) -> Points:
    at = [number for number, want in enumerate(wanted) if want]
    return Points(
        [points.steps[each] for each in at],
        [points.values[each] for each in at],
        [points.times[each] for each in at],
    )


class Fitting:
    """Makes one run fit.

    Parameters
    ----------
    kind : str
        The tracker.
    found : Found
    keep : callable
        Brings the bytes of values to the artifact store.

    Attributes
    ----------
    left_out : list of (what, why)
    """

    def __init__(self, kind: str, found: Found, keep: Keep) -> None:
        self._kind = kind
        self._found = found
        self._keep = keep
        self.left_out: list[tuple[str, str]] = list(found.left_out)
        self.id = derived_id(kind, found.id)

    def news(self, project: str, experiment: str, moment: int, number: int) -> News:
        """Return all that there is to say of the run.

        Parameters
        ----------
        project, experiment : str
            Where it belongs.
        moment : int
            When it started, in microseconds, where the source does not say.
        number : int
            Greater than when it was said before.
        """
        found = self._found
        started = moment if found.started is None else found.started
        gathered = self._fields()
        artifacts = [*gathered.get("artifacts", ()), *self._artifacts()]
        params = self._plain("parameter", found.params)
        config = self._plain("configuration", found.config)
        metrics = self._metrics()
        begins = Beginning(
            launch=self._launch(project, experiment, started),
            name=self.named("run", found.name or found.id),
            group=plain_digest(params),
            seed=None,
            params=params,
            config=config,
            tags=list(dict.fromkeys(self.named("tag", tag) for tag in found.tags)),
            notes=found.notes,
            parent=None if found.parent is None else derived_id(self._kind, found.parent),
            moment=started,
        )
        return News(
            run=self.id,
            writer=int(self.id.replace("-", ""), 16) >> 65,
            number=number,
            begins=begins,
            points=[
                (name, at, pack(points[at * CHUNK : (at + 1) * CHUNK]))
                for name, points in metrics.items()
                for at in range((len(points) + CHUNK - 1) // CHUNK)
            ],
            summaries={name: summarise(points) for name, points in metrics.items()},
            fields=gathered.get("fields", {}),
            artifacts=artifacts,
            console=found.console,
            ends=self._ending(begins, started),
        )

    def _launch(self, project: str, experiment: str, started: int) -> Opening:
        found = self._found
        code = f"gosset-import/1\0{self._kind}\0{found.code}"
        return Opening(
            id=derived_id(self._kind, found.id, "launch"),
            project=project,
            experiment=experiment,
            fingerprint=_digest(code).hexdigest(),
            code={"stages": {}, "sources": {}, "unresolved": []},
            command=_command(found.command),
            user=found.user,
            host=found.host,
            moment=started,
            provenance={
                name: redact_url(said) if isinstance(said, str) else said
                for name, said in found.provenance.items()
            },
        )

    def _ending(self, begins: Beginning, started: int) -> Ending | None:
        found = self._found
        if not found.status.ended:
            return None
        ended = found.ended if found.ended is not None else found.beaten
        return Ending(
            status=found.status.value,
            moment=started if ended is None else ended,
            exception=None,
            launch=begins.launch.id,
            leaves=found.status.value,
        )

    def named(self, what: str, name: str) -> str:
        """Return a name that every store takes; one that is another is told."""
        try:
            return checked_name(f"a {what}", name)
        except UsageError:
            fitting = _fitting(name)
            self._leave_out(
                f"the name {_short(name)!r} of a {what}",
                f"no store takes it, so it is {_short(fitting, 20)!r} now",
            )
            return fitting

    def _leave_out(self, what: str, why: str) -> None:
        self.left_out.append((what, why))

    def _plain(self, what: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return parameters as they are kept, without what looks like a secret."""
        plain = {}
        for name, value in values.items():
            try:
                plain[self.named(what, str(name))] = as_parameter(str(name), value)
            except UsageError as error:
                self._leave_out(f"{what} {name!r}", error.message)
        if not suspicious_values(plain):
            return plain
        masked = dict(redact_values(plain))
        for name, value in plain.items():
            if repr(masked[name]) != repr(value):
                self._leave_out(f"the value of {what} {name!r}", "it looks like a secret")
        return masked

    def _metrics(self) -> dict[str, Points]:
        found = {}
        for name, points in self._found.metrics.items():
            if not all(step in _INT64 for step in points.steps):
                inside = _only(points, [step in _INT64 for step in points.steps])
                self._leave_out(
                    f"{len(points) - len(inside)} points of {name!r}",
                    "their steps have more than 64 bits",
                )
                points = inside
            if len(points):
                found[self.named("metric", name)] = points
        return found

    def _fields(self) -> dict[str, Any]:
        """Return fields, and the artifacts that have their exact values."""
        gathered: dict[str, Any] = {}
        for name, value in self._found.fields.items():
            fitting = self.named("field", str(name))
            try:
                plain, refs = self._field(fitting, value)
            except (SerializationError, UsageError) as error:
                self._leave_out(f"field {name!r}", error.message)
            else:
                gather(gathered, fitting, plain, [as_kept(ref) for ref in refs])
        return gathered

    def _field(self, name: str, value: Any) -> tuple[JSONValue, list[ArtifactRef]]:
        if is_plain(value) and len(json.dumps(value)) <= LARGE:
            return value, []
        return take_apart(value, field_place(name), self._keep)

    def _artifacts(self) -> list[Kept]:
        kept = []
        for name, value in self._found.artifacts.items():
            for its_name, each in _files(name, value):
                fitting = self.named("artifact", its_name)
                if fitting.startswith("fields["):  # those of fields are called so
                    fitting = f"artifact {fitting}"[:NAME_LENGTH]
                if isinstance(each, Path):
                    if not each.is_file():  # nor is a pipe waited for
                        self._leave_out(f"artifact {its_name!r}", f"there is no file at {each}")
                        continue
                    each = File.at(each)
                try:
                    kept.append(as_kept(self._keep(each, fitting)))
                except (SerializationError, UsageError) as error:
                    self._leave_out(f"artifact {its_name!r}", error.message)
        return kept


def _files(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Iterate over what is kept of an artifact: each file of a folder by itself."""
    if isinstance(value, bytes):
        yield name, File(lambda: io.BytesIO(value))
    elif isinstance(value, Path) and value.is_dir():
        for file in sorted(value.rglob("*")):
            if not file.is_dir():
                yield f"{name}/{file.relative_to(value).as_posix()}", file
    else:
        yield name, value


def _short(name: str, ending: int = 0) -> str:
    return name if len(name) <= 60 else f"{name[:40]}…{name[len(name) - ending :]}"


def _fitting(name: str) -> str:
    """Return a name like one that no store takes; other names give others."""
    readable = "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in name)
    mark = _digest(name).hexdigest(length=4)
    return f"{readable[: NAME_LENGTH - 9]}~{mark}"


def _digest(text: str) -> blake3:
    return blake3(text.encode("utf-8", "surrogatepass"))


def _command(command: str) -> str:
    """Return a command line without the secrets in it."""
    if not suspicious(command):
        return command
    try:
        return shlex.join(redact_arguments(shlex.split(command)))
    except ValueError:  # no closing quotation: nobody can say where a secret ends
        return shlex.join(redact_arguments(command.split()))
