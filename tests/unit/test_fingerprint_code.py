"""Digests of code: what changes them and what does not, on small projects of several modules."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib
import importlib.metadata
import json
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gosset.stages as gs
from gosset.fingerprint import code_digest

PROJECT = {
    "train.py": '''
        """What is measured."""
        import functools
        import logging
        import numpy as np
        import gosset.stages as gs
        import settings
        import helpers.text
        from helpers import scaling
        from helpers.text import clean
        from decorators import Memo, counted, repeated
        from numpy import median as middle

        FACTOR = 3
        HANDLERS = {"short": helpers.text.short, "long": helpers.text.long}
        log = logging.getLogger(__name__)

        def unrelated():
            return FACTOR

        class Base:
            rate = 0.5

            def prepare(self, x):
                return x * self.rate

        class Model(Base):
            """A model."""
            limit: int = 10
            kinds = ("a", "b")

            def __init__(self, count):
                self.count = count

            def fit(self, x):
                """Fit."""
                return self.prepare(x)

            @property
            def size(self):
                return self.count * 2

            @staticmethod
            def start():
                return 0

            @classmethod
            def make(cls):
                return cls(1)

            class Inner:
                depth = 1

        def weighted(weight):
            def inner(x):
                return x * weight
            return inner

        double = weighted(2)
        scaled = functools.partial(scaling.scale, by=4)

        @repeated(times=2)
        def guarded(x):
            return x + 1

        @counted
        def tallied(x):
            return x + 1

        @Memo
        def remembered(x):
            return x + 1

        def even(n):
            return n == 0 or odd(n - 1)

        def odd(n):
            return n != 0 and even(n - 1)

        pick = [lambda x: x + 1, lambda x: x + 2]

        @gs.stage(outputs=("words",))
        def words(raw, least: int = 1):
            return [clean(word) for word in raw if len(word) > least]

        @gs.stage
        def features(raw, words, least: int = 5, *, most=7):
            """Features."""
            from helpers.late import late
            import helpers.deep as deep

            def nested(x) -> float:
                """Inner."""
                found: float = x * FACTOR  # a comment
                return found

            log.info("features")
            raw = clean(raw)
            model = Model(least)
            total = model.fit(nested(1)) + settings.RATE + settings.TABLE["a"]
            total += scaled(2) + double(3) + guarded(4) + tallied(4) + remembered(4) + late()
            total += deep.deeper() + helpers.text.short("a") + HANDLERS["long"]("b") + middle([1])
            return total + even(4) + pick[0](1)
    ''',
    "settings.py": """
        RATE = 0.1
        TABLE = {"a": 1, "b": 2}
        UNUSED = 1
    """,
    "decorators.py": """
        import functools

        def repeated(times):
            def decorate(function):
                @functools.wraps(function)
                def wrapper(*args):
                    for _ in range(times):
                        result = function(*args)
                    return result
                return wrapper
            return decorate

        def counted(function):
            function.weight = 1
            return function

        class Memo:
            def __init__(self, function):
                self.step = 1
                functools.update_wrapper(self, function)

            def __call__(self, x):
                return self.__wrapped__(x) + self.step
    """,
    "helpers/__init__.py": "",
    "helpers/text.py": """
        from .base import strip

        def clean(word):
            return strip(word).lower()

        def short(word):
            return word[:1]

        def long(word):
            return word * 2
    """,
    "helpers/base.py": """
        SPACE = " "

        def strip(word, chars=SPACE):
            return word.strip(chars)
    """,
    "helpers/scaling.py": """
        def scale(x, by=2):
            return x * by
    """,
    "helpers/late.py": """
        def late():
            return 1
    """,
    "helpers/deep.py": """
        def deeper():
            return 1
    """,
}

Edit = tuple[str, str, str]

CHANGES: dict[str, Edit] = {
    "body": ("train.py", 'log.info("features")', 'log.info("others")'),
    "nested function": ("train.py", "found: float = x * FACTOR", "found: float = x + FACTOR"),
    "helper two calls away": ("helpers/base.py", "word.strip(chars)", "word.lstrip(chars)"),
    "constant": ("train.py", "FACTOR = 3", "FACTOR = 4"),
    "type of a constant": ("train.py", "FACTOR = 3", "FACTOR = 3.0"),
    "constant of a module": ("settings.py", "RATE = 0.1", "RATE = 0.2"),
    "item of a constant": ("settings.py", '"a": 1', '"a": 3'),
    "constant that is a default": ("helpers/base.py", 'SPACE = " "', 'SPACE = "."'),
    "default": ("train.py", "least: int = 5", "least: int = 6"),
    "keyword-only default": ("train.py", "most=7", "most=8"),
    "default of a helper": ("helpers/scaling.py", "by=2", "by=3"),
    "argument of a partial": ("train.py", "by=4", "by=5"),
    "class attribute": ("train.py", "limit: int = 10", "limit: int = 11"),
    "class attribute of a base": ("train.py", "rate = 0.5", "rate = 0.6"),
    "method": ("train.py", "return self.prepare(x)", "return self.prepare(x) + 1"),
    "method of a base": ("train.py", "return x * self.rate", "return x / self.rate"),
    "base": ("train.py", "class Model(Base)", "class Model(Base, dict)"),
    "property": ("train.py", "return self.count * 2", "return self.count * 3"),
    "static method": ("train.py", "return 0\n", "return 1\n"),
    "class method": ("train.py", "return cls(1)", "return cls(2)"),
    "inner class": ("train.py", "depth = 1", "depth = 2"),
    "closure": ("train.py", "weighted(2)", "weighted(3)"),
    "body of a closure": ("train.py", "return x * weight", "return x + weight"),
    "decorated function": ("train.py", "def guarded(x):\n            return x + 1", "def guarded(x):\n            return x + 2"),
    "argument of a decorator": ("train.py", "times=2", "times=3"),
    "wrapper of a decorator": ("decorators.py", "for _ in range(times)", "for _ in range(times + 1)"),
    "decorator that does not wrap": ("decorators.py", "function.weight = 1", "function.weight = 2"),
    "decorator that is a class": ("decorators.py", "+ self.step", "- self.step"),
    "state of a decorator": ("decorators.py", "self.step = 1", "self.step = 2"),
    "function behind a class": ("train.py", "def remembered(x):\n            return x + 1", "def remembered(x):\n            return x + 2"),
    "second of a cycle": ("train.py", "n != 0 and", "n > 0 and"),
    "first lambda": ("train.py", "lambda x: x + 1,", "lambda x: x + 3,"),
    "second lambda of a line": ("train.py", "lambda x: x + 2", "lambda x: x + 4"),
    "function in a table": ("helpers/text.py", "return word * 2", "return word * 3"),
    "functions of a table swapped": (
        "train.py",
        '{"short": helpers.text.short, "long": helpers.text.long}',
        '{"long": helpers.text.short, "short": helpers.text.long}',
    ),
    "import in the function": ("helpers/late.py", "return 1", "return 2"),
    "module imported in the function": ("helpers/deep.py", "return 1", "return 2"),
    "attribute chain": ("helpers/text.py", "return word[:1]", "return word[:2]"),
    "name of another package's function": ("train.py", "median as middle", "mean as middle"),
    "name of another helper": (
        "train.py",
        "from helpers import scaling\n",
        "from helpers import scaling\n        from helpers import late as scaling\n        scaling.scale = scaling.late\n",
    ),
}  # fmt: skip

NO_CHANGES: dict[str, Edit] = {
    "comment": ("train.py", "# a comment", "# another"),
    "comment on a new line": ("train.py", "model = Model(least)", "# why\n            model = Model(least)"),
    "blank lines": ("train.py", "FACTOR = 3\n", "FACTOR = 3\n\n\n\n"),
    "layout": ("train.py", "return total + even(4) + pick[0](1)", "return (\n                total\n                + even( 4 )\n                + pick[0](1)\n            )"),
    "docstring": ("train.py", '"""Features."""', '"""Other words."""'),
    "no docstring": ("train.py", '            """Features."""\n', ""),
    "docstring of a class": ("train.py", '"""A model."""', '"""Another."""'),
    "docstring of a method": ("train.py", '"""Fit."""', ""),
    "docstring of a module": ("train.py", '"""What is measured."""', ""),
    "docstring of a nested function": ("train.py", '"""Inner."""', '"""Words."""'),
    "annotation of an argument": ("train.py", "least: int = 5", "least: float = 5"),
    "annotation of a result": ("train.py", "def nested(x) -> float:", "def nested(x: int):"),
    "annotation of a variable": ("train.py", "found: float = x", "found = x"),
    "annotation of a class attribute": ("train.py", "limit: int = 10", "limit: float = 10"),
    "unrelated function": ("train.py", "def unrelated():\n            return FACTOR", "def unrelated():\n            return 7"),
    "unrelated stage": ("train.py", "len(word) > least", "len(word) >= least"),
    "unrelated constant": ("settings.py", "UNUSED = 1", "UNUSED = 2"),
    "unrelated module": ("helpers/__init__.py", "", "UNUSED = 1\n"),
    "declaration of the stage": ("train.py", "@gs.stage\n", "@gs.stage(name='other', cache=False)\n"),
    "spelling of a text": ("train.py", 'log.info("features")', "log.info('features')"),
    "order of a table": ("settings.py", '{"a": 1, "b": 2}', '{"b": 2, "a": 1}'),
    "order of functions": (
        "helpers/text.py",
        "def clean(word):\n            return strip(word).lower()\n\n        def short(word):\n            return word[:1]\n",
        "def short(word):\n            return word[:1]\n\n        def clean(word):\n            return strip(word).lower()\n",
    ),
}  # fmt: skip

DRIVER = """
import importlib, json, sys
from dataclasses import asdict
from gosset.fingerprint import code_digest

