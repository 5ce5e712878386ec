"""``gosset metrics``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from .call import call_of
from .options import Json
from .output import emit_json, emit_table, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..entities import Run
    from ..settings import Settings
    from ..store import Store


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(
        help="Metrics by name, and more of them from stored results.", rich_markup_mode=None
    )
    group.command("list")(list_metrics)
    group.command("compute")(compute)
    app.add_typer(group, name="metrics")


def list_metrics(
    task: Annotated[
        str, typer.Option(metavar="TASK", help="Only metrics of it, e.g. classification.")
    ] = "",
    as_json: Json = False,
) -> None:
    """List the metrics that can be asked for by name."""
    from ..compare import Table
    from ..metrics import available

    rows = tuple(
        (
            known.name,
            str(known.direction),
            ", ".join(known.tasks),
            ", ".join(known.consumes),
            known.description,
        )
        for known in available(task)
    )
    table = Table(("name", "direction", "tasks", "consumes", "description"), rows)
    if as_json:
        emit_json(table.to_plain())
    else:
        emit_table(table)


def compute(
    context: typer.Context,
    metric: Annotated[
        str, typer.Argument(metavar="METRIC", help="Names with commas, or FILE.py::FUNCTION.")
    ],
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILTER | ID…]", help="Which runs; all complete ones by default."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compute metrics of runs from their stored results, and keep them; nothing is fitted."""
    from ..compare import fold_counts, summary_table
    from ..compare.averages import foremost
    from ..running.rescoring import compute_metrics

    call = call_of(context)
    with call.reading() as store:
        chosen = _chosen(store, runs or [], call.settings())
        found = compute_metrics(store, chosen, _asked(metric))
        again = [store.run(run.id) for run in chosen]
        folds = fold_counts(store.catalog, again)
    if as_json:
        from ..results.wire import run_to_json

        emit_json([run_to_json(run) for run in again])
        return
    if not again:
        say("no runs")
        return
    names = foremost(m.name for scores in found.values() for m in scores)
    emit_table(summary_table(again, names, by="run", folds=folds))


def _asked(metric: str) -> list[object]:
    from ..discovery import load_module
    from ..exceptions import NotFoundError, did_you_mean

    path, mark, name = metric.partition("::")
    if not mark:
        return [part.strip() for part in metric.split(",") if part.strip()]
    module = load_module(path)
    if not hasattr(module, name):
        known = [n for n, value in vars(module).items() if callable(value)]
        raise NotFoundError(f"{path} has no metric {name!r}", hint=did_you_mean(name, known))
    return [getattr(module, name)]


def _chosen(store: Store, words: Sequence[str], settings: Settings) -> list[Run]:
    """Return the runs that a filter or ids name; all complete ones without either."""
    from ..exceptions import FilterError, NotFoundError
    from ..queries.lookup import find, where
    from ..running.rescoring import with_results

    def select(filter: str | None) -> list[Run]:
        expression = where("runs", filter, project=settings.project, experiment=settings.experiment)
        found = cast("list[Run]", store.catalog.select("runs", where=expression))
        complete = [run for run in found if run.status == "complete"]
        scored = with_results(store, complete)
        if len(scored) < len(complete):
            say(f"{len(complete) - len(scored)} runs have no stored results and are left out")
        return scored

    if not words:
        return select(None)
    try:
        return [cast("Run", find(store, word, ["runs"], settings=settings)[1]) for word in words]
    except NotFoundError:
        if len(words) > 1:
            raise
        try:
            return select(words[0])
        except FilterError:
            if any(mark in words[0] for mark in "=<> "):
                raise
        raise
