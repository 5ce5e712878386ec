"""Says why a computation was or was not taken from the cache. Pure, over entities."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ..compare.diffs import as_mapping
from ..entities import CacheEntry, Computation, ComputationStatus, Execution, Run
from ..fingerprint import dynamic_ways
from ..types import JSONValue

_KINDS = {"def": "function", "class": "class", "": "constant"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A computation with what is known of how it was made.

    Attributes
    ----------
    entry : CacheEntry or None
        What the cache remembers under its key.
    execution : Execution or None
        The code version of its run.
    cache_used : bool
        Whether its launch looked into the cache.
    new : bool
        Whether earlier launches of its experiment had no stage of its name.
    """

    computation: Computation
    run: Run
    entry: CacheEntry | None = None
    execution: Execution | None = None
    cache_used: bool = True
    new: bool = False

    @property
    def when(self) -> datetime | None:
        """When it was carried out."""
        return self.computation.started or self.run.started


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One part of the recipe that is not what it was.

    Attributes
    ----------
    part : str
        ``"code"``, ``"version"``, ``"package"``, ``"parameter"``, ``"file"`` or ``"input"``.
    name : str
        Which of them; of code the dotted name of a function, class or constant.
    before, after : JSON
        Values of a parameter, versions of a package, else digests; None: not there.
    source : str
        Of code, its text as it is now, or as it was where it is gone.
    module : str
        Of code, the dotted name of the module that it is in; by default all but the last
        part of `name`.
    parameter : str
        Of code in the value of a parameter, the parameter's name.
    cause : tuple of Change
        Of an input, what changed in the computation that it came from.

    Examples
    --------
    >>> print(Change(part="code", name="helpers.clean", before="1f", after="a3", source="def clean"))
    function `clean` in helpers.py changed
    >>> print(Change(part="parameter", name="lr", before=0.1, after=0.2))
    parameter lr: 0.1 → 0.2
    """

    part: str
    name: str
    before: JSONValue = None
    after: JSONValue = None
    source: str = ""
    module: str = ""
    parameter: str = ""
    cause: tuple[Change, ...] = ()

    def __str__(self) -> str:
        match self.part:
            case "code":
                prefix = f"parameter {self.parameter}: " if self.parameter else ""
                return f"{prefix}{self._component()} {self._verb()}"
            case "file":
                return f"file {self.name} {self._verb()}"
            case "input":
                why = f": {' and '.join(map(str, self.cause))}" if self.cause else ""
                return f"input {self.name} {self._verb()}{why}"
        return f"{self.part} {self.name}: {self.before!r} → {self.after!r}"

    def to_dict(self) -> dict[str, JSONValue]:
        """Return it as JSON values."""
        return {
            "part": self.part,
            "name": self.name,
            "before": self.before,
            "after": self.after,
            "parameter": self.parameter,
            "cause": [change.to_dict() for change in self.cause],
        }

    def _component(self) -> str:
        """Return what kind of code it is, its name, and its file."""
        module = self.module or self.name.partition(".<locals>")[0].rpartition(".")[0]
        name = self.name.removeprefix(f"{module}.").rpartition("<locals>.")[2]
        where = f" in {module.replace('.', '/')}.py" if module else ""
        return f"{_KINDS[_keyword(self.source)]} `{name}`{where}"

    def _verb(self) -> str:
        if self.before is None:
            return "is new"
        return "is gone" if self.after is None else "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a computation was or was not taken from the cache.

    Attributes
    ----------
    status : ComputationStatus
    words : str
        One sentence.
    since : str or None
        Name of the run that it was compared with, or whose work was taken.
    changes : tuple of Change
        What differs from that run's, for a computation that was carried out.
    """

    status: ComputationStatus
    words: str
    since: str | None = None
    changes: tuple[Change, ...] = ()

    def to_dict(self) -> dict[str, JSONValue]:
        """Return it as JSON values."""
        return {
            "status": str(self.status),
            "explanation": self.words,
            "since": self.since,
            "changes": [change.to_dict() for change in self.changes],
        }


Producers = Callable[[Made, Made, str], "tuple[Made, Made] | None"]
"""``(before, after, name)`` → the computations that the input `name` of both came from."""


