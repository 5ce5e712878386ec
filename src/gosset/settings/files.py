"""The files that settings are kept in: found and read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..exceptions import SettingsError, did_you_mean
from .places import STORE_FOLDER, find_root

SCOPES = ("user", "project", "local")
"""The kinds of settings files, the weakest first."""


def settings_file(scope: str, start: Path, environ: Mapping[str, str]) -> Path:
    """Return the file that holds the settings of a scope, whether it exists or not.

    Parameters
    ----------
    scope : {"user", "project", "local"}
    start : Path
        The folder for which the settings hold.
    environ : mapping
        Environment variables.

    Raises
    ------
    SettingsError
        An unknown scope.
    """
    if scope == "user":
        home = environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        return Path(home) / "gosset" / "config.toml"
    root = find_root(start)
    if scope == "local":
        return root / STORE_FOLDER / "config.toml"
    if scope == "project":
        return _project_file(start.resolve()) or root / "gosset.toml"
    raise SettingsError(f"there is no scope {scope!r}", hint=did_you_mean(scope, SCOPES))


def read_settings_file(path: Path) -> dict[str, object]:
    """Return what a file says of settings; nothing where the file does not exist.

    Raises
    ------
    SettingsError
        The file is not TOML (the message says where), or cannot be read.
    """
    table: object = read_document(text_of(path), path)
    for key in section_of(path):
        table = table.get(key, {}) if isinstance(table, dict) else table
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: [tool.gosset] is not a table")
    return table


def text_of(path: Path) -> str:
    """Return the text of a file, empty where there is none."""
    try:
        # Not read_text: it would hide which line ends the file has.
        return path.read_bytes().decode()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not TOML: {error}") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error


def read_document(text: str, path: Path) -> dict[str, Any]:
    """Return what a text of TOML says; `path` is for messages."""
    if all(line.lstrip()[:1] in ("", "#") for line in text.splitlines()):
        return {}  # as the file beside a new store: nothing but comments
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not TOML: {error}") from error


def section_of(path: Path) -> tuple[str, ...]:
    """Return under which keys a file has the settings."""
    return ("tool", "gosset") if path.name == "pyproject.toml" else ()


def _project_file(start: Path) -> Path | None:
    for folder in (start, *start.parents):
        if (path := folder / "gosset.toml").is_file():
            return path
        path = folder / "pyproject.toml"
        tool = read_document(text_of(path), path).get("tool")
        if isinstance(tool, dict) and "gosset" in tool:
            return path
    return None
