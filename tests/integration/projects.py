"""A small project in a folder, carried out by fresh processes."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import gosset as gs
from gosset.running.observing import Quiet

URL = "sqlite:///lab.db"


class Heard(Quiet):
    """An observer that remembers what it was warned of."""

    def __init__(self):
        self.warnings = []

    def warn(self, message):
        self.warnings.append(message)


def tell(result, warnings=()):
    """Return what a launch did, as plain data: stage → status → count, values, warnings."""
    store = result.store
    stages = {}
    for computation in [
        *(c for run in result.runs for c in store.computations(run)),
        *store.catalog.computations(launch_id=result.launch.id),
    ]:
        stages.setdefault(computation.stage, Counter())[str(computation.status)] += 1
    return {
        "status": str(result.status),
        "launch": result.launch.number,
        "runs": {run.name: str(run.status) for run in result.runs},
        "stages": {stage: dict(counts) for stage, counts in stages.items()},
        "computed": sorted(stage for stage, counts in stages.items() if counts["computed"]),
        "warnings": list(warnings),
        "keys": sorted(
            c.key for run in result.runs for c in store.computations(run) if c.key is not None
        ),
    }


def _carry_out(folder, module, options, connection):
    sys.dont_write_bytecode = True  # two edits within a second look alike to Python's own cache
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    experiment = __import__(module).experiment
    heard = Heard()
    with gs.open_store(URL) as store:
        options = {"executor": "inline", **options}
        resumed = options.pop("resume", None)
        if resumed is None:
            result = experiment.execute(store=store, progress=heard, **options)
        else:
            result = experiment.resume(resumed, store=store, progress=heard)
        told = tell(result, heard.warnings)
        told["outputs"] = {
            artifact.name: store.load(artifact)
            for computation in [
                *(c for run in result.runs for c in store.computations(run)),
                *store.catalog.computations(launch_id=result.launch.id),
            ]
            for artifact in computation.outputs
            if artifact.format == "json"
        }
    connection.send(told)
    connection.close()


_fresh = multiprocessing.get_context("forkserver")
_fresh.set_forkserver_preload(["gosset", "gosset.experiment", "gosset.storage.sql", "numpy"])


class Folder:
    """A project in a folder, whose files can be edited and which fresh processes carry out."""

    def __init__(self, path):
        self.path = Path(path)
        self.path.mkdir(exist_ok=True)

    def write(self, name, text):
        (self.path / name).write_text(text)

    def edit(self, name, old, new):
        text = (self.path / name).read_text()
        assert old in text, f"{old!r} is not in {name}"
        self.write(name, text.replace(old, new))

    def copy(self, path):
        shutil.copytree(self.path, path)
        return Folder(path)

    def carry_out(self, module="lab", **options):
        """Execute the experiment of `module` in a process that has imported nothing of it."""
        return self.start(module, **options)()

    def start(self, module="lab", **options):
        """Start to; return what waits for it and tells what it did."""
        ours, theirs = _fresh.Pipe(duplex=False)
        process = _fresh.Process(target=_carry_out, args=(self.path, module, options, theirs))
        process.start()
        theirs.close()

        def told():
            with ours:
                try:
                    return ours.recv()
                finally:
                    process.join()
                    process.close()

        return told

    def run(self, *arguments, check=True, **variables):
        """Run Python on a script of the folder, in a process of its own, to its end."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.path,
            env={**clean_environment(), **variables},
            capture_output=True,
            text=True,
            timeout=60,
        )
        if check:
            assert done.returncode == 0, done.stderr
        return done

    def popen(self, *arguments):
        """Run Python on a script of the folder, in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.path,
            env=clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def store(self):
        return gs.open_store(f"sqlite:///{self.path / 'lab.db'}")


def clean_environment():
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GOSSET_")}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}


def wait_for(condition, seconds=15.0):
    """Return the first true value of `condition`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {condition.__name__}")


def alive(pid):
    """Whether a process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def kill(process):
    """End a process of :meth:`Folder.popen` with its whole group, if it is still there."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
