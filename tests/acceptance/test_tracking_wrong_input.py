"""What wrong input gets from tracking: one line that names the thing and the mend, or an exact result.

Whatever was given, the run goes on, and the store has what was right and nothing else.
"""

from __future__ import annotations

import decimal
import fractions
import math
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import disks
import numpy as np
import pytest
from workplace import Workplace

import gosset as gs
from gosset.exceptions import GossetError, StorageError, UsageError
from gosset.tracking import TrackedRun


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('wrong')}/lab.db"


@pytest.fixture(autouse=True)
def _own_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))


class Broken:
    """What raises when it is asked for its number."""

    def __float__(self) -> float:
        raise RuntimeError("the device is gone")


class Tensor:
    """A tensor as PyTorch has them: one number, that must be taken out of the graph first."""

    def __init__(self, value: float, shape: tuple[int, ...] = (), attached: bool = True) -> None:
        self.value, self.shape, self.attached = value, shape, attached

    def detach(self) -> Tensor:
        return Tensor(self.value, self.shape, attached=False)

    def item(self) -> float:
        if self.attached:
            raise RuntimeError("can't convert a tensor that requires grad")
        if math.prod(self.shape) != 1:
            raise RuntimeError("a tensor with 3 elements cannot be converted to Scalar")
        return self.value


def _one_of_many(run: TrackedRun) -> object:
    for number in range(999):
        run.vars[f"v{number}"] = number
    return run.vars.w


Call = Callable[[TrackedRun], object]

