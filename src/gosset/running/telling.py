"""Telling, from the worker, what an uncached stage says while it is at work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from ..executors.base import Send
from ..tracking.account import Account, Saying
from ..tracking.threads import begun

SAY_EVERY: Final = 0.1
"""Seconds after which what was said is told: what the death of a worker can lose."""

LEAVE_AFTER: Final = 1.0
"""Seconds of silence after which the thread that tells leaves."""


class Told(NamedTuple):
    """A message of a worker: what a piece of work says of its run."""

    work: int
    saying: Saying


class Teller:
    """Sends on what one stage after another says, from a thread of its own.

    So it is told also where the stage computes in silence. The thread begins with the first
    thing that is said, and leaves where nothing is said any more.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._coming = threading.RLock()  # a signal may come to who holds it
        self._said = threading.Event()
        self._tell: Callable[[], None] | None = None
        self._thread: threading.Thread | None = None
        self._trouble: Exception | None = None

    def awake(self) -> None:
        """See that what was said is told soon."""
        if not self._said.is_set():
            self._said.set()
            with self._coming:
                if self._thread is None:
                    self._thread = begun(self._beat, "gosset-teller")
                if self._thread is None:
                    self._said.clear()  # who says more tries again; the end of the stage tells all

    def begin(self, work: int, account: Account, send: Send) -> None:
        """Tell from now on what is said to `account`."""

        def tell() -> None:
            saying = account.news()
            if saying is not None:
                send(Told(work, saying))

        with self._lock:
            self._tell = tell

    def end(self) -> None:
        """Tell the last of it.

        Raises
        ------
        Exception
            What was said could not be sent.
        """
        with self._lock:
            tell, self._tell = self._tell, None
            trouble, self._trouble = self._trouble, None
            if trouble is not None:
                raise trouble
            if tell is not None:
                tell()

    def _beat(self) -> None:
        while self._said.wait(LEAVE_AFTER) or not self._left():
            time.sleep(SAY_EVERY)
            self._said.clear()
            with self._lock:
                if self._tell is None or self._trouble is not None:
                    continue
                try:
                    self._tell()
                except Exception as error:  # noqa: BLE001 - raised at the end of the stage
                    self._trouble = error

    def _left(self) -> bool:
        with self._coming:
            if not self._said.is_set():
                self._thread = None
            return self._thread is None
