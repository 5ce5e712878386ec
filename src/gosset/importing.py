"""Imports the user's own modules: nothing is left beside them, and nothing starts meanwhile."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.abc import PathEntryFinder
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
)
from weakref import WeakSet

from .exceptions import UsageError
from .usercode import is_user_file

_importing: ContextVar[bool] = ContextVar("importing", default=False)

_before: list[set[threading.Thread]] = []
"""For each import that is going on, the threads that were there before it."""

_started: WeakSet[threading.Thread] = WeakSet()
"""Threads that were started during an import: they may outlast it."""


@contextmanager
def importing() -> Iterator[None]:
    """Say that a file is imported in the block, to learn what it declares."""
    token = _importing.set(True)
    before = set(threading.enumerate())
    _before.append(before)
    try:
        yield
    finally:
        _started.update(set(threading.enumerate()) - before)
        _before.remove(before)
        _importing.reset(token)


def _in_import() -> bool:
    """Whether this thread imports a file, or was started while one was imported."""
    thread = threading.current_thread()
    # New threads do not inherit the context of the thread that starts them.
    started = thread in _started or any(thread not in before for before in tuple(_before))
    return _importing.get() or started


def refuse_while_importing(what: str) -> None:
    """Raise where a file is being imported, also by way of a module that the file imports.

    Also in a thread that was started by the import, even when that came to its end meanwhile.

    Parameters
    ----------
    what : str
        What is not to happen then, as a sentence.

    Raises
    ------
    UsageError
        It is.

    Examples
    --------
    >>> refuse_while_importing("experiment 'e' is executed")
    >>> with importing():
    ...     refuse_while_importing("experiment 'e' is executed")
    Traceback (most recent call last):
        ...
    gosset.exceptions.UsageError: experiment 'e' is executed while its file is imported; ...
    """
    if _in_import():
        raise UsageError(
            f"{what} while its file is imported",
            hint='move this line under: if __name__ == "__main__":',
        )


class SourceLoader(SourceFileLoader):
    """Loads a source file; what Python compiles it to is used and not written."""

    def set_data(self, path: str, data: object, *, _mode: int = 0o666) -> None:
        """Write nothing."""


def leave_folders_clean() -> None:
    """Have Python import the user's own modules, from now on, without writing beside them.

    A repository then looks after a launch as it did before it, also where it does not
    ignore ``__pycache__``. Compiled modules that are there already are used, and those of
    installed packages are written as ever: importing them anew each time takes seconds.
    """
    if _finder not in sys.path_hooks:
        sys.path_hooks.insert(0, _finder)
        for folder in [folder for folder in sys.path_importer_cache if is_user_file(folder)]:
            del sys.path_importer_cache[folder]


_find = FileFinder.path_hook(
    (ExtensionFileLoader, EXTENSION_SUFFIXES), (SourceLoader, SOURCE_SUFFIXES)
)


def _finder(folder: str) -> PathEntryFinder:
    if not is_user_file(folder):
        raise ImportError(f"{folder} is not the user's own", path=folder)
    return _find(folder)
