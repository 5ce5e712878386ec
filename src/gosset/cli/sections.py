"""What ``gosset show`` says to people, section by section."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..compare.tables import aligned, printable, rounded
from ..entities import ExceptionInfo
from ..results.summary import last_user_frame
from .tabulating import humane

_LONG = 40
"""Lines of a source or a log that are shown."""

_PACKAGES = 5
"""Packages of an environment that are named."""

_IN_SECTIONS = (
    "params", "config", "alerts", "metrics", "metrics_series", "metrics_std", "metrics_folds", "fields", "fold_seeds", "hyperparameters",
    "computations", "attempts", "code", "environment", "artifacts", "exception", "definition",
    "columns", "content", "runs", "settings", "provenance", "experiments", "console",
)  # fmt: skip

_TABLES = {
    "computations": ("stage", "fold", "status", "wall", "memory", "key"),
    "attempts": ("number", "status", "resource", "started", "ended"),
    "alerts": ("level", "title", "text"),
    "artifacts": ("stage", "fold", "name", "format", "size", "digest"),
    "content": ("name", "format", "size", "digest"),
    "columns": ("name", "dtype", "role", "unit", "labels", "description"),
}
"""Sections that are tables → their columns."""


def sections(document: Mapping[str, Any], lines: Mapping[str, str] | None = None) -> str:
    """Return all of `document` as text: facts first, then one section for each part.

    Parameters
    ----------
    lines : mapping, optional
        Metric → its course, drawn in a line of characters.
    """
    facts = {n: v for n, v in document.items() if n not in _IN_SECTIONS or isinstance(v, int)}
    parts = [_pairs(facts)]
    for name in _IN_SECTIONS:
        value = document.get(name)
        if not value or isinstance(value, int) or name in ("metrics_std", "metrics_folds"):
            continue
        title = name.upper().replace("_", " ")
        if name == "metrics_series":
            title, text = "SERIES", _series(document, lines or {})
        else:
            text = _section(name, value, document)
        if text:
            parts.append(f"{title}\n{_indented(text)}")
        log = _log(value) if name == "computations" else ""
        if log:
            parts.append(f"LOG\n{_indented(log)}")
    return "\n\n".join(parts)


def _section(name: str, value: Any, document: Mapping[str, Any]) -> str:
    if name in _TABLES:
        return _table(value, _TABLES[name])
    match name:
        case "metrics":
            return _metrics(document)
        case "hyperparameters":
            # None is a value here, such as that of a random_state.
            told = [
                {**each, "value": "None" if each["value"] is None else each["value"]}
                for each in value
            ]
            return _table(told, ("name", "value", "kind"))
        case "runs":
            return _runs(value)
        case "environment":
            return _pairs(_shortened(value))
        case "params" | "config" | "fields":
            return _values(value)
        case "exception":
            return _exception(value)
        case "code":
            return _code(value)
        case "console":
            return _console(value)
        case "experiments":
            return "\n".join(map(printable, value))
    return _pairs(value if isinstance(value, Mapping) else dict(enumerate(value)))


def _metrics(document: Mapping[str, Any]) -> str:
    spread = document.get("metrics_std", {})
    folds = document.get("metrics_folds", {})
    series = document.get("metrics_series", {})
    rows = [["metric", "mean", "std", "folds"]]
    for name, mean in document["metrics"].items():
        if name in series:
            continue
        each = " ".join(_number(value) for value in folds.get(name, ()))
        rows.append([name, _number(mean), _number(spread.get(name)), each])
    return aligned(rows) if len(rows) > 1 else ""


def _series(document: Mapping[str, Any], lines: Mapping[str, str]) -> str:
    rows = [["metric", "last", "min", "max", "mean", "points", "step", ""]]
    for name, told in document["metrics_series"].items():
        last = document["metrics"].get(name)
        numbers = [last, *(told[kind] for kind in ("min", "max", "mean"))]
        counts = [str(told["count"]), str(told["step"])]
        rows.append([name, *map(_number, numbers), *counts, lines.get(name, "")])
    return aligned(rows)


def _number(value: Any) -> str:
    return "" if value is None else rounded(value)


def _runs(runs: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(n for run in runs for n in run["metrics"] if "/" not in n))
    rows = [["name", "status", "seed", "params", *names]]
    for run in runs:
        scores = run["metrics"]
        facts = [_short(run[name]) for name in ("name", "status", "seed", "params")]
        rows.append([*facts, *(_number(scores[n]) if n in scores else "–" for n in names)])
    return aligned(rows)


def _shortened(environment: Mapping[str, Any]) -> dict[str, Any]:
    """Return an environment with the first few of its packages."""
    packages = environment.get("packages")
    if not isinstance(packages, list) or len(packages) <= _PACKAGES:
        return dict(environment)
    first = ", ".join(map(str, packages[:_PACKAGES]))
    shown = f"{first}, … {len(packages) - _PACKAGES} more, see --json"
    return {**environment, "packages": shown}


def _log(computations: Sequence[Mapping[str, Any]]) -> str:
    """Return what stages printed, each under its name."""
    parts = []
    for computation in computations:
        text = str(computation.get("log") or "").rstrip()
        if not text:
            continue
        fold = "" if computation["fold"] is None else f", fold {computation['fold']}"
        parts += [printable(f"{computation['stage']}{fold}"), *_first(text)]
    return "\n".join(parts)


def _first(text: str) -> list[str]:
    """Return the first lines of a long text, set in."""
    lines = text.splitlines()
    more = [f"  … {len(lines) - _LONG} more lines; --json has all"] if len(lines) > _LONG else []
    return [*(f"  {printable(line)}" for line in lines[:_LONG]), *more]


def _console(pieces: Sequence[Mapping[str, Any]]) -> str:
    """Return the last lines of what a run printed: it tells most at its end."""
    lines = "".join(str(piece["text"]) for piece in pieces).splitlines()
    before = len(lines) - _LONG
    more = [f"… {before} lines before; --json has all"] if before > 0 else []
    return "\n".join([*more, *map(printable, lines[-_LONG:])])


def _exception(value: Mapping[str, str]) -> str:
    told = ExceptionInfo(type=value["type"], message=value["message"], traceback=value["traceback"])
    where = last_user_frame(told)
    head = printable(f"{told.type}: {told.message}" + (f" ({where})" if where else ""))
    return "\n".join([head, *map(printable, told.traceback.splitlines())])


def _code(value: Mapping[str, Any]) -> str:
    lines = [f"fingerprint  {value.get('fingerprint', '–')}"]
    lines += [f"{name}  {_short(v)}" for name, v in value.get("version", {}).items() if v]
    for name, source in sorted(value.get("sources", {}).items()):
        lines += ["", printable(name), *_first(str(source))]
    return "\n".join(lines)


def _table(documents: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    rows = [[_short(humane(name, each.get(name))) for name in columns] for each in documents]
    return aligned([list(columns), *rows])


def _pairs(mapping: Mapping[Any, Any]) -> str:
    rows = [[str(name), _short(humane(name, value))] for name, value in mapping.items()]
    return aligned(rows) if rows else ""


def _values(mapping: Mapping[str, Any]) -> str:
    """Return the user's own values as they are: no name of theirs means a size or a time."""
    return aligned(
        [[str(n), "None" if value is None else _short(value)] for n, value in mapping.items()]
    )


def _short(value: object) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())
