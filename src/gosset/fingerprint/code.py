"""The code that a function stands on: everything of the user's that it reaches.

The closure is a graph. Its components are functions, classes, constants of modules and,
where a module is used as a value, modules; its edges are the names by which one reaches
another. Each component has a digest of itself alone. The digest of the whole goes over
the components in the order in which they are met from the entry, each with the numbers
of those that it reaches: names of modules and files do not count, while a name that
points elsewhere does.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from weakref import ref

from blake3 import blake3

from .bytecode import Chain, chains_of, encode_bytecode
from .callables import is_stage
from .classes import encode_class
from .encoding import Encoder, Family
from .families import encoder
from .files import File, Planned
from .leaves import FORMAT, leaf, text
from .names import Foreign, Found, Unfollowed, find
from .origins import (
    Origin,
    foreign_name,
    module_of,
    origin_of,
    origin_of_module,
    packages_of,
    python_version,
)
from .scalars import LEAVES
from .source import Decorator, source_of, statement_text

_ENTRY: Final = "entry"
_CODE: Final = (types.FunctionType, type, types.ModuleType)


@dataclass(frozen=True, slots=True)
class Code:
    """The code that an object stands on.

    Attributes
    ----------
    digest : str
        BLAKE3 over all of it, 64 hexadecimal digits.
    parts : dict of str to str
        Component (``module.qualname``) → digest of that component alone.
    sources : dict of str to str
        Component → its text as written, where there is one.
    packages : dict of str to str
        Distribution → version, of those that are reached; ``python`` among them.
    unresolved : tuple of str
        What could not be followed, in words.
    files : tuple of Planned
        Files whose content counts in the digest.
    """

    digest: str
    parts: dict[str, str]
    sources: dict[str, str]
    packages: dict[str, str]
    unresolved: tuple[str, ...] = ()
    files: tuple[Planned, ...] = ()


def code_digest(obj: object, *, depends: Iterable[object] = ()) -> Code:
    """Return the digest of a function or class and of all of the user's code it reaches.

    The user's own code is what lies neither in the standard library, nor in a folder of
    installed packages, nor in this package. It counts by its syntax trees, without
    comments, docstrings, annotations and layout; constants count by value. Of all other
    code, the versions of the distributions count.

    Parameters
    ----------
    obj : callable
        A function, method, class, stage, partial, or an object that wraps a function.
    depends : iterable, optional
        Functions, classes and values that count as well, because the code reaches them
        in ways that cannot be seen. With them, such ways (``eval``, ``importlib``) are not
        in ``unresolved``.

    Returns
    -------
    Code

    Notes
    -----
    What counts is the code that is loaded, also when its file has been edited since.
    Values that cannot be digested, such as a logger or a lock in a module's constant,
    count by their class and are named in ``unresolved``. Constants count by the value that
    they have now: one that the code itself fills or rebinds makes another digest after it ran.

    Examples
    --------
    >>> FACTOR = 2
    >>> def double(x):
    ...     return FACTOR * x
    >>> code = code_digest(double)
    >>> len(code.digest), [name.rpartition(".")[2] for name in sorted(code.parts)]
    (64, ['FACTOR', 'double'])
    """
    return _Closure(obj, tuple(depends)).result()


def code_in_value(obj: object) -> Code:
    """Return the code of a function or class that is a value, or a part of one.

    It is not called as a stage is, so that files in its defaults count by their content.
    """
    return _Closure(obj, (), called=False).result()


def code_identity(value: Any) -> str:
    """Return what stands for a function, a class or a module in the digest of a value.

    A name for what is Python's own, else the digest of its code, with the versions of
    the packages it comes from.
    """
    if origin_of(value) is Origin.PYTHON and not isinstance(value, types.FunctionType):
        return _foreign_identity(value)
    return code_in_value(value).digest


def _foreign_identity(value: Any) -> str:
    if isinstance(value, types.ModuleType):
        return value.__name__
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", "")
    return foreign_name(value) or f"{module_of(value)}.{name}"


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is always true of one code object."""

    body: bytes
    chains: tuple[Chain, ...]
    text: str
    decorators: tuple[Decorator, ...]


