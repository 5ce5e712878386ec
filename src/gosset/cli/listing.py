"""``gosset list``."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from .call import call_of
from .options import Csv, Json, form_of, split_list
from .output import emit_json, emit_table, say

if TYPE_CHECKING:
    from ..settings import Settings

PAGE = 50
"""How many rows a terminal is shown unless a limit is given."""

SOME = 50
"""How many of the columns that are left out are named."""

ListedKind = Annotated[
    str,
    typer.Argument(
        metavar="KIND",
        help="projects, experiments, executions, launches, runs, computations, datasets, "
        "artifacts, metrics or cache.",
    ),
]
Filter = Annotated[
    str | None,
    typer.Argument(
        metavar="FILTER",
        help="E.g. \"params.SVC.C > 0.1 and status == 'failed'\". Comparisons (== != < <= > "
        ">=), in, like, ilike, is None; and, or, not. Whole: docs/reference/filters.md.",
    ),
]
Sort = Annotated[
    str | None,
    typer.Option(metavar="A,-B", help="Names to sort by; - puts the largest first."),
]
Columns = Annotated[str | None, typer.Option(metavar="A,B", help="Names of the columns to show.")]
Limit = Annotated[int | None, typer.Option(min=0, metavar="N", help="At most so many.")]
Offset = Annotated[int, typer.Option(min=0, metavar="N", help="Leave out the first so many.")]
InProject = Annotated[
    str | None, typer.Option(metavar="PROJECT", help="Instead of the active one.")
]
Everything = Annotated[
    bool, typer.Option("--all", help="Do not narrow to the active project and experiment.")
]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("list")(list_entities)


def list_entities(
    context: typer.Context,
    kind: ListedKind,
    filter: Filter = None,
    sort: Sort = None,
    columns: Columns = None,
    limit: Limit = None,
    offset: Offset = 0,
    project: InProject = None,
    everything: Everything = False,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """List what the store holds."""
    from ..exceptions import UsageError, did_you_mean
    from ..queries.lookup import run_names, where
    from ..results.wire import to_json
    from ..storage.base import KINDS, Order
    from .tabulating import fitted, tabulate

    if kind not in KINDS:
        raise UsageError(f"there is no kind {kind!r} to list", hint=did_you_mean(kind, KINDS))
    form = form_of(json=as_json, csv=as_csv)
    call = call_of(context)
    within = _within(call.settings(), project, everything=everything)
    expression = where(kind, filter, project=within[0], experiment=within[1])
    order = [Order.of(term) for term in split_list(sort) or ()]
    chosen = split_list(columns)
    for_people = form == "text"
    paged = for_people and limit is None and sys.stdout.isatty()
    with call.browsing() as store:
        if project is not None:
            store.catalog.find("projects", project)
        found = store.catalog.select(
            kind, where=expression, order=order, limit=PAGE if paged else limit, offset=offset
        )
        total = store.catalog.count(kind, where=expression) if paged else len(found)
        known = store.catalog.names(kind) if chosen else []
        documents = [to_json(entity) for entity in found]
        if for_people and kind == "computations":
            names = run_names(store, [document["run"] for document in documents])
            documents = [{**each, "run": names.get(each["run"])} for each in documents]
    if as_json and chosen is None:
        emit_json(list(documents))
        return
    table = tabulate(kind, documents, chosen, known, for_people=for_people)
    hidden: list[str] = []
    if for_people and chosen is None and (sys.stdout.isatty() or os.environ.get("COLUMNS")):
        table, hidden = fitted(table, shutil.get_terminal_size().columns)
    if for_people and not documents:
        say(f"no {kind}")
    else:
        emit_table(table, form)
    if hidden:
        more = f" and {len(hidden) - SOME:,} more" if len(hidden) > SOME else ""
        say(f"not shown: {', '.join(hidden[:SOME])}{more}; see --columns, or --csv for all")
    if total > offset + len(found):
        say(f"{len(found)} of {total}; see --limit and --offset")


def _within(
    settings: Settings, project: str | None, *, everything: bool
) -> tuple[str | None, str | None]:
    """Return the project and the experiment to narrow to."""
    if everything or project is not None:
        return project, None
    return settings.project, settings.experiment