def explain(
    made: Made,
    same: Sequence[Made],
    earlier: Sequence[Made],
    producers: Producers = lambda before, after, name: None,
) -> Explanation:
    """Say why `made` was or was not taken from the cache.

    Parameters
    ----------
    made : Made
    same : sequence of Made
        Computations that were carried out under the same key, first to last, without this
        one.
    earlier : sequence of Made
        Computations of the same stage, carried out before this one under other keys.
    producers : callable, optional
        Where inputs came from, to say why they changed.

    Returns
    -------
    Explanation
    """
    computation = made.computation
    match computation.status:
        case ComputationStatus.CACHED:
            found = _cached(made, same)
            return replace(found, words=found.words + _unseen(made))
        case ComputationStatus.SKIPPED:
            failed = made.run.exception is not None
            reason = "what it needs failed" if failed else "nothing that was computed needed it"
            return Explanation(status=computation.status, words=f"skipped: {reason}")
    words, since, changes = _computed(made, same, earlier, producers)
    words += _unseen(made)
    if computation.status is ComputationStatus.FAILED and computation.exception is not None:
        words = f"failed with {computation.exception.type}, not in the cache: {words}"
    else:
        words = f"computed: {words}"
    return Explanation(status=computation.status, words=words, since=since, changes=changes)


def changes_between(before: Made, after: Made) -> tuple[Change, ...]:
    """Return what differs between two computations of one stage, part by part."""
    stage = after.computation.stage
    old, new = _described(before.execution, stage), _described(after.execution, stage)
    sources = {**_sources(before.execution), **_sources(after.execution)}
    found = [
        replace(
            change,
            source=str(sources.get(change.name, "")),
            module=_module(change.name, sources),
        )
        for change in _differences("code", old.get("parts"), new.get("parts"))
    ]
    found += _differences("package", old.get("packages"), new.get("packages"))
    if old.get("version") != new.get("version"):
        found.append(
            Change(
                part="version",
                name="the declared version",
                before=old.get("version"),
                after=new.get("version"),
            )
        )
    for change in _differences("parameter", _parameters(before), _parameters(after)):
        if _content(before, change.before) == _content(after, change.after):
            continue  # the same file in another place
        # A whole estimator is told by those of the run's parameters that configured it.
        own = [] if change.name in after.run.params else _configured(before.run, after.run, change)
        found += own or [change]
    found += _reached(before, after)
    files = _differences("file", _of_entry(before, "files"), _of_entry(after, "files"))
    found += [change for change in files if change.before and change.after]
    found += _differences("input", before.computation.inputs, after.computation.inputs)
    return tuple(found)


def _reached(before: Made, after: Made) -> list[Change]:
    """Return which code in the values of parameters changed."""
    old, new = _of_entry(before, "reached"), _of_entry(after, "reached")
    found = []
    for parameter in sorted(old.keys() & new.keys()):
        then, now = as_mapping(old[parameter]), as_mapping(new[parameter])
        sources = {name: as_mapping(told).get("heading", "") for name, told in now.items()}
        for name in sorted(then.keys() & now.keys()):
            digests = [as_mapping(told[name]).get("digest") for told in (then, now)]
            if digests[0] != digests[1]:
                found.append(
                    Change(
                        part="code",
                        name=name,
                        before=digests[0],
                        after=digests[1],
                        source=str(sources[name]),
                        module=_module(name, sources),
                        parameter=parameter,
                    )
                )
    return found


def _unseen(made: Made) -> str:
    """Return what its key cannot tell: files that were read, code that is settled as it runs."""
    entry, execution = made.entry, made.execution
    reads = None if entry is None else entry.parts.get("reads")
    told = ""
    if isinstance(reads, list):
        told = f"; it read {', '.join(map(str, reads))}, whose content does not count"
    described = _described(execution, made.computation.stage)
    unresolved = None if execution is None else execution.code.get("unresolved")
    if made.computation.key is None or described.get("version") or not isinstance(unresolved, list):
        return told
    parts = as_mapping(described.get("parts"))
    return told + "".join(
        f"; what {component} reaches by {', '.join(ways)} does not count, as nothing can see it"
        for component, ways in dynamic_ways(map(str, unresolved)).items()
        if component in parts
    )


def _cached(made: Made, same: Sequence[Made]) -> Explanation:
    status = made.computation.status
    if same:
        first = same[0]
        shared = first.computation.launch == made.computation.launch
        where = ", in the same launch" if shared else ""
        words = f"taken from the cache: computed by run {first.run.name}{_on(first.when)}{where}"
        return Explanation(status=status, words=words, since=first.run.name)
    when = _on(made.entry.created) if made.entry else ""
    words = f"taken from the cache: computed{when} by a run that is no longer kept"
    return Explanation(status=status, words=words)