# By identity: code objects of two files can be equal while their texts are not.
_facts_by_id: dict[int, tuple[ref[types.CodeType], _Facts]] = {}


def _facts(code: types.CodeType) -> _Facts:
    known = _facts_by_id.get(id(code))
    if known is not None and known[0]() is code:
        return known[1]
    source = source_of(code)
    if source is None:
        facts = _Facts(encode_bytecode(code), chains_of(code), "", ())
    else:
        tree = leaf(b"tree", blake3(source.dump.encode()).digest())
        facts = _Facts(tree, chains_of(code), source.text, source.decorators)
    _facts_by_id[id(code)] = ref(code), facts
    return facts


@dataclass(slots=True)
class _Component:
    """One node of the closure.

    Attributes
    ----------
    module, name : str
        Where it is from; the name alone counts in digests.
    kind : str
        ``"function"``, ``"foreign"``, ``"class"``, ``"module"``, ``"constant"`` or ``"entry"``.
    value : object
        Kept, because components are known by the identity of their values.
    own : bytes
        Encoding of the component alone.
    edges : list
        Label, text of what is reached, and the component where it is one.
    """

    kind: str
    module: str
    name: str
    value: Any
    own: bytes = b""
    edges: list[tuple[str, str, _Component | None]] = field(default_factory=list)
    source: str = ""

    @property
    def title(self) -> str:
        return f"{self.module}.{self.name}" if self.module else self.name


