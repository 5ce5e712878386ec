"""Failure is data: what raises, dies, hangs or is stopped costs its own run and no other."""

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from projects import alive, kill, wait_for

import gosset as gs
from gosset.entities import Status
from gosset.exceptions import ExecutionError, UsageError

PARAMETERS = {"n": [1, 2, 3, 4]}


def statuses(result):
    return [str(run.status) for run in result.runs]


@gs.stage
def before(n: int = 1):
    return n


def made_to_fail(how):
    @gs.stage(depends=[how])
    def after(before):
        if before == 2:
            how()
        return before * 10

    return after


def raises():
    raise ZeroDivisionError("divided by nothing")


def exits():
    sys.exit(3)


def dies():
    os._exit(4)


def is_killed():
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("executor", ["inline", "processes"])
@pytest.mark.parametrize("how", [raises, exits])
def test_one_failure_does_not_lose_the_others(carry_out, store, how, executor):
    result, told = carry_out(before, made_to_fail(how), parameters=PARAMETERS, executor=executor)
    assert statuses(result) == ["complete", "failed", "complete", "complete"]
    assert str(result.status) == "failed"
    assert [result.output(result.runs[i], "after") for i in (0, 2, 3)] == [10, 30, 40]
    assert told["stages"]["before"] == {"computed": 4}
    [failed] = [c for c in store.computations(result.runs[1]) if str(c.status) == "failed"]
    assert failed.stage == "after"
    exception = result.runs[1].exception
    assert exception.type == {raises: "ZeroDivisionError", exits: "SystemExit"}[how]
    assert how.__name__ in exception.traceback
    assert "computing.py" not in exception.traceback
    with pytest.raises(ExecutionError, match="1 of 4 runs did not complete"):
        result.raise_for_status()


@pytest.mark.parametrize("how", [dies, is_killed])
def test_worker_that_dies_costs_the_run_that_it_was_at(carry_out, store, how):
    result, told = carry_out(
        before, made_to_fail(how), parameters=PARAMETERS, executor="processes", jobs=2
    )
    assert statuses(result) == ["complete", "failed", "complete", "complete"]
    # What the worker had done before it died is kept, and the blame lies where it belongs.
    assert told["stages"] == {"before": {"computed": 4}, "after": {"computed": 3, "failed": 1}}
    exception = result.runs[1].exception
    assert exception.type == "WorkerLostError"
    assert {dies: "4", is_killed: "SIGKILL"}[how] in exception.message


def test_stage_that_ignores_being_asked_is_ended_at_its_limit(carry_out):
    def hang():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(60)

    begun = time.monotonic()
    result, told = carry_out(
        before, made_to_fail(hang), parameters=PARAMETERS, executor="processes", timeout=1.0
    )
    assert statuses(result) == ["complete", "failed", "complete", "complete"]
    assert result.runs[1].exception.type == "TimeLimitError"
    assert told["stages"]["before"] == {"computed": 4}
    assert time.monotonic() - begun < 30


def test_mended_and_resumed_only_the_missing_is_computed(folder):
    folder.write(
        "lab.py",
        "import gosset as gs\n"
        "@gs.stage\n"
        "def first(n: int = 1):\n"
        "    return n\n"
        "@gs.stage\n"
        "def second(first):\n"
        "    if first == 2:\n"
        "        raise ValueError('<b>no</b>')\n"
        "    return first * 10\n"
        "@gs.stage\n"
        "def third(second):\n"
        "    return second + 1\n"
        "experiment = gs.Experiment('e', stages=[first, second, third],\n"
        "                           parameters={'n': [1, 2, 3]})\n",
    )
    failed = folder.carry_out()
    assert failed["runs"] == {"e#1": "complete", "e#2": "failed", "e#3": "complete"}
    assert failed["stages"]["third"] == {"computed": 2, "skipped": 1}
    with folder.store() as store:
        [computation] = [c for c in store.computations("e#2") if str(c.status) == "failed"]
        assert computation.exception.message == "<b>no</b>"
        assert "raise ValueError" in computation.exception.traceback
    # Mended in a way that leaves what the other runs depend on as it was.
    folder.edit("lab.py", "    if first == 2:\n        raise ValueError('<b>no</b>')\n", "")
    resumed = folder.carry_out(resume="1")
    assert resumed["status"] == "complete"
    assert resumed["launch"] == 1
    with folder.store() as store:
        times = {
            run.number: {c.stage: str(c.status) for c in store.computations(run)}
            for run in store.runs()
        }
        assert times[2] == {"first": "cached", "second": "computed", "third": "computed"}
        assert times[1] == {"first": "computed", "second": "computed", "third": "computed"}
        mended = store.run("e#2")
        assert mended.exception is None
        assert mended.execution == 2
        assert [str(a.status) for a in store.catalog.attempts(mended.id)] == ["failed", "complete"]


