"""Writes docs/reference/cli.md from what ``gosset --help`` says."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import typer

from gosset.cli.main import build

PLACE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "cli.md"

HEAD = """# The command line

Made from `gosset --help` by `scripts/cli_reference.py`; do not edit it by hand.

Exit codes: 0 done; 1 the work failed (a run failed); 2 the call was wrong (a bad option, an
unknown name, a filter that cannot be read); 130 interrupted. Results go to standard output,
messages to standard error. With `--json`, an error is
`{"error": {"type": …, "message": …, "hint": …}}` on standard error.
"""


def reference() -> str:
    """Return the reference of all commands as Markdown."""
    os.environ["COLUMNS"] = "100"
    root = typer.main.get_command(build())
    parts = [HEAD]
    for words in _commands(root, ("gosset",)):
        parts.append(f"## {' '.join(words)}\n\n```text\n{_help(root, words[1:])}\n```\n")
    return "\n".join(parts)


def _commands(command: object, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield words
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, (*words, name))


def _help(root: object, words: tuple[str, ...]) -> str:
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        root.main(  # type: ignore[attr-defined]
            args=[*words, "--help"], prog_name="gosset", standalone_mode=False
        )
    return "\n".join(line.rstrip() for line in written.getvalue().strip().splitlines())


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if PLACE.exists() and PLACE.read_text() == reference() else 1)
    PLACE.parent.mkdir(parents=True, exist_ok=True)
    PLACE.write_text(reference())
