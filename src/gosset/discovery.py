"""Finds the experiments that a Python file declares, by importing it."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
import types
from pathlib import Path

from .entities import Launch
from .exceptions import GossetError, NotFoundError, UsageError, did_you_mean
from .experiment import Experiment
from .importing import SourceLoader, importing, leave_folders_clean
from .usercode import told, user_line

_SHOWN = 200
"""Characters of a path that are repeated in a message."""


def load_experiments(reference: str) -> list[Experiment]:
    """Import a file and return the experiments that it declares.

    An experiment belongs to the file when the file binds it to a module-level name, unless
    it was imported: made in another file, and bound there to a module-level name too. So a
    function of another module may make an experiment for this file, while
    ``from baseline import experiment`` does not run the baseline once more.

    Parameters
    ----------
    reference : str
        ``FILE`` or ``FILE::EXPERIMENT``, where the latter is the experiment's name or the
        name that it is bound to; an imported experiment can be named too.

    Returns
    -------
    list of Experiment
        In the order in which the file binds them, each once.

    Raises
    ------
    UsageError
        The file cannot be imported (the message says where), declares no experiment, or
        two of one name.
    NotFoundError
        There is no such file, or no such experiment in it.
    """
    path, _, name = reference.partition("::")
    module = load_module(path)
    bound = _bound(module)
    found = [_named(name, bound, path)] if name else _declared(module, bound, path)
    for experiment in found:
        # Where to find it again, also when a function of another module made it.
        experiment.origin = Path(path).resolve()
    return found


def experiment_of(launch: Launch) -> Experiment:
    """Import the file of a launch and return its experiment.

    A process that has imported the file already has its code as it was then: after an edit,
    restart the kernel of a notebook, or resume the launch with ``gosset resume``.

    Raises
    ------
    UsageError
        The launch was not started from a file, or the file cannot be imported.
    NotFoundError
        The file is gone, or does not declare the experiment any more.
    """
    file = launch.settings.get("file")
    if not isinstance(file, str):
        raise UsageError(
            f"launch {launch.experiment}#{launch.number} was not started from a file",
            hint="call resume() of the experiment where it is declared",
        )
    experiment = load_experiments(f"{file}::{launch.experiment}")[0]
    if experiment.project is None:
        # The active project may be another one by now.
        experiment.project = launch.project
    return experiment


def _named(name: str, bound: dict[str, Experiment], path: str) -> Experiment:
    for experiment in bound.values():
        if experiment.name == name:
            return experiment
    if name in bound:
        return bound[name]
    known = [*bound, *(experiment.name for experiment in bound.values())]
    raise NotFoundError(f"{path} has no experiment {name!r}", hint=did_you_mean(name, known))


def _declared(
    module: types.ModuleType, bound: dict[str, Experiment], path: str
) -> list[Experiment]:
    found = [e for e in bound.values() if not _imported(e, module)]
    if not found:
        raise UsageError(
            f"{path} declares no experiment",
            hint="bind a gosset.Experiment to a module-level name",
        )
    names = [f"{experiment.project_name}/{experiment.name}" for experiment in found]
    for each in names:
        if names.count(each) > 1:
            raise UsageError(f"{path} declares two experiments named {each!r}")
    return found


def load_module(path: str | Path) -> types.ModuleType:
    """Import a Python file as a module, under its stem where that is free.

    The file's folder comes first on ``sys.path``, so that it can import its neighbours. A
    file of a package is imported as a part of it, with its relative imports; the folder in
    which the package lies comes first then, and the file's own last. A file whose stem is
    no identifier, or is the name of an installed module, goes by another name; in the
    latter case its folder comes last on ``sys.path``, so that it does not stand before that
    module. Worker processes get what the file defines by value. Importing a file starts
    nothing: an experiment that is executed meanwhile refuses. A file that this process has
    imported already is not imported anew: the module is returned as it is.

    Raises
    ------
    NotFoundError
        There is no such file.
    UsageError
        It is no Python file, or importing it raises; the message says where.
    """
    file = _existing(path)
    if file.suffix != ".py":
        raise UsageError(f"{path} is no Python file", hint="experiments are declared in Python")
    package, root = _package_of(file)
    name, clashes = (f"{package}.{file.stem}", True) if package else _module_name(file)
    loaded = sys.modules.get(name)
    if loaded is not None and _is_of(loaded, file):
        return loaded
    if package and str(root) not in sys.path:
        sys.path.insert(0, str(root))
    folder = str(file.parent)
    if folder not in sys.path:
        sys.path.insert(len(sys.path) if clashes else 0, folder)
    leave_folders_clean()
    try:
        with importing():
            module = importlib.import_module(name) if package else _executed(name, file)
    except BaseException as error:
        sys.modules.pop(name, None)
        if isinstance(error, KeyboardInterrupt):
            raise
        # Whatever else a file raises, also SystemExit, is told with its line.
        raise _unimportable(error, file) from error
    import cloudpickle

    cloudpickle.register_pickle_by_value(module)
    return module


def _executed(name: str, file: Path) -> types.ModuleType:
    """Import a file that is part of no package as the module `name`."""
    spec = importlib.util.spec_from_file_location(name, file, loader=SourceLoader(name, str(file)))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _existing(path: str | Path) -> Path:
    """Return the absolute path of a file that is there."""
    shown = repr(str(path)) if len(str(path)) <= _SHOWN else f"{str(path)[:_SHOWN]!r}…"
    try:
        file = Path(path).resolve()
        if file.is_file():
            return file
        folder = file.is_dir()
        near = [each.name for each in file.parent.glob("*.py")]
    except (OSError, ValueError) as error:  # too long, or with a zero in it
        raise NotFoundError(f"there is no file {shown}", hint="look at its name") from error
    if folder:
        raise UsageError(f"{shown} is a folder", hint="name a Python file in it")
    raise NotFoundError(
        f"there is no file {shown}",
        hint=did_you_mean(file.name, near) or f"looked in {file.parent}",
    )


def _bound(module: types.ModuleType) -> dict[str, Experiment]:
    found: dict[str, Experiment] = {}
    for name, value in vars(module).items():
        if isinstance(value, Experiment) and not any(value is other for other in found.values()):
            found[name] = value
    return found


def _imported(experiment: Experiment, module: types.ModuleType) -> bool:
    """Whether another module, in whose file the experiment was made, binds it as well."""
    if experiment.origin is None:
        return False
    return any(
        other is not module
        and _is_of(other, experiment.origin)
        and any(value is experiment for value in list(vars(other).values()))
        for other in list(sys.modules.values())
        if isinstance(other, types.ModuleType)
    )


def _is_of(module: types.ModuleType, file: Path) -> bool:
    where = getattr(module, "__file__", None)
    return isinstance(where, str) and Path(where).resolve() == file


def _package_of(file: Path) -> tuple[str, Path]:
    """Return the package that a file is part of, empty for none, and the folder it lies in."""
    root, names = file.parent, list[str]()
    while (root / "__init__.py").is_file() and root.name.isidentifier():
        names.insert(0, root.name)
        root = root.parent
    part = file.stem.isidentifier() and file.stem != "__init__"
    if not names or not part or _taken(names[0], root / names[0] / "__init__.py"):
        return "", file.parent
    return ".".join(names), root


def _module_name(file: Path) -> tuple[str, bool]:
    """Return a name for the module, and whether the file's own is an installed module's."""
    name = re.sub(r"\W", "_", file.stem)
    if not name.isidentifier():
        name = f"_{name}"
    clashes = name == file.stem and _taken(name, file)
    while _taken(name, file):
        name += "_"
    return name, clashes


def _taken(name: str, file: Path) -> bool:
    if name in sys.modules:
        return not _is_of(sys.modules[name], file)
    found = importlib.util.find_spec(name)
    if found is None:
        return False
    return found.origin is None or Path(found.origin).resolve() != file


def _unimportable(error: BaseException, file: Path) -> GossetError:
    where = user_line(error) or str(file)
    if isinstance(error, GossetError):
        return type(error)(f"{where}: {error.message}", hint=error.hint)
    return UsageError(f"{where}: {told(error)}", hint="the file cannot be imported")
