"""Finding what a name in a function stands for at this moment."""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import sys
import types
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from .bytecode import Chain
from .origins import Origin, foreign_name, origin_of, origin_of_module

_ABSENT: Final = object()
_DYNAMIC: Final = frozenset({"eval", "exec", "__import__", "globals"})
_DYNAMIC_FOREIGN: Final = (
    *(f"builtins.{name}" for name in sorted(_DYNAMIC)),
    "importlib.import_module",
    "importlib.__import__",
    "importlib.util.module_from_spec",
    "importlib.util.spec_from_file_location",
    "runpy.run_module",
    "runpy.run_path",
    "sys.modules",
)
_ANY: Final = " can reach any code"


class Found(NamedTuple):
    """An object that a module of the user's names.

    Attributes
    ----------
    value : object
    module, name : str
        Where it was found.
    attributes : tuple of str
        Those of the chain that are left.
    """

    value: Any
    module: str
    name: str
    attributes: tuple[str, ...] = ()


class Foreign(NamedTuple):
    """Something in a module that is not the user's, by its dotted name."""

    module: str
    name: str


class Unfollowed(NamedTuple):
    """A name that cannot be followed, and why.

    Attributes
    ----------
    dynamic : bool
        What it leads to is settled only when the code runs.
    """

    reason: str
    dynamic: bool = False


Target: TypeAlias = "Found | Foreign | Unfollowed | None"


def find(chain: Chain, scope: Mapping[str, Any], cells: Mapping[str, Any]) -> Target:
    """Return what a chain leads to; None for what needs no following.

    Parameters
    ----------
    chain : Chain
        As found in the function's code.
    scope : mapping
        The function's global names.
    cells : mapping
        Its variables from outer functions; those that are no modules are followed
        with the function itself.
    """
    here = str(scope.get("__name__", ""))
    if chain.kind == "import":
        return _find_import(chain, scope)
    if chain.kind == "cell":
        value = cells.get(chain.root)
        return _walk(value, chain, here) if isinstance(value, types.ModuleType) else None
    value = scope.get(chain.root, _ABSENT)
    if value is not _ABSENT:
        special = chain.root.startswith("__") and chain.root.endswith("__")
        return None if special else _walk(value, chain, here)
    if not hasattr(builtins, chain.root):
        return Unfollowed(f"{chain.root} is not defined")
    if chain.root in _DYNAMIC:
        return _dynamic(chain.root)
    return None


def dynamic_ways(unresolved: Iterable[str]) -> dict[str, list[str]]:
    """Return component → the ways by which it reaches code that cannot be told beforehand.

    Parameters
    ----------
    unresolved : iterable of str
        As of :class:`Code`.

    Examples
    --------
    >>> dynamic_ways(["lab.words: eval can reach any code", "lab.words: missing is not defined"])
    {'lab.words': ['eval']}
    """
    found: dict[str, list[str]] = {}
    for said in unresolved:
        component, _, reason = said.rpartition(": ")
        if component and reason.endswith(_ANY):
            found.setdefault(component, []).append(reason.removesuffix(_ANY))
    return found


def _dynamic(name: str) -> Unfollowed:
    return Unfollowed(f"{name}{_ANY}", dynamic=True)


def _walk(value: Any, chain: Chain, module: str) -> Target:
    """Take attributes as long as they lead through modules of the user's."""
    name, attributes = chain.root, chain.attributes
    while isinstance(value, types.ModuleType) and attributes:
        if origin_of(value) is not Origin.USER:
            return _foreign(value.__name__, attributes)
        module, name, attributes = value.__name__, attributes[0], attributes[1:]
        if name.startswith("__") and name.endswith("__"):
            return None
        value = _attribute(value, name)
        if value is _ABSENT:
            return Unfollowed(f"{module} has no {name}")
    offered = "sys.modules" if value is sys.modules else foreign_name(value)
    if offered in _DYNAMIC_FOREIGN:
        return _dynamic(offered)
    return Found(value, module, name, attributes)


def _attribute(module: types.ModuleType, name: str) -> Any:
    value = getattr(module, name, _ABSENT)
    if value is _ABSENT and hasattr(module, "__path__"):
        submodule = f"{module.__name__}.{name}"
        value = sys.modules.get(submodule) or _import(submodule, _ABSENT)
    return value


def _find_import(chain: Chain, scope: Mapping[str, Any]) -> Target:
    name = chain.root
    if chain.level:
        package = scope.get("__package__") or str(scope.get("__name__", "")).rpartition(".")[0]
        try:
            name = importlib.util.resolve_name("." * chain.level + name, package)
        except ImportError:
            return Unfollowed(f"{chain.label} has no package to start from")
    module = sys.modules.get(name)
    if module is None:
        try:
            spec = importlib.util.find_spec(name)
        except Exception:  # noqa: BLE001 - as below: it imports the packages above
            spec = None
        if spec is None:
            return Unfollowed(f"module {name} is not installed")
        if origin_of_module(name, spec.origin) is not Origin.USER:
            return _foreign(name, chain.attributes)
        module = _import(name, None)
        if module is None:
            return Unfollowed(f"module {name} cannot be imported")
    return _walk(module, chain, name)


def _foreign(module: str, attributes: tuple[str, ...]) -> Target:
    name = ".".join((module, *attributes))
    for way in _DYNAMIC_FOREIGN:
        if f"{name}.".startswith(f"{way}."):
            return _dynamic(way)
    return Foreign(module, name)


def _import(name: str, default: Any) -> Any:
    # The function has not run yet, so what it imports may not be there. An import runs
    # code of the user's, which may raise anything; the function then would, too.
    try:
        return importlib.import_module(name)
    except Exception:  # noqa: BLE001
        return default
