"""The user's own modules are imported without anything being left beside them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from gosset.importing import leave_folders_clean
import mine.before
leave_folders_clean()
leave_folders_clean()
import mine.after, beside
from installed import package
print(mine.after.value, beside.value, package.value, sum("_finder" in repr(h) for h in sys.path_hooks))
"""


def test_own_modules_are_not_compiled_beside_and_installed_ones_are(tmp_path: Path) -> None:
    """Also below a folder that was looked into before; a virtual environment may lie in it."""
    site = tmp_path / "environment" / "site-packages"
    for name in ("mine/__init__", "mine/before", "mine/after", "beside"):
        write(tmp_path / f"{name}.py")
    for name in ("installed/__init__", "installed/package"):
        write(site / f"{name}.py")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONPATH": f"{tmp_path}:{site}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "1 1 1 1\n"
    compiled = {path.name.partition(".")[0] for path in tmp_path.rglob("*.pyc")}
    assert compiled == {"__init__", "before", "package"}
    assert not (tmp_path / "__pycache__").exists()


def write(path: Path) -> None:
    """Write a module with a value."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("value = 1\n", encoding="utf-8")
