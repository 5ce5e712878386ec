"""Processes that end at any moment of what goes on beside them: quietly, and with all they said.

While one ends, threads may be about to look into where it came from, how busy the machine is, what
it prints. ``GOSSET_KILLS`` is how many processes there are (25); in ``make test-full`` there are 240.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import gosset as gs

COUNT = int(os.environ.get("GOSSET_KILLS", "25"))
LONGEST = 3.0 if COUNT > 100 else 0.6
"""Seconds that one lives."""

SCRIPT = """
import os, sys, threading, time, warnings
import gosset as gs
from gosset.tracking.telemetry import origin

life, looks, end, everything, every, others = sys.argv[1:]
origin.AFTER = float(looks)  # when a thread begins to look into where the code came from

def work(run):
    until = time.monotonic() + float(life)
    i = 0
    while time.monotonic() < until or not i:
        run.log({"m": i})
        print(i)
        i += 1
        time.sleep(0.005)

def on_and_on(run):
    while True:
        run.log({"other": 1})
        time.sleep(0.001)

run = gs.start_run(capture=everything == "1", system_metrics=float(every))
if others == "1" and end != "finished":
    threading.Thread(target=on_and_on, args=(run,), daemon=True).start()
work(run)
run.fields["large"] = list(range(20_000))
if end == "finished":
    run.finish()
elif end == "forked":
    warnings.simplefilter("ignore")  # of Python 3.12, that there are threads
    if os.fork() == 0:
        gs.log({"child": 1})
        sys.exit()
    os.wait()
elif end == "exits":
    sys.exit(0)
"""


@pytest.mark.timeout(1200)
def test_a_process_ends_quietly_whenever_it_ends(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    chance = random.Random(COUNT)
    url = f"sqlite:///{tmp_path}/lab.db"
    environment = {name: v for name, v in os.environ.items() if not name.startswith("GOSSET_")}
    environment |= {"GOSSET_STORE": url, "XDG_CACHE_HOME": str(tmp_path / "caches")}
    told: list[tuple[list[str], int, str, str]] = []
    at_work: list[tuple[list[str], subprocess.Popen[str]]] = []

    def wait() -> None:
        arguments, process = at_work.pop(0)
        try:
            output, errors = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)  # which shows where it hangs
            output, errors = process.communicate()
        told.append((arguments, process.returncode, output, errors))

    for _ in range(COUNT):
        life = chance.choice([0, chance.uniform(0, 0.2), chance.uniform(0, LONGEST)])
        arguments = [
            f"{life:.4f}",
            f"{max(life + chance.uniform(-0.15, 0.15), 0):.4f}",
            chance.choice(["finished", "forked", "exits", "ends"]),
            chance.choice("01"),
            chance.choice(["0.01", "0.05", "0.2"]),
            chance.choice("0001"),
        ]
        command = [sys.executable, "-X", "faulthandler", "script.py", *arguments]
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        at_work.append((arguments, process))
        if len(at_work) == 3:
            wait()
    while at_work:
        wait()

    assert [each for each in told if each[1] or each[3]] == []
    with gs.open_store(url) as store:
        runs = store.runs().to_list()
        assert len(runs) == COUNT
        assert {run.status.value for run in runs} == {"complete"}
        counts = sorted(store.series(run, "m").values.tolist() for run in runs)
    printed = [[float(line) for line in output.split()] for _, _, output, _ in told]
    assert counts == sorted(printed)
