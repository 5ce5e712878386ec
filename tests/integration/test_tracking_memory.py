"""What a run puts aside while its store cannot be written: on the disk, else in bounded memory."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from tracked import Place

MUCH = """
import os, resource, sys, time
from gosset.tracking import run as at_work
at_work._FLOOD = 50_000  # or a test would have to log for long to fill the memory
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
run = gs.start_run()
run.log({'m': -1, 'n': 0.5})
run.flush()
print(flush=True)
sys.stdin.readline()
before = peak()
for i in range(700_000):
    run.log({'m': i, 'n': i / 8})
time.sleep(0.5)
print(peak() - before, flush=True)
sys.stdin.readline()
run.finish()
"""

NOWHERE = """
import os, sys, time
from gosset.tracking import writer
writer.MEMORY = int(sys.argv[1])
run = gs.start_run(strict=sys.argv[2] == 'strict')
run.log({'m': -1})
run.flush()
for place in ('caches', 'store/spool'):  # files in the place of folders
    open(place, 'w').close()
os.rename('store/lab.db', 'store/away')
raised = []
for i in range(60):
    try:
        run.log({'m': i})
        run.fields[f'f{i}'] = 'x' * 5000
    except gs.GossetError as error:
        raised.append(str(error))
    time.sleep(0.01)
print(len(run._writer._backlog), sum(map(writer._size, run._writer._backlog)))
if sys.argv[3] == 'back':
    os.rename('store/away', 'store/lab.db')
try:
    run.finish()
except gs.GossetError as error:
    raised.append(str(error))
print('\\n'.join(raised))
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.environment["XDG_CACHE_HOME"] = str(tmp_path / "caches")
    return made


def test_of_a_store_that_is_locked_for_long_the_disk_has_everything_and_memory_little(
    place: Place,
) -> None:
    process = place.start(MUCH)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.readline()
    locking = sqlite3.connect(place.file, isolation_level=None)
    locking.execute("BEGIN IMMEDIATE")
    process.stdin.write("\n")
    process.stdin.flush()
    grown = float(process.stdout.readline())
    spooled = sum(path.stat().st_size for path in place.spooled())
    locking.execute("ROLLBACK")
    locking.close()
    _, errors = process.communicate("\n", timeout=120)
    assert (process.returncode, errors) == (0, "")
    # As Python holds them, the points alone take more than 200 MiB.
    assert grown < 100, f"{grown:.0f} MiB"
    assert spooled > 10_000_000
    run = place.run()
    assert (run.status, run.metrics["n"].series.count) == ("complete", 700_001)
    assert place.values("m") == list(range(-1, 700_000))
    assert place.spooled() == []


def test_where_neither_store_nor_spool_can_be_written_nothing_is_lost_that_memory_holds(
    place: Place,
) -> None:
    code, _, errors = place.carry_out(NOWHERE, str(256 << 20), "told", "back")
    assert code == 0
    assert errors.count("RuntimeWarning") == 1
    assert "neither sqlite:///" in errors
    assert "what is logged is kept in memory until one can" in errors
    run = place.run()
    assert (run.status, len(run.fields)) == ("complete", 60)
    assert place.values("m") == list(range(-1, 60))


def test_memory_that_is_full_takes_no_more_and_the_work_goes_on(place: Place) -> None:
    code, output, errors = place.carry_out(NOWHERE, "100000", "told", "back")
    count, size = map(int, output.split())
    assert code == 0
    assert errors.count("RuntimeWarning") == 2
    assert "and no more is kept in memory" in errors
    assert count >= 1
    assert 0 < size <= 100_000
    run = place.run()
    assert run.status == "complete"
    assert 0 < len(run.fields) < 30
    assert place.values("m")[:2] == [-1, 0]


def test_what_could_be_written_nowhere_until_the_end_is_told_to_be_lost(place: Place) -> None:
    code, _, errors = place.carry_out(NOWHERE, str(256 << 20), "told", "gone")
    assert code == 0
    assert errors.count("RuntimeWarning") == 2
    assert "what was logged is lost: neither sqlite:///" in errors


def test_strict_raises_what_memory_alone_holds(place: Place) -> None:
    code, output, errors = place.carry_out(NOWHERE, str(256 << 20), "strict", "gone")
    assert (code, errors) == (0, "")
    raised = output.splitlines()[1:]
    assert any(error.startswith("neither sqlite:///") for error in raised)
    assert "store/lab.db" in raised[-1]
    assert all(error.startswith(("neither sqlite:///", "store sqlite:///")) for error in raised)
