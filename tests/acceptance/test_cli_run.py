"""``gosset run`` and ``gosset resume``, as real processes."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from workplace import GOSSET, Workplace, files_in

import gosset as gs
from gosset.entities import Launch, Status
from gosset.storage.changes import Batch, RunUpdate

DOUBLING = """
    import gosset as gs

    @gs.stage
    def doubled(n: int = 1, factor: float = 2.0):
        return n * factor

    @gs.metric(direction="maximize")
    def score(doubled):
        return float(doubled)

    experiment = gs.Experiment(
        "doubling", project="Lab", stages=[doubled], parameters={"n": [1, 2, 3]}, metrics=[score]
    )
"""


@pytest.fixture
def lab(workplace: Workplace) -> Workplace:
    workplace.write("lab.py", DOUBLING)
    return workplace


# -- what run prints


def test_json_has_the_contract_and_stdout_has_nothing_else(lab: Workplace) -> None:
    lab.edit("lab.py", "return n * factor", "print('noise'); return n * factor")
    lab.edit("lab.py", "import gosset as gs", "import gosset as gs\nprint('noise at import')")
    told = lab.json("run", "lab.py")
    assert {"project", "experiment", "execution", "launch", "status"} <= told.keys()
    assert (told["project"], told["experiment"], told["launch"]) == ("Lab", "doubling", 1)
    assert told["status"] == "complete"
    assert [run["params"] for run in told["runs"]] == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert [run["metrics"]["score"] for run in told["runs"]] == [2.0, 4.0, 6.0]
    assert told["best"]["params"] == {"n": 3}
    assert told["computations"] == {"computed": 6, "cached": 0, "failed": 0, "skipped": 0}


def test_the_second_run_takes_everything_from_the_cache_and_no_cache_does_not(
    lab: Workplace,
) -> None:
    lab.gosset("run", "lab.py")
    again = lab.json("run", "lab.py")
    assert again["launch"] == 2
    assert again["computations"]["computed"] == 0
    assert again["computations"]["cached"] == 6
    assert lab.json("run", "lab.py", "--no-cache")["computations"]["computed"] == 6


def test_the_table_for_people_marks_the_best_set_and_says_what_was_computed(
    lab: Workplace,
) -> None:
    told = lab.gosset("run", "lab.py").stdout
    best = next(line for line in told.splitlines() if line.startswith("★"))
    assert best.split()[1:3] == ["3", "6.0000"]
    assert "best: n=3 (score 6.0000, to maximize)" in told
    assert "6 computed, 0 cached, 0 failed, 0 skipped" in told
    assert ".gosset/store.db" in told


def test_runs_that_differ_only_in_the_seed_are_one_row(lab: Workplace) -> None:
    lab.write(
        "seeded.py",
        """
        import gosset as gs

        @gs.stage
        def drawn(seed, n: int = 1):
            return n * 10 + seed

        @gs.metric(direction="minimize")
        def loss(drawn):
            return float(drawn)

        seeded = gs.Experiment("seeded", stages=[drawn], parameters={"n": [1, 2]}, metrics=[loss])
        """,
    )
    told = lab.gosset("run", "seeded.py", "--seeds", "0,1,2").stdout
    rows = [line for line in told.splitlines() if "±" in line and "complete" in line]
    assert len(rows) == 2
    assert "11.0000 ± 1.0000" in rows[0]
    assert rows[0].startswith("★")


def test_seeds_are_written_with_commas_or_as_a_range(lab: Workplace) -> None:
    told = lab.gosset("run", "lab.py", "--seeds", "0-3", code=2).stderr
    assert "--seeds 0-3: '0-3' is no seed; write 0,1,2,3 or, the same, 0:3" in told


def test_quiet_prints_nothing(lab: Workplace) -> None:
    done = lab.gosset("run", "lab.py", "--quiet")
    assert (done.stdout, done.stderr) == ("", "")


# -- parameters


def test_p_replaces_the_names_given_and_leaves_the_others(lab: Workplace) -> None:
    told = lab.json("run", "lab.py", "-p", "factor=3,4", "-p", "n=5")
    assert [run["params"] for run in told["runs"]] == [
        {"n": 5, "factor": 3},
        {"n": 5, "factor": 4},
    ]
    told = lab.json("run", "lab.py", "-p", "factor=10")
    assert [run["metrics"]["score"] for run in told["runs"]] == [10, 20, 30]


def test_an_unknown_parameter_is_refused_before_anything_is_written(lab: Workplace) -> None:
    done = lab.gosset("run", "lab.py", "-p", "factr=3", code=2)
    assert "did you mean 'factor'?" in done.stderr
    assert not (lab.folder / ".gosset").exists()


def test_a_declared_list_of_sets_is_crossed_with_what_is_given(lab: Workplace) -> None:
    lab.edit("lab.py", '{"n": [1, 2, 3]}', '[{"n": 1}, {"n": 7}]')
    told = lab.json("run", "lab.py", "-p", "factor=1,2")
    assert [run["metrics"]["score"] for run in told["runs"]] == [1, 2, 7, 14]


# -- plan


def test_a_plan_counts_and_writes_not_one_byte(lab: Workplace) -> None:
    lab.write("beside.py", "CONSTANT = 1")
    lab.edit("lab.py", "import gosset as gs", "import gosset as gs\nimport beside")
    before = files_in(lab.folder)
    plan = lab.json("run", "lab.py", "--plan")
    assert files_in(lab.folder) == before
    assert files_in(lab.home) == {}
    assert plan["counts"] == {"compute": 6, "load": 0, "skip": 0}
    assert [stage["stage"] for stage in plan["stages"]] == ["doubled", "score"]


def test_a_plan_over_a_store_agrees_with_the_run_and_leaves_the_store_alone(
    lab: Workplace,
) -> None:
    lab.gosset("run", "lab.py")
    before = files_in(lab.folder, but=["__pycache__"])
    plan = lab.json("run", "lab.py", "-p", "n=3,4", "--plan")
    assert "nothing was written" in lab.gosset("run", "lab.py", "--plan").stdout
    assert files_in(lab.folder, but=["__pycache__"]) == before
    assert plan["counts"]["compute"] == 2
    assert lab.json("run", "lab.py", "-p", "n=3,4")["computations"]["computed"] == 2


# -- files


def test_a_file_that_raises_is_told_with_its_line_and_no_traceback(workplace: Workplace) -> None:
    workplace.write("bad.py", "import gosset\n\n\nvalue = 1 / 0\n")
    done = workplace.gosset("run", "bad.py", code=2)
    assert "bad.py:4: ZeroDivisionError: division by zero" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in workplace.gosset("run", "bad.py", "--debug", code=2).stderr
    workplace.write("syntax.py", "x = 1\ndef f(:\n")
    assert "syntax.py:2: SyntaxError" in workplace.gosset("run", "syntax.py", code=2).stderr


def test_a_missing_or_empty_file_is_a_wrong_call(workplace: Workplace) -> None:
    assert "no file 'gone.py'" in workplace.gosset("run", "gone.py", code=2).stderr
    workplace.write("empty.py", "")
    assert "declares no experiment" in workplace.gosset("run", "empty.py", code=2).stderr


def test_an_imported_experiment_is_not_run_but_can_be_named(lab: Workplace) -> None:
    lab.write(
        "second.py",
        """
        from lab import doubled, experiment
        import gosset as gs

        again = gs.Experiment("again", project="Lab", stages=[doubled])
        """,
    )
    assert lab.json("run", "second.py")["experiment"] == "again"
    assert lab.json("run", "second.py::doubling")["experiment"] == "doubling"
    assert "did you mean 'again'?" in lab.gosset("run", "second.py::agian", code=2).stderr


def test_several_experiments_of_a_file_are_an_array(lab: Workplace) -> None:
    lab.write(
        "two.py",
        """
        import gosset as gs

        @gs.stage
        def one(n: int = 1): return n

        first = gs.Experiment("first", stages=[one])
        second = gs.Experiment("second", stages=[one])
        alias = second
        """,
    )
    told = lab.json("run", "two.py")
    assert [each["experiment"] for each in told] == ["first", "second"]


@pytest.mark.parametrize("name", ["random.py", "my-experiment 2.py", "json.py"])
def test_a_stem_that_clashes_or_is_no_identifier_still_works(
    workplace: Workplace, name: str
) -> None:
    workplace.variables["GOSSET_EXECUTOR"] = "processes"
    workplace.write(name, DOUBLING)
    told = workplace.json("run", name, "-j", "1")
    assert told["status"] == "complete"
    assert told["computations"]["computed"] == 6


def test_neighbours_of_the_file_can_be_imported_also_in_workers(workplace: Workplace) -> None:
    workplace.variables["GOSSET_EXECUTOR"] = "processes"
    workplace.write("code/beside.py", "def times(n, factor):\n    return n * factor\n")
    workplace.write("code/lab.py", DOUBLING)
    workplace.edit("code/lab.py", "return n * factor", "return times(n, factor)")
    workplace.edit(
        "code/lab.py", "import gosset as gs", "import gosset as gs\nfrom beside import times"
    )
    assert workplace.json("run", "code/lab.py", "-j", "1")["status"] == "complete"


# -- failure, interruption, resumption

FRAGILE = """
    import gosset as gs
    from pathlib import Path

    def deep(n):
        if n == 2 and not Path("mended").exists():
            raise ValueError(f"cannot do {n}")
        return n

    @gs.stage
    def fragile(n: int = 1):
        return deep(n)

    experiment = gs.Experiment("fragile", stages=[fragile], parameters={"n": [1, 2, 3]})
