"""``gosset data``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from .call import call_of
from .options import Json, split_list
from .output import emit, emit_json, emit_table, say

if TYPE_CHECKING:
    from ..datasets import DatasetSource
    from ..entities import Dataset
    from ..store import Store

Target = Annotated[str | None, typer.Option(metavar="A,B", help="Names of the target columns.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(help="Datasets of the store.", rich_markup_mode=None)
    group.command("list")(list_datasets)
    group.command("load")(load)
    group.command("show")(show)
    app.add_typer(group, name="data")


def list_datasets(context: typer.Context, as_json: Json = False) -> None:
    """List every version of every dataset."""
    from ..results.wire import to_json
    from .tabulating import tabulate

    with call_of(context).browsing() as store:
        documents = [to_json(dataset) for dataset in store.catalog.select("datasets")]
    if as_json:
        emit_json(list(documents))
    elif not documents:
        say("no datasets")
    else:
        emit_table(tabulate("datasets", documents))


def load(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Argument(metavar="SOURCE", help="A CSV or Parquet file, or e.g. sklearn:iris."),
    ],
    target: Target = None,
    name: Annotated[
        str | None, typer.Option(metavar="N", help="Instead of the file's name.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Keep data in the store as a version of a dataset."""
    from ..results.wire import to_json

    declared = _source(source, split_list(target), name)
    with call_of(context).writing() as store:
        kept, new = _keep(store, declared)
    if as_json:
        emit_json({**to_json(kept), "new": new})
    else:
        verb = "kept" if new else "is there already:"
        targets = f", target {', '.join(kept.targets)}" if kept.targets else ""
        emit(
            f"{verb} {kept.name}@{kept.version}: {kept.rows} rows, {len(kept.columns)} columns{targets}"
        )


def show(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="NAME[@VERSION]")],
    as_json: Json = False,
) -> None:
    """Show schema and statistics of a dataset."""
    from ..datasets import from_entity
    from ..queries.inspection import details
    from ..queries.lookup import find
    from .sections import sections

    with call_of(context).reading() as store:
        entity = cast("Dataset", find(store, reference, ["datasets"])[1])
        document = details(store, entity)
        description = from_entity(entity, store.artifacts).describe()
    if as_json:
        emit_json({**document, "description_of_columns": description.to_dict()["columns"]})
        return
    emit(sections(document))
    emit(f"\n{description}")


def _source(source: str, targets: list[str] | None, name: str | None) -> DatasetSource:
    from .. import datasets
    from ..exceptions import DatasetError, UsageError, did_you_mean

    kind, _, which = source.partition(":")
    if kind == "sklearn" and which:
        loaders = {n.removeprefix("load_"): n for n in datasets.__all__ if n.startswith("load_")}
        if which not in loaders:
            raise DatasetError(f"no dataset {source!r}", hint=did_you_mean(which, loaders))
        if targets is not None:
            raise UsageError(f"{source} has its own target", hint="leave --target out")
        return datasets.as_source(getattr(datasets, loaders[which])(), name)
    if source.lower().endswith((".parquet", ".pq")):
        return datasets.from_parquet(source, name=name, target=targets)
    if source.lower().endswith((".csv", ".csv.gz", ".tsv", ".txt")):
        return datasets.from_csv(source, name=name, target=targets)
    raise DatasetError(
        f"{source!r} is no source of data", hint="give a .csv or .parquet file, or sklearn:iris"
    )


def _keep(store: Store, source: DatasetSource) -> tuple[Dataset, bool]:
    from ..datasets import to_entity

    entity = to_entity(
        source.name,
        source.load(),
        store.artifacts,
        description=source.description,
        source=source.source,
    )
    before = store.catalog.count("datasets")
    kept = store.catalog.ensure_dataset(entity)
    return kept, store.catalog.count("datasets") > before
