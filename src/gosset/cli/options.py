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
