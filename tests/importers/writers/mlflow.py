"""Writes runs with MLflow: ``mlflow.py URI FOLDER [RUN]``, and prints what it logged as JSON.

``RUN`` is the id of a run that goes on.
"""

import json
import sys
import tempfile
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

# Beside this file lie writers that are called as what they import.
sys.path.pop(0)

import mlflow  # noqa: E402
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag  # noqa: E402

START = 1_700_000_000_000


def points(*given):
    return [list(each) for each in given]


METRICS = {
    # name → [value, step, time in milliseconds]
    "loss": points((0.1, 0, START), (0.5, 1, START + 1), (float("nan"), 2, START + 2)),
    "edge": points((float("inf"), 0, START), (float("-inf"), 1, START), (5e-324, 2, START)),
    "again": points((3.0, 5, START), (2.0, 5, START + 1), (1.0, -7, START + 2)),
    "once": points((2.5, 0, START + 3)),
    "val/acc top-5": points((0.1 + 0.2, 2**53 + 1, START)),
}
PARAMS = {"lr": "0.1", "text": "one\ntwo 🚀 ü", "big": str(2**70), "empty": ""}
TAGS = {"team": "blue", "mlflow.note.content": "A note\nof two lines 🚀"}


def main(uri, folder):
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient()
    kept = Path(folder).absolute().as_uri() if folder else None  # else where MLflow keeps them
    experiment = client.create_experiment("Über 🚀/experiment", artifact_location=kept)
    told = {"experiment": experiment, "runs": {}}

    def made(name, end, parent=None):
        tags = {"mlflow.runName": name, "mlflow.user": "ada", "mlflow.source.name": "train.py"}
        tags |= {"mlflow.source.git.commit": "0123abcd"}
        if parent:
            tags["mlflow.parentRunId"] = parent
        run = client.create_run(experiment, start_time=START - 5, tags=tags)
        told["runs"][name] = run.info.run_id
        if end:
            client.set_terminated(run.info.run_id, end, START + 100)
        return run.info.run_id

    parent = made("parent", None)
    client.log_batch(
        parent,
        [Metric(name, v, t, s) for name, p in METRICS.items() for v, s, t in p],
        [Param(name, value) for name, value in PARAMS.items()],
        [RunTag(name, value) for name, value in TAGS.items()],
    )
    client.log_text(parent, "model text", "model/deep/weights.txt")
    client.log_dict(parent, {"a": [1, 2]}, "config.json")
    iris = Dataset(
        "iris", "abc123", "http", '{"url": "https://example.org/data.csv"}', profile="{}"
    )
    seen = DatasetInput(iris, [InputTag("mlflow.data.context", "training")])
    client.log_inputs(parent, datasets=[seen])
    model = client.create_logged_model(
        experiment, "best", parent, {"tag": "x"}, {"depth": "3"}, "tree"
    )
    with tempfile.TemporaryDirectory() as files:
        Path(files, "model.txt").write_text("of the model")
        client.log_model_artifacts(model.model_id, files)
    client.finalize_logged_model(model.model_id, "READY")
    client.set_terminated(parent, "FINISHED", START + 100)
    made("child", "FAILED", parent)
    made("killed", "KILLED")
    made("running", None)
    deleted = made("deleted", "FINISHED")
    client.delete_run(deleted)
    return told | {"metrics": METRICS, "params": PARAMS, "tags": TAGS}


def more(uri, run):
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient()
    for step in range(3, 6):
        client.log_metric(run, "loss", step / 10, START + step, step)
    client.log_param(run, "late", "yes")
    client.set_tag(run, "late", "too")
    client.log_text(run, "more", "more.txt")
    return {}


if __name__ == "__main__":
    print(json.dumps(more(sys.argv[1], sys.argv[3]) if len(sys.argv) > 3 else main(*sys.argv[1:])))
