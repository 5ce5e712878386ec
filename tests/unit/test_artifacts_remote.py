"""The artifact store over fsspec: what is particular to it."""

from __future__ import annotations

import uuid
from pathlib import Path

import fsspec
import pytest

from gosset.artifacts import open_artifacts
from gosset.artifacts.remote import IN_MEMORY, FsspecArtifacts
from gosset.exceptions import (
    ArtifactError,
    MissingExtraError,
    StoreReadOnlyError,
    UsageError,
)


@pytest.fixture
def artifacts() -> FsspecArtifacts:
    return FsspecArtifacts(f"fsspec+memory://{uuid.uuid4()}")


def test_an_unknown_protocol_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match="'sftpp://host/folder'; did you mean 'sftp'"):
        open_artifacts("sftpp://host/folder")


def test_a_protocol_without_its_library_names_the_library() -> None:
    fsspec.register_implementation(
        "far", "no_such_library.Files", clobber=True, errtxt="Install no_such_library"
    )
    with pytest.raises(MissingExtraError, match="Install no_such_library"):
        open_artifacts("far://bucket")


def test_nothing_is_left_under_a_temporary_name(artifacts: FsspecArtifacts) -> None:
    artifacts.put(b"some bytes")
    with pytest.raises(ZeroDivisionError), artifacts.writer() as writer:
        writer.write(b"more"[: 1 // 0])
    files, root = fsspec.core.url_to_fs(artifacts.url.removeprefix("fsspec+"))
    assert files.find(f"{root}/tmp") == []


def test_large_artifacts_are_read_through_a_file(artifacts: FsspecArtifacts) -> None:
    data = b"x" * (IN_MEMORY + 1)
    with artifacts.open(artifacts.put(data)) as file:
        assert isinstance(file.fileno(), int)
        assert file.read() == data


def test_sweeping_takes_only_stale_temporary_files(artifacts: FsspecArtifacts) -> None:
    digest = artifacts.put(b"some bytes")
    files, root = fsspec.core.url_to_fs(artifacts.url.removeprefix("fsspec+"))
    files.pipe_file(f"{root}/tmp/stale", b"left behind")
    assert artifacts.sweep(before=1000) == 0
    assert artifacts.sweep(before=4e9) == 1
    assert [stored.digest for stored in artifacts.list()] == [digest]


class _BrokenFiles(fsspec.AbstractFileSystem):
    """A protocol whose library has errors of its own."""

    protocol = "broken"
    cachable = False

    def _open(self, path: str, mode: str = "rb", **kwargs: object) -> object:
        raise RuntimeError("no route to host") if mode == "rb" else NotImplementedError("read only")


def test_errors_of_the_protocols_library_are_wrapped() -> None:
    fsspec.register_implementation("broken", _BrokenFiles, clobber=True)
    artifacts = open_artifacts("broken://host/folder")
    with pytest.raises(StoreReadOnlyError, match="read only"):
        artifacts.put(b"some bytes")
    with pytest.raises(ArtifactError, match="no route to host") as caught:
        artifacts.read("0" * 64)
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_a_path_with_special_characters_survives_its_url(tmp_path: Path) -> None:
    folder = tmp_path / "100% mine? #1 ü"
    digest = open_artifacts(folder).put(b"some bytes")
    assert open_artifacts(open_artifacts(folder).url).read(digest) == b"some bytes"
