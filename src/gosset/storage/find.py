"""References as people write them: ids, prefixes, names, numbers, ``latest``."""

from __future__ import annotations

import difflib
import re
from typing import Any, Final

import sqlalchemy as sa

from ..exceptions import NotFoundError, UsageError, did_you_mean
from . import schema as s
from .base import KINDS
from .compile import Query
from .read import entities, load
from .sources import SOURCES, Source

_ID: Final = {"datasets": "digest", "artifacts": "digest", "cache": "key", "metrics": "name"}
_NUMBERED: Final = ("executions", "launches", "runs")
_PREFIX = re.compile(r"[0-9a-f-]{4,}")
_SHOWN: Final = 8
"""How many of several that have a name are listed."""


def find(connection: sa.Connection, kind: str, reference: str, project: str | None) -> Any:
    """Return the one entity that `reference` names."""
    if kind not in SOURCES:
        raise UsageError(f"nothing of the kind {kind!r}", hint=did_you_mean(kind, KINDS))
    search = _Search(connection, kind, project)
    for rows in (
        search.exactly(reference),
        search.latest() if reference == "latest" else [],
        search.numbered(reference),
        search.named(reference),
        search.prefixed(reference),
    ):
        if len(rows) == 1:
            return entities(connection, kind, rows)[0]
        if rows:
            raise search.several(reference, rows)
    place = f" in the project {project!r}" if project is not None else ""
    raise NotFoundError(
        f"nothing among the {kind}{place} is called {reference!r}",
        hint=search.hint(reference),
    )


