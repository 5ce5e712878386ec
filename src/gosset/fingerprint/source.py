"""Source text matched to loaded code, and its syntax tree without what does not count."""

from __future__ import annotations

import ast
import copy
import functools
import io
import linecache
import os
import types
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from .bytecode import Chain, same_code

FunctionNode: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda"
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True, slots=True)
class Decorator:
    """A decorator line: its syntax tree as text, and what it reaches by name."""

    dump: str
    chains: tuple[Chain, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """The source of one function, matched to its loaded code.

    Attributes
    ----------
    dump : str
        Syntax tree without docstrings, annotations, decorators and positions.
    text : str
        As written, with its decorators.
    decorators : tuple of Decorator
        From the outermost in.
    """

    dump: str
    text: str
    decorators: tuple[Decorator, ...]


@dataclass(slots=True)
class _File:
    """What one text holds: functions with their compiled code, and other named statements."""

    lines: list[str] = field(default_factory=list)
    functions: dict[str, list[tuple[types.CodeType, FunctionNode]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    statements: dict[str, str] = field(default_factory=dict)


def source_of(code: types.CodeType) -> Source | None:
    """Return the source of a loaded code object, or None where no text matches it.

    The text is compiled again and compared with what is loaded, so a file that was edited
    after its import is never mistaken for the code that runs.
    """
    file = _file(code.co_filename)
    for compiled, found in file.functions.get(code.co_qualname, ()):
        if same_code(compiled, code):
            return _source(found, file.lines)
    return None


def statement_text(filename: str, name: str) -> str:
    """Return the text of a class (without its methods) or of an assignment, for showing."""
    return _file(filename).statements.get(name, "")


def _file(filename: str) -> _File:
    if filename.startswith("<"):
        return _read_cell(filename, "".join(linecache.getlines(filename)))
    try:
        found = os.stat(filename)
    except OSError:
        # Notebooks give their cells names of files that do not exist.
        return _read_cell(filename, "".join(linecache.getlines(filename)))
    return _read_file(filename, found.st_mtime_ns, found.st_size)


@functools.lru_cache(maxsize=512)
def _read_file(filename: str, modified: int, size: int) -> _File:
    try:
        with open(filename, "rb") as file:
            return _index(file.read(), filename)
    except OSError:
        return _File()


@functools.lru_cache(maxsize=512)
def _read_cell(filename: str, content: str) -> _File:
    return _index(content.encode(), filename)


def _index(content: bytes, filename: str) -> _File:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the compiler warns of, the import said
            tree = ast.parse(content)
            module = compile(tree, filename, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError):
        return _File()
    file = _File(lines=io.StringIO(content.decode("utf-8", "replace"), None).readlines())
    nodes: dict[tuple[str, int], list[FunctionNode]] = defaultdict(list)
    for found in ast.walk(tree):
        if isinstance(found, _FUNCTIONS):
            nodes[_name(found), _first_line(found)].append(found)
    for code in _codes(module):
        paired = _pair(code, nodes.get((code.co_name, code.co_firstlineno), []))
        if paired is not None:
            file.functions[code.co_qualname].append((code, paired))
    _add_statements(file, tree.body, "")
    return file


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant
            yield from _codes(constant)


def _name(found: FunctionNode) -> str:
    return "<lambda>" if isinstance(found, ast.Lambda) else found.name


def _first_line(found: ast.stmt | ast.expr) -> int:
    decorators: list[ast.expr] = getattr(found, "decorator_list", [])
    return min((found.lineno, *(decorator.lineno for decorator in decorators)))


def _pair(code: types.CodeType, nodes: list[FunctionNode]) -> FunctionNode | None:
    """Return the node that a code object was compiled from.

    Several lambdas can begin on one line: the innermost is meant whose body spans all
    of the instructions' columns.
    """
    if len(nodes) < 2:
        return nodes[0] if nodes else None
    spans = [
        ((line, column), (end_line, end_column))
        for line, end_line, column, end_column in code.co_positions()
        if None not in (line, end_line, column, end_column)
        and (line, column) != (end_line, end_column)
    ]
    if not spans:
        return None
    start, end = min(span[0] for span in spans), max(span[1] for span in spans)
    around = [node for node in nodes if _begin(_body(node)) <= start and end <= _end(_body(node))]
    return max(around, key=lambda node: _begin(_body(node)), default=None)


def _body(found: FunctionNode) -> ast.expr | ast.stmt:
    return found.body if isinstance(found, ast.Lambda) else found


def _begin(found: ast.expr | ast.stmt) -> tuple[int, int]:
    return found.lineno, found.col_offset


def _end(found: ast.expr | ast.stmt) -> tuple[int, int]:
    return found.end_lineno or 0, found.end_col_offset or 0


def _source(found: FunctionNode, lines: list[str]) -> Source:
    first, last = _first_line(found), found.end_lineno or found.lineno
    written = "".join(lines[first - 1 : last])
    decorators = tuple(
        Decorator(ast.dump(decorator), _decorator_chains(decorator))
        for decorator in getattr(found, "decorator_list", ())
    )
    return Source(ast.dump(normalised(found)), written, decorators)


def _decorator_chains(decorator: ast.expr) -> tuple[Chain, ...]:
    """Return the chains in a decorator; that of what is called comes first."""
    chains: list[Chain] = []
    waiting: list[ast.AST] = [decorator]
    while waiting:
        found = waiting.pop(0)
        chain = _expression_chain(found)
        if chain is not None:
            chains.append(chain)
        else:
            waiting.extend(ast.iter_child_nodes(found))
    return tuple(chains)


def _expression_chain(found: ast.AST) -> Chain | None:
    attributes: list[str] = []
    while isinstance(found, ast.Attribute):
        attributes.append(found.attr)
        found = found.value
    if isinstance(found, ast.Name):
        return Chain(found.id, tuple(reversed(attributes)))
    return None


def _add_statements(file: _File, body: list[ast.stmt], prefix: str) -> None:
    for found in body:
        text = "".join(file.lines[_first_line(found) - 1 : found.end_lineno])
        if isinstance(found, ast.ClassDef):
            file.statements[prefix + found.name] = _class_text(file, found)
            _add_statements(file, found.body, f"{prefix}{found.name}.")
        elif isinstance(found, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = found.targets if isinstance(found, ast.Assign) else [found.target]
            for target in targets:
                for named in ast.walk(target):
                    if isinstance(named, ast.Name):
                        file.statements[prefix + named.id] = text


def _class_text(file: _File, found: ast.ClassDef) -> str:
    """Return the lines of a class that are not those of its methods and inner classes."""
    inner = {
        line
        for part in found.body
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for line in range(_first_line(part), (part.end_lineno or part.lineno) + 1)
    }
    outer = range(_first_line(found), (found.end_lineno or found.lineno) + 1)
    return "".join(file.lines[line - 1] for line in outer if line not in inner)


def normalised(found: FunctionNode) -> FunctionNode:
    """Return the function's tree without what cannot change what it does.

    Docstrings, annotations, type parameters and the function's own decorators go;
    decorators of functions within it stay.
    """
    _Strip().visit(found)
    if isinstance(found, ast.Lambda):
        return found
    # The node itself keeps its decorators: it may stand within another function's tree.
    bare = copy.copy(found)
    bare.decorator_list = []
    return bare


class _Strip(ast.NodeTransformer):
    """Strips a tree in place. In a class, annotations stay: they declare its fields."""

    def __init__(self) -> None:
        self._in_class = False

    def _visit_function(self, found: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        outer, self._in_class = self._in_class, False
        found.returns = found.type_comment = None
        if hasattr(found, "type_params"):
            found.type_params = []
        found.body = _without_docstring(found.body)
        self.generic_visit(found)
        found.body = found.body or [ast.Pass()]
        self._in_class = outer
        return found

    visit_FunctionDef = _visit_function  # type: ignore[assignment]
    visit_AsyncFunctionDef = _visit_function  # type: ignore[assignment]

    def visit_ClassDef(self, found: ast.ClassDef) -> ast.AST:
        outer, self._in_class = self._in_class, True
        found.body = _without_docstring(found.body)
        self.generic_visit(found)
        self._in_class = outer
        return found

    def visit_arg(self, found: ast.arg) -> ast.AST:
        found.annotation = found.type_comment = None
        return found

    def visit_AnnAssign(self, found: ast.AnnAssign) -> ast.AST | None:
        self.generic_visit(found)
        if self._in_class:
            return found
        if found.value is None:
            return None
        return ast.Assign(targets=[found.target], value=found.value, lineno=found.lineno)

    def visit_Constant(self, found: ast.Constant) -> ast.AST:
        found.kind = None  # u"text" is "text"
        return found


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    if is_text and isinstance(first.value.value, str):  # type: ignore[union-attr]
        return body[1:]
    return body
