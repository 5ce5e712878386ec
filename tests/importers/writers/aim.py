"""Writes runs with Aim: ``aim.py FOLDER WHAT``, and prints what it logged as JSON."""

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
FOLDER = Path(sys.argv[1])
FOLDER.mkdir(parents=True, exist_ok=True)
os.chdir(FOLDER)
os.environ["AIM_DISABLE_TELEMETRY"] = "1"

import numpy as np  # noqa: E402
from aim import Audio, Distribution, Image, Repo, Run, Text  # noqa: E402
from PIL import Image as Picture  # noqa: E402

PARAMETERS = {
    "lr": 0.1,
    "big": 2**60 + 1,
    "nested": {"layers": [8, 4], "act": {"kind": "relu", "none": None}},
    "nan": float("nan"),
    "inf": float("inf"),
    "empty": {},
    "text": "one\ntwo ü",
    "yes": True,
}
SERIES = [
    # name, context, [value, step, epoch], in the order in which they are logged
    ["loss", {"subset": "train"}, [[0.1 + 0.2, 0, 0], [5e-324, 1, 0], [2.0, 7, 1], [1.5, 5, 1]]],
    ["loss", {"subset": "val", "fold": 2}, [[float("nan"), 0, None], [float("inf"), 1, None]]],
    ["edge 🚀\n", {}, [[float("-inf"), 0, None], [2**53 + 1, 3, None], [-4, -2, None]]],
]


def begun(**options):
    options = {"log_system_params": False, "system_tracking_interval": None} | options
    return Run(repo=str(FOLDER), **({"capture_terminal_logs": False} | options))


def whole():
    run = begun(
        experiment="experiment ü",
        log_system_params=True,
        system_tracking_interval=1,
        capture_terminal_logs=True,
    )
    run.name, run.description = "name 🚀\nof two lines", "A note\nof two lines"
    run.add_tag("blue")
    run.add_tag("a=b")
    run["hparams"] = PARAMETERS
    run["seed"] = 7
    for name, context, points in SERIES:
        for value, step, epoch in points:
            run.track(value, name=name, step=step, epoch=epoch, context=context)
    for value in (1.0, 2.0):
        run.track(value, name="twice", step=4)
    run.track(1.0, name="halfway", step=0.5)
    run.track(Text("words\nü"), name="said", step=2)
    picture = Image(Picture.fromarray(np.zeros((4, 4, 3), np.uint8)), caption="black")
    run.track([picture, picture], name="images", step=3, context={"subset": "val"})
    run.track(Audio(np.zeros(50, np.int16), rate=8000, format="wav"), name="sound", step=3)
    run.track(Distribution(np.arange(4.0), bin_count=2), name="weights", step=3)
    run.log_warning("careful", lr=0.1)
    run.set_artifacts_uri((FOLDER / "kept").as_uri())
    Path("model.txt").write_text("weights")
    run.log_artifact("model.txt", name="model", block=True)
    print("printed ü", file=sys.__stdout__)
    time.sleep(1.5)
    run.close()
    second = begun()
    second.track(1, name="loss", step=0)
    second.close()
    return {"series": SERIES, "parameters": PARAMETERS, "ids": [run.hash, second.hash]}


def more(id_):
    """Go on with a run, and write another."""
    run = Run(id_, repo=str(FOLDER), system_tracking_interval=None, capture_terminal_logs=False)
    run.track(2, name="loss", step=1)
    run.track(0.5, name="late", step=0)
    run.close()
    begun().close()
    return {}


def many(count):
    for number in range(int(count)):
        run = begun()
        run.name, run["number"] = f"many {number}", number
        run.track(number / 3, name="loss", step=0)
        run.close()


def killed():
    """Have a process killed in the middle of its run; return the run's hash."""
    Repo.from_path(str(FOLDER), init=True)
    if child := os.fork():
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        return os.listdir(FOLDER / ".aim" / "meta" / "chunks")[0]
    run = begun()
    for step in range(3):
        run.track(step / 3, name="loss", step=step)
    os.kill(os.getpid(), signal.SIGKILL)


def all_kinds(count):
    """Write runs of all kinds: starting a Python that has Aim takes longer than they do."""
    told = {"killed": killed()}
    many(count)
    return told | whole()


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[2]](*sys.argv[3:])), file=ANSWER)
