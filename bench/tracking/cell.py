"""Carry out one cell of the table, in the environment of its tracker and a process of its own.

``python cell.py write|read MODULE TRACKER CASE ANSWER``: what was measured goes to the file
ANSWER, as JSON. Until the clock has stopped nothing is imported that an interpreter does not
load by itself, so that a tracker finds nothing done for it.
"""

import sys
from time import perf_counter

began = perf_counter()

import work  # noqa: E402
from work import run_name  # noqa: E402


def write(tracker, case):
    """Return the seconds that a case takes, from the first call to everything in files."""
    if case == "start":
        begun = began
        tracker.load()
        tracker.open()
        _series(tracker, 0, work.inputs(case)[0])
        tracker.close()
        return perf_counter() - begun
    inputs = work.inputs(case)
    tracker.load()
    begun = perf_counter()
    tracker.open()
    for number, values in enumerate(inputs):
        if case == "arrays":
            _arrays(tracker, values)
        elif case == "1000x10":
            _results(tracker, number, values)
        elif case.startswith("killed"):
            _killed(tracker, values, wait=2.0 if case == "killed-later" else 0.0)
        else:
            _series(tracker, number, values)
    tracker.close()
    return perf_counter() - begun


def _series(tracker, number, values):
    run = tracker.start(run_name(number))
    log = run.log
    for step, value in enumerate(values):
        log({"loss": value}, step=step)
    run.finish()


def _results(tracker, number, values):
    run = tracker.start(run_name(number))
    run.results(values)
    run.finish()


def _arrays(tracker, arrays):
    run = tracker.start(run_name(0))
    for name, array in arrays.items():
        run.keep(name, array)
    run.finish()


def _killed(tracker, values, wait):
    import os
    import signal
    import time

    log = tracker.start(run_name(0)).log
    for step, value in enumerate(values):
        log({"loss": value}, step=step)
    time.sleep(wait)
    os.kill(os.getpid(), signal.SIGKILL)


def read(tracker, case):
    """Return the seconds that reading all of a case takes, and what is wrong with it."""
    if case == "arrays":
        import numpy  # noqa: F401 - what the answer is made of is there before
    if case == "1000x10":
        import pandas  # noqa: F401
    begun = perf_counter()
    tracker.load_to_read()
    loading = perf_counter() - begun
    begun = perf_counter()
    if case == "arrays":
        found = tracker.arrays()
    elif case == "1000x10":
        found = tracker.table()
    else:
        found = tracker.series()
    seconds = perf_counter() - begun
    if case.startswith("killed"):
        return {"kept": sum(len(run["loss"]) for run in found.values())}
    return {"loading": loading, "seconds": seconds, "wrong": work.check(case, found)}


def main():
    """Carry out the cell that the arguments name."""
    what, module, name, case, answer = sys.argv[1:]
    __import__(f"peers.{module}")
    tracker = sys.modules[f"peers.{module}"].TRACKERS[name]()
    found = {"seconds": write(tracker, case)} if what == "write" else read(tracker, case)
    import json

    with open(answer, "w") as file:
        json.dump(found, file)


main()
