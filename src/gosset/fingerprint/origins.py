"""Whose code a module is: the user's, this package's, Python's, or a distribution's."""

from __future__ import annotations

import enum
import functools
import importlib.metadata
import os
import site
import sys
import sysconfig
import types
from typing import Any, Final

OWN: Final = __name__.partition(".")[0]
"""Name of this package."""


_TYPED: Final = ("<stdin>", "<ipython-input", "<doctest ")
"""How the files are called that code typed by hand is said to come from."""


class Origin(enum.Enum):
    """Whose code something is."""

    USER = "user"
    OWN = "own"
    PYTHON = "python"
    PACKAGE = "package"


def origin_of_module(name: str, file: str | None = None) -> Origin:
    """Tell whose code a module is.

    Parameters
    ----------
    name : str
        Dotted name.
    file : str, optional
        Where its code lies; by default where the loaded module of that name lies.

    Examples
    --------
    >>> origin_of_module("json"), origin_of_module("numpy"), origin_of_module("__main__", "/a.py")
    (<Origin.PYTHON: 'python'>, <Origin.PACKAGE: 'package'>, <Origin.USER: 'user'>)
    """
    if file is None and name == "__main__":
        # In a worker, what was defined in the user's script is still said to be from there.
        return Origin.USER
    if file is None:
        file = getattr(sys.modules.get(name), "__file__", None)
    if file is None:
        return _origin_without_file(name)
    return _origin_of_file(file, name.partition(".")[0])


def _origin_without_file(name: str) -> Origin:
    top = name.partition(".")[0]
    if top == OWN:
        return Origin.OWN
    if top in sys.stdlib_module_names:
        return Origin.PYTHON
    spec = getattr(sys.modules.get(name), "__spec__", None)
    places = list(getattr(spec, "submodule_search_locations", None) or ())
    if places:  # a namespace package
        return _origin_of_file(os.path.join(places[0], "__init__.py"), top)
    parent = sys.modules.get(top) if top != name else None
    return origin_of_module(top) if parent is not None else Origin.USER


@functools.cache
def _origin_of_file(file: str, top: str) -> Origin:
    if file.startswith(_TYPED):
        return Origin.USER
    if top == OWN:
        return Origin.OWN
    if file.startswith("<"):  # such as "<string>" and "<frozen os>"
        return Origin.PYTHON if top in sys.stdlib_module_names else Origin.USER
    for path in {os.path.abspath(file), os.path.realpath(file)}:
        if not {"site-packages", "dist-packages"}.isdisjoint(path.split(os.sep)):
            return Origin.PACKAGE
        if path.startswith(_places("packages")):
            return Origin.PACKAGE
    if os.path.realpath(file).startswith(_places("python")):
        return Origin.PYTHON
    return Origin.USER


@functools.cache
def _places(kind: str) -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    if kind == "python":
        found = [paths["stdlib"], paths["platstdlib"]]
    else:
        found = [paths["purelib"], paths["platlib"], *site.getsitepackages()]
        found.append(site.getusersitepackages())
    return tuple({os.path.join(os.path.realpath(path), "") for path in found})


def origin_of(value: Any) -> Origin:
    """Tell whose code a function, a class or a module is."""
    if isinstance(value, types.ModuleType):
        return origin_of_module(value.__name__, getattr(value, "__file__", None))
    if isinstance(value, types.FunctionType):
        name = str(value.__globals__.get("__name__", ""))
        return origin_of_module(name, value.__code__.co_filename)
    return origin_of_module(module_of(value))


def module_of(value: Any) -> str:
    """Return the name of the module that a function, a class or a module says it is from."""
    if isinstance(value, types.ModuleType):
        return value.__name__
    module = getattr(value, "__module__", None)
    if not isinstance(module, str):
        module = type(getattr(value, "__self__", value)).__module__
    return module


def foreign_name(value: object) -> str:
    """Return the dotted name of an object that a module not of the user's offers, or ``""``.

    Examples
    --------
    >>> import math, random
    >>> foreign_name(math.sqrt), foreign_name(random.gauss), foreign_name([].append)
    ('math.sqrt', 'random.gauss', '')
    """
    module = module_of(value)
    for attribute in ("__qualname__", "__name__"):
        name = getattr(value, attribute, None)
        if isinstance(name, str):
            found: object = sys.modules.get(module)
            for part in name.split("."):
                found = getattr(found, part, None)
            if found is value and origin_of_module(module) is not Origin.USER:
                return f"{module}.{name}"
    return ""


def packages_of(module: str) -> dict[str, str]:
    """Return distribution → version for a module that is not the user's.

    Python itself is there as ``python``, with its major and minor version, and this
    package under its own name. A package without metadata counts under its module's
    name, by its ``__version__``.

    Examples
    --------
    >>> list(packages_of("sklearn.svm"))
    ['scikit-learn']
    """
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return python_version()
    return dict(_packages_of_top(top))


def python_version() -> dict[str, str]:
    """Return Python's major and minor version as a package."""
    return {"python": f"{sys.version_info.major}.{sys.version_info.minor}"}


@functools.cache
def _packages_of_top(top: str) -> tuple[tuple[str, str], ...]:
    distributions = _distributions_of_top(top)
    if distributions:
        return tuple((name, importlib.metadata.version(name)) for name in distributions)
    version = getattr(sys.modules.get(top), "__version__", "unknown")
    return ((top, str(version)),)


def _distributions_of_top(top: str) -> tuple[str, ...]:
    if _provides(top, top):
        return (top,)
    # Reads the metadata of every installed distribution, so it is asked last.
    return tuple(sorted(set(_all_packages().get(top, ()))))


@functools.cache
def _all_packages() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())


def _provides(distribution: str, top: str) -> bool:
    """Whether the distribution of that name, if there is one, brings the module `top`."""
    try:
        found = importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    if top == OWN:  # an editable installation lists no modules
        return True
    names = (found.read_text("top_level.txt") or "").split()
    record = found.read_text("RECORD") or ""
    return top in names or f"\n{top}/" in record or record.startswith(f"{top}/")
