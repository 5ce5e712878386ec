"""Runs as one file: a ZIP archive with an SQLite store and the artifacts that it refers to.

It can be read without Gosset: ``store.db`` has views such as ``v_runs`` and ``v_metrics``, and
``artifacts/ab/cdef…`` holds the bytes whose BLAKE3 digest is ``abcdef…``.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from ..artifacts.base import ArtifactStore
from ..artifacts.integrity import CHUNK, digest_of
from ..exceptions import (
    ArtifactDamagedError,
    ArtifactMissingError,
    NotFoundError,
    StorageError,
    StoreVersionError,
    UsageError,
)
from ..filters import Expression
from ..settings import sqlite_url
from ..storage import open_catalog
from ..storage.base import Catalog, Merged
from ..storage.schema import VERSIONS
from .archive import ArchivedArtifacts, member
from .uniting import Progress, united

FORMAT: Final = "gosset runs"
VERSION: Final = 1
_MANIFEST: Final = "manifest.json"
_STORE: Final = "store.db"
_README: Final = f"""Runs of machine-learning experiments, written by Gosset.

{_STORE} is an SQLite database. Its views v_runs, v_params, v_metrics, v_fields, v_tags, v_launches
and v_alerts are for reading. artifacts/ab/cdef... holds the bytes whose BLAKE3 digest is abcdef...;
the table artifact_links says whose they are.

To take it all over into a store: gosset import FILE
"""


def write(
    file: Path,
    catalog: Catalog,
    artifacts: ArtifactStore,
    *,
    where: Expression | None = None,
    progress: Progress | None = None,
) -> Merged:
    """Write runs with all that they have and belong to into a file, which is replaced.

    Returns
    -------
    Merged
        What is in the file.

    Raises
    ------
    StorageError, ArtifactError
        The store cannot be read, or the file not written.
    """
    with tempfile.TemporaryDirectory(prefix="gosset-") as folder, _draft(file) as draft:
        store = Path(folder) / _STORE
        runs, digests = _select(store, catalog, where, progress)
        with zipfile.ZipFile(draft, "w") as archive:
            archive.writestr("README.txt", _README)
            with store.open("rb") as opened:
                manifest: dict[str, Any] = {"store": digest_of(opened)}
                opened.seek(0)
                _add(archive, _STORE, opened)
            missing = _add_artifacts(archive, digests, artifacts)
            kept = digests.keys() - set(missing)
            manifest |= {"format": FORMAT, "version": VERSION, "schema": VERSIONS[-1]}
            manifest |= {"runs": runs, "artifacts": len(kept), "missing": missing}
            archive.writestr(_MANIFEST, json.dumps(manifest, indent=2) + "\n")
    size = sum(digests[digest] for digest in kept)
    return Merged(runs=runs, artifacts=len(kept), bytes=size, missing=tuple(missing))


def _select(
    store: Path, catalog: Catalog, where: Expression | None, progress: Progress | None
) -> tuple[int, dict[str, int]]:
    """Make a store of runs; return how many, and the artifacts that they need: digest → size."""
    digests: dict[str, int] = {}
    copy = open_catalog(sqlite_url(store))
    try:
        merged = copy.merge(
            catalog,
            where=where,
            bring=digests.update,
            progress=progress or (lambda done, total: None),
        )
    finally:
        copy.close()
    with closing(sqlite3.connect(store)) as connection:
        # One file, without a log beside it.
        connection.execute("PRAGMA journal_mode = DELETE")
    return merged.runs, digests


def _add_artifacts(
    archive: zipfile.ZipFile, digests: Mapping[str, int], artifacts: ArtifactStore
) -> list[str]:
    """Add the bytes of artifacts; return the digests of those that there are none of."""
    missing = []
    for digest in sorted(digests):
        try:
            opened = artifacts.open(digest)
        except (ArtifactMissingError, ArtifactDamagedError):
            missing.append(digest)
            continue
        with opened:
            _add(archive, member(digest), opened)
    return missing


def _add(archive: zipfile.ZipFile, name: str, file: BinaryIO) -> None:
    with archive.open(name, "w", force_zip64=True) as target:
        while chunk := file.read(4 * CHUNK):
            target.write(chunk)


@contextmanager
def _draft(file: Path) -> Iterator[Path]:
    """Give a path beside `file`, which takes its place once all is written."""
    if file.is_dir():
        raise UsageError(f"{file} is a folder", hint="name a file, e.g. runs.gosset")
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        yield draft
        with draft.open("rb+") as written:
            os.fsync(written.fileno())
        os.replace(draft, file)
    except OSError as error:
        raise StorageError(f"{file} cannot be written: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)


def read(
    file: Path, catalog: Catalog, artifacts: ArtifactStore, *, progress: Progress | None = None
) -> Merged:
    """Take over the runs of a file into a store.

    All of the file is verified before anything is changed.

    Raises
    ------
    NotFoundError
        There is no such file.
    StoreVersionError
        It is no file of runs, or of a newer version.
    StorageError
        It was cut off or damaged.
    """
    with _opened(file) as archive, tempfile.TemporaryDirectory(prefix="gosset-") as folder:
        manifest = _manifest(file, archive)
        kept = ArchivedArtifacts(archive)
        _verify(file, archive, manifest, kept)
        archive.extract(_STORE, folder)
        source = open_catalog(sqlite_url(Path(folder) / _STORE), create=False)
        try:
            return united((catalog, artifacts), (source, kept), progress=progress)
        finally:
            source.close()


def _opened(file: Path) -> zipfile.ZipFile:
    try:
        with file.open("rb") as opened:
            head = opened.read(4)
        return zipfile.ZipFile(file)
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {file}") from None
    except zipfile.BadZipFile as error:
        cut = head == b"PK\x03\x04"
        raise (_broken(file, "it was cut off") if cut else _other(file)) from error
    except OSError as error:
        raise StorageError(f"{file} cannot be read: {error.strerror or error}") from error


def _manifest(file: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    """Return what the file says of itself."""
    try:
        manifest = json.loads(archive.read(_MANIFEST))
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise _other(file) from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise _other(file)
    if manifest.get("version") != VERSION or manifest.get("schema") not in VERSIONS:
        raise StoreVersionError(
            f"{file} was written by a newer version of Gosset"
            f" (format {manifest.get('version')}, schema {manifest.get('schema')})",
            hint="upgrade with 'pip install -U gosset'",
        )
    return manifest


def _verify(
    file: Path, archive: zipfile.ZipFile, manifest: Mapping[str, Any], kept: ArchivedArtifacts
) -> None:
    """Raise unless every byte is as it was written."""
    try:
        with archive.open(_STORE) as store:
            sound = digest_of(cast(BinaryIO, store)) == manifest["store"]
        digests = [stored.digest for stored in kept.list()]
        for digest in digests:
            kept.open(digest).close()
    except (KeyError, EOFError, zipfile.BadZipFile, ArtifactDamagedError) as error:
        raise _broken(file, str(error)) from error
    if not sound or len(digests) != manifest["artifacts"]:
        raise _broken(file, "its parts are not those that it names")


def _broken(file: Path, why: str) -> StorageError:
    return StorageError(
        f"{file} is damaged: {why}", hint="nothing was changed; have it written or sent again"
    )


def _other(file: Path) -> StoreVersionError:
    return StoreVersionError(
        f"{file} is no file of runs",
        hint="such a file is written by 'gosset export --format gosset FILE'",
    )
