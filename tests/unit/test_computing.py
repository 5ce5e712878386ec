"""Work in a worker: keys are made there, failures are outcomes, logs have an end."""

from dataclasses import replace

import numpy as np
import pytest

from gosset.artifacts.memory import MemoryArtifacts
from gosset.artifacts.values import keep, load
from gosset.entities import ComputationStatus
from gosset.planner.works import (
    LOGGED,
    Collected,
    Constant,
    Held,
    Output,
    RunFacts,
    TaskSpec,
    Work,
    identity_of,
    key_of,
)
from gosset.results.summary import last_user_frame
from gosset.running.computing import WorkerSetup
from gosset.running.logs import LOG_LIMIT, Log
from gosset.stages import stage
from gosset.tracking import current_run, log

FACTS = RunFacts(id="r", number=1, name="e#1", seed=0, params={}, config={})


class Bench:
    """A worker on artifacts in memory."""

    def __init__(self, *stages, candidates=None):
        self.artifacts = MemoryArtifacts()
        self.worker = WorkerSetup(
            stages={each.name: each for each in stages},
            artifacts=self.artifacts,
            candidates=candidates or {},
        )()
        self.sent = []

    def carry_out(self, *works, known=()):
        """Return the outcomes, sent on the way or returned at the end."""
        self.sent = []
        spec = TaskSpec(works=works, known=dict(known))
        last = self.worker(spec, self.sent.append)
        return [outcome for batch in [*self.sent, last] for outcome in batch]

    def values(self, outcome):
        return {a.name: load(a, self.artifacts, trust=True) for a in outcome.outputs}


def work(id, stage, cacheable=True, parameters=(), **inputs):
    return Work(
        id=id,
        stage=stage,
        inputs=inputs,
        parameters=dict(parameters),
        recipe=f"recipe of {stage}",
        cacheable=cacheable,
        seed=0,
        run=FACTS,
    )


@stage
def one():
    return 1


@stage
def plus_one(x):
    return x + 1


@stage
def fails(x):
    log({"loss": 0.5})
    current_run().fields["seen"] = x
    raise ValueError("no")


def constant(value):
    return Constant(f"value:{value}", ("value", value))


def test_chain_passes_values_and_makes_keys_on_the_way():
    bench = Bench(one, plus_one)
    first, second = bench.carry_out(work(0, "one"), work(1, "plus_one", x=Output(0, "one")))
    assert bench.values(second) == {"plus_one": 2}
    assert first.key == key_of("recipe of one", {})
    assert second.inputs == {"x": first.outputs[0].identity}
    assert second.key == key_of("recipe of plus_one", second.inputs)


def test_candidate_of_the_key_is_taken_instead_of_computing():
    anywhere = MemoryArtifacts()
    held = keep("from the cache", "plus_one", anywhere)
    key = key_of("recipe of plus_one", {"x": keep(1, "one", anywhere).identity})
    bench = Bench(
        one,
        plus_one,
        candidates={"recipe of plus_one": {key: Held((held,), ("a.txt",)), "other": Held(())}},
    )
    _, second = bench.carry_out(work(0, "one"), work(1, "plus_one", x=Output(0, "one")))
    assert second.status is ComputationStatus.CACHED
    assert (second.outputs, second.reads) == ((held,), ("a.txt",))


def test_work_after_a_failure_is_skipped_and_work_beside_it_is_not():
    bench = Bench(one, fails, plus_one)
    outcomes = bench.carry_out(
        work(0, "fails", x=constant(1)),
        work(1, "plus_one", x=Output(0, "fails")),
        work(2, "one"),
    )
    assert [str(outcome.status) for outcome in outcomes] == ["failed", "skipped", "computed"]
    assert outcomes[0].exception.message == "no"
    assert outcomes[1].exception is None


