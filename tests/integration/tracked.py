"""Scripts that track runs, carried out by processes of their own, and what the store has then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import gosset as gs
from gosset.entities import Launch, Run
from gosset.series import unpack


class Place:
    """A store, and scripts that track their runs there.

    Parameters
    ----------
    folder : Path
        For the scripts, the caches, and a store in SQLite.
    url : str, optional
        Of another store.
    """

    def __init__(self, folder: Path, url: str = "") -> None:
        self.folder = folder
        self.file = folder / "store" / "lab.db"
        self.url = url or f"sqlite:///{self.file}"
        self._lock = threading.Lock()
        self._scripts: dict[str, Path] = {}
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "GOSSET_RUN"},
            "GOSSET_STORE": self.url,
        }

    def start(
        self, code: str, *arguments: str, before: Sequence[str] = ()
    ) -> subprocess.Popen[str]:
        """Start a script; its output can be read line by line."""
        code = "import gosset as gs\n" + textwrap.dedent(code)
        with self._lock:
            if code not in self._scripts:  # others may be reading it
                self._scripts[code] = self.folder / f"script{len(self._scripts)}.py"
                self._scripts[code].write_text(code)
            script = self._scripts[code]
        return subprocess.Popen(
            [*before, sys.executable, "-X", "faulthandler", str(script), *arguments],
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def carry_out(self, code: str, *arguments: str, **options: object) -> tuple[int, str, str]:
        """Carry a script out; return its exit status, output and errors."""
        process = self.start(code, *arguments, **options)  # type: ignore[arg-type]
        try:
            output, errors = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)
            output, errors = process.communicate()
        return process.returncode, output, errors

    def runs(self) -> list[Run]:
        """Return all runs, in the order in which they began."""
        with gs.open_store(self.url) as store:
            return list(store.runs(order_by="number"))

    def run(self) -> Run:
        """Return the only run."""
        [run] = self.runs()
        return run

    def launches(self) -> list[Launch]:
        with gs.open_store(self.url) as store:
            return cast("list[Launch]", store.select("launches", order_by="number"))

    def values(self, name: str, run: Run | None = None) -> list[float]:
        """Return all values of a series, sorted, which is how several writers compare."""
        with gs.open_store(self.url) as store:
            id = (run or store.runs()[0]).id
            chunks = store.catalog.series(id, [name]).get(name, [])
            return sorted(unpack(chunks).values)

    def spooled(self) -> list[Path]:
        """Return the files of news that wait."""
        return sorted(self.folder.rglob("*.news"))
