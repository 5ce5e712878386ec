"""The cache and the code: what is edited is recomputed, with what rests on it, and no more."""

import json
import shutil
from pathlib import Path

import pytest
from projects import Folder

FILES = {
    "lab.py": '''\
"""An experiment."""
import functools

import gosset as gs
from helpers import FACTORS, Scale, clean, offset, traced


@gs.stage
def raw(n: int = 3):
    # numbers
    return list(range(n))


@gs.stage
def cleaned(raw):
    """Clean."""
    return clean(raw)


@gs.stage
def scaled(cleaned, power: int = 1):
    return [Scale().apply(x) ** power for x in cleaned]


@gs.stage
def moved(cleaned):
    return [offset(x) for x in cleaned]


@gs.stage
def looked_up(raw):
    return [x * FACTORS["wide"] for x in raw]


@gs.stage
@traced
def decorated(raw):
    return sum(raw)


def adder(amount):
    def add(values):
        return [value + amount for value in values]

    return add


add_some = adder(5)
half = functools.partial(pow, 2)


@gs.stage
def closed(raw):
    return add_some(raw)


@gs.stage
def powers(raw):
    return [half(x) for x in raw]


@gs.stage(version="1")
def versioned(raw):
    return len(raw)


@gs.stage(over="runs")
def total(scaled, moved):
    return {"scaled": sum(map(sum, scaled.values())), "moved": sum(map(sum, moved.values()))}


experiment = gs.Experiment(
    "lab",
    stages=[raw, cleaned, scaled, moved, looked_up, decorated, closed, powers, versioned, total],
    parameters={"power": [1, 2]},
)
''',
    "helpers.py": '''\
"""Functions that the stages call."""
import functools

from deep import LIMIT, bounded

FACTORS = {"wide": 10, "narrow": 2}


def clean(values):
    return [bounded(value) for value in values]


def offset(value, by=7):
    return value + by


def traced(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs) + 0

    return inner


class Base:
    start = 1

    def apply(self, value):
        return value * self.rate + self.start


class Scale(Base):
    rate = 3


def unrelated(value):
    return value - LIMIT
''',
    "deep.py": '''\
"""Two calls away."""

LIMIT = 100


def bounded(value):
    return min(abs(value), LIMIT)


def nobody_calls_me(value):
    return value
''',
}


@pytest.fixture(scope="module")
def carried_out(tmp_path_factory):
    """The project after one launch."""
    folder = Folder(tmp_path_factory.mktemp("code") / "project")
    for name, text in FILES.items():
        folder.write(name, text)
    told = folder.carry_out()
    assert told["status"] == "complete"
    assert len(told["computed"]) == 10
    return folder


@pytest.fixture
def project(carried_out, tmp_path):
    return carried_out.copy(tmp_path / "copy")


HARMLESS = {
    "a comment": ("deep.py", "    return min", "    # bounded\n    return min"),
    "a comment at the end of a line": ("deep.py", "LIMIT)", "LIMIT)  # bounded"),
    "a stage's docstring": ("lab.py", '"""Clean."""', '"""Clean the values."""'),
    "a docstring that was not there": (
        "deep.py",
        "(value):\n    return min",
        '(value):\n    """Bound."""\n    return min',
    ),
    "white space": ("deep.py", "min(abs(value), LIMIT)", "min( abs( value ),\n        LIMIT )"),
    "an annotation": ("deep.py", "def bounded(value)", "def bounded(value: int) -> int"),
    "an annotated variable": ("deep.py", "LIMIT = 100", "LIMIT: int = 100"),
    "an unrelated function": ("deep.py", "    return value\n", "    return -value\n"),
    "an unrelated function of a helper module": ("helpers.py", "value - LIMIT", "LIMIT - value"),
    "another import": ("helpers.py", "import functools", "import functools\nimport json"),
    "the module's docstring": ("lab.py", '"""An experiment."""', '"""The experiment."""'),
    "a number written otherwise": ("deep.py", "LIMIT = 100", "LIMIT = 0x64"),
    "quotes": ("lab.py", 'FACTORS["wide"]', "FACTORS['wide']"),
    "versioned code": ("lab.py", "return len(raw)", "return len(raw) + 0"),
    "an unrelated file": ("notes.py", None, "SOMETHING = 1\n"),
    "a data file": ("data.csv", None, "1,2\n"),
}