def _computed(
    made: Made, same: Sequence[Made], earlier: Sequence[Made], producers: Producers
) -> tuple[str, str | None, tuple[Change, ...]]:
    if made.computation.key is None and made.computation.status is ComputationStatus.COMPUTED:
        return "the stage is not cached", None, ()
    if not made.cache_used:
        return "the cache was not to be used", None, ()
    before = [m for m in same if _before(m, made)]
    if before:
        name = before[-1].run.name
        words = f"run {name} did the same{_on(before[-1].when)}, but its bytes were gone"
        return words, name, ()
    if made.new:
        return "first time: no stage of this name before", None, ()
    compared = [(changes_between(other, made), other) for other in earlier]
    if not compared:
        return "first time", None, ()
    # The fewest changes among the nearest; among equals the latest, which come last.
    changes, nearest = min(
        reversed(compared), key=lambda pair: (*_distance(pair[1], made), len(pair[0]))
    )
    changes = _traced(nearest, made, changes, producers)
    since = f" since run {nearest.run.name}{_on(nearest.when)}"
    if not changes:
        return f"its cache key has other parts than{since.removeprefix(' since')}", None, ()
    return "; ".join(map(str, changes)) + since, nearest.run.name, changes


def _distance(other: Made, made: Made) -> tuple[bool, ...]:
    """Return what makes another computation a worse one to compare with, worst first.

    Siblings of the same launch differ by intention: only an earlier launch tells news.
    """
    return (
        other.computation.launch == made.computation.launch,
        other.computation.fold != made.computation.fold,
        other.run.group != made.run.group,
        _content(other, _parameters(other)) != _content(made, _parameters(made)),
    )


def _traced(
    before: Made, after: Made, changes: tuple[Change, ...], producers: Producers
) -> tuple[Change, ...]:
    """Return changes with their cause, where nothing but inputs changed."""
    if any(change.part != "input" for change in changes):
        return changes
    traced = []
    for change in changes:
        found = producers(before, after, change.name)
        if found is not None:
            change = replace(change, cause=_traced(*found, changes_between(*found), producers))
        traced.append(change)
    return tuple(traced)


def _keyword(source: str) -> str:
    """Return the word by which a component is defined; empty for a constant."""
    found = re.search(r"^\s*(?:async\s+)?(def|class)\b", source, re.MULTILINE)
    return found[1] if found else ""


def _module(name: str, sources: Mapping[str, JSONValue]) -> str:
    """Return the module that a component is in: all before the outermost class around it."""
    parts = name.partition(".<locals>")[0].split(".")
    for position in range(1, len(parts) - 1):
        outer = str(sources.get(".".join(parts[: position + 1]), ""))
        # Of a class that is not itself a component, its name must tell what it is.
        if _keyword(outer) == "class" or parts[position][:1].isupper():
            return ".".join(parts[:position])
    return ".".join(parts[:-1])


def _before(other: Made, made: Made) -> bool:
    return other.when is not None and made.when is not None and other.when < made.when


def _differences(part: str, before: object, after: object) -> list[Change]:
    """Return what differs between two mappings; one that is not there is empty."""
    old, new = as_mapping(before), as_mapping(after)
    return [
        Change(part=part, name=name, before=old.get(name), after=new.get(name))
        for name in dict.fromkeys((*old, *new))
        if old.get(name) != new.get(name)
    ]


def _described(execution: Execution | None, stage: str) -> Mapping[str, JSONValue]:
    if execution is None:
        return {}
    return as_mapping(as_mapping(execution.code.get("stages")).get(stage))


def _configured(before: Run, after: Run, change: Change) -> list[Change]:
    texts = isinstance(change.before, str) and isinstance(change.after, str)
    return _differences("parameter", before.params, after.params) if texts else []


def _sources(execution: Execution | None) -> Mapping[str, JSONValue]:
    return {} if execution is None else as_mapping(execution.code.get("sources"))


def _parameters(made: Made) -> Mapping[str, JSONValue]:
    return _of_entry(made, "parameters")


def _content(made: Made, value: object) -> object:
    """Return the value of a parameter with the content of each file in place of its path."""
    files = _of_entry(made, "files")
    if isinstance(value, str):
        return ("file", files[value]) if value in files else value
    if isinstance(value, Mapping):
        return {key: _content(made, item) for key, item in value.items()}
    return [_content(made, item) for item in value] if isinstance(value, list) else value


def _of_entry(made: Made, part: str) -> Mapping[str, JSONValue]:
    return {} if made.entry is None else as_mapping(made.entry.parts.get(part))


def _on(when: datetime | None) -> str:
    return "" if when is None else f" on {when.astimezone():%Y-%m-%d %H:%M}"
