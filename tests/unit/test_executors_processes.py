"""Worker processes under crashes, limits, cancellation and large values."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from gosset.exceptions import UsageError
from gosset.executors import (
    Cancelled,
    Done,
    Event,
    Failed,
    Lost,
    Message,
    Send,
    Setup,
    Started,
    Task,
    TimedOut,
)
from gosset.executors.processes import ProcessExecutor

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="POSIX signals and /proc")

PROMPT = 10.0
"""Seconds within which ends what would sleep for a minute, on a machine that is busy, too."""


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    before = set(psutil.Process().children(recursive=True))
    yield
    left = set(psutil.Process().children(recursive=True)) - before
    _, alive = psutil.wait_procs(left, timeout=PROMPT)
    assert not alive


@pytest.fixture
def pool() -> Iterator[Callable[..., ProcessExecutor]]:
    """Give what opens executors; they are closed after the test."""
    opened = []

    def make(
        handler: Callable[[object, Send], object], jobs: int = 1, **options: object
    ) -> ProcessExecutor:
        return make_with(lambda: handler, jobs, **options)

    def make_with(setup: Setup, jobs: int = 1, **options: object) -> ProcessExecutor:
        executor = ProcessExecutor(jobs, **options)  # type: ignore[arg-type]
        opened.append(executor)
        executor.open(setup)
        return executor

    make.setup = make_with  # type: ignore[attr-defined]
    yield make
    for executor in opened:
        executor.close()


def until_done(executor: ProcessExecutor) -> list[Event]:
    found: list[Event] = []
    while events := executor.events():
        found += events
    return found


def until(executor: ProcessExecutor, kind: type[Event], count: int = 1) -> list[Event]:
    """Return events until `count` of one kind have come."""
    found: list[Event] = []
    while sum(isinstance(event, kind) for event in found) < count:
        events = executor.events()
        assert events, f"no {kind.__name__} after {found}"
        found += events
    return found


def ends(events: list[Event]) -> dict[int, Event]:
    """Return the end of each task, having seen that there is only one."""
    found = [event for event in events if not isinstance(event, Started | Message)]
    assert len({event.task for event in found}) == len(found)
    return {event.task: event for event in found}


def echo(payload: object, send: Send) -> object:
    return payload


def act(payload: object, send: Send) -> object:
    """Do what the payload says."""
    import ctypes
    import os
    import signal
    import subprocess
    import sys
    import time

    match payload:
        case "exit":
            os._exit(3)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "segfault":
            ctypes.string_at(0)
        case "sleep":
            send(os.getpid())
            time.sleep(60)
        case "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            send(os.getpid())
            time.sleep(60)
        case "nested" | "nested session":
            code = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
            child = subprocess.Popen(
                [sys.executable, "-c", code], start_new_session="session" in payload
            )
            send(child.pid)
            time.sleep(60)
        case "leave child":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
            send(child.pid)
            time.sleep(0.1)
            os._exit(4)
    return payload


# The functions above are of an importable module; by value they cost a worker no import of it.
act_by_value = type(act)(act.__code__, {"__builtins__": __builtins__}, "act")
echo_by_value = type(echo)(echo.__code__, {"__builtins__": __builtins__}, "echo")


def gone(pid: int, seconds: float = PROMPT) -> bool:
    """Wait until a process has ended; one that nobody reaps counts as ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize(
    ("payload", "words"),
    [("exit", "exit code 3"), ("kill", "SIGKILL"), ("segfault", "SIGSEGV")],
)
def test_a_dead_worker_costs_its_one_task(
    pool: Callable[..., ProcessExecutor], payload: str, words: str
) -> None:
    executor = pool(act_by_value, jobs=2)
    for number in range(20):
        executor.submit(Task(id=number, payload=payload if number == 7 else number))
    found = ends(until_done(executor))
    lost = found.pop(7)
    assert isinstance(lost, Lost)
    assert words in lost.reason
    assert found == {number: Done(number, number) for number in range(20) if number != 7}


def test_a_worker_killed_from_outside_is_lost_and_replaced(
    pool: Callable[..., ProcessExecutor],
) -> None:
    executor = pool(act_by_value)
    executor.submit(Task(id=1, payload="sleep"))
    executor.submit(Task(id=2, payload="next"))
    pid = until(executor, Message)[-1].content  # type: ignore[union-attr]
    os.kill(pid, signal.SIGKILL)
    start = time.monotonic()
    found = ends(until_done(executor))
    assert time.monotonic() - start < PROMPT
    assert isinstance(found[1], Lost)
    assert str(pid) in found[1].reason
    assert found[2] == Done(2, "next")