sys.dont_write_bytecode = True
results = {}
for folder, expression in json.load(sys.stdin):
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    before = set(sys.modules)
    entry = eval(expression, {"train": importlib.import_module("train")})
    results[folder] = asdict(code_digest(entry))
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and folder in sys.modules[name].__file__:
            del sys.modules[name]
    sys.path.remove(folder)
print(json.dumps(results))
"""


def write(folder: Path, files: dict[str, str], edit: Edit | None = None) -> Path:
    """Write a project, with one place of it edited."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if edit is not None and edit[0] == name:
            assert edit[1] in content, edit
            content = content.replace(edit[1], edit[2], 1)
        path.write_text(textwrap.dedent(content))
    return folder


def run(program: str, *, stdin: str = "", **options: Any) -> str:
    """Run a program in a new process and return what it printed."""
    result = subprocess.run(
        [sys.executable, "-c", program], input=stdin, capture_output=True, text=True, **options
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def digests(folders: dict[str, tuple[Path, str]]) -> dict[str, Any]:
    """Digest an entry of each project, all in one process."""
    requests = [(str(folder), expression) for folder, expression in folders.values()]
    results = json.loads(run(DRIVER, stdin=json.dumps(requests)))
    return {name: results[str(folder)] for name, (folder, _) in folders.items()}


@pytest.fixture(scope="module")
def variants(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = tmp_path_factory.mktemp("projects")
    edits: dict[str, Edit | None] = {"": None, "elsewhere": None, **CHANGES, **NO_CHANGES}
    folders = {
        name: (write(root / str(number), PROJECT, edit), "train.features")
        for number, (name, edit) in enumerate(edits.items())
    }
    return digests(folders)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_what_is_reached_changes_the_digest(
    variants: dict[str, Any], change: str
) -> None:
    assert variants[change]["digest"] != variants[""]["digest"]
    assert variants[change]["parts"] != variants[""]["parts"]


@pytest.mark.parametrize("change", ["elsewhere", *NO_CHANGES])
def test_a_change_of_what_does_not_count_keeps_the_digest(
    variants: dict[str, Any], change: str
) -> None:
    different = {
        name: digest
        for name, digest in variants[change]["parts"].items()
        if variants[""]["parts"].get(name) != digest
    }
    assert different == {}
    assert variants[change]["digest"] == variants[""]["digest"]


def test_every_change_has_a_digest_of_its_own(variants: dict[str, Any]) -> None:
    found = [variants[name]["digest"] for name in CHANGES]
    assert len(set(found)) == len(found)


def test_the_parts_say_which_component_changed(variants: dict[str, Any]) -> None:
    base, changed = variants[""]["parts"], variants["helper two calls away"]["parts"]
    assert {name for name in base if base[name] != changed[name]} == {"helpers.base.strip"}
    base, changed = variants[""]["parts"], variants["constant of a module"]["parts"]
    assert {name for name in base if base[name] != changed[name]} == {"settings.RATE"}


def test_components_have_the_names_and_texts_of_the_source(variants: dict[str, Any]) -> None:
    parts, sources = variants[""]["parts"], variants[""]["sources"]
    assert {
        *("train.features", "train.Model", "train.Model.fit", "train.Base", "train.FACTOR"),
        *("helpers.text.clean", "helpers.base.strip", "helpers.scaling.scale", "settings.RATE"),
        *("train.even", "train.odd", "train.weighted.<locals>.inner", "helpers.late.late"),
    } <= set(parts)
    assert not {"train.unrelated", "train.words", "settings.UNUSED"} & set(parts)
    assert sources["helpers.scaling.scale"] == "def scale(x, by=2):\n    return x * by\n"
    assert sources["train.features"].startswith("@gs.stage\ndef features(")
    assert "# a comment" in sources["train.features"]
    assert sources["train.FACTOR"] == "FACTOR = 3\n"
    assert "kinds = " in sources["train.Model"]
    assert "def fit" not in sources["train.Model"]
    assert "def fit" in sources["train.Model.fit"]


def test_packages_are_those_that_are_reached(variants: dict[str, Any]) -> None:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert variants[""]["packages"] == {"numpy": np.__version__, "python": python}


def test_what_counts_by_its_class_alone_is_named(variants: dict[str, Any]) -> None:
    (unresolved,) = variants[""]["unresolved"]
    assert unresolved == "train.log, a logging.Logger, counts by its class alone"


def test_the_entry_file_may_be_run_or_imported(tmp_path: Path) -> None:
    write(tmp_path, PROJECT)
    write(tmp_path / "package", {"__init__.py": "", "train.py": PROJECT["train.py"]})
    (tmp_path / "another_name.py").write_text((tmp_path / "train.py").read_text())
    show = "import gosset.fingerprint as f; print(f.code_digest({}features).digest)"
    script = tmp_path / "script.py"
    script.write_text((tmp_path / "train.py").read_text() + show.format("") + "\n")
    notebook = (
        "import linecache; text = open('train.py').read()\n"
        "linecache.cache['<ipython-input-1>'] = (len(text), None, text.splitlines(True), 'x')\n"
        "exec(compile(text, '<ipython-input-1>', 'exec'))\n"
    )
    ran = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path, check=True
    ).stdout
    assert ran == run("import train;" + show.format("train."), cwd=tmp_path)
    assert ran == run("import another_name as a;" + show.format("a."), cwd=tmp_path)
    assert ran == run("import package.train as a;" + show.format("a."), cwd=tmp_path)
    assert ran == run(notebook + show.format(""), cwd=tmp_path)


SWAPPED = {
    "train.py": """
        import one, two
        def entry(x):
            return one.clean(two.clean(x))
    """,
    "one.py": """
        WORD = 1
        def clean(x):
            return helper(x) + WORD
        def helper(x):
            return x + 1
    """,
    "two.py": """
        WORD = 2
        def clean(x):
            return helper(x) + WORD
        def helper(x):
            return x + 2
    """,
}


def test_helpers_of_one_name_in_two_modules_both_count(tmp_path: Path) -> None:
    swap = {**SWAPPED, "one.py": SWAPPED["two.py"], "two.py": SWAPPED["one.py"]}
    deep = {
        **SWAPPED,
        "one.py": SWAPPED["one.py"].replace("x + 1", "x + 2"),
        "two.py": SWAPPED["two.py"].replace("x + 2", "x + 1"),
    }
    found = digests(
        {
            "as it is": (write(tmp_path / "a", SWAPPED), "train.entry"),
            "swapped": (write(tmp_path / "b", swap), "train.entry"),
            "swapped beneath": (write(tmp_path / "c", deep), "train.entry"),
        }
    )
    assert len({code["digest"] for code in found.values()}) == 3
    assert len(found["as it is"]["parts"]) == 7


def test_a_cycle_ends_with_the_same_parts_from_every_entry(tmp_path: Path) -> None:
    write(tmp_path, PROJECT)
    program = (
        "import train, json; from gosset.fingerprint import code_digest\n"
        "first, second = code_digest(train.even), code_digest(train.odd)\n"
        "again = code_digest(train.even)\n"
        "print(json.dumps([first.parts == second.parts, first.digest == second.digest,"
        " first == again, sorted(first.parts)]))\n"
    )
    assert json.loads(run(program, cwd=tmp_path)) == [
        True,
        False,
        True,
        ["train.even", "train.odd"],
    ]


def test_the_hash_seed_does_not_count(tmp_path: Path) -> None:
    write(tmp_path, PROJECT)
    (tmp_path / "settings.py").write_text("RATE = {'a', 'b', 'c', None}\nTABLE = {'a': len}\n")
    program = (
        "import train; from gosset.fingerprint import code_digest\n"
        "print(code_digest(train.features))"
    )
    outputs = {run(program, cwd=tmp_path, env={"PYTHONHASHSEED": s}) for s in ("0", "1", "77")}
    assert len(outputs) == 1


EDITED = """
import importlib, json, os, pathlib, sys
from gosset.fingerprint import code_digest
sys.dont_write_bytecode = True
path = pathlib.Path("part.py")

def write(text):
    path.write_text(text)
    os.utime(path, ns=(write.time, write.time))
    write.time += 10**9

write.time = 10**18
old = "def f(x):\\n    return x + 1\\n\\ndef g(x):\\n    return 2\\n"
write(old)
import part
if sys.argv[1:] == ["look first"]:
    code_digest(part.f)
found = {}
write("# moved\\n" + old)
found["moved"] = code_digest(part.f)
write(old.replace("+ 1", "+ 2"))
found["edited"] = code_digest(part.f)
importlib.reload(part)
found["reloaded"] = code_digest(part.f)
write("def f(x:")
found["broken"] = code_digest(part.f)
path.unlink()
found["deleted"] = code_digest(part.f)
part.f = part.g
found["rebound"] = code_digest(part.f)
print(json.dumps({name: code.digest for name, code in found.items()}))
"""


@pytest.mark.parametrize("arguments", [[], ["look first"]])
def test_the_code_that_is_loaded_counts_not_the_file(tmp_path: Path, arguments: list[str]) -> None:
    def digest_of(text: str) -> str:
        (tmp_path / "whole.py").write_text(text)
        show = "import whole; from gosset.fingerprint import code_digest as c; print(c(whole.f).digest)"
        return run(show, cwd=tmp_path).strip()

    (tmp_path / "edit.py").write_text(EDITED)
    result = subprocess.run(
        [sys.executable, "edit.py", *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    found = json.loads(result.stdout)
    old = digest_of("def f(x):\n    return x + 1\n")
    new = digest_of("def f(x):\n    return x + 20 - 18\n".replace("20 - 18", "2"))
    assert found["moved"] == old
    assert found["edited"] != new
    assert found["reloaded"] == new
    assert found["broken"] == new  # known from the time when it was whole
    assert found["deleted"] == new
    assert found["rebound"] not in (old, new)


def test_a_helper_rebound_between_two_calls_is_seen() -> None:
    scope: dict[str, Any] = {"__name__": "__main__"}
    exec("LIMIT = [1]\ndef helper(x): return x\ndef entry(x): return helper(x) + LIMIT[0]", scope)
    first = code_digest(scope["entry"]).digest
    exec("def helper(x): return x + 1", scope)
    second = code_digest(scope["entry"]).digest
    scope["LIMIT"].append(2)
    third = code_digest(scope["entry"]).digest
    assert len({first, second, third}) == 3


def compiled(text: str, name: str = "f", **scope: Any) -> Any:
    """Return a function that has no source text."""
    scope.setdefault("__name__", "__main__")
    exec(textwrap.dedent(text), scope)
    return scope[name]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("def f(x): return x + 1", "def f(x):\n\n    # why\n    return (\n        x + 1\n    )"),
        ("def f(x): return x + 1", 'def f(x):\n    """Words."""\n    return x + 1'),
        ("def f(x): return x + 1", "def f(x: int) -> int: return x + 1"),
        ("def f(x): return None", 'def f(x):\n    """Words."""\n    return None'),
        ("f = lambda x: x + 1", "f = (lambda x:\n    x + 1)"),
        (
            "def f(x):\n    try:\n        g(x)\n    except OSError:\n        pass",
            "def f(x):\n\n    try:\n\n        g(x)\n\n    except OSError:\n\n        pass",
        ),
    ],
)
def test_without_source_the_layout_does_not_count_either(first: str, second: str) -> None:
    assert code_digest(compiled(first)).digest == code_digest(compiled(second)).digest


def test_without_source_every_change_counts() -> None:
    texts = [
        "def f(x): return x + 1",
        "def f(x): return x + 2",
        "def f(x): return x + 1.0",
        "def f(x): return x - 1",
        "def f(x, y=1): return x + 1",
        "def f(x, y=2): return x + 1",
        "def f(*x): return x + 1",
        "def f(x): return g(x)",
        "def f(x): return h(x)",
        "def f(x): return [y + 1 for y in x]",
        "def f(x): return [y + 2 for y in x]",
        "def f(x):\n    g(x)\n    try:\n        h(x)\n    except OSError: pass",
        "def f(x):\n    try:\n        g(x)\n        h(x)\n    except OSError: pass",
        "def f(x): return x in {1, 2}",
        "def f(x): return x in {1, 3}",
        "def f(x):\n    while x:\n        x -= 1",
        "def f(x):\n    if x:\n        x -= 1",
        "f = lambda x: x + 1",
        "f = lambda x: x + 2",
    ]
    scope = {"g": len, "h": abs}
    found = [code_digest(compiled(text, **scope)).digest for text in texts]
    assert len(set(found)) == len(found)


def test_lambdas_of_one_line_are_told_apart_with_their_texts() -> None:
    table = [lambda x: x + 1, lambda x: (x + 2, lambda: 3), lambda x: "é" + x]; tail = lambda x: x + 1  # noqa: E702, E731  # fmt: skip
    inner = table[1](1)[1]
    found = [code_digest(function) for function in (*table, inner)]
    assert len({code.digest for code in found}) == 4
    assert code_digest(tail).digest == found[0].digest
    assert all("x + 2" in source for code in found for source in code.sources.values())


class Entry:
    """Stands for what users hand in."""

    limit = 1

    def __init__(self, x: int = 0) -> None:
        self.x = x

    def work(self) -> int:
        return self.x

    @classmethod
    def make(cls) -> Entry:
        return cls()

    @staticmethod
    def same(x: int) -> int:
        return x

    def __call__(self) -> int:
        return self.work()


@functools.lru_cache(maxsize=2)
def kept(x: int) -> int:
    return x


@contextlib.contextmanager
def managed(x: int) -> Any:
    yield x + 1


@functools.singledispatch
def shown(x: object) -> str:
    return str(x)


@shown.register
def _(x: int) -> str:
    return f"{x:d}"


@pytest.mark.parametrize(
    ("entry", "component"),
    [
        (Entry, "Entry.work"),
        (Entry.work, "Entry.work"),
        (Entry(3).work, "Entry.work"),
        (Entry.make, "Entry.make"),
        (Entry.same, "Entry.same"),
        (Entry(), "Entry.work"),
        (functools.partial(Entry.same, 3), "Entry.same"),
        (kept, "kept"),
        (managed, "managed"),
        (shown, "shown"),
        (shown, "_"),
        (gs.stage(Entry.same), "Entry.same"),
        (np.vectorize, ""),
        (len, ""),
        (np.mean, ""),
    ],
)
def test_entries_of_every_kind_are_followed(entry: object, component: str) -> None:
    code = code_digest(entry)
    names = {name.removeprefix(__name__ + ".") for name in code.parts}
    assert not component or component in names
    assert code.digest == code_digest(entry).digest


def test_arguments_bound_to_an_entry_count() -> None:
    entries = [
        *(functools.partial(Entry.same, 3), functools.partial(Entry.same, 4), Entry.same),
        *(functools.partial(Entry.same, x=3), np.mean, np.median, np.add, len, abs, Entry),
    ]
    assert len({code_digest(entry).digest for entry in entries}) == len(entries)


def test_a_stage_is_the_function_that_it_declares() -> None:
    stage = gs.stage(kept.__wrapped__)
    assert code_digest(stage).digest == code_digest(kept.__wrapped__).digest
    assert code_digest(dataclasses.replace(stage, name="other")).digest == code_digest(stage).digest


def test_what_is_declared_with_depends_counts() -> None:
    found = [
        code_digest(kept),
        code_digest(kept, depends=[Entry]),
        code_digest(kept, depends=[Entry.work]),
        code_digest(kept, depends=[1]),
        code_digest(kept, depends=[2]),
        code_digest(kept, depends=[np.mean]),
    ]
    assert len({code.digest for code in found}) == len(found)
    assert f"{__name__}.Entry.work" in found[1].parts
    assert "numpy" in found[-1].packages
    calls = compiled("def f(): return stage()", stage=gs.stage(kept.__wrapped__, depends=[3]))
    other = compiled("def f(): return stage()", stage=gs.stage(kept.__wrapped__, depends=[4]))
    assert code_digest(calls).digest != code_digest(other).digest


CLASSES = {
    "plain": "import dataclasses\n@dataclasses.dataclass\nclass f:\n    a: int\n    b: int = 1",
    "default": "import dataclasses\n@dataclasses.dataclass\nclass f:\n    a: int\n    b: int = 2",
    "order": "import dataclasses\n@dataclasses.dataclass\nclass f:\n    b: int\n    a: int = 1",
    "frozen": "import dataclasses\n@dataclasses.dataclass(frozen=True)\nclass f:\n    a: int\n    b: int = 1",
    "factory": "import dataclasses\n@dataclasses.dataclass\nclass f:\n    a: list = dataclasses.field(default_factory=list)",
    "own factory": "import dataclasses\n@dataclasses.dataclass\nclass f:\n    a: list = dataclasses.field(default_factory=lambda: [1])",
    "pydantic": "import pydantic\nclass f(pydantic.BaseModel):\n    a: int = 1",
    "pydantic default": "import pydantic\nclass f(pydantic.BaseModel):\n    a: int = 2",
    "pydantic type": "import pydantic\nclass f(pydantic.BaseModel):\n    a: str = 1",
    "pydantic limit": "import pydantic\nclass f(pydantic.BaseModel):\n    a: int = pydantic.Field(1, gt=0)",
    "pydantic validator": "import pydantic\nclass f(pydantic.BaseModel):\n    a: int = 1\n    @pydantic.field_validator('a')\n    def check(cls, v): return v + 1",
    "pydantic other validator": "import pydantic\nclass f(pydantic.BaseModel):\n    a: int = 1\n    @pydantic.field_validator('a')\n    def check(cls, v): return v + 2",
    "enum": "import enum\nclass f(enum.Enum):\n    A = 1\n    B = 2",
    "enum value": "import enum\nclass f(enum.Enum):\n    A = 1\n    B = 3",
    "enum method": "import enum\nclass f(enum.Enum):\n    A = 1\n    B = 2\n    def next(self): return 1",
    "named tuple": "import typing\nclass f(typing.NamedTuple):\n    a: int\n    b: int = 1",
    "named tuple default": "import typing\nclass f(typing.NamedTuple):\n    a: int\n    b: int = 2",
    "slots": "class f:\n    __slots__ = ('a',)",
    "other slots": "class f:\n    __slots__ = ('b',)",
    "metaclass": "class M(type): pass\nclass f(metaclass=M): pass",
    "metaclass body": "class M(type):\n    x = 1\nclass f(metaclass=M): pass",
    "abstract": "import abc\nclass f(abc.ABC):\n    @abc.abstractmethod\n    def g(self): return 1",
    "abstract body": "import abc\nclass f(abc.ABC):\n    @abc.abstractmethod\n    def g(self): return 2",
    "cached": "import functools\nclass f:\n    @functools.cached_property\n    def g(self): return 1",
    "cached body": "import functools\nclass f:\n    @functools.cached_property\n    def g(self): return 2",
}  # fmt: skip


def test_classes_of_every_kind_count_by_fields_members_and_bases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    found = {}
    for number, (kind, text) in enumerate(CLASSES.items()):
        (tmp_path / f"class_{number}.py").write_text(text)
        module = importlib.import_module(f"class_{number}")
        code = code_digest(module.f)
        assert code.unresolved == (), kind
        found[kind] = code.digest
    assert len(set(found.values())) == len(found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def f(x): return eval(x)", "eval can reach any code"),
        ("def f(x): exec(x)", "exec can reach any code"),
        ("import sys\ndef f(x): return sys.modules[x].g()", "sys.modules can reach any code"),
        ("from sys import modules\ndef f(x): return modules.get(x)", "sys.modules can reach any"),
        ("from importlib import import_module as i\ndef f(x): return i(x)", "can reach any code"),
        ("import runpy\ndef f(x): return runpy.run_path(x)", "runpy.run_path can reach any code"),
        ("import builtins\ndef f(x): return builtins.eval(x)", "builtins.eval can reach any code"),
        ("def f(x): return missing(x)", "missing is not defined"),
        ("def f(x):\n    import importlib\n    importlib.import_module(x)", "can reach any code"),
        ("def f(x):\n    import no_such_module_at_all as m\n    m.g()", "is not installed"),
        ("lock = __import__('threading').Lock()\ndef f(): lock.acquire()", "its class alone"),
        ("loop = []\nloop.append(loop)\ndef f(): return loop", "contains itself"),
        ("import test_fingerprint_code as m\ndef f(x): return getattr(m, x)", "used as a value"),
    ],
)
def test_what_cannot_be_followed_is_named(text: str, said: str) -> None:
    code = code_digest(compiled(text))
    assert any(said in line for line in code.unresolved), code.unresolved
    assert code_digest(compiled(text)).digest == code.digest