@pytest.mark.parametrize("edit", HARMLESS)
def test_harmless_edit_recomputes_nothing(project, edit):
    name, old, new = HARMLESS[edit]
    if old is None:
        project.write(name, new)
    else:
        project.edit(name, old, new)
    told = project.carry_out()
    assert told["computed"] == []
    assert told["status"] == "complete"


def test_reordered_functions_recompute_nothing(project):
    text = FILES["deep.py"]
    head, first, second = text.split("\n\n\n")
    project.write("deep.py", f"{head}\n\n\n{second}\n\n\n{first}\n")
    helpers = FILES["helpers.py"]
    start, end = helpers.index("def offset"), helpers.index("def traced")
    project.write("helpers.py", helpers[:start] + helpers[end:] + "\n\n" + helpers[start:end])
    assert project.carry_out()["computed"] == []


def test_file_touched_or_folder_moved_recomputes_nothing(project, tmp_path):
    (project.path / "deep.py").touch()
    moved = Folder(shutil.move(project.path, tmp_path / "elsewhere"))
    assert moved.carry_out()["computed"] == []


CLEANED = ["cleaned", "moved", "scaled", "total"]
HARMFUL = {
    "a helper two calls away": ("deep.py", "min(abs(value), LIMIT)", "min(abs(value), LIMIT) + 1", CLEANED),
    "a constant two calls away": ("deep.py", "LIMIT = 100", "LIMIT = 1", CLEANED),
    "a default argument": ("helpers.py", "by=7", "by=8", ["moved", "total"]),
    "a class attribute": ("helpers.py", "rate = 3", "rate = 4", ["scaled", "total"]),
    "an inherited attribute": ("helpers.py", "start = 1", "start = 2", ["scaled", "total"]),
    "a method of the base class": ("helpers.py", "+ self.start", "- self.start", ["scaled", "total"]),
    "an entry of a table": ("helpers.py", '"wide": 10', '"wide": 11', ["looked_up"]),
    "a decorator": ("helpers.py", "**kwargs) + 0", "**kwargs) + 1", ["decorated"]),
    "a closure's value": ("lab.py", "adder(5)", "adder(6)", ["closed"]),
    "the value of a partial": ("lab.py", "partial(pow, 2)", "partial(pow, 3)", ["powers"]),
    "a declared version": ("lab.py", 'version="1"', 'version="2"', ["versioned"]),
    "an aggregate's body": ("lab.py", '"moved": sum', '"moved": -sum', ["total"]),
    "a default parameter": (
        "lab.py",
        "n: int = 3",
        "n: int = 4",
        sorted([*CLEANED, "closed", "decorated", "looked_up", "powers", "raw", "versioned"]),
    ),
    "what a name points to": ("helpers.py", "import LIMIT, bounded", "import LIMIT, nobody_calls_me as bounded", ["cleaned"]),
}  # fmt: skip


@pytest.mark.parametrize("edit", HARMFUL)
def test_harmful_edit_recomputes_exactly_what_rests_on_it(project, edit):
    name, old, new, expected = HARMFUL[edit]
    project.edit(name, old, new)
    told = project.carry_out()
    assert told["computed"] == expected
    assert told["status"] == "complete"


def test_undone_edit_finds_all_of_it_in_the_cache(project):
    project.edit("deep.py", "LIMIT = 100", "LIMIT = 1")
    assert project.carry_out()["computed"] == CLEANED
    project.edit("deep.py", "LIMIT = 1", "LIMIT = 100")
    assert project.carry_out()["computed"] == []


def test_changed_stage_body_is_recomputed(project):
    # A result kept under a name that says nothing of the code would be 0, 1, 4.
    project.edit("lab.py", "return list(range(n))", "return [x * x for x in range(n)]")
    told = project.carry_out()
    assert told["outputs"]["raw"] == [0, 1, 4]
    assert told["outputs"]["closed"] == [5, 6, 9]
    assert "total" in told["computed"]


def test_changed_code_with_the_same_output_stops_the_wave(project):
    project.edit("lab.py", "return list(range(n))", "return [x for x in range(n)]")
    stages = project.carry_out()["stages"]
    # Both runs share `raw`: the first computes it, the second finds it.
    assert stages.pop("raw") == {"computed": 1, "cached": 1}
    assert all(set(counts) == {"cached"} for counts in stages.values())


