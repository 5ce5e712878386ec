"""Writes out an Aim repository as lines of JSON: run by a Python that has Aim, never imported.

``python - REPOSITORY FOLDER < aim_export.py`` reads the folder ``.aim`` and leaves in FOLDER
``lines.jsonl`` and the bytes of images and the like. Of Aim only the containers of its storage
are used, opened to be read: what is there stays as it is, and runs that were not closed are
found, which Aim's index does not have. A line is one of

- ``{"run": HASH, "meta": {...}, "artifacts": {NAME: URI}}``: parameters and the like
- ``{"series": NAME, "context": {...}, "points": [[step, value, time, epoch], ...]}``, in the
  order of time
- ``{"object": NAME, "context": {...}, "step": ..., "time": ..., "kind": ..., "value": {...}}``,
  where a value ``{"file": NAME}`` names a file
- ``{"broken": WHAT, "why": ...}``
- ``{"ends": HASH}``
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any, TextIO


class Export:
    """Writes lines, and files beside them."""

    def __init__(self, folder: str, lines: TextIO) -> None:
        self._folder = folder
        self._lines = lines
        self._files = 0

    def line(self, **said: Any) -> None:
        """Write a line."""
        self._lines.write(json.dumps(said, default=unknown) + "\n")

    def broken(self, what: str, error: Exception) -> None:
        """Write what could not be read."""
        self.line(broken=what, why=f"{type(error).__name__}: {error}")

    def file(self, data: bytes) -> str:
        """Write bytes to a file of their own; return its name."""
        self._files += 1
        name = str(self._files)
        with open(os.path.join(self._folder, name), "wb") as file:
            file.write(data)
        return name


def unknown(value: Any) -> Any:
    """Say of what kind a value is that JSON does not know."""
    return {"__aim__": getattr(value, "AIM_NAME", type(value).__qualname__)}


def opened(*path: str) -> Any:
    """Open a container of Aim's storage, as a tree."""
    storage = importlib.import_module("aim.storage.rockscontainer")
    # Without the last argument Aim compacts what it only reads.
    container = storage.RocksContainer(
        os.path.join(*path), read_only=True, skip_read_optimization=True
    )
    return container.tree()


def collected(tree: Any, *path: Any) -> dict[Any, Any]:
    """Return all that lies under a path."""
    try:
        return dict(tree.subtree(path).collect())
    except (KeyError, StopIteration):
        return {}


def column(tree: Any, name: str) -> dict[int, Any]:
    """Return a column of a series: place → value."""
    try:
        return dict(tree.subtree(name).items())
    except (KeyError, StopIteration):
        return {}


def export_run(export: Export, repository: str, run: str) -> None:
    """Write out a run."""
    meta = collected(opened(repository, "meta", "chunks", run), "meta", "chunks", run)
    traces, contexts = meta.pop("traces", {}), meta.pop("contexts", {})
    meta.pop("typed_traces", None)
    artifacts = meta.pop("artifacts", {})
    uris = {name: artifact.storage["uri"] for name, artifact in artifacts.items()}
    export.line(run=run, meta=meta, artifacts=uris)
    tree: Any = opened(repository, "seqs", "chunks", run) if traces else None
    for context, names in traces.items():
        for name, info in names.items():
            version = info.get("version", 1)
            place = ("seqs", "chunks") if version == 1 else ("seqs", f"v{version}", "chunks")
            try:
                its_tree = tree.subtree((*place, run, context, name))
                export_series(export, name, contexts.get(context, {}), info, its_tree)
            except Exception as error:  # noqa: BLE001 - whatever it is, the others are read
                export.broken(f"series {name!r}", error)
    export.line(ends=run)


def export_series(
    export: Export, name: str, context: dict[str, Any], info: dict[str, Any], tree: Any
) -> None:
    """Write out a series, of numbers or of anything else."""
    values, times, epochs = column(tree, "val"), column(tree, "time"), column(tree, "epoch")
    # Where steps are kept, values stand under a digest of theirs, else under the step itself.
    steps = (
        column(tree, "step") if info.get("version", 1) > 1 else {place: place for place in values}
    )
    half = values.keys() - steps.keys()
    if half:
        export.line(
            broken=f"{len(half)} points of {name!r}", why="they were not written to the end"
        )
        values = {place: value for place, value in values.items() if place in steps}
    places = sorted(values, key=lambda place: (times.get(place, 0), steps[place]))
    rows = [(steps[place], values[place], times.get(place), epochs.get(place)) for place in places]
    if info.get("dtype", "float") in ("float", "float64", "int", "number"):
        if rows:
            export.line(series=name, context=context, points=rows)
        return
    for step, value, time, epoch in rows:
        for number, item in enumerate(value if isinstance(value, (list, tuple)) else [value]):
            said = {"step": step, "time": time, "epoch": epoch, "number": number}
            said["kind"] = getattr(item, "AIM_NAME", type(item).__qualname__)
            export.line(object=name, context=context, value=plain(export, item), **said)


def plain(export: Export, item: Any) -> Any:
    """Return what is known of a value that is no number."""
    storage = getattr(item, "storage", None)
    if storage is None:
        return item
    said = dict(storage.items())
    data = said.pop("data", None)
    said.pop("__logger_info", None)
    if item.AIM_NAME in ("aim.text", "aim.log_line"):
        return str(item.data)
    if item.AIM_NAME == "aim.distribution":
        return {"weights": item.weights.tolist(), "range": list(item.range)}
    if data is not None:
        data = data.load() if hasattr(data, "load") else data
        said["file"] = export.file(data.encode() if isinstance(data, str) else bytes(data))
    return said


def main(repository: str, folder: str) -> None:
    """Write out a repository."""
    importlib.import_module("aim")
    with open(os.path.join(folder, "lines.jsonl"), "w", encoding="utf-8") as lines:
        export = Export(folder, lines)
        for run in sorted(os.listdir(os.path.join(repository, "meta", "chunks"))):
            try:
                export_run(export, repository, run)
            except Exception as error:  # noqa: BLE001 - whatever it is, the others are read
                export.broken(f"run {run}", error)


if __name__ == "__main__":
    main(*sys.argv[1:])
