"""What people see of plans and launches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..compare import Table
from ..compare.tables import printable
from .output import emit, emit_json, emit_table

if TYPE_CHECKING:
    from ..results.outcome import LaunchResult


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
    summary = result.summary()
    emit(summary.head)
    emit_table(summary.table)
    for line in summary.tail:
        emit(line)


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