FOREIGN = {
    "train.py": """
        import stable_package
        def entry(x):
            return stable_package.work(x)
    """,
    "site-packages/stable_package/__init__.py": "def work(x):\n    return x\n",
    "site-packages/Stable_Dist-1.0.dist-info/METADATA": (
        "Metadata-Version: 2.1\nName: Stable-Dist\nVersion: 1.0\n"
    ),
    "site-packages/Stable_Dist-1.0.dist-info/RECORD": "stable_package/__init__.py,,\n",
}


def test_of_installed_packages_the_version_counts_and_not_the_text(tmp_path: Path) -> None:
    def found(name: str, edit: Edit | None = None) -> Any:
        folder = write(tmp_path / name, FOREIGN, edit)
        program = (
            "import sys, json; sys.path.insert(0, 'site-packages')\n"
            "import train; from gosset.fingerprint import code_digest\n"
            "code = code_digest(train.entry); print(json.dumps([code.digest, code.packages]))"
        )
        return json.loads(run(program, cwd=folder))

    base, packages = found("a")
    assert packages["Stable-Dist"] == "1.0"
    text = ("site-packages/stable_package/__init__.py", "return x", "return x + 1")
    assert found("b", text)[0] == base
    version = ("site-packages/Stable_Dist-1.0.dist-info/METADATA", "1.0", "1.1")
    assert found("c", version)[0] != base


