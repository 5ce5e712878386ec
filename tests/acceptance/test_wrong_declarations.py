"""What wrong input gets in Python: an error of Gosset's tree, before anything is written."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import KFold
from sklearn.svm import SVC

import gosset as gs
from gosset.exceptions import (
    DatasetError,
    ExecutionError,
    FingerprintError,
    GossetError,
    MetricError,
    ParameterError,
    PipelineError,
    SettingsError,
    SplitError,
    UsageError,
)

X = np.arange(80.0).reshape(40, 2)
Y = np.arange(40) % 2
FRAME = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "y": Y})


def scored(**options: Any) -> gs.Experiment:
    declared: dict[str, Any] = {"dataset": (X, Y), "estimator": SVC(), "splits": 2}
    return gs.Experiment("e", **{**declared, **options})


def staged(*functions: Callable[..., Any], **options: Any) -> gs.Experiment:
    return gs.Experiment("s", stages=[gs.stage(f) for f in functions], **options)


def named(name: str, **options: Any) -> gs.Experiment:
    return gs.Experiment(name, steps=[nothing], **options)


def stepped(step: Callable[..., Any], **options: Any) -> gs.Experiment:
    return gs.Experiment("t", steps=[step], **options)


def nothing(run: Any) -> None:
    """Do nothing."""


def raises(*_: Any) -> Any:
    raise OSError("on fire\nreally")


def egg(hen: Any) -> None: ...


def hen(egg: Any) -> None: ...


def raw() -> int:
    return 1


RAW = gs.stage(raw)


def truth() -> list[float]:
    return [1.0, 2.0]


def eaten(rwa: Any) -> None: ...


def pair(a: Any, b: Any) -> None: ...


def guarded(guard: Any = threading.Lock()) -> None: ...  # noqa: B008


class NoEstimator:
    """Has no fit."""


class Demanding:
    """An estimator that cannot be made without an argument."""

    def __init__(self, depth: int) -> None:
        self.depth = depth

    def fit(self, X: Any, y: Any) -> None: ...


def declared_by(function: Callable[..., Any], **options: Any) -> gs.Experiment:
    return gs.Project("P").experiment(dataset=(X, Y), **options)(function)


def forgotten() -> None: ...


def execute(experiment: gs.Experiment, **options: Any) -> Callable[[], Any]:
    return lambda: experiment.execute(**{"store": "memory://", "executor": "inline", **options})


# What is declared, the error, and what its message and its hint have to say.
DECLARATIONS: dict[str, tuple[Callable[[], Any], type[GossetError], str, str]] = {
    "parameter": (lambda: scored(parameters={"SVC.Cc": 1}), ParameterError, "'SVC.Cc'", "'SVC.C'"),
    "vary": (execute(scored(), vary={"gama": 1}), ParameterError, "'gama'", "'gamma'"),
    "vary a step": (
        execute(stepped(nothing, parameters={"lr": 1}), vary={"lrr": 1}),
        ParameterError, "'lrr'", "'lr'",
    ),
    "no alternatives": (lambda: scored(parameters={"C": []}), ParameterError, "'C'", "leave it out"),
    "no sets": (lambda: scored(parameters=[]), ParameterError, "no parameter set", "None"),
    "sets of text": (lambda: scored(parameters=["C"]), ParameterError, "set 0 is str", "mapping"),
    "parameters as text": (lambda: scored(parameters="C"), ParameterError, "str", "mapping"),
    "parameter as a lock": (
        lambda: stepped(nothing, parameters={"l": [threading.Lock()]}),
        FingerprintError, "parameters['l']", "__gosset_identity__",
    ),
    "metric": (lambda: scored(metrics=["acuracy"]), MetricError, "'acuracy'", "'accuracy'"),
    "metrics as text": (lambda: scored(metrics="accuracy"), UsageError, "'accuracy'", "metrics=[…]"),
    "metric as number": (lambda: scored(metrics=[3]), MetricError, "not 3", "metrics list"),
    "metric of classes": (
        lambda: scored(dataset=(X, X[:, 0] * 1.5), estimator=Ridge(), metrics=["accuracy"]),
        MetricError, "accuracy is a metric of classification", "for regression use",
    ),
    "metric of numbers": (lambda: scored(metrics=["rmse"]), MetricError, "rmse", "use accuracy"),
    "metric of what no stage gives": (
        lambda: staged(raw, metrics=["accuracy"]),
        MetricError, "accuracy needs 'truth' and 'predicted', which no stage gives", "outputs=('tr",
    ),
    "metric of predictions alone": (
        lambda: staged(truth, metrics=["train/rmse"]),
        MetricError, "train/rmse needs 'predicted', which no stage gives", "outputs=('predicted',)",
    ),
    "metric of clusters": (
        lambda: staged(raw, metrics=["silhouette"]), MetricError, "silhouette needs", "outputs=",
    ),
    "stage as metric": (
        lambda: staged(raw, metrics=["raw"]), MetricError, "stage 'raw' gives, which is no metric", "@gosset.metr",
    ),
    "stage itself as metric": (
        lambda: gs.Experiment("s", stages=[RAW], metrics=[RAW]),
        MetricError, "stage 'raw' gives, which is no metric", "@gosset.metric",
    ),
    "no probabilities": (
        lambda: scored(estimator=LinearRegression(), task="classification", metrics=["log_loss"]),
        MetricError, "log_loss needs probabilities", "",
    ),
    "task": (lambda: scored(task="classificaton"), UsageError, "'classificaton'", "'classification'"),
    "negative seed": (lambda: scored(seed=-1), UsageError, "-1 is no seed", "from 0"),
    "seed True": (lambda: scored(seed=True), UsageError, "True is no seed", "whole number"),
    "seed as text": (lambda: scored(seed="1"), UsageError, "'1' is no seed", "whole number"),
    "huge seed": (lambda: scored(seed=2**32), UsageError, "is no seed", "2**32 - 1"),
    "half a seed": (execute(scored(), seeds=1.5), UsageError, "1.5 is no seed", "whole number"),
    "seed twice": (lambda: scored(seeds=[1, 1]), UsageError, "seed 1 is there twice", "once"),
    "seeds as number": (
        lambda: scored(seeds=3), UsageError, "seeds=3 may mean one seed or several",
        "seed=3 for the one, seeds=range(3)",
    ),
    "seed and seeds": (lambda: scored(seed=3, seeds=[1]), UsageError, "both seed= and", "one of them"),
    "seed 0 and seeds": (lambda: scored(seed=0, seeds=[1]), UsageError, "both seed= and", "one of"),
    "no seeds": (lambda: scored(seeds=[]), UsageError, "no seeds", "seeds=[0]"),
    "no estimator": (lambda: scored(estimator=NoEstimator()), UsageError, "NoEstimator", "has fit"),
    "name of one": (lambda: scored(estimator="SVC"), UsageError, "str is no estimator", "has fit"),
    "class of one": (lambda: scored(estimator=Demanding), UsageError, "Demanding() raises", "make"),
    "factory": (lambda: scored(estimator=lambda: raises()), UsageError, "on fire really", "see "),
    "factory of None": (lambda: scored(estimator=lambda: None), UsageError, "None", "return the"),
    "decorated None": (lambda: declared_by(forgotten), UsageError, "forgotten() returned None", "return the"),
    "evaluator": (lambda: scored(evaluator=3), UsageError, "evaluator= is 3", "function"),
    "preprocess": (lambda: scored(preprocess=3), UsageError, "preprocess= is 3", "function"),
    "evaluator of stages": (
        lambda: staged(raw, evaluator=pair), UsageError, "evaluator= goes with estimator=", "a stage",
    ),
    "evaluator of made stages": (
        lambda: declared_by(lambda: [gs.stage(raw)], evaluator=pair),
        UsageError, "evaluator= goes with estimator=", "a stage",
    ),
    "preprocess of steps": (
        lambda: stepped(nothing, preprocess=raw), UsageError, "preprocess= goes with estim", "a step",
    ),
    "task of stages": (lambda: staged(raw, task="regression"), UsageError, "task= goes with", "stage"),
    "splits of steps": (
        lambda: stepped(nothing, dataset=(X, Y), splits=3), UsageError, "on folds", "or stages=",
    ),
    "config": (lambda: scored(config=[1]), UsageError, "config= is a list", "mapping"),
    "config as a lock": (
        lambda: stepped(nothing, config={"l": threading.Lock()}),
        FingerprintError, "config['l']", "__gosset_identity__",
    ),
    "default as a lock": (
        lambda: staged(guarded), FingerprintError, "'guarded', parameters['guard']", "__gosset",
    ),
    "project": (lambda: scored(project=3), UsageError, "project= is 3", "gosset.Project"),
    "lengths": (lambda: scored(dataset=(X, Y[:9])), DatasetError, "9 y for 40 rows", "for each row"),
    "NaN": (
        lambda: scored(dataset=(X, np.where(Y, np.nan, 1.0))),
        DatasetError, "20 missing values, the first in row 1", "fill them in",
    ),
    "no rows": (lambda: scored(dataset=(X[:0], Y[:0])), DatasetError, "no rows", "look at"),
    "no columns": (lambda: scored(dataset=(X[:, :0], Y)), DatasetError, "no features", "(40, 0)"),
    "columns twice": (
        lambda: scored(dataset=pd.DataFrame(np.zeros((4, 2)), columns=["a", "a"])),
        DatasetError, "column 'a' is there twice", "rename",
    ),
    "target": (
        lambda: scored(dataset=gs.datasets.from_frame(FRAME, target="Y", name="d")),
        DatasetError, "no column 'Y'", "did you mean 'y'?",
    ),
    "no target": (
        lambda: scored(dataset=gs.datasets.from_frame(FRAME, name="d")),
        DatasetError, "classification needs", "'a', 'b', 'y'",
    ),
    "data of None": (lambda: scored(dataset=lambda: None), DatasetError, "NoneType", "DataFrame"),
    "data that raise": (lambda: scored(dataset=raises_data), DatasetError, "on fire really", "see "),
    "data of arguments": (lambda: scored(dataset=pair), DatasetError, "argument 'a'", "default"),
    "data as number": (lambda: scored(dataset=5), DatasetError, "int is no dataset", "DataFrame"),
    "datasets alone": (lambda: scored(datasets=3), UsageError, "datasets= is 3", "datasets=[…]"),
    "datasets alike": (
        lambda: staged(raw, datasets=[gs.datasets.from_frame(FRAME, name="d")] * 2),
        UsageError, "'d'", "another one",
    ),
    "one fold": (lambda: scored(splits=1), SplitError, "1 folds", "2 or more"),
    "folds in words": (lambda: scored(splits="kfolds"), SplitError, "'kfolds'", "'kfold'"),
    "many folds": (lambda: scored(splits=41), SplitError, "41 folds of 40 rows", "smaller"),
    "many foreign": (lambda: scored(splits=KFold(41)), SplitError, "KFold", "other settings"),
    "leaking": (lambda: scored(splits=[([0, 1], [1, 2])]), SplitError, "row 1 is in train", "one part"),
    "out of range": (lambda: scored(splits=[([0], [99])]), SplitError, "row 99", "from 0 to 39"),
    "empty part": (lambda: scored(splits=[([0], [])]), SplitError, "test: no rows", "40 rows"),
    "no folds": (lambda: scored(splits=[]), SplitError, "no folds", "at least one"),
    "drawn folds that raise": (
        lambda: scored(splits=KFold(41).split(X)), SplitError, "splits= raises ValueError", "",
    ),
    "split that raises": (lambda: scored(splits=lambda X: raises()), SplitError, "on fire", "see "),
    "split of None": (lambda: scored(splits=lambda X: None), SplitError, "NoneType", "return"),
    "splits of nothing": (lambda: staged(raw, splits=3), UsageError, "no dataset", "dataset=…"),
    "no way": (
        lambda: gs.Experiment("e").execute(),
        UsageError,
        "does not say what is carried out",
        "estimator=, stages= or steps=",
    ),
    "two ways": (lambda: stepped(nothing, estimator=SVC()), UsageError, "2 ways", "one of estimator="),
    "no stages": (lambda: gs.Experiment("e", stages=[]), UsageError, "stages= is empty", "at least"),
    "no steps": (lambda: gs.Experiment("e", steps=[]), UsageError, "steps= is empty", "at least"),
    "a stage alone": (lambda: gs.Experiment("e", stages=gs.stage(raw)), UsageError, "Stage", "[…]"),
    "a function": (lambda: gs.Experiment("e", stages=[raw]), UsageError, "'raw'", "@gosset.stage"),
    "a number": (lambda: gs.Experiment("e", steps=[3]), UsageError, "3 is no step", "def train(run)"),
    "a step of two": (lambda: stepped(pair), UsageError, "'pair' takes", "def train(run)"),
    "stages alike": (lambda: staged(raw, raw), PipelineError, "two stages are named 'raw'", "name="),
    "a cycle": (lambda: staged(hen, egg), PipelineError, "hen → egg → hen", "rename"),
    "what nothing gives": (lambda: staged(raw, eaten), PipelineError, "needs 'rwa'", "'raw'?"),
    "empty name": (lambda: gs.Experiment(" ", steps=[nothing]), UsageError, "needs a name", "text"),
    "number as name": (lambda: gs.Experiment(3, steps=[nothing]), UsageError, "3", "text"),  # type: ignore[arg-type]
    "zero in a name": (lambda: gs.Experiment("a\0", steps=[nothing]), UsageError, r"'\x00'", "leave"),
    "number in a name": (lambda: named("a#1"), UsageError, "'a#1' of an experiment holds '#'", "'a-1'"),
    "slash in a name": (lambda: named("a/b"), UsageError, "holds '/'", "'a-b'"),
    "colons in a name": (lambda: named("a::b"), UsageError, "holds '::'", "'a-b'"),
    "line in a name": (lambda: named("a\nb"), UsageError, "a line break", "'a b'"),
    "space before a name": (lambda: named(" a"), UsageError, "begins or ends with a space", "'a'"),
    "name of the newest": (lambda: named("latest"), UsageError, "the newest", "'experiment-latest'"),
    "digits as name": (lambda: named("12"), UsageError, "a number", "'experiment-12'"),
    "slash in a project": (lambda: gs.Project("a/b"), UsageError, "a project holds '/'", "'a-b'"),
    "project by name": (lambda: named("a", project="b#1"), UsageError, "a project holds", "'b-1'"),
    "misspelled option": (
        lambda: named("a", metric=["accuracy"]), UsageError, "no option 'metric'", "did you mean 'metrics'?",
    ),
    "misspelled for a project": (
        lambda: declared_by(raw, metric=["accuracy"]), UsageError, "no option 'metric'", "'metrics'?",
    ),
    "option of a project": (
        lambda: gs.Project("P", desc="x"), UsageError, "a project has no option 'desc'", "'description'",  # type: ignore[call-arg]
    ),
    "no text as its name": (lambda: gs.Experiment("", steps=[nothing]), UsageError, "needs a name", "give a text"),
    "dataset by position": (
        lambda: gs.Experiment("a", 3, steps=[nothing]), UsageError, "was given 3 without", "OPTION=",  # type: ignore[arg-type, call-arg]
    ),
    "name twice": (
        lambda: gs.Experiment("a", name="b", steps=[nothing]), UsageError, "given 'a' without", "name",  # type: ignore[misc]
    ),
    "name for a decorator": (
        lambda: gs.Project("P").experiment("a"), UsageError, "not by 'a'", "name='…'",  # type: ignore[call-overload]
    ),
    "project of a project": (
        lambda: declared_by(raw, project="Q"), UsageError, "project= is what the decorator", "leave it",
    ),
    "name of a project": (lambda: gs.Project(""), UsageError, "a project needs a name", "text"),
    "executor": (execute(scored(), executor="proceses"), UsageError, "'proceses'", "'processes'"),
    "no jobs": (execute(scored(), jobs=0), SettingsError, "jobs is 0", "1 or more"),
    "no time": (execute(scored(), timeout=0), UsageError, "timeout=0", "more than 0"),
    "time in words": (execute(scored(), timeout="1 s"), UsageError, "timeout='1 s'", "seconds"),
    "time inline": (execute(scored(), timeout=1), UsageError, "inline", "processes"),
    "store of no kind": (execute(scored(), store="mysql://a:s3cret@b/c"), UsageError, "mysql", "sqlite"),
    "path as store": (execute(scored(), store=Path("lab.db")), UsageError, "Path", "sqlite:///lab.db"),
    "number as store": (execute(scored(), store=3), UsageError, "int", "sqlite:///"),
}  # fmt: skip


def raises_data() -> Any:
    return raises()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@pytest.mark.parametrize("case", DECLARATIONS)
def test_a_wrong_declaration_is_refused_before_anything_is_written(case: str) -> None:
    declare, kind, said, mend = DECLARATIONS[case]
    store = gs.open_store("memory://")
    with pytest.raises(kind) as caught:
        declare().execute(store=store, executor="inline", progress=False)
    error = caught.value
    assert isinstance(error, ValueError | TypeError)  # as Python's own errors of this kind are
    assert said in error.message
    assert mend in error.hint
    assert "\n" not in str(error)
    assert "s3cret" not in str(error)
    for entities in ("projects", "datasets", "launches", "runs"):
        assert store.catalog.count(entities) == 0


def test_the_error_of_the_users_own_code_stays_reachable() -> None:
    with pytest.raises(SplitError) as caught:
        scored(splits=lambda X: raises()).execute(store="memory://", executor="inline")
    assert isinstance(caught.value.__cause__, OSError)
    assert f"{Path(__file__).name}:" in caught.value.hint


def test_raise_for_status_names_the_first_run_that_failed() -> None:
    def picky(run: Any) -> None:
        if run.params.n > 1:
            raise ValueError(f"not\n{run.params.n}")

    result = stepped(picky, parameters={"n": [1, 2, 3]}).execute(
        store="memory://", executor="inline", progress=False
    )
    assert [str(run.status) for run in result.runs] == ["complete", "failed", "failed"]
    with pytest.raises(ExecutionError) as caught:
        result.raise_for_status()
    assert caught.value.message == "2 of 3 runs did not complete; t#2: ValueError: not 2"
    assert caught.value.hint == "see gosset show t#2"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dataset": (X, np.zeros(40))}, "number of classes"),
        ({"dataset": (np.where(X > 70, np.nan, X), Y)}, "Input X contains NaN. SVC"),
        ({"parameters": {"C": "much"}}, "'C' parameter of SVC"),
        ({"metrics": ["log_loss"]}, "log_loss needs probabilities"),
    ],
)
def test_what_only_the_estimator_can_tell_fails_the_run_on_one_line(
    options: dict[str, Any], said: str
) -> None:
    result = scored(**options).execute(store="memory://", executor="inline", progress=False)
    assert result.status == "failed"
    with pytest.raises(ExecutionError) as caught:
        result.raise_for_status()
    assert said in caught.value.message
    assert "\n" not in str(caught.value)


def test_numpy_integers_are_seeds() -> None:
    assert scored(seeds=np.arange(3)).seeds == [0, 1, 2]


def test_an_uncaught_error_ends_a_script_with_its_line(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import gosset as gs\ngs.Experiment('e', steps=[])\n")
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("gosset.exceptions.UsageError: experiment 'e': steps= is empty; ")


def test_names_that_are_no_references_are_taken() -> None:
    names = ["[red] 🎉", "a.b", "v 2", "it's 'so'", "latest one", "3rd", "a:b", "Über-3"]
    assert [named(name).name for name in names] == names
    assert [gs.Project(name).name for name in names] == names


def test_an_active_project_that_no_reference_could_name_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GOSSET_PROJECT", "a/b")
    with pytest.raises(UsageError, match="'a/b' of a project holds '/'"):
        named("e").execute(store="memory://", executor="inline", progress=False)


def test_folds_that_were_drawn_once_are_there_for_a_plan_and_a_launch() -> None:
    experiment = scored(splits=KFold(3).split(X), metrics=["accuracy"])
    experiment.plan(store="memory://")
    [run] = experiment.execute(store="memory://", executor="inline", progress=False).runs
    assert len(run.metrics["accuracy"].folds) == 3


def test_a_project_decorates_with_and_without_arguments() -> None:
    project = gs.Project("P")
    bare = project.experiment(lambda: [RAW])
    assert bare.name == "<lambda>"
    assert project.experiment(name="other")(lambda: [RAW]).name == "other"
    assert set(project.experiments) == {"<lambda>", "other"}