# What is asked of a run, and what the one line of the error has to say: the thing, and the mend.
REFUSED: dict[str, tuple[Call, list[str]]] = {
    # metrics
    "a text": (lambda r: r.log({"m": "0.5"}), ["'m'", "not a number but str", "run.fields['m']"]),
    "None": (lambda r: r.log({"m": None}), ["'m'", "NoneType", "run.fields['m']"]),
    "nested metrics": (lambda r: r.log({"m": {"a": 1}}), ["'m'", "dict", "run.fields['m']"]),
    "a list": (lambda r: r.log({"m": [1]}), ["'m'", "list"]),
    "bytes": (lambda r: r.log({"m": b"1"}), ["'m'", "bytes"]),
    "complex": (lambda r: r.log({"m": 1j}), ["'m'", "complex"]),
    "complex of NumPy": (lambda r: r.log({"m": np.complex128(1j)}), ["'m'", "complex"]),
    "an array": (lambda r: r.log({"m": np.zeros((2, 3))}), ["'m'", "shape (2, 3)", "its mean"]),
    "a tensor": (lambda r: r.log({"m": Tensor(1, (3,))}), ["'m'", "shape (3,)", "its mean"]),
    "a time": (lambda r: r.log({"m": np.datetime64("2020-01-01")}), ["'m'", "date"]),
    "a text in an array": (lambda r: r.log({"m": np.array("x")}), ["'m'", "str"]),
    "a signal": (lambda r: r.log({"m": decimal.Decimal("sNaN")}), ["'m'", "Decimal"]),
    "a function": (lambda r: r.log({"m": len}), ["'m'", "builtin_function"]),
    "an error inside": (lambda r: r.log({"m": Broken()}), ["'m'", "the device is gone", "float"]),
    "too many bits": (lambda r: r.log({"m": 10**5000}), ["'m'", "16610 bits", "as a float"]),
    "no mapping": (lambda r: r.log([("m", 1)]), ["metrics", "list", "{name: value}"]),
    "no metrics": (lambda r: r.log(None), ["metrics", "NoneType", "{name: value}"]),
    "a set": (lambda r: r.log({"m"}), ["metrics", "set", "{name: value}"]),
    "no value": (lambda r: r.log("m"), ["'m'", "NoneType"]),
    "one of two": (lambda r: r.log({"right": 1, "m": "x"}), ["'m'", "str"]),
    # steps
    "step 1.5": (lambda r: r.log({"m": 1}, step=1.5), ["step 1.5", "count from 0"]),
    "step 1.0": (lambda r: r.log({"m": 1}, step=1.0), ["step 1.0", "count from 0"]),
    "step '3'": (lambda r: r.log({"m": 1}, step="3"), ["step '3'", "count from 0"]),
    "step NaN": (lambda r: r.log({"m": 1}, step=math.nan), ["step nan", "count from 0"]),
    "step array": (lambda r: r.log({"m": 1}, step=np.array([3])), ["array([3])", "count from 0"]),
    "step 2**63": (lambda r: r.log({"m": 1}, step=2**63), ["64 bits", "count from 0"]),
    "step -2**63-1": (lambda r: r.log({"m": 1}, step=-(2**63) - 1), ["64 bits", "count from 0"]),
    "step 10**5000": (lambda r: r.log({"m": 1}, step=10**5000), ["64 bits", "count from 0"]),
    # names
    "a zero in a name": (
        lambda r: r.log({"a\0b": 1}),
        ["'a\\x00b'", "of a metric", "leave it out"],
    ),
    "half a character": (lambda r: r.log({"\ud800": 1}), ["'\\ud800'", "leave it out"]),
    "a long name": (lambda r: r.log({"x" * 251: 1}), ["251 characters", "at most 250"]),
    "no name": (lambda r: r.log({"": 1}), ["''", "a metric", "not empty"]),
    "a number as name": (lambda r: r.log({1: 1.0}), ["1 is no name", "a text"]),
    "a pair as name": (lambda r: r.log({("a", "b"): 1.0}), ["('a', 'b')", "a text"]),
    # what else is told
    "parameters": (lambda r: r.log_params(3), ["parameters", "int", "{name: value}"]),
    "a parameter": (lambda r: r.log_params({"p": object()}), ["'p'", "object"]),
    "a tag": (lambda r: r.set_tags(3), ["3 is no name for a tag", "a text"]),
    "a text that is none": (lambda r: r.log_text(3, "t"), ["'t'", "int"]),
    "an alert": (lambda r: r.alert(3), ["the title of an alert", "int", "str()"]),
    "an end": (lambda r: r.finish("done"), ["'done'", "complete, failed"]),
    # attributes
    "an attribute": (lambda r: r.lgo, ["no 'lgo'", "did you mean 'log'?"]),
    "an attribute set": (lambda r: setattr(r, "feilds", 1), ["'feilds'", "did you mean 'fields'?"]),
    "another's word": (lambda r: r.xyz, ["no 'xyz'", "known are"]),
    "parameters set": (lambda r: setattr(r, "params", {}), ["'params'", "run.log_params("]),
    "fields set": (lambda r: setattr(r, "fields", {}), ["'fields'", "run.fields[name] = value"]),
    "tags set": (lambda r: setattr(r, "tags", ["a"]), ["'tags'", "run.set_tags("]),
    "name set": (lambda r: setattr(r, "name", "a"), ["'name'", "start_run(name="]),
    "status set": (lambda r: setattr(r, "status", "complete"), ["'status'", "run.finish("]),
    "id set": (lambda r: setattr(r, "id", "a"), ["'id'", "for ever"]),
    "number set": (lambda r: setattr(r, "number", 1), ["'number'", "cannot be set"]),
    "a parameter read": (lambda r: r.params.rl, ["'rl'", "known: lr"]),
    "one of many read": (_one_of_many, ["no value 'w'; known: v0, v1", "…"]),
    "a parameter given": (lambda r: setattr(r.params, "lr", 1), ["'lr' cannot be set"]),
}


@pytest.fixture(scope="module")
def refused(url: str) -> tuple[dict[str, BaseException], str]:
    """What each call was told, all of them by one run; and the id of the run."""
    told: dict[str, BaseException] = {}
    with gs.start_run("refused", store=url, params={"lr": 0.1}, strict=True) as run:
        for name, (call, _) in REFUSED.items():
            with pytest.raises((GossetError, AttributeError)) as caught:
                call(run)
            told[name] = caught.value
        run.log({"right": 2})
    return told, run.id


@pytest.mark.parametrize("name", REFUSED)
def test_it_gets_one_line_that_names_the_thing_and_the_mend(
    name: str, refused: tuple[dict[str, BaseException], str]
) -> None:
    told = str(refused[0][name])
    assert "\n" not in told
    assert len(told) < 400
    for words in REFUSED[name][1]:
        assert words in told


def test_nothing_of_what_was_refused_is_in_the_store(
    url: str, refused: tuple[dict[str, BaseException], str]
) -> None:
    with gs.open_store(url) as store:
        run = store.run(refused[1])
        assert run.status == "complete"
        assert {name: metric.value for name, metric in run.metrics.items()} == {"right": 2}
        assert store.series(run, "right").values.tolist() == [2]
        assert (run.params, run.fields, run.tags) == ({"lr": 0.1}, {}, ())
        assert store.artifacts_of(run) == {}


