"""Runs as a table: their facts, parameters and fields as columns, and the newest runs with all.

Entities would cost many times as much, and a table of runs needs none. What is read of each
name are two arrays, its values and where they are missing. Loads no database library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from . import measured
from .answers import Questions
from .arrays import Values, array_of, decoded

Kind = Literal["time", "integer", "list", ""]

FACTS: Final[Mapping[str, Kind]] = {
    "id": "",
    "number": "integer",
    "name": "",
    "project": "",
    "experiment": "",
    "execution": "integer",
    "launch": "integer",
    "status": "",
    "seed": "integer",
    "dataset": "",
    "tags": "list",
    "created": "time",
    "started": "time",
    "ended": "time",
}
"""The columns that come first where none are chosen, and what they hold."""

DOCUMENTS: Final = ("params", "fields")

NEWEST: Final = """
SELECT {columns}
FROM runs JOIN launches ON launches.pk = runs.launch
JOIN experiments ON experiments.pk = runs.experiment
JOIN projects ON projects.pk = experiments.project
ORDER BY runs.pk DESC LIMIT :limit OFFSET :offset
"""

_ELSEWHERE: Final = {
    "project": "projects.name",
    "experiment": "experiments.name",
    "launch": "launches.number",
}


def can_tell(chosen: Sequence[str] | None) -> bool:
    """Whether :func:`newest` knows all that is chosen."""
    return chosen is None or FACTS.keys() >= set(chosen)


def newest(
    questions: Questions, chosen: Sequence[str] | None, limit: int | None, offset: int = 0
) -> dict[str, Values]:
    """Return columns of the newest runs, the newest first: some :data:`FACTS`, or all there is."""
    names = (*FACTS, *DOCUMENTS) if chosen is None else tuple(chosen)
    row = {"limit": 2**63 - 1 if limit is None else limit, "offset": offset}
    columns = ", ".join(["runs.pk", *(_column(questions, name) for name in names)])
    rows = questions.all(NEWEST.format(columns=columns), row)
    pks, *read = zip(*rows, strict=True) if rows else [()] * (1 + len(names))
    found: dict[str, Values] = {}
    for name, values in zip(names, read, strict=True):
        found |= document(name, values, None) if name in DOCUMENTS else {name: fact(values, FACTS[name])}  # fmt: skip
    if chosen is None:
        every = limit is None and not offset
        found |= measured.metrics(questions, pks, None, every=every)
    return found


def _column(questions: Questions, name: str) -> str:
    column = _ELSEWHERE.get(name, f"runs.{name}")
    return questions.microseconds(column) if FACTS.get(name) == "time" else column


def fact(values: Sequence[Any], kind: Kind) -> Values:
    """Return what a column of the database holds; times as microseconds, lists as JSON."""
    import numpy as np

    if kind == "list":
        return array_of(decoded(values))
    if kind == "":
        return array_of(values)
    missing = np.array([value is None for value in values], bool)
    filled = np.array([0 if value is None else value for value in values], np.int64)
    if kind == "time":
        filled = filled.astype("datetime64[us]")
    return Values(filled, missing if missing.any() else None)


def document(head: str, texts: Sequence[str], keys: list[str] | None) -> dict[str, Values]:
    """Return the values in JSON texts by name: those that are asked for, None for all."""
    if keys is None and set(texts) <= {"{}"}:
        return {}
    documents = decoded(texts)
    if keys is None:
        keys = list(dict.fromkeys(key for document in documents for key in document))
    return {
        f"{head}.{key}": array_of([document.get(key) for document in documents])
        for key in dict.fromkeys(keys)
    }
