"""What people see of plans and launches."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..compare import Table, summary_table, varying
from ..compare.runs import best_row
from ..compare.tables import printable
from ..entities import ExceptionInfo, Run, Status
from ..usercode import is_user_file
from .output import emit, emit_json, emit_table

if TYPE_CHECKING:
    from ..outcome import LaunchResult

SHOWN_FAILURES = 10
_FRAME = re.compile(r'^\s*File "(?P<file>.+)", line (?P<line>\d+), in (?P<name>.+)$', re.MULTILINE)


def emit_plans(plans: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    """Write what launches would do, stage by stage."""
    if as_json:
        emit_json(plans[0] if len(plans) == 1 else list(plans))
        return
    for plan in plans:
        runs = plan["runs"]
        emit(printable(f"{plan['project']}/{plan['experiment']}: {_count(runs, 'run')}"))
        rows = [
            (
                stage["stage"],
                stage["compute"],
                stage["load"],
                stage["skip"],
                "; ".join(f"{why} ({n})" for why, n in stage["why"].items()),
            )
            for stage in plan["stages"]
        ]
        emit_table(Table(("stage", "compute", "load", "skip", "why"), tuple(rows)))
        counts = plan["counts"]
        emit(
            f"{counts['compute']} to compute, {counts['load']} to load, {counts['skip']} to skip; "
            "nothing was written"
        )


def emit_result(result: LaunchResult) -> None:
    """Write what a launch came to."""
    launch = result.launch
    took = f" in {seconds(launch.duration)}" if launch.duration is not None else ""
    emit(
        printable(
            f"{launch.project}/{launch.experiment}: launch {launch.number}, "
            f"execution {launch.execution}, {launch.status.label}{took}"
        )
    )
    table = summary_table(result.runs)
    best = best_row(table, result.objective)
    emit_table(replace(table, best=best))
    if best is not None and result.objective is not None:
        emit(_best_line(result, table, best))
    counts = result.computations
    emit(
        ", ".join(f"{counts[word]} {word}" for word in ("computed", "cached", "failed", "skipped"))
    )
    _emit_failures([run for run in result.runs if run.status is Status.FAILED])
    emit(printable(f"kept in {result.store.url}; see gosset show {result.runs[-1].name}"))


def _best_line(result: LaunchResult, table: Table, best: int) -> str:
    assert result.objective is not None
    row = table.to_dicts()[best]
    name, direction = result.objective
    params = ", ".join(f"{p}={row[p]}" for p in varying(result.runs)) or "the only parameter set"
    score = dict(zip(table.headers(), table.shown()[best], strict=True))[name]
    return printable(f"best: {params} ({name} {score}, to {direction})")


def _emit_failures(failed: Sequence[Run]) -> None:
    for run in failed[:SHOWN_FAILURES]:
        if run.exception is None:
            continue
        where = last_user_frame(run.exception)
        emit(
            printable(
                f"failed: {run.name}: {run.exception.line}" + (f" ({where})" if where else "")
            )
        )
    if len(failed) > SHOWN_FAILURES:
        emit(f"… and {len(failed) - SHOWN_FAILURES} more failed runs")


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


def size(value: float) -> str:
    """Return a number of bytes for people.

    Examples
    --------
    >>> size(512), size(123456), size(5 * 2**30)
    ('512 B', '123.5 kB', '5.4 GB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