class _Closure:
    """Walks the graph of code from one entry. Implements :class:`Reach` for its encoders."""

    def __init__(self, entry: object, depends: tuple[object, ...], *, called: bool = True) -> None:
        self._components: dict[tuple[str, str, str, int], _Component] = {}
        self._packages = python_version()
        self._unresolved: set[str] = set()
        self._files: dict[Planned, None] = {}
        self._declared = bool(depends)
        self._entry = entry
        self._called = called
        root = _Component(_ENTRY, "", _ENTRY, entry)
        self._here = root
        self._write(root, [(entry, _ENTRY), *([(depends, "depends")] if depends else [])])
        plain = isinstance(entry, types.FunctionType | type) or is_stage(entry)
        self._show_entry = bool(depends) or not plain
        self._ordered = self._walk(root)

    def result(self) -> Code:
        numbers = {id(component): str(n) for n, component in enumerate(self._ordered)}
        packages = dict(sorted(self._packages.items()))
        total = bytearray(text(FORMAT) + text("code"))
        for name, version in packages.items():
            total += text(name) + text(version)
        parts: dict[str, str] = {}
        sources: dict[str, str] = {}
        for component in self._ordered:
            names = "".join(f"{len(a)}:{a}{len(b)}:{b}" for a, b, _ in component.edges)
            digest = blake3(text(component.kind) + component.own + text(names)).hexdigest()
            reached = [numbers[id(target)] if target else "-" for _, _, target in component.edges]
            total += text(digest) + text(" ".join(reached))
            if component.kind != _ENTRY or self._show_entry:
                title = _free_title(component.title, parts)
                parts[title] = digest
                if component.source:
                    sources[title] = component.source
        return Code(
            digest=blake3(total).hexdigest(),
            parts=parts,
            sources=sources,
            packages=packages,
            unresolved=tuple(sorted(self._unresolved)),
            files=tuple(self._files),
        )

    def _walk(self, root: _Component) -> list[_Component]:
        """Describe components breadth first, the edges of each in the order of their labels."""
        ordered, known = [root], {id(root)}
        for component in ordered:
            self._here = component
            _DESCRIBE[component.kind](self, component)
            component.edges.sort(key=lambda edge: edge[:2])
            for _, _, target in component.edges:
                if target is not None and id(target) not in known:
                    known.add(id(target))
                    ordered.append(target)
        return ordered

    # What an encoder asks for.

    def code(self, value: object, where: str) -> str:
        """Note an edge to a function, a class or a module, and return its name."""
        reached, target = self._target(value)
        self._here.edges.append((where, reached, target))
        return reached

    def unknown(self, value: object, where: str, reason: str) -> str:
        """Count a value by its class and say so, unless it merely serves a class's lookup."""
        kind = type(value)
        if not hasattr(kind, "__get__"):
            here = self._here
            if here.kind == _ENTRY:
                place = where
            elif here.kind == "constant":
                place = here.title + where.removeprefix(here.name)
            else:
                place = here.title + (where if where.startswith(".") else f": {where}")
            said = reason or "counts by its class alone"
            self._unresolved.add(f"{place}, a {kind.__module__}.{kind.__qualname__}, {said}")
        return self.code(kind, f"{where}.__class__")

    # The ends of edges.

    def _target(self, value: Any) -> tuple[str, _Component | None]:
        origin = origin_of(value)
        if origin is Origin.USER:
            if isinstance(value, types.FunctionType):
                code, scope = value.__code__, value.__globals__
                module = str(scope.get("__name__", ""))
                return self._reach("function", module, code.co_qualname, value)
            if isinstance(value, types.ModuleType):
                return self._reach("module", "", value.__name__, value)
            if isinstance(value, type):
                return self._reach("class", value.__module__, value.__qualname__, value)
            name = _foreign_identity(value)
            self._unfollowed(f"{name} is compiled code")
            return name, None
        if isinstance(value, types.FunctionType) and not foreign_name(value):
            # Made by a function, such as the wrapper that a decorator returns.
            module = str(value.__globals__.get("__name__", ""))
            self._packages |= packages_of(module)
            return self._reach("foreign", module, value.__code__.co_qualname, value)
        self._packages |= packages_of(module_of(value))
        return _foreign_identity(value), None

    def _reach(self, kind: str, module: str, name: str, value: Any) -> tuple[str, _Component]:
        key = (kind, module, name, id(value))
        component = self._components.get(key)
        if component is None:
            component = self._components[key] = _Component(kind, module, name, value)
        # A module's name is where the user put it; what it holds is reached by its members.
        return ("module" if kind == "module" else name), component

    def _unfollowed(self, what: str) -> None:
        self._unresolved.add(f"{self._here.title}: {what}")

    # The descriptions of components.

    def _write(
        self, component: _Component, values: Iterable[tuple[object, str]], *first: Family
    ) -> None:
        out = encoder(self, *first, self._note_file)
        for value, where in values:
            out.text(b"part", where)
            out.encode(value, where)
        component.own += bytes(out.out)

    def _note_file(self, out: Encoder, value: Any, where: str) -> bool:
        """Note a file that counts; how it is written is told elsewhere."""
        if isinstance(value, File):
            self._files[Planned.of(value)] = None
        return False

    def _describe_function(self, component: _Component) -> None:
        function: types.FunctionType = component.value
        facts = _facts(function.__code__)
        component.source = facts.text
        component.own = facts.body
        cells = _cells(function)
        defaults = (function.__defaults__, function.__kwdefaults__)
        values = [
            (function.__dict__.get("__wrapped__"), "__wrapped__"),
            *((v, name) for name, v in cells.items() if not isinstance(v, types.ModuleType)),
        ]
        # A stage's defaults are parameters, and the content of their files counts as such.
        own = self._called and function is self._entry
        first = [_encode_any_file] if own else []
        self._write(component, [(v, "defaults") for v in defaults if v is not None], *first)
        self._write(component, [(v, where) for v, where in values if v is not None])
        for decorator in facts.decorators:
            self._decorate(component, decorator, function.__globals__)
        for chain in facts.chains:
            self._follow(chain, function.__globals__, cells)

    def _decorate(self, component: _Component, decorator: Decorator, scope: dict[str, Any]) -> None:
        if decorator.chains and _is_own(decorator.chains[0], scope):
            return  # A declaration is not part of what it declares.
        component.own += text(decorator.dump)
        for chain in decorator.chains:
            if chain.root in scope:
                self._follow(chain, scope, {})

    def _follow(self, chain: Chain, scope: dict[str, Any], cells: dict[str, Any]) -> None:
        found = find(chain, scope, cells)
        if isinstance(found, Found):
            self._use(found, chain.label)
        elif isinstance(found, Foreign):
            self._packages |= packages_of(found.module)
            self._here.edges.append((chain.label, found.name, None))
        elif isinstance(found, Unfollowed):
            if not (found.dynamic and self._declared):
                self._unfollowed(found.reason)
            self._here.edges.append((chain.label, found.reason, None))

    def _use(self, found: Found, label: str) -> None:
        """Note an edge to what a module of the user's names."""
        value = found.value
        while is_stage(value) and not getattr(value, "depends", ()):
            value = value.__wrapped__
        if isinstance(value, types.ModuleType) and origin_of(value) is Origin.USER:
            self._unfollowed(f"{found.name} is used as a value, so all of it counts")
        if isinstance(value, _CODE) or (callable(value) and foreign_name(value)):
            self.code(value, label)
            first = found.attributes[0] if found.attributes else ""
            if isinstance(value, types.FunctionType) and first in value.__dict__:
                name = f"{found.name}.{first}"
                reached = self._reach("constant", found.module, name, value.__dict__[first])
                self._here.edges.append((f"{label}.{first}", *reached))
            return
        self._here.edges.append((label, *self._reach("constant", found.module, found.name, value)))

    def _describe_foreign(self, component: _Component) -> None:
        """Count a function made in another's code by the user's code and values within it."""
        function: types.FunctionType = component.value
        component.own = text(component.title) + encode_bytecode(function.__code__)
        held = {**_cells(function), "__wrapped__": function.__dict__.get("__wrapped__")}
        values = [(v, name) for name, v in held.items() if callable(v) or type(v) in LEAVES]
        if hasattr(function, "dispatch"):  # functools.singledispatch
            values.append((getattr(function, "registry", None), "registry"))
        self._write(component, values)

    def _describe_class(self, component: _Component) -> None:
        out = encoder(self, self._note_file)
        encode_class(out, component.value)
        component.own = bytes(out.out)
        component.source = self._statement(component)

    def _describe_constant(self, component: _Component) -> None:
        self._write(component, [(component.value, component.name)])
        component.source = self._statement(component)

    def _describe_module(self, component: _Component) -> None:
        for name, value in sorted(vars(component.value).items()):
            if not (name.startswith("__") and name.endswith("__")):
                self._use(Found(value, component.name, name), name)

    def _describe_entry(self, component: _Component) -> None:
        """Do nothing: the entry was written first."""

    def _statement(self, component: _Component) -> str:
        file = getattr(sys.modules.get(component.module), "__file__", None)
        return statement_text(file, component.name) if file else ""


_DESCRIBE: Final = {
    "function": _Closure._describe_function,
    "foreign": _Closure._describe_foreign,
    "class": _Closure._describe_class,
    "constant": _Closure._describe_constant,
    "module": _Closure._describe_module,
    _ENTRY: _Closure._describe_entry,
}


def _encode_any_file(out: Encoder, value: Any, where: str) -> bool:
    """Write a file without its path and content."""
    if not isinstance(value, File):
        return False
    out.text(b"file", "")
    return True


def _cells(function: types.FunctionType) -> dict[str, Any]:
    cells = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            cells[name] = cell.cell_contents
        except ValueError:  # not bound yet
            continue
    return cells


def _is_own(chain: Chain, scope: dict[str, Any]) -> bool:
    """Whether what a decorator calls is this package's: a function, or a method of a handle."""
    value = scope.get(chain.root)
    if isinstance(value, types.FunctionType | types.ModuleType | type):
        return origin_of(value) is Origin.OWN
    return origin_of_module(type(value).__module__) is Origin.OWN


def _free_title(title: str, taken: dict[str, str]) -> str:
    """Return the title, numbered where functions made by one function share it."""
    number, free = 1, title
    while free in taken:
        number += 1
        free = f"{title}#{number}"
    return free