# What is given to start_run, and what the error has to say.
STARTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "experiment of no text": ({"experiment": 3}, ["3 is no name for an experiment"]),
    "empty experiment": ({"experiment": ""}, ["'' is no name for an experiment"]),
    "empty name": ({"name": ""}, ["'' is no name for a run"]),
    "zero in a name": ({"name": "a\0b"}, ["'a\\x00b' of a run", "leave it out"]),
    "long project": ({"project": "x" * 251}, ["a project has 251 characters", "at most 250"]),
    "seed in words": ({"seed": "one"}, ["'one' is no seed", "from 0"]),
    "half a seed": ({"seed": 1.5}, ["1.5 is no seed", "from 0"]),
    "negative seed": ({"seed": -1}, ["-1 is no seed", "from 0"]),
    "seed yes": ({"seed": True}, ["True is no seed", "from 0"]),
    "seed of 64 bits": ({"seed": 2**64}, [f"{2**64} is no seed", "2**63 - 1"]),
    "one tag": ({"tags": "abc"}, ["'abc'", "tags=['abc']"]),
    "tag of no text": ({"tags": [1]}, ["1 is no name for a tag"]),
    "notes of no text": ({"notes": None}, ["notes", "NoneType"]),
    "parameters of no names": ({"params": [1]}, ["parameters", "list", "{name: value}"]),
    "parameter of no kind": ({"params": {"f": len}}, ["'f'", "builtin_function"]),
    "configuration of no names": ({"config": "x"}, ["configured values", "str"]),
    "resumed by no id": ({"resume": "nope"}, ["'nope'"]),
    "path in the place of a URL": ({"store": "/tmp/lab.db"}, ["/tmp/lab.db", "sqlite:////tmp/"]),
    "store of no kind": ({"store": "mysql://me:s3cret@host/x"}, ["mysql", "sqlite:///"]),
    "metrics of the system": ({"system_metrics": -1}, ["system_metrics", "seconds"]),
}


@pytest.mark.parametrize("name", STARTS)
def test_a_run_that_cannot_be_started_is_not_there(name: str, tmp_path: Path) -> None:
    given, expected = STARTS[name]
    store = f"sqlite:///{tmp_path}/lab.db"
    with pytest.raises(GossetError) as caught:
        gs.start_run(**{"store": store, **given})
    told = str(caught.value)
    assert "\n" not in told
    assert "s3cret" not in told
    for words in expected:
        assert words in told
    with gs.open_store(store) as opened:
        assert len(opened.runs()) == 0


# -- exact results

EXACT: dict[str, tuple[Any, Any]] = {
    "NaN": (math.nan, math.nan),
    "infinity": (-math.inf, -math.inf),
    "zero with a sign": (-0.0, -0.0),
    "the smallest": (5e-324, 5e-324),
    "bool": (True, True),
    "64 bits": (2**63 - 1, 2**63 - 1),
    "64 bits without a sign": (2**64 - 1, 2**64 - 1),
    "more bits": (-(2**80), -(2**80)),
    "very many bits": (10**400, 10**400),
    "half precision": (np.float16(0.1), float(np.float16(0.1))),
    "single precision": (np.float32(0.1), float(np.float32(0.1))),
    "an array of one": (np.array([[3.5]]), 3.5),
    "an array of no dimension": (np.array(7), 7),
    "unsigned": (np.uint64(2**64 - 1), 2**64 - 1),
    "bool of NumPy": (np.bool_(False), False),
    "masked": (np.ma.masked, math.nan),
    "a tensor": (Tensor(0.25), 0.25),
    "Decimal": (decimal.Decimal("1.5"), 1.5),
    "fraction": (fractions.Fraction(1, 4), 0.25),
}


def test_numbers_of_every_kind_are_kept_as_they_are(url: str) -> None:
    with gs.start_run("exact", store=url, strict=True) as run:
        for name, (given, _) in EXACT.items():
            run.log({name: given})
            run.log({name: given})
    with gs.open_store(url) as store:
        found = store.run(run.id)
        for name, (_, expected) in EXACT.items():
            value = found.metrics[name].value
            assert type(value) is type(expected)
            assert repr(value) == repr(expected), name
            values = store.series(run.id, name).values.tolist()
            assert [repr(each) for each in values] == [repr(expected)] * 2


