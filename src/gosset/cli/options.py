"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[
    bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")
]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
Kind = Annotated[
    str | None,
    typer.Option(
        metavar="KIND",
        help="What the ID names: run, launch, execution, experiment, project, dataset, artifact.",
    ),
]


def split_list(text: str | None) -> list[str] | None:
    """Return the names in a list with commas; None stays None."""
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def form_of(**wanted: bool) -> str:
    """Return the form of a table that is wanted, ``text`` unless an option names another.

    Raises
    ------
    UsageError
        Several are wanted.

    Examples
    --------
    >>> form_of(json=False, csv=True), form_of(json=False, csv=False)
    ('csv', 'text')
    """
    chosen = [name for name, is_wanted in wanted.items() if is_wanted]
    if len(chosen) > 1:
        from ..exceptions import UsageError

        *others, last = (f"--{name}" for name in wanted)
        raise UsageError(f"{', '.join(others)} and {last} exclude each other")
    return chosen[0] if chosen else "text"
