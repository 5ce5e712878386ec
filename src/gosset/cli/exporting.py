"""``gosset export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .call import call_of
from .listing import Filter
from .options import Json
from .output import emit_json, say
from .steps import steps

Target = Annotated[
    Path, typer.Argument(metavar="PATH", help="A folder for parquet, a file for the others.")
]
Format = Annotated[
    str,
    typer.Option(metavar="FORMAT", help="parquet, duckdb, or gosset: one file, for gosset import."),
]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("export")(export)


def export(
    context: typer.Context,
    target: Target,
    filter: Filter = None,
    format: Format = "parquet",
    as_json: Json = False,
) -> None:
    """Write runs with their parameters, metrics and points for other tools."""
    call = call_of(context)
    with call.reading() as store:
        with steps(call, "runs") as progress:
            path = store.export(target, format=format, filter=filter, progress=progress)  # type: ignore[arg-type]
        count = len(store.runs(filter))
    if as_json:
        emit_json({"path": str(path), "format": format, "runs": count})
    else:
        say(f"{count} runs in {path}")
