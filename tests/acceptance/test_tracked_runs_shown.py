"""What a tracked run was given and what it said is shown; exports take no other file's place."""

from __future__ import annotations

import pytest
from workplace import Workplace

TRACK = """
import gosset as gs

with gs.start_run(
    "shown", params={"lr": 0.1}, config={"k": 5}, notes="my notes", tags={"model": "svm"}
) as run:
    run.log({"a": 1}, 3)
    run.log({"a": 2}, 7)
    gs.log({"b": 1}, 3)
    gs.log("c", 4.0, 2)
    run.alert("Loss high", "above all", level="error")
    run.log_text("hello", "hello.txt")
    run.fields.large = list(range(100_000))
    with gs.start_run("shown"):
        pass
"""


@pytest.fixture
def tracked(workplace: Workplace) -> Workplace:
    workplace.python(workplace.write("track.py", TRACK))
    return workplace


def test_all_that_a_run_was_given_and_said_is_shown(tracked: Workplace) -> None:
    told = tracked.json("show", "shown#1")
    assert (told["config"], told["notes"], told["parent"]) == ({"k": 5}, "my notes", None)
    assert told["tags"] == ["model=svm"]
    assert [(a["level"], a["title"], a["text"]) for a in told["alerts"]] == [
        ("error", "Loss high", "above all")
    ]
    assert [artifact["name"] for artifact in told["artifacts"]] == ["hello.txt"]
    assert tracked.json("show", "shown#2")["parent"] == told["id"]
    shown = tracked.gosset("show", "shown#1").stdout
    for text in ("my notes", "CONFIG", "Loss high", "hello.txt"):
        assert text in shown


def test_the_second_argument_behind_a_mapping_is_the_step(tracked: Workplace) -> None:
    with tracked.store() as store:
        steps = {name: s.steps.tolist() for name, s in store.series("shown#1").items()}
    assert steps == {"a": [3, 7], "b": [3], "c": [2]}
    refused = tracked.write(
        "twice.py",
        """
        import gosset as gs

        with gs.start_run("twice") as run:
            try:
                run.log({"a": 1}, 3, step=4)
            except gs.UsageError as error:
                print(error)
        """,
    )
    assert "was given 3 and the step 4" in tracked.python(refused)


def test_tracked_and_declared_experiments_are_in_one_project_by_default(
    tracked: Workplace,
) -> None:
    tracked.python(
        tracked.write(
            "declared.py",
            """
            import gosset as gs

            def work(run):
                run.log({"a": 1})

            if __name__ == "__main__":
                gs.Experiment("declared", steps=[work]).execute(executor="inline")
            """,
        )
    )
    assert [project["name"] for project in tracked.json("list", "projects")] == ["default"]


@pytest.mark.parametrize("format", ["gosset", "duckdb"])
def test_an_export_replaces_an_earlier_one_and_no_other_file(
    tracked: Workplace, format: str
) -> None:
    for _ in range(2):
        tracked.gosset("export", "runs.out", "--format", format)
    for name in ("track.py", ".gosset/store.db"):
        before = (tracked.folder / name).read_bytes()
        done = tracked.gosset("export", name, "--format", format, code=2)
        assert "is there, and no earlier export" in done.stderr
        assert (tracked.folder / name).read_bytes() == before
    assert len(tracked.json("list", "runs")) == 2
