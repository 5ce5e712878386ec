"""Importing a file tells what it declares, and starts nothing."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import gosset as gs
from gosset.discovery import experiment_of, load_experiments, load_module
from gosset.exceptions import UsageError
from gosset.importing import importing, refuse_while_importing

DECLARED = """\
import gosset as gs

@gs.stage
def one():
    return 1

inner = gs.Experiment("inner", stages=[one], store="memory://")
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write a file of a fresh folder; what is imported from there is forgotten afterwards."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = {*sys.modules}

    def write(name: str, *parts: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(parts), encoding="utf-8")
        return path

    yield write
    for name in {*sys.modules} - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.parametrize(
    ("call", "told"), [("execute(progress=False)", "executed"), ("resume()", "resumed")]
)
def test_an_experiment_that_is_started_by_an_import_names_the_line(
    write: Write, call: str, told: str
) -> None:
    path = write("started.py", DECLARED, f"inner.{call}\n")
    with pytest.raises(UsageError) as caught:
        load_experiments(str(path))
    assert str(caught.value) == (
        f"{path}:8: experiment 'inner' is {told} while its file is imported; "
        'move this line under: if __name__ == "__main__":'
    )
    assert "started" not in sys.modules


def test_nor_is_it_started_by_a_module_that_the_file_imports(write: Write) -> None:
    beside = write("beside_it.py", DECLARED, "inner.execute()\n")
    path = write("outer_one.py", "from beside_it import inner\n")
    with pytest.raises(UsageError, match=f"^{beside}:8: experiment 'inner' is executed"):
        load_module(path)


@pytest.mark.parametrize("end", ["thread.join()\n", ""], ids=["during it", "after it"])
def test_nor_by_a_thread_that_the_import_starts(write: Write, end: str) -> None:
    threads = (
        "import threading\n"
        "imported, refused = threading.Event(), []\n"
        "def execute():\n"
        "    imported.wait()\n"
        "    try:\n"
        "        inner.execute()\n"
        "    except gs.UsageError as error:\n"
        "        refused.append(str(error))\n"
        "thread = threading.Thread(target=execute)\n"
        "thread.start()\n"
    )
    during = "imported.set()\n" if end else ""
    path = write(f"threads_{bool(end)}.py", DECLARED, threads, during, end)
    module = load_module(path)
    module.imported.set()
    module.thread.join()
    assert "experiment 'inner' is executed while its file is imported" in module.refused[0]


def test_a_thread_that_was_there_before_an_import_is_not_refused() -> None:
    ready, done = threading.Event(), []

    def other() -> None:
        ready.wait()
        refuse_while_importing("something")
        done.append(True)

    thread = threading.Thread(target=other)
    thread.start()
    with importing():
        ready.set()
        thread.join()
    assert done


def test_a_guarded_call_and_a_plan_are_not_refused(write: Write) -> None:
    guarded = 'if __name__ == "__main__":\n    inner.execute()\n'
    path = write("guarded_one.py", DECLARED, "plan = inner.plan()\n", guarded)
    assert [experiment.name for experiment in load_experiments(str(path))] == ["inner"]


@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_a_stage_may_execute_an_experiment(write: Write, tmp_path: Path, executor: str) -> None:
    stage = (
        "@gs.stage(cache=False)\n"
        "def nested():\n"
        "    result = inner.execute(executor='inline', progress=False)\n"
        "    return result.output(result.runs[0], 'one')\n"
        "outer = gs.Experiment('outer', stages=[nested])\n"
    )
    path = write(f"nesting_{executor}.py", DECLARED, stage)
    (outer,) = load_experiments(f"{path}::outer")
    with gs.open_store(f"sqlite:///{tmp_path}/lab.db") as store:
        result = outer.execute(store=store, executor=executor, progress=False)
        result.raise_for_status()
        assert result.output(result.runs[0], "nested") == 1


def test_a_launch_of_a_script_that_is_not_guarded_is_not_started_again_by_resuming_it(
    write: Write, tmp_path: Path
) -> None:
    path = write("script.py", DECLARED)
    (inner,) = load_experiments(str(path))
    with gs.open_store(f"sqlite:///{tmp_path}/lab.db") as store:
        started = inner.execute(store=store, executor="inline", progress=False).launch
        del sys.modules["script"]
        write("script.py", DECLARED, "inner.execute()\n")
        with pytest.raises(UsageError, match="is executed while its file is imported"):
            experiment_of(started)
        assert store.catalog.count("launches") == 1


def test_an_interrupted_import_leaves_no_half_module_behind(write: Write) -> None:
    path = write("halved.py", "raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        load_module(path)
    assert "halved" not in sys.modules
    path = write("halved.py", DECLARED)
    assert [experiment.name for experiment in load_experiments(str(path))] == ["inner"]


PART = """\
from . import helper
from .. import top
import gosset as gs

@gs.stage
def one():
    from .helper import TWO
    return helper.TWO + top.ONE + TWO

inner = gs.Experiment("inner", stages=[one])
"""


def test_a_file_of_a_package_is_imported_as_a_part_of_it(write: Write, tmp_path: Path) -> None:
    write("parcel/__init__.py", "ONE = 1\n")
    write("parcel/top.py", "from . import ONE\n")
    write("parcel/inside/__init__.py")
    write("parcel/inside/helper.py", "TWO = 2\n")
    path = write("parcel/inside/part.py", PART)
    [experiment] = load_experiments(f"{path}::inner")
    assert experiment is sys.modules["parcel.inside.part"].inner
    assert load_module(path) is sys.modules["parcel.inside.part"]
    result = experiment.execute(
        store=f"sqlite:///{tmp_path}/store.db", executor="processes", jobs=1, progress=False
    )
    result.raise_for_status()
    assert result.output(result.runs[0], "one") == 5


def test_a_package_that_imports_the_file_itself_has_it_once(write: Write) -> None:
    write("bundle/__init__.py", "from .part import inner\n")
    path = write("bundle/part.py", DECLARED, "from . import other\n")
    write("bundle/other.py", "import bundle\n")
    module = load_module(path)
    assert sys.modules["bundle.part"] is module
    assert sys.modules["bundle"].inner is module.inner


def test_a_file_of_a_package_still_finds_its_neighbours_by_name(write: Write) -> None:
    write("carton/__init__.py")
    write("carton/neighbour_of_part.py", "THREE = 3\n")
    path = write("carton/part.py", "from neighbour_of_part import THREE\n")
    assert load_module(path).THREE == 3


def test_a_package_named_like_an_installed_one_is_none(write: Write) -> None:
    write("json/__init__.py", "raise RuntimeError\n")
    path = write("json/part.py", "import json\nNAME = json.dumps(1)\n")
    assert load_module(path).NAME == "1"


def test_an_error_in_a_package_is_told_with_its_line(write: Write) -> None:
    broken = write("crate/__init__.py", "\n1 / 0\n")
    path = write("crate/part.py", DECLARED)
    with pytest.raises(UsageError, match=f"{broken}:2: ZeroDivisionError"):
        load_module(path)
    assert "crate.part" not in sys.modules
