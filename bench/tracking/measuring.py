"""One cell measured: two fresh processes in a fresh folder, with a limit on their time."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from environments import HERE, PLACE, interpreter

MIB = 2**20


@dataclass
class Measured:
    """What one repeat of a cell gave.

    Attributes
    ----------
    write, read : float or None
        Milliseconds, as the cell's own clock says.
    loading : float or None
        Milliseconds that the process which reads spends with imports.
    process : float
        Milliseconds from the start of the process that writes to its end.
    disk : float
        MiB in the folder at the end.
    kept : int or None
        Values that were found after the process was killed.
    wrong : str
        Why there is no figure: what was read back was wrong, or an error. ``cut`` where the
        limit was reached.
    unread : str
        Why there is no figure for reading.
    """

    write: float | None = None
    read: float | None = None
    loading: float | None = None
    process: float = 0.0
    disk: float = 0.0
    kept: int | None = None
    wrong: str = ""
    unread: str = ""


def measure(peer: str, tracker: str, case: str, limit: float) -> Measured:
    """Carry out a cell once: write, and read back in another process.

    Parameters
    ----------
    peer : str
        Name of the module.
    tracker : str
        Name of the row.
    limit : float
        Seconds that each of the two processes may take.
    """
    killed = case.startswith("killed")
    with _folder() as folder:
        found = Measured()
        os.sync()  # what others wrote is not ours to wait for
        wrote, found.process, error = _process("write", peer, tracker, case, folder, limit)
        if wrote is None and (error == "cut" or not killed):
            found.wrong = error
            return found
        if wrote is not None:
            found.write = wrote["seconds"] * 1000
        found.disk = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / MIB
        back, _, error = _process("read", peer, tracker, case, folder, limit)
        if killed:
            found.kept = 0 if back is None else back["kept"]
        elif back is None:
            found.unread = error
        elif back["wrong"]:
            found.wrong = back["wrong"]
        else:
            found.read = back["seconds"] * 1000
            found.loading = back["loading"] * 1000
        return found


def _process(
    what: str, peer: str, tracker: str, case: str, folder: Path, limit: float
) -> tuple[dict | None, float, str]:
    """Return what a process answered, how many milliseconds it took, and why it did not."""
    home = PLACE / "homes" / peer
    home.mkdir(parents=True, exist_ok=True)
    answer, errors = folder.with_suffix(".json"), folder.with_suffix(".log")
    answer.unlink(missing_ok=True)
    command = [interpreter(peer), HERE / "cell.py", what, peer, tracker, case, answer]
    begun = time.perf_counter()
    with errors.open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            process.wait(limit)
            error = ""
        except subprocess.TimeoutExpired:
            error = "cut"
        took = (time.perf_counter() - begun) * 1000
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # with the services that it started
        process.wait()
    try:
        if not error and answer.exists():
            return json.loads(answer.read_text()), took, ""
        lines = errors.read_text(errors="replace").split("\n")
        return None, took, error or next((line for line in reversed(lines) if line.strip()), "died")
    finally:
        answer.unlink(missing_ok=True)
        errors.unlink()


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    outer = Path(tempfile.mkdtemp(prefix="tracking-"))
    try:
        (outer / "cell").mkdir()
        yield outer / "cell"
    finally:
        shutil.rmtree(outer, ignore_errors=True)
