"""How a process ended is what the store says of its runs, and of its launch."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from tracked import Place

import gosset as gs
from gosset.entities import Status


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


ENDINGS = {
    "block": ("with gs.start_run() as run:\n run.log({'m': 1})", 0, "complete"),
    "no end": ("gs.start_run().log({'m': 1})", 0, "complete"),
    "finish": ("gs.start_run(); gs.log({'m': 1}); gs.finish('pruned')", 0, "pruned"),
    "failed": ("with gs.start_run() as run:\n run.log({'m': 1})\n {}['missing']", 1, "failed"),
    "failed outside": ("gs.start_run().log({'m': 1}); {}['missing']", 1, "failed"),
    "exit": ("import sys; gs.start_run().log({'m': 1}); sys.exit(3)", 3, "failed"),
    "exit in a block": (
        "with gs.start_run() as r:\n r.log({'m': 1}); raise SystemExit(3)",
        3,
        "failed",
    ),
    "good exit": ("import sys; gs.start_run().log({'m': 1}); sys.exit()", 0, "complete"),
    "exit that was caught": (
        "import sys; gs.start_run()\ntry: sys.exit(3)\nexcept SystemExit: gs.log({'m': 1})",
        0,
        "complete",
    ),
    "other hook": (
        "import sys; sys.excepthook = lambda *a: None; gs.start_run().log({'m': 1}); 1 / 0",
        1,
        "failed",
    ),
    "in a thread": (
        "import threading\ndef work():\n gs.start_run(); gs.log({'m': 1})\n"
        "t = threading.Thread(target=work); t.start(); t.join()",
        0,
        "complete",
    ),
    "no standard error": (
        "import sys, os; sys.stderr.close(); gs.start_run().log({'m': 1})",
        0,
        "complete",
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_run_ends_as_its_process_does(place: Place, ending: str) -> None:
    code, exit_code, status = ENDINGS[ending]
    found, _, errors = place.carry_out(code)
    assert found == exit_code, errors
    run = place.run()
    assert (run.status, run.metrics["m"].value, run.ended is None) == (status, 1, False)
    [launch] = place.launches()
    assert launch.status == ("complete" if status == "pruned" else status)
    if ending.startswith("failed"):
        assert run.exception is not None
        assert (run.exception.type, run.exception.message) == ("KeyError", "'missing'")
        assert "script0.py" in run.exception.traceback


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("block", [True, False])
def test_a_signal_stops_a_run_and_ends_the_process(
    place: Place, number: signal.Signals, block: bool
) -> None:
    begin = "with gs.start_run() as run:" if block else "run = gs.start_run()\nif True:"
    process = place.start(
        f"""import time
{begin}
    run.log({{'m': 1}})
    print(flush=True)
    while True: run.log({{'n': 1}}), time.sleep(0.001)
"""
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == -number, errors
    assert ("KeyboardInterrupt" in errors) == (number == signal.SIGINT)
    assert (place.run().status, place.run().metrics["m"].value) == ("stopped", 1)
    assert place.launches()[0].status == "stopped"


def test_an_own_answer_to_the_signal_is_left_alone(place: Place) -> None:
    process = place.start(
        """import signal, sys, time
signal.signal(signal.SIGTERM, lambda *a: sys.exit(7))
gs.start_run().log({'m': 1})
print(flush=True)
time.sleep(60)
"""
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 7
    assert place.run().status == "failed"


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), 9)"])
def test_a_process_that_says_nothing_has_crashed(place: Place, end: str) -> None:
    place.carry_out(f"import os; r = gs.start_run(); r.log({{'m': 1}}); r.flush(); {end}")
    with gs.open_store(place.url) as store:
        assert store.runs()[0].status == Status.RUNNING
        assert store.catalog.reap() == 1
    assert (place.run().status, place.run().metrics["m"].value) == ("crashed", 1)


def test_the_launch_of_several_runs_ends_with_the_last_as_the_worst(place: Place) -> None:
    place.carry_out(
        """import contextlib
outer = gs.start_run(name='outer')
with contextlib.suppress(ZeroDivisionError), gs.start_run(name='inner'):
    1 / 0
print(gs.current_run().name)
outer.finish()
with gs.start_run(name='later'):
    pass
"""
    )
    outer, inner, later = place.runs()
    assert [run.status for run in (outer, inner, later)] == ["complete", "failed", "complete"]
    assert (inner.parent, outer.parent, later.parent) == (outer.id, None, None)
    [launch] = place.launches()
    assert launch.status == "failed"


def test_a_notebook_ends_its_runs_whatever_went_wrong_in_a_cell(place: Place) -> None:
    process = place.start(
        """import code, sys
code.interact(banner='', exitmsg='', local={'gs': gs})
"""
    )
    process.communicate("gs.start_run().log({'m': 1})\n1 / 0\n", timeout=60)
    assert (place.run().status, place.run().metrics["m"].value) == ("complete", 1)


def test_the_writer_keeps_no_process_alive_and_no_file_of_the_log(place: Place) -> None:
    code, output, errors = place.carry_out(
        """import time
started = time.perf_counter()
run = gs.start_run()
run.log({'m': 1})
run.finish()
print(time.perf_counter() - started)
"""
    )
    assert (code, errors) == (0, "")
    assert float(output) < 10
