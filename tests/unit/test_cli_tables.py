"""What lists and ``gosset show`` say to people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import gosset as gs
from gosset.cli.main import main
from gosset.cli.sections import sections
from gosset.cli.tabulating import fitted, tabulate


def run(number: int = 1, **given: Any) -> dict[str, Any]:
    return {
        "name": f"e#{number}",
        "project": "P",
        "status": "complete",
        "launch": 1,
        "seed": 0,
        "params": {"size": 3000},
        "metrics": {"accuracy": 0.98},
        "metrics_std": {},
        "metrics_folds": {"accuracy": [0.97, 0.99]},
        "started": None,
        "duration": None,
    } | given


def test_what_a_failed_run_measured_is_listed() -> None:
    # A mean over only some of the folds is not kept with a run to begin with.
    runs = [run(1), run(2, status="failed", metrics={"accuracy": 0.5})]
    shown = tabulate("runs", runs).to_dicts()
    assert [row["metrics.accuracy"] for row in shown] == ["0.9800", "0.5000"]
    lines = sections({"number": 1, "runs": runs}).splitlines()
    assert [line.split()[-1] for line in lines[-2:]] == ["0.9800", "0.5000"]


def test_none_is_told_from_what_is_not_there() -> None:
    table = tabulate("runs", [run(1, params={"C": None}), run(2, params={})])
    position = table.headers().index("params.C")
    assert [line[position] for line in table.shown()] == ["None", "–"]
    assert "C  None" in sections(run(params={"C": None}))


def test_runs_of_several_projects_say_which() -> None:
    assert tabulate("runs", [run(1), run(2, project="Q")]).columns[0] == "project"
    assert "project" not in tabulate("runs", [run(1), run(2)]).columns


def test_metrics_are_rounded_as_in_every_table() -> None:
    listed = {"name": "m", "direction": "maximize", "runs": 2}
    numbers = {"minimum": 0.0, "mean": 1 / 3, "maximum": 2e-5}
    (row,) = tabulate("metrics", [listed | numbers]).to_dicts()
    assert [row[name] for name in numbers] == ["0.0000", "0.3333", "2.0000e-05"]


def test_a_parameter_called_size_is_no_number_of_bytes() -> None:
    assert "size  3000" in sections(run())


def test_of_many_packages_the_first_few_are_named() -> None:
    packages = [f"package{n}==1.0" for n in range(8)]
    shown = sections(run(environment={"python": "3.11", "packages": packages}))
    assert "package0==1.0" in shown
    assert "package4==1.0, … 3 more, see --json" in shown


def test_what_stages_printed_is_shown_under_their_names() -> None:
    made = {"stage": "fit", "fold": 1, "status": "computed", "log": "begun\ndone\n"}
    quiet = {"stage": "load", "fold": None, "status": "computed", "log": ""}
    shown = sections(run(computations=[quiet, made]))
    assert shown.partition("LOG\n")[2].startswith("  fit, fold 1\n    begun\n    done")
    assert "LOG" not in sections(run(computations=[quiet]))


def test_the_runs_of_a_launch_are_shown_with_their_metrics() -> None:
    runs = [run(1), run(2, status="failed", metrics={})]
    lines = sections({"number": 1, "runs": runs}).splitlines()
    head = next(line for line in lines if "params" in line)
    assert head.split()[-1] == "accuracy"
    assert [line.split()[-1] for line in lines[-2:]] == ["0.9800", "–"]


def test_columns_that_few_rows_have_are_hidden_where_the_terminal_is_narrow() -> None:
    runs = [
        run(1, params={"a": 1, "k": 1}),
        run(2, params={"a": 2, "k": 2, "long_name": 1}, started="2026-01-31T12:00:00+00:00"),
        run(3, params={"b": "x" * 30, "k": 1}),
    ]
    whole = tabulate("runs", runs)
    assert fitted(whole, 1000) == (whole, [])
    narrow, hidden = fitted(whole, 100)
    assert hidden == ["params.long_name", "params.b"]
    assert "params.a" in narrow.columns
    least, hidden = fitted(whole, 1)
    assert least.columns == ("name", "status", "launch", "seed", "params.k", "metrics.accuracy")
    assert hidden[-2:] == ["started", "duration"]
    assert [row["params.k"] for row in least.to_dicts()] == [1, 2, 1]


@pytest.fixture
def wide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store whose runs have more parameters than a terminal has room for."""
    url = f"sqlite:///{tmp_path}/lab.db"
    monkeypatch.delenv("COLUMNS", raising=False)
    sets = [{f"parameter_{n}": "x" * 20 for n in range(20)}, {}]
    experiment = gs.Experiment("e", steps=[lambda run: None], parameters=sets)
    experiment.execute(store=url, executor="inline", progress=False)
    return url


def test_without_a_terminal_every_column_is_listed(
    wide: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--store", wide, "list", "runs"]) == 0
    shown, said = capsys.readouterr()
    columns = shown.splitlines()[0].split()
    assert {"started", "duration", "params.parameter_19"} <= set(columns)
    assert "not shown" not in said


def test_without_a_terminal_columns_says_how_wide_lists_are(
    wide: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert main(["--store", wide, "list", "runs"]) == 0
    shown, said = capsys.readouterr()
    assert max(map(len, shown.splitlines())) <= 100
    assert "not shown: params.parameter_0, " in said
