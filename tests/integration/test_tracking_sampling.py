"""How busy the machine was stands with a run as series."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tracked import Place

import gosset as gs
from gosset.exceptions import SettingsError
from gosset.settings import load_settings
from gosset.tracking.telemetry import machine

NAMES = {
    f"system/{name}"
    for name in (
        *("cpu", "memory", "disk", "disk/read", "disk/written"),
        *("network/received", "network/sent", "process/cpu", "process/memory"),
    )
}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_run_has_series_of_how_busy_the_machine_is(place: Place) -> None:
    status, _, errors = place.carry_out("""
        import time
        with gs.start_run(system_metrics=0.1) as run:
            run.log({"loss": 1})
            held = bytearray(1 << 26)
            until = time.monotonic() + 60
            while run._sampled < 60 and time.monotonic() < until:
                sum(range(1000))
    """)
    assert (status, errors) == (0, "")
    metrics = place.run().metrics
    assert set(metrics) >= {*NAMES, "loss"}
    assert len(place.values("system/cpu")) >= 4
    for name in ("cpu", "memory", "disk"):
        assert all(0 <= value <= 100 for value in place.values(f"system/{name}"))
    assert max(place.values("system/process/cpu")) > 20
    assert 64 < metrics["system/process/memory"].value < 10_000


def test_a_short_script_has_none_and_starts_no_thread(place: Place) -> None:
    status, output, _ = place.carry_out("""
        import sys, threading, time
        with gs.start_run():
            time.sleep(0.3)
            print([t.name for t in threading.enumerate()])
        print([name for name in sys.modules if "sampling" in name or "machine" in name])
    """)
    assert (status, output) == (0, "['MainThread', 'gosset-writer']\n[]\n")
    assert place.run().metrics == {}


def test_settings_say_how_often(place: Place) -> None:
    place.environment["GOSSET_SYSTEM_METRICS"] = "0.1"
    place.carry_out("""
        import time
        with gs.start_run(), gs.start_run(system_metrics=False):
            time.sleep(0.6)
    """)
    outer, inner = place.runs()
    assert set(outer.metrics) >= NAMES
    assert inner.metrics == {}


@pytest.mark.parametrize(
    ("given", "seconds"), [("on", 10.0), ("off", 0.0), ("2.5", 2.5), (True, 10.0), (3, 3.0)]
)
def test_seconds_are_written_in_several_ways(given: object, seconds: float, tmp_path: Path) -> None:
    arguments = {"system_metrics": given}
    assert load_settings(tmp_path, arguments=arguments, environ={}).system_metrics == seconds


@pytest.mark.parametrize("given", ["often", -1, float("nan"), "inf"])
def test_what_is_no_number_of_seconds_is_refused(given: float, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"system_metrics is .*number of seconds"):
        gs.start_run(system_metrics=given, store=f"sqlite:///{tmp_path}/lab.db")


def test_proc_and_psutil_tell_the_same() -> None:
    (counters, levels), (other_counters, other_levels) = machine.from_proc(), machine.from_psutil()
    assert (set(counters), set(levels)) == (set(other_counters), set(other_levels))
    for name in ("busy", "idle"):
        assert counters[name] == pytest.approx(other_counters[name], rel=0.01, abs=1)
    for name in ("memory", "disk"):
        assert levels[name] == pytest.approx(other_levels[name], abs=2)
    assert levels["process/memory"] == pytest.approx(other_levels["process/memory"], rel=0.1)
    assert counters["network/sent"] == pytest.approx(other_counters["network/sent"], abs=50)


def test_a_run_that_ended_gets_no_more(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/lab.db"
    with gs.start_run(store=url, system_metrics=0.05) as run:
        time.sleep(0.4)
    with gs.open_store(url) as store:
        before = store.run(run.id).metrics["system/cpu"].series
        time.sleep(0.3)
        assert store.run(run.id).metrics["system/cpu"].series == before
    assert before is not None
    assert before.count > 1
