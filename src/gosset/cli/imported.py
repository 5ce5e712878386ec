"""Tells what was taken over from a file or another tracker, and what was not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from .output import emit_json, say

if TYPE_CHECKING:
    from ..importers import Imported, LeftOut

_LINES: Final = 20
_NAMES: Final = 3


def tell_imported(path: str, store: str, imported: Imported, *, as_json: bool) -> None:
    """Write a result.

    Parameters
    ----------
    path, store : str
        Where it comes from and went to.
    imported : Imported
    as_json : bool
        Write all of it as JSON on standard output.
    """
    if as_json:
        emit_json(
            {
                "from": path,
                "to": store,
                "kind": imported.kind,
                "runs": imported.runs,
                "changed": imported.changed,
                "unchanged": imported.unchanged,
                "artifacts": imported.artifacts,
                "bytes": imported.bytes,
                "missing": list(imported.missing),
                "unfinished": dict(imported.unfinished),
                "left_out": [
                    {"run": left.run or None, "what": left.what, "why": left.why}
                    for left in imported.left_out
                ],
            }
        )
    else:
        say(
            f"{imported.runs} new and {imported.changed} changed runs, {imported.artifacts}"
            f" artifacts from {path} to {store}"
        )
        if imported.unchanged:
            say(f"{_runs(imported.unchanged)} had been taken over before, and are as they were")
    _warn(path, imported)


def _warn(path: str, imported: Imported) -> None:
    if imported.missing:
        say(
            f"warning: {path} has lost the bytes of {len(imported.missing)} artifacts, e.g. of"
            f" {imported.missing[0]}; what refers to them was taken over without"
        )
    for status in ("running", "crashed"):
        names = [name for name, its in imported.unfinished.items() if its == status]
        if names:
            now = "they are running here" if status == "running" else "so they count as crashed"
            since = (
                "are still at work" if status == "running" else "were never ended, and are quiet"
            )
            say(f"{_runs(len(names))} ({_some(names)}) {since}: {now}")
    lines = _lines(imported.left_out)
    for line in lines[:_LINES]:
        say(f"not taken over: {line}")
    if len(lines) > _LINES:
        say(f"not taken over: {len(lines) - _LINES} more; --json lists all")


def _lines(left_out: Sequence[LeftOut]) -> list[str]:
    """Return a line for each thing that was left out, however many runs have it."""
    whose: dict[tuple[str, str], list[str]] = {}
    for left in left_out:
        whose.setdefault((left.what, left.why), []).append(left.run)
    return [f"{what}{_whose(runs)}: {why}" for (what, why), runs in whose.items()]


def _whose(runs: Sequence[str]) -> str:
    names = list(dict.fromkeys(filter(None, runs)))
    if not names:
        return ""
    return f" of run {names[0]}" if len(names) == 1 else f" of {len(names)} runs ({_some(names)})"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMES]) + (", …" if len(names) > _NAMES else "")


def _runs(number: int) -> str:
    return f"{number} run" + "s" * (number != 1)
