"""How far long work is, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .call import Call
from .output import say


@contextmanager
def steps(call: Call, what: str) -> Iterator[Callable[[int, int], None]]:
    """Give what is told how many of how many are done.

    A bar on a terminal. Elsewhere a line at every tenth of the way, where the setting
    ``progress`` is ``on``; where it is ``off``, nothing.

    Parameters
    ----------
    call : Call
    what : str
        What is counted, e.g. ``"runs"``.
    """
    wanted = call.settings().progress
    if wanted == "off" or (wanted != "on" and not sys.stderr.isatty()):
        yield lambda done, total: None
    elif sys.stderr.isatty():
        with _bar(what) as advance:
            yield advance
    else:
        yield _lines(what)


def _lines(what: str) -> Callable[[int, int], None]:
    told = 0

    def advance(done: int, total: int) -> None:
        nonlocal told
        tenth = 10 * done // max(total, 1)
        if tenth > told:
            told = tenth
            say(f"{done} of {total} {what}")

    return advance


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    with Progress(
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True, highlight=False),
        transient=True,
    ) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