def test_an_idle_worker_that_was_killed_costs_no_task(
    pool: Callable[..., ProcessExecutor],
) -> None:
    def pid(payload: object, send: Send) -> int:
        import os

        return os.getpid()

    executor = pool(pid)
    executor.submit(Task(id=1, payload=None))
    first = ends(until_done(executor))[1].result  # type: ignore[union-attr]
    os.kill(first, signal.SIGKILL)
    assert gone(first)
    executor.submit(Task(id=2, payload=None))
    second = ends(until_done(executor))[2]
    assert isinstance(second, Done)
    assert second.result != first


def test_messages_sent_before_a_crash_arrive(pool: Callable[..., ProcessExecutor]) -> None:
    def handler(payload: object, send: Send) -> None:
        import os

        for number in range(1000):
            send(number)
        os._exit(1)

    executor = pool(handler)
    executor.submit(Task(id=1, payload=None))
    events = until_done(executor)
    assert [e.content for e in events if isinstance(e, Message)] == list(range(1000))
    assert isinstance(events[-1], Lost)


def test_a_worker_that_dies_in_its_setup_costs_one_task_each_time(
    pool: Callable[..., ProcessExecutor],
) -> None:
    def setup() -> Callable[[object, Send], object]:
        import os

        os._exit(5)

    executor = pool.setup(setup, jobs=2)  # type: ignore[attr-defined]
    for number in range(3):
        executor.submit(Task(id=number, payload=None))
    found = ends(until_done(executor))
    assert sorted(found) == [0, 1, 2]
    for end in found.values():
        assert isinstance(end, Lost)
        assert "exit code 5" in end.reason


def test_the_death_of_the_fork_server_costs_the_running_tasks_only(
    pool: Callable[..., ProcessExecutor],
) -> None:
    before = set(psutil.Process().children())
    executor = pool(act_by_value)
    executor.submit(Task(id=1, payload="sleep"))
    executor.submit(Task(id=2, payload="next"))
    worker = until(executor, Message)[-1].content  # type: ignore[union-attr]
    (server,) = set(psutil.Process().children()) - before
    server.kill()
    found = ends(until_done(executor))
    assert isinstance(found[1], Lost)
    assert found[2] == Done(2, "next")
    assert gone(worker)


@pytest.mark.parametrize("payload", ["sleep", "stubborn"])
def test_a_task_that_runs_past_its_time_is_ended_and_its_worker_replaced(
    pool: Callable[..., ProcessExecutor], payload: str
) -> None:
    executor = pool(act_by_value)
    executor.submit(Task(id=1, payload=payload, timeout=1.0))
    executor.submit(Task(id=2, payload="next"))
    events = until(executor, Message)
    start = time.monotonic()
    pid = events[-1].content  # type: ignore[union-attr]
    found = ends(until_done(executor))
    assert found == {1: TimedOut(1, 1.0), 2: Done(2, "next")}
    assert time.monotonic() - start < PROMPT
    assert gone(pid)


def test_the_time_of_a_task_does_not_count_the_setup(
    pool: Callable[..., ProcessExecutor],
) -> None:
    def setup() -> Callable[[object, Send], object]:
        import time

        time.sleep(1.1)
        return lambda payload, send: payload

    executor = pool.setup(setup)  # type: ignore[attr-defined]
    executor.submit(Task(id=1, payload="x", timeout=1.0))
    assert ends(until_done(executor)) == {1: Done(1, "x")}


def test_a_task_within_its_time_leaves_its_worker_alone(
    pool: Callable[..., ProcessExecutor],
) -> None:
    def pid(payload: object, send: Send) -> int:
        import os
        import time

        time.sleep(payload)  # type: ignore[arg-type]
        return os.getpid()

    executor = pool(pid)
    executor.submit(Task(id=1, payload=0, timeout=1.0))
    executor.submit(Task(id=2, payload=1.1))
    first, second = ends(until_done(executor)).values()
    assert isinstance(first, Done)
    assert isinstance(second, Done)
    assert first.result == second.result


@pytest.mark.parametrize("payload", ["sleep", "stubborn"])
def test_a_running_task_can_be_cancelled(
    pool: Callable[..., ProcessExecutor], payload: str
) -> None:
    executor = pool(act_by_value)
    executor.submit(Task(id=1, payload=payload))
    executor.submit(Task(id=2, payload="next"))
    pid = until(executor, Message)[-1].content  # type: ignore[union-attr]
    start = time.monotonic()
    executor.cancel(1)
    executor.cancel(1)
    assert ends(until_done(executor)) == {1: Cancelled(1), 2: Done(2, "next")}
    assert time.monotonic() - start < PROMPT
    assert gone(pid)


