"""What Gosset's tracking is meant to stay under, each beside what it is measured against.

Run it in an environment that has Gosset and pandas: ``python bench/tracking/limits.py`` for
all lines, or name some. Times of one line are measured in turn, each in a fresh process and a
fresh folder; on a shared machine the ratio is what counts.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import environments
import tables

STORE = "sqlite:///.gosset/store.db"
POINTS = 100_000

PARTS: dict[str, Callable[[], float]] = {}
"""Name → what a process does; returns the seconds that count."""


def part(function: Callable[[], float]) -> Callable[[], float]:
    """Make a function one that a process can be asked for by name."""
    PARTS[function.__name__] = function
    return function


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that `work` takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


# -- one value in a fresh process

ONE_VALUE = {
    "gosset": """
import gosset
run = gosset.start_run("bench", store="sqlite:///.gosset/store.db")
run.log({"loss": 0.5}, step=0)
""",
    "sqlite": """
import sqlite3, time
connection = sqlite3.connect("raw.db")
connection.execute("CREATE TABLE points (run TEXT, name TEXT, step INTEGER, value REAL, time INTEGER)")
connection.execute("INSERT INTO points VALUES ('run', 'loss', 0, 0.5, ?)", (time.time_ns(),))
connection.commit()
connection.close()
""",
    "sqlite-wal": """
