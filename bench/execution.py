"""Measures what carrying out a task costs, beside other ways to do it on one machine.

Run it as ``python bench/execution.py``. Figures of other libraries appear where they are
installed. Best of a few rounds, because the rest of the machine only ever adds time.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from gosset.executors import Event, Message, Started, Task
from gosset.executors.processes import ProcessExecutor

TASKS = 2000
WORKERS = 2
ROUNDS = 5


def setup() -> Callable[[object, Callable[[object], None]], object]:
    """Make the handler that is measured."""

    def handler(payload: object, send: Callable[[object], None]) -> object:
        if payload == "sleep":
            time.sleep(60)
        if payload == "message":
            send(time.perf_counter())
        return payload

    return handler


@contextmanager
def pool(jobs: int = WORKERS) -> Iterator[ProcessExecutor]:
    """Give a warm pool."""
    executor = ProcessExecutor(jobs)
    executor.open(setup)
    for number in range(-jobs, 0):
        executor.submit(Task(id=number, payload=None))
    collect(executor, jobs)
    try:
        yield executor
    finally:
        executor.close()


def collect(executor: ProcessExecutor, count: int) -> list[tuple[float, Event]]:
    """Wait until `count` tasks have ended; return all events and when they were had."""
    found: list[tuple[float, Event]] = []
    while count > 0:
        events = executor.events()
        now = time.perf_counter()
        found += [(now, event) for event in events]
        count -= sum(not isinstance(event, Started | Message) for event in events)
    return found


def best(action: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the seconds of the fastest of several rounds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def nothing(value: object) -> object:
    """Do no work."""
    return value


def echo(connection: Connection) -> None:
    """Send back what comes, until None comes."""
    while (value := connection.recv()) is not None:
        connection.send(value)


def show(name: str, seconds: float, unit: float, label: str) -> None:
    """Print one line."""
    print(f"{name:<44} {seconds / unit:>10.2f} {label}")


def measure_gosset() -> None:
    """Measure this package's pool."""

    def bulk() -> None:
        for number in range(TASKS):
            executor.submit(Task(id=number, payload=number))
        collect(executor, TASKS)

    def single() -> None:
        executor.submit(Task(id=0, payload=None))
        collect(executor, 1)

    with pool() as executor:
        show("gosset, per task", best(bulk) / TASKS, 1e-6, "µs")
    with pool(1) as executor:
        latencies = []
        for _ in range(200):
            start = time.perf_counter()
            single()
            latencies.append(time.perf_counter() - start)
        show("gosset, one task (median)", statistics.median(latencies), 1e-3, "ms")
        delays = []
        for _ in range(200):
            executor.submit(Task(id=0, payload="message"))
            delays += [
                had - event.content
                for had, event in collect(executor, 1)
                if isinstance(event, Message) and isinstance(event.content, float)
            ]
        show("gosset, one message (median)", statistics.median(delays), 1e-3, "ms")

        def cancel_and_go_on() -> None:
            executor.submit(Task(id=0, payload="sleep"))
            executor.submit(Task(id=1, payload=None))
            executor.events()
            executor.cancel(0)
            collect(executor, 2)

        show("gosset, cancel → next result", best(cancel_and_go_on), 1e-3, "ms")
        big = os.urandom(100_000_000)

        def carry() -> None:
            executor.submit(Task(id=0, payload=big))
            collect(executor, 1)

        show("gosset, 100 MB there and back", best(carry, 2), 1e-3, "ms")

    def start() -> None:
        with pool(1):
            pass

    show("gosset, start → first result → closed", best(start), 1e-3, "ms")


def measure_others() -> None:
    """Measure the floor and the neighbours."""
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe()
    process = context.Process(target=echo, args=(theirs,))
    process.start()

    def round_trips() -> None:
        for number in range(TASKS):
            ours.send(number)
            ours.recv()

    round_trips()
    show("raw pipe, per round trip, one worker", best(round_trips) / TASKS, 1e-6, "µs")
    ours.send(None)
    process.join()

    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(WORKERS, mp_context=context) as futures:

        def submit_all() -> None:
            for future in [futures.submit(nothing, number) for number in range(TASKS)]:
                future.result()

        submit_all()
        show("concurrent.futures, per task", best(submit_all) / TASKS, 1e-6, "µs")
    try:
        import joblib
    except ImportError:
        return
    executor = joblib.externals.loky.get_reusable_executor(WORKERS)

    def submit_to_loky() -> None:
        for future in [executor.submit(nothing, number) for number in range(TASKS)]:
            future.result()

    submit_to_loky()
    show("loky, per task", best(submit_to_loky) / TASKS, 1e-6, "µs")
    executor.shutdown()
    with joblib.Parallel(n_jobs=WORKERS) as parallel:

        def batches() -> None:
            parallel(joblib.delayed(nothing)(number) for number in range(TASKS))

        batches()
        show("joblib, which makes batches, per task", best(batches) / TASKS, 1e-6, "µs")


if __name__ == "__main__":
    measure_gosset()
    measure_others()