def test_wrong_number_of_outputs_names_the_stage_and_its_outputs(carry_out):
    @gs.stage(outputs=("left", "right"))
    def halves(n: int = 1):
        return (1, 2, 3) if n == 1 else 5

    result, _ = carry_out(halves, parameters={"n": [1, 2]})
    first, second = (run.exception.message for run in result.runs)
    assert first.startswith("stage 'halves' returned 3 values, but it gives 2 outputs: left, right")
    assert second.startswith("stage 'halves' returned int")


@pytest.mark.parametrize("given", ["x", None, {"total": 1}, [0.5]])
def test_metric_that_gives_no_number_fails_the_run_and_is_named(carry_out, store, given):
    @gs.metric
    def cost(before):
        return given

    result, _ = carry_out(before, cost, metrics=["cost"])
    assert statuses(result) == ["failed"]
    (failed,) = [c for c in store.catalog.computations(result.runs[0].id) if c.exception]
    assert failed.stage == "cost"
    assert "metric 'cost' returned" in failed.exception.message
    assert "return one, or several by outputs=" in failed.exception.message


def test_what_a_metric_builds_on_need_be_no_number(carry_out):
    @gs.stage
    def table(before):
        return {"hits": before}

    @gs.metric
    def hits(table):
        return table["hits"]

    result, _ = carry_out(before, table, hits, metrics=["hits"])
    assert result.runs[0].metrics["hits"].value == 1


def test_value_that_nothing_can_keep_names_stage_and_output(carry_out):
    @gs.stage(outputs=("number", "lines"))
    def opened():
        return 1, (line for line in "ab")

    result, _ = carry_out(opened)
    message = result.runs[0].exception.message
    assert "stage 'opened', output 'lines'" in message
    assert "generator" in message


def test_state_that_cannot_be_pickled_is_named_and_costs_its_run_alone(store):
    def step(run):
        run.state.source = (line for line in "ab") if run.params.n == 2 else run.params.n

    result = gs.Experiment("e", steps=[step], parameters={"n": [1, 2, 3]}).execute(
        store=store, executor="inline", progress=False
    )
    assert statuses(result) == ["complete", "failed", "complete"]
    assert "source" in result.runs[1].exception.message


@pytest.mark.parametrize(
    "options", [{"executor": "inline", "timeout": 1.0}, {"executor": "nowhere"}, {"executor": "inline", "jobs": 3}]
)  # fmt: skip
def test_call_that_cannot_be_carried_out_writes_no_launch(carry_out, store, options):
    with pytest.raises(UsageError):
        carry_out(before, **options)
    assert store.select("launches") == []


def test_launch_that_cannot_begin_leaves_no_run_waiting(carry_out, store):
    class Odd:
        def __reduce__(self):
            raise TypeError("stays here")

    odd = Odd()

    @gs.stage(version="1")
    def holder():
        return odd is not None

    with pytest.raises(UsageError):
        carry_out(holder, executor="processes")
    assert {str(run.status) for run in store.runs()} == {"failed"}
    assert [str(launch.status) for launch in store.select("launches")] == ["failed"]


