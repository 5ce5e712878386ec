"""A folder with a home of its own, in which tests start real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gosset as gs

GOSSET = Path(sys.executable).with_name("gosset")
"""The command, as it was installed."""

EXAMPLES = Path(__file__).parents[2] / "examples"

Completed = subprocess.CompletedProcess[str]


class Workplace:
    """A project folder of a user who has nothing else on the machine.

    Parameters
    ----------
    folder : Path
        Empty; gets ``home`` and ``work``, in which processes start.
    executor : str
        What carries computations out unless a test says so: most tests are about what is
        computed, not about workers, and inline is the quickest.
    """

    def __init__(self, folder: Path, *, executor: str = "inline") -> None:
        self.home = folder / "home"
        self.folder = folder / "work"
        self.home.mkdir(parents=True)
        self.folder.mkdir()
        self.variables = {"GOSSET_EXECUTOR": executor}

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every process: nothing of the tester's own home or settings."""
        own = ("GOSSET_", "GIT_", "XDG_", "PYTHON")
        inherited = {n: v for n, v in os.environ.items() if not n.startswith(own)}
        return inherited | {
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "PYTHONWARNINGS": "default",
            **self.variables,
        }

    def write(self, name: str, source: str) -> Path:
        """Write a file of the user's, its indentation taken away."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source).lstrip(), encoding="utf-8")
        return path

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace what stands once in a file."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def start(
        self, words: Sequence[str | Path], *, code: int | None = 0, cwd: Path | None = None
    ) -> Completed:
        """Carry out a command and expect the exit code `code` (None: any)."""
        done = subprocess.run(
            [str(word) for word in words],
            cwd=cwd or self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        told = f"{' '.join(map(str, words))}\n{done.stdout}\n{done.stderr}"
        assert code is None or done.returncode == code, f"exit code {done.returncode} of {told}"
        return done

    def gosset(
        self, *words: str | Path, code: int | None = 0, cwd: Path | None = None
    ) -> Completed:
        """Carry out ``gosset WORDS``."""
        return self.start([GOSSET, *words], code=code, cwd=cwd)

    def json(self, *words: str | Path, code: int | None = 0, cwd: Path | None = None) -> Any:
        """Carry out ``gosset WORDS --json`` and return what it printed."""
        return json.loads(self.gosset(*words, "--json", code=code, cwd=cwd).stdout)

    def python(self, file: str | Path, *words: str, code: int = 0, cwd: Path | None = None) -> str:
        """Carry out a Python script and return what it printed."""
        return self.start([sys.executable, file, *words], code=code, cwd=cwd).stdout

    def store(self) -> gs.Store:
        """Open the store that the processes here have filled."""
        return gs.open_store(f"sqlite:///{self.folder / '.gosset' / 'store.db'}", create=False)


def files_in(folder: Path, *, but: Sequence[str] = ()) -> Mapping[str, bytes]:
    """Return every file under `folder` with its bytes, but for folders named in `but`."""
    found = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not set(but).intersection(inside.parts):
            found[str(inside)] = path.read_bytes()
    return found
