"""Setting a value in a file, with all else that stands in it left as it is."""

from __future__ import annotations

import json
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

from ..exceptions import SettingsError
from .files import read_document, read_settings_file, section_of, settings_file, text_of
from .places import prepare_store_folder
from .values import check_name, checked


def set_value(
    scope: str,
    name: str,
    value: object,
    *,
    start: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Path:
    """Keep a setting in the file of a scope, and leave all else in the file as it is.

    Parameters
    ----------
    scope : {"user", "project", "local"}
        See :func:`settings_file`; file and folder are made where there are none.
    name : str
        A setting.
    value : object
        Its value; None takes the setting out of the file.
    start : Path, optional
        The folder for which it shall hold; by default the current one.
    environ : mapping, optional
        By default the variables of the process.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SettingsError
        An unknown scope or name, a value that the setting cannot have, or a file that
        cannot be written or is written in a way that a line cannot change.
    """
    path = settings_file(scope, start or Path.cwd(), os.environ if environ is None else environ)
    check_name(name)
    if value is not None:
        value = checked(name, value, "value")
    elif name not in read_settings_file(path):
        return path
    text = text_of(path)
    document = read_document(text, path)
    table = document
    for key in section_of(path):
        table = table.setdefault(key, {})
    table[name] = value
    if value is None:
        del table[name]
    edited = _edited(text, ".".join(section_of(path)), name, value)
    if not _says(edited, document):
        raise SettingsError(
            f"{path} is written in a way that cannot be edited line by line",
            hint=f"change {name!r} there by hand",
        )
    if scope == "local":
        prepare_store_folder(path.parent)
    try:
        _replace(path, edited)
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be written: {error.strerror}",
            hint="give yourself the right to write there, or set it by an environment variable",
        ) from error
    return path


def _edited(text: str, section: str, name: str, value: object) -> str:
    """Return `text` with the line of `name` in `section` changed, added or taken out."""
    lines = text.splitlines(keepends=True)
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    if lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += end
    first, last = _bounds(lines, section)
    assignment = re.compile(rf"\s*(?:{name}|\"{name}\"|'{name}')\s*=")
    for number in range(first, last):
        if assignment.match(lines[number]):
            comment = _comment(lines[number])
            new = [] if value is None else [_line(name, value) + comment + end]
            return "".join([*lines[:number], *new, *lines[number + 1 :]])
    if value is None:
        return text
    while last > first and not lines[last - 1].strip():
        last -= 1
    return "".join([*lines[:last], _line(name, value) + end, *lines[last:]])


def _bounds(lines: list[str], section: str) -> tuple[int, int]:
    """Return the first line of a section and the line after its last."""
    headers = [n for n, line in enumerate(lines) if line.lstrip().startswith("[")]
    starts = [
        n for n in headers if re.sub(r"[\s\"']", "", lines[n].partition("#")[0]) == f"[{section}]"
    ]
    first = starts[0] + 1 if starts else 0
    return first, next((n for n in headers if n >= first), len(lines))


def _comment(line: str) -> str:
    """Return the comment at the end of an assignment, with the space before it."""
    for mark in re.finditer(r"\s*#", line):
        try:
            tomllib.loads(line[: mark.start()])
        except tomllib.TOMLDecodeError:
            continue  # The mark stands inside a text.
        return line[mark.start() :].rstrip()
    return ""


def _line(name: str, value: object) -> str:
    # A text in JSON is a basic string of TOML.
    return f"{name} = {json.dumps(value, ensure_ascii=False)}"


def _replace(path: Path, text: str) -> None:
    """Write the file under another name first, so that it is never seen half-written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path = path.resolve()
    path.touch()
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".config-")
    temporary = Path(name)
    try:
        with open(descriptor, "wb") as file:
            file.write(text.encode())
        temporary.chmod(path.stat().st_mode)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _says(text: str, document: Mapping[str, object]) -> bool:
    try:
        return tomllib.loads(text) == document
    except tomllib.TOMLDecodeError:
        return False
