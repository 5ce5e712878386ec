"""Only what is asked for is computed; what is gone or damaged is computed anew."""

import json
import os
import time

import numpy as np
import pandas as pd
import pytest

import gosset as gs
from gosset.planner.plan import Action
from gosset.running.recording import Recorder


@gs.stage
def raw(size: int = 2000):
    return np.arange(float(size))


@gs.stage
def doubled(raw):
    return 2 * raw


@gs.stage
def shifted(doubled, by: float = 1.0):
    return doubled + by


STAGES = (raw, doubled, shifted)
TWO = {"parameters": {"by": [1.0, 2.0]}}


def artifacts(store, result, stage):
    """Return the digests that a stage gave in all runs of a launch."""
    return {
        artifact.digest
        for run in result.runs
        for computation in store.computations(run)
        if computation.stage == stage
        for artifact in computation.outputs
    }


def keys(store, result, stage):
    computations = [c for run in result.runs for c in store.computations(run)]
    return {c.key for c in computations if c.stage == stage}


def delete(store, digests):
    for digest in digests:
        store.artifacts.delete(digest)


def truncate(store, digests):
    for digest in digests:
        path = store.artifacts.path(digest)
        os.truncate(path, path.stat().st_size // 2)


def flip_a_bit(store, digests):
    for digest in digests:
        path = store.artifacts.path(digest)
        data = bytearray(path.read_bytes())
        data[-9] ^= 1
        path.write_bytes(data)


@pytest.fixture
def first(carry_out):
    result, told = carry_out(*STAGES, **TWO)
    assert told["computed"] == ["doubled", "raw", "shifted"]
    return result


def test_second_launch_is_free(first, carry_out):
    result, told = carry_out(*STAGES, **TWO)
    assert told["computed"] == []
    assert result.launch.number == 2
    assert result.output(result.runs[1], "shifted")[3] == 8.0


def test_deleted_intermediates_are_not_remade(first, carry_out, store):
    gone = artifacts(store, first, "raw") | artifacts(store, first, "doubled")
    delete(store, gone)
    _, told = carry_out(*STAGES, **TWO)
    assert told["computed"] == []
    assert told["status"] == "complete"
    assert not any(store.artifacts.contains(digest) for digest in gone)


def test_deleted_target_is_remade_from_what_is_there(first, carry_out, store):
    [lost] = artifacts(store, first, "shifted") - {
        artifact.digest
        for computation in store.computations(first.runs[0])
        for artifact in computation.outputs
    }
    delete(store, [lost])
    _, told = carry_out(*STAGES, **TWO)
    assert told["stages"]["shifted"] == {"computed": 1, "cached": 1}
    assert told["computed"] == ["shifted"]
    assert store.artifacts.contains(lost)


def test_deleted_target_and_intermediate_are_remade_from_where_they_must(first, carry_out, store):
    delete(store, artifacts(store, first, "shifted") | artifacts(store, first, "doubled"))
    _, told = carry_out(*STAGES, **TWO)
    assert told["computed"] == ["doubled", "shifted"]
    assert told["stages"]["shifted"] == {"computed": 2}


@pytest.mark.parametrize("harm", [truncate, flip_a_bit])
@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_damaged_input_is_computed_anew_with_a_warning(first, carry_out, store, harm, executor):
    harm(store, artifacts(store, first, "doubled"))
    new = {"parameters": {"by": [3.0, 4.0]}}
    result, told = carry_out(*STAGES, **new, executor=executor)
    assert told["status"] == "complete"
    assert set(told["runs"].values()) == {"complete"}
    assert told["computed"] == ["doubled", "shifted"]
    assert result.output(result.runs[1], "shifted")[3] == 10.0
    if harm is flip_a_bit:  # a file that is too short is seen before anything is done
        assert any("damaged" in warning for warning in told["warnings"])
    # What was mended stays mended.
    assert carry_out(*STAGES, **new)[1]["computed"] == []


def test_truncated_target_is_computed_anew(first, carry_out, store):
    truncate(store, artifacts(store, first, "shifted"))
    result, told = carry_out(*STAGES, **TWO)
    assert told["computed"] == ["shifted"]
    assert result.output(result.runs[0], "shifted")[3] == 7.0


def test_evicted_entries_are_computed_anew_only_where_they_are_needed(first, carry_out, store):
    store.catalog.evict(keys(store, first, "raw") | keys(store, first, "doubled"))
    assert carry_out(*STAGES, **TWO)[1]["computed"] == []
    store.catalog.evict(keys(store, first, "shifted"))
    assert carry_out(*STAGES, **TWO)[1]["computed"] == ["doubled", "raw", "shifted"]
    assert carry_out(*STAGES, **TWO)[1]["computed"] == []


def test_lost_result_that_comes_out_differently_takes_the_place_of_the_old_one(carry_out, store):
    @gs.stage
    def moment():
        return [time.time_ns()] * 300

    @gs.stage
    def length(moment):
        return len(moment)

    result, _ = carry_out(moment, length)
    delete(store, artifacts(store, result, "moment"))
    store.catalog.evict(keys(store, result, "length"))
    assert carry_out(moment, length)[1]["computed"] == ["length", "moment"]
    result, told = carry_out(moment, length)
    assert told["computed"] == []
    assert len(result.output(result.runs[0], "moment")) == 300


def test_damaged_data_and_folds_are_written_anew(carry_out, store):
    data = (np.arange(4000.0).reshape(2000, 2), np.arange(2000) % 2)
    options = {"dataset": data, "splits": gs.splits.kfold(2)}

    @gs.stage
    def part(X, fold, power: int = 1):
        return float((X[fold.test] ** power).sum())

    carry_out(part, **options)
    for stored in list(store.artifacts.list()):
        flip_a_bit(store, [stored.digest])
    result, told = carry_out(part, parameters={"power": [2]}, **options)
    assert told["status"] == "complete"
    assert any("damaged" in warning for warning in told["warnings"])
    expected = carry_out(part, parameters={"power": [2]}, **options, cache=False)[0]
    for fold in (0, 1):
        assert result.output(result.runs[0], "part", fold=fold) == expected.output(
            expected.runs[0], "part", fold=fold
        )


def test_stage_that_is_not_cached_is_carried_out_every_time(carry_out):
    calls = []

    @gs.stage(cache=False)
    def act(raw):
        calls.append(len(raw))
        return None

    for _ in range(2):
        _, told = carry_out(raw, act, parameters={"size": [3, 4]})
    assert calls == [3, 4, 3, 4]
    assert told["stages"]["raw"] == {"cached": 2}


def test_half_a_write_leaves_nothing_that_counts(first, store):
    # A killed writer leaves a temporary file only: no digest names it.
    written = {stored.digest for stored in store.artifacts.list()}

    def write():
        with store.artifacts.writer() as writer:
            writer.write(b"half of it")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    assert {stored.digest for stored in store.artifacts.list()} == written


def test_garbage_collection_keeps_what_the_cache_needs(first, carry_out, store):
    store.collect_garbage(grace=0.0)
    assert carry_out(*STAGES, **TWO)[1]["computed"] == []


def test_plan_says_what_execute_then_does(first, store):
    def counted(**given):
        experiment = gs.Experiment("e", stages=STAGES, **given)
        plan = experiment.plan(store=store)
        does = {Action.COMPUTE: 0, Action.LOAD: 0, Action.SKIP: 0}
        for place in plan.places:
            does[plan.items[place.item].action] += 1
        result = experiment.execute(store=store, executor="inline", progress=False)
        return does[Action.COMPUTE], does[Action.LOAD] + does[Action.SKIP], result.computations

    computed, spared, computations = counted(parameters={"by": [1.0, 5.0]})
    assert (computed, spared) == (1, 5)
    assert computations["computed"] == 1
    delete(store, artifacts(store, first, "shifted"))
    computed, spared, computations = counted(**TWO)
    assert (computed, spared) == (2, 4)
    assert computations["computed"] == 2


@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_wave_stops_where_the_same_comes_out(carry_out, executor):
    def made(version, offset):
        return gs.stage(name="made", version=version)(lambda n: list(range(n + offset)))

    @gs.stage
    def summed(made):
        return sum(made)

    @gs.stage(over="runs")
    def total(summed):
        return sum(summed.values())

    options = {"parameters": {"n": [2, 3]}, "executor": executor}
    carry_out(made("1", 0), summed, total, **options)
    _, told = carry_out(made("2", 0), summed, total, **options)
    assert told["stages"] == {
        "made": {"computed": 2},
        "summed": {"cached": 2},
        "total": {"cached": 1},
    }
    # Another result in one run only reaches that run, and the aggregate.
    _, told = carry_out(made("3", 1), summed, total, **options)
    assert told["stages"]["summed"] == {"computed": 1, "cached": 1}
    assert told["stages"]["total"] == {"computed": 1}


@gs.stage
def telling(k: int = 1):
    gs.log({"seen": float(k)})
    gs.current_run().fields["story"] = "long " * 500  # too long to lie in the catalog
    return k


@gs.stage
def listening(telling):
    return telling + 1


def forget(store, result):
    """Evict a stage and drop its bytes, as clearing the cache and deleting its run do."""
    store.catalog.evict(keys(store, result, "telling"))
    delete(store, artifacts(store, result, "telling"))


def lose(store, result):
    delete(store, artifacts(store, result, "telling"))


def harm(store, result):
    held = artifacts(store, result, "telling")
    flip_a_bit(store, [digest for digest in held if store.artifacts.contains(digest)])


@pytest.mark.parametrize("trouble", [forget, lose, harm])
def test_what_a_run_logged_is_made_anew_where_it_is_gone(carry_out, store, trouble):
    first, _ = carry_out(telling, listening)
    trouble(store, first)
    result, told = carry_out(telling, listening)
    assert told["status"] == "complete"
    assert told["computed"] == ["telling"]
    assert result.runs[0].metrics["seen"].value == 1.0
    assert result.runs[0].fields["story"].startswith("long")
    assert carry_out(telling, listening)[1]["computed"] == []


def test_score_that_was_evicted_is_made_anew_though_another_rests_on_it(carry_out, store):
    @gs.metric
    def first_score(listening):
        return listening / 2

    @gs.metric
    def second_score(first_score):
        return first_score / 2

    declared = {"metrics": [first_score, second_score]}
    first, _ = carry_out(telling, listening, **declared)
    store.catalog.evict(keys(store, first, "first_score"))
    result, told = carry_out(telling, listening, **declared)
    assert told["computed"] == ["first_score"]
    assert {n: m.value for n, m in result.runs[0].metrics.items()} == {
        "seen": 1.0,
        "first_score": 1.0,
        "second_score": 0.5,
    }


def test_unit_that_is_mended_is_kept_with_the_version_that_is_there(carry_out, store):
    @gs.stage
    def total(X):
        return float(X.sum())

    frame = pd.DataFrame({"width": [1.0, 2.0]})
    for unit in ("cm", "mm"):
        data = gs.datasets.from_frame(frame, name="flowers", units={"width": unit})
        _, told = carry_out(total, dataset=data)
    assert told["computed"] == []
    [kept] = store.select("datasets")
    assert (kept.version, kept.columns[0].unit) == (1, "mm")


@pytest.fixture(params=["together", "one by one"])
def written(request, monkeypatch):
    """Records are written at the end of a launch, or each when it is made."""
    add = Recorder.add

    def add_and_write(recorder, **taken):
        add(recorder, **taken)
        recorder.flush()

    if request.param == "one by one":
        monkeypatch.setattr(Recorder, "add", add_and_write)


def test_evicted_work_that_comes_out_differently_is_that_of_its_run(
    carry_out, store, tmp_path, written
):
    """Runs that came to the same before the cache was cleared may not do so after it."""
    file = tmp_path / "sizes.json"

    @gs.stage
    def drawn(k: int = 1):
        return [k] * json.loads(file.read_text())[k]

    @gs.stage
    def last(drawn):
        return drawn[-1]

    @gs.stage
    def length(drawn):
        return len(drawn)

    @gs.stage
    def half(length):
        return length // 2

    stages = (drawn, last, length, half)
    options = {"parameters": {"k": [1, 2]}}
    file.write_text("[0, 300, 300]")
    carry_out(*stages, **options)
    store.catalog.evict([entry.key for entry in store.select("cache")])
    file.write_text("[0, 300, 400]")
    result, told = carry_out(*stages, **options)
    assert told["computed"] == ["drawn", "half", "last", "length"]
    assert [result.output(run, "half") for run in result.runs] == [150, 200]
    result, told = carry_out(*stages, **options)
    assert told["computed"] == []
    assert [result.output(run, "half") for run in result.runs] == [150, 200]


def test_evicted_work_that_is_made_anew_is_there_however_the_records_are_written(store, written):
    @gs.stage
    def first(n: int = 1):
        return n

    @gs.stage
    def second(first):
        return first + 1

    def launch():
        experiment = gs.Experiment("e", stages=[first, second], parameters={"n": [1, 2, 3]})
        return experiment.execute(store=store, executor="inline").computations

    assert launch()["computed"] == 6
    keys = [entry.key for entry in store.select("cache")]
    assert store.catalog.evict(keys) == 6
    assert launch()["computed"] == 6
    assert launch() == {"computed": 0, "cached": 6, "failed": 0, "skipped": 0}
