"""The artifact store in a folder: files, failures of the disk, killed writers."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from gosset.artifacts import open_artifacts
from gosset.artifacts.filesystem import FilesystemArtifacts
from gosset.exceptions import ArtifactDamagedError, ArtifactError, StoreReadOnlyError

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


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() or sys.platform != "linux":
        pytest.skip("only root can mount a disk of 1 MiB")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_named_and_nothing_is_left_behind(small_disk: Path) -> None:
    artifacts = FilesystemArtifacts(small_disk)
    digest = artifacts.put(b"x" * (512 << 10))
    with pytest.raises(ArtifactError, match="the disk is full") as caught:
        artifacts.put(LARGE)
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.ENOSPC
    assert [path.name for path in files_in(small_disk)] == [digest[2:]]
    artifacts.put(b"y" * (256 << 10))


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
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), tmp_path],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "the file would be larger than is allowed here" in done.stdout
    assert files_in(tmp_path) == []


def test_a_folder_without_permission_is_read_only(tmp_path: Path) -> None:
    readable = FilesystemArtifacts(tmp_path)
    digest = readable.put(b"some bytes")
    # Root may write everywhere, so another user tries.
    script = """
        import os, sys
        from gosset.artifacts import open_artifacts
        from gosset.exceptions import StoreReadOnlyError
        artifacts = open_artifacts(sys.argv[1])
        import blake3
        if os.geteuid() == 0:
            os.setuid(65534)
        assert artifacts.contains(sys.argv[2]) and artifacts.read(sys.argv[2]) == b"some bytes"
        for action in (lambda: artifacts.put(b"more"), lambda: artifacts.delete(sys.argv[2])):
            try:
                action()
            except StoreReadOnlyError as error:
                print(error)
    """
    folders = [tmp_path, tmp_path / "tmp", tmp_path / digest[:2]]
    for folder in folders:
        folder.chmod(0o555)
    parents = [folder for folder in tmp_path.parents if folder.stat().st_mode & 0o005 != 0o005]
    modes = {folder: folder.stat().st_mode for folder in parents}
    try:
        for folder in parents:
            folder.chmod(0o755)
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script), tmp_path, digest],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        for folder, mode in modes.items():
            folder.chmod(mode)
        for folder in folders:
            folder.chmod(0o755)
    assert done.stderr == ""
    assert done.stdout.count("cannot be written: Permission denied") == 2
    assert readable.read(digest) == b"some bytes"


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    place = tmp_path / "artifacts"
    place.write_text("in the way")
    with pytest.raises(ArtifactError, match="Not a directory"):
        FilesystemArtifacts(place).put(b"some bytes")


def test_a_read_only_disk_is_read_only(small_disk: Path) -> None:
    artifacts = FilesystemArtifacts(small_disk)
    digest = artifacts.put(b"some bytes")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    for action in (lambda: artifacts.put(b"more"), lambda: artifacts.delete(digest)):
        with pytest.raises(StoreReadOnlyError, match="Read-only file system"):
            action()
    assert artifacts.read(digest) == b"some bytes"


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
