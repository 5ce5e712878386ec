"""Finds what people mean: entities of any kind by reference, and lists narrowed to a project."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias, cast

from ..entities import Dataset, Execution, Experiment, Launch, Project, Run
from ..exceptions import NotFoundError, UsageError, did_you_mean
from ..filters import And, Expression, In, Name, equal, parse
from ..settings import Settings
from ..storage.base import ArtifactSummary
from ..store import Store

Entity: TypeAlias = "Run | Launch | Execution | Experiment | Project | Dataset | ArtifactSummary"
"""What a reference can name."""

SINGULAR = {
    "run": "runs",
    "launch": "launches",
    "execution": "executions",
    "experiment": "experiments",
    "project": "projects",
    "dataset": "datasets",
    "artifact": "artifacts",
}
"""Word for one of a kind → the kind."""

KINDS = tuple(SINGULAR.values())
"""Kinds that are searched for a reference, in this order."""

SHOWN = 8
"""How many experiments are named where nothing was found."""

CHUNK = 500
"""How many ids are asked for at once."""

_WITH_PROJECT = ("experiments", "executions", "launches", "runs", "computations")


def kind_named(word: str) -> str:
    """Return the kind that a word names, in singular or plural.

    Raises
    ------
    UsageError
        None.

    Examples
    --------
    >>> kind_named("launch"), kind_named("runs")
    ('launches', 'runs')
    """
    if word in KINDS:
        return word
    if word not in SINGULAR:
        raise UsageError(f"there is no kind {word!r}", hint=did_you_mean(word, SINGULAR))
    return SINGULAR[word]


def find(
    store: Store,
    reference: str,
    kinds: Sequence[str] = KINDS,
    *,
    settings: Settings | None = None,
) -> tuple[str, Entity]:
    """Return the one entity that `reference` names, with its kind.

    ``EXPERIMENT#NUMBER`` and ``latest`` name an entity of the first of `kinds` that has
    it; so does a name, also one that could be the beginning of an id or digest. Such a
    beginning must be unique among all of them.

    Parameters
    ----------
    store : Store
    reference : str
    kinds : sequence of str
        Where to look, in order.
    settings : Settings, optional
        Their active project and experiment are looked in first; ``latest`` means the
        latest there.

    Raises
    ------
    NotFoundError
        Nothing has that name.
    UsageError
        Several have it.
    """
    project = settings.project if settings else None
    if reference == "latest" and settings and settings.experiment:
        reference = f"{settings.experiment}#latest"
    found: list[tuple[str, Entity]] = []
    refused: list[NotFoundError] = []
    for kind in kinds:
        if reference == "latest" and kind == "artifacts":
            continue
        try:
            entity = _find(store, kind, reference, project)
        except NotFoundError as error:
            refused.append(error)
            continue
        if not _begins(reference, entity):
            return kind, entity
        found.append((kind, entity))
    if not found:
        raise _nothing(store, reference, kinds, refused)
    if len(found) > 1:
        shown = ", ".join(kind for kind, _ in found)
        raise UsageError(f"{reference!r} begins ids among {shown}", hint="write more of it")
    return found[0]


def where(
    kind: str,
    filter: str | None,
    *,
    project: str | None = None,
    experiment: str | None = None,
) -> Expression | None:
    """Return a filter for a list of `kind`, narrowed to a project and an experiment.

    Kinds that belong to no project are not narrowed by it.

    Examples
    --------
    >>> print(where("runs", "status == 'failed'", project="Lab"))
    status == 'failed' and project == 'Lab'
    >>> where("datasets", None, project="Lab") is None
    True
    """
    terms: list[Expression] = [] if filter is None else [parse(filter)]
    if project is not None and kind in _WITH_PROJECT:
        terms.append(equal(project=project))
    if experiment is not None and kind in _WITH_PROJECT[1:]:
        terms.append(equal(experiment=experiment))
    if not terms:
        return None
    return terms[0] if len(terms) == 1 else And(tuple(terms))


def run_names(store: Store, ids: Iterable[object]) -> dict[object, str]:
    """Return run id → ``EXPERIMENT#NUMBER``, of those of `ids` that are runs."""
    wanted = [id for id in dict.fromkeys(ids) if isinstance(id, str)]
    names: dict[object, str] = {}
    for start in range(0, len(wanted), CHUNK):
        these = In(Name(("id",)), tuple(wanted[start : start + CHUNK]))
        names |= {run.id: run.name for run in store.runs(these)}
    return names


def _find(store: Store, kind: str, reference: str, project: str | None) -> Entity:
    catalog = store.catalog
    if project is not None and kind in _WITH_PROJECT:
        try:
            return catalog.find(kind, reference, project=project)  # type: ignore[return-value]
        except NotFoundError:
            if reference == "latest" or reference.endswith("#latest"):
                raise
    return catalog.find(kind, reference)  # type: ignore[return-value]


def _begins(reference: str, entity: Entity) -> bool:
    """Whether `reference` is the beginning of the id or digest, and neither that nor a name."""
    whole = entity.digest if isinstance(entity, Dataset | ArtifactSummary) else entity.id
    named = reference in (whole, getattr(entity, "name", None))
    return not named and whole.startswith(reference.lower())


def _nothing(
    store: Store, reference: str, kinds: Sequence[str], refused: Sequence[NotFoundError]
) -> NotFoundError:
    if len(kinds) == 1:
        return refused[0]
    words = [word for word, kind in SINGULAR.items() if kind in kinds]
    # Names of one kind alone would say nothing of the others.
    told = [error.hint for error in refused if not error.hint.startswith("known are")]
    hint = next(filter(None, told), "") or _places(store)
    return NotFoundError(f"no {', '.join(words[:-1])} or {words[-1]} is {reference!r}", hint=hint)


def _places(store: Store) -> str:
    """Return the names under which all else is found."""
    found = cast("list[Experiment]", store.catalog.select("experiments", limit=SHOWN + 1))
    if not found:
        return "nothing was run yet"
    names = ", ".join(repr(experiment.name) for experiment in found[:SHOWN])
    more = ", …" if len(found) > SHOWN else ""
    return f"experiments are {names}{more}; gosset list runs shows the runs"
