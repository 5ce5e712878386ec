"""The version of the code that a file holds: in Git, in a package, or by its bytes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..types import JSONValue
from .environments import owner
from .git import GitError, WorkingTree, difference, find_repository, working_tree

DIFF_LIMIT = 10 * 2**20
"""Bytes up to which the difference to the commit is kept."""

CHANGED_LIMIT = 5000
"""Changed files up to which their difference is kept: a command line takes no more."""

FILE_LIMIT = 2**20
"""Bytes up to which an untracked file is kept."""

TOTAL_LIMIT = 20 * 2**20
"""Bytes up to which untracked files are kept altogether."""

NAMES_LIMIT = 1000
"""How many changed, and how many untracked, files are named."""

FILES_LIMIT = 200
"""How many untracked files are kept."""

_SECRET_FILES = re.compile(
    r"(?:^|/)(?:\.env(?:\..*|rc)?|.*\.(?:env|pem|key|p12|pfx|jks|keystore|kdbx|ppk|gpg|asc)"
    r"|id_(?:rsa|dsa|ecdsa|ed25519)(?:_.*)?|\.?(?:netrc|pgpass|pypirc|npmrc|htpasswd|git-credentials)"
    r"|(?:client_)?(?:secret|credential|password|token)s?(?:\..*)?)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class CodeVersion:
    """The version of the code that a file holds.

    Attributes
    ----------
    content : mapping
        As JSON. ``kind`` tells what else is there; ``notes`` say what is missing and why.

        - ``"git"``: ``commit``, ``branch``, ``remote``, ``path`` of the file from the root
          of the repository, ``dirty``, ``changed``, ``untracked``.
        - ``"package"``: ``name`` and ``version`` of the distribution.
        - ``"files"``: ``files``, name → BLAKE3 of the bytes.
    diff : bytes
        How tracked files differ from the commit, for ``git apply``; empty where they do not.
    untracked : mapping
        Name → bytes of files that are neither tracked nor ignored, where they are small.
    """

    content: Mapping[str, JSONValue]
    diff: bytes = b""
    untracked: Mapping[str, bytes] = field(default_factory=dict)


def code_version(path: Path) -> CodeVersion:
    """Tell which version of the code a file holds, and keep what Git does not have.

    Nothing is written to the repository. Files that look like secrets (``.env``, keys) are
    neither shown nor kept, and neither are files that ``.gitignore`` names.

    Parameters
    ----------
    path : Path
        A file, or a folder for code that is in no file, such as that of a notebook.

    Returns
    -------
    CodeVersion
        An installed package is known by its name and version, other code by its commit,
        and code outside any repository by its bytes. Where Git cannot answer, a note says
        why.
    """
    path = path.resolve()
    if found := owner(path):
        name, version = found
        return CodeVersion({"kind": "package", "name": name, "version": version, "notes": []})
    notes: list[str] = []
    try:
        root = find_repository(path if path.is_dir() else path.parent)
        if root is not None:
            return _in_git(path, working_tree(root))
    except GitError as error:
        notes.append(str(error))
    return _by_bytes(path, notes)


def _in_git(path: Path, tree: WorkingTree) -> CodeVersion:
    notes: list[str] = []
    diff = _difference(tree, notes)
    untracked = _small_files(tree.root, tree.untracked[:NAMES_LIMIT], notes)
    content: dict[str, JSONValue] = {
        "kind": "git",
        "commit": tree.commit,
        "branch": tree.branch,
        "remote": tree.remote,
        "path": _text(path.relative_to(tree.root.resolve()).as_posix()),
        "dirty": bool(tree.changed),
        "changed": _named(tree.changed, "changed", notes),
        "untracked": _named(tree.untracked, "untracked", notes),
        "notes": list(notes),
    }
    return CodeVersion(content, diff, untracked)


def _difference(tree: WorkingTree, notes: list[str]) -> bytes:
    secret = [name for name in tree.changed if _SECRET_FILES.search(name)]
    if secret:
        shown = ", ".join(map(_text, secret))
        notes.append(f"left out of the diff, for they may hold secrets: {shown}")
    names = [name for name in tree.changed if name not in secret]
    if len(names) > CHANGED_LIMIT:
        notes.append(f"{len(names)} files are changed; their diff is not kept")
        return b""
    diff = difference(tree, names, limit=DIFF_LIMIT)
    if diff is None:
        notes.append(f"the diff is larger than {DIFF_LIMIT // 2**20} MiB and is not kept")
    return diff or b""


def _named(names: tuple[str, ...], word: str, notes: list[str]) -> list[JSONValue]:
    if len(names) > NAMES_LIMIT:
        notes.append(f"{len(names)} files are {word}; the first {NAMES_LIMIT} are named")
    return [_text(name) for name in names[:NAMES_LIMIT]]


def _text(name: str) -> str:
    """Return a file's name as text that can be encoded, whatever bytes it consists of."""
    return os.fsencode(name).decode(errors="replace")


def _small_files(root: Path, names: Iterable[str], notes: list[str]) -> dict[str, bytes]:
    kept: dict[str, bytes] = {}
    left_out = 0
    room = TOTAL_LIMIT
    for name in names:
        file = root / name
        plain = file.is_file() and not file.is_symlink() and not _SECRET_FILES.search(name)
        if not plain or len(kept) == FILES_LIMIT:
            left_out += 1
            continue
        try:
            size = file.stat().st_size
            if size <= min(FILE_LIMIT, room):
                kept[_text(name)] = file.read_bytes()
                room -= size
                continue
        except OSError as error:
            notes.append(f"{_text(name)} cannot be read: {error.strerror}")
        left_out += 1
    if left_out:
        notes.append(f"the content of {left_out} untracked files is not kept")
    return kept


def _by_bytes(path: Path, notes: list[str]) -> CodeVersion:
    from blake3 import blake3

    files: dict[str, JSONValue] = {}
    if path.is_file():
        files[path.name] = blake3(path.read_bytes()).hexdigest()
    elif not path.exists():
        notes.append(f"there is no file {path.name!r}")
    return CodeVersion({"kind": "files", "files": files, "notes": list(notes)})
