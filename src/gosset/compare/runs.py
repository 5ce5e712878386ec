"""Runs side by side: what varies, what was measured, groups that differ only in the seed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from ..entities import Run, Status
from ..exceptions import MetricError, UsageError, did_you_mean, require
from ..types import JSONValue
from .averages import deviation, foremost, mean
from .tables import NULL, Cell, Table, as_cell

if TYPE_CHECKING:
    import pandas as pd

    from ..storage.base import Catalog


_DIFFERING: Mapping[str, tuple[str, ...]] = {
    "params": (),
    "run": ("execution",),
    "launch": ("execution", "dataset", "split"),
}
"""Way of grouping → what a table says of runs where they differ in it."""


def runs_frame(runs: Iterable[Run], *, fields: bool = False) -> pd.DataFrame:
    """Return one row for each run.

    Parameters
    ----------
    runs : iterable of Run
    fields : bool
        Whether there is one ``fields.NAME`` for each field, too.

    Returns
    -------
    DataFrame
        Columns ``id``, ``number``, ``name``, ``experiment``, ``status``, ``seed``, one
        ``params.NAME`` for each parameter, ``metrics.NAME`` for the mean over folds of
        each metric and ``metrics.NAME_std`` for its standard deviation.

    Raises
    ------
    MissingExtraError
        pandas is not installed.
    """
    require("pandas", "frames", "a table of runs as a DataFrame")
    import pandas as pd

    return pd.DataFrame([_flat(run, fields=fields) for run in runs])


def _flat(run: Run, *, fields: bool = False) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": run.id,
        "number": run.number,
        "name": run.name,
        "experiment": run.experiment,
        "status": str(run.status),
        "seed": run.seed,
    }
    row |= {f"params.{name}": value for name, value in run.params.items()}
    for name, metric in run.metrics.items():
        row[f"metrics.{name}"] = metric.value
        if metric.std is not None:
            row[f"metrics.{name}_std"] = metric.std
    if fields:
        row |= {f"fields.{name}": value for name, value in run.fields.items()}
    return row


@dataclass(frozen=True, slots=True)
class Score:
    """A metric of runs that differ only in the seed.

    Attributes
    ----------
    mean : float or None
        Over the complete runs, of their means over folds; None without any.
    std : float or None
        Standard deviation (``ddof=1``) of all values that went into the mean, those of
        every fold of every run; None with fewer than two.
    n : int
        Number of those values.
    runs : int
        Number of complete runs.
    """

    mean: float | None
    std: float | None
    n: int
    runs: int

    @classmethod
    def of(cls, group: Iterable[Run], name: str) -> Score:
        """Take the metric `name` of a group together."""
        found = [run.metrics[name] for run in counted(group, name)]
        values = [value for metric in found for value in metric.folds or (metric.value,)]
        return cls(
            mean=mean([metric.value for metric in found]) if found else None,
            std=deviation(values) if len(values) > 1 else None,
            n=len(values),
            runs=len(found),
        )


def counted(group: Iterable[Run], name: str) -> list[Run]:
    """Return the runs whose metric `name` counts: what did not complete does not.

    Examples
    --------
    >>> counted([], "accuracy")
    []
    """
    return [run for run in group if run.status is Status.COMPLETE and name in run.metrics]


def summary_table(
    runs: Sequence[Run],
    metrics: Sequence[str] | None = None,
    by: Literal["params", "run", "launch"] = "params",
    folds: Mapping[str, int] = MappingProxyType({}),
) -> Table:
    """Return what runs came to, with only those parameters that vary among them.

    Parameters
    ----------
    runs : sequence of Run
        A run that did not complete has no measured values in the table.
    metrics : sequence of str, optional
        By default every metric of the test part that a run has; without one, of any part.
    by : {"params", "run", "launch"}
        ``"params"``: one row for runs that differ only in the seed. Its mean is the mean
        over seeds of the means over folds; its standard deviation (``ddof=1``) is over
        all values that went into the mean, those of every fold of every seed, and ``n``
        is their number. ``"launch"``: the same, apart for each launch, with execution,
        dataset and split where they differ. ``"run"``: one row for each run, with its
        split and dataset, and with its execution where it differs.
    folds : mapping
        Digest of a split → number of its folds, see :func:`fold_counts`. Of a split that is
        not there, as many as a metric has values.

    Returns
    -------
    Table

    Raises
    ------
    MetricError
        A metric that none of the runs has.
    UsageError
        An unknown `by`.

    Examples
    --------
    >>> summary_table([]).rows
    ()
    """
    if by not in ("params", "run", "launch"):
        raise UsageError(
            f"runs cannot be grouped by {by!r}", hint="use 'params', 'launch' or 'run'"
        )
    names = _metric_names(runs, metrics)
    groups = [[run] for run in runs] if by == "run" else grouped(runs, by_launch=by == "launch")
    varied = varying(runs)
    several = len({(run.project, run.experiment) for run in runs}) > 1
    differing = _differing(groups, _DIFFERING[by])
    rows: list[dict[str, Cell]] = []
    for group, different in zip(groups, differing, strict=True):
        first = group[0]
        row: dict[str, Cell] = {}
        if by == "run":
            row |= {"run": first.name, "experiment": first.experiment}
            row |= {"split": first.split, "dataset": first.dataset, "seed": first.seed}
        elif by == "launch":
            row["launch"] = f"{_experiment(first, runs)}#{first.launch}"
        elif several:
            row["experiment"] = first.experiment
        row |= different
        row |= {name: _param(first.params, name) for name in varied}
        for name in names:
            row |= _measured(group, name)
        if by != "run":
            row["seeds"] = len(group)
        row["folds"] = max(_folds(run, folds) for run in group)
        row["status"] = _status(group)
        rows.append(row)
    columns = tuple(rows[0]) if rows else ()
    return Table(columns, tuple(tuple(row.values()) for row in rows), tuple(names))


def fold_counts(catalog: Catalog, runs: Iterable[Run]) -> dict[str, int]:
    """Return the number of folds of each split that `runs` were carried over, by digest."""
    digests = dict.fromkeys(run.split for run in runs if run.split is not None)
    return {digest: catalog.split(digest).folds for digest in digests}


def varying(runs: Iterable[Run]) -> list[str]:
    """Return the names of the parameters that not all runs have alike.

    Examples
    --------
    >>> varying([])
    []
    """
    params = [run.params for run in runs]
    names = dict.fromkeys(name for given in params for name in given)
    return [name for name in names if len({_identity(given, name) for given in params}) > 1]


def grouped(runs: Iterable[Run], *, by_launch: bool = False) -> list[list[Run]]:
    """Return runs that differ only in the seed together: the rows of a summary.

    Parameters
    ----------
    runs : iterable of Run
    by_launch : bool
        Take no runs of different launches together.

    Examples
    --------
    >>> grouped([])
    []
    """
    found: dict[tuple[object, ...], list[Run]] = {}
    for run in runs:
        launch = run.launch if by_launch else None
        at = (run.project, run.experiment, launch, run.group, run.dataset)
        found.setdefault(at, []).append(run)
    return list(found.values())


def _metric_names(runs: Sequence[Run], metrics: Sequence[str] | None) -> list[str]:
    known = dict.fromkeys(name for run in runs for name in run.metrics)
    if metrics is None:
        return foremost(known)
    for name in metrics:
        if name not in known:
            raise MetricError(
                f"none of the runs has a metric {name!r}", hint=did_you_mean(name, known)
            )
    return list(dict.fromkeys(metrics))


def _folds(run: Run, known: Mapping[str, int]) -> int:
    values = max((len(metric.folds) for metric in run.metrics.values()), default=0)
    return known.get(run.split or "", values)


def _measured(group: Sequence[Run], name: str) -> dict[str, Cell]:
    score = Score.of(group, name)
    return {name: score.mean, f"{name}_std": score.std, f"{name}_n": score.n}


def _differing(groups: Sequence[Sequence[Run]], names: Sequence[str]) -> list[dict[str, Cell]]:
    """Return for each group those of its runs' attributes that not all groups have alike."""
    told: list[dict[str, Cell]] = [
        {name: _together(getattr(run, name) for run in group) for name in names} for group in groups
    ]
    kept = [name for name in names if len({row[name] for row in told}) > 1]
    return [{name: row[name] for name in kept} for row in told]


def _together(values: Iterable[object]) -> Cell:
    """Return what runs have in common, else all that they have."""
    found = list(dict.fromkeys(value for value in values if value is not None))
    if len(found) == 1 and isinstance(found[0], int):
        return found[0]
    return ", ".join(map(str, found)) or None


def _status(group: Sequence[Run]) -> str:
    counts = Counter(run.status.label for run in group)
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{count} {label}" for label, count in counts.items())


def _experiment(run: Run, runs: Sequence[Run]) -> str:
    several = len({other.project for other in runs}) > 1
    return f"{run.project}/{run.experiment}" if several else run.experiment


def _param(params: Mapping[str, JSONValue], name: str) -> Cell:
    return NULL if name in params and params[name] is None else as_cell(params.get(name))


def _identity(params: Mapping[str, JSONValue], name: str) -> str:
    return json.dumps(params[name], sort_keys=True) if name in params else ""