SLOW = """\
import os
import sys
import time
from pathlib import Path

import gosset as gs


@gs.stage
def quick(n: int = 1):
    return n


@gs.stage
def slow(quick):
    if quick > 2 and not Path("mended").exists():
        Path(f"at-{quick}-{os.getpid()}").touch()
        time.sleep(60)
    return quick * 10


experiment = gs.Experiment("e", stages=[quick, slow], parameters={"n": [1, 2, 3, 4, 5]})

if __name__ == "__main__":
    experiment.execute(store="sqlite:///lab.db", jobs=2, progress=False)
"""


AT_WORK = {1: "complete", 2: "complete", 3: "running", 4: "running", 5: "queued"}


@pytest.fixture
def at_work(folder):
    """A script of which two runs are complete and two are at work."""
    folder.write("lab.py", SLOW)
    process = folder.popen("lab.py")

    def two_at_work():
        assert process.poll() is None, process.communicate()
        return len(list(folder.path.glob("at-*"))) == 2

    def recorded():
        with folder.store() as store:
            return by_number(store) == AT_WORK

    wait_for(two_at_work, 30)
    wait_for(recorded, 30)
    folder.process = process
    yield folder
    kill(process)


def workers(folder):
    return [int(path.name.split("-")[2]) for path in folder.path.glob("at-*")]


def by_number(store):
    return {run.number: str(run.status) for run in store.runs()}


def resume_and_check(folder):
    folder.write("mended", "")
    told = folder.carry_out(resume="1")
    assert told["status"] == "complete"
    assert set(told["runs"].values()) == {"complete"}
    with folder.store() as store:
        assert [str(launch.status) for launch in store.select("launches")] == ["complete"]
        attempts = {run.number: len(store.catalog.attempts(run.id)) for run in store.runs()}
        assert attempts == {1: 1, 2: 1, 3: 2, 4: 2, 5: 1}
        assert store.output("e#5", "slow") == 50
    assert folder.carry_out()["computed"] == []


def test_killed_controller_is_seen_as_crashed_at_once_and_resumed(at_work):
    os.kill(at_work.process.pid, signal.SIGKILL)
    at_work.process.wait()
    with at_work.store() as store:
        assert by_number(store) == AT_WORK
        assert store.catalog.reap() == 1
        assert by_number(store) == {
            1: "complete",
            2: "complete",
            3: "crashed",
            4: "crashed",
            5: "crashed",
        }
        [launch] = store.select("launches")
        assert launch.status is Status.CRASHED
        assert launch.ended is not None
    wait_for(lambda: not any(map(alive, workers(at_work))))  # nobody is left to work for
    resume_and_check(at_work)


def test_interrupted_script_keeps_what_it_has_and_leaves_no_worker(at_work):
    os.killpg(at_work.process.pid, signal.SIGINT)
    _, error = at_work.process.communicate(timeout=20)
    assert at_work.process.returncode != 0
    assert error.count("Traceback") <= 1
    assert not any(map(alive, workers(at_work)))
    with at_work.store() as store:
        assert by_number(store) == {
            1: "complete",
            2: "complete",
            3: "stopped",
            4: "stopped",
            5: "stopped",
        }
        [launch] = store.select("launches")
        assert launch.status is Status.STOPPED
        assert [str(a.status) for a in store.catalog.attempts(store.run("e#3").id)] == ["stopped"]
    resume_and_check(at_work)


def test_killed_worker_costs_its_run_and_leaves_no_lock(at_work):
    victims = workers(at_work)
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    at_work.write("mended", "")  # the last run, and whoever takes it up, is quick
    at_work.process.communicate(timeout=30)
    with at_work.store() as store:
        assert by_number(store) == {
            1: "complete",
            2: "complete",
            3: "failed",
            4: "failed",
            5: "complete",
        }
        assert "SIGKILL" in store.run("e#3").exception.message
    told = at_work.carry_out(resume="1")
    assert told["status"] == "complete"
    assert at_work.carry_out()["computed"] == []


