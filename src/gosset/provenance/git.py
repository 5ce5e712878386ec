"""A Git working tree, looked at and never touched.

Commands run without hooks, file system monitors, prompts, locks or external diff programs,
and with a time limit; the repository, its index and its working tree stay as they are.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..exceptions import GossetError
from .redaction import redact_url

TIMEOUT = 10.0
"""Seconds that one command may take."""

_SAFE = (
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
    # git diff would write the index where files were only touched.
    *("-c", "diff.autoRefreshIndex=false"),
)
# A hook of the user's may be what runs us: its repository is not the one that is meant.
_FOREIGN_VARIABLES = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_EXTERNAL_DIFF",
    "GIT_DIFF_OPTS",
)


class GitError(GossetError):
    """Git could not answer; the message says why. It becomes a note and leaves no capture."""


@dataclass(frozen=True, slots=True)
class WorkingTree:
    """The state of a working tree.

    Attributes
    ----------
    root : Path
    commit : str or None
        What HEAD is; None where there is no commit yet.
    branch : str or None
        None where HEAD is detached.
    remote : str or None
        URL of ``origin``, else of the first remote, without credentials.
    changed : tuple of str
        Tracked files that differ from HEAD, staged or not, from the root.
    untracked : tuple of str
        Files that are neither tracked nor ignored, from the root.
    """

    root: Path
    commit: str | None
    branch: str | None
    remote: str | None
    changed: tuple[str, ...]
    untracked: tuple[str, ...]


def find_repository(folder: Path) -> Path | None:
    """Return the root of the working tree that holds `folder`, None where there is none.

    Raises
    ------
    GitError
        There seems to be one, but Git is missing, refuses it, or takes too long.
    """
    if not any((parent / ".git").exists() for parent in (folder, *folder.parents)):
        return None
    top = _git(folder, "rev-parse", "--show-toplevel").rstrip(b"\n")
    return Path(os.fsdecode(top))


def working_tree(root: Path) -> WorkingTree:
    """Return the state of the working tree at `root`.

    Raises
    ------
    GitError
    """
    status = _git(
        root,
        *("status", "--porcelain=v2", "--branch", "-z", "--no-renames"),
        *("--untracked-files=all", "--ignore-submodules=none"),
    )
    headers: dict[str, str] = {}
    changed: list[str] = []
    untracked: list[str] = []
    for entry in os.fsdecode(status).split("\0"):
        kind, _, rest = entry.partition(" ")
        if kind == "#":
            name, _, value = rest.partition(" ")
            headers[name] = value
        elif kind == "?":
            untracked.append(rest)
        elif kind == "1":
            changed.append(entry.split(" ", 8)[8])
        elif kind == "u":
            changed.append(entry.split(" ", 10)[10])
    commit, branch = headers.get("branch.oid"), headers.get("branch.head")
    return WorkingTree(
        root=root,
        commit=None if commit == "(initial)" else commit,
        branch=None if branch == "(detached)" else branch,
        remote=_remote(root),
        changed=tuple(sorted(changed)),
        untracked=tuple(sorted(untracked)),
    )


def difference(tree: WorkingTree, names: Sequence[str], *, limit: int) -> bytes | None:
    """Return how tracked files differ from HEAD, as a patch for ``git apply``.

    Parameters
    ----------
    tree : WorkingTree
        Without a commit, everything that is staged differs.
    names : sequence of str
        The files, from the root.
    limit : int
        Bytes.

    Returns
    -------
    bytes or None
        None where the patch is larger than `limit`.

    Raises
    ------
    GitError
    """
    if not names:
        return b""
    base = tree.commit or os.fsdecode(_git(tree.root, "hash-object", "-t", "tree", os.devnull))
    command = _command(
        tree.root,
        *("diff", "--binary", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames"),
        *("--src-prefix=a/", "--dst-prefix=b/", "--submodule=short", base.strip(), "--", *names),
    )
    # No more than the limit is ever held in memory, however large the changed files are.
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
    ) as process:
        assert process.stdout is not None
        timer = threading.Timer(TIMEOUT, process.kill)
        timer.start()
        patch = process.stdout.read(limit + 1)
        if len(patch) > limit:
            process.kill()
        failed = process.wait() != 0
        timer.cancel()
    if len(patch) > limit:
        return None
    if failed:
        raise GitError(f"git diff failed, or took longer than {TIMEOUT:g} seconds")
    return patch


def _remote(root: Path) -> str | None:
    lines = os.fsdecode(_git(root, "remote", "--verbose")).splitlines()
    pairs = [line.removesuffix(" (fetch)").split("\t") for line in lines if "(fetch)" in line]
    urls = dict(pairs)
    return redact_url(urls.get("origin") or next(iter(urls.values()))) if urls else None


def _command(folder: Path, *arguments: str) -> list[str]:
    return [
        "git",
        "--no-optional-locks",
        "--literal-pathspecs",
        *_SAFE,
        "-C",
        str(folder),
        *arguments,
    ]


def _environment() -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if k not in _FOREIGN_VARIABLES}
    return inherited | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def _git(folder: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(
            _command(folder, *arguments),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=_environment(),
            timeout=TIMEOUT,
            check=False,
        )
    except FileNotFoundError:
        raise GitError("git is not installed, so the commit is not known") from None
    except subprocess.TimeoutExpired:
        raise GitError(f"git {arguments[0]} took longer than {TIMEOUT:g} seconds") from None
    if done.returncode:
        raise GitError(_reason(folder, os.fsdecode(done.stderr)))
    return done.stdout


def _reason(folder: Path, message: str) -> str:
    if "dubious ownership" in message:
        return (
            f"git refuses {folder.name!r}, because its folder belongs to another user (dubious"
            " ownership); 'git config --global --add safe.directory FOLDER' trusts it"
        )
    first = next((line for line in message.splitlines() if line.strip()), "git failed")
    return first.removeprefix("fatal: ")
