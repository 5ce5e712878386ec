"""What the README and the guide show happens."""

import ast
import re
import shlex
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from workplace import Workplace

from gosset import Status

README = Path(__file__).parents[2] / "README.md"
NOTEBOOK = README.parent / "examples" / "tracking.ipynb"
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
    tracked, program, reading, *_ = blocks("python")
    assert tracked.startswith("# digits.py\n")
    workplace.write("digits.py", tracked)
    assert program.startswith("# iris.py\n")
    workplace.write("iris.py", program)
    shown = commands(blocks("console")[1:])
    assert len(shown) >= 8
    carry_out(workplace, shown)
    assert reading.startswith("# read.py\n")
    printed = workplace.python(workplace.write("read.py", reading))
    assert re.match(r"iris_svc#\d \{'svc\.C': \d+\} \(0\.\d+, ", printed)


def test_the_tracked_script_has_ten_lines_and_logs_what_scikit_learn_scores(
    workplace: Workplace,
) -> None:
    tracked = blocks("python")[0]
    assert len([line for line in tracked.splitlines()[1:] if line.strip()]) == 10
    workplace.python(workplace.write("digits.py", tracked))
    scores = re.sub(r"^with .*$", "if scores := []: pass\nif True:", tracked, flags=re.MULTILINE)
    scores = scores.replace("run.params.alpha", "0.01")
    scores = re.sub(r"run\.log\(\{\"accuracy\": (.*)\}, step=epoch\)", r"scores.append(\1)", scores)
    expected = workplace.python(workplace.write("plain.py", f"{scores}\nprint(scores)"))
    with workplace.store() as store:
        series = store.series("digits#1", "accuracy")
        assert series.steps.tolist() == list(range(20))
        assert series.values.tolist() == ast.literal_eval(expected)
        assert store.run("digits#1").params == {"alpha": 0.01}


def test_the_notebook_tracks_the_same(workplace: Workplace) -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "outputs are not kept"
    resources = {"metadata": {"path": str(workplace.folder)}}
    NotebookClient(notebook, timeout=120, resources=resources).execute(env=workplace.environment)
    shown = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert any("text/html" in output.get("data", {}) for output in shown)
    workplace.python(workplace.write("digits.py", blocks("python")[0]))
    with workplace.store() as store:
        assert {run.status for run in store.runs()} == {Status.COMPLETE}
        script, cells = (store.series(f"digits#{n}", "accuracy").values for n in (2, 1))
        assert cells.tolist() == script.tolist()


def carry_out(workplace: Workplace, shown: list[tuple[str, list[str]]]) -> None:
    """Carry out commands, which print what is shown of them."""
    for command, expected in shown:
        name, *arguments = shlex.split(command)
        if name == "python":
            printed = workplace.python(*arguments)
        else:
            assert name == "gosset", command
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
