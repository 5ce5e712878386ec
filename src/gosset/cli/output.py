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


def emit_table(table: Table) -> None:
    """Draw a table on a terminal; elsewhere write it as plain text in full width."""
    if not table.rows:
        return
    if not sys.stdout.isatty():
        emit(table.to_text())
        return
    from rich.console import Console

    Console(highlight=False).print(table.to_rich())


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
