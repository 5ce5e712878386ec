"""``gosset compare``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from .call import call_of
from .options import Csv, Json, Kind
from .output import emit, emit_json, emit_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..compare import Diff, Table
    from ..entities import Execution, Experiment, Launch, Run
    from ..queries.lookup import Entity
    from ..store import Store


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
    from ..exceptions import UsageError
    from ..queries.lookup import kind_named

    forms = [as_latex, as_markdown, as_csv, as_json]
    if sum(forms) > 1:
        raise UsageError("--latex, --markdown, --csv and --json exclude each other")
    call = call_of(context)
    with call.reading() as store:
        kinds = _KINDS if kind is None else (kind_named(kind),)
        found, entities = _entities(store, references, kinds, call.settings())
        if found in ("runs", "launches"):
            table = _table(store, found, entities, metric)
            _emit_table(table, as_latex, as_markdown, as_csv, as_json)
            return
        if as_latex or as_csv:
            raise UsageError(f"differences of {found} have no such form", hint="use --json")
        if len(entities) != 2:
            raise UsageError(f"{found} are compared in pairs, not {len(entities)} at once")
        diff = _diff(store, found, entities)
        results = _results(store, cast("list[Experiment]", entities), metric, found)
    if as_json:
        told = {} if results is None else {"results": results.to_plain()}
        emit_json({"kind": found, **diff.to_dict(), **told})
        return
    emit(f"```diff\n{diff.to_text()}\n```" if as_markdown else diff.to_text())
    if results is not None and results.rows:
        emit("\nbest results\n")
        _emit_table(results, False, as_markdown, False, False)


_KINDS = ("runs", "launches", "executions", "experiments")


def _entities(
    store: Store, references: Sequence[str], kinds: Sequence[str], settings: object
) -> tuple[str, list[Entity]]:
    from ..exceptions import UsageError
    from ..queries.lookup import find
    from ..settings import Settings

    assert isinstance(settings, Settings)
    found = [find(store, reference, kinds, settings=settings) for reference in references]
    of = list(dict.fromkeys(kind for kind, _ in found))
    if len(of) > 1:
        raise UsageError(
            f"{' and '.join(of)} cannot be compared", hint="say what the IDs name with --kind"
        )
    return of[0], [entity for _, entity in found]


def _table(store: Store, kind: str, entities: Sequence[Entity], metrics: list[str] | None) -> Table:
    from ..compare import summary_table

    if kind == "runs":
        return summary_table(cast("list[Run]", entities), metrics, by="run")
    launches = cast("list[Launch]", entities)
    runs = [run for launch in launches for run in store.runs_of(launch)]
    return summary_table(runs, metrics, by="launch")


def _diff(store: Store, kind: str, entities: Sequence[Entity]) -> Diff:
    from ..compare import executions_diff, experiments_diff
    from ..queries.inspection import latest_execution

    if kind == "executions":
        return executions_diff(*cast("tuple[Execution, Execution]", tuple(entities)))
    a, b = cast("list[Experiment]", entities)
    return experiments_diff(a, b, code=(latest_execution(store, a), latest_execution(store, b)))


def _results(
    store: Store, experiments: Sequence[Experiment], metrics: list[str] | None, kind: str
) -> Table | None:
    """Return what the best parameter set of each experiment came to; None for other kinds."""
    from ..compare import best_group, objective_of, summary_table
    from ..entities import Status
    from ..exceptions import UsageError
    from ..filters import equal

    if kind != "experiments":
        if metrics:
            raise UsageError(f"{kind} have no metrics", hint="compare their runs or launches")
        return None
    best: list[Run] = []
    for experiment in experiments:
        complete = equal(
            project=experiment.project, experiment=experiment.name, status=str(Status.COMPLETE)
        )
        runs = store.runs(complete, order_by="number")
        best += best_group(runs, objective_of(experiment, runs), by_launch=True)
    return summary_table(best, metrics, by="launch")


def _emit_table(
    table: Table, as_latex: bool, as_markdown: bool, as_csv: bool, as_json: bool
) -> None:
    if as_latex:
        emit(table.to_latex())
    elif as_markdown:
        emit(table.to_markdown())
    elif as_csv:
        emit(table.to_csv())
    elif as_json:
        emit_json(table.to_plain())
    else:
        emit_table(table)
