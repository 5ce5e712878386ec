"""What notebooks show of a store and its runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .. import displays
from ..compare import varying
from ..compare.averages import foremost
from ..compare.tables import rounded
from ..entities import Run
from ..storage.base import Catalog

_SHOWN = 20
"""Runs that a notebook shows unless asked for more."""

_COUNTED = ("projects", "experiments", "launches", "runs", "datasets")


def store_html(catalog: Catalog) -> str:
    """Return a store: how much it holds, and its newest runs."""
    counts: Mapping[str, object] = {kind: catalog.count(kind) for kind in _COUNTED}
    newest: Sequence[object] = catalog.select("runs", limit=_SHOWN)
    runs = [run for run in newest if isinstance(run, Run)]
    shown = runs_html(runs, int(str(counts["runs"]))) if runs else ""
    return displays.facts(f"store {catalog.url}", counts, shown)


def runs_html(runs: Sequence[Run], count: int) -> str:
    """Return runs as a table, with the parameters that vary and the metrics that count."""
    params = varying(runs)
    metrics = foremost(name for run in runs for name in run.metrics)
    rows = [
        [
            run.name,
            run.status.label,
            run.seed,
            *(run.params.get(name) for name in params),
            *(
                rounded(run.metrics[name].value) if name in run.metrics else None
                for name in metrics
            ),
            None if run.started is None else f"{run.started:%Y-%m-%d %H:%M:%S}",
        ]
        for run in runs
    ]
    note = f"{len(runs)} of {count} runs" if len(runs) < count else ""
    headers = ["name", "status", "seed", *params, *metrics, "started"]
    return displays.table(headers, rows, note)


def shown(catalog_runs: Sequence[Run]) -> str:
    """Return the first of runs as a table, which says of how many they are the first."""
    return runs_html(catalog_runs[:_SHOWN], len(catalog_runs))