def test_what_was_logged_before_a_failure_is_kept_and_not_laid_to_another_stage():
    bench = Bench(one, fails)
    failed, after = bench.carry_out(work(0, "fails", x=constant(1)), work(1, "one"))
    logged = bench.values(failed)[LOGGED]
    told = {name: logged[name] for name in ("metrics", "fields", "tags")}
    assert told == {"metrics": {"loss": 0.5}, "fields": {"seen": 1}, "tags": []}
    assert bench.values(after) == {"one": 1}


def test_field_that_cannot_be_kept_fails_its_stage_and_no_other():
    @stage
    def odd():
        current_run().fields["odd"] = object()

    failed, after = Bench(odd, one).carry_out(work(0, "odd"), work(1, "one"))
    assert "'odd'" in failed.exception.message
    assert failed.outputs == ()
    assert after.status is ComputationStatus.COMPUTED
    assert len(after.outputs) == 1


def test_what_was_done_is_sent_before_anything_that_may_end_the_process():
    bench = Bench(one, plus_one)
    bench.carry_out(work(0, "one"), work(1, "plus_one", x=Output(0, "one")))
    assert [[outcome.work for outcome in batch] for batch in bench.sent] == [[0]]


def test_light_work_is_not_sent_one_by_one():
    light = stage(name="light", light=True)(lambda x: x)
    bench = Bench(one, light)
    bench.carry_out(work(0, "one"), *(work(i, "light", x=Output(0, "one")) for i in range(1, 5)))
    assert bench.sent == []


def test_missing_input_is_named_and_nothing_is_called():
    bench = Bench(plus_one)
    gone = keep(np.zeros(1000), "one", bench.artifacts)
    bench.artifacts.delete(gone.digest)
    [outcome] = bench.carry_out(work(1, "plus_one", x=Output(0, "one")), known={(0, "one"): gone})
    assert outcome.status is ComputationStatus.FAILED
    assert outcome.exception.type.endswith("ArtifactMissingError")
    assert outcome.damaged == (gone.digest,)


def test_aggregate_over_runs_leaves_out_what_is_not_there():
    table = stage(name="table", over="runs")(lambda x, y: [sorted(x), sorted(y)])
    bench = Bench(table)
    known = {(i, "x"): keep(i, "x", bench.artifacts) for i in (0, 2)}
    x = Collected((("a", Output(0, "x")), ("b", Output(1, "x")), ("c", Output(2, "x"))))
    y = Collected((("a", constant(1)), ("b", constant(2)), ("c", constant(3))))
    [outcome] = bench.carry_out(work(9, "table", x=x, y=y), known=known)
    assert bench.values(outcome) == {"table": [["a", "c"], ["a", "c"]]}
    assert outcome.warnings == ("stage 'table' leaves out what failed: b",)
    # The key is that of the smaller collection.
    fewer = Collected((x.values[0], x.values[2]))
    same = identity_of(fewer, {}, lambda output: known[output.work, output.name].identity)
    assert outcome.inputs["x"] == same


def test_aggregate_of_nothing_is_skipped():
    table = stage(name="table", over="runs")(lambda x: 1)
    [outcome] = Bench(table).carry_out(work(9, "table", x=Collected((("a", Output(0, "x")),))))
    assert outcome.status is ComputationStatus.SKIPPED


def test_aggregate_over_folds_is_skipped_where_one_is_missing():
    mean = stage(name="mean", over="folds")(lambda x: 1)
    bench = Bench(mean)
    known = {(0, "x"): keep(0, "x", bench.artifacts)}
    collected = Collected(((0, Output(0, "x")), (1, Output(1, "x"))))
    [outcome] = bench.carry_out(work(9, "mean", x=collected), known=known)
    assert outcome.status is ComputationStatus.SKIPPED


def test_exception_whose_message_cannot_be_made_is_still_an_outcome():
    class OddError(Exception):
        def __str__(self):
            raise RuntimeError

    @stage
    def odd():
        raise OddError

    [outcome] = Bench(odd).carry_out(work(0, "odd"))
    assert outcome.exception.type.endswith("OddError")
    assert "cannot be shown: RuntimeError" in outcome.exception.message


