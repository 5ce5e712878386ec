"""Scenario 11: versions of the code, told without touching the user's repository."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from workplace import Workplace, files_in

SCRIPT = """
    import gosset as gs
    from scaling import scaled

    @gs.stage
    def answer(n: int = 1):
        return scaled(n)

    answers = gs.Experiment("answers", project="Lab", stages=[answer], parameters={"n": [1, 2]})

    if __name__ == "__main__":
        answers.execute()
"""

HELPER = """
    def scaled(n):
        return 2 * n
"""


class Repository:
    """A git repository with a script in a sub-folder and one edit that is not committed."""

    def __init__(self, place: Workplace) -> None:
        self.place = place
        self.root = place.folder / "repository"
        self.folder = self.root / "studies" / "first one"
        place.write("repository/studies/first one/answers.py", SCRIPT)
        place.write("repository/studies/first one/scaling.py", HELPER)
        place.write("repository/README.md", "A study.\n")
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("add", ".")
        self.git("-c", "user.name=A", "-c", "user.email=a@b", "commit", "--quiet", "-m", "begin")
        self.git("remote", "add", "origin", "https://me:secret-token@example.org/study.git")
        self.edit("2 * n", "3 * n")

    def git(self, *words: str) -> str:
        """Carry out a git command."""
        return self.place.start(["git", *words], cwd=self.root).stdout

    def edit(self, old: str, new: str) -> None:
        """Change the helper, without committing it."""
        self.place.edit("repository/studies/first one/scaling.py", old, new)

    def state(self) -> dict[str, Any]:
        """Return all that must not change."""
        return {
            "index": (self.root / ".git" / "index").read_bytes(),
            "head": self.git("rev-parse", "HEAD"),
            "branches": self.git("for-each-ref"),
            "stash": self.git("stash", "list"),
            "status": self.git(
                "--no-optional-locks", "status", "--porcelain", "--untracked-files=all"
            ),
            "objects": sorted(files_in(self.root / ".git" / "objects")),
            "repositories": sorted(path for path in self.root.rglob(".git")),
        }


@pytest.fixture(scope="module", params=["gosset run", "python script.py"])
def carried_out(
    request: pytest.FixtureRequest, new_workplace: Callable[..., Workplace]
) -> tuple[Repository, list[tuple[dict[str, Any], dict[str, Any]]]]:
    """A repository whose script was run twice, changed, and run again; states around each run."""
    repository = Repository(new_workplace(executor="processes"))
    if request.param == "python script.py":
        # What Python itself leaves beside a script's modules is not ours to judge.
        repository.place.variables["PYTHONDONTWRITEBYTECODE"] = "1"

    def run() -> tuple[dict[str, Any], dict[str, Any]]:
        before = repository.state()
        if request.param == "gosset run":
            repository.place.gosset("run", "answers.py", cwd=repository.folder)
        else:
            repository.place.python("answers.py", cwd=repository.folder)
        return before, repository.state()

    states = [run(), run()]
    repository.edit("3 * n", "4 * n")
    return repository, [*states, run()]


def test_the_repository_is_untouched(
    carried_out: tuple[Repository, Sequence[tuple[dict[str, Any], dict[str, Any]]]],
) -> None:
    """Same commit, same index to the byte, same status, no repository within, no new files."""
    repository, states = carried_out
    for before, after in states:
        assert after == before
        assert after["repositories"] == [repository.root / ".git"]
        assert after["status"] == ' M "studies/first one/scaling.py"\n'


def test_two_executions_with_two_launches_and_one(
    carried_out: tuple[Repository, object],
) -> None:
    """Unchanged code adds to its execution, changed code opens a new one."""
    place, folder = carried_out[0].place, carried_out[0].folder
    launches = place.json("list", "launches", "--sort", "number", cwd=folder)
    assert [launch["execution"] for launch in launches] == [1, 1, 2]
    assert len(place.json("list", "executions", cwd=folder)) == 2
    runs = place.json("list", "runs", "--sort", "number", cwd=folder)
    assert [run["execution"] for run in runs] == [1, 1, 1, 1, 2, 2]
    assert [run["cached"] for run in runs] == [False, False, True, True, False, False]


def test_comparing_executions_prints_the_difference_of_the_code(
    carried_out: tuple[Repository, object],
) -> None:
    """The changed function alone, as a unified diff; also as JSON."""
    place, folder = carried_out[0].place, carried_out[0].folder
    words = ("compare", "answers#1", "answers#2", "--kind", "execution")
    printed = place.gosset(*words, cwd=folder).stdout
    assert "-    return 3 * n" in printed
    assert "+    return 4 * n" in printed
    assert "def answer" not in printed
    (difference,) = place.json(*words, cwd=folder)["differences"]
    assert difference["component"] == "code"
    assert difference["name"].endswith("scaled")


def test_a_launch_knows_its_commit_and_the_edit(carried_out: tuple[Repository, object]) -> None:
    """Commit, branch, path from the root, the diff for ``git apply``; no token anywhere."""
    repository = carried_out[0]
    shown = repository.place.json("show", "answers#3", "--kind", "launch", cwd=repository.folder)
    known = shown["provenance"]
    assert known["kind"] == "git"
    assert known["commit"] == repository.git("rev-parse", "HEAD").strip()
    assert (known["branch"], known["dirty"]) == ("main", True)
    assert known["path"] == "studies/first one/answers.py"
    assert known["changed"] == ["studies/first one/scaling.py"]
    kept = files_in(repository.folder / ".gosset")
    assert not [name for name, content in kept.items() if b"secret-token" in content]
    diff = next(content for content in kept.values() if content.startswith(b"diff --git"))
    assert b"+    return 3 * n" in diff or b"+    return 4 * n" in diff


def test_code_of_a_package_goes_by_its_own_name_and_version(workplace: Workplace) -> None:
    """An experiment in an installed distribution, in an environment's ``site-packages``."""
    site = workplace.folder / "environment" / "site-packages"
    workplace.write("environment/site-packages/bakery/__init__.py", "")
    file = workplace.write("environment/site-packages/bakery/answers.py", SCRIPT)
    workplace.write("environment/site-packages/scaling.py", HELPER)
    workplace.write(
        "environment/site-packages/bakery-2.5.dist-info/METADATA",
        "Metadata-Version: 2.1\nName: bakery\nVersion: 2.5\n",
    )
    workplace.write(
        "environment/site-packages/bakery-2.5.dist-info/RECORD",
        "bakery/__init__.py,,\nbakery/answers.py,,\nscaling.py,,\nbakery-2.5.dist-info/RECORD,,\n",
    )
    workplace.variables["PYTHONPATH"] = str(site)
    script = workplace.write("use.py", "from bakery.answers import answers\n\nanswers.execute()\n")
    workplace.python(script)
    with workplace.store() as store:
        (launch,) = store.select("launches")
        assert launch.provenance["kind"] == "package"
        assert (launch.provenance["name"], launch.provenance["version"]) == ("bakery", "2.5")
    assert Path(str(launch.settings["file"])) == file
