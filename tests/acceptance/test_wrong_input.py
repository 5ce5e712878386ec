"""What wrong input gets at the command line: one line that names the thing and the mend."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from batch import Answer, answers
from workplace import Workplace

FILES: dict[str, str | bytes] = {
    "good.py": """
import gosset as gs

def train(run):
    run.log({"accuracy": run.params.lr})

good = gs.Experiment("good", project="Lab", steps=[train], parameters={"lr": [0.1, 0.2]})
""",
    "iris.py": """
import gosset as gs
from sklearn.svm import SVC

iris = gs.Experiment("iris", dataset="iris", splits=2, estimator=SVC(), metrics=["accuracy"])
""",
    "table.py": """
import gosset as gs
from sklearn.dummy import DummyClassifier

def of(path, target, **options):
    source = gs.datasets.from_csv(path, target=target, **options)
    return gs.Experiment(f"{path} {target}", dataset=source, splits=2, estimator=DummyClassifier())

ragged = of("ragged.csv", "y")
targetless = of("whole.csv", "z")
undeclared = of("whole.csv", None)
empty = of("empty.csv", "y")
rowless = of("rowless.csv", "y")
gaps = of("gaps.csv", "y")
twice = of("twice.csv", "y")
latin = of("latin.csv", "y")
absent = of("absent.csv", "y")
truncated = gs.Experiment(
    "truncated", dataset=gs.datasets.from_parquet("truncated.parquet", target="y"), splits=2,
    estimator=DummyClassifier(),
)
leaking = gs.Experiment(
    "leaking", dataset=gs.datasets.from_csv("whole.csv", target="y"),
    splits=[([0, 1, 2], [2, 3])], estimator=DummyClassifier(),
)

def broken_data():
    raise OSError("the disk is on fire\\nreally")

broken = gs.Experiment("broken", dataset=broken_data, estimator=DummyClassifier())
nothing = gs.Experiment("nothing", dataset=lambda: None, estimator=DummyClassifier())
""",
    "cycle.py": """
import gosset as gs

@gs.stage
def hen(egg): ...

@gs.stage
def egg(hen): ...