def test_a_task_cancelled_before_its_end_is_heard_of_ends_as_cancelled(
    pool: Callable[..., ProcessExecutor],
) -> None:
    executor = pool(echo_by_value)
    executor.submit(Task(id=1, payload="x"))
    until(executor, Started)
    time.sleep(0.2)  # its result lies in the socket by now
    executor.cancel(1)
    executor.submit(Task(id=2, payload="next"))
    assert ends(until_done(executor)) == {1: Cancelled(1), 2: Done(2, "next")}


@pytest.mark.parametrize("payload", ["nested", "nested session"])
def test_programs_that_a_task_started_end_with_it(
    pool: Callable[..., ProcessExecutor], payload: str
) -> None:
    executor = pool(act_by_value)
    executor.submit(Task(id=1, payload=payload))
    child = until(executor, Message)[-1].content  # type: ignore[union-attr]
    executor.cancel(1)
    until_done(executor)
    assert gone(child)


def test_programs_of_a_crashed_worker_end_with_it(
    pool: Callable[..., ProcessExecutor],
) -> None:
    executor = pool(act_by_value)
    executor.submit(Task(id=1, payload="leave child"))
    events = until_done(executor)
    child = next(event.content for event in events if isinstance(event, Message))
    assert isinstance(events[-1], Lost)
    assert gone(child)


def test_close_ends_busy_workers_and_all_that_they_started(
    pool: Callable[..., ProcessExecutor],
) -> None:
    before = set(psutil.Process().children(recursive=True))
    executor = pool(act_by_value, jobs=2)
    executor.submit(Task(id=1, payload="nested"))
    executor.submit(Task(id=2, payload="stubborn"))
    pids = [e.content for e in until(executor, Message, 2) if isinstance(e, Message)]
    executor.close()
    assert set(psutil.Process().children(recursive=True)) <= before
    assert all(gone(pid) for pid in pids)  # type: ignore[arg-type]


def test_a_stopped_worker_blocks_neither_cancel_nor_close(
    pool: Callable[..., ProcessExecutor],
) -> None:
    def pid(payload: object, send: Send) -> int:
        import os

        return os.getpid()

    executor = pool(pid)
    executor.submit(Task(id=1, payload=None))
    worker = ends(until_done(executor))[1].result  # type: ignore[union-attr]
    os.kill(worker, signal.SIGSTOP)
    large = bytes(10_000_000)
    start = time.monotonic()
    executor.submit(Task(id=2, payload=large))
    assert isinstance(executor.events(0)[0], Started)
    executor.cancel(2)
    executor.submit(Task(id=3, payload=large))
    found = ends(until_done(executor))
    assert found[2] == Cancelled(2)
    replacement = found[3].result  # type: ignore[union-attr]
    assert replacement != worker
    os.kill(replacement, signal.SIGSTOP)
    executor.close()
    assert time.monotonic() - start < PROMPT
    assert gone(replacement)


def test_large_values_go_both_ways_while_others_work(
    pool: Callable[..., ProcessExecutor],
) -> None:
    executor = pool(echo_by_value, jobs=2)
    large = os.urandom(100_000_000)
    for number in range(2):
        executor.submit(Task(id=number, payload=large))
    for number in range(2, 50):
        executor.submit(Task(id=number, payload=number))
    found = ends(until_done(executor))
    assert found.pop(0) == Done(0, large)
    assert found.pop(1) == Done(1, large)
    assert found == {number: Done(number, number) for number in range(2, 50)}


def test_two_thousand_tasks_on_two_workers(pool: Callable[..., ProcessExecutor]) -> None:
    executor = pool(echo_by_value, jobs=2)
    for number in range(2000):
        executor.submit(Task(id=number, payload=number))
    events = until_done(executor)
    assert ends(events) == {number: Done(number, number) for number in range(2000)}
    assert len([event for event in events if isinstance(event, Started)]) == 2000
    assert len({event.worker for event in events if isinstance(event, Started)}) == 2