import sqlite3, time
connection = sqlite3.connect("raw.db")
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("PRAGMA synchronous = NORMAL")
connection.execute("CREATE TABLE points (run TEXT, name TEXT, step INTEGER, value REAL, time INTEGER)")
connection.execute("INSERT INTO points VALUES ('run', 'loss', 0, 0.5, ?)", (time.time_ns(),))
connection.commit()
connection.close()
""",
    "nothing": "",
}


# -- the points of one run


@part
def log_scalar() -> float:
    """Seconds that a call of ``log`` takes on average, the writer at work beside it."""
    import gosset

    run = gosset.start_run("bench", store=STORE)
    values = [i / 7 for i in range(POINTS)]
    log = run.log
    begun = time.perf_counter()
    for step, value in enumerate(values):
        log({"loss": value}, step=step)
    seconds = (time.perf_counter() - begun) / POINTS
    run.finish()
    return seconds


@part
def log_scalar_paced() -> float:
    """The same with some work between the calls, as in training."""
    import gosset

    run = gosset.start_run("bench", store=STORE)
    log = run.log
    spent = 0
    for step in range(5000):
        sum(range(10_000))
        begun = time.perf_counter_ns()
        log({"loss": step / 7}, step=step)
        spent += time.perf_counter_ns() - begun
    run.finish()
    return spent / 5000 / 1e9


@part
def points_gosset() -> float:
    """Log points one by one and end the run."""
    import gosset

    values = [i / 7 for i in range(POINTS)]

    def work() -> None:
        run = gosset.start_run("bench", name="run", store=STORE)
        log = run.log
        for step, value in enumerate(values):
            log({"loss": value}, step=step)
        run.finish()

    gosset.start_run  # noqa: B018 - loaded when it is first used
    return timed(work)


def _rows() -> list[tuple[str, str, int, float, int]]:
    rows = []
    for step in range(POINTS):
        rows.append(("run", "loss", step, step / 7, time.time_ns() // 1000))
    return rows


def _raw_points(made: list[tuple[str, str, int, float, int]] | None = None) -> float:
    import sqlite3

    def work() -> None:
        rows = made or _rows()
        connection = sqlite3.connect("raw.db", isolation_level=None)
        connection.execute(
            "CREATE TABLE points (run TEXT, name TEXT, step INTEGER, value REAL, time INTEGER)"
        )
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO points VALUES (?, ?, ?, ?, ?)", rows)
        connection.execute("COMMIT")
        connection.close()

    return timed(work)


@part
def points_sqlite() -> float:
    """The same points as rows, put together one by one: ``executemany`` in one transaction."""
    return _raw_points()


@part
def points_sqlite_made() -> float:
    """The same, where the rows were there before."""
    return _raw_points(_rows())


@part
def read_gosset() -> float:
    """Read steps, values and times of the points as arrays."""
    import numpy as np

    points_gosset()
    import gosset

    with gosset.open_store(STORE) as store:
        [run] = store.runs()
        found = []
        seconds = timed(lambda: found.append(store.series(run, "loss")))
    assert np.array_equal(found[0].values, np.arange(POINTS) / 7)
    return seconds


@part
def read_sqlite() -> float:
    """The same from the rows."""
    import sqlite3

    import numpy as np

    _raw_points()
    connection = sqlite3.connect("raw.db")

    def work() -> tuple[np.ndarray, ...]:
        rows = connection.execute(
            "SELECT step, value, time FROM points WHERE run = 'run' AND name = 'loss'"
        ).fetchall()
        steps, values, times = zip(*rows, strict=True)
        return np.array(steps), np.array(values), np.array(times).astype("datetime64[us]")

    return timed(work)


# -- arrays


def _arrays() -> list:
    import numpy as np

    random = np.random.default_rng(1)
    return [random.random(1_000_000) for _ in range(10)]


@part
def arrays_gosset() -> float:
    """Ten arrays of 8 MB kept with a run, and read back whole."""
    import gosset

    kept = _arrays()

    def work() -> None:
        run = gosset.start_run("bench", store=STORE)
        for number, array in enumerate(kept):
            run.log_artifact(array, f"a{number}")
        run.finish()
        with gosset.open_store(STORE) as store:
            for number in range(len(kept)):
                store.artifact(run.id, f"a{number}").sum()

    gosset.start_run, gosset.open_store  # noqa: B018 - loaded when they are first used
    return timed(work)


@part
def arrays_numpy() -> float:
    """``numpy.save`` with fsync and a pass of BLAKE3; ``numpy.load`` with another."""
    import numpy as np
    from blake3 import blake3

    kept = _arrays()

    def work() -> None:
        for number, array in enumerate(kept):
            blake3(array.view("uint8").data).hexdigest()
            with open(f"a{number}.npy", "wb") as file:
                np.save(file, array)
                file.flush()
                os.fsync(file.fileno())
        for number in range(len(kept)):
            array = np.load(f"a{number}.npy")
            blake3(array.view("uint8").data).hexdigest()
            array.sum()

    return timed(work)


# -- many runs


def _many(runs: int, metrics: int) -> None:
    """Put runs into a store as fast as it takes them: how they came there does not count."""
    import gosset
    from gosset.series import Points, pack, summarise
    from gosset.storage.news import Ending, News
    from gosset.tracking.starting import _writers

    first = gosset.start_run("bench", store=STORE)
    begins = first._begins
    first.finish()
    [writer] = _writers.values()
    from gosset.identifiers import new_id

    for start in range(0, runs, 1000):
        news = []
        for number in range(start, min(start + 1000, runs)):
            points = {f"m{i}": Points([0], [number / (i + 1)], [1]) for i in range(metrics)}
            news.append(
                News(
                    run=new_id(),
                    writer=1,
                    number=1,
                    begins=begins._replace(name=f"run-{number}"),
                    points=[(name, 0, pack(each)) for name, each in points.items()],
                    summaries={name: summarise(each) for name, each in points.items()},
                    ends=Ending(status="complete", moment=begins.moment + 1),
                )
            )
        writer.sink.write(news)


def _frame(runs: int, metrics: int) -> float:
    _many(runs, metrics)
    import pandas  # noqa: F401 - what the answer is made of is there before

    import gosset

    with gosset.open_store(STORE) as store:
        frames = []
        seconds = timed(lambda: frames.append(store.runs().to_pandas()))
    assert frames[0].shape[0] == runs + 1
    return seconds


@part
def frame_1000() -> float:
    """1000 runs of ten metrics into a DataFrame."""
    return _frame(1000, 10)


@part
def frame_100000() -> float:
    """100 000 runs of twenty metrics into a DataFrame."""
    return _frame(100_000, 20)


# -- the lines


@dataclass(frozen=True)
class Line:
    """One line: what is measured, beside what, and the aim."""

    title: str
    ours: str
    theirs: str | None
    aim: float
    rounds: int
    unit: str = "ms"
    at_least: bool = False
    """Whether `theirs` is to take that many times as long, rather than ours."""


LINES = {
    "start": Line("one value | raw SQLite, full sync", "gosset", "sqlite", 2.5, 15),
    "start-wal": Line("one value | raw SQLite, WAL", "gosset", "sqlite-wal", 2.5, 15),
    "interpreter": Line("one value | an interpreter that does nothing", "gosset", "nothing", 0, 15),
    "log": Line("run.log of one scalar, in a loop", "log_scalar", None, 10, 5, "us"),
    "log-paced": Line("run.log of one scalar, between work", "log_scalar_paced", None, 10, 5, "us"),
    "points": Line("100k points | executemany", "points_gosset", "points_sqlite", 1.5, 5),
    "points-made": Line(
        "100k points | executemany of rows there before",
        "points_gosset",
        "points_sqlite_made",
        0,
        5,
    ),
    "read": Line(
        "100k points as arrays | from rows", "read_gosset", "read_sqlite", 5, 5, at_least=True
    ),
    "arrays": Line("ten arrays | numpy, fsync, BLAKE3", "arrays_gosset", "arrays_numpy", 1.3, 5),
    "frame": Line("1000 runs into a DataFrame", "frame_1000", None, 50, 5),
    "frame-large": Line("100k runs x 20 into a DataFrame", "frame_100000", None, 2000, 1),
}


def once(name: str) -> float:
    """Return the seconds of one fresh process: of the whole of it, or as it says itself."""
    # As a user's process has it: modules are compiled once, and not each time.
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory(prefix="tracking-") as folder:
        os.sync()
        if name in ONE_VALUE:
            command = [sys.executable, "-c", ONE_VALUE[name]]
            return timed(lambda: subprocess.run(command, cwd=folder, env=env, check=True))
        command = [sys.executable, str(Path(__file__).resolve()), "--part", name]
        told = subprocess.run(command, cwd=folder, env=env, check=True, stdout=subprocess.PIPE)
        return float(told.stdout)


def measure(line: Line, rounds: int) -> dict[str, object]:
    """Measure a line, ours and theirs in turn."""
    pairs = [(once(line.ours), once(line.theirs) if line.theirs else 0.0) for _ in range(rounds)]
    ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    scale = 1e6 if line.unit == "us" else 1e3
    ratios = [b / a if line.at_least else a / b for a, b in pairs if b]
    found = statistics.median(ratios) if ratios else ours * scale
    return {
        "title": line.title,
        "ours": ours * scale,
        "theirs": theirs * scale if line.theirs else None,
        "unit": line.unit,
        "found": found,
        "aim": line.aim,
        "good": not line.aim or (found >= line.aim if line.at_least else found <= line.aim),
        "at_least": line.at_least,
    }


def told(found: dict) -> str:
    """Return a line in words."""
    theirs = "" if found["theirs"] is None else f"{found['theirs']:10.2f} {found['unit']}"
    sign = "≥" if found["at_least"] else "≤"
    aim = (
        f"(aim {sign} {found['aim']:g}) {'' if found['good'] else '  MISSED'}"
        if found["aim"]
        else ""
    )
    return (
        f"{found['title']:<46}{found['ours']:10.2f} {found['unit']} {theirs:>13} "
        f"{'' if found['theirs'] is None else format(found['found'], '7.2f')} {aim}"
    )


def main() -> None:
    """Measure the lines that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    usual = [name for name in LINES if name != "frame-large"]
    parser.add_argument("lines", nargs="*", default=usual, metavar="LINE", help=", ".join(LINES))
    parser.add_argument("--rounds", type=int, help="in the place of each line's own number")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(PARTS[options.part]())
        return
    found = {}
    for name in options.lines:
        line = LINES[name]
        found[name] = measure(line, options.rounds or line.rounds)
        print(told(found[name]), flush=True)
    place = environments.PLACE / "limits.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(found, indent=1))
    if options.write:
        tables.bring(environments.ROOT / "docs" / "benchmarks.md", "limits", tables.lines(found))


if __name__ == "__main__":
    main()
