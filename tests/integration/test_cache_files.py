"""Files that stages read: those that are declared count by their content, others are told."""

import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from projects import wait_for

import gosset as gs
from gosset.exceptions import FingerprintError
from gosset.queries.history import explain_stage

LAB = """\
import gosset as gs


@gs.stage
def words({book}):
    with open(book) as file:
        return file.read().split()


@gs.stage
def count(words):
    return len(words)


experiment = gs.Experiment("e", stages=[words, count])
"""


@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_undeclared_file_is_told_when_it_is_read_and_while_its_content_stays_in_the_cache(
    folder, executor
):
    folder.write("lab.py", LAB.format(book='book: str = "book.txt"'))
    folder.write("book.txt", "one two")
    (warning,) = folder.carry_out(executor=executor)["warnings"]
    assert warning.startswith("stage 'words' read book.txt, whose content is no part of its cache")
    assert "gosset.File('book.txt')" in warning
    folder.write("book.txt", "one two three")
    second = folder.carry_out(executor=executor)
    assert (second["computed"], second["warnings"]) == ([], [warning])
    with folder.store() as store:
        ((_, told),) = explain_stage(store, store.run("e#2"), "words")
        assert told.words.endswith("; it read book.txt, whose content does not count")


def test_undeclared_file_is_told_where_its_stage_is_found_only_when_its_input_is_known(folder):
    text = LAB.format(book="first").replace("open(book)", 'open("book.txt")')
    first = """@gs.stage
def first():
    return len("one")


@gs.stage
def words("""
    text = text.replace("@gs.stage\ndef words(", first).replace("[words", "[first, words")
    folder.write("lab.py", text)
    folder.write("book.txt", "one two")
    (warning,) = folder.carry_out()["warnings"]
    folder.edit("lab.py", 'len("one")', 'len("two")')
    second = folder.carry_out()
    assert (second["computed"], second["warnings"]) == (["first"], [warning])


def test_undeclared_file_is_told_again_when_a_launch_without_the_cache_is_resumed(folder):
    text = LAB.format(book="").replace("open(book)", 'open("book.txt")')
    folder.write("lab.py", text.replace("return len(words)", "return len(words) + missing"))
    folder.write("book.txt", "one two")
    (warning,) = folder.carry_out(cache=False)["warnings"]
    folder.edit("lab.py", "+ missing", "+ 1")
    resumed = folder.carry_out(resume="e#1")
    assert resumed["stages"]["count"] == {"computed": 1}
    assert warning in resumed["warnings"]


def test_file_that_is_declared_counts_by_its_content(folder):
    folder.write("lab.py", LAB.format(book='book=gs.File("book.txt")'))
    folder.write("book.txt", "one two")
    assert folder.carry_out()["outputs"]["count"] == 2
    assert folder.carry_out()["computed"] == []
    folder.write("book.txt", "one two three")
    third = folder.carry_out()
    assert (third["outputs"]["count"], third["warnings"]) == (3, [])
    folder.write("book.txt", "one  two\nthree")
    assert folder.carry_out()["computed"] == ["words"]
    with folder.store() as store:
        assert [(run.params, run.execution) for run in store.runs()] == [({}, 1)] * 4
        ((_, told),) = explain_stage(store, store.run("e#3"), "words")
        assert told.words.startswith("computed: file book.txt changed since run e#1")
    # Another file is given by its path, and the same content elsewhere is the same.
    folder.write("other.txt", "one  two\nthree")
    other = folder.carry_out(vary={"book": ["other.txt"]})
    assert (other["computed"], other["warnings"]) == ([], [])
    with folder.store() as store:
        assert store.runs("params.book == 'other.txt'")[0].number == 5


@pytest.mark.parametrize("books", ["gs.File({})", "(gs.File({}),)"])
def test_file_of_a_default_is_the_same_in_another_place_and_never_another_code(
    folder, tmp_path, books
):
    book = books.format('Path(__file__).parent / "book.txt"')
    opened = "open(*books)" if books.startswith("(") else "open(books)"
    text = LAB.format(book=f"books={book}").replace("open(book)", opened)
    folder.write("lab.py", f"from pathlib import Path\n\n{text}")
    folder.write("book.txt", "one two")
    folder.carry_out()
    second = folder.copy(tmp_path / "second")
    assert second.carry_out()["computed"] == []
    second.write("book.txt", "one two three")
    assert second.carry_out()["computed"] == ["count", "words"]
    with second.store() as store:
        assert [run.execution for run in store.runs()] == [1, 1, 1]
    third = folder.copy(tmp_path / "third")
    third.edit("lab.py", "split()", "split() * 2")
    third.carry_out()
    with third.store() as store:
        ((_, told),) = explain_stage(store, store.run("e#2"), "words")
        assert [change.part for change in told.changes] == ["code"]


def test_file_in_a_constant_counts_by_its_content_as_part_of_the_code(folder):
    folder.write(
        "lab.py", LAB.format(book="").replace("\n\n\n", '\n\nbook = gs.File("book.txt")\n', 1)
    )
    folder.write("book.txt", "one two")
    first = folder.carry_out()
    assert (first["outputs"]["count"], first["warnings"]) == (2, [])
    assert folder.carry_out()["computed"] == []
    folder.write("book.txt", "one two three")
    assert folder.carry_out()["outputs"]["count"] == 3


