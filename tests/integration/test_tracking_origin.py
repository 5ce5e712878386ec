"""Where the code of a tracked run comes from stands with its launch, and no secret does."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tracked import Place

import gosset as gs
from gosset.entities import Launch

SCRIPT = """
    import sys, time
    with gs.start_run(params={"api_key": "tok-param-0123456789"}) as run:
        run.log({"loss": 0.5})
    time.sleep(float(sys.argv[1]))
"""


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@lab.example")
    command = ["git", *identity, "-c", "init.defaultBranch=main", *arguments]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def repository(place: Place) -> Path:
    """Give a repository with a commit, in which the scripts are not kept."""
    git(place.folder, "init")
    (place.folder / ".gitignore").write_text("store/\nscript*\n.cache/\n")
    (place.folder / "model.py").write_text("LAYERS = 2\n")
    git(place.folder, "add", ".")
    git(place.folder, "commit", "-m", "first")
    git(place.folder, "remote", "add", "origin", "https://me:hush-hush@lab.example/x.git")
    return place.folder


def launch(place: Place) -> Launch:
    [found] = place.launches()
    return found


def kept(place: Place, name: str) -> bytes:
    with gs.open_store(place.url) as store:
        provenance: Any = launch(place).provenance
        named = [provenance.get("diff"), *provenance["untracked"]]
        [digest] = [each["digest"] for each in named if each and each["name"] == name]
        assert digest in store.catalog.referenced()
        return store.artifacts.read(digest)


def test_a_short_script_in_a_repository_has_all_of_its_state(
    place: Place, repository: Path
) -> None:
    (repository / "model.py").write_text("LAYERS = 3\n")
    (repository / "new.py").write_text("fresh\n")
    assert place.carry_out(SCRIPT, "0") == (0, "", "")
    found: Any = launch(place).provenance
    assert found["commit"] == git(repository, "rev-parse", "HEAD")
    assert (found["kind"], found["branch"], found["dirty"]) == ("git", "main", True)
    assert found["remote"] == "https://me:***@lab.example/x.git"
    assert (found["path"], found["changed"]) == ("script0.py", ["model.py"])
    assert b"-LAYERS = 2\n+LAYERS = 3\n" in kept(place, "diff")
    assert kept(place, "new.py") == b"fresh\n"
    with gs.open_store(place.url) as store:
        digest = launch(place).environment
        assert digest is not None
        packages: Any = store.catalog.environment(digest).content["packages"]
    assert any(package.startswith("numpy==") for package in packages)


def test_a_script_that_lives_longer_is_looked_into_while_it_does(
    place: Place, repository: Path
) -> None:
    process = place.start(SCRIPT, "60")
    deadline = time.monotonic() + 20
    while not (place.file.exists() and place.launches() and launch(place).environment):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.communicate()
    found: Any = launch(place).provenance
    assert (found["kind"], found["dirty"]) == ("git", False)


def test_a_script_that_is_killed_at_once_has_its_commit(place: Place, repository: Path) -> None:
    place.carry_out("""
        import os, signal
        run = gs.start_run()
        run.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    found: Any = launch(place).provenance
    commit = git(repository, "rev-parse", "HEAD")
    assert (found["kind"], found["commit"], found["branch"]) == ("git", commit, "main")
    assert found["path"] == "script0.py"
    assert found["remote"] == "https://me:***@lab.example/x.git"


def test_a_working_tree_beside_the_first_has_its_own_commit(
    place: Place, repository: Path, tmp_path: Path
) -> None:
    git(repository, "worktree", "add", "-b", "side", "store/side")
    git(repository, "pack-refs", "--all")
    from gosset.provenance.glance import glance

    found = glance(str(repository / "store" / "side" / "model.py"))
    assert found is not None
    assert (found["branch"], found["path"]) == ("side", "model.py")
    assert found["commit"] == git(repository, "rev-parse", "HEAD")
    git(repository, "checkout", "--detach")
    found = glance(str(repository / "model.py"))
    assert found is not None
    assert (found["branch"], found["commit"]) == (None, git(repository, "rev-parse", "HEAD"))


