"""What counts as a score, and scores over folds that are as large as floats get."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from gosset.artifacts.memory import MemoryArtifacts
from gosset.artifacts.values import keep
from gosset.metrics import metric
from gosset.running.measuring import deviation, mean, measure, number, summarise


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
