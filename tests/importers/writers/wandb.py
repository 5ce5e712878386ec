"""Writes runs with wandb, offline: ``wandb.py FOLDER WHAT``, and prints what it logged as JSON."""

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
os.environ |= {
    "WANDB_SILENT": "true",
    "WANDB_DATA_DIR": os.getcwd(),
    "WANDB_CACHE_DIR": os.getcwd(),
}
os.environ |= {"WANDB_CONFIG_DIR": os.getcwd(), "WANDB_ERROR_REPORTING": "false"}

import numpy as np  # noqa: E402
import wandb  # noqa: E402

PROJECT = "größe 1"
NAME = "name 🚀\nof two lines"
CONFIG = {
    "lr": 0.1,
    "big": 2**60 + 1,
    "nested": {"layers": [8, 4], "act": {"kind": "relu", "none": None}},
    "inf": float("inf"),
    "nested.act.kind": "mine",
    "empty": {},
    "text": "one\ntwo ü",
}
ROWS = [
    # step, what is logged: steps that wandb is given twice are one row
    (0, {"loss": 0.1 + 0.2, "val/acc top-5": 0, "deep": {"x": 1, "y": {"z": 2.5}}, "ok": True}),
    (1, {"loss": 5e-324, "val/acc top-5": 2**53 + 1, "deep": {"x": 2, "y": {"z": 5.0}}}),
    (7, {"loss": float("nan"), "edge 🚀\n": float("inf"), "epoch": 2}),
    (8, {"loss": float("-inf"), "big": -(2**63), "edge 🚀\n": 1e300}),
    (9, {"loss": 2.0, "said": "words\nü", "ok": False, "listed": [1, "b"]}),
]


def begun(name, *, seconds=None, **options):
    settings = {"mode": "offline", "x_disable_stats": seconds is None, "console": "off"}
    if seconds:
        settings |= {"x_stats_sampling_interval": seconds, "console": "wrap_raw"}
    return wandb.init(
        project=PROJECT,
        name=name,
        settings=wandb.Settings(**settings),
        reinit="finish_previous",
        **options,
    )


def whole():
    run = begun(
        NAME,
        seconds=0.1,
        group="group ü",
        job_type="train",
        tags=["blue", "a=b"],
        notes="A note\nof two lines",
        config=CONFIG,
    )
    run.define_metric("epoch")
    run.define_metric("val/*", step_metric="epoch")
    run.define_metric("loss", summary="min")
    print("printed ü")
    print("complained", file=sys.stderr)
    for step, row in ROWS:
        run.log(row, step=step)
    image = wandb.Image(np.zeros((4, 4, 3), np.uint8), caption="black")
    table = wandb.Table(columns=["a", "b"], data=[[1, "x"], [2, None]])
    run.log({"image": image, "table": table, "html": wandb.Html("<b>bold</b>")}, step=10)
    run.log({"histogram": wandb.Histogram(np_histogram=([1, 3], [0.0, 0.5, 1.0]))}, step=10)
    run.summary["best"] = 0.5
    run.summary["deep.x"] = 17
    run.summary["words"] = {"of": "summary"}
    run.config.update({"late": {"r": 1}})
    Path("model.txt").write_text("weights")
    run.save("model.txt")
    artifact = wandb.Artifact("model", type="model")
    artifact.add_file("model.txt")
    artifact.add_reference("https://example.org/data.csv", checksum=False)
    run.log_artifact(artifact)
    run.alert("Careful", "of this", level="WARN")
    time.sleep(0.5)
    run.finish()
    failed = begun("failed")
    failed.log({"loss": 1.0})
    failed.finish(exit_code=3)
    return {"config": CONFIG, "rows": ROWS, "ids": [run.id, failed.id]}


def several(count):
    """Write some runs, one more in two folders, and one that began where another was."""
    for number in range(int(count)):
        run = begun(f"many {number}", config={"number": number})
        run.log({"loss": number / 3})
        run.finish()
    for part in range(2):
        run = begun("resumed", id="goes-on", resume="allow", config={f"from {part}": part})
        for step in range(3):
            run.log({"loss": part + step / 10}, step=3 * part + step)
        run.summary["best"] = part + 0.5
        run.finish(exit_code=1 - part)
        time.sleep(1)  # folders are called by the second
    begun("forked", fork_from="elder?_step=5").finish()
    return {}


def killed(count):
    """Have a process killed in the middle of its run, as soon as the log has some blocks."""
    if child := os.fork():
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        return {}
    run = begun("killed")
    for step in range(int(count)):
        run.log({"loss": step / 3})
    [log] = FOLDER.glob(f"wandb/*{run.id}/*.wandb")
    while int(count) > 1000 and log.stat().st_size < 100_000:
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[2]](*sys.argv[3:])), file=ANSWER)
