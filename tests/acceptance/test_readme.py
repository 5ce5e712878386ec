"""What the README shows happens."""

import re
import shlex
from pathlib import Path

from workplace import Workplace

README = Path(__file__).parents[2] / "README.md"


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of one language, in order."""
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), flags=re.DOTALL)


def commands() -> list[tuple[str, list[str]]]:
    """Return each command of the console blocks after the installation, with what it prints."""
    found: list[tuple[str, list[str]]] = []
    for line in "".join(blocks("console")[1:]).splitlines():
        if line.startswith("$ "):
            found.append((line[2:].partition("  #")[0].strip(), []))
        elif line and found:
            found[-1][1].append(line)
    return found


def test_the_first_screen_prints_what_it_shows(workplace: Workplace) -> None:
    program = blocks("python")[0]
    assert program.startswith("# iris.py\n")
    workplace.write("iris.py", program)
    shown = commands()
    assert len(shown) >= 4
    for command, expected in shown:
        name, *arguments = shlex.split(command)
        assert name == "gosset"
        printed = workplace.gosset(*arguments).stdout
        for line in expected:
            assert told(line) in [told(other) for other in printed.splitlines()], printed


def told(line: str) -> str:
    """Return a line without what differs from day to day: lengths of time and dates."""
    return re.sub(r" in [0-9.]+ s$| on \d{4}-\d\d-\d\d \d\d:\d\d$", "", line)


def test_all_code_of_the_readme_is_python() -> None:
    for block in blocks("python"):
        compile(block, "README.md", "exec")
