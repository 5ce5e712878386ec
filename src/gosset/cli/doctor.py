"""``gosset doctor``."""

from __future__ import annotations

import typer

from .call import call_of
from .options import Json
from .output import emit_json, emit_table


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("doctor")(doctor)


def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Check that everything is in order: Python, packages, store, disk, git."""
    from ..compare import Table
    from ..upkeep.diagnosis import diagnose

    checks = diagnose(call_of(context).settings())
    if as_json:
        emit_json([{"check": c.name, "ok": c.ok, "detail": c.detail} for c in checks])
    else:
        rows = tuple((c.name, "ok" if c.ok else "WRONG", c.detail) for c in checks)
        emit_table(Table(("check", "", "detail"), rows))
    if not all(check.ok for check in checks):
        raise typer.Exit(1)
