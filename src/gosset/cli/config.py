"""``gosset config``."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated

import typer

from .call import call_of
from .options import Json
from .output import emit, emit_json, emit_table, say

if TYPE_CHECKING:
    from ..settings import Settings

Name = Annotated[str, typer.Argument(metavar="NAME", help="A setting, e.g. jobs.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(help="Settings, and where their values come from.", rich_markup_mode=None)
    group.command("list")(list_settings)
    group.command("get")(get)
    group.command("set")(set_setting)
    app.add_typer(group, name="config")


def list_settings(context: typer.Context, as_json: Json = False) -> None:
    """List all settings with their values and origins."""
    from ..compare import Table
    from ..settings import NAMES

    settings = call_of(context).settings()
    _prepare(settings)
    if as_json:
        emit_json({n: {"value": getattr(settings, n), "origin": settings.origin(n)} for n in NAMES})
        return
    rows = tuple((n, _effective(settings, n), settings.origin(n)) for n in NAMES)
    emit_table(Table(("setting", "value", "origin"), rows))


def _prepare(settings: Settings) -> None:
    """Make a file to write settings into, where there is no store that has one."""
    from ..exceptions import StoreReadOnlyError
    from ..settings import STORE_FOLDER, prepare_store_folder

    folder = settings.root / STORE_FOLDER
    if settings.store is None and not folder.exists():
        with contextlib.suppress(StoreReadOnlyError):
            prepare_store_folder(folder)
            say(f"made {folder / 'config.toml'}")


def get(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """Print the value of a setting."""
    settings = call_of(context).settings()
    origin = settings.origin(name)  # refuses names that are none
    value = getattr(settings, name)
    if as_json:
        emit_json({"name": name, "value": value, "origin": origin})
    else:
        emit("" if value is None else str(value))


def set_setting(
    context: typer.Context,
    name: Name,
    value: Annotated[str, typer.Argument(metavar="VALUE")],
    scope: Annotated[
        str, typer.Option(metavar="SCOPE", help="Whose file: user, project or local.")
    ] = "user",
    as_json: Json = False,
) -> None:
    """Keep the value of a setting in a file; an empty VALUE takes it out."""
    from ..settings.editing import set_value

    path = set_value(scope, name, value or None)
    settings = call_of(context).settings()
    if as_json:
        emit_json({"name": name, "value": getattr(settings, name), "file": str(path)})
    else:
        emit(f"{name} = {value} in {path}" if value else f"{name} taken out of {path}")
    origin = settings.origin(name)
    if value and origin not in ("default", str(path)):
        say(f"but {origin} says {getattr(settings, name)}, which comes before it")


def _effective(settings: object, name: str) -> str | int | None:
    value: str | int | None = getattr(settings, name)
    if name == "store" and value is None:
        return str(getattr(settings, "store_url"))  # noqa: B009
    return value
