"""Writes runs with trackio: ``trackio.py FOLDER WHAT``, and prints what it logged as JSON."""

import json
import os
import signal
import sys
import time
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

# Beside this file lie writers that are called as what they import.
sys.path.pop(0)
# What the tracker prints, also when the process ends, is not the answer.
ANSWER = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
os.environ["TRACKIO_DIR"] = sys.argv[1]

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import trackio  # noqa: E402
from trackio.sqlite_storage import SQLiteStorage  # noqa: E402

PROJECT = "größe-1"
NAME = "name 🚀\nof two lines"
CONFIG = {
    "lr": 0.1,
    "big": 2**60 + 1,
    "nested": {"layers": [8, 4], "act": {"kind": "relu", "none": None}},
    "nan": float("nan"),
    "inf": float("inf"),
    "nested.act.kind": "mine",
    "empty": {},
    "text": "one\ntwo ü",
}
ROWS = [
    # step, what is logged
    (0, {"loss": 0.1 + 0.2, "val/acc top-5": 0, "deep": {"x": 1, "y": {"z": 2.5}}, "ok": True}),
    (1, {"loss": 5e-324, "val/acc top-5": 2**53 + 1, "deep": {"x": 2, "y": {"z": 5.0}}}),
    (7, {"loss": float("nan"), "edge 🚀\n": float("inf")}),
    (5, {"loss": float("-inf"), "big": -(2**63), "edge 🚀\n": 1e300}),
    (5, {"loss": 2.0, "said": "words\nü", "ok": False}),
]
SYSTEM = [
    {"cpu/utilization": 12.5, "memory/percent": 50.0, "gpu/0/utilization": 3, "gpu/0/fan_speed": 7},
    {"cpu/utilization": 13.5, "disk/read_mb_per_sec": 0.25},
]


def begun(name, **options):
    return trackio.init(
        PROJECT, name=name, embed=False, auto_log_cpu=False, auto_log_gpu=False, **options
    )


def whole():
    run = begun(NAME, group="group ü", config=CONFIG)
    for step, row in ROWS:
        run.log(row, step=step)
    for row in SYSTEM:
        run.log_system(row)
    run.log({"image": trackio.Image(np.zeros((4, 4, 3), np.uint8), caption="black")}, step=8)
    run.log(
        {"table": trackio.Table(dataframe=pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}))}, step=8
    )
    run.log({"histogram": trackio.Histogram([1, 2, 3, 3], num_bins=2)}, step=8)
    run.alert("Careful", "of this", level=trackio.AlertLevel.WARN)
    Path("model.txt").write_text("weights")
    run.log_artifact("model.txt", name="model", type="model")
    trackio.save("model.txt")
    run.finish()
    second = begun("second")
    second.log({"loss": 1})
    second.finish()
    return {
        "config": CONFIG,
        "rows": ROWS,
        "system": SYSTEM,
        "ids": [run.id, second.id],
    }


def several(count):
    """Write many runs, and one that is killed."""
    told = {"killed": killed()}
    for number in range(int(count)):
        run = begun(f"many {number}", config={"number": number})
        run.log({"loss": number / 3})
        run.finish()
    return told


def more(id_):
    """Go on with the second run, and log another."""
    run = begun("second", resume="must")
    run.log({"loss": 2})
    run.log({"late": 0.5})
    run.finish()
    third = begun("third")
    third.log({"loss": 3})
    third.finish()
    return {"id": run.id}


def killed():
    """Have a process killed in its run, once all that it logged is on disk; return the id."""
    if child := os.fork():
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        return SQLiteStorage.get_run_records(PROJECT)[0]["id"]
    run = begun("killed")
    for step in range(3):
        run.log({"loss": 0.25 * step}, step=step)
    while len(SQLiteStorage.get_logs(PROJECT, "killed")) < 3:
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    os.chdir(Path(sys.argv[1]).parent)
    print(json.dumps(globals()[sys.argv[2]](*sys.argv[3:])), file=ANSWER)
