"""What a code object reaches by name, and its encoding where there is no source text."""

from __future__ import annotations

import bisect
import dis
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from .leaves import integer, leaf, node, text
from .scalars import LEAVES

_ATTRIBUTES: Final = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
_GLOBALS: Final = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})
_SILENT: Final = frozenset({"NOP", "CACHE", "EXTENDED_ARG"})
# Python 3.13 has instructions such as STORE_FAST_LOAD_FAST, for two names at once.
_PAIRED: Final = re.compile(r"(LOAD_FAST|STORE_FAST)")


@dataclass(frozen=True, slots=True, order=True)
class Chain:
    """A name and the attributes taken from it, such as ``helpers.text.clean``.

    Attributes
    ----------
    root : str
        The name, or the module that an import statement in the function names.
    attributes : tuple of str
        In the order in which they are taken.
    kind : str
        ``"global"``, ``"cell"`` (a variable of an outer function) or ``"import"``.
    level : int
        Dots before the module's name in a relative import.
    label : str
        The chain as it was written.
    """

    root: str
    attributes: tuple[str, ...] = ()
    kind: str = "global"
    level: int = 0
    label: str = field(init=False)

    def __post_init__(self) -> None:
        dots = "import " + "." * self.level if self.kind == "import" else ""
        object.__setattr__(self, "label", dots + ".".join((self.root, *self.attributes)))

    def then(self, attribute: str) -> Chain:
        """Return the chain with one more attribute."""
        return replace(self, attributes=(*self.attributes, attribute))


def chains_of(code: types.CodeType) -> tuple[Chain, ...]:
    """Return what a code object and those within it reach by name, sorted, each once.

    Examples
    --------
    >>> def area(radius):
    ...     return math.pi * square(radius)
    >>> [chain.label for chain in chains_of(area.__code__)]
    ['math.pi', 'square']
    """
    found: set[Chain] = set()
    _follow(code, {}, frozenset(code.co_freevars), found)
    return tuple(sorted(found))


def _follow(
    code: types.CodeType, outer: dict[str, Chain], cells: frozenset[str], found: set[Chain]
) -> None:
    """Collect chains; `outer` are the names that imports in enclosing functions bind."""
    imports = _Imports({name: outer[name] for name in code.co_freevars if name in outer})
    chain: Chain | None = None
    for operation, value in _steps(code):
        if chain is not None and operation in _ATTRIBUTES:
            chain = chain.then(value)
            continue
        if chain is not None:
            found.add(chain)
            chain = None
        if operation in _GLOBALS:
            chain = imports.aliases.get(value, Chain(value))
        elif operation == "LOAD_CONST" or operation == "LOAD_SMALL_INT":
            imports.constant(value)
        elif operation.startswith("LOAD_") and value in imports.aliases:
            chain = imports.aliases[value]
        elif operation.startswith("LOAD_") and value in cells and "FAST" not in operation:
            chain = Chain(value, kind="cell")
        imports.step(operation, value)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            _follow(constant, imports.aliases, cells, found)


def _steps(code: types.CodeType) -> Iterator[tuple[str, Any]]:
    for instruction in dis.get_instructions(code):
        pair = _PAIRED.findall(instruction.opname)
        if len(pair) == 2:
            yield from zip(pair, instruction.argval, strict=True)
        elif instruction.opname not in _SILENT:
            yield instruction.opname, instruction.argval


class _Imports:
    """Learns which names the import statements of a function bind to what."""

    def __init__(self, aliases: dict[str, Chain]) -> None:
        self.aliases = aliases
        self._arguments: tuple[Any, Any] = (0, None)
        self._module = self._current = Chain("")
        self._walks_down = False
        self._pending = False

    def constant(self, value: Any) -> None:
        """Keep the last two constants: dots and names of the import that may follow."""
        self._arguments = (self._arguments[1], value)

    def step(self, operation: str, value: Any) -> None:
        """Take the next instruction."""
        if operation == "IMPORT_NAME":
            level, names = self._arguments
            # "import a.b" gives a, and "as c" walks down to b; "from a.b import c" gives a.b.
            self._walks_down = not names
            root = value.partition(".")[0] if self._walks_down else value
            self._module = self._current = Chain(root, kind="import", level=level)
        elif operation == "IMPORT_FROM":
            self._current = (self._current if self._walks_down else self._module).then(value)
        elif operation.startswith("STORE_") and self._pending:
            self.aliases[value] = self._current
        self._pending = operation in ("IMPORT_NAME", "IMPORT_FROM")


def encode_bytecode(code: types.CodeType) -> bytes:
    """Return an encoding of what a code object does, without names of files and lines.

    Docstrings do not count, because no instruction loads them.
    """
    instructions = [i for i in dis.get_instructions(code) if i.opname not in _SILENT]
    offsets = [instruction.offset for instruction in instructions]
    jumps = {*dis.hasjrel, *dis.hasjabs}
    arguments = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    out = bytearray(text(code.co_name) + text(" ".join(code.co_varnames)))
    out += b"".join(map(integer, arguments))
    for instruction in instructions:
        value = instruction.argval
        if instruction.opcode in jumps:
            value = bisect.bisect_left(offsets, value)
        out += text(instruction.opname) + _encode_constant(value)
    entries: Any = vars(dis.Bytecode(code))["exception_entries"]
    for entry in entries:
        places = (entry.start, entry.end, entry.target)
        out += b"".join(integer(bisect.bisect_left(offsets, place)) for place in places)
        out += integer(entry.depth) + integer(entry.lasti)
    return leaf(b"bytecode", bytes(out))


def _encode_constant(value: Any) -> bytes:
    if isinstance(value, types.CodeType):
        return encode_bytecode(value)
    if isinstance(value, tuple):
        return node(b"tuple", len(value)) + b"".join(map(_encode_constant, value))
    if isinstance(value, frozenset):
        return node(b"frozenset", len(value)) + b"".join(sorted(map(_encode_constant, value)))
    if type(value) in LEAVES:
        return LEAVES[type(value)](value)
    return text(type(value).__name__, b"operand")


def same_code(first: types.CodeType, second: types.CodeType) -> bool:
    """Whether two code objects do the same, wherever in a file they stand."""
    return first == second or _bare(first) == _bare(second)


def _bare(code: types.CodeType) -> types.CodeType:
    constants = tuple(_bare(c) if isinstance(c, types.CodeType) else c for c in code.co_consts)
    return code.replace(co_filename="", co_firstlineno=1, co_linetable=b"", co_consts=constants)
