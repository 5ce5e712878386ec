"""What a run is while it is at work: seeds, values, measurements, its log, its own copies."""

import random

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from projects import Heard

import gosset as gs
from gosset.exceptions import UsageError
from gosset.running.logs import LOG_LIMIT


def steps(store, *functions, executor="inline", **options):
    experiment = gs.Experiment("steps", steps=functions, **options)
    return experiment.execute(store=store, executor=executor, progress=False)


# -- seeds


@gs.stage
def drawn(seed):
    return [
        float(np.random.default_rng(seed).random()),
        float(np.random.random()),
        random.random(),
    ]


@gs.stage
def squares(drawn):
    return [x * x for x in drawn]


def test_same_seed_gives_the_same_on_any_number_of_workers(store):
    found = []
    for executor, jobs in (("inline", 1), ("processes", 1), ("processes", 2), ("processes", 4)):
        experiment = gs.Experiment("e", stages=[drawn, squares], seeds=[0, 1, 2, 3])
        result = experiment.execute(
            store=store, executor=executor, jobs=jobs, cache=False, progress=False
        )
        found.append([result.output(run, "squares") for run in result.runs])
    assert found[1:] == found[:1] * 3
    assert len({str(each) for each in found[0]}) == 4


def test_seed_zero_is_a_seed(carry_out):
    result, _ = carry_out(drawn, seeds=[0, 1])
    assert result.runs[0].seed == 0
    assert result.output(result.runs[0], "drawn")[0] == np.random.default_rng(0).random()
    assert result.output(result.runs[0], "drawn") != result.output(result.runs[1], "drawn")


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, True, "1"])
def test_what_is_no_seed_is_refused(carry_out, seed):
    with pytest.raises(UsageError, match="is no seed"):
        carry_out(drawn, seeds=[seed])


def test_every_fold_has_a_seed_of_its_own(carry_out):
    @gs.stage
    def of_fold(fold, seed):
        return seed

    data = (np.arange(12.0).reshape(6, 2), np.arange(6))
    options = {"dataset": data, "splits": gs.splits.kfold(3), "seeds": [0, 1]}
    result, _ = carry_out(of_fold, **options)
    seeds = [result.output(run, "of_fold", fold=f) for run in result.runs for f in range(3)]
    assert len(set(seeds)) == 6
    again, _ = carry_out(of_fold, **options, cache=False)
    assert seeds == [again.output(run, "of_fold", fold=f) for run in again.runs for f in range(3)]


def test_randomness_that_is_not_declared_is_told_and_does_not_depend_on_the_way(carry_out):
    @gs.stage
    def noise(n: int = 1):
        return [n, random.random(), float(np.random.random())]

    result, told = carry_out(noise, seeds=[0, 1])
    assert any(
        "'noise' draws random numbers but does not take `seed`" in w for w in told["warnings"]
    )
    # It is one computation for both seeds, and the same when computed anew.
    assert told["stages"]["noise"] == {"computed": 1, "cached": 1}
    anew, _ = carry_out(noise, seeds=[0], cache=False, executor="processes")
    assert anew.output(anew.runs[0], "noise") == result.output(result.runs[0], "noise")
    other, _ = carry_out(noise, parameters={"n": [2]})
    assert other.output(other.runs[0], "noise")[1:] != result.output(result.runs[0], "noise")[1:]


def test_declared_randomness_is_not_warned_of(carry_out):
    assert carry_out(drawn)[1]["warnings"] == []


def test_stage_leaves_the_generators_of_the_caller_alone(carry_out):
    random.seed(5)
    expected = random.random()
    random.seed(5)
    carry_out(drawn)
    assert random.random() == expected


# -- values of the run


