"""A sink that keeps nobody waiting: what is slow goes on in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from queue import SimpleQueue

from ..storage.news import LEASE, Beat, News, Opening, Sink, TakenUp
from .spool import NotYetError
from .threads import begun


class StillWritingError(NotYetError):
    """The store has not answered yet; it may take the news in, or not."""


class Courier:
    """Takes news to a store that may be slow to answer, such as one on a server.

    Who is not answered in time says the same again, later: what is in the store is not taken
    in twice.

    Parameters
    ----------
    sink : Sink
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._renew()

    def _renew(self) -> None:
        self._errand: _Errand | None = None
        self._errands: SimpleQueue[_Errand] = SimpleQueue()
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """URL of the store."""
        return self._sink.url

    def write(
        self, news: Sequence[News], beats: Sequence[Beat] = (), *, patience: float | None = None
    ) -> None:
        """Take in news; raise :class:`StillWritingError` after `patience` seconds."""
        if self._errand is not None:
            self._await(self._errand, patience)  # whatever came of it: it is said again
        errand = self._errand = _Errand(news, beats)
        self._send(errand)
        self._await(errand, patience)
        if errand.error is not None:
            raise errand.error

    def take_up(self, run: str, launch: Opening, *, lease: float = LEASE) -> TakenUp:
        """Make a run one of the launch; see :class:`Sink`."""
        return self._sink.take_up(run, launch, lease=lease)

    def number(self, run: str) -> int:
        """Return the number of a run in its experiment."""
        return self._sink.number(run)

    def close(self) -> None:
        """Release connections."""
        self._sink.close()

    def forked(self) -> None:
        """Begin anew in a child process."""
        self._renew()
        self._sink.forked()

    def _send(self, errand: _Errand) -> None:
        # One thread is kept: when the process ends, and there is the last to be said, Python
        # begins no other.
        if self._thread is None or not self._thread.is_alive():
            self._thread = begun(self._work, "gosset-courier")
        if self._thread is None:
            self._carry_out(errand)
        else:
            self._errands.put(errand)

    def _work(self) -> None:
        while True:
            self._carry_out(self._errands.get())

    def _carry_out(self, errand: _Errand) -> None:
        try:
            self._sink.write(errand.news, errand.beats)
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            errand.error = error
        finally:
            errand.done.release()

    def _await(self, errand: _Errand, patience: float | None) -> None:
        if not errand.done.acquire(timeout=-1 if patience is None else patience):
            raise StillWritingError(f"store {self.url} does not answer")
        self._errand = None


class _Errand:
    def __init__(self, news: Sequence[News], beats: Sequence[Beat]) -> None:
        self.news, self.beats = list(news), list(beats)
        self.error: Exception | None = None
        self.done = threading.Lock()
        self.done.acquire()
