"""Reads a database of MLflow in SQLite."""

from __future__ import annotations

import math
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ...series import Points
from ..base import Found, LeftOut, Source, attempted
from ..databases import columns_of, has_tables, one_state, opened, tables_of
from .words import Reach, Told, artifacts_of, found

_NEEDED: Final = {"experiments", "latest_metrics", "metrics", "params", "runs", "tags"}
_TAKEN: Final = _NEEDED | {
    "alembic_version",
    "datasets",
    "input_tags",
    "inputs",
    "logged_model_metrics",  # of which the metrics of the runs have each
    "logged_model_params",
    "logged_model_tags",
    "logged_models",
    "workspaces",
}
_LARGEST: Final = sys.float_info.max
"""What MLflow keeps in the place of infinity, which not every database takes."""


def recognises(path: Path) -> bool:
    """Whether the file is a database of MLflow."""
    return has_tables(path, _NEEDED)


def check(path: Path) -> None:
    """Raise what is wrong with a file that is not recognised, where that can be told."""
    with opened(path, of="MLflow"):
        pass


def read(path: Path, root: Path) -> Source:
    """Return what lies in the database; files only from the folder `root`."""
    with opened(path, of="MLflow") as connection:
        [total] = connection.execute(
            "SELECT count(*) FROM runs JOIN experiments USING (experiment_id)"
            " WHERE runs.lifecycle_stage = 'active' AND experiments.lifecycle_stage = 'active'"
        ).fetchone()
    return Source(int(total), _all(path, Reach(root, path.absolute().parent)))


def _all(path: Path, reach: Reach) -> Iterator[Found | LeftOut]:
    with opened(path, of="MLflow", whole=False) as connection:
        yield from _rest(connection)
        yield from _lone_models(connection)
        rows = connection.execute(
            "SELECT runs.*, experiments.name AS experiment,"
            " experiments.lifecycle_stage AS experiment_stage"
            " FROM runs JOIN experiments USING (experiment_id) ORDER BY start_time, run_uuid"
        ).fetchall()
        gone: dict[str, int] = {}
        for row in rows:
            if row["experiment_stage"] == "deleted":
                gone[row["experiment"]] = gone.get(row["experiment"], 0) + 1
            elif row["lifecycle_stage"] == "deleted":
                what = f"run {row['name'] or row['run_uuid']}"
                yield LeftOut(what=what, why="it was deleted in MLflow")
            else:
                with one_state(connection):
                    run = attempted(row["name"] or row["run_uuid"], _run, connection, row, reach)
                yield run
        for name, runs in gone.items():
            what = f"experiment {name} with {runs} runs"
            yield LeftOut(what=what, why="it was deleted in MLflow")


def _rest(connection: sqlite3.Connection) -> Iterator[LeftOut]:
    """Iterate over the tables that have something for which there is no place."""
    for table in sorted(tables_of(connection) - _TAKEN):
        quoted = table.replace('"', '""')
        [rows] = connection.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()
        if rows:
            yield LeftOut(
                what=f"the table {table!r}, with {rows} rows",
                why="Gosset has no place for what it holds",
            )


def _lone_models(connection: sqlite3.Connection) -> Iterator[LeftOut]:
    """Iterate over the models that come with no run."""
    if "source_run_id" not in columns_of(connection, "logged_models"):
        return
    rows = connection.execute(
        "SELECT name, lifecycle_stage FROM logged_models WHERE lifecycle_stage <> 'active'"
        " OR coalesce(source_run_id, '') NOT IN"
        " (SELECT run_uuid FROM runs WHERE lifecycle_stage = 'active')"
    ).fetchall()
    for name, stage in rows:
        why = "no run that is there logged it" if stage == "active" else "it was deleted in MLflow"
        yield LeftOut(what=f"model {name!r}", why=why)


def _run(connection: sqlite3.Connection, row: sqlite3.Row, reach: Reach) -> Found:
    id_ = str(row["run_uuid"])
    left_out: list[tuple[str, str]] = []
    models = list(_models(connection, id_))
    fields: dict[str, Any] = {}
    if datasets := _datasets(connection, id_):
        fields["datasets"] = datasets
    if models:
        fields["models"] = {name: told for name, told, _ in models}
    return found(
        Told(
            id=id_,
            experiment=row["experiment"],
            name=row["name"] or "",
            status=row["status"],
            user=row["user_id"] or "",
            started=row["start_time"],
            ended=row["end_time"],
            params=_pairs(connection, "params", "run_uuid", id_),
            tags=_pairs(connection, "tags", "run_uuid", id_),
            metrics=_metrics(connection, id_),
            fields=fields,
            artifacts=_artifacts(row, reach, [(name, uri) for name, _, uri in models], left_out),
            left_out=tuple(left_out),
        )
    )


