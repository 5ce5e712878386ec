"""The artifact store in a folder: files, failures of the disk, killed writers."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import disks
import pytest

from gosset.artifacts import open_artifacts
from gosset.artifacts.filesystem import FilesystemArtifacts
from gosset.exceptions import ArtifactDamagedError, ArtifactError

LARGE = os.urandom(1 << 16) * 32  # 2 MiB


@pytest.fixture
def artifacts(tmp_path: Path) -> FilesystemArtifacts:
    return FilesystemArtifacts(tmp_path / "artifacts")


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_opening_makes_nothing(artifacts: FilesystemArtifacts, tmp_path: Path) -> None:
    assert not artifacts.contains("0" * 64)
    assert list(artifacts.list()) == []
    assert list(tmp_path.iterdir()) == []


def test_the_path_is_a_file_with_the_bytes(artifacts: FilesystemArtifacts) -> None:
    digest = artifacts.put(b"some bytes")
    path = artifacts.path(digest)
    assert path is not None
    assert path.parts[-2:] == (digest[:2], digest[2:])
    assert path.read_bytes() == b"some bytes"


def test_the_umask_says_who_may_read(artifacts: FilesystemArtifacts) -> None:
    before = os.umask(0o027)
    try:
        path = artifacts.path(artifacts.put(b"some bytes"))
    finally:
        os.umask(before)
    assert path is not None
    assert path.stat().st_mode & 0o777 == 0o640


def test_writing_again_makes_the_bytes_young_again(artifacts: FilesystemArtifacts) -> None:
    digest = artifacts.put(b"some bytes")
    path = artifacts.path(digest)
    assert path is not None
    os.utime(path, (1000, 1000))
    artifacts.put(b"some bytes")
    assert path.stat().st_mtime > 1e9
    assert len(files_in(path.parents[1])) == 1


def test_an_open_file_outlives_deletion(artifacts: FilesystemArtifacts) -> None:
    digest = artifacts.put(LARGE)
    with artifacts.open(digest) as file:
        artifacts.delete(digest)
        assert file.read() == LARGE


def test_damage_names_digest_file_and_mend(artifacts: FilesystemArtifacts) -> None:
    digest = artifacts.put(LARGE)
    path = artifacts.path(digest)
    assert path is not None
    os.truncate(path, 1000)
    with pytest.raises(ArtifactDamagedError) as caught:
        artifacts.open(digest)
    assert digest in str(caught.value)
    assert str(path) in str(caught.value)
    assert "run again with --no-cache" in str(caught.value)


def test_fsync_keeps_the_same_bytes(tmp_path: Path) -> None:
    artifacts = FilesystemArtifacts(tmp_path, fsync=True)
    assert artifacts.read(artifacts.put(LARGE)) == LARGE


def test_foreign_files_are_left_out_of_the_list(artifacts: FilesystemArtifacts) -> None:
    digest = artifacts.put(b"some bytes")
    path = artifacts.path(digest)
    assert path is not None
    (path.parent / "notes.txt").write_text("mine")
    (path.parents[1] / "README").write_text("mine")
    assert [stored.digest for stored in artifacts.list()] == [digest]


def test_sweeping_takes_only_stale_temporary_files(artifacts: FilesystemArtifacts) -> None:
    with artifacts.writer() as writer:
        writer.write(b"in the making")
        (path,) = files_in(Path(artifacts.url.removeprefix("file://")))
        stale = path.with_name("stale")
        stale.write_bytes(b"left behind")
        os.utime(stale, (1000, 1000))
        assert artifacts.sweep(before=2000) == 1
        assert not stale.exists()
    assert artifacts.read(writer.digest) == b"in the making"


# -- what the system refuses


@pytest.fixture(params=disks.kinds())
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[disks.Disk]:
    with contextlib.closing(request.param(tmp_path, 1 << 20)) as disk:
        yield disk


def carried_out(script: str, *arguments: str, before: Sequence[str] = ()) -> str:
    """Carry out a script in a process of its own and return what it printed."""
    done = subprocess.run(
        [*before, sys.executable, "-c", textwrap.dedent(script), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@disks.ON_LINUX
def test_a_full_disk_is_named_and_nothing_is_left_behind(small_disk: disks.Disk) -> None:
    script = """
        import os
        from gosset.artifacts import open_artifacts
        from gosset.exceptions import ArtifactError
        artifacts = open_artifacts(".")
        kept = artifacts.path(artifacts.put(b"x" * (512 << 10)))
        try:
            artifacts.put(b"z" * (2 << 20))
        except ArtifactError as error:
            print(error, type(error.__cause__).__name__, error.__cause__.errno)
        files = [os.path.join(path, name) for path, _, names in os.walk(".") for name in names]
        assert [os.path.abspath(file) for file in files] == [str(kept)], files
        artifacts.put(b"y" * (256 << 10))
    """
    told = carried_out(script, before=small_disk.words)
    assert "the disk is full" in told
    assert f"OSError {errno.ENOSPC}" in told


def test_a_limit_on_the_size_of_files_is_named_and_nothing_is_left_behind(tmp_path: Path) -> None:
    script = """
        import resource, signal, sys
        from gosset.artifacts import open_artifacts
        from gosset.exceptions import ArtifactError
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        try:
            open_artifacts(sys.argv[1]).put(b"x" * (2 << 20))
        except ArtifactError as error:
            print(error)
    """
    assert "the file would be larger than is allowed here" in carried_out(script, str(tmp_path))
    assert files_in(tmp_path) == []


READ_ONLY = """
    import sys
    from gosset.artifacts import open_artifacts
    from gosset.exceptions import StoreReadOnlyError
    artifacts = open_artifacts(".")
    assert artifacts.contains(sys.argv[1]) and artifacts.read(sys.argv[1]) == b"some bytes"
    for action in (lambda: artifacts.put(b"more"), lambda: artifacts.delete(sys.argv[1])):
        try:
            action()
        except StoreReadOnlyError as error:
            print(error)
