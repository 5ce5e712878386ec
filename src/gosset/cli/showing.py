"""``gosset show``, ``gosset tag`` and ``gosset delete``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from .call import call_of
from .options import Json, Kind
from .output import ask, emit, emit_json, say

Reference = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="A UUID, the beginning of one, EXPERIMENT#NUMBER, a name, a digest, or latest.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("show")(show)
    app.command("tag")(tag)
    app.command("delete")(delete)


def show(
    context: typer.Context, reference: Reference, kind: Kind = None, as_json: Json = False
) -> None:
    """Show all that is known of one thing, such as a run."""
    from ..entities import Run
    from ..queries.inspection import details
    from ..queries.lookup import KINDS, find, kind_named

    call = call_of(context)
    kinds = KINDS if kind is None else [kind_named(kind)]
    with call.reading() as store:
        _, entity = find(store, reference, kinds, settings=call.settings())
        document = details(store, entity)
        if as_json:
            emit_json(document)
            return
        from .sparkline import sparklines

        lines = sparklines(store, entity) if isinstance(entity, Run) else {}
    from .sections import sections

    emit(sections(document, lines))


def tag(
    context: typer.Context,
    reference: Annotated[
        str, typer.Argument(metavar="RUN", help="An id, EXPERIMENT#NUMBER or latest.")
    ],
    tags: Annotated[list[str], typer.Argument(metavar="TAG…", help="E.g. draft.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take the tags away.")] = False,
    as_json: Json = False,
) -> None:
    """Add tags to a run, or take them away: gosset list runs "'draft' in tags" finds it."""
    from ..entities import Run
    from ..queries.lookup import find

    call = call_of(context)
    with call.reading() as store:
        _, run = find(store, reference, ["runs"], settings=call.settings())
        assert isinstance(run, Run)
        tagged = store.tag(run, *tags, remove=remove)
    if as_json:
        emit_json({"id": tagged.id, "name": tagged.name, "tags": list(tagged.tags)})
    else:
        say(f"tags of {tagged.name}: {', '.join(tagged.tags) or 'none'}")


def delete(
    context: typer.Context,
    reference: Reference,
    kind: Kind = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete something with all that it holds, and nothing above it."""
    from ..exceptions import UsageError
    from ..queries.lookup import KINDS, SINGULAR, find, kind_named
    from ..results.wire import to_json
    from ..upkeep import housekeeping

    call = call_of(context)
    kinds = KINDS if kind is None else [kind_named(kind)]
    with call.reading() as store:
        found, entity = find(store, reference, kinds, settings=call.settings())
        document = to_json(entity)
        word = next(word for word, plural in SINGULAR.items() if plural == found)
        name = _name(document)
        if not yes:
            if not sys.stdin.isatty():
                raise UsageError(f"{word} {name} would be deleted", hint="confirm it with --yes")
            if not ask(f"delete {word} {name} and all that it holds?"):
                raise typer.Exit(1)
        count = housekeeping.delete(store, found, entity)
    if as_json:
        identity = document.get("id", document.get("digest"))
        emit_json({"deleted": word, "id": identity, "count": count})
    else:
        say(
            f"deleted {word} {name}"
            + (f" ({count} runs)" if found not in ("runs", "datasets") else "")
        )


def _name(document: Mapping[str, object]) -> str:
    if "number" in document and "experiment" in document:
        return f"{document['project']}/{document['experiment']}#{document['number']}"
    if "version" in document:
        return f"{document['name']}@{document['version']}"
    return str(document.get("name", document.get("digest")))