def test_no_event_is_lost_or_doubled_when_workers_keep_dying(
    pool: Callable[..., ProcessExecutor],
) -> None:
    def handler(payload: object, send: Send) -> object:
        import os
        import time

        if payload % 5 == 0:  # type: ignore[operator]
            os._exit(1)
        if payload % 7 == 0:  # type: ignore[operator]
            time.sleep(60)
        return payload

    executor = pool(handler, jobs=3)
    for number in range(100):
        hangs = number % 7 == 0 and number % 5 != 0
        executor.submit(Task(id=number, payload=number, timeout=0.2 if hangs else 30.0))
    found = ends(until_done(executor))
    kinds = {number: type(end) for number, end in found.items()}
    assert kinds == {
        number: Lost if number % 5 == 0 else TimedOut if number % 7 == 0 else Done
        for number in range(100)
    }


def test_only_as_many_workers_start_as_there_are_tasks(
    pool: Callable[..., ProcessExecutor],
) -> None:
    before = set(psutil.Process().children(recursive=True))
    executor = pool(act_by_value, jobs=8)
    assert set(psutil.Process().children(recursive=True)) == before
    executor.submit(Task(id=1, payload="sleep"))
    executor.submit(Task(id=2, payload="sleep"))
    until(executor, Message, 2)
    new = set(psutil.Process().children(recursive=True)) - before
    assert len(new) == 3  # the fork server and two workers


def test_a_result_that_cannot_be_pickled_fails_with_the_reason(
    pool: Callable[..., ProcessExecutor],
) -> None:
    def handler(payload: object, send: Send) -> object:
        import threading

        return {"guard": threading.Lock()}

    executor = pool(handler)
    executor.submit(Task(id=1, payload=None))
    (failed,) = ends(until_done(executor)).values()
    assert isinstance(failed, Failed)
    assert failed.exception.type == "gosset.exceptions.SerializationError"
    assert "result['guard'] (_thread.lock)" in failed.exception.message
    assert "cannot pickle '_thread.lock' object" in failed.exception.traceback


def test_a_result_that_cannot_be_read_back_fails(pool: Callable[..., ProcessExecutor]) -> None:
    def handler(payload: object, send: Send) -> object:
        class Bomb:
            def __reduce__(self) -> object:
                return int, ("not a number",)

        if payload == "message":
            send(Bomb())
        return Bomb()

    executor = pool(handler)
    executor.submit(Task(id=1, payload="result"))
    executor.submit(Task(id=2, payload="message"))
    found = ends(until_done(executor))
    for end in found.values():
        assert isinstance(end, Failed)
        assert "not a number" in end.exception.message
    assert sorted(found) == [1, 2]


def test_a_payload_or_setup_that_cannot_be_pickled_names_the_obstacle(
    pool: Callable[..., ProcessExecutor],
) -> None:
    guard = threading.Lock()
    with pytest.raises(UsageError, match=r"setup\.guard \(_thread\.lock\) cannot be pickled"):
        ProcessExecutor(1).open(lambda: lambda payload, send: guard)
    with pytest.raises(UsageError, match=r"setup\(guard=\) \(_thread\.lock\)"):
        ProcessExecutor(1).open(functools.partial(echo, guard=guard))  # type: ignore[arg-type]
    executor = pool(echo_by_value)
    with pytest.raises(UsageError, match=r"payload\['rows'\]\[1\] \(_thread\.lock\)"):
        executor.submit(Task(id=1, payload={"rows": [0, guard]}))
    executor.submit(Task(id=1, payload="fine"))
    assert ends(until_done(executor)) == {1: Done(1, "fine")}


