"""What is special about carrying tasks out in the calling thread."""

from __future__ import annotations

import threading

import pytest

from gosset.exceptions import UsageError
from gosset.executors import Cancelled, Done, Message, Send, Started, Task
from gosset.executors.inline import InlineExecutor


def test_each_call_of_events_carries_out_one_task() -> None:
    executor = InlineExecutor()
    executor.open(lambda: lambda payload, send: payload)
    executor.submit(Task(id=1, payload="a"))
    executor.submit(Task(id=2, payload="b"))
    assert executor.events(0) == [Started(1, "inline"), Done(1, "a")]
    executor.cancel(2)
    assert executor.events(0) == [Cancelled(2)]
    assert executor.events(0) == []


def test_values_are_handed_over_as_they_are() -> None:
    lock, seen = threading.Lock(), []

    def handler(payload: object, send: Send) -> object:
        seen.append(threading.current_thread())
        send(payload)
        return payload

    executor = InlineExecutor(jobs=1)
    executor.open(lambda: handler)
    executor.submit(Task(id=1, payload=lock))
    assert executor.events() == [Started(1, "inline"), Message(1, lock), Done(1, lock)]
    assert seen == [threading.current_thread()]


def test_ctrl_c_passes_through_and_cancels_the_task() -> None:
    def handler(payload: object, send: Send) -> None:
        send("begun")
        raise KeyboardInterrupt

    executor = InlineExecutor()
    executor.open(lambda: handler)
    executor.submit(Task(id=1, payload=None))
    executor.submit(Task(id=2, payload=None))
    with pytest.raises(KeyboardInterrupt):
        executor.events()
    assert executor.events() == [Started(1, "inline"), Message(1, "begun"), Cancelled(1)]


def test_a_time_limit_that_cannot_be_kept_is_refused() -> None:
    executor = InlineExecutor()
    executor.open(lambda: lambda payload, send: payload)
    with pytest.raises(UsageError, match=r"timeout.*use 'processes'"):
        executor.submit(Task(id=1, payload=None, timeout=1.0))
    assert executor.events() == []


def test_more_than_one_job_is_refused() -> None:
    with pytest.raises(UsageError, match=r"2 tasks at once; use 'processes'"):
        InlineExecutor(jobs=2)


def test_a_listener_takes_messages_while_the_task_is_at_work() -> None:
    heard: list[object] = []

    def listen(content: object) -> bool:
        heard.append(content)
        return content != "left"

    def handler(payload: object, send: Send) -> object:
        send("taken")
        seen = list(heard)
        send("left")
        return seen

    executor = InlineExecutor()
    executor.listener = listen
    executor.open(lambda: handler)
    executor.submit(Task(id=1, payload=None))
    _, message, done = executor.events()
    assert (message, done) == (Message(1, "left"), Done(1, ["taken"]))
    assert heard == ["taken", "left"]
    executor.close()
