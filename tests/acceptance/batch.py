"""Many calls of ``gosset`` in one process, where a process of its own would add nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workplace import Workplace

_SCRIPT = """
import contextlib, io, json, sys
from gosset.cli import main

def call(words):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    return code, out.getvalue(), err.getvalue()

def runs():
    return json.loads(call(["list", "runs", "--json"])[1] or "[]")

told = {}
before = runs()
for name, words in json.load(open(sys.argv[1])).items():
    code, out, err = call(words)
    after = runs()
    kept = all(run in after for run in before)
    told[name] = [code, out, err, kept, len(after) - len(before)]
    before = after
json.dump(told, sys.__stdout__)
"""


@dataclass(frozen=True)
class Answer:
    """What one call came to, and what became of the runs that were stored before it."""

    code: int
    out: str
    err: str
    kept: bool
    new: int


def answers(workplace: Workplace, calls: Mapping[str, Sequence[str]]) -> dict[str, Answer]:
    """Carry out ``gosset WORDS`` for each of `calls`, one after the other."""
    script = workplace.home / "batch.py"
    script.write_text(_SCRIPT, encoding="utf-8")
    words = workplace.home / "calls.json"
    words.write_text(json.dumps(calls), encoding="utf-8")
    done = workplace.start([sys.executable, "-W", "ignore::ResourceWarning", script, words])
    return {name: Answer(*told) for name, told in json.loads(done.stdout).items()}
