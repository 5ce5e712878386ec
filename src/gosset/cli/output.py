"""Writes results on standard output, and all else on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..compare import Table
    from ..types import JSONValue


def emit(text: str) -> None:
    """Write a result."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


def emit_json(value: JSONValue) -> None:
    """Write a result as JSON."""
    plain = not (sys.stdout.encoding or "").lower().startswith("utf")
    emit(json.dumps(value, ensure_ascii=plain, allow_nan=False, indent=2))


def emit_table(table: Table, form: str = "text") -> None:
    """Write a table in a form: ``json``, ``csv``, ``markdown``, ``latex`` or ``text``."""
    match form:
        case "json":
            emit_json(table.to_plain())
        case "csv":
            emit(table.to_csv())
        case "markdown":
            emit(table.to_markdown())
        case "latex":
            emit(table.to_latex())
        case _:
            _draw(table)


def _draw(table: Table) -> None:
    """Draw a table on a terminal; elsewhere, and under NO_COLOR, write plain text in full width."""
    if not table.rows:
        return
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        emit(table.to_text())
        return
    from rich.console import Console
    from rich.measure import Measurement

    console, drawn = Console(highlight=False), table.to_rich()
    endless = console.options.update(max_width=1_000_000)
    # Too narrow a terminal wraps the lines itself: no word is cut or broken for it.
    console.width = max(console.width, Measurement.get(console, endless, drawn).minimum)
    console.print(drawn)


def say(message: str) -> None:
    """Write a message for people, on one line."""
    from ..compare.tables import printable

    sys.stderr.write(f"gosset: {printable(message)}\n")
    sys.stderr.flush()


def ask(question: str) -> bool:
    """Ask a question on the terminal; False unless the answer is yes."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


@contextmanager
def reserved(wanted: bool = True) -> Iterator[None]:
    """Keep standard output for the result: what is printed in the block goes to standard error.

    Also what libraries and child processes write to the file descriptor itself.
    """
    if not wanted:
        yield
        return
    sys.stdout.flush()
    stream = sys.stdout
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        yield
    finally:
        sys.stdout.flush()
        sys.stdout = stream
        os.dup2(kept, 1)
        os.close(kept)