cycle = gs.Experiment("cycle", stages=[hen, egg])
""",
    "ragged.csv": "x,y\n1,a\n2,b,3\n4,a\n",
    "whole.csv": "x,y\n1,a\n2,b\n3,a\n4,b\n",
    "empty.csv": "",
    "rowless.csv": "x,y\n",
    "gaps.csv": "x,y\n1,a\n2,\n3,a\n4,b\n",
    "twice.csv": "x,x,y\n1,2,a\n3,4,b\n",
    "latin.csv": "x,y\n1,größer\n2,b\n".encode("latin-1"),
    "truncated.parquet": b"PAR1 and no more",
    "syntax.py": "def x(:\n",
    "raises.py": "raise ValueError('boom\\nand a second line')\n",
    "exits.py": "import sys\nsys.exit(3)\n",
    "importing.py": "import no_such_module\n",
    "nothing.py": "answer = 42\n",
    "twins.py": "import gosset as gs\n"
    "a = gs.Experiment('twin', steps=[print])\nb = gs.Experiment('twin', steps=[print])\n",
    "misdeclared.py": "import gosset as gs\n\ne = gs.Experiment('e', steps=[])\n",
    "unknown_word.py": "import gosset as gs\n\ne = gs.Experiment('e', step=[print])\n",
    "text.txt": "no code",
}

LONG = "x" * 10_000

# Name → words of the call, and what its one line has to say: the thing, and the mend.
CALLS: dict[str, tuple[list[str], list[str]]] = {
    # the file
    "no such file": (["run", "goood.py"], ["goood.py", "did you mean 'good.py'?"]),
    "no such folder": (["run", "no/where.py"], ["no/where.py", "looked in"]),
    "a folder": (["run", "."], ["'.' is a folder", "name a Python file"]),
    "no Python file": (["run", "text.txt"], ["text.txt", "declared in Python"]),
    "syntax": (["run", "syntax.py"], ["syntax.py:1: SyntaxError: invalid syntax"]),
    "raises on import": (["run", "raises.py"], ["raises.py:1: ValueError: boom and a second"]),
    "exits on import": (["run", "exits.py"], ["exits.py:2: SystemExit: 3"]),
    "imports what is not there": (["run", "importing.py"], ["importing.py:1", "no_such_module"]),
    "declares nothing": (["run", "nothing.py"], ["nothing.py", "bind a gosset.Experiment"]),
    "declares one name twice": (["run", "twins.py"], ["twins.py", "default/twin"]),
    "declares wrongly": (["run", "misdeclared.py"], ["misdeclared.py:3", "steps= is empty"]),
    "declares an unknown word": (["run", "unknown_word.py"], ["unknown_word.py:3", "'step'"]),
    "no such experiment": (["run", "good.py::goood"], ["good.py", "did you mean 'good'?"]),
    "empty file name": (["run", ""], ["''"]),
    "long file name": (["run", f"{LONG}.py"], ["xxx"]),
    "zero in a file name": (["run", "a\0b.py"], ["a\\x00b"]),
    # options
    "no command": (["rnu"], ["rnu", "run"]),
    "no option": (["run", "good.py", "--jbos", "2"], ["--jbos", "--jobs"]),
    "no argument": (["run"], ["FILE", "gosset run --help"]),
    "no jobs": (["run", "good.py", "-j", "0"], ["--jobs", "greater"]),
    "jobs in words": (["run", "good.py", "-j", "two"], ["--jobs", "integer"]),
    "an executor": (["run", "good.py", "--on", "proceses"], ["proceses", "did you mean 'processes'"]),
    "negative limit": (["list", "runs", "--limit", "-1"], ["--limit", "greater"]),
    "limit in words": (["list", "runs", "--limit", "few"], ["--limit", "integer"]),
    "two forms": (["list", "runs", "--json", "--csv"], ["--json and --csv"]),
    # parameters, seeds, metrics
    "parameter of an estimator": (["run", "iris.py", "-p", "SVC.Cc=1"], ["did you mean 'SVC.C'?"]),
    "parameter of steps": (["run", "good.py", "-p", "lrr=1"], ["'lrr'", "did you mean 'lr'?"]),
    "parameter without =": (["run", "good.py", "-p", "lr"], ["'lr'", "NAME=VALUE"]),
    "parameter without value": (["run", "good.py", "-p", "lr="], ["'lr'", "lr=''"]),
    "parameter without name": (["run", "good.py", "-p", "=1"], ["'=1'", "NAME=VALUE"]),
    "parameter twice": (["run", "good.py", "-p", "lr=1", "-p", "lr=2"], ["'lr'", "lr=V1,V2"]),
    "half a list": (["run", "good.py", "-p", "lr=[1,"], ["'lr'", "closing ]"]),
    "negative seed": (["run", "good.py", "--seeds=-1"], ["-1 is no seed", "from 0"]),
    "seed in words": (["run", "good.py", "--seeds", "one"], ["'one' is no seed", "write 0,1,2,3"]),
    "seed yes": (["run", "good.py", "--seeds", "true"], ["True is no seed", "from 0"]),
    "half a seed": (["run", "good.py", "--seeds", "1.5"], ["1.5 is no seed", "from 0"]),
    "one seed twice": (["run", "good.py", "--seeds", "1,1"], ["seed 1 is there twice", "once"]),
    "metric": (["run", "iris.py", "--metrics", "acuracy"], ["did you mean 'accuracy'?"]),
    "metric of another task": (["run", "iris.py", "--metrics", "r2"], ["r2", "use accuracy"]),
    # data
    "ragged CSV": (["run", "table.py::ragged"], ["ragged.csv, line 3", "complete the row"]),
    "no such target": (["run", "table.py::targetless"], ["target", "'z'", "known are 'x', 'y'"]),
    "no target": (["run", "table.py::undeclared"], ["no target", "target=…: 'x', 'y'"]),
    "empty CSV": (["run", "table.py::empty"], ["empty.csv is empty", "it needs a header"]),
    "no rows": (["run", "table.py::rowless"], ["rowless", "no rows", "how it is read"]),
    "NaN in the target": (["run", "table.py::gaps"], ["'y' has 1 missing", "row 1", "fill them"]),
    "column twice": (["run", "table.py::twice"], ["twice.csv, line 1", "'x'", "rename"]),
    "not UTF-8": (["run", "table.py::latin"], ["latin.csv", "encoding="]),
    "no such CSV": (["run", "table.py::absent"], ["absent.csv", "looked in"]),
    "truncated Parquet": (["run", "table.py::truncated"], ["truncated.parquet", "Parquet"]),
    "leaking split": (["run", "table.py::leaking"], ["row 2 is in train and in test", "one part"]),
    "data that raise": (["run", "table.py::broken"], ["'broken_data'", "on fire really", "see "]),
    "no data": (["run", "table.py::nothing"], ["NoneType is no dataset", "give a DataFrame"]),
    "a cycle": (["run", "cycle.py"], ["hen → egg → hen", "rename"]),
    # filters and lists
    "half a filter": (["list", "runs", "metrics.accuracy >"], ["metrics.accuracy >", "column 19"]),
    "filter with =": (["list", "runs", "status = 'failed'"], ["column 8", "use '=='"]),
    "filter of code": (["list", "runs", "__import__('os')"], ["column 11"]),
    "filter of a metric": (["list", "runs", "metrics.acuracy > 1"], ["'metrics.accuracy'?"]),
    "filter of a status": (["list", "runs", "status == 'fialed'"], ["did you mean 'failed'?"]),
    "open quote": (["list", "runs", "'"], ["not closed"]),
    "deep filter": (["list", "runs", "(" * 3000], ["filter '((((", "column"]),
    "long filter": (["list", "runs", LONG], ["filter 'xxx", "…"]),
    "kind": (["list", "runz"], ["'runz'", "did you mean 'runs'?"]),
    "project": (["list", "runs", "--project", "Lob"], ["'Lob'", "did you mean 'Lab'?"]),
    "sort": (["list", "runs", "--sort", "metrics.acuracy"], ["'metrics.accuracy'?"]),
    "column": (["list", "runs", "--columns", "acuracy"], ["'acuracy'", "metrics.accuracy"]),
    # names and ids
    "no such run": (["show", "good#99"], ["good#99", "good#"]),
    "ambiguous id": (["show", "AMBIGUOUS"], ["names several runs", "write more of it"]),
    "empty id": (["show", ""], ["''"]),
    "id of two lines": (["show", "a\nb"], ["'a\\nb'"]),
    "id with markup": (["show", "[red]x[/red]"], ["[red]x[/red]"]),
    "id in emoji": (["show", "🎉"], ["🎉"]),
    "id that is a path": (["show", "../../etc/passwd"], ["../../etc/passwd"]),
    "long id": (["show", LONG], ["xxx"]),
    "use what is not": (["use", "Lob"], ["'Lob'", "did you mean 'Lab'?"]),
    "compare with nothing": (["compare", "good#1", "good#77"], ["good#77"]),
    "compare by no metric": (["compare", "good#1", "good#2", "--metric", "acuracy"], ["'accuracy'?"]),
    "resume nothing": (["resume", "good#9"], ["good#9", "good#1"]),
    "delete nothing": (["delete", "good#99", "--yes"], ["good#99"]),
    "delete unasked": (["delete", "good#1"], ["Lab/good#1", "--yes"]),
    "explain no stage": (["cache", "explain", "good#1", "trian"], ["'trian'", "train"]),
    "compute no metric": (["metrics", "compute", "acuracy", "good#1"], ["'accuracy'?"]),
    "no such setting": (["config", "get", "jbos"], ["did you mean 'jobs'?"]),
    "bad setting": (["config", "set", "jobs", "0"], ["jobs is 0", "1 or more"]),
    "store of no kind": (["--store", "mysql://me:s3cret@host/x", "list", "runs"], ["use sqlite:///"]),
    "no such store": (["--store", "sqlite:///no.db", "list", "runs"], ["no.db", "--store"]),
}  # fmt: skip


@pytest.fixture(scope="module")
def lab(new_workplace: Callable[..., Workplace]) -> Workplace:
    workplace = new_workplace()
    for name, content in FILES.items():
        if isinstance(content, bytes):
            (workplace.folder / name).write_bytes(content)
        else:
            workplace.write(name, content)
    workplace.gosset("run", "good.py")
    return workplace


@pytest.fixture(scope="module")
def told(lab: Workplace) -> dict[str, Answer]:
    run = json.loads(lab.gosset("list", "runs", "--json").stdout)[0]["id"]
    calls = {
        name: [run[:8] if word == "AMBIGUOUS" else word for word in words]
        for name, (words, _) in CALLS.items()
    }
    return answers(lab, calls)


@pytest.mark.parametrize("name", CALLS)
def test_it_gets_one_line_that_names_the_thing_and_the_mend(
    name: str, told: dict[str, Answer]
) -> None:
    answer = told[name]
    assert (answer.code, answer.out) == (2, ""), answer
    if "--json" not in CALLS[name][0]:
        assert answer.err.startswith("gosset: error: ")
    assert answer.err.count("\n") == 1
    assert "Traceback" not in answer.err
    for words in CALLS[name][1]:
        assert words in answer.err
    assert "s3cret" not in answer.err


@pytest.mark.parametrize("name", CALLS)
def test_what_was_stored_stays_and_nothing_is_added(name: str, told: dict[str, Answer]) -> None:
    assert told[name].kept
    assert told[name].new == 0


# -- the same as processes of their own


def _runs(workplace: Workplace) -> object:
    return workplace.json("list", "runs")


@pytest.mark.parametrize(
    "name",
    ["no such file", "raises on import", "no option", "parameter of an estimator", "open quote"],
)
def test_a_process_says_it_on_standard_error_and_exits_with_2(lab: Workplace, name: str) -> None:
    words, expected = CALLS[name]
    done = lab.gosset(*words, code=2)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    for words_expected in expected:
        assert words_expected in done.stderr


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["run", "goood.py"], "NotFoundError"),
        (["list", "runs", "status = 1"], "FilterError"),
        (["list", "runs", "--limitt", "1"], "NoSuchOption"),
    ],
)
def test_with_json_the_error_is_json_on_standard_error(
    lab: Workplace, words: list[str], kind: str
) -> None:
    done = lab.gosset(*words, "--json", code=2)
    assert done.stdout == ""
    error = json.loads(done.stderr)["error"]
    assert error.keys() == {"type", "message", "hint"}
    assert error["type"] == kind
    assert error["message"]
    assert error["hint"]


def test_the_traceback_is_there_for_those_who_ask(lab: Workplace) -> None:
    done = lab.gosset("run", "raises.py", "--debug", code=2)
    assert done.stdout == ""
    assert "Traceback" in done.stderr
    assert 'raises.py", line 1' in done.stderr
    assert done.stderr.splitlines()[-1].startswith("gosset: error: ")


# -- the user's code fails: a failed run, exit code 1

FAILING = """
import threading
import gosset as gs

