"""What the files of a Git repository tell at once, where there is no time to ask Git."""

from __future__ import annotations

import os
import sys
from typing import Final

from ..types import JSONValue

_LARGEST: Final = 1 << 22
"""Bytes of a file that is looked through."""


def glance(path: str) -> dict[str, JSONValue] | None:
    """Return commit, branch and remote of the repository that holds a file.

    Parameters
    ----------
    path : str
        Absolute, of a file or a folder.

    Returns
    -------
    dict or None
        ``kind``, ``commit``, ``branch``, ``remote`` and ``path``, as
        :func:`gosset.provenance.code_version` has them; nothing is known of changes. None where
        the file is in no repository, belongs to an installed package, or its repository is kept
        in another way.
    """
    root = repository(path)
    if root is None:
        return None
    folder = _git_folder(root)
    common = os.path.join(folder, _read(os.path.join(folder, "commondir")) or "")
    head = _read(os.path.join(folder, "HEAD"))
    ref = head.removeprefix("ref: ") if head.startswith("ref: ") else None
    commit = head if ref is None else _resolved(folder, common, ref)
    if not commit:
        return None
    return {
        "kind": "git",
        "commit": commit,
        "branch": ref.removeprefix("refs/heads/") if ref else None,
        "remote": _remote(common),
        "path": os.path.relpath(path, root).replace(os.sep, "/"),
    }


def repository(path: str) -> str | None:
    """Return the folder that has ``.git`` and holds `path`, unless a package was installed there."""
    if "site-packages" in path or path.startswith(os.path.join(sys.prefix, "bin", "")):
        return None
    folder = path
    while not os.path.exists(os.path.join(folder, ".git")):
        folder, before = os.path.dirname(folder), folder
        if folder == before:
            return None
    return folder


def _git_folder(root: str) -> str:
    """Return where Git keeps its own: a working tree beside the first one has a file that says so."""
    place = os.path.join(root, ".git")
    if os.path.isdir(place):
        return place
    return os.path.join(root, _read(place).removeprefix("gitdir: "))


def _resolved(folder: str, common: str, ref: str) -> str | None:
    found = _read(os.path.join(folder, ref)) or _read(os.path.join(common, ref))
    if found:
        return found
    for line in _read(os.path.join(common, "packed-refs")).splitlines():
        if line.endswith(f" {ref}"):
            return line.partition(" ")[0]
    return None


def _remote(common: str) -> str | None:
    """Return the URL of ``origin``, else of the first remote, without credentials."""
    urls: dict[str, str] = {}
    name = ""
    for line in _read(os.path.join(common, "config")).splitlines():
        line = line.strip()
        if line.startswith("["):
            name = line[9:-2] if line.startswith('[remote "') and line.endswith('"]') else ""
        key, _, value = line.partition("=")
        if name and key.strip() == "url":
            urls.setdefault(name, value.strip())
    url = urls.get("origin") or next(iter(urls.values()), None)
    if url is not None and "@" in url:
        from .redaction import redact_url

        return redact_url(url)
    return url


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(_LARGEST).decode(errors="replace").strip()
    except OSError:
        return ""