def test_threads_of_numerical_libraries_are_limited_unless_set(
    pool: Callable[..., ProcessExecutor], monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(payload: object, send: Send) -> object:
        import numpy
        import threadpoolctl

        numpy.zeros((2, 2)) @ numpy.zeros((2, 2))
        pools = threadpoolctl.threadpool_info()
        return [p["num_threads"] for p in pools if p["user_api"] == "blas"]

    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    executor = pool(look, jobs=1000, preload=["numpy"])
    executor.submit(Task(id=1, payload=None))
    (done,) = ends(until_done(executor)).values()
    assert isinstance(done, Done)
    assert set(done.result) == {1}  # type: ignore[call-overload]
    assert os.environ["OMP_NUM_THREADS"] == "3"
    assert "OPENBLAS_NUM_THREADS" not in os.environ


def test_preloaded_modules_are_there_and_bad_ones_passed_over(
    pool: Callable[..., ProcessExecutor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow_to_import.py").write_text("import os; WHERE = os.getpid()")
    (tmp_path / "broken.py").write_text("raise RuntimeError('no')")
    monkeypatch.syspath_prepend(tmp_path)

    def look(payload: object, send: Send) -> object:
        import os
        import sys

        return os.getppid() == sys.modules["slow_to_import"].WHERE

    executor = pool(look, preload=["no_such_module", "broken", "slow_to_import"])
    executor.submit(Task(id=1, payload=None))
    assert ends(until_done(executor)) == {1: Done(1, True)}


def test_forked_workers_draw_different_random_numbers(
    pool: Callable[..., ProcessExecutor],
) -> None:
    def draw(payload: object, send: Send) -> object:
        import random
        import time

        import numpy

        time.sleep(0.1)
        return random.random(), numpy.random.random()

    executor = pool(draw, jobs=2, preload=["numpy", "random"])
    for number in range(2):
        executor.submit(Task(id=number, payload=None))
    first, second = (end.result for end in ends(until_done(executor)).values())  # type: ignore[union-attr]
    assert first[0] != second[0]
    assert first[1] != second[1]


def test_a_task_reads_nothing_and_may_use_multiprocessing(
    pool: Callable[..., ProcessExecutor],
) -> None:
    def handler(payload: object, send: Send) -> object:
        import multiprocessing
        import operator
        import sys

        with multiprocessing.get_context("fork").Pool(2) as inner:
            return sys.stdin.read(), inner.map(operator.neg, [1, 2])

    executor = pool(handler)
    executor.submit(Task(id=1, payload=None))
    assert ends(until_done(executor)) == {1: Done(1, ("", [-1, -2]))}


def test_ctrl_c_reaches_the_controller_only_and_loses_nothing(
    pool: Callable[..., ProcessExecutor], capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    go = str(tmp_path / "go")

    def handler(payload: object, send: Send) -> object:
        import os
        import signal
        import time

        os.kill(os.getpid(), signal.SIGINT)
        while not os.path.exists(go):
            time.sleep(0.01)
        return payload

    executor = pool(handler, jobs=2)
    for number in range(2):
        executor.submit(Task(id=number, payload=number))
    until(executor, Started, 2)
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 (it may come at once)
        timer.start()
        executor.events(10)
    timer.join()
    Path(go).touch()
    assert ends(until_done(executor)) == {0: Done(0, 0), 1: Done(1, 1)}
    assert capfd.readouterr().err == ""


def test_an_executor_works_in_a_thread(pool: Callable[..., ProcessExecutor]) -> None:
    results: list[dict[int, Event]] = []

    def use() -> None:
        executor = ProcessExecutor(1)
        executor.open(lambda: echo_by_value)
        executor.submit(Task(id=1, payload="x"))
        results.append(ends(until_done(executor)))
        executor.close()

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert results == [{1: Done(1, "x")}]


def test_a_forgotten_executor_ends_its_workers() -> None:
    before = set(psutil.Process().children(recursive=True))
    executor = ProcessExecutor(1)
    executor.open(lambda: echo_by_value)
    executor.submit(Task(id=1, payload=None))
    until_done(executor)
    assert set(psutil.Process().children(recursive=True)) != before
    del executor
    assert set(psutil.Process().children(recursive=True)) <= before


def test_a_forked_copy_of_the_controller_leaves_the_workers_alone(
    pool: Callable[..., ProcessExecutor],
) -> None:
    executor = pool(echo_by_value)
    executor.submit(Task(id=1, payload=1))
    until_done(executor)
    child = os.fork()
    if child == 0:
        try:
            executor.close()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    executor.submit(Task(id=2, payload=2))
    assert ends(until_done(executor)) == {2: Done(2, 2)}


@pytest.mark.parametrize("jobs", [0, -1])
def test_fewer_than_one_job_is_refused(jobs: int) -> None:
    with pytest.raises(UsageError, match=f"jobs is {jobs}"):
        ProcessExecutor(jobs)


class _Patient(subprocess.Popen[bytes]):
    """A program that is over before its starter goes on."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.wait()


@pytest.mark.parametrize("program", [subprocess.Popen, _Patient], ids=["later", "at-once"])
def test_a_fork_server_that_cannot_start_is_told_as_the_loss_of_each_task(
    program: type[subprocess.Popen[bytes]],
    pool: Callable[..., ProcessExecutor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    false = subprocess.run(["which", "false"], capture_output=True, text=True, check=True)
    executor = pool(echo_by_value)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", false.stdout.strip())
        patch.setattr(subprocess, "Popen", program)
        executor.submit(Task(id=1, payload=None))
        executor.submit(Task(id=2, payload=None))
        found = ends(until_done(executor))
    assert sorted(found) == [1, 2]
    for end in found.values():
        assert isinstance(end, Lost)
        assert "exit code 1" in end.reason
    executor.submit(Task(id=3, payload="now"))
    assert ends(until_done(executor)) == {3: Done(3, "now")}
