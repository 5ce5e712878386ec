"""``gosset tail`` follows a run of another process; ``gosset export`` writes what it left."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import gosset as gs
from gosset.storage.news import News
from gosset.tracking.run import TrackedRun

COMMAND = [sys.executable, "-c", "from gosset.cli import main; raise SystemExit(main())"]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/lab.db"


@pytest.fixture
def run(url: str) -> Iterator[TrackedRun]:
    started = gs.start_run("followed", name="live", store=url)
    started.log({"loss": 0.5})
    _wait_until_stored(started, url)
    yield started
    started.finish()


def _wait_until_stored(run: TrackedRun, url: str) -> None:
    assert run.number == 1
    store = gs.open_store(url)
    deadline = time.monotonic() + 10
    while "loss" not in store.run(run.id).metrics:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def following(url: str, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, "--store", url, "tail", "live", "--interval", "0.05", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(run: TrackedRun, url: str, stream: str, text: str) -> None:
    """Let the run have printed something."""
    sink = gs.open_store(url).catalog.sink()
    sink.write([News(run=run.id, writer=time.time_ns(), number=1, console=[(stream, 1, text)])])


def test_a_run_is_followed_until_it_ends(run: TrackedRun, url: str) -> None:
    tail = following(url)
    assert tail.stdout is not None
    assert tail.stdout.readline() == "[0] loss=0.5000\n"
    run.log({"loss": 0.25, "acc": 0.75}, step=7)
    assert tail.stdout.readline() == "[7] acc=0.7500 loss=0.2500\n"
    said(run, url, "stdout", "epoch 1\n\x1b[2Jdone\n")
    assert [tail.stdout.readline() for _ in range(2)] == ["epoch 1\n", "\\x1b[2Jdone\n"]
    run.finish()
    out, error = tail.communicate(timeout=20)
    assert (tail.returncode, out, error) == (0, "", "gosset: run live: complete\n")


def test_what_programs_follow_is_one_document_a_line(run: TrackedRun, url: str) -> None:
    tail = following(url, "--json")
    assert tail.stdout is not None
    assert json.loads(tail.stdout.readline()) == {"metrics": {"loss": 0.5}, "steps": {"loss": 0}}
    run.log({"loss": float("nan")})
    assert json.loads(tail.stdout.readline())["metrics"] == {"loss": "NaN"}
    said(run, url, "stderr", "careful\n")
    assert json.loads(tail.stdout.readline()) == {
        "stream": "stderr", "time": 1, "text": "careful\n",
    }  # fmt: skip
    run.finish("failed")
    out, error = tail.communicate(timeout=20)
    assert (tail.returncode, json.loads(out), error) == (1, {"status": "failed"}, "")


def test_an_interrupt_ends_the_following_and_not_the_run(run: TrackedRun, url: str) -> None:
    tail = following(url)
    assert tail.stdout is not None
    tail.stdout.readline()
    tail.send_signal(signal.SIGINT)
    _, error = tail.communicate(timeout=20)
    assert (tail.returncode, error) == (130, "gosset: interrupted\n")
    assert gs.open_store(url).run(run.id).status == "running"


def test_a_run_that_is_not_there_cannot_be_followed(run: TrackedRun, url: str) -> None:
    done = subprocess.run(
        [*COMMAND, "--store", url, "tail", "lve"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean" in done.stderr or "known are" in done.stderr


def test_an_export_is_made_on_the_command_line(run: TrackedRun, url: str, tmp_path: Path) -> None:
    import pandas as pd

    run.finish()
    target = tmp_path / "out"
    command = [*COMMAND, "--store", url, "export", str(target), "metrics.loss < 1", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"path": str(target), "format": "parquet", "runs": 1}
    assert pd.read_parquet(target / "points.parquet")["value"].tolist() == [0.5]


def test_lists_have_columns_of_what_is_kept_ready_of_series(run: TrackedRun, url: str) -> None:
    run.log({"loss": 0.25, "loss.min": 9.0})
    run.finish()
    columns = "name,metrics.loss.min,metrics.loss.mean,metrics.loss.count,metrics.`loss.min`"
    command = [*COMMAND, "--store", url, "list", "runs", "--columns", columns]
    done = subprocess.run([*command, "--csv"], capture_output=True, text=True, check=True)
    assert done.stdout == f"{columns}\nlive,0.25,0.375,2,9.0\n"
    nothing = subprocess.run(
        [*command[:-1], "metrics.loss.minimum"], capture_output=True, text=True, check=False
    )
    assert nothing.returncode == 2
    whole = subprocess.run(
        [*COMMAND, "--store", url, "list", "runs", "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    [document] = json.loads(whole.stdout)
    kept = {"count": 2, "step": 1, "min": 0.25, "max": 0.5, "mean": 0.375}
    assert document["metrics_series"]["loss"] == kept