def test_failed_launch_ends_a_script_that_asks_with_an_error(folder):
    folder.write(
        "lab.py",
        "import gosset as gs\n"
        "def step(run):\n"
        "    raise ValueError('no')\n"
        "if __name__ == '__main__':\n"
        "    result = gs.Experiment('e', steps=[step]).execute(store='sqlite:///lab.db')\n"
        "    result.raise_for_status()\n",
    )
    done = folder.run("lab.py", check=False)
    assert done.returncode == 1
    assert "1 of 1 runs did not complete; e#1: ValueError: no" in done.stderr


def test_launch_killed_while_others_write_leaves_a_catalog_that_can_be_read(at_work):
    # Another process reads and writes meanwhile; the kill takes nothing of its work.
    with at_work.store() as store:
        gs.Experiment("other", stages=[before]).execute(
            store=store, executor="inline", progress=False
        )
        os.kill(at_work.process.pid, signal.SIGKILL)
        at_work.process.wait()
        other = gs.Experiment("other", stages=[before]).execute(
            store=store, executor="inline", progress=False
        )
        assert str(other.status) == "complete"
        # A new launch finds the dead one.
        [first] = store.select("launches", "experiment == 'e'")
        assert first.status is Status.CRASHED
    assert json.loads(json.dumps(other.to_dict()))["status"] == "complete"
    assert Path(at_work.path / "lab.db").exists()


def test_second_interrupt_leaves_no_worker_and_a_launch_that_can_be_resumed(at_work):
    os.killpg(at_work.process.pid, signal.SIGINT)
    time.sleep(0.05)
    os.killpg(at_work.process.pid, signal.SIGINT)
    at_work.process.communicate(timeout=20)
    wait_for(lambda: not any(map(alive, workers(at_work))))
    with at_work.store() as store:
        store.catalog.reap()
        found = by_number(store)
    assert [found[number] for number in (1, 2)] == ["complete", "complete"]
    assert {found[number] for number in (3, 4, 5)} <= {"stopped", "crashed"}
    resume_and_check(at_work)


def test_interrupted_inline_launch_is_stopped_and_resumed(folder):
    folder.write("lab.py", SLOW.replace("jobs=2", "executor='inline'"))
    process = folder.popen("lab.py")
    try:
        wait_for(lambda: list(folder.path.glob("at-3-*")), 30)
        os.kill(process.pid, signal.SIGINT)
        process.communicate(timeout=20)
    finally:
        kill(process)
    with folder.store() as store:
        found = by_number(store)
        assert found[1] == found[2] == "complete"
        assert found[3] == found[4] == found[5] == "stopped"
    folder.write("mended", "")
    assert folder.carry_out(resume="1")["status"] == "complete"


def test_killed_while_it_writes_a_result_leaves_nothing_that_is_taken_for_one(folder):
    folder.write(
        "lab.py",
        "import os\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "import gosset as gs\n"
        "class Fatal:\n"
        "    def __reduce__(self):\n"
        "        if not Path('mended').exists():\n"
        "            os.kill(os.getpid(), 9)\n"
        "        return Fatal, ()\n"
        "@gs.stage(outputs=('table', 'model'))\n"
        "def made():\n"
        "    return np.zeros(5000), [bytes(range(256)) * 4000, Fatal()]\n"
        "@gs.stage\n"
        "def used(model):\n"
        "    return len(model)\n"
        "experiment = gs.Experiment('e', stages=[made, used])\n"
        "if __name__ == '__main__':\n"
        "    experiment.execute(store='sqlite:///lab.db', executor='inline', progress=False)\n",
    )
    assert folder.run("lab.py", check=False).returncode == -signal.SIGKILL
    with folder.store() as store:
        assert store.catalog.reap() == 1
        assert by_number(store) == {1: "crashed"}
        assert store.select("cache") == []
        for stored in store.artifacts.list():
            store.artifacts.open(stored.digest).close()  # whatever has a name is whole
    folder.write("mended", "")
    resumed = folder.carry_out(resume="1")
    assert resumed["status"] == "complete"
    assert resumed["outputs"]["used"] == 2
    assert folder.carry_out()["computed"] == []


