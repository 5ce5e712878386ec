"""One run of wandb, gathered from the records of its log; of several where it was resumed.

The numbers of records and fields are those of ``wandb_internal.proto``, as it is compiled into
wandb 0.31; what older versions wrote in other fields is read as well. Of ``RunRecord`` these are
1 id, 3 project, 4 config, 5 summary, 6 group, 7 job type, 8 name, 9 notes, 10 tags, 12 sweep,
13 host, 14 starting step, 17 start, 18 resumed, 21 git, 23 branch point; of ``EnvironmentRecord``
3 start, 5 arguments, 6 program, 7 path of the code, 9 git, 12 host, 13 user.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from ..entities import Status
from ..exceptions import StorageError
from ..series.summaries import double
from .base import Found
from .logged import Logged, as_number, micros, moment
from .nesting import dotted, leaves
from .protobuf import Message, fields
from .wandb_files import Files
from .wandb_items import at_path, changed, items
from .wandb_log import Log

RUN: Final = 17

_INTERNAL: Final = {"_wandb", "_step", "_timestamp", "_runtime"}
_NUMBERS: Final = (int, float, bool)
_AGGREGATES: Final = ("min", "max", "mean", "best", "last", "none", "copy", "first")
"""Of a metric, by the numbers of their fields."""

_SYSTEM: Final = {
    "cpu": "cpu",
    "memory_percent": "memory",
    "disk./.usagePercent": "disk",
    "proc.memory.rssMB": "process/memory",
}
"""What Gosset measures too, in the same unit."""

_GPU: Final = re.compile(r"gpu\.(\d+)\.(gpu|memoryAllocated|powerWatts|temp)")
_OF_GPU: Final = {
    "gpu": "",
    "memoryAllocated": "/memory",
    "powerWatts": "/power",
    "temp": "/temperature",
}
_OF_NO_USE: Final = {1, 11, 16, 19, 20, 21, 22, 24, 100, 200}
"""Fields of a record about wandb itself: numbers, telemetry, head and foot, requests."""


class Gathering:
    """Takes the logs of a run, one after the other.

    Parameters
    ----------
    id : str
        Of the run, with its project.
    """

    def __init__(self, id: str) -> None:
        self._id = id
        self._run = Message(b"")
        self._config: dict[str, Any] = {}
        self._summary: dict[str, Any] = {}
        self._logged = Logged()
        self._console: list[tuple[str, int, str]] = []
        self._line_goes_on = False
        self._alerts: list[dict[str, str]] = []
        self._about: dict[str, Any] = {}
        self._surroundings = Message(b"")
        self._started: int | None = None
        self._seen = 0
        self._exit: Message | None = None
        self._unknown: Counter[int] = Counter()
        self._left_out: list[tuple[str, str]] = []
        self._settled: set[str] = set()
        self._files = Files()
        self._take: dict[int, Callable[[Message], None]] = {
            2: self._take_history,
            3: lambda message: changed(self._summary, message),
            4: self._take_output,
            5: lambda message: changed(self._config, message),
            6: self._files.expect,
            7: self._take_system,
            8: self._files.artifact,
            9: self._take_tensorboard,
            10: self._take_alert,
            12: self._take_metric,
            13: self._take_output,
            RUN: self._take_run,
            18: self._take_exit,
            23: lambda message: self._about.update(preempting=True),
            25: self._take_used,
            26: self._take_surroundings,
        }

    def take(self, log: Log) -> None:
        """Take a log with the files beside it."""
        self._exit = None
        self._line_goes_on = False  # what another process prints is a line of its own
        odd: list[str] = []
        for record in log.records():
            try:
                self._take_record(record)
            except (StorageError, ValueError) as error:
                odd.append(str(error))
        if log.cut:
            self._left_out.append(
                ("what was logged last", f"{log.path} ends in the middle of a record")
            )
        if log.damaged:
            places = ", ".join(map(str, log.damaged))
            why = f"{log.path} is damaged at {places}"
            self._left_out.append((f"{len(log.damaged)} records", why))
        for why, count in Counter(odd).items():
            self._left_out.append((f"{count} records of {log.path.name}", why))
        if self._exit is not None:
            self._settle_summary()
        self._files.beside(log.path, console_is_known=bool(self._console))

    def _take_record(self, record: bytes) -> None:
        for number, _, value in fields(record):
            take = self._take.get(number)
            if take is not None and isinstance(value, bytes):
                take(Message(value))
            elif number not in _OF_NO_USE:
                self._unknown[number] += 1

    def _take_run(self, run: Message) -> None:
        self._run = run
        changed(self._config, run.inner(4))
        changed(self._summary, run.inner(5))
        began = _moment(run.inner(17))
        if began:
            self._started = began if self._started is None else min(self._started, began)
            self._seen = max(self._seen, began)
        about = {"job_type": run.text(7), "sweep": run.text(12), "starting_step": run.integer(14)}
        self._about |= {name: value for name, value in about.items() if value}
        if run.has(23):
            origin = run.inner(23)
            self._about["branch_point"] = {
                "run": origin.text(1),
                origin.text(3) or "_step": origin.double(2),
            }
            why = f"it lies in run {origin.text(1)}, from which this one was forked"
            self._left_out.append(("what was logged before the fork", why))

    def _take_history(self, message: Message) -> None:
        row: dict[str, Any] = {}
        for path, value in items(message.several(1)):
            at_path(row, path, value)
        step = message.inner(2).integer(1) if message.has(2) else _step(row.get("_step", 0))
        time = micros(row["_timestamp"]) if "_timestamp" in row else self._seen
        self._seen = max(self._seen, time)
        for name, value in row.items():
            if name not in _INTERNAL:
                for inner, leaf in leaves(name, value, whole="_type"):
                    self._logged.add(inner, as_number(leaf), step, time)

    def _take_system(self, message: Message) -> None:
        time = _moment(message.inner(2))
        self._seen = max(self._seen, time)
        for path, value in items(message.several(3)):
            name = _system_name(".".join(path))
            known = self._logged.metrics.get(name)
            self._logged.add(name, as_number(value), len(known) if known else 0, time)

    def _take_output(self, message: Message) -> None:
        stream, text = "stdout" if message.integer(1) else "stderr", message.text(3)
        time = _moment(message.inner(2))
        self._seen = max(self._seen, time)
        if self._line_goes_on and self._console[-1][0] == stream:
            _, time, begun = self._console.pop()
            text = begun + text
        self._console.append((stream, time, text))
        self._line_goes_on = not text.endswith("\n")

    def _take_alert(self, message: Message) -> None:
        alert = {"title": message.text(1), "text": message.text(2), "level": message.text(3)}
        self._alerts.append(alert)

    def _take_metric(self, message: Message) -> None:
        """Keep what is said of how a metric is shown: it changes none of its points."""
        said: dict[str, Any] = {}
        if message.text(4):
            said["step_metric"] = message.text(4)
        chosen = message.inner(7)
        summary = [name for at, name in enumerate(_AGGREGATES, 1) if chosen.integer(at)]
        if summary:
            said["summary"] = summary
        if message.integer(8):
            said["goal"] = {1: "minimize", 2: "maximize"}.get(message.integer(8), "")
        if said:
            self._about.setdefault("metrics", {})[message.text(1) or message.text(2)] = said

    def _take_tensorboard(self, message: Message) -> None:
        why = f"they lie in {message.text(1)!r}; gosset import tensorboard takes them over"
        self._left_out.append(("the logs of TensorBoard", why))

    def _take_used(self, message: Message) -> None:
        used = {"id": message.text(1), "type": message.text(2), "name": message.text(3)}
        self._about.setdefault("used_artifacts", []).append(used)

    def _take_surroundings(self, message: Message) -> None:
        if message.has(3) or message.has(6):  # others that follow only add what was slow to find
            self._surroundings = message

    def _take_exit(self, message: Message) -> None:
        self._exit = message
        self._about["exit_code"] = message.integer(1)
        if not self._run.integer(18):  # else that of the processes before is counted in
            began = _moment(self._run.inner(17))
            self._seen = max(self._seen, moment(began + message.integer(2) * 1_000_000))

    def _settle_summary(self) -> None:
        """Make points of the numbers in the summary of a process that are no series.

        One a process, so that those of a run that is resumed later stand behind them.
        """
        for name, value in self._told_apart():
            points = self._logged.metrics.get(name)
            if type(value) in _NUMBERS and (points is None or name in self._settled):
                self._settled.add(name)
                self._logged.add(name, value, len(points) if points else 0, self._seen)

    def _told_apart(self) -> list[tuple[str, Any]]:
        """Return what only the summary says."""
        found = []
        for name, summed in self._summary.items():
            if name in _INTERNAL:
                continue
            for inner, leaf in leaves(name, summed, whole="_type"):
                value = as_number(leaf)
                if not self._is_logged(inner, value):
                    found.append((inner, value))
        return found

    def _is_logged(self, name: str, value: Any) -> bool:
        points = self._logged.metrics.get(name)
        if points is not None and _as_float(points.values[-1]) == _as_float(value):
            return True
        others = self._logged.others.get(name)
        if others is not None and others[-1]["value"] == value:
            return True
        whole, _, aggregate = name.rpartition(".")
        return aggregate in _AGGREGATES and whole in self._logged.metrics

    def found(self) -> Found:
        """Return all of the run."""
        run, surroundings = self._run, self._surroundings
        console = self._console
        if self._exit is None and self._line_goes_on:
            # Taken over now, it would stand beside the whole line later.
            console = console[:-1]
            why = f"its end has not reached the disk: {repr(self._console[-1][2])[:80]}"
            self._left_out.append(("the line that was printed last", why))
        only_there = self._told_apart()
        self._logged.even_out()
        # Of a process that goes on, or beside a series of that name: no field of its own, which
        # would stay when a later import finds it among what was logged.
        numbers = dict(only_there) if self._exit is None else _numbers_of(only_there)
        said = {name: value for name, value in only_there if name not in numbers}
        if numbers:
            self._about["summary"] = numbers
        if self._alerts:
            said["alerts"] = self._alerts
        if self._about:
            said["wandb"] = self._about
        project = run.text(3) or None
        self._config.pop("_wandb", None)
        program = surroundings.text(7) or surroundings.text(6)
        git = surroundings.inner(9) if surroundings.has(9) else run.inner(21)
        provenance = {"commit": git.text(2), "remote": git.text(1)}
        status = self._status()
        return Found(
            id=self._id,
            project=project,
            experiment=run.text(6) or run.text(12) or project or "wandb",
            name=run.text(8) or run.text(1),
            status=status,
            started=self._started,
            ended=self._seen or None if status.ended else None,
            beaten=self._seen or None,
            params=dotted(self._config),
            tags=tuple(tag.decode("utf-8", "replace") for tag in run.pieces(10)),
            notes=run.text(9),
            metrics=self._logged.metrics,
            fields=said,
            artifacts=self._logged.artifacts(self._files.found),
            console=tuple(console),
            command=_command(surroundings),
            user=surroundings.text(13),
            host=run.text(13) or surroundings.text(12),
            code=f"{program} {git.text(2)}".strip(),
            provenance={name: value for name, value in provenance.items() if value},
            left_out=tuple(self._left_out + self._files.missing() + self._not_known()),
        )

    def _status(self) -> Status:
        if self._exit is None:
            return Status.RUNNING
        if self._exit.integer(3):
            return Status.CRASHED
        return Status.FAILED if self._exit.integer(1) else Status.COMPLETE

    def _not_known(self) -> list[tuple[str, str]]:
        return [
            (f"{count} records of kind {number}", "this version of Gosset does not know them")
            for number, count in sorted(self._unknown.items())
        ]


def _numbers_of(values: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in values if type(value) in _NUMBERS}


def _moment(timestamp: Message) -> int:
    """Return a protobuf timestamp in microseconds; 0 where there is none."""
    return moment(timestamp.integer(1) * 1_000_000 + timestamp.integer(2) // 1000)


def _step(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"a step of the run is {repr(value)[:40]}, which is none") from None


def _system_name(key: str) -> str:
    matched = _GPU.fullmatch(key)
    if matched:
        return f"system/gpu/{matched[1]}{_OF_GPU[matched[2]]}"
    return f"system/{_SYSTEM.get(key, key)}"


def _as_float(value: Any) -> str:
    return repr(double(value)) if type(value) in _NUMBERS else ""


def _command(surroundings: Message) -> str:
    program = surroundings.text(6)
    arguments = [argument.decode("utf-8", "replace") for argument in surroundings.pieces(5)]
    return shlex.join([program, *arguments]) if program else ""
