"""Series as a few characters."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import gosset as gs
from gosset.cli import sparkline as drawing
from gosset.cli.sparkline import sparkline, sparklines

LARGEST = 1.7e308


def test_values_as_far_apart_as_doubles_reach_are_drawn() -> None:
    assert sparkline([-LARGEST, 0, LARGEST]) == "▁▅█"
    assert sparkline([LARGEST, LARGEST, -LARGEST, -LARGEST], width=2) == "█▁"
    assert sparkline([5e-324, 0.0]) in ("▁▁", "█▁")


@pytest.mark.parametrize("value", [0.1, LARGEST, math.inf])
def test_what_stays_the_same_is_a_flat_line(value: float) -> None:
    assert len(set(sparkline([value] * 11, width=4))) == 1


def test_integers_that_no_double_holds_are_infinities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'lab.db'}"
    monkeypatch.setattr(drawing, "POINTS", 100)
    with gs.start_run("e", store=url, capture=False) as run:
        for value in (10**400, 1, 2, -(10**400)):
            run.log({"huge": value})
        for step in range(1000):
            run.log({"rising": step})
    with gs.open_store(url) as store:
        found = sparklines(store, store.run(run.id))
    assert found["huge"] == "█▁█▁"
    assert (len(found["rising"]), found["rising"][0], found["rising"][-1]) == (24, "▁", "█")
    assert sorted(found["rising"]) == list(found["rising"])