def test_a_closure_of_200_functions_is_fast(tmp_path: Path) -> None:
    for module in range(10):
        lines = [f"import m{(module + 1) % 10} as following\nimport math\nSCALE = {module}\n"]
        for number in range(20):
            after = f"f{number + 1}(x)" if number < 19 else "following.f0(x)"
            lines.append(
                f"def f{number}(x, by={number}):\n"
                f'    """Words."""\n'
                f"    total = [math.sqrt(value) * SCALE for value in range(by)]\n"
                f"    if x > len(total):\n        return sum(total)\n    return {after} + by\n"
            )
        (tmp_path / f"m{module}.py").write_text("\n".join(lines))
    program = (
        "import m0, time, json; from gosset.fingerprint import code_digest\n"
        "times = []\n"
        "for _ in range(6):\n"
        "    start = time.process_time(); code = code_digest(m0.f0)\n"
        "    times.append(time.process_time() - start)\n"
        "print(json.dumps([len(code.parts), times[0], min(times[1:])]))"
    )
    parts, cold, warm = json.loads(run(program, cwd=tmp_path))
    assert parts == 210
    assert cold < 1.0
    assert warm < 0.05


def test_installed_code_without_metadata_counts_by_what_it_says(tmp_path: Path) -> None:
    files = {
        "train.py": "import bare, spread.inner\ndef entry(): return bare.work(), spread.inner.x()",
        "site-packages/bare.py": "__version__ = '7'\ndef work(): return 1\n",
        "site-packages/spread/inner.py": "def x(): return 1\n",
    }
    program = (
        "import sys, json; sys.path.insert(0, 'site-packages')\n"
        "import train; from gosset.fingerprint import code_digest\n"
        "code = code_digest(train.entry); print(json.dumps([code.parts, code.packages]))"
    )
    parts, packages = json.loads(run(program, cwd=write(tmp_path, files)))
    assert list(parts) == ["train.entry"]
    assert packages["bare"] == "7"
    assert packages["spread"] == "unknown"


