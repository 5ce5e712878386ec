"""Keeps the values of tracked runs: in the store, or nearby until the store can be written."""

from __future__ import annotations

import atexit
import os
import threading
import time
import warnings
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from blake3 import blake3

from ..artifacts import ArtifactStore, open_artifacts
from ..artifacts.filesystem import FilesystemArtifacts
from ..artifacts.memory import MemoryArtifacts
from ..artifacts.values import keep
from ..entities import ArtifactRef
from ..exceptions import (
    ArtifactDamagedError,
    ArtifactError,
    ArtifactMissingError,
    GossetError,
    SerializationError,
    StorageError,
    UsageError,
)
from ..settings import artifacts_url, load_settings, sqlite_path
from .threads import begun

RETRY_AFTER: Final = 1.0
"""Seconds until a store that could not be written is tried again."""

_BLOCK: Final = 1 << 20


class Keeper:
    """Keeps values for one store. Who logs waits for no more than a copy of their bytes.

    They are written to the store where it is a folder; where it is on a server, or cannot be
    written, to the first folder nearby that can; to memory where nothing can. A thread brings
    to the store what lies elsewhere, also what a former process left.

    Parameters
    ----------
    artifacts : ArtifactStore
    folders : sequence of Path
        Where bytes wait. Several processes may use them.
    strict : bool
        Trouble with the store is raised in place of being told and worked around.
    """

    def __init__(
        self, artifacts: ArtifactStore, folders: Sequence[Path], *, strict: bool = False
    ) -> None:
        self._artifacts = artifacts
        self._elsewhere: list[ArtifactStore] = [*map(FilesystemArtifacts, folders)]
        self._elsewhere.append(MemoryArtifacts())
        self._strict = strict
        self._told = False
        self._renew()
        if self.waiting:
            self._start()

    def _renew(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def keep(self, value: Any, name: str, format: str | None = None) -> ArtifactRef:
        """Keep a value, and say where it lies.

        Raises
        ------
        UsageError
            No serializer takes it, or `format` does not.
        StorageError, ArtifactError
            The store cannot be written, and trouble is to be raised.
        """
        trouble: GossetError | None = None
        for artifacts in self._places():
            try:
                ref = keep(value, name, artifacts, format=format, where=name)
            except SerializationError as error:
                raise UsageError(error.message, hint=error.hint) from error
            except (ArtifactError, StorageError) as error:
                if self._strict:
                    raise
                trouble = error
                continue
            if trouble is not None:
                self._complain(trouble, artifacts)
            if artifacts is not self._artifacts and ref.inline is None:
                self._start()
            return ref
        assert trouble is not None
        raise trouble  # not even memory takes it

    def put(self, data: bytes) -> str:
        """Keep bytes, and return their digest; see :meth:`keep`."""
        trouble: GossetError | None = None
        for artifacts in self._places():
            try:
                digest = artifacts.put(data)
            except (ArtifactError, StorageError) as error:
                if self._strict:
                    raise
                trouble = error
                continue
            if artifacts is not self._artifacts:
                self._start()
            return digest
        assert trouble is not None
        raise trouble

    @property
    def waiting(self) -> bool:
        """Whether bytes lie elsewhere than in the store."""
        return any(_digests(place, 1) for place in self._elsewhere)

    def settle(self) -> None:
        """Bring to the store what lies elsewhere, if it can be brought now."""
        if not self.waiting:
            return
        try:
            self._bring()
        except (ArtifactError, StorageError) as error:
            self._complain(error)

    def _places(self) -> list[ArtifactStore]:
        local = isinstance(self._artifacts, FilesystemArtifacts | MemoryArtifacts)
        first: list[ArtifactStore] = [self._artifacts] if local or self._strict else []
        return first + self._elsewhere

    def _bring(self) -> None:
        if self._process != os.getpid():
            self._renew()  # a forked copy: the thread is the parent's
        with self._lock:
            for place in self._elsewhere:
                for digest in _digests(place):
                    try:
                        self._bring_one(place, digest)
                    except ArtifactMissingError:
                        pass  # another process was faster
                    except ArtifactDamagedError as error:
                        self._complain(error)
                        place.delete(digest)

    def _bring_one(self, place: ArtifactStore, digest: str) -> None:
        with place.open(digest) as file, self._artifacts.writer() as writer:
            while block := file.read(_BLOCK):
                writer.write(block)
        place.delete(digest)

    def _start(self) -> None:
        if self._process != os.getpid():
            self._renew()
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = begun(self._work, "gosset-artifacts")

    def _work(self) -> None:
        while self.waiting:
            try:
                self._bring()
            except (GossetError, OSError) as error:
                self._complain(error)
                time.sleep(RETRY_AFTER)

    def _complain(self, error: Exception, place: ArtifactStore | None = None) -> None:
        if self._told:
            return
        self._told = True
        held = (held for held in self._elsewhere if _digests(held, 1))
        where = (place or next(held, self._elsewhere[0])).url
        warnings.warn(
            f"{error}; artifacts are kept in {where} until they can be written",
            RuntimeWarning,
            stacklevel=3,
        )


_keepers: dict[tuple[str, bool, str], Keeper] = {}


def _digests(place: ArtifactStore, most: int | None = None) -> list[str]:
    """Return what lies at a place, or the first few; nothing where it cannot be looked into."""
    try:
        return [stored.digest for stored in islice(place.list(), most)]
    except OSError:
        return []


def keeper_of(store: str, *, strict: bool, durability: str = "process") -> Keeper:
    """Return what keeps values for the store at a URL in this process."""
    found = _keepers.get((store, strict, durability))
    if found is None:
        if not _keepers:
            atexit.register(settle)
        url = artifacts_url(store, load_settings())
        artifacts = open_artifacts(url, fsync=durability == "power")
        found = Keeper(artifacts, _folders(store), strict=strict)
        _keepers[store, strict, durability] = found
    return found


def _folders(store: str) -> list[Path]:
    """Return where bytes for a store may wait: beside it, and among the user's caches."""
    path = sqlite_path(store)
    beside = [] if path is None else [path.parent / "spool" / "artifacts"]
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    name = blake3(store.encode()).hexdigest(length=8)
    return [*beside, caches / "gosset" / "spool" / name / "artifacts"]


def settle(store: str | None = None) -> None:
    """Bring to a store, or all, what was kept for it elsewhere, if it can be brought now."""
    for (url, _, _), keeper in list(_keepers.items()):
        if store in (None, url):
            keeper.settle()