def test_launch_that_is_at_work_cannot_be_resumed_beside_itself(at_work):
    sys.path.insert(0, str(at_work.path))
    try:
        slow_stages = __import__("lab").experiment
    finally:
        sys.path.remove(str(at_work.path))
        del sys.modules["lab"]
    with at_work.store() as store, pytest.raises(UsageError, match=r"e#1 is still at work, in pr"):
        slow_stages.resume(store=store, progress=False)
    with at_work.store() as store:
        [launch] = store.select("launches")
        assert launch.pid == at_work.process.pid


@pytest.mark.parametrize("shorten", [lambda launch: launch.id, lambda launch: launch.id[:13], lambda _: "e#1", lambda _: "1", lambda _: "latest", lambda launch: launch])  # fmt: skip
def test_launch_is_resumed_by_id_prefix_number_or_itself(store, shorten):
    fail = [True]

    def step(run):
        if fail:
            raise ValueError("no")

    experiment = gs.Experiment("e", steps=[step])
    first = experiment.execute(store=store, executor="inline", progress=False)
    fail.clear()
    again = experiment.resume(shorten(first.launch), store=store, executor="inline", progress=False)
    assert again.launch.id == first.launch.id
    assert str(again.status) == "complete"


def test_name_that_cannot_be_kept_leaves_no_launch_behind(store):
    def step(run):
        pass

    experiment = gs.Experiment("long", steps=[step], parameters={"n" * 300: [1]})
    with pytest.raises(UsageError, match="the name of a parameter has 300 characters"):
        experiment.execute(store=store, progress=False)
    assert store.select("launches") == []


def test_what_a_call_gave_in_the_place_of_the_declaration_holds_when_resumed(tmp_path, store):
    mended = tmp_path / "mended"

    def step(run):
        if not mended.exists():
            raise ValueError("not yet")
        run.fields["told"] = [run.params.n, run.params.layers]

    declared = {"n": 0, "layers": [[1], [2]]}
    experiment = gs.Experiment("e", steps=[step], parameters=declared)
    # A list is a value in a list of sets, and alternatives in a mapping.
    sets = [{"n": 1, "layers": [1, 2]}, {"n": 2, "layers": [3]}]
    for given in ({"parameters": sets}, {"vary": {"n": [1, 2]}}):
        mended.unlink(missing_ok=True)
        first = experiment.execute(
            **given, seeds=[1, 2], executor="inline", store=store, progress=False
        )
        assert set(statuses(first)) == {"failed"}
        mended.touch()
        again = experiment.resume(executor="inline", store=store, progress=False)
        assert again.launch.id == first.launch.id
        assert set(statuses(again)) == {"complete"}


def test_metrics_of_any_kind_may_be_given_in_the_place_of_those_declared(store):
    @gs.metric
    def declared(before):
        return before * 2

    experiment = gs.Experiment("e", stages=[before])
    result = experiment.execute(metrics=[declared], executor="inline", store=store, progress=False)
    assert result.runs[0].metrics["declared"].value == 2.0
    assert result.launch.settings["metrics"] == ["declared"]


@pytest.mark.parametrize("error", [ValueError("odd"), OSError("no disk")])
def test_provenance_that_cannot_be_captured_costs_a_warning(carry_out, monkeypatch, error):
    def refuse(*_):
        raise error

    monkeypatch.setattr("gosset.running.background.capture", refuse)
    _, told = carry_out(before)
    assert told["status"] == "complete"
    assert told["warnings"] == [f"launch 1: its provenance could not be kept: {error}"]
