"""The progress bar of a launch, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..entities import ComputationStatus, Metric, Run, Status
from ..running.observing import Observer, Quiet

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


def progress_bar(wanted: bool | None = None) -> Observer:
    """Return an observer that shows how far a launch is, on standard error.

    Parameters
    ----------
    wanted : bool, optional
        True: a bar on a terminal, a line now and then elsewhere. False: nothing but
        warnings. By default a bar on a terminal only.
    """
    if sys.stderr.isatty():
        return Warnings() if wanted is False else ProgressBar()
    return Lines() if wanted else Warnings()


class Warnings(Quiet):
    """Shows nothing but warnings, on standard error."""

    def warn(self, message: str) -> None:
        """Write the message."""
        sys.stderr.write(f"gosset: warning: {message}\n")


class Lines(Warnings):
    """Writes a line at the start, at every tenth of the way and at the end."""

    def __init__(self) -> None:
        self._total = self._done = self._failed = self._told = 0
        self._begun = 0.0

    def begin(self, total: int, cached: int) -> None:
        """Tell what is to be done."""
        self._total, self._done, self._told = total, cached, 0
        self._begun = time.monotonic()
        sys.stderr.write(f"gosset: {total} computations, {cached} of them cached or not needed\n")

    def advance(self, status: ComputationStatus, count: int) -> None:
        """Tell how far the launch is, every tenth of the way."""
        self._done += count
        self._failed += count if status is ComputationStatus.FAILED else 0
        tenth = 10 * self._done // max(self._total, 1)
        if tenth > self._told:
            self._told = tenth
            passed = time.monotonic() - self._begun
            left = passed / self._done * (self._total - self._done)
            failed = f", {self._failed} failed" if self._failed else ""
            sys.stderr.write(
                f"gosset: {self._done} of {self._total} done{failed}, "
                f"{passed:.1f} s passed, about {left:.1f} s left\n"
            )


class ProgressBar:
    """Draws computations done, speed and time left; failed runs are told as they fail."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._counts = {status: 0 for status in ComputationStatus}
        self._failed = 0

    def begin(self, total: int, cached: int) -> None:
        """Start to draw."""
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self.end()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[detail]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True, highlight=False),
        )
        self._counts[ComputationStatus.CACHED] = cached
        self._task = self._progress.add_task(
            "computations", total=total, completed=cached, detail=self._detail()
        )
        self._progress.start()

    def advance(self, status: ComputationStatus, count: int) -> None:
        """Move on."""
        self._counts[status] += count
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, advance=count, detail=self._detail())

    def run_ended(self, run: Run, status: Status, metrics: Sequence[Metric]) -> None:
        """Tell of a run that failed."""
        if status is Status.FAILED and self._progress is not None:
            from rich.markup import escape

            self._failed += 1
            self._progress.console.print(f"[red]run {escape(run.name)} failed[/red]")

    def warn(self, message: str) -> None:
        """Show the message above the bar, and without it where it is gone."""
        if self._progress is None:
            Warnings().warn(message)
            return
        from rich.markup import escape

        self._progress.console.print(f"[yellow]warning:[/yellow] {escape(message)}")

    def end(self) -> None:
        """Stop drawing."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _detail(self) -> str:
        counts = self._counts
        parts = [f"{counts[ComputationStatus.CACHED]} cached"]
        if counts[ComputationStatus.FAILED]:
            parts.append(f"[red]{counts[ComputationStatus.FAILED]} failed[/red]")
        return ", ".join(parts)
