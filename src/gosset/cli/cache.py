"""``gosset cache``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from .call import call_of
from .options import Json
from .output import emit, emit_json, emit_table, say

if TYPE_CHECKING:
    from ..settings import Settings
    from ..store import Store

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(help="What was computed once and need not be again.", rich_markup_mode=None)
    group.command("list")(list_entries)
    group.command("explain")(explain)
    group.command("clear")(clear)
    group.command("gc")(collect)
    app.add_typer(group, name="cache")


def list_entries(
    context: typer.Context,
    filter: Annotated[
        str | None, typer.Argument(metavar="FILTER", help="E.g. \"stage == 'fit'\".")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the entries of the cache."""
    from ..queries.lookup import where
    from ..results.wire import to_json
    from .tabulating import tabulate

    with call_of(context).browsing() as store:
        found = store.catalog.select("cache", where=where("cache", filter))
    documents = [to_json(entry) for entry in found]
    if as_json:
        emit_json(list(documents))
    elif not documents:
        say("the cache is empty" if filter is None else "no such entries")
    else:
        emit_table(tabulate("cache", documents))


def explain(
    context: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="An id, EXPERIMENT#NUMBER or latest.")],
    stage: Annotated[str, typer.Argument(metavar="STAGE")],
    fold: Annotated[int | None, typer.Option(min=0, metavar="N", help="Only this fold.")] = None,
    as_json: Json = False,
) -> None:
    """Say why a stage of a run was or was not taken from the cache."""
    from ..compare.tables import printable
    from ..entities import Run
    from ..queries.history import explain_stage
    from ..queries.lookup import find

    call = call_of(context)
    with call.reading() as store:
        _, found = find(store, run, ["runs"], settings=call.settings())
        explained = explain_stage(store, cast("Run", found), stage, fold)
    if as_json:
        emit_json(
            [{"stage": stage, "fold": c.fold, "key": c.key, **e.to_dict()} for c, e in explained]
        )
        return
    for computation, explanation in explained:
        where = stage if computation.fold is None else f"{stage}, fold {computation.fold}"
        emit(printable(f"{where}: {explanation.words}"))


def clear(
    context: typer.Context,
    stage: Annotated[str | None, typer.Option(metavar="S", help="Only of this stage.")] = None,
    experiment: Annotated[
        str | None, typer.Option(metavar="E", help="Only what runs of this experiment used.")
    ] = None,
    older_than: Annotated[
        str | None, typer.Option(metavar="7d", help="Only what was made longer ago.")
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Drop entries of the cache, and the bytes that nothing else refers to."""
    from ..upkeep.housekeeping import clear_cache, parse_age
    from .rendering import size

    call = call_of(context)
    with call.reading() as store:
        cleared = clear_cache(
            store,
            stage=stage,
            experiment=None if experiment is None else _place(store, experiment, call.settings()),
            older_than=None if older_than is None else parse_age(older_than),
            dry_run=dry_run,
        )
    freed = cleared.collected.removed_bytes if cleared.collected else 0
    if as_json:
        counts = {"entries": cleared.entries, "size": cleared.size, "freed": freed}
        emit_json({**counts, "dry_run": dry_run})
    elif dry_run:
        emit(f"{cleared.entries} entries of {size(cleared.size)} would go; nothing was dropped")
    else:
        emit(f"{cleared.entries} entries dropped, {size(freed)} freed")


def collect(context: typer.Context, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Drop the bytes of artifacts that nothing refers to."""
    from .rendering import size

    with call_of(context).reading() as store:
        collected = store.collect_garbage(dry_run=dry_run)
    if as_json:
        emit_json(
            {
                "kept": collected.kept,
                "kept_bytes": collected.kept_bytes,
                "removed": collected.removed,
                "removed_bytes": collected.removed_bytes,
                "dry_run": dry_run,
            }
        )
        return
    verb = "would go" if dry_run else "dropped"
    emit(
        f"{collected.removed} artifacts of {size(collected.removed_bytes)} {verb}; "
        f"{collected.kept} of {size(collected.kept_bytes)} kept"
    )


def _place(store: Store, reference: str, settings: Settings) -> tuple[str, str]:
    """Return the project and the name of an experiment."""
    from ..entities import Experiment
    from ..queries.lookup import find

    found = cast("Experiment", find(store, reference, ["experiments"], settings=settings)[1])
    return found.project, found.name
