"""Stores that other trackers really wrote: each tracker lives in an environment of its own."""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gosset import Store, open_store

ROOT = Path(__file__).parents[2]
WRITERS = Path(__file__).parent / "writers"
PACKAGES = {
    "aim": ["aim==3.29.1", "boto3>=1.30", "setuptools<80"],
    "mlflow": ["mlflow-skinny", "sqlalchemy", "alembic"],
    "mltraq": ["mltraq"],
    "tensorboard": ["tensorboardX", "pillow"],
    "trackio": ["trackio==0.43.0", "pandas", "psutil"],
    "wandb": ["wandb==0.31.0", "numpy", "pillow"],
}
"""What is installed for each tracker: the least that writes its stores."""


def python_of(kind: str) -> Path:
    """Return the interpreter of a tracker's environment, made where it is not there yet."""
    folder = ROOT / "build" / "importers" / kind
    folder.parent.mkdir(parents=True, exist_ok=True)
    python, mark = folder / "bin" / "python", folder / "packages"
    wanted = "\n".join(PACKAGES[kind])
    with (folder.parent / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists() or mark.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            install(folder, PACKAGES[kind])
            mark.write_text(wanted)
    return python


def install(folder: Path, packages: list[str]) -> None:
    python = str(folder / "bin" / "python")
    if importlib.util.find_spec("uv") is not None:
        uv = [sys.executable, "-m", "uv"]
        called([*uv, "venv", "-q", "--python", sys.executable, str(folder)])
        called([*uv, "pip", "install", "-q", "--python", python, *packages])
    else:
        venv.create(folder, with_pip=True)
        called([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages])


def called(command: list[str], **options: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}{done.stderr}"
    return done.stdout


Written = Callable[..., Any]


@pytest.fixture(scope="session")
def interpreter() -> Callable[[str], Path]:
    """Return the interpreter of a tracker's environment."""
    return python_of


@pytest.fixture(scope="session")
def written() -> Written:
    """Call ``writers/KIND.py ARGUMENTS`` in the tracker's environment; return what it logged.

    That is the JSON of the last line that it prints.
    """

    def write(kind: str, *arguments: object, **environment: str) -> Any:
        command = [str(python_of(kind)), str(WRITERS / f"{kind}.py"), *map(str, arguments)]
        printed = called(command, env={**os.environ, "PYTHONWARNINGS": "ignore", **environment})
        return json.loads(printed.splitlines()[-1])

    return write


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'here' / 'store.db'}") as opened:
        yield opened
