"""Garbage collection of artifacts."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from gosset.artifacts import open_artifacts
from gosset.artifacts.filesystem import FilesystemArtifacts
from gosset.artifacts.gc import STALE, Collected, collect

NOW = time.time()


@pytest.fixture
def artifacts(tmp_path: Path) -> FilesystemArtifacts:
    return FilesystemArtifacts(tmp_path)


def put(artifacts: FilesystemArtifacts, data: bytes, age: float) -> str:
    digest = artifacts.put(data)
    path = artifacts.path(digest)
    assert path is not None
    os.utime(path, (NOW - age, NOW - age))
    return digest


def test_only_old_artifacts_without_references_go(artifacts: FilesystemArtifacts) -> None:
    used = put(artifacts, b"used", 7200)
    unused = put(artifacts, b"not used", 7200)
    young = put(artifacts, b"young", 60)
    released = put(artifacts, b"released", 7200)
    references = {used: 3, released: 0}
    expected = Collected(
        kept=2,
        kept_bytes=9,
        removed=2,
        removed_bytes=16,
        digests=tuple(sorted([unused, released])),
    )
    assert collect(artifacts, references, dry_run=True, now=NOW) == expected
    assert len(list(artifacts.list())) == 4
    assert collect(artifacts, references, now=NOW) == expected
    assert {stored.digest for stored in artifacts.list()} == {used, young}


def test_the_grace_is_the_callers_choice(artifacts: FilesystemArtifacts) -> None:
    put(artifacts, b"young", 60)
    assert collect(artifacts, {}, grace=61, now=NOW).removed == 0
    assert collect(artifacts, {}, grace=59, now=NOW).removed == 1


def test_what_killed_writers_left_goes_after_a_day(
    artifacts: FilesystemArtifacts, tmp_path: Path
) -> None:
    artifacts.put(b"some bytes")
    for name, age in (("stale", STALE + 60), ("fresh", STALE - 60)):
        (tmp_path / "tmp" / name).write_bytes(b"x")
        os.utime(tmp_path / "tmp" / name, (NOW - age, NOW - age))
    assert collect(artifacts, {}, dry_run=True, now=NOW).swept == 0
    assert collect(artifacts, {}, now=NOW).swept == 1
    assert [path.name for path in (tmp_path / "tmp").iterdir()] == ["fresh"]


def test_an_empty_store_has_nothing_to_collect() -> None:
    assert collect(open_artifacts("memory://"), {"0" * 64: 1}, now=NOW) == Collected()
