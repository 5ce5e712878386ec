"""What every executor promises, held against each of them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from gosset.exceptions import UsageError
from gosset.executors import (
    Cancelled,
    Done,
    Event,
    Executor,
    Failed,
    Message,
    Send,
    Setup,
    Started,
    Task,
    open_executor,
    processes,
)
from gosset.executors.launchers import SpawnLauncher


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    before = set(psutil.Process().children(recursive=True))
    yield
    left = set(psutil.Process().children(recursive=True)) - before
    _, alive = psutil.wait_procs(left, timeout=10)
    assert not alive


@pytest.fixture(params=["inline", "processes", "spawned"])
def executor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Executor]:
    """Give an executor that carries out one task at a time, not yet open."""
    name = request.param
    if name == "spawned":
        monkeypatch.setattr(processes, "_launcher", lambda *_: SpawnLauncher(os.environ))
        name = "processes"
    made = open_executor(name, 1)
    yield made
    made.close()


def always(function: Callable[[object, Send], object]) -> Setup:
    """Return a setup that makes `function` the handler; it is shipped by value."""
    return lambda: function


def until_done(executor: Executor) -> list[Event]:
    """Return all events until no task is left."""
    found: list[Event] = []
    while events := executor.events():
        found += events
    return found


def outcomes(events: list[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, Started | Message)]


def test_a_task_starts_and_gives_its_result(executor: Executor) -> None:
    executor.open(always(lambda payload, send: payload * 2))
    executor.submit(Task(id=7, payload=21))
    started, done = until_done(executor)
    assert isinstance(started, Started)
    assert started.task == 7
    assert started.worker
    assert done == Done(7, 42)


def test_capacity_is_the_number_of_jobs(executor: Executor) -> None:
    assert executor.capacity == 1


def test_each_task_ends_exactly_once(executor: Executor) -> None:
    executor.open(always(lambda payload, send: payload))
    for number in range(300):
        executor.submit(Task(id=number, payload=number))
    ends = outcomes(until_done(executor))
    assert sorted((end.task, end.result) for end in ends if isinstance(end, Done)) == [
        (number, number) for number in range(300)
    ]
    assert len(ends) == 300


def test_messages_come_in_order_between_start_and_end(executor: Executor) -> None:
    def handler(payload: object, send: Send) -> None:
        for number in range(100):
            send({"step": number})

    executor.open(always(handler))
    executor.submit(Task(id=1, payload=None))
    started, *messages, done = until_done(executor)
    assert isinstance(started, Started)
    assert messages == [Message(1, {"step": number}) for number in range(100)]
    assert done == Done(1, None)


def test_an_exception_is_told_with_type_message_and_traceback(executor: Executor) -> None:
    def divide(payload: object, send: Send) -> float:
        return 1 / payload  # type: ignore[operator]

    executor.open(always(divide))
    executor.submit(Task(id=1, payload=0))
    executor.submit(Task(id=2, payload=2))
    failed, done = outcomes(until_done(executor))
    assert isinstance(failed, Failed)
    assert failed.exception.type == "ZeroDivisionError"
    assert failed.exception.message == "division by zero"
    assert "in divide" in failed.exception.traceback
    assert "executors" not in failed.exception.traceback
    assert done == Done(2, 0.5)


def test_an_exception_may_hold_what_cannot_be_pickled(executor: Executor) -> None:
    def handler(payload: object, send: Send) -> None:
        import threading

        class Strange(Exception):
            def __init__(self) -> None:
                super().__init__("strange")
                self.lock = threading.Lock()

        raise Strange

    executor.open(always(handler))
    executor.submit(Task(id=1, payload=None))
    (failed,) = outcomes(until_done(executor))
    assert isinstance(failed, Failed)
    assert failed.exception.type.endswith("Strange")
    assert failed.exception.message == "strange"


def test_sys_exit_in_a_task_fails_only_that_task(executor: Executor) -> None:
    def handler(payload: object, send: Send) -> object:
        if payload == "exit":
            raise SystemExit(3)
        return payload

    executor.open(always(handler))
    executor.submit(Task(id=1, payload="exit"))
    executor.submit(Task(id=2, payload="stay"))
    failed, done = outcomes(until_done(executor))
    assert isinstance(failed, Failed)
    assert failed.exception.type == "SystemExit"
    assert done == Done(2, "stay")


def test_higher_priority_first_and_equal_ones_in_order(executor: Executor) -> None:
    executor.open(always(lambda payload, send: payload))
    for number, priority in enumerate([0, 5, 0, 9, 5, -1]):
        executor.submit(Task(id=number, payload=None, priority=priority))
    assert [end.task for end in outcomes(until_done(executor))] == [3, 1, 4, 0, 2, 5]


def test_a_waiting_task_can_be_cancelled(executor: Executor) -> None:
    executor.open(always(lambda payload, send: payload))
    for number in range(3):
        executor.submit(Task(id=number, payload=None))
    executor.cancel(1)
    events = until_done(executor)
    assert sorted(outcomes(events), key=lambda end: end.task) == [
        Done(0, None),
        Cancelled(1),
        Done(2, None),
    ]
    assert 1 not in [event.task for event in events if isinstance(event, Started)]


def test_the_id_of_an_ended_task_may_be_used_again(executor: Executor) -> None:
    executor.open(always(lambda payload, send: payload))
    executor.submit(Task(id=1, payload="first"))
    executor.cancel(1)
    executor.submit(Task(id=1, payload="second"))
    assert outcomes(until_done(executor)) == [Cancelled(1), Done(1, "second")]


def test_cancelling_what_is_unknown_or_over_does_nothing(executor: Executor) -> None:
    executor.open(always(lambda payload, send: payload))
    executor.cancel(99)
    executor.submit(Task(id=1, payload=None))
    assert outcomes(until_done(executor)) == [Done(1, None)]
    executor.cancel(1)
    assert list(executor.events(5)) == []


def test_events_returns_at_once_when_no_task_is_left(executor: Executor) -> None:
    executor.open(always(lambda payload, send: payload))
    start = time.monotonic()
    assert list(executor.events()) == []
    assert time.monotonic() - start < 1


def test_setup_is_called_once_for_many_tasks(executor: Executor) -> None:
    def setup() -> Callable[[object, Send], object]:
        calls: list[object] = []

        def handler(payload: object, send: Send) -> object:
            calls.append(payload)
            return len(calls)

        return handler

    executor.open(setup)
    for number in range(3):
        executor.submit(Task(id=number, payload=None))
    assert outcomes(until_done(executor)) == [Done(0, 1), Done(1, 2), Done(2, 3)]


def test_a_setup_that_raises_fails_each_task_with_the_reason(executor: Executor) -> None:
    def setup() -> Callable[[object, Send], object]:
        raise OSError("no such store")

    executor.open(setup)
    executor.submit(Task(id=1, payload=None))
    executor.submit(Task(id=2, payload=None))
    ends = outcomes(until_done(executor))
    assert [end.task for end in ends] == [1, 2]
    for end in ends:
        assert isinstance(end, Failed)
        assert (end.exception.type, end.exception.message) == ("OSError", "no such store")
        assert "in setup" in end.exception.traceback


def test_a_message_after_the_end_of_its_task_is_refused(executor: Executor) -> None:
    def setup() -> Callable[[object, Send], object]:
        kept: list[Send] = []

        def handler(payload: object, send: Send) -> None:
            kept.append(send)
            kept[0]("from the first task")

        return handler

    executor.open(setup)
    executor.submit(Task(id=1, payload=None))
    executor.submit(Task(id=2, payload=None))
    done, failed = outcomes(until_done(executor))
    assert done == Done(1, None)
    assert isinstance(failed, Failed)
    assert failed.exception.type == "gosset.exceptions.UsageError"


def test_values_of_classes_that_cannot_be_imported_cross(executor: Executor) -> None:
    class Local:
        def __init__(self, value: int) -> None:
            self.value = value

    executor.open(always(lambda payload, send: payload))
    executor.submit(Task(id=1, payload=Local(3)))
    (done,) = outcomes(until_done(executor))
    assert isinstance(done, Done)
    assert isinstance(done.result, Local)
    assert done.result.value == 3


def test_an_id_in_use_is_refused(executor: Executor) -> None:
    executor.open(always(lambda payload, send: payload))
    executor.submit(Task(id=1, payload=None))
    with pytest.raises(UsageError, match="task 1 is already submitted"):
        executor.submit(Task(id=1, payload=None))


def test_an_executor_must_be_open_and_can_be_opened_once(executor: Executor) -> None:
    with pytest.raises(UsageError, match="is not open"):
        executor.submit(Task(id=1, payload=None))
    executor.open(always(lambda payload, send: payload))
    with pytest.raises(UsageError, match="already open"):
        executor.open(always(lambda payload, send: payload))


def test_close_may_be_repeated_and_forgets_all_tasks(executor: Executor) -> None:
    executor.close()
    executor.open(always(lambda payload, send: payload))
    executor.submit(Task(id=1, payload=None))
    executor.close()
    executor.close()
    executor.open(always(lambda payload, send: "again"))
    assert list(executor.events()) == []
    executor.submit(Task(id=1, payload=None))
    assert outcomes(until_done(executor)) == [Done(1, "again")]


def test_workers_have_the_path_the_arguments_and_the_folder(
    executor: Executor, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    def look(payload: object, send: Send) -> object:
        import os
        import sys

        return sys.path, sys.argv, os.getcwd()

    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(str(tmp_path))
    executor.open(always(look))
    executor.submit(Task(id=1, payload=None))
    assert outcomes(until_done(executor)) == [Done(1, (sys.path, sys.argv, os.getcwd()))]