@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_steps_share_vars_and_leave_state_and_fields(store, executor):
    def prepare(run):
        run.vars.numbers = list(range(run.params.n))
        run.fields["first"] = run.params.n

    def add(run):
        run.state.total = sum(run.vars.numbers) * run.config.factor
        run.fields["sum"] = run.state.total
        run.log({"accuracy": run.state.total / 100})
        run.set_tags("added")

    result = steps(
        store, prepare, add, parameters={"n": [3, 4]}, config={"factor": 10}, executor=executor
    )
    assert [run.fields for run in result.runs] == [{"first": 3, "sum": 30}, {"first": 4, "sum": 60}]
    assert [run.metrics["accuracy"].value for run in result.runs] == [0.3, 0.6]
    assert [run.tags for run in result.runs] == [("added",), ("added",)]
    assert [result.states[run.id]["total"] for run in result.runs] == [30, 60]
    assert store.runs("fields.sum > 40") == [result.runs[1]]


def test_vars_of_one_run_are_not_those_of_another(store):
    def first(run):
        assert "mark" not in run.vars
        run.vars.mark = run.number

    def second(run):
        assert run.vars.mark == run.number

    result = steps(store, first, second, parameters={"n": [1, 2, 3]})
    assert {str(run.status) for run in result.runs} == {"complete"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("params", "no value 'misspelled'; known: n"), ("config", "known: none"), ("other", "other")],
)
def test_unknown_names_are_errors(store, name, expected):
    def step(run):
        if name == "other":
            run.other = 1
        getattr(run, name).misspelled  # noqa: B018

    result = steps(store, step, parameters={"n": [1]})
    exception = result.runs[0].exception
    assert exception.type == "AttributeError"
    assert expected in exception.message


def test_parameters_of_a_run_cannot_be_set(store):
    def step(run):
        run.params.n = 2

    assert "cannot be set" in steps(store, step, parameters={"n": [1]}).runs[0].exception.message


def test_field_that_cannot_be_kept_says_where_it_stands_and_what_to_do(store):
    def step(run):
        run.fields["model"] = {"layers": [object()]}

    message = steps(store, step).runs[0].exception.message
    assert "fields['model']['layers'][0]: an object cannot be kept" in message
    assert "log_artifact" in message


# -- measurements


def test_what_a_cached_stage_logged_is_there_again(carry_out):
    calls = []

    @gs.stage(version="1")
    def trained(n: int = 1):
        calls.append(n)
        gs.log({"loss": 1.0 / n})
        gs.current_run().fields["epochs"] = n
        gs.current_run().set_tags("trained")
        return n

    for _ in range(2):
        result, _told = carry_out(trained, parameters={"n": [2, 4]})
        assert [run.metrics["loss"].value for run in result.runs] == [0.5, 0.25]
        assert [run.fields for run in result.runs] == [{"epochs": 2}, {"epochs": 4}]
        assert {run.tags for run in result.runs} == {("trained",)}
    assert calls == [2, 4]
    assert [run.cached for run in result.runs] == [True, True]


def test_logged_on_folds_is_summarised_over_them(carry_out):
    @gs.stage
    def part(fold, n: int = 1):
        gs.log({"loss": n + fold.number})
        return n

    data = (np.arange(12.0).reshape(6, 2), np.arange(6))
    result, _ = carry_out(part, dataset=data, splits=gs.splits.kfold(2), parameters={"n": [1, 2]})
    assert [run.metrics["loss"].folds for run in result.runs] == [(1.0, 2.0), (2.0, 3.0)]


@pytest.mark.parametrize("way", ["metric", "field"])
def test_one_name_for_folds_and_for_the_run_fails_it_and_names_both_stages(carry_out, way):
    def note(name, value):
        if way == "metric":
            gs.log({name: value})
        else:
            gs.current_run().fields[name] = value

    @gs.stage
    def part(fold):
        note("loss", fold.number)
        note("part", fold.number)
        return fold.number

    @gs.stage(over="folds")
    def whole(part):
        note("loss", 0.5)
        return sum(part)

    data = (np.arange(12.0).reshape(6, 2), np.arange(6))
    for _ in range(2):  # also where all of it comes from the cache
        result, _told = carry_out(part, whole, dataset=data, splits=gs.splits.kfold(2))
        [run] = result.runs
        assert str(run.status) == "failed"
        assert run.exception.type == "StageError"
        assert run.exception.message == (
            f"{way} 'loss' comes from stage 'part' on each fold and from stage 'whole' for the "
            "whole run; give one of them another name"
        )
        assert "loss" not in {**run.metrics, **run.fields}
        if way == "metric":
            assert run.metrics["part"].folds == (0.0, 1.0)
        else:
            assert run.fields["part"] == [0, 1]
        assert result.output(run, "whole") == 1


