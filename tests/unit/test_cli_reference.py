"""The reference of the command line says what the commands say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_reference_of_the_command_line_is_current() -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts" / "cli_reference.py", "--check"])
    assert done.returncode == 0, "run scripts/cli_reference.py"
