"""What the README and the guide show happens."""

import re
import shlex
from pathlib import Path

from workplace import Workplace

README = Path(__file__).parents[2] / "README.md"
GUIDE = README.parent / "docs" / "guide.md"


def blocks(language: str, page: Path = README) -> list[str]:
    """Return the fenced blocks of one language, in order."""
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), flags=re.DOTALL)


def commands(consoles: list[str]) -> list[tuple[str, list[str]]]:
    """Return each command of console blocks, with what it prints."""
    found: list[tuple[str, list[str]]] = []
    for line in "".join(consoles).splitlines():
        if line.startswith("$ "):
            found.append((line[2:].partition("  #")[0].strip(), []))
        elif line and found:
            found[-1][1].append(line)
    return found


def test_the_first_screen_prints_what_it_shows(workplace: Workplace) -> None:
    program, reading, *_ = blocks("python")
    assert program.startswith("# iris.py\n")
    workplace.write("iris.py", program)
    shown = commands(blocks("console")[1:])
    assert len(shown) >= 4
    carry_out(workplace, shown)
    assert reading.startswith("# read.py\n")
    printed = workplace.python(workplace.write("read.py", reading))
    assert re.match(r"iris_svc#\d \{'svc\.C': \d+\} \(0\.\d+, ", printed)


def carry_out(workplace: Workplace, shown: list[tuple[str, list[str]]]) -> None:
    """Carry out commands, which print what is shown of them."""
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


def test_the_guide_does_what_it_shows(workplace: Workplace) -> None:
    """Each block of Python is a script; then come the commands."""
    workplace.write("visits.csv", blocks("csv", GUIDE)[0])
    for program in blocks("python", GUIDE):
        name = program.partition("\n")[0].removeprefix("# ")
        assert name.endswith(".py"), program
        workplace.python(workplace.write(name, program))
    shown = commands(blocks("console", GUIDE))
    assert len(shown) >= 6
    carry_out(workplace, shown)