def test_traceback_shows_the_users_code_alone():
    [outcome] = Bench(fails).carry_out(work(0, "fails", x=constant(1)))
    assert "in fails" in outcome.exception.traceback
    assert "gosset/computing.py" not in outcome.exception.traceback


@pytest.mark.parametrize("value", [(n for n in ()), {"handle": open}])
def test_value_that_cannot_be_kept_is_laid_to_the_stage_that_returned_it(value):
    @stage(formats={"odd": "json"} if isinstance(value, dict) else None)
    def odd():
        return value

    [outcome] = Bench(odd).carry_out(work(0, "odd"))
    line = odd.function.__code__.co_firstlineno
    assert last_user_frame(outcome.exception).startswith(f"{__file__}:{line} in ")
    assert "serializers" not in outcome.exception.traceback


def test_group_of_exceptions_is_told_with_its_members_and_where_they_were_raised():
    def attempt(error):
        try:
            raise error
        except ValueError as raised:
            return raised

    @stage
    def several():
        inner = ExceptionGroup("inner", [KeyError("b"), TypeError("c"), OSError("d")])
        raise ExceptionGroup("eg", [inner, attempt(ValueError("a"))])

    [outcome] = Bench(several).carry_out(work(0, "several"))
    assert outcome.exception.line == (
        "ExceptionGroup: eg (2 sub-exceptions): KeyError: 'b'; TypeError: c; OSError: d; …"
    )
    assert last_user_frame(outcome.exception).endswith(" in attempt")
    for line in ("in several", "ValueError: a", "TypeError: c"):
        assert line in outcome.exception.traceback


@pytest.mark.parametrize("pieces", [1, 7, 4096])
def test_log_keeps_head_and_tail_however_it_is_written(pieces):
    text = "".join(f"{i:07d}\n" for i in range(20_000))
    log_ = Log(None)
    for start in range(0, len(text), len(text) // pieces):
        log_.write(text[start : start + len(text) // pieces])
    half = LOG_LIMIT // 2
    dropped = len(text) - LOG_LIMIT
    assert log_.text() == f"{text[:half]}\n… {dropped} characters left out …\n{text[-half:]}"


def test_short_log_is_kept_whole():
    log_ = Log(None)
    print("a", "b", file=log_)
    assert log_.text() == "a b\n"


@pytest.mark.parametrize(
    ("logged", "message"),
    [
        (lambda run: run.log({"m" * 300: 1.0}), "the name of a metric has 300 characters"),
        (lambda run: run.set_tags(""), "'' is no name for a tag"),
        (lambda run: run.fields.__setitem__(5, 1), "5 is no name for a field"),
        (lambda run: run.log({"a\0b": 1.0}), "of a metric holds"),
    ],
)
def test_name_that_the_catalog_cannot_keep_fails_the_stage_alone(logged, message):
    @stage
    def logs(x):
        logged(current_run())
        return x

    [outcome] = Bench(logs).carry_out(work(0, "logs", x=constant(1)))
    assert outcome.status is ComputationStatus.FAILED
    assert message in outcome.exception.message
    assert outcome.outputs == ()


@pytest.mark.parametrize("cache", [True, False])
def test_only_a_stage_that_is_never_shared_reads_the_parameters_of_its_run(cache):
    @stage(cache=cache)
    def reads(x):
        return current_run().params.x

    facts = RunFacts(id="r", number=1, name="e#1", seed=0, params={"x": 2}, config={})
    given = work(0, "reads", cacheable=cache, x=constant(1))
    [outcome] = Bench(reads).carry_out(replace(given, run=facts))
    if cache:
        assert "take params (or run) as an argument" in outcome.exception.message
    else:
        assert outcome.status is ComputationStatus.COMPUTED
