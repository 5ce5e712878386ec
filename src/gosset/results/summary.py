"""What a launch came to, in words and one table: for a terminal, a console and a notebook."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..compare import Objective, Table, best_group, best_row, summary_table, varying
from ..compare.averages import foremost
from ..compare.tables import printable
from ..entities import ExceptionInfo, Run, Status
from ..usercode import is_user_file

if TYPE_CHECKING:
    from .outcome import LaunchResult

SHOWN_FAILURES = 10
_FRAME = re.compile(r'^\s*File "(?P<file>.+)", line (?P<line>\d+), in (?P<name>.+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a launch came to.

    Attributes
    ----------
    head : str
        One line.
    table : Table
        A row for each parameter set; the best one is marked.
    tail : list of str
        Lines: the best set, counts, failures, where everything lies.
    """

    head: str
    table: Table
    tail: list[str]

    def __str__(self) -> str:
        return "\n".join([self.head, self.table.to_text(), *self.tail])


def summarise_launch(result: LaunchResult) -> Summary:
    """Return what a launch came to; the store of `result` may be closed."""
    runs, objective = result.runs, result.objective
    table = summary_table(runs, _shown(runs, objective), folds=result.folds)
    best = best_row(runs, objective)
    tail = []
    if best is not None and objective is not None:
        tail.append(_best_line(runs, objective, table, best))
    if any(result.computations.values()):
        tail.append(_counted(result))
    failed = [run for run in runs if run.status is Status.FAILED]
    tail += _failures(failed)
    tail += _warned(result)
    worth_a_look = failed or best_group(runs, objective) or runs
    tail.append(_kept(result.store.url, worth_a_look[:1]))
    return Summary(_head(result), replace(table, best=best), tail)


def _head(result: LaunchResult) -> str:
    launch, work = result.launch, result.work
    again = " resumed" if work.resumed else ""
    took = f" in {seconds(work.seconds)}" if work.seconds is not None else ""
    if not any(result.computations.values()):
        again, took = "", ": nothing to resume"
    return printable(
        f"{launch.project}/{launch.experiment}: launch {launch.number}{again}, "
        f"execution {launch.execution}, {launch.status.label}{took}"
    )


def _counted(result: LaunchResult) -> str:
    counts, shared = result.computations, result.work.shared
    words = [f"{counts['computed']} computed", f"{counts['cached'] - shared} cached"]
    if shared:
        words.insert(1, f"{shared} shared")
    return ", ".join([*words, f"{counts['failed']} failed", f"{counts['skipped']} skipped"])


def _warned(result: LaunchResult) -> list[str]:
    """Return the line that tells of warnings, which stand in the logs of the computations."""
    work = result.work
    if not work.warned:
        return []
    count = "1 computation" if work.warned == 1 else f"{work.warned} computations"
    names = [run.name for run in result.runs if run.id == work.warned_run]
    hint = "" if _in_memory(result.store.url) else "".join(f"; see gosset show {n}" for n in names)
    return [printable(f"{count} printed warnings, such as {work.warning}{hint}")]


def _shown(runs: Sequence[Run], objective: Objective | None) -> list[str]:
    """Return the foremost metrics, and what tells the best set where it is not among them."""
    known = dict.fromkeys(name for run in runs for name in run.metrics)
    names = foremost(known)
    told = objective is not None and objective[0] in known and objective[0] not in names
    return [*names, objective[0]] if objective is not None and told else names


def _best_line(runs: Sequence[Run], objective: Objective, table: Table, best: int) -> str:
    row = table.to_dicts()[best]
    name, direction = objective
    params = ", ".join(f"{p}={row[p]}" for p in varying(runs)) or "the only parameter set"
    score = dict(zip(table.headers(), table.shown()[best], strict=True))[name]
    return printable(f"best: {params} ({name} {score}, to {direction})")


def _kept(url: str, runs: Sequence[Run]) -> str:
    if _in_memory(url):
        return "kept in memory, until this process ends"
    return printable(f"kept in {url}" + "".join(f"; see gosset show {run.name}" for run in runs))


def _in_memory(url: str) -> bool:
    """Whether a store ends with its process, so that no command will find anything in it."""
    return url.startswith("memory:")


def _failures(failed: Sequence[Run]) -> list[str]:
    lines = []
    for run in failed[:SHOWN_FAILURES]:
        if run.exception is None:
            continue
        where = last_user_frame(run.exception)
        place = f" ({where})" if where else ""
        lines.append(printable(f"failed: {run.name}: {run.exception.line}{place}"))
    if len(failed) > SHOWN_FAILURES:
        lines.append(f"… and {len(failed) - SHOWN_FAILURES} more failed runs")
    return lines


def last_user_frame(exception: ExceptionInfo) -> str:
    """Return ``FILE:LINE in FUNCTION`` of the innermost line of the user's own code.

    Where there is none, of the innermost line at all; empty without a traceback.
    """
    frames = list(_FRAME.finditer(exception.traceback))
    own = [frame for frame in frames if is_user_file(frame["file"])] or frames
    return f"{own[-1]['file']}:{own[-1]['line']} in {own[-1]['name']}" if own else ""


def seconds(value: float) -> str:
    """Return a length of time for people.

    Examples
    --------
    >>> seconds(0.0421), seconds(75), seconds(7384)
    ('0.04 s', '1 min 15 s', '2 h 3 min')
    """
    if value < 60:
        return f"{value:.2f} s" if value < 10 else f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