def _pairs(
    connection: sqlite3.Connection, table: str, owner: str, id_: str, prefix: str = ""
) -> dict[str, str]:
    key, value = f"{prefix}key", f"{prefix}value"
    rows = connection.execute(
        f'SELECT "{key}", "{value}" FROM {table} WHERE {owner} = ? ORDER BY 1', (id_,)
    )
    return {str(name): "" if text is None else str(text) for name, text in rows}


def _metrics(connection: sqlite3.Connection, run: str) -> dict[str, Points]:
    metrics: dict[str, Points] = {}
    rows = connection.execute(
        "SELECT key, step, value, timestamp, is_nan FROM metrics WHERE run_uuid = ?"
        " ORDER BY rowid",  # in which they came
        (run,),
    )
    for name, step, value, time, nan in rows:
        points = metrics.setdefault(name, Points())
        points.steps.append(int(step))
        points.values.append(math.nan if nan else _number(value))
        points.times.append(int(time) * 1000)
    return metrics


def _number(value: float) -> float:
    value = float(value)
    return math.copysign(math.inf, value) if abs(value) == _LARGEST else value


def _datasets(connection: sqlite3.Connection, run: str) -> list[dict[str, Any]]:
    """Return the datasets that a run used, as MLflow describes them."""
    if "datasets" not in tables_of(connection):
        return []
    rows = connection.execute(
        "SELECT datasets.*, inputs.input_uuid FROM inputs"
        " JOIN datasets ON datasets.dataset_uuid = inputs.source_id"
        " WHERE inputs.source_type = 'DATASET' AND inputs.destination_type = 'RUN'"
        " AND inputs.destination_id = ? ORDER BY inputs.rowid",
        (run,),
    )
    return [
        {
            "name": row["name"],
            "digest": row["digest"],
            "source_type": row["dataset_source_type"],
            "source": row["dataset_source"],
            "schema": row["dataset_schema"],
            "profile": row["dataset_profile"],
            "tags": dict(
                connection.execute(
                    "SELECT name, value FROM input_tags WHERE input_uuid = ?", (row["input_uuid"],)
                ).fetchall()
            ),
        }
        for row in rows
    ]


def _models(connection: sqlite3.Connection, run: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Iterate over the models that a run logged: name, what is known of it, where it lies."""
    if "source_run_id" not in columns_of(connection, "logged_models"):
        return
    seen: set[str] = set()
    rows = connection.execute(
        "SELECT * FROM logged_models WHERE source_run_id = ? AND lifecycle_stage = 'active'"
        " ORDER BY creation_timestamp_ms, model_id",
        (run,),
    )
    for row in rows:
        id_, name = row["model_id"], row["name"]
        told = {
            "model_id": id_,
            "model_type": row["model_type"],
            "status": row["status"],
            "params": _pairs(connection, "logged_model_params", "model_id", id_, "param_"),
            "tags": _pairs(connection, "logged_model_tags", "model_id", id_, "tag_"),
        }
        yield id_ if name in seen else name, told, row["artifact_location"]
        seen.add(name)


def _artifacts(
    row: sqlite3.Row,
    reach: Reach,
    models: list[tuple[str, str]],
    left_out: list[tuple[str, str]],
) -> dict[str, Path]:
    """Return the files of a run and of the models that it logged."""
    inside = Path(str(row["experiment_id"]), str(row["run_uuid"]), "artifacts")
    # Beside the database, where it was moved with them, or where a server kept them.
    beside = reach.near / "mlruns", reach.near / "mlartifacts"
    what, uri = "the artifacts, if there are any", str(row["artifact_uri"] or "")
    files = artifacts_of(what, uri, reach, [folder / inside for folder in beside], left_out)
    for name, at in models:
        tail = Path(*Path(at).parts[-4:])
        what = f"the files of model {name!r}"
        kept = artifacts_of(what, at, reach, [folder / tail for folder in beside], left_out)
        files |= {f"models/{name}/{each}": file for each, file in kept.items()}
    return files
