"""Launches that cannot go on, and launches that are taken up again: by whom, and how."""

import os
import sqlite3
import time

import psycopg
import pytest

import gosset as gs
from gosset.entities import Status
from gosset.exceptions import MetricError, StorageError, UsageError

# -- what the catalog refuses

REFUSE_IN_POSTGRESQL = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'no more runs'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON runs EXECUTE FUNCTION refuse();
"""
REFUSE_IN_SQLITE = """
CREATE TRIGGER refuse BEFORE INSERT ON runs BEGIN SELECT RAISE(ABORT, 'no more runs'); END
"""


ALLOW_IN_POSTGRESQL = "DROP FUNCTION refuse CASCADE"
ALLOW_IN_SQLITE = "DROP TRIGGER refuse"


def refuse_runs(store):
    """Have the database itself refuse to add runs."""
    on_database(store, REFUSE_IN_SQLITE, REFUSE_IN_POSTGRESQL)


def allow_runs(store):
    """Have it add runs again."""
    on_database(store, ALLOW_IN_SQLITE, ALLOW_IN_POSTGRESQL)


def on_database(store, in_sqlite, in_postgresql):
    if store.url.startswith("sqlite"):
        with sqlite3.connect(store.url.removeprefix("sqlite:///")) as connection:
            connection.execute(in_sqlite)
        connection.close()
    else:
        with psycopg.connect(store.url, autocommit=True) as connection:
            connection.execute(in_postgresql)


@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_launch_whose_runs_cannot_be_added_has_failed_at_once(store, executor):
    refuse_runs(store)
    experiment = gs.Experiment("e", steps=[lambda run: None])
    with pytest.raises(StorageError, match="no more runs"):
        experiment.execute(store=store, executor=executor, progress=False)
    [launch] = store.select("launches")
    assert launch.status is Status.FAILED
    assert launch.ended is not None
    assert store.runs() == []
    # Nothing goes on that would keep it alive, and it is nobody's orphan.
    assert store.catalog.reap() == 0


@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_launch_that_ended_before_it_had_runs_gets_them_when_it_is_resumed(store, executor):
    refuse_runs(store)

    def count(run):
        run.fields["n"] = run.params.n

    declared = {"n": [1, 2]}
    experiment = gs.Experiment("e", steps=[count], parameters=declared, seeds=[3, 4])
    with pytest.raises(StorageError, match="no more runs"):
        experiment.execute(store=store, executor=executor, progress=False)
    allow_runs(store)
    again = experiment.resume(store=store, progress=False)
    again.raise_for_status()
    assert [(run.fields["n"], run.seed) for run in again.runs] == [(1, 3), (1, 4), (2, 3), (2, 4)]
    assert again.launch == store.catalog.find("launches", "e#1")
    assert store.catalog.count("launches") == 1


def test_summary_of_a_launch_without_runs_is_told(store):
    experiment = gs.Experiment("e", steps=[lambda run: None])
    result = experiment.execute(store=store, executor="inline", progress=False)
    store.catalog.delete("runs", result.runs[0].id)
    lines = str(experiment.resume(store=store, progress=False)).splitlines()
    assert "launch 1" in lines[0]
    assert lines[0].endswith("nothing to resume")
    assert lines[-1] == f"kept in {store.url}"


# -- one launch, two processes

LAB = """\
import sys
import time
from pathlib import Path

import gosset as gs
from gosset.exceptions import UsageError
from gosset.running.observing import Quiet


def wait_for(*names):
    end = time.monotonic() + 20
    while not all(Path(name).exists() for name in names):
        assert time.monotonic() < end, names
        time.sleep(0.01)


class Meeting(Quiet):
    # What the code's change is told to comes between the look at the launch and its taking up.
    def warn(self, message):
        assert "the code has changed" in message, message
        Path(f"ready-{sys.argv[1]}").touch()
        wait_for("ready-1", "ready-2")


