"""Keeps Ctrl-C out of short stretches of work that must not be left half done."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType


class Uninterrupted:
    """A block at whose end, not within which, Ctrl-C raises ``KeyboardInterrupt``.

    Without effect outside the main thread, where Python never raises it, and where the
    program has a handler of its own.

    Examples
    --------
    >>> with Uninterrupted():
    ...     pass
    """

    __slots__ = ("_active", "_struck")

    def __enter__(self) -> None:
        self._struck = False
        self._active = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
        if self._active:
            signal.signal(signal.SIGINT, self._note)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._active:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            if self._struck:
                raise KeyboardInterrupt

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._struck = True
