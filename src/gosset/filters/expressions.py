"""The tree that a filter is read to: what an entity must be like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

Value: TypeAlias = "bool | int | float | str | None"

KEYWORDS: Final = frozenset({"and", "or", "not", "in", "like", "ilike", "is", "inf"})
CONSTANTS: Final[dict[str, Value]] = {
    "True": True, "False": False, "None": None, "true": True, "false": False
}  # fmt: skip

PART: Final = r"\w[\w/@-]*"
QUOTED: Final = r"`(?:[^`]|``)*`"


METRIC_PARTS: Final = ("last", "std", "min", "max", "mean", "count")
"""What may stand behind the name of a metric: what is kept ready of it."""


@dataclass(frozen=True, slots=True)
class Name:
    """A dotted name.

    Attributes
    ----------
    parts : tuple of str
        ``("params", "SVC", "C")``.
    """

    parts: tuple[str, ...]

    @property
    def head(self) -> str:
        """The first part."""
        return self.parts[0]

    @property
    def rest(self) -> str:
        """All parts but the first, joined by dots: the key of a parameter or metric."""
        return ".".join(self.parts[1:])

    def __str__(self) -> str:
        """Return the name as filters write it, with backticks where they are needed."""
        first = self.parts[0]
        reserved = len(self.parts) == 1 and (first in KEYWORDS or first in CONSTANTS)
        quoted = [
            part
            if re.fullmatch(PART, part) and not (index == 0 and (reserved or part[0].isdecimal()))
            else "`" + part.replace("`", "``") + "`"
            for index, part in enumerate(self.parts)
        ]
        return ".".join(quoted)


class Expression:
    """A filter: any of the nodes below. ``str()`` of it parses back to the same tree."""

    __slots__ = ()

    def names(self) -> Iterator[Name]:
        """Iterate over the names that occur, in order, also repeatedly."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class And(Expression):
    """All of the terms."""

    terms: tuple[Expression, ...]

    def names(self) -> Iterator[Name]:
        for term in self.terms:
            yield from term.names()

    def __str__(self) -> str:
        return " and ".join(
            f"({term})" if isinstance(term, And | Or) else str(term) for term in self.terms
        )


@dataclass(frozen=True, slots=True)
class Or(Expression):
    """At least one of the terms."""

    terms: tuple[Expression, ...]

    def names(self) -> Iterator[Name]:
        for term in self.terms:
            yield from term.names()

    def __str__(self) -> str:
        return " or ".join(
            f"({term})" if isinstance(term, Or) else str(term) for term in self.terms
        )


@dataclass(frozen=True, slots=True)
class Not(Expression):
    """The contrary of the term."""

    term: Expression

    def names(self) -> Iterator[Name]:
        return self.term.names()

    def __str__(self) -> str:
        match self.term:
            case In() | Contains() | Like() | IsNone():
                return self.term.text("not ")
            case And() | Or():
                return f"not ({self.term})"
            case _:
                return f"not {self.term}"


@dataclass(frozen=True, slots=True)
class Comparison(Expression):
    """``name operator value``; `operator` is one of ``== != < <= > >=``."""

    name: Name
    operator: str
    value: bool | int | float | str

    def names(self) -> Iterator[Name]:
        yield self.name

    def __str__(self) -> str:
        return f"{self.name} {self.operator} {_literal(self.value)}"


@dataclass(frozen=True, slots=True)
class In(Expression):
    """``name in (values)``."""

    name: Name
    values: tuple[Value, ...]

    def names(self) -> Iterator[Name]:
        yield self.name

    def text(self, negation: str = "") -> str:
        """Return it as filters write it."""
        return f"{self.name} {negation}in ({', '.join(map(_literal, self.values))})"

    def __str__(self) -> str:
        return self.text()


@dataclass(frozen=True, slots=True)
class Contains(Expression):
    """``value in name``, for names that hold several values, such as ``tags``."""

    name: Name
    value: Value

    def names(self) -> Iterator[Name]:
        yield self.name

    def text(self, negation: str = "") -> str:
        """Return it as filters write it."""
        return f"{_literal(self.value)} {negation}in {self.name}"

    def __str__(self) -> str:
        return self.text()


@dataclass(frozen=True, slots=True)
class Like(Expression):
    r"""``name like pattern``: ``%`` is any text, ``_`` any character, ``\`` takes the next as it is.

    `folded` means that case does not count (``ilike``).
    """

    name: Name
    pattern: str
    folded: bool = False

    def names(self) -> Iterator[Name]:
        yield self.name

    def text(self, negation: str = "") -> str:
        """Return it as filters write it."""
        word = "ilike" if self.folded else "like"
        return f"{self.name} {negation}{word} {_literal(self.pattern)}"

    def __str__(self) -> str:
        return self.text()


@dataclass(frozen=True, slots=True)
class IsNone(Expression):
    """``name is None``: there is no value."""

    name: Name

    def names(self) -> Iterator[Name]:
        yield self.name

    def text(self, negation: str = "") -> str:
        """Return it as filters write it."""
        return f"{self.name} is {negation}None"

    def __str__(self) -> str:
        return self.text()


def equal(**values: bool | int | float | str) -> Expression:
    """Return the filter of what has all these values, by name.

    Examples
    --------
    >>> print(equal(experiment="it's", launch=1))
    experiment == 'it\\'s' and launch == 1
    """
    terms = tuple(Comparison(Name((name,)), "==", value) for name, value in values.items())
    return terms[0] if len(terms) == 1 else And(terms)


def _literal(value: Value) -> str:
    if not isinstance(value, str):
        return repr(value)
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + escaped.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r") + "'"
