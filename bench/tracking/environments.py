"""The environments in which the trackers are measured: one each, with what it asks for.

``python bench/tracking/environments.py [PEER ...]`` makes them, or brings Gosset's up to
date with the working tree. They lie in ``build/tracking`` and are made anew when what a peer
asks for has changed.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import venv
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PLACE = ROOT / "build" / "tracking"


def peers() -> dict[str, ModuleType]:
    """Return the modules of all peers by name, Gosset's and raw SQLite's first."""
    names = sorted(path.stem for path in (HERE / "peers").glob("*.py"))
    names = [name for name in names if name not in ("__init__", "protocol")]
    names.sort(
        key=lambda name: ("gosset", "sqlite").index(name) if name in ("gosset", "sqlite") else 2
    )
    return {name: importlib.import_module(f"peers.{name}") for name in names}


def interpreter(peer: str) -> Path:
    """Return the interpreter of a peer's environment."""
    return PLACE / peer / "bin" / "python"


def make(peer: str, requirements: tuple[str, ...]) -> None:
    """Make the environment of a peer, unless it is there as it should be."""
    folder = PLACE / peer
    mark = folder / "requirements"
    if not mark.exists() or mark.read_text() != "\n".join(requirements):
        print(f"{peer}: installing", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        _install(peer, *(r if r != "gosset" else str(ROOT) for r in requirements))
        mark.write_text("\n".join(requirements))
    elif "gosset" in requirements:
        _install(peer, "--force-reinstall", "--no-deps", str(ROOT))


def installed(peer: str) -> bool:
    """Whether the environment of a peer was made."""
    return (PLACE / peer / "requirements").exists()


def version(peer: str, requirements: tuple[str, ...]) -> str:
    """Return the version of a peer that its environment has."""
    name = requirements[0].partition("==")[0]
    code = (
        "import sqlite3; print(sqlite3.sqlite_version)"
        if peer == "sqlite"
        else f"from importlib.metadata import version; print(version({name!r}))"
    )
    found = subprocess.run(
        [interpreter(peer), "-c", code], check=True, capture_output=True, text=True
    )
    return found.stdout.strip()


def _install(peer: str, *what: str) -> None:
    pip = [str(interpreter(peer)), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--disable-pip-version-check", *what], check=True)


if __name__ == "__main__":
    every = peers()
    for chosen in sys.argv[1:] or every:
        make(chosen, every[chosen].REQUIREMENTS)
