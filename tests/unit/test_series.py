"""Series: down-sampled to what a chart needs, and read back as arrays."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gosset.exceptions import UsageError
from gosset.reading import Series
from gosset.series import Points, pack, summarise
from gosset.series.downsampling import METHODS, chosen

VALUES = st.lists(st.floats(width=64), min_size=1, max_size=300)
POINTS = st.integers(4, 60)


def of(values: list[float], **given: object) -> Series:
    steps = given.get("steps", list(range(len(values))))
    times = given.get("times", list(range(len(values))))
    return Series.of("run", "loss", [pack(Points(steps, values, times))])  # type: ignore[arg-type]


@pytest.mark.parametrize("method", METHODS)
@given(values=VALUES, points=POINTS)
@settings(max_examples=80, deadline=None)
def test_what_is_kept_are_points_of_the_series_in_order_with_both_ends(
    method: str, values: list[float], points: int
) -> None:
    whole = of(values)
    few = whole.downsample(points, method)
    assert len(few) == len(set(few.steps.tolist())) <= max(points, 4)
    assert (np.diff(few.steps) > 0).all()
    assert repr(few.values.tolist()) == repr([values[step] for step in few.steps])
    assert few.times.tolist() == whole.times[few.steps].tolist()
    assert (few.steps[0], few.steps[-1]) == (0, len(values) - 1)
    if len(values) <= points:
        assert len(few) == len(values)
    elif method == "lttb":
        assert len(few) == points


@given(values=VALUES, points=POINTS)
@settings(max_examples=80, deadline=None)
def test_the_lowest_and_the_highest_are_never_lost(values: list[float], points: int) -> None:
    numbers = [value for value in values if not math.isnan(value)]
    kept = [v for v in of(values).downsample(points, "minmax").values.tolist() if v == v]
    assert min(kept, default=None) == min(numbers, default=None)
    assert max(kept, default=None) == max(numbers, default=None)


def test_triangles_keep_the_corners_of_a_line() -> None:
    values = [0.0] * 40 + [1.0] * 20 + [0.0] * 40
    kept = set(of(values).downsample(12, "lttb").steps.tolist())
    assert kept & {39, 40}
    assert kept & {59, 60}


def test_uneven_steps_and_huge_integers_are_drawn_as_they_are() -> None:
    values = [10**400, *range(20), -(10**400)]
    steps = [1000 * n * n for n in range(22)]
    few = of(values, steps=steps).downsample(6, "minmax")  # type: ignore[arg-type]
    assert (few.values[0], few.values[-1]) == (10**400, -(10**400))
    assert set(few.steps.tolist()) <= set(steps)


def test_too_few_points_and_other_methods_are_refused() -> None:
    with pytest.raises(UsageError, match="cannot be told in 3 points; take 4"):
        of([1.0] * 9).downsample(3)
    with pytest.raises(UsageError, match="did you mean 'minmax'"):
        of([1.0] * 9).downsample(5, "minmx")
    assert chosen(np.arange(0), np.empty(0), 4, "lttb").tolist() == []


def test_huge_integers_of_both_signs_have_a_summary() -> None:
    told = summarise(Points([0, 1], [10**400, -(10**400)], [0, 0]))
    assert (told.minimum, told.maximum, told.last) == (-math.inf, math.inf, -(10**400))
    mixed = summarise(Points([0, 1], [10**400, -math.inf], [0, 0]))
    assert math.isnan(mixed.total)


STEPS = st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 3)), min_size=1, max_size=40)


@given(points=STEPS)
def test_points_are_sorted_by_step_then_time_and_else_stay_as_logged(
    points: list[tuple[int, int]],
) -> None:
    steps, times = (list(column) for column in zip(*points, strict=True))
    values = [float(position) for position in range(len(points))]
    series = of(values, steps=steps, times=times)
    order = sorted(range(len(points)), key=lambda at: points[at])
    assert series.values.tolist() == [values[at] for at in order]
    assert series.steps.tolist() == [steps[at] for at in order]


def test_a_million_points_are_unpacked_and_thinned_out_in_an_instant() -> None:
    steps = np.arange(10_000)
    chunks = []
    for number in range(100):
        at = (steps + 10_000 * number).tolist()
        chunks.append(pack(Points(at, [float(s % 97) for s in at], at)))
    start = time.process_time()
    series = Series.of("run", "loss", chunks)
    unpacked = time.process_time() - start
    few = series.downsample(1000, "lttb")
    assert (len(series), len(few)) == (1_000_000, 1000)
    assert unpacked < 0.2
    assert time.process_time() - start < 1