@gs.stage(outputs=("a", "b"))
def three(): return 1, 2, 3

@gs.stage(outputs=("a", "b"))
def single(): return 1

@gs.stage
def generating(): return (i for i in range(3))

@gs.stage
def opened(): return open("whole.csv")

@gs.stage
def locked(): return threading.Lock()

def missing(run): return {}["key"]

def two_lines(run): raise ValueError("one\\ntwo")

def leaving(run): raise SystemExit(7)

def logging(run): run.log({"loss": "high"})

def keeping(run): run.fields["guard"] = threading.Lock()

def unknown(run): return run.params.rl

def deep(run): return deep(run)

experiments = {
    each.name: gs.Experiment(each.name, stages=[each])
    for each in (three, single, generating, opened, locked)
} | {
    each.__name__: gs.Experiment(each.__name__, steps=[each], parameters={"lr": [1]})
    for each in (missing, two_lines, leaving, logging, keeping, unknown, deep)
}
globals().update({f"e_{name}": experiment for name, experiment in experiments.items()})
"""

FAILURES = {
    "three": ["'three' returned 3 values", "2 outputs: a, b", "one value for each name"],
    "single": ["'single' returned int", "2 outputs: a, b", "as a tuple"],
    "generating": ["'generating'", "a generator cannot be kept", "return a list"],
    "opened": ["'opened'", "an open file", "return its path or its content"],
    "locked": ["'locked'", "a lock cannot be kept", "leave it out"],
    "missing": ["KeyError: 'key'", "failing.py:", "in missing"],
    "two_lines": ["ValueError: one two", "in two_lines"],
    "leaving": ["SystemExit: 7", "in leaving"],
    "logging": ["metric 'loss' is not a number", "run.fields['loss']"],
    "keeping": ["fields['guard']: a lock cannot be kept", "leave it out"],
    "unknown": ["no value 'rl'", "known: lr"],
    "deep": ["RecursionError", "in deep"],
}


@pytest.fixture(scope="module")
def failed(lab: Workplace) -> dict[str, Answer]:
    lab.write("failing.py", FAILING)
    calls = {name: ["run", f"failing.py::{name}"] for name in FAILURES}
    return answers(lab, calls)


@pytest.mark.parametrize("name", FAILURES)
def test_code_that_fails_is_a_failed_run_with_exit_code_1(
    name: str, failed: dict[str, Answer]
) -> None:
    answer = failed[name]
    assert answer.code == 1, answer
    (line,) = [each for each in answer.out.splitlines() if each.startswith("failed: ")]
    for words in FAILURES[name]:
        assert words in line
    assert "Traceback" not in answer.out + answer.err
    assert answer.kept
    assert answer.new == 1


def test_a_failing_process_keeps_its_traceback_in_the_store(lab: Workplace) -> None:
    lab.write("failing.py", FAILING)
    document = lab.json("run", "failing.py::two_lines", code=1)
    assert document["status"] == "failed"
    shown = lab.json("show", document["runs"][0]["id"])
    assert shown["exception"]["message"] == "one\ntwo"
    assert "in two_lines" in shown["exception"]["traceback"]


WORKERS = """
import os, threading
import gosset as gs

