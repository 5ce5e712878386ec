"""Writes runs with MLtraq: ``mltraq.py DATABASE [more|zlib]``, and prints what it logged as JSON.

It works in the folder of the database, where MLtraq keeps large values.
"""

import datetime
import json
import os
import sys
import uuid
from pathlib import Path

# Beside this file lie writers that are called as what they import.
sys.path.pop(0)

import numpy as np
import pandas as pd
import pyarrow as pa
from mltraq import Bunch, Sequence, create_session
from mltraq.opts import options
from mltraq.storage.archivestore import Archive, ArchiveStore
from mltraq.storage.datastore import DataStore

WHEN = "2024-01-02T03:04:05.678901"
NATIVE = {
    "b": True,
    "i": 2**62 + 1,
    "f": 0.1 + 0.2,
    "tiny": 5e-324,
    "inf": float("inf"),
    "s": "one\ntwo 🚀 ü",
    "Ünder 🚀 space": "odd name",
}


def fields():
    return NATIVE | {
        "raw": b"\x00\xff",
        "when": datetime.datetime.fromisoformat(WHEN),
        "day": datetime.date(2024, 1, 2),
        "clock": datetime.time(3, 4, 5),
        "nested": {"t": (1, 2), "s": {3}, "n": None, "deep": [{"x": 2**70}]},
        "bunch": Bunch(a=1, b=Bunch(c=2)),
        "array": np.arange(6, dtype=np.float32).reshape(2, 3),
        "frame": pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
        "series": pd.Series([1.5, 2.5], name="0"),
        "table": pa.table({"a": [1, 2]}),
        "ids": [uuid.UUID(int=7), np.datetime64("2024-01-02T03:04:05.678901", "us")],
    }


def write(database):
    session = create_session(f"sqlite:///{database}")
    experiment = session.create_experiment("first-run 🚀", question="why", weights=np.arange(3))
    with experiment.run() as run:
        for name, value in fields().items():
            run.fields[name] = value
        run.fields.losses = Sequence()
        for step in range(5):
            run.fields.losses.append(loss=[0.5, float("inf"), 0.25, 1e-300, -0.0][step], n=step)
        run.fields.losses.append(loss=0.125, n=5)
        run.fields.words = Sequence()
        run.fields.words.append(text="a", x=1)
        run.fields.words.append(text="b", x=2)
        run.fields.store = DataStore(big=np.ones(3), name="kept")
        Path("src").mkdir(exist_ok=True)
        Path("src/a.txt").write_text("in the archive")
        run.fields.archive = Archive.create("src")
        run.fields.lazy = ArchiveStore("src")
    experiment.persist(store_unsafe_pickle=True)
    first = experiment.runs.first()
    losses = first.fields.losses.df()

    grid = session.create_experiment("grid")
    grid.add_runs(A=[1, 2], B=[0.5])
    grid.execute(lambda run: run.fields.update(y=run.params.A * 2), n_jobs=1, args_field="args")
    grid.persist()
    collide(session)
    return {
        "native": NATIVE,
        "run": str(first.id_run),
        "experiment": str(experiment.id_experiment),
        "idx": losses["idx"].tolist(),
        "loss": losses["loss"].tolist(),
        "times": [str(time) for time in losses["timestamp"]],
        "grid": {str(run.id_run): run.fields.args.params.A for run in grid.runs.values()},
    }


def collide(session):
    """Two names that MLtraq gives one table; of the first only its row is left."""
    for name in ("a-b", "a_b"):
        experiment = session.create_experiment(name)
        with experiment.run() as run:
            run.fields.name = name
        experiment.persist()


def more(database):
    session = create_session(f"sqlite:///{database}")
    experiment = session.load_experiment("grid")
    with experiment.run() as run:
        run.fields.y = 99
        run.fields.args = {"config": {}, "params": {"A": 3, "B": 0.5}}
    for run in experiment.runs.values():
        run.fields.more = Sequence()
        run.fields.more.append(v=1.0)
    experiment.persist(if_exists="replace")
    return {}


def zlib(database):
    options().set("serialization.compression.codec", "zlib")
    session = create_session(f"sqlite:///{database}")
    experiment = session.create_experiment("packed")
    with experiment.run() as run:
        run.fields.nested = {"a": [1, 2, 3] * 100}
    experiment.persist()
    return {}


if __name__ == "__main__":
    file = Path(sys.argv[1]).absolute()
    file.parent.mkdir(parents=True, exist_ok=True)
    os.chdir(file.parent)
    print(json.dumps({"more": more, "zlib": zlib}.get(sys.argv[-1], write)(file)))