def test_file_that_is_not_there_is_told_before_anything_is_written(folder):
    folder.write("lab.py", LAB.format(book='book=gs.File("nowhere.txt")'))
    with pytest.raises(FingerprintError, match=r"'nowhere\.txt' cannot be read: No such"):
        gs.fingerprint.digest(gs.File("nowhere.txt"))
    done = folder.run(
        "-c", "import lab; lab.experiment.execute(store='sqlite:///lab.db')", check=False
    )
    assert "the file 'nowhere.txt' cannot be read" in done.stderr


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book.txt").write_text("one two")
    return tmp_path


@pytest.mark.usefixtures("here")
def test_only_what_came_from_elsewhere_is_told(carry_out):
    @gs.stage
    def busy():
        import json.tool  # noqa: F401 - a module that nothing has imported yet

        with open("own.txt", "w") as file:
            file.write("made here")
        with open("own.txt") as own, open(os.__file__) as source, open("/proc/self/status") as sys:
            own.read(), source.read(), sys.read()
        subprocess.run(["cp", "--preserve", "book.txt", "copy.txt"], check=True)
        with open("copy.txt") as copy, tempfile.TemporaryFile() as temporary:
            copy.read(), temporary.read()
        return 1

    assert carry_out(busy)[1]["warnings"] == []


@pytest.mark.usefixtures("here")
def test_stage_whose_folder_is_gone_afterwards_keeps_its_result_and_its_notice(carry_out):
    @gs.stage
    def moved():
        text = Path("book.txt").read_text()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
        return text

    here = Path.cwd()
    try:
        _, told = carry_out(moved)
    finally:
        os.chdir(here)
    assert told["computed"] == ["moved"]
    assert "read book.txt, whose content" in told["warnings"][0]


@pytest.mark.usefixtures("here")
def test_reads_of_threads_are_told_and_those_of_stages_that_are_not_cached_are_not(carry_out):
    @gs.stage
    def threaded():
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(Path("book.txt").read_text).result()

    @gs.stage(cache=False)
    def fresh():
        return Path("book.txt").read_text()

    (warning,) = carry_out(threaded, fresh)[1]["warnings"]
    assert "stage 'threaded' read book.txt" in warning


def test_many_files_are_told_in_one_line(carry_out, here):
    for number in range(5):
        (here / f"{number}.txt").write_text("x")

    @gs.stage
    def read(n: int = 0):
        return [(here / f"{number}.txt").read_text() for number in range(5)]

    (warning,) = carry_out(read, parameters={"n": [1, 2]})[1]["warnings"]
    assert "read 0.txt, 1.txt, 2.txt and 2 more files, whose content" in warning


def test_files_in_config_and_in_containers_are_declared(carry_out, here):
    @gs.stage
    def read(config, books: tuple = (gs.File(here / "book.txt"),)):
        return [Path(book).read_text() for book in (config["other"], *books)]

    (here / "other.txt").write_text("three")
    _, told = carry_out(read, config={"other": gs.File("other.txt")})
    assert told["warnings"] == []
    (here / "other.txt").write_text("four")
    assert carry_out(read, config={"other": gs.File("other.txt")})[1]["computed"] == ["read"]


CHANGING = """\
import time
from pathlib import Path

import gosset as gs

BOOK = gs.File("book.txt")


@gs.stage
def slow():
    Path("started").touch()
    while not Path("go").exists():
        time.sleep(0.01)
    return 1


@gs.stage(cache=True)
def words(slow{argument}):
    with open({book}) as file:
        return [file.read()]


experiment = gs.Experiment("e", stages=[slow, words]{config})
"""

WAYS = {
    "parameter": {"argument": ", book=gs.File('book.txt')", "book": "book", "config": ""},
    "config": {
        "argument": ", config",
        "book": "config['book']",
        "config": ", config={'book': BOOK}",
    },
    "run": {
        "argument": ", run",
        "book": "run.config['book']",
        "config": ", config={'book': BOOK}",
    },
    "constant": {"argument": "", "book": "BOOK", "config": ""},
}


@pytest.mark.parametrize("executor", ["inline", "processes"])
@pytest.mark.parametrize("way", WAYS)
def test_file_that_changes_after_the_plan_is_never_kept_for_what_it_was(folder, way, executor):
    folder.write("lab.py", CHANGING.format(**WAYS[way]))
    folder.write("book.txt", "old")
    told = folder.start(executor=executor)
    wait_for((folder.path / "started").exists)
    folder.write("book.txt", "new")
    folder.write("go", "")
    assert told()["stages"]["words"] == {"failed": 1}
    with folder.store() as store:
        message = store.run("e#1").exception.message
        assert message.startswith("the file 'book.txt' changed while the launch was at work")
    folder.write("book.txt", "old")
    again = folder.carry_out()
    assert (again["outputs"]["words"], again["computed"]) == (["old"], ["words"])
    assert again["warnings"] == []