def test_a_namespace_package_of_the_users_is_followed(tmp_path: Path) -> None:
    files = {
        "train.py": "import spread.inner\nfrom spread import inner as i\n"
        "def entry(): return spread.inner.x() + i.y()",
        "spread/inner.py": "def x(): return 1\ndef y(): return 2\n",
    }
    program = (
        "import train, json; from gosset.fingerprint import code_digest\n"
        "print(json.dumps(sorted(code_digest(train.entry).parts)))"
    )
    found = json.loads(run(program, cwd=write(tmp_path, files)))
    assert found == ["spread.inner.x", "spread.inner.y", "train.entry"]


def test_compiled_code_of_the_users_is_named(tmp_path: Path) -> None:
    built = Path(importlib.import_module("markupsafe._speedups").__file__ or "")
    (tmp_path / built.name).write_bytes(built.read_bytes())
    (tmp_path / "train.py").write_text(
        "from _speedups import _escape_inner\ndef entry(x): return _escape_inner(x)\n"
    )
    program = (
        "import train; from gosset.fingerprint import code_digest\n"
        "print(code_digest(train.entry).unresolved)"
    )
    said = run(program, cwd=tmp_path)
    assert "_speedups._escape_inner is compiled code" in said


def test_a_class_within_a_function_counts_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    text = (
        'def f(x):\n    class Local:\n        """Words."""\n        width: int = 1\n'
        "        def work(self): return x\n    return Local"
    )
    edits = [("", ""), ("Words", "Others"), ("width: int", "width: float")]
    edits += [("int = 1", "int = 2"), ("return x", "return -x")]
    found, made = [], []
    for number, (old, new) in enumerate(edits):
        (tmp_path / f"local_{number}.py").write_text(text.replace(old, new))
        function = importlib.import_module(f"local_{number}").f
        found.append(code_digest(function).digest)
        made.append(code_digest(function(1)).digest)
    assert found[1] == found[0]
    assert len(set(found)) == 4  # in a class, an annotation declares a field
    assert made[:3] == [made[0]] * 3
    assert len(set(made)) == 3