"""


def test_a_folder_without_permission_is_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = FilesystemArtifacts(tmp_path).put(b"some bytes")
    monkeypatch.chdir(tmp_path)
    folders = [tmp_path, tmp_path / "tmp", tmp_path / digest[:2]]
    for folder in folders:
        folder.chmod(0o555)
    try:
        told = carried_out(READ_ONLY, digest, before=disks.BY_PERMISSIONS)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert told.count("cannot be written: Permission denied") == 2
    assert FilesystemArtifacts(tmp_path).read(digest) == b"some bytes"


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    place = tmp_path / "artifacts"
    place.write_text("in the way")
    with pytest.raises(ArtifactError, match="Not a directory"):
        FilesystemArtifacts(place).put(b"some bytes")


@disks.ON_LINUX
def test_a_read_only_disk_is_read_only(small_disk: disks.Disk) -> None:
    put = (
        "from gosset.artifacts import open_artifacts; print(open_artifacts('.').put(b'some bytes'))"
    )
    digest = carried_out(put, before=small_disk.words).strip()
    small_disk.lock()
    told = carried_out(READ_ONLY, digest, before=small_disk.words)
    assert told.count("cannot be written: Read-only file system") == 2


def test_a_writer_killed_at_work_leaves_no_artifact(tmp_path: Path) -> None:
    script = """
        import sys
        from gosset.artifacts import open_artifacts
        with open_artifacts(sys.argv[1]).writer() as writer:
            for _ in range(64):
                writer.write(b"x" * 65536)
            print("half", flush=True)
            sys.stdin.read()
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        process.send_signal(signal.SIGKILL)
    artifacts = open_artifacts(tmp_path)
    assert isinstance(artifacts, FilesystemArtifacts)
    assert list(artifacts.list()) == []
    (left,) = files_in(tmp_path)
    assert left.parent.name == "tmp"
    assert artifacts.sweep(before=left.stat().st_mtime + 1) == 1
    assert files_in(tmp_path) == []