def test_outside_a_repository_a_short_script_waits_for_nothing(place: Place) -> None:
    status, _, errors = place.carry_out("""
        import atexit, sys
        atexit.register(lambda: print([m for m in LATE if m in sys.modules], file=sys.stderr))
        LATE = ["subprocess", "gosset.provenance.capture", "gosset.provenance.git", "platform"]
        with gs.start_run():
            pass
    """)
    assert (status, errors) == (0, "[]\n")
    assert (launch(place).provenance, launch(place).environment) == ({}, None)


def test_each_launch_of_a_process_is_looked_into(place: Place, repository: Path) -> None:
    place.carry_out("""
        for experiment in "ab":
            for _ in range(2):
                with gs.start_run(experiment):
                    pass
    """)
    first, second = place.launches()
    assert first.provenance == second.provenance
    assert first.environment == second.environment is not None


def test_the_script_is_kept_without_its_secrets(place: Place) -> None:
    place.carry_out("""
        password = "in-the-script-9"
        token = len(password)
        with gs.start_run():
            pass
    """)
    with gs.open_store(place.url) as store:
        [execution] = store.select("executions")
    [source] = execution.code["sources"].values()
    assert 'password = "***"\ntoken = len(password)\n' in source


def test_no_secret_of_a_script_is_in_the_store(place: Place, repository: Path) -> None:
    secret = "tok-0123456789abcdef"
    place.environment |= {"LAB_TOKEN": f"env-{secret}", "OTHER": f"other-{secret}"}
    (repository / "model.py").write_text(f"# was used with env-{secret}\n")
    (repository / "notes.txt").write_text(f"argument arg-{secret}\n")
    status, _, _ = place.carry_out(
        """
        import os, sys
        run = gs.start_run(
            params={"api_key": "par-" + sys.argv[-1].partition("-")[2]},
            config={"url": "postgresql://me:con-" + sys.argv[-1].partition("-")[2] + "@host/lab"},
        )
        print("using", os.environ["LAB_TOKEN"], sys.argv)
        raise ValueError(f"{sys.argv[-1]} was refused")
        """,
        "--token",
        f"arg-{secret}",
    )
    assert status == 1
    [run] = place.runs()
    assert run.params == {"api_key": "***"}
    assert launch(place).command.endswith("script0.py --token ***")
    assert run.exception is not None
    assert run.exception.message == "*** was refused"
    found: Any = launch(place).provenance
    assert any("hold a secret" in note for note in found["notes"])
    assert found["changed"] == ["model.py"]
    for file in place.file.parent.rglob("*"):
        assert not file.is_file() or secret.encode() not in file.read_bytes(), file


def test_what_cannot_be_looked_into_is_told_and_stops_nothing(
    place: Place, repository: Path, tmp_path: Path
) -> None:
    (repository / "new.py").write_text("x" * 5000)
    # Artifacts can be kept neither beside the store nor anywhere else.
    place.environment["GOSSET_ARTIFACTS"] = "/dev/null/artifacts"
    place.environment["XDG_CACHE_HOME"] = str(tmp_path / ".cache")
    status, _, _ = place.carry_out(SCRIPT, "0")
    assert status == 0
    assert place.run().metrics["loss"].value == 0.5
    found: Any = launch(place).provenance
    assert found["commit"] == git(repository, "rev-parse", "HEAD")


def test_a_store_that_was_taken_away_does_not_come_back(place: Place) -> None:
    status, _, errors = place.carry_out("""
        import pathlib, shutil, time
        with gs.start_run() as run:
            pass
        folder = pathlib.Path(run.store.removeprefix("sqlite:///")).parent
        shutil.rmtree(folder)
        time.sleep(2.5)
        assert not folder.exists()
    """)
    assert (status, errors) == (0, "")


def test_cells_are_the_source_of_a_notebook(place: Place) -> None:
    script = place.folder / "cells.py"
    script.write_text("""
import sys, types
import gosset as gs

shell = types.SimpleNamespace(
    user_ns={"In": ["", "import gosset as gs", "run = gs.start_run()"]},
    events=types.SimpleNamespace(register=lambda event, work: None),
)
sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: shell)
del sys.modules["__main__"].__file__
with gs.start_run():
    pass
""")
    subprocess.run([sys.executable, str(script)], env=place.environment, check=True)
    with gs.open_store(place.url) as store:
        [execution] = store.select("executions")
    told = "# In[1]\nimport gosset as gs\n\n# In[2]\nrun = gs.start_run()"
    assert execution.code["sources"] == {"notebook": told}
