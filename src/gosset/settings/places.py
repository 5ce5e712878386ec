"""Where things lie: the root, the store, its artifacts."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from ..exceptions import StoreReadOnlyError

STORE_FOLDER = ".gosset"
"""Folder, in the root, of the default store."""


def find_root(start: Path) -> Path:
    """Return the nearest folder, from `start` upwards, that marks a project.

    Marks are ``.gosset/``, ``gosset.toml`` and ``pyproject.toml``; where no parent has
    one, `start` itself is the root.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / STORE_FOLDER).is_dir() or any(
            (folder / name).is_file() for name in ("gosset.toml", "pyproject.toml")
        ):
            return folder
    return start


def default_store_url(root: Path) -> str:
    """Return the URL of the store that is used where none is set.

    Examples
    --------
    >>> default_store_url(Path("/lab"))
    'sqlite:////lab/.gosset/store.db'
    """
    return sqlite_url(root / STORE_FOLDER / "store.db")


def sqlite_url(path: Path) -> str:
    """Return the URL of an SQLite store, in which only what URLs read otherwise is encoded.

    Examples
    --------
    >>> sqlite_url(Path("/my lab/50%.db"))
    'sqlite:////my lab/50%25.db'
    """
    return f"sqlite:///{path.as_posix().replace('%', '%25').replace('?', '%3F')}"


def sqlite_path(store_url: str) -> Path | None:
    """Return the file of an SQLite store; None for other stores and for one in memory.

    Examples
    --------
    >>> sqlite_path("sqlite:////lab/iris.db").as_posix()
    '/lab/iris.db'
    >>> sqlite_path("sqlite:////lab/50%25.db").as_posix()
    '/lab/50%.db'
    >>> sqlite_path("sqlite://"), sqlite_path("postgresql://host/lab")
    (None, None)
    """
    scheme, _, rest = store_url.partition(":///")
    path = rest.partition("?")[0]
    if scheme.partition("+")[0] != "sqlite" or path in ("", ":memory:"):
        return None
    return Path(unquote(path))


_KEPT_IN_FOLDER = {
    ".gitignore": "# Made by Gosset: the store is not part of the code.\n*\n",
    "config.toml": "# Settings for this folder alone; 'gosset config list' shows all that hold.\n",
}


def prepare_store_folder(folder: Path) -> None:
    """Make the folder that a store will lie in.

    A folder named ``.gosset`` gets a ``.gitignore``, so that no version control takes up
    the store, and a file for settings. Other folders are the user's own: nothing is put into
    them.

    Raises
    ------
    StoreReadOnlyError
        The folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if folder.name == STORE_FOLDER:
            for name, text in _KEPT_IN_FOLDER.items():
                if not (folder / name).exists():
                    (folder / name).write_text(text)
    except OSError as error:
        raise StoreReadOnlyError(
            f"the store's folder {folder} cannot be made: {error.strerror}",
            hint="choose another place with --store or GOSSET_STORE",
        ) from error