def test_steps_at_the_ends_of_what_there_is(url: str) -> None:
    low, high = -(2**63), 2**63 - 1
    with gs.start_run("steps", store=url, strict=True) as run:
        for step in (low, high, -5, np.int64(7), np.array(8), True, None):
            run.log({"m": 0.5}, step=step)
        run.log({"widest": 1}, step=low)
        run.log({"widest": 2}, step=high)
        run.flush()
        run.log({"widest": 3})  # there is no higher one
        run.log({"widest": 4})
    with gs.open_store(url) as store:
        assert store.series(run.id, "m").steps.tolist() == [low, -5, 1, 2, 7, 8, high]
        widest = store.series(run.id, "widest")
        assert (widest.steps.tolist(), widest.values.tolist()) == (
            [low, high, high, high],
            [1, 2, 3, 4],
        )
        assert store.run(run.id).metrics["widest"].value == 4


def test_steps_of_a_monotonic_run_do_not_go_back(url: str) -> None:
    with gs.start_run("monotonic", store=url, monotonic=True, strict=True) as run:
        run.log({"a": 1}, step=5)
        run.log({"a": 2}, step=5)
        with pytest.raises(UsageError, match=r"step 4 of 'a' goes back behind 5; .*monotonic"):
            run.log({"b": 1, "a": 3}, step=4)
        run.log({"b": 1}, step=0)  # which was not logged before
        for _ in range(3):
            run.log({"c": 1})
        with pytest.raises(UsageError, match="step 1 of 'c' goes back behind 2"):
            run.log({"c": 2}, step=1)
        run.flush()
        with pytest.raises(UsageError, match="step 1 of 'c' goes back behind 2"):
            run.log({"c": 2}, step=1)
    with gs.open_store(url) as store:
        steps = {name: store.series(run.id, name).steps.tolist() for name in "abc"}
    assert steps == {"a": [5, 5], "b": [0], "c": [0, 1, 2]}


NAMES = [
    *("a-b", "a_b", "A_B", "A-B", "a b", "loss", "Loss", "LOSS", "é", "e\u0301", "id", "id_run"),
    *("line\nbreak", "tab\tstop", "\u202eright to left", "🙂" * 250, "x" * 250, "'; DROP TABLE"),
]


def test_names_that_look_alike_stay_apart_whatever_they_name(url: str) -> None:
    values = {name: number for number, name in enumerate(NAMES)}
    runs: dict[str, str] = {}
    for name in NAMES:
        with gs.start_run(name, project="names", name=name, store=url, strict=True) as run:
            runs[name] = run.id
    with gs.start_run("names", params=values, tags=NAMES, store=url, strict=True) as run:
        run.log(values)
        run.fields.update(values)
        for name, number in values.items():
            run.log_text(str(number), name)
    with gs.open_store(url) as store:
        found = store.run(run.id)
        assert {name: metric.value for name, metric in found.metrics.items()} == values
        assert (found.params, found.fields, set(found.tags)) == (values, values, set(NAMES))
        assert {n: store.artifact(run.id, n) for n in NAMES} == {
            n: str(v) for n, v in values.items()
        }
        for name, id in runs.items():
            own = store.run(id)
            assert (own.name, own.experiment, own.number) == (name, name, 1)


# -- what is no store


def _another_application(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE customers (id)")
    connection.close()


def _of_the_future(path: Path) -> None:
    gs.open_store(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE gosset_version SET version_num = '9999'")
    connection.close()


def _cut_off(path: Path) -> None:
    gs.open_store(f"sqlite:///{path}").close()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


NO_STORES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a text": (lambda path: path.write_text("notes of years\n" * 99), "no Gosset store"),
    "a few bytes": (lambda path: path.write_text("notes"), "no Gosset store"),
    "a PNG": (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(5000)), "no Gosset store"),
    "half a header": (
        lambda p: p.write_bytes(b"SQLite format 3\0" + b"x" * 999),
        "no Gosset store",
    ),
    "another application's": (_another_application, "it has the table 'customers'"),
    "of the future": (_of_the_future, "version 9999"),
    "cut off": (_cut_off, "damaged"),
    "a folder": (Path.mkdir, "is a folder"),
}


@pytest.mark.parametrize("kind", NO_STORES)
def test_no_run_is_started_in_what_is_no_store(kind: str, tmp_path: Path) -> None:
    make, words = NO_STORES[kind]
    path = tmp_path / "lab.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StorageError, match=words) as caught:
        gs.start_run("e", store=f"sqlite:///{path}")
    assert "\n" not in str(caught.value)
    assert caught.value.hint
    assert before == (path.read_bytes() if path.is_file() else None)
    assert list(tmp_path.rglob("*.news")) == []


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "lab.db"
    path.touch()
    with gs.start_run("e", store=f"sqlite:///{path}") as run:
        run.log({"m": 1})
    with gs.open_store(f"sqlite:///{path}") as store:
        assert store.run(run.id).metrics["m"].value == 1