def work(run):
    raise ValueError("not yet")


experiment = gs.Experiment("e", steps=[work])

if __name__ == "__main__":
    number, url, artifacts = sys.argv[1:]
    with gs.open_store(url, artifacts=artifacts) as store:
        try:
            if number == "0":
                experiment.execute(store=store, executor="inline", progress=False)
            else:
                experiment.resume(store=store, progress=Meeting())
                Path(f"worked-{number}").touch()
        except UsageError as error:
            Path("refused").write_text(str(error))
"""


def test_of_two_processes_that_resume_a_launch_at_once_one_works(folder, store, tmp_path):
    folder.write("lab.py", LAB)
    given = (store.url, str(tmp_path / "artifacts"))
    folder.run("lab.py", "0", *given)
    # The one that works is at it until the other one was refused.
    folder.edit("lab.py", '    raise ValueError("not yet")\n', '    wait_for("refused")\n')
    both = [folder.popen("lab.py", number, *given) for number in ("1", "2")]
    for process in both:
        _, error = process.communicate(timeout=60)
        assert process.returncode == 0, error
    assert len(list(folder.path.glob("worked-*"))) == 1
    assert (folder.path / "refused").read_text() == (
        "launch e#1 was resumed by another process; wait until it has ended"
    )
    [launch] = store.select("launches")
    assert launch.status is Status.COMPLETE
    [run] = store.runs()
    statuses = [str(attempt.status) for attempt in store.catalog.attempts(run.id)]
    assert statuses == ["failed", "complete"]
    [worked] = folder.path.glob("worked-*")
    assert launch.pid == both[int(worked.name[-1]) - 1].pid


# -- where it is carried out again


@pytest.fixture
def mended(tmp_path):
    """A file; while it is not there, the work of `experiment` fails."""
    return tmp_path / "mended"


@pytest.fixture
def experiment(mended):
    """An experiment whose runs fail until it is mended, and tell who carried them out."""

    def work(run):
        if not mended.exists():
            raise ValueError("not yet")
        time.sleep(0.1)  # long enough that several workers, if there are, take part
        run.fields["pid"] = os.getpid()

    return gs.Experiment("e", steps=[work], parameters={"n": [1, 2, 3, 4, 5, 6]})


def where(store, launch):
    """Return the executors of the last attempts, and how many processes were at work."""
    runs = store.runs_of(launch)
    last = {store.catalog.attempts(run.id)[-1].resource for run in runs}
    return last, {run.fields["pid"] for run in runs}


@pytest.fixture
def settings(monkeypatch):
    def settings(executor, jobs):
        monkeypatch.setenv("GOSSET_EXECUTOR", executor)
        monkeypatch.setenv("GOSSET_JOBS", str(jobs))

    return settings


def test_launch_is_resumed_with_the_executor_and_jobs_that_it_had(
    experiment, store, settings, mended
):
    first = experiment.execute(store=store, executor="processes", jobs=1, progress=False)
    mended.touch()
    settings("inline", 3)
    again = experiment.resume(store=store, progress=False)
    again.raise_for_status()
    executors, pids = where(store, first.launch)
    assert executors == {"processes"}
    assert len(pids) == 1
    assert pids != {os.getpid()}


def test_launch_that_was_inline_stays_so_whatever_the_settings_say(
    experiment, store, settings, mended
):
    first = experiment.execute(store=store, executor="inline", progress=False)
    mended.touch()
    settings("processes", 3)
    experiment.resume(store=store, progress=False).raise_for_status()
    assert where(store, first.launch) == ({"inline"}, {os.getpid()})


def test_executor_that_is_given_anew_does_not_take_the_old_jobs(experiment, store, mended):
    first = experiment.execute(store=store, executor="processes", jobs=2, progress=False)
    mended.touch()
    experiment.resume(store=store, executor="inline", progress=False).raise_for_status()
    assert where(store, first.launch) == ({"inline"}, {os.getpid()})


def test_jobs_that_are_given_for_an_inline_launch_are_refused_and_change_nothing(
    experiment, store, mended
):
    first = experiment.execute(store=store, executor="inline", progress=False)
    mended.touch()
    with pytest.raises(UsageError, match="at once; use 'processes'"):
        experiment.resume(store=store, jobs=2, progress=False)
    assert store.catalog.find("launches", first.launch.id) == first.launch


def test_jobs_of_the_settings_are_for_who_has_workers(experiment, store, settings, mended):
    mended.touch()
    settings("inline", 3)
    result = experiment.execute(store=store, progress=False)
    result.raise_for_status()
    assert result.launch.settings["jobs"] is None
    settings("processes", 3)
    experiment.execute(store=store, executor="inline", progress=False).raise_for_status()
    with pytest.raises(UsageError, match="at once; use 'processes'"):
        experiment.execute(store=store, executor="inline", jobs=3, progress=False)


# -- without the cache


def test_launch_without_the_cache_finds_its_own_work_again_and_nothing_older(
    store, tmp_path, mended
):
    mended, calls = tmp_path / "mended", tmp_path / "calls"

    def called(name):
        with calls.open("a") as file:
            file.write(f"{name} ")

    @gs.stage
    def base():
        called("base")
        return 1

    @gs.stage
    def fragile(base, n: int = 1):
        if n == 2 and not mended.exists():
            raise ValueError("not yet")
        called(f"fragile-{n}")
        return n * base

    @gs.stage
    def after(fragile):
        called(f"after-{fragile}")
        return fragile

    experiment = gs.Experiment("e", stages=[base, fragile, after], parameters={"n": [1, 2]})
    options = {"executor": "inline", "store": store, "progress": False}
    mended.touch()
    experiment.execute(**options).raise_for_status()
    mended.unlink()
    calls.unlink()
    assert experiment.execute(**options, cache=False).status is Status.FAILED
    assert calls.read_text().split() == ["base", "fragile-1", "after-1"]
    calls.unlink()
    mended.touch()
    experiment.resume(store=store, progress=False).raise_for_status()
    assert calls.read_text().split() == ["fragile-2", "after-2"]


# -- with metrics of its own


def accuracy(value):
    """Bear the name of a metric that Gosset knows as well."""
    return 10.0 * value


def doubled(value):
    return 2.0 * value


def launched_with_own_metric(tmp_path, store, declared):
    """Return an experiment, mended after a launch that was given a metric function."""
    mended = tmp_path / "mended"

    @gs.stage
    def value():
        if not mended.exists():
            raise ValueError("not yet")
        return 2

    experiment = gs.Experiment("e", stages=[value], metrics=declared)
    result = experiment.execute(metrics=[accuracy], executor="inline", store=store, progress=False)
    assert result.status is Status.FAILED
    assert result.launch.settings["metrics"] == ["accuracy"]
    mended.touch()
    return experiment


def test_metric_function_of_the_call_is_found_among_those_declared(tmp_path, store):
    experiment = launched_with_own_metric(tmp_path, store, declared=[doubled, accuracy])
    again = experiment.resume(store=store, progress=False)
    assert {name: m.value for name, m in again.runs[0].metrics.items()} == {"accuracy": 20.0}


def test_metric_function_that_is_not_declared_is_given_again(tmp_path, store):
    experiment = launched_with_own_metric(tmp_path, store, declared=[])
    with pytest.raises(MetricError) as raised:
        experiment.resume(store=store, progress=False)
    assert str(raised.value) == (
        "launch e#1 was given the metric 'accuracy', which the experiment does not declare; "
        "give it again with metrics=[…]"
    )
    again = experiment.resume(store=store, progress=False, metrics=[accuracy])
    assert {name: m.value for name, m in again.runs[0].metrics.items()} == {"accuracy": 20.0}
