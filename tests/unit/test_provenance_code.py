import os
import shutil
import subprocess
from pathlib import Path

import blake3
import pytest

from gosset.artifacts.memory import MemoryArtifacts
from gosset.provenance import code, code_version
from gosset.provenance.capture import capture

IDENTITY = ("-c", "user.name=Student", "-c", "user.email=student@example.org")


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *IDENTITY, "-C", str(folder), *arguments],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


@pytest.fixture(autouse=True)
def _no_user_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "train.py").write_text("lr = 0.1\n")
    (root / "data.bin").write_bytes(bytes(range(256)))
    (root / ".gitignore").write_text("ignored/\n")
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message=First")
    return root


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below a folder: time of its last change, and bytes."""
    return {
        str(file): (file.stat().st_mtime_ns, file.read_bytes())
        for file in folder.rglob("*")
        if file.is_file()
    }


# -- in Git


def test_a_clean_file_in_a_sub_folder_is_known_by_its_commit(repository: Path) -> None:
    version = code_version(repository / "sub" / "train.py")
    assert version.content == {
        "kind": "git",
        "commit": git(repository, "rev-parse", "HEAD"),
        "branch": "main",
        "remote": None,
        "path": "sub/train.py",
        "dirty": False,
        "changed": [],
        "untracked": [],
        "notes": [],
    }
    assert (version.diff, version.untracked) == (b"", {})


def test_the_diff_restores_what_was_changed_staged_or_not(repository: Path, tmp_path: Path) -> None:
    (repository / "sub" / "train.py").write_text("lr = 0.2\n")
    (repository / "data.bin").write_bytes(b"\0" * 300)
    (repository / "new ü\n.py").write_text("staged = True\n")
    git(repository, "add", "data.bin", "new ü\n.py")
    git(repository, "config", "diff.noprefix", "true")
    git(repository, "config", "diff.external", "/bin/false")
    version = code_version(repository / "sub" / "train.py")
    assert version.content["dirty"] is True
    assert version.content["changed"] == ["data.bin", "new ü\n.py", "sub/train.py"]

    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(repository), str(clone))
    (tmp_path / "patch").write_bytes(version.diff)
    git(clone, "apply", str(tmp_path / "patch"))
    for name in ["data.bin", "new ü\n.py", "sub/train.py"]:
        assert (clone / name).read_bytes() == (repository / name).read_bytes()


def test_the_users_repository_stays_as_it_is(repository: Path, tmp_path: Path) -> None:
    (repository / "sub" / "train.py").write_text("lr = 0.2\n")
    (repository / "notes.txt").write_text("untracked")
    # What was only touched would make Git refresh, and so write, its index.
    os.utime(repository / "data.bin", (1, 1))
    witness = tmp_path / "ran"
    for hook in ["post-index-change", "reference-transaction", "fsmonitor"]:
        script = repository / ".git" / "hooks" / hook
        script.parent.mkdir(exist_ok=True)
        script.write_text(f"#!/bin/sh\ntouch {witness}\n")
        script.chmod(0o755)
    git(repository, "config", "core.fsmonitor", ".git/hooks/fsmonitor")
    before = contents(repository)
    version = code_version(repository / "sub" / "train.py")
    assert version.content["changed"] == ["sub/train.py"]
    assert contents(repository) == before
    assert not witness.exists()


def test_untracked_files_are_kept_unless_ignored_secret_or_large(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code, "FILE_LIMIT", 100)
    (repository / "ignored").mkdir()
    for name in ["ignored/x.py", "helper.py", ".env", "sub/server.pem", "sub/id_ed25519"]:
        (repository / name).write_text(name)
    (repository / "large.csv").write_bytes(b"x" * 101)
    (repository / "link").symlink_to("/etc/hostname")
    version = code_version(repository / "sub" / "train.py")
    assert version.untracked == {"helper.py": b"helper.py"}
    names = [".env", "helper.py", "large.csv", "link", "sub/id_ed25519", "sub/server.pem"]
    assert version.content["untracked"] == names
    assert version.content["notes"] == ["the content of 5 untracked files is not kept"]
    assert version.content["dirty"] is False


def test_a_tracked_secret_is_left_out_of_the_diff(repository: Path) -> None:
    (repository / ".env").write_text("A=1\n")
    git(repository, "add", ".env")
    (repository / "sub" / "train.py").write_text("lr = 0.2\n")
    version = code_version(repository / "sub" / "train.py")
    assert b"lr = 0.2" in version.diff
    assert b"A=1" not in version.diff
    assert version.content["notes"] == ["left out of the diff, for they may hold secrets: .env"]


def test_a_diff_over_the_limit_is_left_out_with_a_note(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code, "DIFF_LIMIT", 2**20)
    (repository / "data.bin").write_bytes(os.urandom(3 * 2**20))
    version = code_version(repository / "sub" / "train.py")
    assert version.diff == b""
    assert version.content["notes"] == ["the diff is larger than 1 MiB and is not kept"]


def test_more_files_than_are_named_are_counted(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code, "NAMES_LIMIT", 2)
    for name in "abc":
        (repository / name).touch()
    version = code_version(repository)
    assert version.content["untracked"] == ["a", "b"]
    assert version.content["notes"] == ["3 files are untracked; the first 2 are named"]


def test_a_detached_head_has_no_branch(repository: Path) -> None:
    git(repository, "checkout", "--quiet", "--detach")
    content = code_version(repository / "sub" / "train.py").content
    assert (content["branch"], len(str(content["commit"]))) == (None, 40)


def test_before_the_first_commit_everything_staged_is_the_diff(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "staged.py").write_text("a = 1\n")
    (tmp_path / "other.py").write_text("b = 2\n")
    git(tmp_path, "add", "staged.py")
    version = code_version(tmp_path / "staged.py")
    assert (version.content["commit"], version.content["branch"]) == (None, "main")
    assert b"+a = 1" in version.diff
    assert version.untracked == {"other.py": b"b = 2\n"}


def test_a_worktree_is_a_repository_of_its_own(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "--quiet", "-b", "idea", str(tmp_path / "idea"))
    content = code_version(tmp_path / "idea" / "sub" / "train.py").content
    assert (content["branch"], content["path"]) == ("idea", "sub/train.py")


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://me:ghp_x@example.org/a.git", "https://me:***@example.org/a.git"),
        ("https://token@example.org/a.git", "https://***@example.org/a.git"),
        ("git@example.org:me/a.git", "git@example.org:me/a.git"),
    ],
)
def test_the_remote_is_kept_without_credentials(url: str, kept: str, repository: Path) -> None:
    git(repository, "remote", "add", "backup", "https://example.org/backup.git")
    git(repository, "remote", "add", "origin", url)
    assert code_version(repository).content["remote"] == kept


def test_a_hook_that_runs_us_does_not_lead_to_its_repository(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert code_version(repository / "sub" / "train.py").content["path"] == "sub/train.py"


def test_a_file_name_that_is_no_text_does_no_harm(repository: Path) -> None:
    with open(os.fsencode(repository) + b"/\xff.py", "wb") as file:
        file.write(b"x")
    version = code_version(repository)
    assert version.untracked == {"\ufffd.py": b"x"}


# -- where Git cannot answer


def test_a_repository_of_another_user_is_named_as_such(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    content = code_version(repository / "sub" / "train.py").content
    assert content["kind"] == "files"
    assert "belongs to another user (dubious ownership)" in str(content["notes"])


def test_a_missing_git_is_named(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    content = code_version(repository / "sub" / "train.py").content
    assert content["kind"] == "files"
    assert content["notes"] == ["git is not installed, so the commit is not known"]


def test_a_damaged_repository_gives_gits_own_words(repository: Path) -> None:
    shutil.rmtree(repository / ".git")
    (repository / ".git").write_text("gitdir: nowhere")
    content = code_version(repository / "sub" / "train.py").content
    assert "not a git repository: " in str(content["notes"])


# -- elsewhere


def test_an_installed_file_is_known_by_its_own_package() -> None:
    content = code_version(Path(blake3.__file__)).content
    assert content == {
        "kind": "package",
        "name": "blake3",
        "version": blake3.__version__,
        "notes": [],
    }


def test_a_file_outside_any_repository_is_known_by_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_bytes(b"lr = 0.1\n")
    digest = blake3.blake3(b"lr = 0.1\n").hexdigest()
    assert code_version(tmp_path / "train.py").content == {
        "kind": "files",
        "files": {"train.py": digest},
        "notes": [],
    }


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    content = code_version(tmp_path / "gone.py").content
    assert content == {"kind": "files", "files": {}, "notes": ["there is no file 'gone.py'"]}


# -- capture


def test_a_launch_keeps_diff_and_untracked_files_as_artifacts(repository: Path) -> None:
    (repository / "sub" / "train.py").write_text("lr = 0.2\n")
    (repository / "helper.py").write_text("a = 1\n")
    (repository / ".env").write_text("A=1\n")
    artifacts = MemoryArtifacts()
    provenance, environment = capture(repository / "sub" / "train.py", artifacts)
    diff = provenance["diff"]
    assert isinstance(diff, dict)
    assert b"+lr = 0.2" in artifacts.read(str(diff["digest"]))
    assert provenance["untracked"] == [
        {"name": ".env"},
        {
            "name": "helper.py",
            "digest": blake3.blake3(b"a = 1\n").hexdigest(),
            "format": "bytes",
            "size": 6,
        },
    ]
    assert len(list(artifacts.list())) == 2
    assert environment.content["packages"]


def test_a_launch_on_a_cluster_names_its_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    provenance, environment = capture(tmp_path, MemoryArtifacts())
    assert provenance["scheduler"] == {"SLURM_JOB_ID": "17"}
    monkeypatch.setenv("SLURM_JOB_ID", "18")
    assert capture(tmp_path, MemoryArtifacts())[1].digest == environment.digest
