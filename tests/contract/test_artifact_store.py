"""What every artifact store promises, of each of them."""

from __future__ import annotations

import multiprocessing
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from blake3 import blake3

from gosset.artifacts import ArtifactStore, open_artifacts
from gosset.artifacts.filesystem import FilesystemArtifacts
from gosset.artifacts.memory import MemoryArtifacts
from gosset.artifacts.remote import FsspecArtifacts
from gosset.exceptions import ArtifactDamagedError, ArtifactMissingError

LARGE = bytes(range(256)) * (12 << 12)  # 12 MiB: more than any buffer
ABSENT = "0" * 64


@pytest.fixture(params=["memory", "folder", "file", "fsspec+file", "fsspec+memory"])
def artifacts(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ArtifactStore]:
    folder = tmp_path / "my artifacts"
    match request.param:
        case "memory":
            yield open_artifacts("memory://")
        case "folder":
            yield open_artifacts(folder)
        case "file":
            yield open_artifacts(folder.as_uri())
        case "fsspec+file":
            yield open_artifacts(f"fsspec+file://{folder}")
        case _:
            yield open_artifacts(f"fsspec+memory://{uuid.uuid4()}")


def damage(artifacts: ArtifactStore, digest: str, data: bytes) -> None:
    """Change the bytes behind the store's back."""
    if isinstance(artifacts, MemoryArtifacts):
        artifacts._kept[digest] = (data, time.time())
    elif isinstance(artifacts, FilesystemArtifacts):
        path = artifacts.path(digest)
        assert path is not None
        path.write_bytes(data)
    else:
        assert isinstance(artifacts, FsspecArtifacts)
        artifacts._connect().pipe_file(artifacts._place(digest), data)


def test_bytes_come_back_under_their_blake3_digest(artifacts: ArtifactStore) -> None:
    for data in (b"", b"some bytes", LARGE):
        digest = artifacts.put(data)
        assert digest == blake3(data).hexdigest()
        assert artifacts.contains(digest)
        assert artifacts.read(digest) == data
        with artifacts.open(digest) as file:
            assert file.read() == data
            assert file.seek(len(data) // 2) == len(data) // 2
            assert file.read() == data[len(data) // 2 :]


def test_a_writer_takes_pieces_of_any_buffer(artifacts: ArtifactStore) -> None:
    numbers = memoryview(bytearray(b"12345678")).cast("d")
    with artifacts.writer() as writer:
        assert writer.write(b"ab") == 2
        assert writer.write(bytearray()) == 0
        assert writer.write(numbers) == 8
        assert writer.size == 10
    assert writer.digest == blake3(b"ab12345678").hexdigest()
    assert artifacts.read(writer.digest) == b"ab12345678"


def test_bytes_are_not_visible_before_the_writer_is_done(artifacts: ArtifactStore) -> None:
    with artifacts.writer() as writer:
        writer.write(LARGE)
        assert list(artifacts.list()) == []
        assert not artifacts.contains(writer.digest)
    assert [stored.digest for stored in artifacts.list()] == [writer.digest]


def test_a_writer_that_fails_leaves_nothing(artifacts: ArtifactStore) -> None:
    with pytest.raises(ZeroDivisionError), artifacts.writer() as writer:
        writer.write(LARGE[: 1 // 0])
    assert list(artifacts.list()) == []
    with pytest.raises(ArtifactMissingError):
        artifacts.read(writer.digest)


def test_what_is_not_there_is_missing(artifacts: ArtifactStore) -> None:
    for digest in (ABSENT, "../../../etc/passwd", ""):
        assert not artifacts.contains(digest)
        assert artifacts.path(digest) is None
        artifacts.delete(digest)
        for method in (artifacts.read, artifacts.open):
            with pytest.raises(ArtifactMissingError) as caught:
                method(digest)
            assert repr(digest) in str(caught.value)
            assert artifacts.url in str(caught.value)


def test_deleted_bytes_are_gone(artifacts: ArtifactStore) -> None:
    digest, other = artifacts.put(b"one"), artifacts.put(b"other")
    artifacts.delete(digest)
    artifacts.delete(digest)
    assert not artifacts.contains(digest)
    assert [stored.digest for stored in artifacts.list()] == [other]


def test_the_list_has_digest_size_and_time_of_each(artifacts: ArtifactStore) -> None:
    before = time.time() - 2
    digests = {artifacts.put(b"x" * size): size for size in (0, 1, 1000)}
    stored = list(artifacts.list())
    assert {each.digest: each.size for each in stored} == digests
    assert all(before < each.modified < time.time() + 2 for each in stored)


@pytest.mark.parametrize("data", [b"", b"short", b"SOME BYTES", b"longer than before"])
def test_damage_is_noticed_and_healed_by_writing_again(
    artifacts: ArtifactStore, data: bytes
) -> None:
    digest = artifacts.put(b"some bytes")
    damage(artifacts, digest, data)
    for method in (artifacts.read, artifacts.open):
        with pytest.raises(ArtifactDamagedError, match=digest) as caught:
            method(digest)
        assert "run again" in caught.value.hint
    assert artifacts.contains(digest)
    artifacts.put(b"some bytes")
    assert artifacts.read(digest) == b"some bytes"


def test_threads_may_write_the_same_and_different_bytes_at_once(artifacts: ArtifactStore) -> None:
    errors: list[BaseException] = []
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        try:
            barrier.wait()
            for step in range(5):
                assert artifacts.read(artifacts.put(b"same")) == b"same"
                own = b"%d %d" % (number, step)
                assert artifacts.read(artifacts.put(own)) == own
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)

    threads = [threading.Thread(target=write, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(list(artifacts.list())) == 1 + 8 * 5


def _write_large(url: str, times: int) -> None:
    artifacts = open_artifacts(url)
    for _ in range(times):
        artifacts.put(LARGE)


@pytest.mark.parametrize("prefix", ["", "fsspec+"])
def test_processes_may_write_the_same_bytes_at_once(prefix: str, tmp_path: Path) -> None:
    url = prefix + tmp_path.as_uri()
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_write_large, args=[url, 3]) for _ in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 8
    artifacts = open_artifacts(url)
    (stored,) = artifacts.list()
    assert artifacts.read(stored.digest) == LARGE
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [stored.digest[2:]]


def test_the_url_opens_the_same_store(artifacts: ArtifactStore) -> None:
    digest = artifacts.put(b"some bytes")
    opened = open_artifacts(artifacts.url)
    if isinstance(artifacts, MemoryArtifacts):
        assert not opened.contains(digest)  # what is in memory is its own each time
    else:
        assert opened.read(digest) == b"some bytes"
