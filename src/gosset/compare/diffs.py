"""What is really different between two experiments, or two code versions."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ..entities import Execution, Experiment
from ..types import JSONValue
from .tables import printable

_COMPONENTS = {
    "components": "pipeline",
    "stages": "stages",
    "seeds": "seed",
}
"""Key of a definition → the word of the glossary for it, where they are not the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not the same on both sides.

    Attributes
    ----------
    component : str
        ``dataset``, ``splits``, ``seed``, ``parameters``, ``pipeline``, ``stages``,
        ``code``, ``packages`` …
    name : str
        What of the component, dotted; empty for the whole of it.
    kind : {"changed", "added", "removed"}
        Seen from the left.
    left, right : JSON
        The values; None where there is none, and for code.
    diff : str
        Unified diff, for code.
    """

    component: str
    name: str
    kind: Literal["changed", "added", "removed"]
    left: JSONValue = None
    right: JSONValue = None
    diff: str = ""

    def to_dict(self) -> dict[str, JSONValue]:
        """Return it as JSON values."""
        return {
            "component": self.component,
            "name": self.name,
            "kind": self.kind,
            "left": self.left,
            "right": self.right,
            "diff": self.diff or None,
        }


@dataclass(frozen=True, slots=True)
class Diff:
    """All differences between two things; what is equal is not in it.

    Attributes
    ----------
    left, right : str
        Names of the two.
    differences : tuple of Difference
    """

    left: str
    right: str
    differences: tuple[Difference, ...]

    def __bool__(self) -> bool:
        return bool(self.differences)

    def to_dict(self) -> dict[str, JSONValue]:
        """Return it as JSON values."""
        return {
            "left": self.left,
            "right": self.right,
            "equal": not self.differences,
            "differences": [difference.to_dict() for difference in self.differences],
        }

    def to_text(self) -> str:
        """Return the differences as text, component by component."""
        if not self.differences:
            return f"{printable(self.left)} and {printable(self.right)} do not differ"
        lines = [f"--- {printable(self.left)}", f"+++ {printable(self.right)}"]
        component = ""
        for difference in self.differences:
            if difference.component != component:
                component = difference.component
                lines += ["", component]
            lines += [f"  {line}" for line in _told(difference)]
        return "\n".join(lines)


def experiments_diff(
    a: Experiment,
    b: Experiment,
    *,
    code: tuple[Execution | None, Execution | None] = (None, None),
) -> Diff:
    """Return what two experiments declare differently, component by component.

    Parameters
    ----------
    a, b : Experiment
    code : tuple of Execution, optional
        An execution of each, to compare their code.

    Returns
    -------
    Diff
        Dataset, splits, seed, parameters, pipeline (class and parameters of each step),
        stages, metrics; and a unified diff of every function whose source differs.
    """
    left, right = _named(a.definition), _named(b.definition)
    found = [
        difference
        for component in dict.fromkeys((*left, *right))
        for difference in _compare(component, "", left.get(component), right.get(component))
    ]
    if code[0] is not None and code[1] is not None:
        found += _code(code[0], code[1])
    return Diff(_experiment_name(a, b), _experiment_name(b, a), tuple(found))


def executions_diff(a: Execution, b: Execution) -> Diff:
    """Return how the code of two executions differs.

    Returns
    -------
    Diff
        A unified diff of every component whose source differs, and the packages whose
        versions do.
    """
    return Diff(_execution_name(a), _execution_name(b), tuple(_code(a, b)))


def _named(definition: Mapping[str, JSONValue]) -> dict[str, JSONValue]:
    return {_COMPONENTS.get(key, key): value for key, value in definition.items()}


def _compare(component: str, name: str, left: JSONValue, right: JSONValue) -> Iterator[Difference]:
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for key in dict.fromkeys((*left, *right)):
            inner = f"{name}.{key}" if name else key
            if key not in right:
                yield Difference(component=component, name=inner, kind="removed", left=left[key])
            elif key not in left:
                yield Difference(component=component, name=inner, kind="added", right=right[key])
            else:
                yield from _compare(component, inner, left[key], right[key])
    elif json.dumps(left, sort_keys=True) != json.dumps(right, sort_keys=True):
        yield Difference(component=component, name=name, kind="changed", left=left, right=right)


def _code(a: Execution, b: Execution) -> Iterator[Difference]:
    left, right = as_mapping(a.code.get("sources")), as_mapping(b.code.get("sources"))
    for name in sorted({*left, *right}):
        before, after = left.get(name), right.get(name)
        if before == after:
            continue
        kind: Literal["changed", "added", "removed"] = "changed"
        if before is None or after is None:
            kind = "added" if before is None else "removed"
        diff = "\n".join(
            difflib.unified_diff(
                _lines(before),
                _lines(after),
                f"{_execution_name(a)}: {name}",
                f"{_execution_name(b)}: {name}",
                lineterm="",
            )
        )
        yield Difference(component="code", name=name, kind=kind, diff=diff)
    yield from _compare("packages", "", _packages(a), _packages(b))


def _packages(execution: Execution) -> dict[str, JSONValue]:
    """Return package → version, of all packages that the stages of an execution reach."""
    found: dict[str, JSONValue] = {}
    for stage in as_mapping(execution.code.get("stages")).values():
        found |= as_mapping(as_mapping(stage).get("packages"))
    return found


def as_mapping(value: object) -> Mapping[str, JSONValue]:
    """Return a part of a JSON document as a mapping; an empty one where it is none.

    Examples
    --------
    >>> as_mapping({"a": 1}), as_mapping(None)
    ({'a': 1}, {})
    """
    return value if isinstance(value, Mapping) else {}


def _lines(source: JSONValue) -> list[str]:
    return [] if source is None else str(source).splitlines()


def _told(difference: Difference) -> list[str]:
    what = difference.name or difference.component
    if difference.diff:
        return [f"{printable(what)} ({difference.kind})", *difference.diff.splitlines()]
    left, right = _shown(difference.left), _shown(difference.right)
    if difference.kind == "removed":
        return [f"{printable(what)}: only left: {left}"]
    if difference.kind == "added":
        return [f"{printable(what)}: only right: {right}"]
    return [f"{printable(what)}: {left} → {right}"]


def _shown(value: JSONValue) -> str:
    return printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _experiment_name(one: Experiment, other: Experiment) -> str:
    return one.name if one.project == other.project else f"{one.project}/{one.name}"


def _execution_name(execution: Execution) -> str:
    return f"{execution.experiment}#{execution.number}"
