"""Weights & Biases without its server, with what it watches by itself switched off."""

import os

REQUIREMENTS = ("wandb==0.31.0", "numpy", "pandas>=2.1,<4")

BLOCK = 32768
"""Bytes of a block in the log of a run, which has LevelDB's format after a head of 7."""


class Offline:
    power = "the last seconds"

    def load(self):
        os.environ["WANDB_SILENT"] = "true"
        os.environ["WANDB_DATA_DIR"] = os.environ["WANDB_CACHE_DIR"] = os.getcwd()
        global wandb
        import wandb

    def open(self):
        self.settings = wandb.Settings(
            mode="offline",
            console="off",
            disable_git=True,
            save_code=False,
            x_disable_meta=True,
            x_disable_stats=True,
        )

    def start(self, name):
        return _Run(wandb.init(project="bench", name=name, settings=self.settings))

    def close(self):
        pass

    def load_to_read(self):
        self.load()
        from wandb.proto import wandb_internal_pb2  # noqa: F401

    def histories(self):
        import glob
        import json

        from wandb.proto.wandb_internal_pb2 import Record

        found = {}
        for path in glob.glob("wandb/*run-*/*.wandb"):
            name, rows = "", []
            for data in _records(path):
                record = Record.FromString(data)
                if record.HasField("run"):
                    name = record.run.display_name
                elif record.HasField("history"):
                    rows.append(
                        {
                            item.key or item.nested_key[0]: json.loads(item.value_json)
                            for item in record.history.item
                        }
                    )
            found[name] = rows
        return found

    def series(self):
        return {
            run: {"loss": [row["loss"] for row in rows]} for run, rows in self.histories().items()
        }

    def table(self):
        import pandas as pd

        found = self.histories()
        rows = pd.DataFrame([rows[-1] for rows in found.values()], index=list(found))
        return rows[[name for name in rows if not name.startswith("_")]]

    def arrays(self):
        raise NotImplementedError("files that were logged are read back from the server only")


class _Run:
    def __init__(self, run):
        self.log = run.log
        self.results = run.log
        self.finish = run.finish
        self.run = run

    def keep(self, name, array):
        import numpy as np

        np.save(f"{name}.npy", array)
        artifact = wandb.Artifact(name, "array")
        artifact.add_file(f"{name}.npy")
        self.run.log_artifact(artifact)


def _records(path):
    """Iterate over the records of a log, up to the first that was cut off."""
    with open(path, "rb") as file:
        data = file.read()
    at, parts = 7, []
    while at + 7 <= len(data):
        if BLOCK - at % BLOCK < 7:  # too little for a head: the rest of the block is empty
            at += BLOCK - at % BLOCK
            continue
        length, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        part = data[at + 7 : at + 7 + length]
        if len(part) < length or not 1 <= kind <= 4:
            return
        at += 7 + length
        parts.append(part)
        if kind in (1, 4):  # whole, or the last part
            yield b"".join(parts)
            parts = []


TRACKERS = {"wandb-offline": Offline}
