"""Checks that what Gosset stands on is in order."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import cast

from ..entities import Launch, Status
from ..exceptions import GossetError
from ..filters import equal
from ..settings import Settings, sqlite_path
from ..store import Store, exists, open_store
from ..usercode import PACKAGE

BUNDLES = ("all", "dev")
"""Extras that hold others, or what it takes to work on Gosset itself."""

LITTLE = 500_000_000
"""Bytes of free disk under which it is said to be full."""

LISTED = 5
"""How many crashed launches are named."""


_NAME = re.compile(r"[\w.-]+")
_EXTRA = re.compile(r"extra == ['\"]([\w.-]+)['\"]")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    ok : bool
        False where something must be mended; what is merely absent is in order.
    """

    name: str
    ok: bool
    detail: str


def diagnose(settings: Settings) -> list[Check]:
    """Return what is found of Python, packages, store, disk and git. Writes nothing lasting.

    A store that is not there yet is in order, when its folder can be written.
    """
    return [
        Check(
            "python", sys.version_info >= (3, 11), f"{platform.python_version()} {sys.executable}"
        ),
        Check("gosset", True, f"{metadata.version('gosset')} {PACKAGE}"),
        *_extras(),
        *_store(settings),
        _disk(settings),
        _git(),
    ]


def _extras() -> Iterator[Check]:
    for extra, packages in extras(metadata.requires("gosset") or ()).items():
        missing = [package for package in packages if not _is_installed(package)]
        hint = f"without {', '.join(missing)}; pip install 'gosset[{extra}]'"
        yield Check(f"extra {extra}", True, hint if missing else "installed")


def extras(requirements: Iterable[str]) -> dict[str, list[str]]:
    """Return extra → the packages that it brings, of the requirements of a package.

    Examples
    --------
    >>> extras(["numpy<3", "torch<3,>=2.2; extra == 'torch'", "ruff; extra == 'dev'"])
    {'torch': ['torch']}
    """
    found: dict[str, list[str]] = {}
    for requirement in requirements:
        name, extra = _NAME.match(requirement), _EXTRA.search(requirement)
        if name and extra and extra[1] not in BUNDLES:
            found.setdefault(extra[1], []).append(name[0])
    return found


def _is_installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def _store(settings: Settings) -> Iterator[Check]:
    url = settings.store_url
    file = sqlite_path(url)
    try:
        if not exists(url):
            yield _writable(_above(file or settings.root), f"not made yet: {url}")
            return
        with open_store(settings=settings, create=False) as store:
            kinds = {"projects": "project", "experiments": "experiment", "runs": "run"}
            counts = [(store.catalog.count(kind), word) for kind, word in kinds.items()]
            shown = ", ".join(f"{count} {word}{'s' * (count != 1)}" for count, word in counts)
            yield Check("store", True, f"{store.url}: {shown}")
            yield from _crashed(store)
            store.artifacts.delete(store.artifacts.put(b"gosset doctor"))
        yield Check("store writable", True, "artifacts can be written")
        if file is not None:
            yield _writable(file.parent, "catalog folder can be written")
    except (GossetError, OSError) as error:
        yield Check("store", False, str(error))


def _crashed(store: Store) -> Iterator[Check]:
    """Tell of launches whose process is gone; they lost nothing that was computed."""
    store.catalog.reap()
    crashed = store.select("launches", equal(status=str(Status.CRASHED)))
    if not crashed:
        return
    names = [f"{launch.experiment}#{launch.number}" for launch in cast("list[Launch]", crashed)]
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    detail = (
        f"crashed: {', '.join(names[:LISTED])}{more}; take one up with gosset resume {names[0]}"
    )
    yield Check("launches", True, detail)


def _writable(folder: Path, detail: str) -> Check:
    import tempfile

    try:
        with tempfile.TemporaryFile(dir=folder):
            return Check("folder writable", True, detail)
    except OSError as error:
        return Check("folder writable", False, f"{folder} cannot be written: {error.strerror}")


def _above(path: Path) -> Path:
    """Return the nearest folder, from `path` upwards, that is there."""
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def _disk(settings: Settings) -> Check:
    file = sqlite_path(settings.store_url)
    free = shutil.disk_usage(_above(file or settings.root)).free
    return Check("disk", free >= LITTLE, f"{free / 1e9:.1f} GB free")


def _git() -> Check:
    git = shutil.which("git")
    if git is None:
        return Check("git", True, "not installed: code versions are recorded without commits")
    told = subprocess.run([git, "--version"], capture_output=True, text=True, check=False)
    return Check("git", told.returncode == 0, told.stdout.strip() or told.stderr.strip())
