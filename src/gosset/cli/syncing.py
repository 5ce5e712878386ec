"""``gosset push``, ``pull``, ``sync`` and ``import``: stores that give to each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .call import call_of
from .imported import tell_imported
from .options import Json
from .output import emit_json, say
from .steps import steps

if TYPE_CHECKING:
    from ..storage.base import Merged
    from ..store import Store
    from ..types import JSONValue

Stores = Annotated[
    list[str],
    typer.Argument(
        metavar="[STORE] OTHER", help="URLs of the stores; one alone is the other of the current."
    ),
]
Only = Annotated[str | None, typer.Option("--filter", metavar="FILTER", help="Only these runs.")]
Artifacts = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Where the artifacts of OTHER lie, if not beside it."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("push")(push)
    app.command("pull")(pull)
    app.command("sync")(sync)
    app.command("import")(import_)


def push(
    context: typer.Context,
    stores: Stores,
    filter: Only = None,
    artifacts: Artifacts = None,
    as_json: Json = False,
) -> None:
    """Give OTHER what it lacks; it is made where it is not there."""
    with _opened(context, stores, artifacts, made=(False, True)) as (store, other):
        _give(context, [(store, other)], filter, as_json=as_json)


def pull(
    context: typer.Context,
    stores: Stores,
    filter: Only = None,
    artifacts: Artifacts = None,
    as_json: Json = False,
) -> None:
    """Take from OTHER what the store lacks."""
    with _opened(context, stores, artifacts, made=(True, False)) as (store, other):
        _give(context, [(other, store)], filter, as_json=as_json)


def sync(
    context: typer.Context,
    stores: Stores,
    filter: Only = None,
    artifacts: Artifacts = None,
    as_json: Json = False,
) -> None:
    """Give each of two stores what it lacks; both must be there."""
    with _opened(context, stores, artifacts, made=(False, False)) as (store, other):
        _give(context, [(store, other), (other, store)], filter, as_json=as_json)


def import_(
    context: typer.Context,
    source: Annotated[
        list[str],
        typer.Argument(
            metavar="[KIND] PATH",
            help="A file that gosset export wrote, or what a tracker left: a folder or a"
            " database. KIND is gosset, mlflow, mltraq, tensorboard, wandb, trackio or aim; by"
            " default that is found out.",
        ),
    ],
    project: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Where the runs of a tracker go; by default to the project that it names,"
            " else to the active one.",
        ),
    ] = None,
    python: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="For runs of aim: a Python that has it, by default the one that runs this.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Take over runs that another store or tracker wrote; to do so again changes nothing."""
    kind, path = _kind_and_path(source)
    call = call_of(context)
    with call.writing() as store:
        with steps(call, "runs") as progress:
            imported = store.import_from(
                path, kind, project=project, python=python, progress=progress
            )
        tell_imported(path, store.url, imported, as_json=as_json)


def _kind_and_path(source: list[str]) -> tuple[str | None, str]:
    from ..exceptions import UsageError
    from ..importers import KINDS

    if len(source) > 2:
        raise UsageError(f"{len(source)} paths are named", hint="name who wrote it, and one path")
    if len(source) == 1 and source[0] in KINDS and not Path(source[0]).exists():
        raise UsageError(
            f"where the runs of {source[0]} lie is not said",
            hint=f"gosset import {source[0]} PATH",
        )
    return (None if len(source) == 1 else source[0]), source[-1]


@contextmanager
def _opened(
    context: typer.Context, urls: list[str], artifacts: str | None, *, made: tuple[bool, bool]
) -> Iterator[tuple[Store, Store]]:
    """Open the two stores; `made` says of each whether it may be made."""
    from ..exceptions import UsageError
    from ..store import open_store

    call = call_of(context)
    if len(urls) > 2:
        raise UsageError(f"{len(urls)} stores are named", hint="name one, or two")
    with ExitStack() as scope:
        # Where artifacts lie is set for the store that is worked with, not for others.
        settings = call.settings()._replace(artifacts=None)
        if len(urls) == 2:
            first = open_store(urls[0], create=made[0], settings=settings)
        else:
            first = call.writing() if made[0] else call.reading()
        scope.enter_context(first)
        other = open_store(urls[-1], artifacts=artifacts, create=made[1], settings=settings)
        yield first, scope.enter_context(other)


def _give(
    context: typer.Context,
    ways: list[tuple[Store, Store]],
    filter: str | None,
    *,
    as_json: bool,
) -> None:
    told = []
    for source, target in ways:
        with steps(call_of(context), "runs") as progress:
            merged = target.merge(source, filter=filter, progress=progress)
        told.append((source.url, target.url, merged))
    _tell(told, as_json=as_json)


def _tell(told: list[tuple[str, str, Merged]], *, as_json: bool) -> None:
    if as_json:
        documents: list[JSONValue] = [
            {
                "from": source,
                "to": target,
                "runs": merged.runs,
                "changed": merged.changed,
                "artifacts": merged.artifacts,
                "bytes": merged.bytes,
                "missing": list(merged.missing),
            }
            for source, target, merged in told
        ]
        emit_json(documents if len(documents) > 1 else documents[0])
    for source, target, merged in told:
        if not as_json:
            say(
                f"{merged.runs} new and {merged.changed} changed runs, {merged.artifacts} artifacts"
                f" from {source} to {target}"
            )
        if merged.missing:
            say(
                f"warning: {source} has lost the bytes of {len(merged.missing)} artifacts, e.g. of"
                f" {merged.missing[0]}; what refers to them was taken over without"
            )