"""


def test_a_failed_run_is_told_by_type_message_and_the_users_line(workplace: Workplace) -> None:
    workplace.write("fragile.py", FRAGILE)
    done = workplace.gosset("run", "fragile.py", code=1)
    failed = next(line for line in done.stdout.splitlines() if line.startswith("failed:"))
    assert "ValueError: cannot do 2" in failed
    assert "fragile.py:6 in deep" in failed
    assert "Traceback" not in done.stdout + done.stderr
    assert "2 computed, 0 cached, 1 failed" in done.stdout
    assert done.stdout.endswith("see gosset show fragile#2\n")


def test_resume_carries_out_only_what_is_missing(workplace: Workplace) -> None:
    workplace.write("fragile.py", FRAGILE)
    first = workplace.json("run", "fragile.py", "-p", "n=2,5", "--seeds", "3,4", code=1)
    assert [run["status"] for run in first["runs"]] == ["failed", "failed", "complete", "complete"]
    (workplace.folder / "mended").touch()
    told = workplace.json("resume", "fragile#1")
    assert told["status"] == "complete"
    assert [run["id"] for run in told["runs"]] == [run["id"] for run in first["runs"]]
    assert {run["status"] for run in told["runs"]} == {"complete"}
    assert told["computations"]["computed"] <= 2
    attempts = workplace.json("show", "fragile#1")["attempts"]
    assert [attempt["status"] for attempt in attempts] == ["failed", "complete"]


SLOW = """
    import time
    import gosset as gs

    @gs.stage
    def slow(n: int = 1):
        if n > 1:
            print("begun", flush=True)
            time.sleep(60)
        return n

    experiment = gs.Experiment("slow", stages=[slow], parameters={"n": [1, 2]})
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_an_interrupted_launch_is_stopped_and_says_how_to_go_on(
    workplace: Workplace, number: int, executor: str
) -> None:
    workplace.write("slow.py", SLOW)
    with subprocess.Popen(
        [GOSSET, "run", "slow.py", "--on", executor, "-j", "1"],
        cwd=workplace.folder,
        env=workplace.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            _wait_for_the_second_run(workplace, process, executor)
            process.send_signal(number)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130, errors
    assert errors.endswith("carry on with: gosset resume slow#1\n")
    assert "Traceback" not in errors
    assert workplace.json("list", "launches")[0]["status"] == "stopped"
    runs = workplace.json("list", "runs", "--sort", "number")
    assert [run["status"] for run in runs] == ["complete", "stopped"]


def _wait_for_the_second_run(
    workplace: Workplace, process: subprocess.Popen[str], executor: str
) -> None:
    if executor == "inline":
        # What a stage prints is seen at once where no worker stands between.
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        return
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None
        # Until its tables are made, the store counts as not there.
        with contextlib.suppress(gs.NotFoundError), workplace.store() as store:
            if store.runs("status == 'running'") and store.runs("status == 'complete'"):
                return
        time.sleep(0.1)
    pytest.fail("the second run never began")


# -- the command itself


def test_errors_are_json_on_standard_error_when_json_is_asked_for(workplace: Workplace) -> None:
    done = workplace.gosset("run", "gone.py", "--json", code=2)
    assert done.stdout == ""
    error = json.loads(done.stderr)["error"]
    assert error["type"] == "NotFoundError"
    assert set(error) == {"type", "message", "hint"}
    done = workplace.gosset("list", "runs", "--nonsense", "--json", code=2)
    assert "--nonsense" in json.loads(done.stderr)["error"]["message"]


def test_help_imports_nothing_heavy(workplace: Workplace) -> None:
    program = (
        "import sys; from gosset.cli.main import main; main(['--help']);"
        "print(sorted({n.partition('.')[0] for n in sys.modules}"
        " & {'sqlalchemy','pandas','numpy','rich','sklearn','alembic','pyarrow','blake3'}))"
    )
    done = workplace.start([sys.executable, "-c", program])
    assert done.stdout.strip().endswith("[]")


def test_the_package_is_the_command(lab: Workplace) -> None:
    words = [sys.executable, "-m", "gosset", "list"]
    assert lab.start([*words, "runs"]).stderr.startswith("gosset: made a store")
    assert "did you mean 'runs'" in lab.start([*words, "rusn"], code=2).stderr


def test_global_options_may_stand_anywhere(lab: Workplace, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'else' / 'lab.db'}"
    lab.gosset("run", "lab.py", "--quiet", "--store", url)
    assert len(lab.json("--store", url, "list", "runs")) == 3
    assert len(lab.json("list", "runs", f"--store={url}")) == 3
    assert not (lab.folder / ".gosset").exists()
    assert lab.gosset("--version").stdout.startswith("gosset ")


def test_a_launch_whose_process_was_killed_is_shown_as_crashed(workplace: Workplace) -> None:
    workplace.write("slow.py", SLOW)
    with subprocess.Popen(
        [GOSSET, "run", "slow.py", "--on", "inline"],
        cwd=workplace.folder,
        env=workplace.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert any("begun" in line for line in process.stdout)
        process.kill()
    checks = {c["check"]: c["detail"] for c in workplace.json("doctor")}
    assert checks["launches"].startswith("crashed: slow#1")
    assert "1 project, 1 experiment, 2 runs" in checks["store"]
    assert workplace.json("list", "launches")[0]["status"] == "crashed"


@pytest.mark.parametrize("words", [["list", "launches"], ["list", "runs"], ["show", "slow#1"]])
def test_whatever_reads_the_store_finds_out_who_has_crashed(
    workplace: Workplace, words: list[str]
) -> None:
    workplace.write("lab.py", DOUBLING.replace("doubling", "slow"))
    workplace.gosset("run", "lab.py", "--quiet")
    with workplace.store() as store:
        launch = store.catalog.find("launches", "slow#1")
        assert isinstance(launch, Launch)
        # Of a process that was never there.
        store.catalog.update_launch(launch.id, status=Status.RUNNING, pid=2**22 + 1)
        runs = store.runs_of(launch)
        store.catalog.record(Batch(runs=[RunUpdate(id=r.id, status=Status.RUNNING) for r in runs]))
    told = workplace.json(*words)
    assert (told[0] if isinstance(told, list) else told)["status"] == "crashed"


def test_of_several_experiments_an_error_says_which(workplace: Workplace) -> None:
    other = DOUBLING.partition("@gs.stage")[2].replace("doubl", "tripl").replace("n: int", "m: int")
    other = other.replace("n * factor", "m * factor").replace('"n"', '"m"').replace("score", "rank")
    workplace.write("lab.py", DOUBLING + "    @gs.stage" + other.replace("experiment =", "more ="))
    told = workplace.gosset("run", "lab.py", "-p", "n=4", code=2).stderr
    assert "experiment 'tripling': no stage takes the parameter 'n'" in told
    assert "only doubling can: gosset run lab.py::doubling" in told
    told = workplace.gosset("run", "lab.py", "-p", "o=4", "--plan", code=2).stderr
    assert "experiment 'doubling': no stage takes the parameter 'o'" in told
    told = workplace.gosset("run", "lab.py", "--metrics", "acuracy", code=2).stderr
    assert "experiment 'doubling': no metric 'acuracy'" in told
    assert not (workplace.folder / ".gosset").exists()
    workplace.gosset("run", "lab.py", "-p", "factor=3.0", "--quiet")


def test_with_fail_fast_nothing_more_begins_after_a_run_failed(lab: Workplace) -> None:
    lab.write(
        "fragile.py",
        """
        import gosset as gs

        def step(run):
            if run.params.n == 2:
                raise ValueError("no further")

        first = gs.Experiment("first", steps=[step], parameters={"n": [1, 2, 3, 4]})
        second = gs.Experiment("second", steps=[step], parameters={"n": [1]})
        """,
    )
    told = lab.gosset("run", "fragile.py", "--on", "inline", "--fail-fast", "--json", code=1)
    document = json.loads(told.stdout)
    assert document["experiment"] == "first"  # the second did not begin
    statuses = [run["status"] for run in document["runs"]]
    assert statuses == ["complete", "failed", "stopped", "stopped"]