def test_metric_that_is_no_number_is_refused(store):
    def step(run):
        run.log({"accuracy": "high"})

    assert "metric 'accuracy' is not a number" in steps(store, step).runs[0].exception.message


def test_logging_where_no_run_is_active_says_so():
    with pytest.raises(UsageError, match="no run is active"):
        gs.log({"loss": 1.0})


# -- what is printed


@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_what_a_stage_prints_is_kept_with_it_alone(carry_out, store, executor, capsys):
    import logging
    import sys

    @gs.stage
    def one(n: int = 1):
        print("from one", n)  # noqa: T201
        print("to stderr", file=sys.stderr)  # noqa: T201
        logging.getLogger("mine").warning("logged")
        return n

    @gs.stage
    def two(one):
        print("from two")  # noqa: T201
        if one == 2:
            raise ValueError("after it was printed")
        return one

    result, _ = carry_out(one, two, parameters={"n": [1, 2]}, executor=executor)
    logs = {(r.number, c.stage): c.log for r in result.runs for c in store.computations(r)}
    assert "from one 1" in logs[1, "one"]
    assert "to stderr" in logs[1, "one"]
    assert logs[1, "two"] == "from two\n"
    assert logs[2, "two"] == "from two\n"


def test_log_without_end_is_kept_in_head_and_tail(carry_out, store):
    @gs.stage
    def chatty():
        print("the beginning")  # noqa: T201
        for _ in range(3000):
            print("x" * 99)  # noqa: T201
        print("the end")  # noqa: T201
        return 1

    result, _ = carry_out(chatty)
    [computation] = store.computations(result.runs[0])
    assert len(computation.log) < LOG_LIMIT + 100
    assert computation.log.startswith("the beginning\n")
    assert computation.log.endswith("the end\n")
    assert "characters left out" in computation.log


# -- copies


def test_stage_that_changes_its_input_in_place_changes_it_for_nobody(carry_out):
    @gs.stage
    def made():
        return {"list": [1, 2, 3], "array": np.arange(3), "frame": pd.DataFrame({"a": [1, 2]})}

    @gs.stage
    def a_changes(made):
        made["list"].append(4)
        made["array"][0] = 99
        made["frame"].loc[0, "a"] = 99
        return 1

    @gs.stage
    def b_looks(made, a_changes):
        return [made["list"], made["array"].tolist(), made["frame"]["a"].tolist()]

    for executor in ("inline", "processes"):
        result, _ = carry_out(made, a_changes, b_looks, executor=executor, cache=False)
        assert result.output(result.runs[0], "b_looks") == [[1, 2, 3], [0, 1, 2], [1, 2]]


def test_data_cannot_be_changed_for_others(carry_out):
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0, 6.0]})

    @gs.stage
    def a_changes(X):
        X.loc[0, "a"] = 99.0
        X["new"] = 1.0
        return 1

    @gs.stage
    def b_looks(X, a_changes):
        return [list(X.columns), X["a"].tolist()]

    result, _ = carry_out(a_changes, b_looks, dataset=(frame, [0, 1, 0]))
    assert result.output(result.runs[0], "b_looks") == [["a", "b"], [1.0, 2.0, 3.0]]

    @gs.stage
    def writes(X):
        X[0] = 99.0

    result, _ = carry_out(writes, dataset=(np.ones((4, 2)), np.arange(4)))
    assert "read-only" in result.runs[0].exception.message


def test_rows_of_a_fold_cannot_be_changed_for_others(carry_out):
    @gs.stage
    def a_changes(X_train):
        X_train[0] = 99.0
        return 1

    data = (np.ones((4, 2)), np.arange(4))
    result, _ = carry_out(a_changes, dataset=data, splits=gs.splits.kfold(2))
    assert "read-only" in result.runs[0].exception.message