STARTING = """
import sys, gosset as gs
try:
    gs.start_run("e", store=sys.argv[1])
except gs.GossetError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("place", ["lab.db", "below/lab.db"])
def test_no_store_is_made_in_a_folder_that_is_read_only(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(0o555)
    words = [*disks.BY_PERMISSIONS, sys.executable, "-c", STARTING]
    done = subprocess.run(
        [*words, f"sqlite:///{folder}/{place}"], capture_output=True, text=True, check=True
    )
    folder.chmod(0o755)
    assert done.stdout.startswith("StoreReadOnlyError ")
    assert str(folder) in done.stdout
    assert "choose another place with --store or GOSSET_STORE" in done.stdout
    assert (done.stdout.count("\n"), done.stderr) == (1, "")
    assert list(folder.iterdir()) == []


# -- exports that were cut off


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    with gs.open_store(f"sqlite:///{tmp_path}/from.db") as store:
        for number in range(2):
            with gs.start_run("e", params={"n": number}, store=store.url) as run:
                run.log({"m": number})
                run.log_artifact(np.full(3000, number), "weights")
        return Path(store.export(tmp_path / "runs.gosset", format="gosset"))


def test_an_export_that_was_cut_off_anywhere_changes_nothing(
    exported: Path, tmp_path: Path
) -> None:
    data = exported.read_bytes()
    part = tmp_path / "part.gosset"
    cuts = sorted({1, 2, 3, 4, 22, *range(0, len(data), max(1, len(data) // 150)), len(data) - 1})
    with gs.open_store(f"sqlite:///{tmp_path}/to.db") as store:
        for cut in cuts:
            part.write_bytes(data[:cut])
            with pytest.raises(StorageError, match=r"cut off|no file of runs") as caught:
                store.import_from(part)
            assert "\n" not in str(caught.value)
            assert str(part) in str(caught.value)
        assert len(store.runs()) == 0
        assert list(store.artifacts.list()) == []
        assert store.import_from(exported).runs == 2


def test_the_command_says_that_an_export_was_cut_off(exported: Path, workplace: Workplace) -> None:
    whole = exported.read_bytes()
    part = workplace.folder / "part.gosset"
    for share, words in ((0.6, "cut off"), (0, "is no file of runs")):
        part.write_bytes(whole[: int(share * len(whole))])
        done = workplace.gosset("import", part, code=2)
        assert (done.stdout, done.stderr.count("\n")) == ("", 1)
        assert done.stderr.startswith("gosset: error: ")
        assert words in done.stderr
    shutil.copy(exported, part)
    workplace.gosset("import", part)
    assert len(workplace.json("list", "runs")) == 2


# -- a run with very many names

MANY = """
import json, resource, gosset as gs
with gs.start_run("many", name="many", strict=True) as run:
    for n in range(100_000):
        run.log({f"metric/{n}": n})
    for n in range(100):
        run.log({f"metric/{n}": -n})
    run.fields.update({f"field {n}": n for n in range(2_000)})
with gs.start_run("many", name="few") as run:
    run.log({"metric/0": 1})
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_100_000_names_in_one_run_are_written_read_and_shown(workplace: Workplace) -> None:
    script = workplace.write("many.py", MANY)
    began = time.monotonic()
    peak = int(workplace.python(script)) / 1024
    written = time.monotonic() - began
    assert peak < 600
    with workplace.store() as store:
        runs = {run.name: run for run in store.runs()}
        assert len(runs["many"].metrics) == 100_000
        assert all(int(n[7:]) == abs(m.value) for n, m in runs["many"].metrics.items())
        assert store.series(runs["many"], "metric/5").values.tolist() == [5, -5]
        assert len(runs["many"].fields) == 2000
    workplace.variables["COLUMNS"] = "100"
    took = []
    for words in (["list", "runs"], ["show", "many"]):
        began = time.monotonic()
        done = workplace.gosset(*words)
        took.append(time.monotonic() - began)
        assert "many" in done.stdout
        assert len(done.stderr) < 10_000
    # Seconds on a machine that does nothing else; what grows with the square takes minutes.
    assert written < 60
    assert max(took) < 60, took
