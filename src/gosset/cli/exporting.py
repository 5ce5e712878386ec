"""``gosset export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .call import call_of
from .listing import Filter
from .options import Json
from .output import emit_json, say

Target = Annotated[
    Path, typer.Argument(metavar="PATH", help="A folder for parquet, a file for duckdb.")
]
Format = Annotated[str, typer.Option(metavar="FORMAT", help="parquet or duckdb.")]


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
    with call_of(context).reading() as store:
        path = store.export(target, format=format, filter=filter)  # type: ignore[arg-type]
        count = len(store.runs(filter))
    if as_json:
        emit_json({"path": str(path), "format": format, "runs": count})
    else:
        say(f"{count} runs in {path}")
