"""What ``gosset run`` does while it imports the user's file."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from workplace import GOSSET, Workplace

UNGUARDED = """
    import gosset as gs

    def step(run):
        run.log({"loss": 1.0})

    experiment = gs.Experiment("e", steps=[step])
    experiment.execute()
    """


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_an_interrupted_import_is_told(workplace: Workplace, options: list[str]) -> None:
    slow = "import time\nfrom pathlib import Path\nPath('begun').touch()\ntime.sleep(60)\n"
    workplace.write("slow.py", slow)
    process = subprocess.Popen(
        [GOSSET, "run", "slow.py", *options],
        cwd=workplace.folder,
        env=workplace.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell that tests in the background has its children ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        _wait_for(workplace.folder / "begun")
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, out, err) == (130, "", "gosset: interrupted\n")
    assert not (workplace.folder / ".gosset").exists()


def test_a_script_that_is_not_guarded_runs_by_itself_and_is_refused_as_a_file(
    workplace: Workplace,
) -> None:
    workplace.write("script.py", UNGUARDED)
    workplace.python("script.py")
    refused = workplace.gosset("run", "script.py", code=2)
    assert refused.stderr.strip() == (
        f"gosset: error: {workplace.folder / 'script.py'}:7: experiment 'e' is executed while "
        'its file is imported; move this line under: if __name__ == "__main__":'
    )
    assert len(workplace.json("list", "launches")) == 1


def _wait_for(path: Path, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} is not there after {seconds} s"
        time.sleep(0.02)
