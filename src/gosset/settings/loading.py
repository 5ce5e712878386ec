"""Which value holds: files, environment and arguments laid over one another."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from .files import SCOPES, read_settings_file, settings_file
from .places import find_root, sqlite_path, sqlite_url
from .values import NAMES, Settings, checked


def load_settings(
    start: Path | None = None,
    *,
    arguments: Mapping[str, object] = MappingProxyType({}),
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Read the settings that hold in a folder.

    Parameters
    ----------
    start : Path, optional
        The folder; by default the current one.
    arguments : mapping, optional
        Settings given in the call: they win. A value of None counts as not given.
    environ : mapping, optional
        Environment variables, by default those of the process. ``GOSSET_JOBS=4`` sets
        ``jobs``; empty ones count as not set.

    Returns
    -------
    Settings
        Relative paths of ``store`` and ``artifacts`` are taken from the folder of the file
        that names them, in environment and arguments from `start`.

    Raises
    ------
    SettingsError
        An unknown name, a value of the wrong type, or a file that cannot be read; the
        message names the file.
    """
    environ = os.environ if environ is None else environ
    start = (start or Path.cwd()).resolve()
    root = find_root(start)
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for origin, folder, layer in _layers(start, root, arguments, environ):
        for name, value in layer.items():
            values[name] = _anchored(name, checked(name, value, origin), folder)
            origins[name] = origin
    return Settings(**values, root=root, origins=MappingProxyType(origins))  # type: ignore[arg-type]


def _layers(
    start: Path, root: Path, arguments: Mapping[str, object], environ: Mapping[str, str]
) -> Iterator[tuple[str, Path, Mapping[str, object]]]:
    """Give origin, folder for relative paths, and values, the weakest first."""
    for scope in SCOPES:
        path = settings_file(scope, start, environ)
        # The store's own file speaks, like the others, of paths from the root.
        folder = root if scope == "local" else path.parent
        yield str(path), folder, read_settings_file(path)
    for variable, value in environ.items():
        name = variable.removeprefix("GOSSET_").lower()
        if not variable.startswith("GOSSET_") or not value:
            continue
        import difflib

        # Other variables may well begin so; only what looks like a slip is refused.
        if name in NAMES or difflib.get_close_matches(name, NAMES, n=1, cutoff=0.7):
            yield variable, start, {name: value}
    yield "argument", start, {n: v for n, v in arguments.items() if v is not None}


def _anchored(name: str, value: object, folder: Path) -> object:
    """Make a relative path of ``store`` or ``artifacts`` absolute."""
    text = str(value)
    if name == "artifacts" and "://" not in text:
        return str(folder / Path(text).expanduser())
    if name == "store" and (path := sqlite_path(text)):
        scheme, mark, options = text.partition(":///")[0], *text.partition("?")[1:]
        return f"{scheme}{sqlite_url(folder / path).removeprefix('sqlite')}{mark}{options}"
    return value