def test_what_a_stage_changes_after_it_returned_does_not_change_the_result(carry_out):
    kept = []

    @gs.stage(version="1")
    def made():
        kept.append([1, 2])
        return kept[-1]

    @gs.stage(version="1")
    def later(made):
        kept[0].append(3)
        return made

    result, _ = carry_out(made, later)
    assert result.output(result.runs[0], "later") == [1, 2]
    assert result.output(result.runs[0], "made") == [1, 2]


def test_what_was_logged_before_a_failure_is_kept(store):
    def step(run):
        run.log({"loss": 0.5})
        run.fields["epoch"] = 3
        raise ValueError("no")

    [run] = steps(store, step).runs
    assert str(run.status) == "failed"
    assert run.metrics["loss"].value == 0.5
    assert run.fields == {"epoch": 3}


@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_parameters_and_config_changed_in_place_are_as_declared_for_all_else(carry_out, executor):
    @gs.stage
    def grown(seed, layers: list = []):  # noqa: B006
        layers.append(seed)
        return len(layers)

    @gs.stage
    def counted(config, params, grown):
        config["seen"].append(grown)
        params["layers"].append(grown)
        return len(config["seen"]), len(params["layers"])

    declared = {"parameters": {"layers": [[1], [2]]}, "seeds": [0, 1], "config": {"seen": []}}
    result, _ = carry_out(grown, counted, **declared, executor=executor, jobs=1)
    assert [result.output(run, "grown") for run in result.runs] == [2] * 4
    assert [result.output(run, "counted") for run in result.runs] == [(1, 2)] * 4


def test_sparse_features_changed_in_place_are_as_declared_for_the_next_stage(carry_out):
    @gs.stage
    def doubled(X):
        X.data *= 2
        return float(X.sum())

    @gs.stage
    def after(X, doubled):
        return float(X.sum())

    features = scipy.sparse.csr_matrix(np.eye(4))
    dataset = gs.datasets.from_arrays(features, np.arange(4), name="sparse")
    result, _ = carry_out(doubled, after, dataset=dataset)
    assert result.output(result.runs[0], "doubled") == 8.0
    assert result.output(result.runs[0], "after") == 4.0


def test_state_of_stages_apart_is_put_together(store):
    @gs.stage(cache=False)
    def left(run):
        run.state.x, run.state.both = 1, "left"

    @gs.stage(cache=False)
    def right(run):
        run.state.y, run.state.both = 2, "right"

    experiment = gs.Experiment("e", stages=[left, right])
    result = experiment.execute(store=store, executor="inline", progress=False)
    assert result.states[result.runs[0].id] == {"x": 1, "y": 2, "both": "right"}


def test_steps_rank_by_the_first_metric_whose_better_end_is_known(store):
    def act(run):
        run.log({"rmse": run.params.k, "own": -run.params.k})

    experiment = gs.Experiment(
        "ranked", steps=[act], parameters={"k": [3, 1, 2]}, metrics=["own", "rmse"]
    )
    result = experiment.execute(store=store, executor="inline")
    assert result.objective == ("rmse", gs.Direction.MINIMIZE)
    assert result.best.params == {"k": 1}
    with pytest.raises(gs.UsageError, match="steps log their metrics"):
        gs.Experiment("wrong", steps=[act], metrics=[max]).plan()


def test_resuming_a_complete_launch_changes_nothing(store):
    experiment = gs.Experiment("whole", steps=[lambda run: None])
    done = experiment.execute(store=store, executor="inline")
    again = experiment.resume(done.launch, store=store)
    assert again.launch == store.catalog.find("launches", done.launch.id)
    assert again.launch.ended == done.launch.ended
    assert len(store.catalog.attempts(done.runs[0].id)) == 1


def test_a_metric_that_no_step_logs_is_told(store):
    def train(run):
        run.log({"accuracy": 0.5})

    heard = Heard()
    experiment = gs.Experiment("misspelt", steps=[train], metrics=["acuracy", "accuracy"])
    experiment.execute(store=store, progress=heard, executor="inline")
    assert heard.warnings == ["no run logged the metric 'acuracy'; did you mean 'accuracy'?"]
