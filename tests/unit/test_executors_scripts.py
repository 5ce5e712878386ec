"""Whole programs that use worker processes: unguarded, interrupted, killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

UNGUARDED = textwrap.dedent(
    """
    import sys
    from gosset.executors import Done, Task, processes
    from gosset.executors.launchers import SpawnLauncher

    if "spawn" in sys.argv:
        processes._launcher = lambda *_: SpawnLauncher(__import__("os").environ)

    print("imported\\n", end="", flush=True)  # in one write: workers say it at the same time

    class Point:
        def __init__(self, x):
            self.x = x

    def double(point):
        return Point(point.x * 2)

    def setup():
        return lambda payload, send: double(payload)

    executor = processes.ProcessExecutor(2)
    executor.open(setup)
    for number in range(4):
        executor.submit(Task(id=number, payload=Point(number)))
    results = {}
    while events := executor.events():
        results |= {event.task: event.result for event in events if isinstance(event, Done)}
    assert all(isinstance(point, Point) for point in results.values())
    print([results[number].x for number in range(4)])
    """
)
SAID = "imported\n[0, 2, 4, 6]\n"

BUSY = textwrap.dedent(
    """
    import os, subprocess, sys, time
    from gosset.executors import Message, Task, processes
    from gosset.executors.launchers import SpawnLauncher

    if "spawn" in sys.argv:
        processes._launcher = lambda *_: SpawnLauncher(os.environ)

    def setup():
        def handler(payload, send):
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
            send((os.getpid(), child.pid))
            while payload == "spin":
                pass
            time.sleep(60)
        return handler

    executor = processes.ProcessExecutor(2)
    executor.open(setup)
    executor.submit(Task(id=1, payload="spin"))
    executor.submit(Task(id=2, payload="sleep"))
    pids = []
    while len(pids) < 4:
        for event in executor.events():
            if isinstance(event, Message):
                pids += event.content
    print(*pids, flush=True)
    """
)

METHODS = ["fork", "spawn"]

PROMPT = 10.0
"""Seconds within which ends what would sleep for a minute, on a machine that is busy, too."""


def run(*arguments: str, folder: Path, text: str | None = None) -> str:
    """Run Python; return what it printed, having seen that it went well and quietly."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("method", METHODS)
def test_a_script_needs_no_guard(tmp_path: Path, method: str) -> None:
    (tmp_path / "script.py").write_text(UNGUARDED)
    assert run("script.py", method, folder=tmp_path) == SAID


@pytest.mark.parametrize("method", METHODS)
def test_a_module_run_by_name_needs_no_guard(tmp_path: Path, method: str) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "module.py").write_text(UNGUARDED)
    (package / "__main__.py").write_text(UNGUARDED)
    assert run("-m", "package.module", method, folder=tmp_path) == SAID
    assert run("-m", "package", method, folder=tmp_path) == SAID


@pytest.mark.parametrize("method", METHODS)
def test_a_module_that_starts_workers_when_imported_is_told_so(tmp_path: Path, method: str) -> None:
    program = UNGUARDED[: UNGUARDED.index("results = {}")] + textwrap.dedent(
        """
        told = []
        while events := executor.events():
            for event in events:
                told.append((event.exception.type, event.exception.message))
        for line in told:
            print(*line)
        """
    )
    (tmp_path / "module.py").write_text(program)
    said = run("-c", "import module", method, folder=tmp_path).splitlines()
    assert said.count("imported") == 5
    assert {line for line in said if line != "imported"} == {
        "gosset.exceptions.UsageError a module starts workers when it is imported, and a worker "
        "imported it; start them in a function of it, or in the script that is run"
    }


@pytest.mark.parametrize("method", METHODS)
def test_a_program_may_come_on_standard_input_or_the_command_line(
    tmp_path: Path, method: str
) -> None:
    assert run("-", method, folder=tmp_path, text=UNGUARDED) == SAID
    assert run("-c", UNGUARDED, method, folder=tmp_path) == SAID


def test_workers_run_with_the_interpreter_s_options(tmp_path: Path) -> None:
    program = UNGUARDED.replace("point.x * 2", "point.x * (3 if __debug__ else 2)")
    (tmp_path / "script.py").write_text(program)
    assert run("-O", "-W", "error", "script.py", folder=tmp_path) == SAID


def begin(method: str, ending: str) -> tuple[subprocess.Popen[str], list[int]]:
    """Start a program that goes on with `ending`; return it and all processes under it."""
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY + textwrap.dedent(ending), method],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    told = {int(pid) for pid in process.stdout.readline().split()}
    assert len(told) == 4
    below = {child.pid for child in psutil.Process(process.pid).children(recursive=True)}
    assert told <= below
    return process, sorted(below)


def all_gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + PROMPT
    while time.monotonic() < deadline:
        if not any(alive(pid) for pid in pids):
            return True
        time.sleep(0.02)
    return False


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("method", METHODS)
def test_all_workers_end_when_the_controller_is_killed(method: str) -> None:
    process, below = begin(method, "import time; time.sleep(60)")
    process.kill()
    assert all_gone(below)
    process.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the fork server")
def test_workers_end_when_controller_and_fork_server_are_killed_together() -> None:
    process, below = begin("fork", "import time; time.sleep(60)")
    server = psutil.Process(process.pid).children()[0]
    workers = {worker.pid for worker in server.children()}
    process.kill()
    server.kill()
    ended = all_gone(sorted(workers))
    for pid in below:  # of what the workers started, nobody is left to take care
        if alive(pid):
            os.kill(pid, signal.SIGKILL)
    process.communicate()
    assert ended


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_left_when_a_program_ends_without_closing(method: str) -> None:
    process, below = begin(method, "time.sleep(0.5)")
    output, errors = process.communicate(timeout=20)
    assert (process.returncode, output, errors) == (0, "", "")
    assert all_gone(below)


@pytest.mark.parametrize("method", METHODS)
def test_ctrl_c_shows_one_traceback_that_of_the_controller(method: str) -> None:
    process, below = begin(method, "executor.events(60)")
    time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert errors.count("Traceback") == 1
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert all_gone(below)
