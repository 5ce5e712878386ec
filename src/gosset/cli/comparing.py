"""``gosset compare``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from .call import call_of
from .options import Csv, Json, Kind, form_of
from .output import emit, emit_json, emit_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..compare import Diff, Table
    from ..entities import Execution, Experiment, Launch, Run
    from ..queries.lookup import Entity
    from ..settings import Settings
    from ..store import Store

KINDS = ("runs", "launches", "executions", "experiments")
"""Kinds that can be compared, in the order in which they are looked for."""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("compare")(compare)


def compare(
    context: typer.Context,
    references: Annotated[
        list[str],
        typer.Argument(metavar="ID ID…", help="Runs, launches, executions or experiments."),
    ],
    metric: Annotated[
        list[str] | None, typer.Option(metavar="M", help="A metric to show. Repeatable.")
    ] = None,
    kind: Kind = None,
    as_latex: Annotated[bool, typer.Option("--latex", help="Print a LaTeX table.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    as_csv: Csv = False,
    as_json: Json = False,
) -> None:
    """Compare runs or launches in a table, others by their differences."""
    from ..queries.lookup import kind_named

    form = form_of(latex=as_latex, markdown=as_markdown, csv=as_csv, json=as_json)
    call = call_of(context)
    with call.reading() as store:
        kinds = KINDS if kind is None else (kind_named(kind),)
        found, entities = _entities(store, references, kinds, call.settings())
        if found in ("runs", "launches"):
            emit_table(_table(store, found, entities, metric), form)
            return
        _check_pair(found, entities, form, metric)
        diff = _diff(store, found, entities)
        results = None
        if found == "experiments":
            results = _results(store, cast("list[Experiment]", entities), metric)
    _emit_diff(found, diff, results, form)


def _entities(
    store: Store, references: Sequence[str], kinds: Sequence[str], settings: Settings
) -> tuple[str, list[Entity]]:
    """Return what the references name, which must be of one kind, and this kind."""
    from ..exceptions import UsageError
    from ..queries.lookup import find

    found = [find(store, reference, kinds, settings=settings) for reference in references]
    of = list(dict.fromkeys(kind for kind, _ in found))
    if len(of) > 1:
        raise UsageError(
            f"{' and '.join(of)} cannot be compared", hint="say what the IDs name with --kind"
        )
    return of[0], [entity for _, entity in found]


def _check_pair(
    kind: str, entities: Sequence[Entity], form: str, metrics: list[str] | None
) -> None:
    """Raise where two of a kind that has no table cannot be told apart as asked for."""
    from ..exceptions import UsageError

    if kind not in KINDS:
        raise UsageError(
            f"{kind} cannot be compared", hint="compare runs, launches, executions or experiments"
        )
    if form in ("latex", "csv"):
        raise UsageError(f"differences of {kind} have no such form", hint="use --json")
    if len(entities) != 2:
        raise UsageError(f"{kind} are compared in pairs, not {len(entities)} at once")
    if metrics and kind != "experiments":
        raise UsageError(f"{kind} have no metrics", hint="compare their runs or launches")


def _table(store: Store, kind: str, entities: Sequence[Entity], metrics: list[str] | None) -> Table:
    from ..compare import fold_counts, summary_table

    if kind == "runs":
        runs = cast("list[Run]", entities)
        return summary_table(runs, metrics, by="run", folds=fold_counts(store.catalog, runs))
    launches = cast("list[Launch]", entities)
    runs = [run for launch in launches for run in store.runs_of(launch)]
    return summary_table(runs, metrics, by="launch", folds=fold_counts(store.catalog, runs))


def _diff(store: Store, kind: str, entities: Sequence[Entity]) -> Diff:
    from ..compare import executions_diff, experiments_diff
    from ..queries.inspection import latest_execution

    if kind == "executions":
        return executions_diff(*cast("tuple[Execution, Execution]", tuple(entities)))
    a, b = cast("list[Experiment]", entities)
    return experiments_diff(a, b, code=(latest_execution(store, a), latest_execution(store, b)))


def _results(store: Store, experiments: Sequence[Experiment], metrics: list[str] | None) -> Table:
    """Return what the best parameter set of each experiment came to."""
    from ..compare import best_group, fold_counts, objective_of, summary_table
    from ..entities import Status
    from ..filters import equal

    best: list[Run] = []
    for experiment in experiments:
        complete = equal(
            project=experiment.project, experiment=experiment.name, status=str(Status.COMPLETE)
        )
        runs = store.runs(complete, order_by="number").to_list()
        best += best_group(runs, objective_of(experiment, runs), by_launch=True)
    return summary_table(best, metrics, by="launch", folds=fold_counts(store.catalog, best))


def _emit_diff(kind: str, diff: Diff, results: Table | None, form: str) -> None:
    if form == "json":
        told = {} if results is None else {"results": results.to_plain()}
        emit_json({"kind": kind, **diff.to_dict(), **told})
        return
    text = diff.to_text()
    emit(f"```diff\n{text}\n```" if form == "markdown" else text)
    if results is not None and results.rows:
        emit("\nbest results\n")
        emit_table(results, form)
