"""Files and folders: kept as they are, given back when asked, and never outside."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from gosset.exceptions import NotFoundError, SerializationError, UsageError
from gosset.serializers.files import Archive, ArchiveSerializer, File, FileSerializer, Folder

FILES = {
    "a.py": b"a",
    "b.pyc": b"b",
    "data/c.csv": b"c" * 3000,
    "data/deep/d.py": b"d",
    "data/é\n☃.txt": b"e",
    "cache/x.py": b"x",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "folder"
    for name, data in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    (root / "empty").mkdir()
    (root / "a.py").chmod(0o755)
    return root


def kept(folder: Folder) -> Archive:
    buffer = io.BytesIO()
    ArchiveSerializer().dump(folder, buffer)
    buffer.seek(0)
    return ArchiveSerializer().load(buffer)


def test_a_folder_comes_back_with_all_that_was_in_it(folder: Path, tmp_path: Path) -> None:
    archive = kept(Folder(folder))
    assert archive.names() == sorted([*FILES, "empty/"])
    target = archive.extract(tmp_path / "back")
    found = {p.relative_to(target).as_posix() for p in target.rglob("*") if p.is_file()}
    assert found == set(FILES)
    assert all((target / name).read_bytes() == data for name, data in FILES.items())
    assert (target / "empty").is_dir()
    assert os.access(target / "a.py", os.X_OK)
    assert not os.access(target / "b.pyc", os.X_OK)
    assert archive.read("data/c.csv") == FILES["data/c.csv"]


@pytest.mark.parametrize(
    ("include", "exclude", "names"),
    [
        (["*.py"], [], ["a.py", "cache/x.py", "data/deep/d.py"]),
        (["*.py"], ["cache"], ["a.py", "data/deep/d.py"]),
        (["data/*"], [], ["data/c.csv", "data/deep/d.py", "data/é\n☃.txt"]),
        (["data/*.csv"], [], ["data/c.csv"]),
        (["data/**/*.py"], [], ["data/deep/d.py"]),
        (["[ab].py?", "a.*"], [], ["a.py", "b.pyc"]),
        (["[!a].*"], ["data"], ["b.pyc", "cache/x.py"]),
        ([], ["*.py", "data/", "empty"], ["b.pyc"]),
    ],
)
def test_patterns_choose_files(
    folder: Path, include: list[str], exclude: list[str], names: list[str]
) -> None:
    assert kept(Folder(folder, include=include, exclude=exclude)).names() == names


def test_the_same_files_give_the_same_bytes(folder: Path) -> None:
    def dumped() -> bytes:
        buffer = io.BytesIO()
        ArchiveSerializer().dump(Folder(folder), buffer)
        return buffer.getvalue()

    first = dumped()
    os.utime(folder / "a.py", (1, 1))
    assert dumped() == first


def test_some_of_an_archive_can_be_extracted(folder: Path, tmp_path: Path) -> None:
    archive = kept(Folder(folder))
    target = archive.extract(tmp_path / "back", names=["data/deep/d.py"])
    assert [p.name for p in target.rglob("*") if p.is_file()] == ["d.py"]
    with pytest.raises(NotFoundError, match=r"no file 'b\.py'; did you mean"):
        archive.extract(tmp_path / "other", names=["b.py"])
    assert not (tmp_path / "other").exists()


def test_what_is_there_is_not_written_over(folder: Path, tmp_path: Path) -> None:
    archive = kept(Folder(folder))
    archive.extract(tmp_path / "back")
    with pytest.raises(UsageError, match="is there already"):
        archive.extract(tmp_path / "back")


def hostile(**what: object) -> tarfile.TarInfo:
    member = tarfile.TarInfo()
    for name, value in what.items():
        setattr(member, name, value)
    return member


@pytest.mark.parametrize(
    "member",
    [
        hostile(name="../outside"),
        hostile(name="a/../../outside"),
        hostile(name="/tmp/outside"),
        hostile(name="link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        hostile(name="link", type=tarfile.LNKTYPE, linkname="good"),
        hostile(name="device", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
        hostile(name="pipe", type=tarfile.FIFOTYPE),
        hostile(name="sparse", type=tarfile.GNUTYPE_SPARSE),
    ],
    ids=lambda member: member.name,
)
def test_a_member_that_leads_outside_is_refused_before_anything_is_written(
    member: tarfile.TarInfo, tmp_path: Path
) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as to:
        to.addfile(hostile(name="good"))
        to.addfile(member)
    buffer.seek(0)
    archive = ArchiveSerializer().load(buffer)
    for ask in (archive.names, lambda: archive.extract(tmp_path / "back")):
        with pytest.raises(SerializationError, match=r"lies outside|neither file nor folder"):
            ask()
    assert not (tmp_path / "back").exists()


def test_a_link_that_was_there_leads_nowhere(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "back").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "back" / "data").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SerializationError, match="leads out of"):
        kept(Folder(folder, include=["data/c.csv"])).extract(tmp_path / "back")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_damaged_archive_says_so(tmp_path: Path) -> None:
    archive = ArchiveSerializer().load(io.BytesIO(b"no archive" * 200))
    with pytest.raises(SerializationError, match="damaged"):
        archive.extract(tmp_path / "back")


def test_a_link_to_a_file_is_kept_as_the_file_and_one_to_a_folder_is_refused(folder: Path) -> None:
    (folder / "data" / "link.txt").symlink_to(folder / "a.py")
    assert kept(Folder(folder)).read("data/link.txt") == b"a"
    (folder / "loop").symlink_to(folder)
    with pytest.raises(UsageError, match=r"loop' is neither a file nor a folder; .*exclude='loop'"):
        kept(Folder(folder))
    assert "loop" not in kept(Folder(folder, exclude=["loop"])).names()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder"):
        Folder(tmp_path / "nothing")


def test_a_file_keeps_its_bytes(tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "model.bin").write_bytes(data)
    buffer = io.BytesIO()
    FileSerializer().dump(File.at(tmp_path / "model.bin"), buffer)
    assert buffer.getvalue() == data
    with (tmp_path / "model.bin").open("rb") as file:
        loaded = FileSerializer().load(file)
    assert loaded.read() == data
    assert loaded.save(tmp_path / "copy.bin").read_bytes() == data
    assert repr(loaded) == "<file of 3,000,000 bytes>"
