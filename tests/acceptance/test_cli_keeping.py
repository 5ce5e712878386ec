"""Making, setting, loading, clearing and deleting by the command line."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

from workplace import Workplace, files_in

STAGES = """
    import gosset as gs

    @gs.stage
    def large(n: int = 1):
        return bytes(5000) + str(n).encode()

    @gs.stage
    def length(large):
        return len(large)

    experiment = gs.Experiment("sizes", project="Lab", stages=[large, length], parameters={"n": [1, 2]})
"""


# -- the first call of all


def test_in_an_empty_home_everything_answers_and_settings_round_trip(workplace: Workplace) -> None:
    workplace.variables.clear()
    listed = workplace.json("config", "list")
    assert listed["executor"] == {"value": "processes", "origin": "default"}
    first = workplace.gosset("list", "datasets", "--json")
    assert (json.loads(first.stdout), "made a store" in first.stderr) == ([], True)
    assert workplace.json("data", "list") == []
    assert "made a store" not in workplace.gosset("list", "runs").stderr
    assert (workplace.folder / ".gosset" / "store.db").is_file()
    workplace.gosset("config", "set", "jobs", "3")
    assert workplace.gosset("config", "get", "jobs").stdout == "3\n"
    workplace.gosset("config", "set", "jobs", "2", "--scope", "project")
    told = workplace.json("config", "get", "jobs")
    assert told["value"] == 2
    assert told["origin"].endswith("gosset.toml")
    assert "comes before it" in workplace.gosset("config", "set", "jobs", "5").stderr
    workplace.gosset("config", "set", "jobs", "", "--scope", "project")
    assert workplace.gosset("config", "get", "jobs").stdout == "5\n"
    assert "did you mean 'jobs'?" in workplace.gosset("config", "get", "job", code=2).stderr
    assert workplace.gosset("config", "set", "jobs", "many", code=2).stderr


def test_a_store_that_was_named_must_be_there(workplace: Workplace) -> None:
    done = workplace.gosset("list", "runs", "--store", "sqlite:///nowhere.db", code=2)
    assert "nowhere.db" in done.stderr
    assert workplace.gosset("show", "latest", code=2).stderr
    assert files_in(workplace.folder) == {}


def test_init_makes_a_store_once_and_can_be_repeated(workplace: Workplace) -> None:
    assert workplace.json("init")["created"] is True
    before = files_in(workplace.folder)
    assert workplace.json("init")["created"] is False
    assert files_in(workplace.folder) == before
    assert "made a store" in workplace.gosset("init", "deep/er").stdout
    assert (workplace.folder / "deep" / "er" / ".gosset" / "store.db").exists()


def test_init_makes_no_other_store_than_the_one_that_is_named(workplace: Workplace) -> None:
    told = workplace.gosset("init", "--store", "sqlite:///lab.db", code=2).stderr
    assert "init makes the store of a folder, not one that --store names" in told
    assert not list(workplace.folder.iterdir())


def test_a_created_experiment_runs_as_it_is_and_is_not_written_over(workplace: Workplace) -> None:
    told = workplace.json("experiment", "create", 'My "first" one')
    assert told["file"] == "my_first_one.py"
    assert "--force" in workplace.gosset("experiment", "create", 'My "first" one', code=2).stderr
    done = workplace.json("run", told["file"])
    assert (done["experiment"], done["status"]) == ('My "first" one', "complete")
    workplace.gosset("experiment", "create", "x", "--path", told["file"], "--force")
    assert '"x"' in (workplace.folder / told["file"]).read_text()


def test_projects_are_made_once(workplace: Workplace) -> None:
    assert workplace.json("project", "create", "A b", "--description", "words")["new"] is True
    assert workplace.json("project", "create", "A b")["new"] is False
    (project,) = workplace.json("list", "projects")
    assert (project["name"], project["description"]) == ("A b", "words")
    workplace.gosset("use", "A b")
    workplace.write("sizes.py", STAGES.replace('project="Lab", ', ""))
    assert workplace.json("run", "sizes.py")["project"] == "A b"


# -- data


def test_data_is_kept_in_versions(workplace: Workplace) -> None:
    workplace.write("grades.csv", "hours,grade\n1,c\n2,b\n3,b\n")
    first = workplace.json("data", "load", "grades.csv", "--target", "grade")
    assert (first["name"], first["version"], first["new"]) == ("grades", 1, True)
    assert first["targets"] == ["grade"]
    assert workplace.json("data", "load", "grades.csv", "--target", "grade")["new"] is False
    workplace.edit("grades.csv", "3,b", "3,a")
    assert workplace.json("data", "load", "grades.csv", "--target", "grade")["version"] == 2
    assert [d["version"] for d in workplace.json("data", "list")] == [1, 2]
    shown = workplace.json("data", "show", "grades@1")
    assert shown["digest"] == first["digest"]
    assert "most frequent" in workplace.gosset("data", "show", "grades").stdout
    flowers = workplace.json("data", "load", "sklearn:iris", "--name", "flowers")
    assert (flowers["name"], flowers["source"]) == ("flowers", "sklearn.datasets.load_iris")
    assert "did you mean 'iris'?" in workplace.gosset("data", "load", "sklearn:irs", code=2).stderr
    assert workplace.gosset("data", "load", "nothing.csv", code=2).stderr
    assert workplace.gosset("data", "load", "grades.csv", "--target", "grad", code=2).stderr


# -- the cache


def test_clearing_the_cache_drops_bytes_and_keeps_what_can_be_known(workplace: Workplace) -> None:
    workplace.write("sizes.py", STAGES)
    workplace.gosset("run", "sizes.py", "--quiet")
    assert {entry["stage"] for entry in workplace.json("cache", "list")} == {"large", "length"}
    dry = workplace.json("cache", "clear", "--stage", "large", "--dry-run")
    assert (dry["entries"], dry["size"], dry["freed"]) == (2, 10002, 0)
    assert workplace.json("cache", "clear", "--older-than", "1h")["entries"] == 0
    assert workplace.json("cache", "clear", "--experiment", "sizes", "--dry-run")["entries"] == 4
    assert workplace.json("cache", "clear", "--stage", "large")["entries"] == 2
    again = workplace.json("run", "sizes.py")
    assert again["computations"]["computed"] == 0
    assert (
        "no length of time"
        in workplace.gosset("cache", "clear", "--older-than", "soon", code=2).stderr
    )


def test_gc_finds_only_what_nothing_refers_to(workplace: Workplace) -> None:
    workplace.write("sizes.py", STAGES)
    workplace.gosset("run", "sizes.py", "--quiet")
    told = workplace.json("cache", "gc", "--dry-run")
    assert (told["removed"], told["kept"] >= 2) == (0, True)


# -- deleting


def test_runs_are_tagged_found_by_their_tags_and_untagged(workplace: Workplace) -> None:
    workplace.write("sizes.py", STAGES)
    workplace.gosset("run", "sizes.py", "--quiet")
    told = workplace.json("tag", "sizes#1", "draft", "to look at", "draft")
    assert (told["name"], told["tags"]) == ("sizes#1", ["draft", "to look at"])
    listed = workplace.json("list", "runs", "'draft' in tags")
    assert [run["name"] for run in listed] == ["sizes#1"]
    done = workplace.gosset("tag", "sizes#1", "draft", "other", "--remove")
    assert done.stderr == "gosset: tags of sizes#1: to look at\n"
    assert workplace.json("list", "runs", "'draft' in tags") == []
    assert "no name for a tag" in workplace.gosset("tag", "sizes#1", "", code=2).stderr


def test_deleting_a_run_asks_and_leaves_what_is_above(workplace: Workplace) -> None:
    workplace.write("sizes.py", STAGES)
    workplace.gosset("run", "sizes.py", "--quiet")
    assert "--yes" in workplace.gosset("delete", "sizes#1", code=2).stderr
    told = workplace.json("delete", "sizes#1", "--yes")
    assert (told["deleted"], told["count"]) == ("run", 1)
    assert [run["number"] for run in workplace.json("list", "runs")] == [2]
    assert len(workplace.json("list", "launches")) == 1
    assert workplace.gosset("delete", "sizes#1", "--yes", "--kind", "run", code=2).stderr
    assert workplace.json("delete", "Lab", "--kind", "project", "--yes")["count"] == 1
    assert workplace.json("list", "experiments") == []


# -- doctor


def test_the_doctor_finds_a_good_store_good_and_a_bad_one_bad(workplace: Workplace) -> None:
    assert all(check["ok"] for check in workplace.json("doctor"))
    workplace.gosset("init")
    assert "0 projects" in workplace.gosset("doctor").stdout
    (workplace.folder / ".gosset" / "store.db").write_bytes(b"this is no database" * 100)
    checks = workplace.json("doctor", code=1)
    assert [check["check"] for check in checks if not check["ok"]] == ["store"]


# -- code versions


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
    done = subprocess.run(
        ["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


def test_changed_code_opens_an_execution_and_the_repository_is_left_alone(
    workplace: Workplace,
) -> None:
    workplace.write("sub/sizes.py", STAGES)
    git(workplace.folder, "init", "-q", "-b", "main")
    git(workplace.folder, "add", "sub")
    git(workplace.folder, "commit", "-qm", "first")
    workplace.edit("sub/sizes.py", "bytes(5000)", "bytes(6000)")
    head, status = git(workplace.folder, "rev-parse", "HEAD"), git(workplace.folder, "status", "-s")
    for _ in range(2):
        workplace.gosset("run", "sizes.py", "-q", cwd=workplace.folder / "sub")
    workplace.edit("sub/sizes.py", "bytes(6000)", "bytes(7000)")
    workplace.gosset("run", "sizes.py", "-q", cwd=workplace.folder / "sub")
    inside = workplace.folder / "sub"
    launches = workplace.json("list", "launches", "--sort", "number", cwd=inside)
    assert [launch["execution"] for launch in launches] == [1, 1, 2]
    told = workplace.gosset("compare", "sizes#1", "sizes#2", "--kind", "execution", cwd=inside)
    assert "bytes(6000)" in told.stdout
    assert "bytes(7000)" in told.stdout
    assert git(workplace.folder, "rev-parse", "HEAD") == head
    assert git(workplace.folder, "status", "-s") == status


# -- many runs


def test_a_thousand_runs_are_browsed_at_once(workplace: Workplace) -> None:
    workplace.write("sizes.py", STAGES.replace('{"n": [1, 2]}', '{"n": range(1000)}'))
    workplace.gosset("run", "sizes.py", "--quiet")
    asked = ["list", "runs", "params.n >= 500", "--sort", "-params.n", "--offset", "10"]
    spent = _processor_seconds()
    page = workplace.json(*asked, "--limit", "5")
    assert _processor_seconds() - spent < 2.0
    assert [run["params"]["n"] for run in page] == [989, 988, 987, 986, 985]
    assert len(workplace.json("list", "runs")) == 1000


def _processor_seconds() -> float:
    # Not the clock on the wall: others may be at work on this machine.
    times = os.times()
    return times.children_user + times.children_system


def test_a_file_that_is_no_store_is_a_wrong_call_without_traceback(workplace: Workplace) -> None:
    workplace.gosset("init")
    (workplace.folder / ".gosset" / "store.db").write_bytes(b"nonsense" * 1000)
    done = workplace.gosset("list", "runs", "--json", code=2)
    assert json.loads(done.stderr)["error"]["type"] in ("StoreVersionError", "StorageError")


def test_help_answers_at_once(workplace: Workplace) -> None:
    workplace.gosset("--help")
    best = min(_seconds_for_help(workplace) for _ in range(3))
    assert best < 1.0


def _seconds_for_help(workplace: Workplace) -> float:
    began = time.perf_counter()
    workplace.gosset("--help")
    return time.perf_counter() - began
