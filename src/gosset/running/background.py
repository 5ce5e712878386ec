"""What goes on beside the work of a launch: signs of life, and the capture of provenance."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from ..entities import Launch
from ..identifiers import now
from ..provenance.capture import capture
from ..store import Store
from .observing import Observer

HEARTBEAT = 5.0
"""Seconds between signs of life of a launch."""


class Background:
    """Keeps a launch alive in the catalog, and captures provenance off the critical path.

    Each in its own thread: capturing a large repository must not look like a death.
    """

    def __init__(
        self, store: Store, started: Launch, origin: Path | None, observer: Observer
    ) -> None:
        self._origin = origin
        self._catalog = store.catalog
        self._artifacts = store.artifacts
        self._launch = started
        self._observer = observer
        self._ending = threading.Event()
        self._failures: dict[str, Exception] = {}
        self._threads = [
            threading.Thread(target=work, name=f"gosset-{name}", daemon=True)
            for name, work in (("capture", self._capture_once), ("heartbeat", self._keep_alive))
        ]

    def start(self) -> None:
        """Start to capture, and to beat."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, after the capture is written, and warn of what failed."""
        self._ending.set()
        for thread in self._threads:
            thread.join()
        for what, error in self._failures.items():
            self._observer.warn(f"launch {self._launch.number}: {what}: {error}")

    def _capture_once(self) -> None:
        self._attempt("its provenance could not be kept", self._capture)

    def _keep_alive(self) -> None:
        while not self._ending.wait(HEARTBEAT):
            self._attempt("it could not give a sign of life", self._beat)

    def _attempt(self, what: str, work: Callable[[], None]) -> None:
        # The results are worth more than the notes on them: the launch itself goes on.
        try:
            work()
        except Exception as error:  # noqa: BLE001 - told at the end
            self._failures[what] = error

    def _beat(self) -> None:
        self._catalog.update_launch(self._launch.id, heartbeat=now())

    def _capture(self) -> None:
        provenance, environment = capture(self._origin or Path.cwd(), self._artifacts)
        self._catalog.ensure_environment(environment)
        self._catalog.update_launch(
            self._launch.id,
            provenance=provenance,
            environment=environment.digest,
            heartbeat=now(),
        )