def test_a_stage_that_another_function_calls_counts_by_its_function() -> None:
    calls = compiled("def f(): return stage(1)", stage=gs.stage(kept.__wrapped__))
    assert set(code_digest(calls).parts) == {"__main__.f", f"{__name__}.kept"}
    text = "def kept(x): return x + 1"
    other = compiled("def f(): return stage(1)", stage=gs.stage(compiled(text, "kept")))
    assert code_digest(calls).digest != code_digest(other).digest


def test_an_attribute_of_a_function_counts_where_it_is_read() -> None:
    def scope(weight: int) -> dict[str, Any]:
        helper = compiled("def helper(): return 1", "helper")
        helper.weight = weight
        return {"helper": helper}

    reads = [compiled("def f(): return helper.weight", **scope(n)) for n in (1, 2, 1)]
    calls = [compiled("def f(): return helper()", **scope(n)) for n in (1, 2)]
    first, second, same = (code_digest(function).digest for function in reads)
    assert first == same != second
    assert code_digest(calls[0]).digest == code_digest(calls[1]).digest


def test_a_variable_that_is_not_bound_yet_is_passed_over() -> None:
    def outer() -> Any:
        def inner() -> Any:
            return later

        before = code_digest(inner)
        later = 1
        return before, code_digest(inner)

    before, after = outer()
    assert before.digest != after.digest


def test_values_that_cannot_be_digested_are_named_where_they_stand() -> None:
    lock = threading.Lock()
    text = "def f(x=lock): return x\nclass C:\n    key = lock\n    def g(self): return f()"
    code = code_digest(compiled(text, "C", lock=lock))
    assert code.unresolved == (
        "__main__.C.key, a _thread.lock, counts by its class alone",
        "__main__.f: defaults[0], a _thread.lock, counts by its class alone",
    )


def test_this_package_counts_by_its_version(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(
        "import gosset.stages as gs\ndef entry(): return gs.stage(len)\n"
        "@gs.stage\ndef declared(x): return x\n"
    )
    program = (
        "import train, json; from gosset.fingerprint import code_digest\n"
        "found = [code_digest(entry).packages for entry in (train.entry, train.declared)]\n"
        "print(json.dumps(found))"
    )
    used, declared = json.loads(run(program, cwd=tmp_path))
    assert used["gosset"] == importlib.metadata.version("gosset")
    assert "gosset" not in declared


def test_what_is_declared_to_be_reached_is_not_unresolved():
    def f(x):
        return eval(x)

    assert code_digest(f, depends=[len]).unresolved == ()
    assert code_digest(f).unresolved != ()