def ends(run): os._exit(3)

guard = threading.Lock()

def make(captured):
    @gs.stage
    def captive(): return str(captured)
    return captive

ending = gs.Experiment("ending", steps=[ends])
capturing = gs.Experiment("capturing", stages=[make(guard)])
"""


def test_what_cannot_travel_to_a_worker_or_ends_it(lab: Workplace) -> None:
    lab.write("workers.py", WORKERS)
    done = lab.gosset("run", "workers.py::ending", "--on", "processes", code=1)
    assert "WorkerLostError: the worker died" in done.stdout
    assert "Traceback" not in done.stderr
    done = lab.gosset("run", "workers.py::capturing", "--on", "processes", code=2)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "stages['captive'].function.captured (_thread.lock)" in done.stderr
    assert "make it inside the function" in done.stderr


# -- names that are odd and not wrong

ODD = {
    "emoji": "🎉é",
    "markup": "[red]x[b]",
    "path": "..",
    "quote": 'it\'s "so"',
    "long": "n" * 250,
}


def test_odd_names_are_kept_shown_on_one_line_and_never_become_paths(
    new_workplace: Callable[..., Workplace],
) -> None:
    workplace = new_workplace()
    workplace.write(
        "odd.py",
        f"import gosset as gs\nfor number, name in enumerate({list(ODD.values())!r}):\n"
        "    globals()[f'e{number}'] = gs.Experiment(\n"
        "        name, project=name, steps=[lambda run: run.log({'a': 1})], parameters={'[b]p': 1}\n"
        "    )\n",
    )
    calls = {
        "run": ["run", "odd.py", "--json"],
        "runs": ["list", "runs"],
        "json": ["list", "runs", "--json"],
        "csv": ["list", "experiments", "--csv"],
        **{key: ["show", f"{name}#1"] for key, name in ODD.items()},
    }
    told = answers(workplace, calls)
    assert [answer.code for answer in told.values()] == [0] * len(told), told
    assert sorted(run["experiment"] for run in json.loads(told["json"].out)) == sorted(ODD.values())
    assert told["runs"].out.count("\n") == 1 + len(ODD)
    assert "[red]x[b]" in told["runs"].out
    written = {path.name for path in Path(workplace.folder).iterdir()}
    assert written == {"odd.py", ".gosset"}


@pytest.mark.parametrize(
    "name", ["n" * 10_000, "a\0b", "\ud800", "", "  ", "two\nlines", "../../etc", "a#1"]
)
def test_names_that_cannot_be_kept_are_refused(name: str, workplace: Workplace) -> None:
    workplace.write(
        "odd.py",
        f"import gosset as gs\ne = gs.Experiment({name!r}, steps=[lambda run: None])\n",
    )
    told = answers(workplace, {"run": ["run", "odd.py"], "list": ["list", "runs"]})
    assert told["run"].code == 2
    assert told["run"].err.count("\n") == 1
    assert len(told["run"].err) < 400
    assert told["run"].new == 0
