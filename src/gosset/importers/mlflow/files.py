"""Reads a folder ``mlruns``: a folder for each experiment, in it one for each run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ...exceptions import require
from ...series import Points
from ..base import Found, LeftOut, Source, attempted
from ..places import files_in
from .words import Reach, Told, artifacts_of, found

_META: Final = "meta.yaml"
_STATUSES: Final = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
_NO_RUNS: Final = frozenset({"datasets", "models", "tags", "traces"})
"""Folders of an experiment that are no runs."""

_RUNNING: Final = 1


def recognises(path: Path) -> bool:
    """Whether the folder is one that MLflow wrote."""
    return any(_looks_right(meta) for meta in path.glob(f"*/{_META}"))


def _looks_right(meta: Path) -> bool:
    try:
        if not meta.is_file():
            return False
        text = meta.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return "experiment_id:" in text and "artifact_location:" in text


def read(path: Path, root: Path) -> Source:
    """Return what lies in the folder; files only from the folder `root`."""
    require("yaml", "mlflow", "reading a folder of MLflow")
    total = sum(1 for _ in path.glob(f"*/*/{_META}"))
    return Source(total, _all(path, Reach(root, path.absolute().parent)))


def _all(store: Path, reach: Reach) -> Iterator[Found | LeftOut]:
    for folder in sorted(filter(Path.is_dir, store.iterdir())):
        if folder.name == ".trash":
            for each in sorted(folder.iterdir()):
                yield LeftOut(what=f"experiment {each.name}", why="it was deleted in MLflow")
        elif folder.name == "models" and not (folder / _META).exists():
            for each in sorted(filter(Path.is_dir, folder.iterdir())):
                yield LeftOut(
                    what=f"the registered model {each.name}", why="Gosset has no such register"
                )
        else:
            yield from _experiment(folder, reach)


def _experiment(folder: Path, reach: Reach) -> Iterator[Found | LeftOut]:
    meta = _meta(folder)
    if isinstance(meta, str):
        yield LeftOut(what=f"experiment {folder.name} with all its runs", why=meta)
        return
    name = str(meta.get("name") or folder.name)
    if meta.get("lifecycle_stage") == "deleted":
        yield LeftOut(what=f"experiment {name} with its runs", why="it was deleted in MLflow")
        return
    for tag in sorted(_texts(folder / "tags", reach, [])):
        yield LeftOut(what=f"tag {tag!r} of experiment {name}", why="only runs have tags here")
    if traces := _number(folder / "traces"):
        yield LeftOut(what=f"{traces} traces of experiment {name}", why="Gosset keeps no traces")
    models: dict[str, dict[str, Path]] = {}
    for model in _subfolders(folder / "models"):
        if left := _add_model(models, model):
            yield left
    for run in sorted(filter(Path.is_dir, folder.iterdir())):
        if run.name not in _NO_RUNS:
            of_run = models.pop(run.name, {})
            yield attempted(run.name, _run, run, name, of_run, reach)
    for run_id, others in models.items():
        for other in others:
            why = f"its run {run_id or '(none)'} is not there"
            yield LeftOut(what=f"model {other!r} of experiment {name}", why=why)


def _run(
    folder: Path, experiment: str, models: Mapping[str, Path], reach: Reach
) -> Found | LeftOut:
    meta = _meta(folder)
    if isinstance(meta, str):
        return LeftOut(what=f"run {folder.name} of experiment {experiment}", why=meta)
    name = str(meta.get("run_name") or "")
    if meta.get("lifecycle_stage") == "deleted":
        return LeftOut(what=f"run {name or folder.name}", why="it was deleted in MLflow")
    left_out: list[tuple[str, str]] = []
    metrics = {}
    for metric, file in files_in(folder / "metrics", reach.root, left_out).items():
        points, cut = _points(file)
        if cut:
            left_out.append((f"{cut} of metric {metric!r}", "it is cut off or damaged"))
        if len(points):
            metrics[metric] = points
    fields: dict[str, Any] = {}
    if datasets := _datasets(folder, left_out):
        fields["datasets"] = datasets
    if models:
        fields["models"] = {model: _model(at, reach, left_out) for model, at in models.items()}
    started, ended = meta.get("start_time"), meta.get("end_time")
    return found(
        Told(
            id=str(meta.get("run_id") or meta.get("run_uuid") or folder.name),
            experiment=experiment,
            name=name,
            status=_STATUSES.get(meta.get("status", _RUNNING), ""),
            user=str(meta.get("user_id") or ""),
            started=started if isinstance(started, int) else None,
            ended=ended if isinstance(ended, int) else None,
            params=_texts(folder / "params", reach, left_out),
            tags=_texts(folder / "tags", reach, left_out),
            metrics=metrics,
            fields=fields,
            artifacts=_artifacts(folder, meta, models, reach, left_out),
            left_out=tuple(left_out),
        )
    )


def _artifacts(
    folder: Path,
    meta: Mapping[str, Any],
    models: Mapping[str, Path],
    reach: Reach,
    left_out: list[tuple[str, str]],
) -> dict[str, Path]:
    uri = str(meta.get("artifact_uri") or folder / "artifacts")
    # A folder that was moved has them still; its run names the old place.
    what = "the artifacts, if there are any"
    files = artifacts_of(what, uri, reach, [folder / "artifacts"], left_out)
    for model, at in models.items():
        told = _meta(at)
        place = str(told.get("artifact_location") or "") if isinstance(told, dict) else ""
        what = f"the files of model {model!r}"
        kept = artifacts_of(what, place, reach, [at / "artifacts"], left_out)
        files |= {f"models/{model}/{name}": file for name, file in kept.items()}
    return files


# -- what lies in its folders


def _meta(folder: Path) -> dict[str, Any] | str:
    """Return what a folder says of itself, or why it does not."""
    import yaml

    if (folder / _META).exists() and not (folder / _META).is_file():
        return f"its {_META} is no file"
    try:
        meta = yaml.load((folder / _META).read_text(encoding="utf-8"), _loader(yaml))
    except FileNotFoundError:
        return f"it has no {_META}"
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        return f"its {_META} cannot be read: {' '.join(str(error).split())}"
    return meta if isinstance(meta, dict) else f"its {_META} is empty or cut off"


def _loader(yaml: Any) -> Any:
    # Written in C, where there is one: several times as fast.
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _texts(folder: Path, reach: Reach, left_out: list[tuple[str, str]]) -> dict[str, str]:
    """Return the contents of files by their paths in a folder."""
    return {
        name: path.read_bytes().decode("utf-8", "replace")
        for name, path in files_in(folder, reach.root, left_out).items()
    }


def _points(file: Path) -> tuple[Points, str]:
    """Return the points of a metric, and which of its lines could not be read."""
    points = Points()
    cut = []
    text = file.read_bytes().decode("utf-8", "replace")
    for number, line in enumerate(text.split("\n")[:-1], 1):
        try:
            # Of old there was no step; what stands behind it says of which data it is.
            time, value, *rest = line.split(" ")
            step = int(rest[0]) if rest else 0
            point = int(time) * 1000, float(value)
        except ValueError:
            cut.append(number)
            continue
        points.steps.append(step)
        points.values.append(point[1])
        points.times.append(point[0])
    if not text.endswith("\n") and text:
        cut.append(text.count("\n") + 1)
    return points, f"line {', '.join(map(str, cut))}" if cut else ""


def _datasets(folder: Path, left_out: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return the datasets that a run used, as MLflow describes them."""
    datasets = []
    for each in _subfolders(folder / "inputs"):
        link = _meta(each)
        if isinstance(link, str):
            left_out.append((f"input {each.name}", link))
        elif link.get("source_type") == "DATASET":
            described = _meta(folder.parent / "datasets" / str(link.get("source_id")))
            if isinstance(described, str):
                left_out.append((f"the dataset of input {each.name}", described))
            else:
                datasets.append({**described, "tags": link.get("tags") or {}})
    return datasets


def _add_model(models: dict[str, dict[str, Path]], folder: Path) -> LeftOut | None:
    """Add a logged model to those of the run that logged it, by its name."""
    meta = _meta(folder)
    if isinstance(meta, str):
        return LeftOut(what=f"model {folder.name}", why=meta)
    name = str(meta.get("name") or folder.name)
    if meta.get("lifecycle_stage") == "deleted":
        return LeftOut(what=f"model {name}", why="it was deleted in MLflow")
    of_run = models.setdefault(str(meta.get("source_run_id") or ""), {})
    of_run[folder.name if name in of_run else name] = folder
    return None


def _model(folder: Path, reach: Reach, left_out: list[tuple[str, str]]) -> dict[str, Any]:
    meta = _meta(folder)
    told = meta if isinstance(meta, dict) else {}
    kept = {name: told.get(name) for name in ("model_id", "model_type", "status")}
    return {
        **kept,
        "params": _texts(folder / "params", reach, left_out),
        "tags": _texts(folder / "tags", reach, left_out),
    }


def _subfolders(folder: Path) -> list[Path]:
    return sorted(filter(Path.is_dir, folder.iterdir())) if folder.is_dir() else []


def _number(folder: Path) -> int:
    return len(_subfolders(folder))
