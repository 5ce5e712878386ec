"""What a store has of runs that were taken over, as plain values to be compared."""

from __future__ import annotations

from typing import Any

from gosset import Store
from gosset.entities import Run


def points_of(store: Store, run: Run) -> dict[str, list[tuple[int, str, int]]]:
    """Return the points of a run by step: (step, value as it is written, time)."""
    return {
        name: [
            (step, repr(value), time)
            for step, value, time in zip(
                points.steps.tolist(),
                points.values.tolist(),
                points.times.astype("int64").tolist(),
                strict=True,
            )
        ]
        for name, points in store.series(run).items()
    }


def whole(store: Store) -> dict[str, Any]:
    """Return all that a store has of runs that were taken over, by their ids in the source."""
    return {
        run.config["imported_from"]["id"]: {
            "run": (run.project, run.experiment, run.name, run.status, run.notes, run.seed),
            "times": (run.started, run.ended),
            "parent": run.parent,
            "params": run.params,
            "tags": sorted(run.tags),
            "points": points_of(store, run),
            "metrics": {
                name: (repr(metric.value), metric.series and metric.series[:6])
                for name, metric in run.metrics.items()
            },
            "fields": repr(run.fields),
            "artifacts": {
                name: (ref.format, ref.digest) for name, ref in store.artifacts_of(run).items()
            },
        }
        for run in store.runs()
    }
