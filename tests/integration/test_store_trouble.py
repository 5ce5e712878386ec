"""Stores that cannot be read or written: what ``gosset`` says of them, and what is left of them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import disks
import pytest

import gosset as gs
from gosset.discovery import load_experiments
from gosset.exceptions import ArtifactDamagedError, ArtifactMissingError, GossetError, UsageError
from gosset.store import exists

GOSSET = str(Path(sys.executable).with_name("gosset"))

BLOBS = """
import gosset as gs

@gs.stage(formats={"blob": "bytes"})
def blob(size: int = 5000):
    return bytes(range(250)) * (size // 250)

@gs.stage(metrics=False)
def length(blob):
    return len(blob)

@gs.metric(direction="maximize")
def score(length):
    return float(length)

blobs = gs.Experiment("blobs", stages=[blob, length], metrics=[score], project="Lab")
"""


class Lab:
    """A folder with an experiment, in which ``gosset`` is called in processes of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "lab"
        self.folder.mkdir()
        self.home = folder / "home"
        self.home.mkdir()
        (self.folder / "blobs.py").write_text(BLOBS)

    @property
    def database(self) -> Path:
        return self.folder / ".gosset" / "store.db"

    def environment(self, **variables: str) -> dict[str, str]:
        own = ("GOSSET_", "XDG_", "GIT_", "PYTHON")
        inherited = {n: v for n, v in os.environ.items() if not n.startswith(own)}
        home = {"HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / ".config")}
        return {**inherited, **home, "GOSSET_EXECUTOR": "inline", **variables}

    def gosset(
        self, *words: str, code: int = 0, before: Sequence[str] = (), **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Carry out ``gosset WORDS``, perhaps by way of another command."""
        done = subprocess.run(
            [*before, GOSSET, *words],
            cwd=self.folder,
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def refused(self, *words: str, before: Sequence[str] = (), **variables: str) -> str:
        """Carry out what cannot be, and return the one line that says so."""
        done = self.gosset(*words, code=2, before=before, **variables)
        assert done.stdout == ""
        assert done.stderr.startswith("gosset: error: ")
        assert done.stderr.count("\n") == 1
        assert "; " in done.stderr, "no mend"
        return done.stderr

    def runs(self, before: Sequence[str] = ()) -> object:
        """Return every run as ``gosset list`` tells it."""
        return json.loads(self.gosset("list", "runs", "--json", before=before).stdout)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    lab = Lab(tmp_path_factory.mktemp("made"))
    lab.gosset("run", "blobs.py", "-p", "size=5000,6000")
    return lab


@pytest.fixture
def lab(made: Lab, tmp_path: Path) -> Lab:
    """A lab of one's own with two runs."""
    own = Lab(tmp_path)
    shutil.copytree(made.folder, own.folder, dirs_exist_ok=True)
    return own


def _moved(lab: Lab) -> str:
    """The URL of the store, which a copy does not change: paths are never stored."""
    return f"sqlite:///{lab.database}"


# -- the catalog


def _of_the_future(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE gosset_version SET version_num = 'v9999'")
    connection.close()


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _a_text(path: Path) -> None:
    path.write_text("This is no store, and it is worth something to somebody.\n" * 20)


def _a_few_bytes(path: Path) -> None:
    path.write_text("notes")


TROUBLES = {
    "of the future": (_of_the_future, "newer"),
    "truncated": (_truncated, "damaged"),
    "a text": (_a_text, "no Gosset store"),
    "a few bytes": (_a_few_bytes, "no Gosset store"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_is_no_store_of_ours_is_refused_and_left_as_it_is(lab: Lab, trouble: str) -> None:
    spoil, words = TROUBLES[trouble]
    spoil(lab.database)
    before = lab.database.read_bytes()
    for call in (["list", "runs"], ["run", "blobs.py"]):
        assert words in (told := lab.refused(*call))
        assert str(lab.database) in told
    assert lab.database.read_bytes() == before
    with pytest.raises(GossetError, match=words) as caught:
        gs.open_store(_moved(lab))
    assert caught.value.hint


def test_a_folder_in_the_place_of_the_store(lab: Lab) -> None:
    other = lab.folder / "folder.db"
    other.mkdir()
    for call in (["list", "runs"], ["run", "blobs.py"]):
        assert "is a folder" in lab.refused("--store", f"sqlite:///{other}", *call)
    assert list(other.iterdir()) == []


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    (lab.folder / ".gosset").write_text("mine")
    assert ".gosset" in lab.refused("run", "blobs.py")
    assert (lab.folder / ".gosset").read_text() == "mine"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://me:s3cret@host/lab", "mysql"),
        ("lab.db", "sqlite:///lab.db"),
        ("postgresql://me:s3cret@127.0.0.1:1/lab?connect_timeout=2", "127.0.0.1"),
        ("postgresql://127.0.0.1:1/lab?user=me&password=s3cret", "127.0.0.1"),
        ("postgresql://me:s3/cret@s3cret:s3cret/store", "percent-encode"),
    ],
)
def test_a_store_that_cannot_be_reached_is_named_without_its_password(
    made: Lab, url: str, words: str
) -> None:
    done = subprocess.run(
        [GOSSET, "run", "blobs.py", "--debug"],  # a traceback must not tell it either
        cwd=made.folder,
        env=made.environment(GOSSET_STORE=url),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr.splitlines()[-1]
    assert "s3cret" not in done.stderr


# -- the artifacts


def _artifacts(store: Path) -> list[Path]:
    """Return the files that hold artifacts."""
    found = (store / "artifacts").glob("[0-9a-f][0-9a-f]/*")
    return [path for path in found if path.is_file()]


def _shortened(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _changed(path: Path) -> None:
    path.write_bytes(b"\0" * path.stat().st_size)


@pytest.mark.parametrize("spoil", [_shortened, _changed, Path.unlink])
def test_a_spoilt_artifact_is_told_and_made_again(
    made: Lab, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    store_folder = shutil.copytree(made.folder / ".gosset", tmp_path / ".gosset")
    script = tmp_path / "spoilt_blobs.py"
    script.write_text(BLOBS)
    with gs.open_store(f"sqlite:///{store_folder}/store.db") as store:
        before = store.runs().to_list()
        for path in _artifacts(store_folder):
            spoil(path)
        with pytest.raises((ArtifactDamagedError, ArtifactMissingError)) as caught:
            store.output("blobs#1", "blob")
        assert "run again with --no-cache" in caught.value.hint
        assert "\n" not in str(caught.value)
        (experiment,) = load_experiments(str(script))
        result = experiment.execute(
            vary={"size": [5000, 6000]}, cache=False, store=store, executor="inline", progress=False
        )
        assert result.status == "complete"
        assert len(store.output("blobs#1", "blob")) == 5000
        assert store.runs("launch == 1") == before


def test_a_command_that_needs_a_truncated_artifact_names_it(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    (lab.folder / "iris.py").write_text(
        "import gosset as gs\nfrom sklearn.dummy import DummyClassifier\n"
        "iris = gs.Experiment('iris', dataset='iris', splits=2, estimator=DummyClassifier(),"
        " metrics=['accuracy'])\n"
    )
    lab.gosset("run", "iris.py")
    before = lab.runs()
    for path in _artifacts(lab.database.parent):
        _shortened(path)
    told = lab.refused("metrics", "compute", "f1_macro")
    assert "is damaged" in told
    assert "--no-cache" in told
    assert lab.runs() == before


def test_a_launch_whose_provenance_finds_no_place_goes_on_and_says_so(lab: Lab) -> None:
    subprocess.run(["git", "init", "-q", lab.folder], check=True, env=lab.environment())
    shutil.rmtree(lab.database.parent / "artifacts")
    (lab.database.parent / "artifacts").write_text("a file in the place of the folder")
    done = lab.gosset("run", "blobs.py", "-p", "size=250")
    assert "launch 2: its provenance could not be kept: " in done.stderr
    assert "complete" in done.stdout


# -- what cannot be written


@pytest.fixture
def by_permissions(lab: Lab) -> Iterator[Sequence[str]]:
    folders = [lab.folder, *(path for path in lab.folder.rglob("*") if path.is_dir())]
    for path in (*lab.folder.rglob("*"), *folders):
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield disks.BY_PERMISSIONS
    for folder in folders:
        folder.chmod(0o755)


@pytest.fixture
def by_mount(lab: Lab) -> Iterator[Sequence[str]]:
    with contextlib.closing(disks.kinds()[0](lab.folder, 1 << 22)) as disk:
        disk.lock()
        yield disk.words


@pytest.fixture(params=["by_permissions", pytest.param("by_mount", marks=disks.ON_LINUX)])
def read_only(request: pytest.FixtureRequest) -> Sequence[str]:
    """The words before a command under which the lab cannot be written."""
    words: Sequence[str] = request.getfixturevalue(request.param)
    return words


def test_a_read_only_store_is_read_and_says_that_it_is(lab: Lab, read_only: Sequence[str]) -> None:
    before = lab.runs()
    assert lab.runs(read_only) == before
    lab.gosset("show", "blobs#1", before=read_only)
    for call in (
        ["run", "blobs.py"],
        ["run", "blobs.py", "-p", "size=1000"],
        ["delete", "blobs#1", "--yes"],
        ["project", "create", "New"],
        ["use", "Lab"],
    ):
        told = lab.refused(*call, before=read_only)
        assert str(lab.folder / ".gosset") in told
    assert lab.runs(read_only) == before


def test_no_store_is_made_where_nothing_can_be_written(lab: Lab, read_only: Sequence[str]) -> None:
    url = f"sqlite:///{lab.folder}/sub/new.db"
    assert "sub" in lab.refused("--store", url, "run", "blobs.py", before=read_only)
    assert not (lab.folder / "sub").exists()


# -- a full disk

Said = Mapping[str, subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Said:
    """What was said on a small disk that was filled and freed again."""
    lab = Lab(tmp_path_factory.mktemp("full"))
    said = {}
    with contextlib.closing(disks.kinds()[0](lab.folder, 3 << 20)) as disk:

        def call(name: str, *words: str, code: int = 0) -> None:
            said[name] = lab.gosset(*words, code=code, before=disk.words)

        complete = ("list", "runs", 'status=="complete"', "--json")
        call("first", "run", "blobs.py")
        call("before", *complete)
        call("large", "run", "blobs.py", "-p", "size=8000000", code=1)
        call("after-large", *complete)
        disk.fill()
        call("full-list", *complete)
        call("full-show", "show", "blobs#1")
        call("full-run", "run", "blobs.py", "-p", "size=2000", code=2)
        call("full-cached", "run", "blobs.py", code=2)
        call("full-delete", "delete", "blobs#1", "--yes", code=2)
        disk.free()
        call("freed", *complete)
        call("again", "run", "blobs.py", "-p", "size=2000")
        # The run that found no room is carried out once more, and finds none on this small disk.
        call("resume", "resume", "blobs#2", code=1)
    return said


@disks.ON_LINUX
@pytest.mark.parametrize("call", ["large", "resume"])
def test_a_value_that_finds_no_room_fails_its_run(full: Said, call: str) -> None:
    assert "the disk is full; make room" in full[call].stdout


@disks.ON_LINUX
@pytest.mark.parametrize("call", ["full-run", "full-cached", "full-delete"])
def test_on_a_full_disk_nothing_is_begun(full: Said, call: str) -> None:
    told = full[call].stderr
    assert told.count("\n") == 1
    assert "is full; nothing was changed; free some space" in told
    assert full[call].stdout == ""


@disks.ON_LINUX
@pytest.mark.parametrize("call", ["after-large", "full-list", "freed"])
def test_what_was_stored_before_can_be_read_while_the_disk_is_full(full: Said, call: str) -> None:
    before = json.loads(full["before"].stdout)
    assert len(before) == 1
    assert json.loads(full[call].stdout) == before
    assert "blobs#1" in full["full-show"].stdout


@disks.ON_LINUX
def test_with_room_again_the_work_goes_on(full: Said) -> None:
    assert "complete" in full["again"].stdout


def test_a_limit_on_the_size_of_files_is_a_full_disk_too(lab: Lab) -> None:
    before = lab.runs()
    size = (lab.database.stat().st_size + 1023) // 1024 + 64
    limited = ["sh", "-c", f'ulimit -f {size * 2}; exec "$@"', "sh"]
    done = lab.gosset("run", "blobs.py", "-p", "size=9000000", code=1, before=limited)
    assert "larger than is allowed" in done.stdout
    after = lab.runs()
    assert isinstance(after, list)
    assert isinstance(before, list)
    assert [run for run in after if run["launch"] == 1] == before


def test_a_temporary_folder_without_room_changes_nothing(lab: Lab) -> None:
    with tempfile.TemporaryDirectory() as folder:
        missing = str(Path(folder) / "gone")
        lab.gosset("run", "blobs.py", "-p", "size=1250", TMPDIR=missing)
    assert len(_artifacts(lab.database.parent)) >= 3


@pytest.mark.postgresql
@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_spelling_of_a_postgresql_store_that_runs_use_is_read(
    postgresql_url: str, tmp_path: Path, scheme: str
) -> None:
    url = postgresql_url.replace("postgresql", scheme, 1)
    with gs.open_store(url, artifacts=str(tmp_path)) as made:
        assert exists(url)
    with gs.open_store(url, artifacts=str(tmp_path), create=False) as store:
        assert store.url == made.url


@pytest.mark.parametrize("url", ["ftp://host/store", "lab.db", "sqlite://"])
def test_whether_a_store_is_there_is_asked_of_urls_of_stores_alone(url: str) -> None:
    with pytest.raises(UsageError, match="use sqlite:///"):
        exists(url)