def test_wave_stops_in_the_middle(project):
    # `bounded` now gives what it gave for these values: `cleaned` is computed, its dependents not.
    project.edit("deep.py", "min(abs(value), LIMIT)", "min(value, LIMIT)")
    told = project.carry_out()
    assert told["computed"] == ["cleaned"]
    assert told["stages"]["scaled"] == {"cached": 2}
    assert told["stages"]["total"] == {"cached": 1}


def test_overwriting_a_stage_reaches_aggregates(project):
    before = project.carry_out()["outputs"]["total"]
    project.edit("helpers.py", "rate = 3", "rate = 30")
    after = project.carry_out()["outputs"]["total"]
    assert after["scaled"] > before["scaled"]
    assert after["moved"] == before["moved"]


def test_without_the_cache_everything_is_computed_and_comes_out_equal(project):
    kept = project.carry_out()
    anew = project.carry_out(cache=False)
    assert len(anew["computed"]) == 10
    assert anew["outputs"] == kept["outputs"]
    assert anew["keys"] == sorted(anew["keys"])


def test_lazy_launch_does_not_change_the_stage_for_later_launches(project):
    # How a stage is carried out is nowhere written into the stage: every way gives the same.
    first = project.carry_out(executor="inline", cache=False)
    second = project.carry_out(executor="inline")
    assert first["outputs"] == second["outputs"]
    assert second["computed"] == []


def test_copied_example_edited_two_calls_away_and_run_as_a_script(tmp_path):
    example = Path(__file__).parents[2] / "examples" / "digits_stages.py"
    folder = Folder(tmp_path / "project")
    text = example.read_text()
    helper = text.index("def centred")
    stage = text.index("@gs.stage\ndef pixels")
    folder.write(
        "images.py", text[helper:stage] + "\n\ndef prepared(images):\n    return centred(images)\n"
    )
    folder.write(
        "digits.py",
        (text[:helper] + "from images import prepared\n\n\n" + text[stage:])
        .replace("return centred(", "return prepared(")
        .replace('"dimensions": [8, 16, 32], "k": [1, 3]', '"dimensions": [8], "k": [1, 3]'),
    )
    folder.write(
        "drive.py",
        "import json\n"
        "from collections import Counter\n"
        "from digits import digits\n"
        "result = digits.execute(store='sqlite:///lab.db', progress=False, executor='inline')\n"
        "print(json.dumps(Counter(c.stage for run in result.runs\n"
        "    for c in result.store.computations(run) if c.status == 'computed')))\n",
    )

    def computed():
        return json.loads(folder.run("drive.py").stdout)

    first = computed()
    assert first["pixels"] == 1
    assert first["neighbours"] == 6
    folder.edit("images.py", "return images - ", "# The mean of each image.\n    return images - ")
    assert computed() == {}
    folder.edit("images.py", "axis=1, keepdims=True)", "axis=1, keepdims=True) ** 2")
    second = computed()
    assert second == {stage: first[stage] for stage in second}
    assert first.keys() - second.keys() == {"truth"}


def test_class_that_moved_to_another_module_does_not_strand_what_was_pickled(folder):
    folder.write("shapes.py", "class Point:\n    def __init__(self, x):\n        self.x = x\n")
    folder.write(
        "lab.py",
        "import gosset as gs\n"
        "from shapes import Point\n"
        "@gs.stage\n"
        "def point(n: int = 1):\n"
        "    return Point([n] * 1000)\n"
        "@gs.stage\n"
        "def length(point):\n"
        "    return len(point.x)\n"
        "experiment = gs.Experiment('e', stages=[point, length])\n",
    )
    folder.carry_out()
    (folder.path / "shapes.py").rename(folder.path / "forms.py")
    folder.edit("lab.py", "from shapes", "from forms")
    folder.edit("lab.py", "len(point.x)", "len(point.x) + 1")
    told = folder.carry_out()
    assert told["status"] == "complete"
    assert told["outputs"]["length"] == 1001
    folder.edit("lab.py", "len(point.x) + 1", "len(point.x) + 2")
    told = folder.carry_out()
    assert told["computed"] == ["length"]
    assert told["outputs"]["length"] == 1002
