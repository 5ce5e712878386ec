"""What counts as a score, and scores over folds that are as large as floats get."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from gosset.artifacts.memory import MemoryArtifacts
from gosset.artifacts.values import keep
from gosset.compare.averages import deviation, mean
from gosset.metrics import metric
from gosset.planner.works import LOGGED
from gosset.running.measuring import measure, number, summarise
from gosset.stages import stage


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.bool_(True), 1.0),
        (np.array(3), 3.0),
        (Decimal("0.5"), 0.5),
        (Fraction(1, 2), 0.5),
        (-(10**400), -math.inf),
    ],
)
def test_real_numbers_of_any_kind_are_scores(value, expected):
    assert number(value) == expected


@pytest.mark.parametrize(
    "value",
    ["0.5", np.str_("a"), np.datetime64("2020-01-01"), 1j, np.complex128(1j), np.zeros(1), None],
)
def test_all_else_is_none(value):
    assert number(value) is None


def test_what_is_no_number_costs_no_other_score():
    @metric
    def label(x):
        return x

    @metric
    def score(x):
        return x

    artifacts = MemoryArtifacts()
    kept = [
        (each, None, (keep(value, each.name, artifacts),))
        for each, value in ((label, np.str_("a")), (score, 1))
    ]
    assert [each.name for each in measure(kept, artifacts).metrics] == ["score"]


def test_deviation_of_huge_scores_is_a_number():
    assert summarise("a", {0: 1e200, 1: 0.0}, "maximize").std == pytest.approx(1e200 / math.sqrt(2))
    assert math.isnan(summarise("a", {0: 1.0, 1: math.nan}, "maximize").std)


def test_mean_of_what_no_float_can_hold_is_no_error():
    assert mean([1e308, 1e308]) == math.inf
    assert math.isnan(mean([math.inf, -math.inf]))
    assert mean([1e16, 1.0, -1e16]) == 1 / 3
    assert math.isnan(deviation([1.0, math.inf]))


# -- one name, one meaning


@stage
def fit():
    pass


@stage
def final():
    pass


@metric
def loss(x):
    return x


def measured(*given):
    """Measure what stages logged, or what metrics returned: (stage, fold, metrics or fields)."""
    artifacts = MemoryArtifacts()
    outputs = []
    for each, fold, value in given:
        if not each.metric:
            value = {"metrics": {}, "fields": {}, "tags": [], **value}
        ended = () if each.metric else (keep(1, each.name, artifacts),)
        name = each.name if each.metric else LOGGED
        outputs.append((each, fold, (*ended, keep(value, name, artifacts))))
    return measure(outputs, artifacts)


BOTH = (
    "{kind} 'loss' comes from stage 'fit' on each fold and from stage 'final' for the whole run; "
    "give one of them another name"
)


@pytest.mark.parametrize("kind", ["metric", "field"])
def test_name_that_is_given_on_folds_and_for_the_run_stands_for_neither(kind):
    of = f"{kind}s"
    given = [(fit, fold, {of: {"loss": 0.5 + fold, "own": 1.0}}) for fold in range(3)]
    found = measured(*given, (final, None, {of: {"loss": 0.1}}))
    assert found.clashes == {"loss": BOTH.format(kind=kind)}
    assert [each.name for each in found.metrics] == (["own"] if kind == "metric" else [])
    assert found.fields == ({"own": 1.0} if kind == "field" else {})
    # In whatever order they come.
    again = measured((final, None, {of: {"loss": 0.1}}), *given)
    assert (
        "stage 'final' for the whole run and from stage 'fit' on each fold" in again.clashes["loss"]
    )


def test_metric_that_another_stage_logs_too_stands_for_neither():
    found = measured((fit, 0, {"metrics": {"loss": 2.0}}), (loss, 0, 1.0))
    assert found.metrics == []
    assert "stage 'fit' on each fold and from stage 'loss' on each fold" in found.clashes["loss"]
    assert measured((loss, None, 1.0), (fit, 0, {"metrics": {"loss": 2.0}})).clashes


def test_metric_and_field_of_one_name_do_not_clash():
    logged = {"metrics": {"loss": 2.0}, "fields": {"loss": "low"}}
    found = measured((fit, None, logged), (final, None, {"fields": {"other": 1}}))
    assert (found.metrics[0].value, found.fields) == (2.0, {"loss": "low", "other": 1})
    assert not found.clashes


def test_the_last_of_several_stages_that_log_a_name_counts():
    found = measured(
        (fit, 0, {"metrics": {"loss": 2.0}}),
        (final, 0, {"metrics": {"loss": 1.0}, "fields": {"n": 1}}),
        (fit, 1, {"metrics": {"loss": 4.0}}),
        (final, 1, {"metrics": {"loss": 3.0}}),
    )
    assert found.metrics[0].folds == (1.0, 3.0)
    assert not found.clashes


def test_fields_of_folds_are_a_list_in_fold_order_unless_they_are_all_the_same():
    given = {2: 30, 0: 10, 1: 20}
    found = measured(
        *((fit, fold, {"fields": {"epochs": n, "kind": "tree"}}) for fold, n in given.items())
    )
    assert found.fields == {"epochs": [10, 20, 30], "kind": "tree"}


# -- folds that are missing


@pytest.mark.parametrize("each", [loss, fit])
def test_metric_that_failed_on_some_folds_is_none_of_the_run(each):
    artifacts = MemoryArtifacts()

    def given(score):
        logged = {"metrics": {"loss": score}, "fields": {}, "tags": []}
        own = keep(score, each.name, artifacts)
        return (own,) if each.metric else (own, keep(logged, LOGGED, artifacts))

    outputs = [(each, fold, given(0.5)) for fold in range(3)]
    assert measure(outputs, artifacts).metrics[0].folds == (0.5, 0.5, 0.5)
    assert measure([*outputs, (each, 3, ())], artifacts).metrics == []


def test_failure_of_a_stage_that_gives_no_score_costs_none():
    artifacts = MemoryArtifacts()
    outputs = [(loss, fold, (keep(0.5, "loss", artifacts),)) for fold in range(2)]
    assert measure([*outputs, (final, 1, ())], artifacts).metrics[0].folds == (0.5, 0.5)


def test_what_a_stage_logged_before_it_failed_is_no_score_of_its_fold():
    artifacts = MemoryArtifacts()
    logged = keep({"metrics": {"loss": 0.5}, "fields": {}, "tags": []}, LOGGED, artifacts)
    ended = (keep(1, "fit", artifacts), logged)
    assert measure([(fit, 0, ended), (fit, 1, ended)], artifacts).metrics[0].folds == (0.5, 0.5)
    found = measure([(fit, 0, ended), (fit, 1, (logged,))], artifacts)
    assert (found.metrics, found.partial) == ([], ())
    # Of a run without folds it is what there is.
    assert measure([(fit, None, (logged,))], artifacts).metrics[0].value == 0.5


def test_metric_that_is_logged_on_some_folds_only_is_told_and_none_of_the_run():
    given = [(fit, fold, {"metrics": {"all": 1.0, **more}}) for fold, more in SOME.items()]
    found = measured(*given)
    assert [each.name for each in found.metrics] == ["all"]
    (told,) = found.partial
    assert told.startswith("metric 'loss' is not logged on fold 1: ")
    # Another stage may log it there.
    found = measured(*given, (final, 1, {"metrics": {"loss": 10.0}}))
    assert {each.name: each.folds for each in found.metrics}["loss"] == (0.0, 10.0, 20.0)
    assert found.partial == ()


SOME = {0: {"loss": 0.0}, 1: {}, 2: {"loss": 20.0}}


def test_field_that_is_missing_on_a_fold_leaves_its_place_empty_unless_all_are_the_same():
    given = {0: {"epochs": 10, "kind": "tree"}, 1: {}, 2: {"epochs": 30, "kind": "tree"}}
    found = measured(*((fit, fold, {"fields": fields}) for fold, fields in given.items()))
    assert found.fields == {"epochs": [10, None, 30], "kind": "tree"}
