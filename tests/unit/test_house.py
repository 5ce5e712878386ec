"""The house rules that a program can hold."""

import ast
import importlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import gosset

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "gosset"
HEAVY = {
    *("alembic", "blake3", "cloudpickle", "dask", "fastapi", "numpy", "optuna", "pandas"),
    *("pyarrow", "rich", "scipy", "sklearn", "sqlalchemy", "torch", "typer"),
}


def tracked_files() -> list[Path]:
    # Git reads a clone that belongs to somebody else only where it is told that it may.
    git = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT)]
    listed = subprocess.run(
        [*git, "ls-files", "-z"], check=True, capture_output=True, text=True
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def identify(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# -- imports


def test_importing_gosset_loads_nothing_heavy() -> None:
    program = "import json, sys, gosset; print(json.dumps(sorted(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout
    loaded = {name.partition(".")[0] for name in json.loads(shown)}
    assert "gosset" in loaded
    assert not loaded & HEAVY


def test_every_name_of_the_face_is_there() -> None:
    assert len(set(gosset.__all__)) == len(gosset.__all__)
    for name in gosset.__all__:
        assert getattr(gosset, name) is not None
    assert set(gosset.__all__) <= set(dir(gosset))


def test_a_name_that_the_face_lacks_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = gosset.nothing


def test_nothing_inside_imports_the_face() -> None:
    found = [
        f"{identify(path)}:{node.lineno}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_bytes()))
        if any(name.partition(".")[0] == "gosset" for name in absolute_imports(node))
    ]
    assert not found


def absolute_imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [node.module or ""]
    return []


# -- rooms


def test_a_module_says_its_duty_in_its_first_line() -> None:
    for path in modules():
        source = path.read_text()
        first = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
        assert first.endswith((".", ":")) or not source.strip(), identify(path)


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    drawers = {"utils", "helpers", "common", "misc", "manager"}
    assert not {path.stem for path in modules()} & drawers


def test_errors_that_are_public_stand_in_the_tree() -> None:
    exceptions = importlib.import_module("gosset.exceptions")
    drawn = exceptions.__doc__ or ""
    for name, value in vars(exceptions).items():
        if isinstance(value, type) and issubclass(value, Exception):
            assert re.search(rf"\b{name}\b", drawn), name


# -- what is tracked

# Put together from parts, so that this file does not hold what it looks for.
FOREIGN = re.compile(
    "|".join(
        [
            r"https?://(?:[\w.-]*\.)?(?:[p]ypi|[p]ythonhosted|[a]naconda)\.(?:org|com)",
            r"(?:extra-)?index-" + r"url\b",
            r"find-" + r"links\b",
            r"file:///(?:opt|srv|mnt)/",
            r"(?<![\w.-])/(?:" + "|".join(["work", "root", "opt/pypi"]) + r")/\w",
        ]
    )
)


def test_no_tracked_file_names_a_registry_or_a_place_on_one_machine() -> None:
    # Names and words are ASCII: what else a picture or a recorded file holds does not matter.
    found = {
        identify(path): match.group()
        for path in tracked_files()
        if (match := FOREIGN.search(path.read_bytes().decode("ascii", errors="replace")))
    }
    assert not found


def test_constraints_are_names_and_versions_only() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][\w.!+]*", line) for line in pins)
    names = [line.partition("==")[0] for line in pins]
    assert names == sorted(set(names))


def test_every_requirement_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.partition("==")[0] for line in lines}
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    required = [requirement for one in lists for requirement in one]
    names = {re.match(r"[\w.-]+", requirement).group().lower() for requirement in required}  # type: ignore[union-attr]
    assert names - {"gosset"} <= pinned


# -- tests


ASIDE = re.compile(r"(pytest|unittest)\.(mark\.)?(skip|SkipTest|importorskip|xfail)")


def test_no_test_steps_aside_but_for_another_platform() -> None:
    # What is missing is to fail: nobody reads why a test was skipped.
    found = [
        f"{identify(path)}:{node.lineno}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Attribute | ast.Call) and steps_aside(node)
    ]
    assert not found


def steps_aside(node: ast.Attribute | ast.Call) -> bool:
    if isinstance(node, ast.Attribute):
        return ASIDE.fullmatch(ast.unparse(node)) is not None
    if ast.unparse(node.func) != "pytest.mark.skipif":
        return False
    return not re.fullmatch(r"sys\.platform [!=]= '\w+'", ast.unparse(node.args[0]))


# -- words


WORDS = {
    *("store", "project", "experiment", "execution", "launch", "run", "attempt", "fold"),
    *("stage", "view", "aggregate", "computation", "artifact", "dataset", "metric", "field"),
    *("parameter", "search", "resource", "executor", "report", "submission"),
}


def test_the_glossary_has_every_word_of_the_house() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text()
    assert set(re.findall(r"^\*\*([a-z ]+)\*\* is ", glossary, re.MULTILINE)) >= WORDS


def test_the_glossary_has_every_status() -> None:
    entities = importlib.import_module("gosset.entities")
    glossary = (ROOT / "docs" / "glossary.md").read_text()
    for status in [*entities.Status, *entities.ComputationStatus]:
        assert f"`{status.value}`" in glossary