class _Search:
    """The ways to name one entity of a kind, each giving the rows that have the name."""

    def __init__(self, connection: sa.Connection, kind: str, project: str | None) -> None:
        self.connection = connection
        self.kind = kind
        self.source: Source = SOURCES[kind]
        self.conditions: list[sa.ColumnElement[bool]] = []
        placed = kind == "projects" or "project" in self.source.columns
        if project is not None and placed:
            self.conditions.append(s.projects.c.name == project)

    def rows(self, *conditions: sa.ColumnElement[bool], newest: bool = False) -> list[sa.Row[Any]]:
        used = {name for parent in self.source.parents for name in parent.gives}
        statement = (
            sa.select(*self.source.selected)
            .select_from(self.source.joined(used))
            .where(*self.conditions, *conditions)
            .order_by(self.source.selected[0].desc())
            .limit(1 if newest else _SHOWN + 1)
        )
        return list(self.connection.execute(statement).all())

    @property
    def id(self) -> sa.ColumnElement[Any]:
        return self.source.columns[_ID.get(self.kind, "id")]

    def exactly(self, reference: str) -> list[sa.Row[Any]]:
        return self.rows(self.id == reference)

    def latest(self) -> list[sa.Row[Any]]:
        if self.kind in ("artifacts", "metrics"):
            raise UsageError(f"{self.kind} have no latest one", hint="give a name or a digest")
        return self.rows(newest=True)

    def prefixed(self, reference: str) -> list[sa.Row[Any]]:
        prefix = reference.lower()
        if self.kind == "metrics" or not _PREFIX.fullmatch(prefix):
            return []
        # A range rather than LIKE: it can be answered from the index of the ids.
        return self.rows(self.id >= prefix, self.id < prefix + "g")

    def numbered(self, reference: str) -> list[sa.Row[Any]]:
        """``EXPERIMENT#NUMBER``, ``PROJECT/EXPERIMENT#latest`` or ``NAME@VERSION``."""
        mark = "@" if self.kind == "datasets" else "#"
        name, found, number = reference.rpartition(mark)
        if not found or (self.kind not in _NUMBERED and self.kind != "datasets"):
            return []
        place = self._dataset(name) if self.kind == "datasets" else self._experiment(name)
        if number == "latest":
            return self.rows(place, newest=True)
        if not number.isdecimal() or len(number) > 9:
            return []
        column = self.source.columns["version" if self.kind == "datasets" else "number"]
        return self.rows(place, column == int(number))

    def named(self, reference: str) -> list[sa.Row[Any]]:
        if self.kind == "experiments":
            return self.rows(self._experiment(reference))
        if self.kind == "datasets":
            # Of several versions, the name means the newest.
            return self.rows(self._dataset(reference), newest=True)
        if self.kind in ("projects", "runs"):
            return self.rows(self.source.columns["name"] == reference)
        return []

    def _dataset(self, name: str) -> sa.ColumnElement[bool]:
        return s.dataset_names.c.name == name

    def _experiments_named(self, name: str) -> list[int]:
        """Return the keys of the experiments that have the name, alone or behind a project's."""
        experiment, project = s.experiments.c.name, s.projects.c.name
        # Both names may hold slashes themselves, so that each slash may be the border.
        borders = [index for index, letter in enumerate(name) if letter == "/"]
        named = sa.or_(
            experiment == name,
            *(sa.and_(project == name[:at], experiment == name[at + 1 :]) for at in borders),
        )
        statement = sa.select(s.experiments.c.pk).join(s.projects).where(named)
        return list(self.connection.execute(statement).scalars())

    def _experiment(self, name: str) -> sa.ColumnElement[bool]:
        pks = self._experiments_named(name)
        if self.kind == "experiments":
            return s.experiments.c.pk.in_(pks)
        # By key rather than by name, so that the index on (experiment, number) answers.
        return s.metadata.tables[self.kind].c.experiment.in_(pks)

    def several(self, reference: str, rows: list[sa.Row[Any]]) -> UsageError:
        if self.kind in ("artifacts", "metrics"):
            shown = [str(row[0]) for row in rows[:_SHOWN]]
        else:
            found = load(self.connection, self.kind, [row[0] for row in rows[:_SHOWN]])
            shown = [self._described(entity) for entity in found]
        more = ", …" if len(rows) > _SHOWN else ""
        return UsageError(
            f"{reference!r} names several {self.kind}: {', '.join(shown)}{more}",
            hint="write more of it",
        )

    def _described(self, entity: Any) -> str:
        match self.kind:
            case "executions" | "launches" | "runs":
                return f"{entity.project}/{entity.experiment}#{entity.number} ({entity.id})"
            case "experiments":
                return f"{entity.project}/{entity.name}"
            case "datasets":
                return f"{entity.name}@{entity.version} ({entity.digest})"
            case "cache":
                return f"{entity.stage} ({entity.key})"
            case "computations":
                return f"{entity.stage} ({entity.id})"
        return str(entity.name)

    def hint(self, reference: str) -> str:
        """Return what could have been meant."""
        if difflib.get_close_matches(reference, ["latest"], cutoff=0.8):
            return did_you_mean(reference, ["latest"])
        if self.kind not in _NUMBERED:
            return did_you_mean(reference, self._names())
        # What is numbered is named after its experiment; '@' is the mark of datasets.
        numbered = reference.replace("@", "#")
        name = numbered.rpartition("#")[0] or numbered
        if self._experiments_named(name):
            within = self._numbers(self._experiment(name))
            if within:
                return did_you_mean(numbered, [numbered] if numbered in within else within[:1])
            if not self.conditions:
                return f"the experiment {name!r} has no {self.kind} yet"
        return did_you_mean(numbered, self._numbers())

    def _numbers(self, *conditions: sa.ColumnElement[bool]) -> list[str]:
        """Return the names of the newest, the newest first."""
        found = load(self.connection, self.kind, [row[0] for row in self.rows(*conditions)])
        return [f"{entity.experiment}#{entity.number}" for entity in found]

    def _names(self) -> list[str]:
        if "name" not in self.source.columns:
            return []
        rows = Query(self.connection, self.kind).rows(limit=1000)
        return [entity.name for entity in entities(self.connection, self.kind, rows)]
