"""Many processes at once on one store: one result for each key, no number twice, no error."""

from collections import Counter

import pytest

LAB = """\
import time
from pathlib import Path

import gosset as gs


@gs.stage
def made(n: int = 1):
    with open("made.log", "a") as log:
        log.write(f"{n}\\n")
    time.sleep(0.02)
    return list(range(n, n + 500))


@gs.stage
def summed(made):
    return sum(made)


@gs.stage(over="runs")
def total(summed):
    return sum(summed.values())


experiment = gs.Experiment("e", stages=[made, summed, total], parameters={"n": [1, 2, 3, 4]})
"""


@pytest.mark.parametrize("count", [2, 8])
def test_processes_that_launch_the_same_at_once_end_with_one_result(folder, count):
    folder.write("lab.py", LAB)
    started = [folder.start() for _ in range(count)]
    told = [wait() for wait in started]
    assert [t["status"] for t in told] == ["complete"] * count
    assert sorted(t["launch"] for t in told) == list(range(1, count + 1))
    names = [name for t in told for name in t["runs"]]
    assert len(set(names)) == len(names) == 4 * count
    assert len({str(t["keys"]) for t in told}) == 1
    assert len({str(t["outputs"]) for t in told}) == 1
    with folder.store() as store:
        entries = store.select("cache")
        assert Counter(entry.stage for entry in entries) == {"made": 4, "summed": 4, "total": 1}
        assert len({entry.key for entry in entries}) == 9
        for entry in entries:
            assert all(a.inline or store.artifacts.read(a.digest) for a in entry.outputs)
        assert len(store.runs()) == 4 * count
        assert not list(folder.path.glob("**/tmp/*"))
    again = folder.carry_out()
    assert again["computed"] == []
    assert again["launch"] == count + 1


def test_processes_with_workers_of_their_own_share_a_store(folder):
    folder.write("lab.py", LAB)
    script = (
        "import json, sys\n"
        "sys.path.insert(0, '.')\n"
        "from lab import experiment\n"
        "if __name__ == '__main__':\n"
        "    result = experiment.execute(store='sqlite:///lab.db', jobs=2, progress=False)\n"
        "    print(result.launch.number, result.status, sum(result.computations.values()))\n"
    )
    folder.write("drive.py", script)
    processes = [folder.popen("drive.py") for _ in range(2)]
    done = [process.communicate(timeout=60) for process in processes]
    assert [error for _, error in done] == ["", ""]
    assert sorted(out.split() for out, _ in done) == [
        ["1", "complete", "9"],
        ["2", "complete", "9"],
    ]


def test_runs_that_share_a_stage_compute_it_once(folder):
    folder.write("lab.py", LAB)
    folder.edit(
        "lab.py",
        "def summed(made):\n    return sum(made)",
        "def summed(made, k: int = 0):\n    return sum(made) + k",
    )
    folder.edit("lab.py", '{"n": [1, 2, 3, 4]}', '{"n": [1, 2], "k": [1, 2, 3, 4]}')
    folder.write(
        "drive.py",
        "from lab import experiment\n"
        "if __name__ == '__main__':\n"
        "    result = experiment.execute(store='sqlite:///lab.db', jobs=4, progress=False)\n"
        "    assert str(result.status) == 'complete', result\n",
    )
    folder.run("drive.py")
    assert sorted((folder.path / "made.log").read_text().split()) == ["1", "2"]
