"""Why a computation was or was not taken from the cache."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gosset.entities import (
    CacheEntry,
    Computation,
    ComputationStatus,
    ExceptionInfo,
    Execution,
    Run,
    Status,
)
from gosset.queries.explain import Made, changes_between, explain

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def made(number: int, status: str = "computed", **given: Any) -> Made:
    started = START + timedelta(hours=number)
    key = given.pop("key", f"key-{number}")
    launch = given.pop("launch", number)
    computation = Computation(
        id=str(number),
        launch=f"launch-{launch}",
        run=str(number),
        stage="fit",
        fold=None,
        status=ComputationStatus(status),
        key=key,
        inputs=given.pop("inputs", {"X": "npy:1"}),
        started=started if status == "computed" else None,
        exception=given.pop("exception", None),
    )
    run = Run(
        id=str(number),
        project="P",
        experiment="e",
        execution=1,
        launch=launch,
        number=number,
        name=f"e#{number}",
        status=Status.COMPLETE,
        seed=0,
        group="",
        params={},
        exception=given.pop("run_exception", None),
    )
    parameters = given.pop("parameters", {"lr": 0.1})
    entry = CacheEntry(
        key=str(key),
        recipe="",
        stage="fit",
        parts={"parameters": parameters},
        outputs=(),
        wall=None,
        created=started,
    )
    parts = given.pop("parts", {"helpers.clean": "1"})
    execution = Execution(
        id="x",
        project="P",
        experiment="e",
        number=1,
        fingerprint="",
        code={
            "stages": {"fit": {"parts": parts, "packages": given.pop("packages", {})}},
            "sources": {"helpers.clean": "def clean(x):\n    return x"},
        },
        created=START,
    )
    return Made(computation=computation, run=run, entry=entry, execution=execution, **given)


def test_what_was_cached_names_the_run_that_computed_it() -> None:
    told = explain(made(2, "cached", key="k"), [made(1, key="k")], [])
    assert told.words.startswith("taken from the cache: computed by run e#1 on 2026-01-01")
    assert told.since == "e#1"


def test_what_was_cached_by_a_run_that_is_gone_says_so() -> None:
    told = explain(made(2, "cached"), [], [])
    assert told.words.endswith("by a run that is no longer kept")


def test_work_shared_in_one_launch_says_so() -> None:
    told = explain(made(2, "cached", key="k", launch=1), [made(1, key="k", launch=1)], [])
    assert told.words.endswith("in the same launch")
    told = explain(made(2, "cached", key="k"), [made(1, key="k")], [])
    assert "in the same launch" not in told.words


def test_the_first_time_is_the_first_time() -> None:
    assert explain(made(1), [], []).words == "computed: first time"


def test_a_changed_function_is_named_with_its_file_and_the_nearest_run() -> None:
    earlier = [made(1, parameters={"lr": 9}), made(2), made(3, parameters={"lr": 7})]
    told = explain(made(4, parts={"helpers.clean": "2"}), [], earlier)
    assert told.words.startswith("computed: function `clean` in helpers.py changed since run e#2")
    assert [change.part for change in told.changes] == ["code"]


def test_parameters_inputs_and_packages_are_told_apart() -> None:
    earlier = [made(1, packages={"numpy": "1.26"})]
    later = made(2, packages={"numpy": "2.0"}, parameters={"lr": 0.2}, inputs={"X": "npy:2"})
    told = explain(later, [], earlier)
    assert "package numpy: '1.26' → '2.0'" in told.words
    assert "parameter lr: 0.1 → 0.2" in told.words
    assert "input X changed" in told.words


def test_of_equally_near_runs_the_latest_is_named() -> None:
    told = explain(made(3, parameters={"lr": 5}), [], [made(1), made(2)])
    assert told.since == "e#2"


def test_a_cache_that_was_not_to_be_used_is_the_reason() -> None:
    told = explain(made(2, key="k", cache_used=False), [made(1, key="k")], [])
    assert told.words == "computed: the cache was not to be used"


def test_the_same_done_again_means_that_the_bytes_were_gone() -> None:
    told = explain(made(2, key="k"), [made(1, key="k")], [])
    assert "run e#1 did the same" in told.words
    assert told.words.endswith("but its bytes were gone")


def test_uncached_stages_skipped_and_failed_ones_are_told() -> None:
    assert explain(made(1, key=None), [], []).words == "computed: the stage is not cached"
    assert "nothing that was computed needed it" in explain(made(1, "skipped"), [], []).words
    failure = ExceptionInfo(type="ValueError", message="no")
    assert (
        "what it needs failed" in explain(made(1, "skipped", run_exception=failure), [], []).words
    )
    told = explain(made(1, "failed", exception=failure), [], [])
    assert told.words == "failed with ValueError, not in the cache: first time"


def test_a_sibling_of_the_launch_is_not_what_changed() -> None:
    earlier = [made(1, parts={"helpers.clean": "0"}), made(2, launch=3, parameters={"lr": 9})]
    told = explain(made(3), [], earlier)
    assert told.since == "e#1"
    assert [change.name for change in told.changes] == ["helpers.clean"]
    assert explain(made(3), [], earlier[1:]).since == "e#2"


def test_a_run_with_the_same_parameters_comes_before_one_with_fewer_changes() -> None:
    alike = made(1, parts={"helpers.clean": "0"}, packages={"numpy": "1"})
    other = made(2, parameters={"lr": 9})
    other = replace(other, run=replace(other.run, group="other"))
    assert explain(made(3), [], [alike, other]).since == "e#1"


def test_a_changed_input_is_followed_to_what_changed_first() -> None:
    before, after = made(1, inputs={"features": "npy:1"}), made(4, inputs={"features": "npy:2"})
    producers = {
        "features": (made(1, inputs={"raw": "npy:3"}), made(4, inputs={"raw": "npy:4"})),
        "raw": (made(1), made(4, parts={"helpers.clean": "2"})),
    }
    told = explain(after, [], [before], lambda old, new, name: producers.get(name))
    assert told.words.startswith(
        "computed: input features changed: input raw changed: "
        "function `clean` in helpers.py changed since run e#1 on"
    )
    (change,) = told.changes
    cause = change.to_dict()["cause"]
    assert isinstance(cause, list)
    assert cause[0] == change.cause[0].to_dict()


def test_methods_are_told_with_their_class_and_file() -> None:
    def told(name: str) -> str:
        return explain(made(2, parts={name: "2"}), [], [made(1, parts={name: "1"})]).words

    assert "constant `Tool.prop` in helpers2.py changed" in told("helpers2.Tool.prop")
    assert "`Outer.Inner.run` in lab/tools.py changed" in told("lab.tools.Outer.Inner.run")
    assert "`inner` in lab/tools.py changed" in told("lab.tools.outer.<locals>.inner")


def test_code_in_several_parameters_is_told_in_the_order_of_their_names() -> None:
    names = [f"p{number}" for number in range(9)]

    def reaching(number: int, digest: str) -> Made:
        one = made(number)
        assert one.entry is not None
        reached = {name: {"m.f": {"digest": digest, "heading": "def f():"}} for name in names}
        parts = {**one.entry.parts, "reached": reached}
        return replace(one, entry=replace(one.entry, parts=parts))

    changes = changes_between(reaching(1, "a"), reaching(2, "b"))
    assert [change.parameter for change in changes] == names
