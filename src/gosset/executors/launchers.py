"""Starts worker processes, signals them, and tells how they ended.

None of them is a ``multiprocessing.Process``: that one imports the caller's ``__main__``
again (so that scripts need a guard), leaves a resource tracker running, and may not be
used within daemonic processes.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from .forkserver import COMMAND, REPORT, START
from .trees import KILL, TERMINATE, ProcessTree

_LEAVE_SECONDS = 1.0
"""How long processes that were asked to leave may take before they are made to."""


class Launcher(Protocol):
    """Has worker processes, each under a key that the caller chose.

    Attributes
    ----------
    period : float or None
        Seconds until :meth:`ended` should be called, where nothing in the selector tells when.
    """

    @property
    def period(self) -> float | None: ...

    def start(self, key: int, connection: socket.socket) -> None:
        """Start a worker with `connection`; the caller closes its own copy of that."""
        ...

    def signal(self, key: int, number: int) -> None:
        """Send a signal to a worker and all that it started; unknown keys are ignored."""
        ...

    def ended(self) -> list[tuple[int, int]]:
        """Return keys and exit codes of workers that ended since the last call."""
        ...

    def close(self) -> None:
        """End all workers and whatever else was started; returns when they are gone."""
        ...


class ForkLauncher:
    """Has workers forked by one server process, ready within milliseconds (Linux).

    The server starts with the first worker, and again if it dies, with which all its
    workers die.

    Parameters
    ----------
    selector : selectors.BaseSelector
        Where the server's socket is registered, with None as its data.
    environment : mapping
        Of the server and hence of the workers.
    preload : sequence of str
        Modules that the server imports once for all workers.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        environment: Mapping[str, str],
        preload: Sequence[str],
    ) -> None:
        self._selector = selector
        self._environment = environment
        self._preload = tuple(preload)
        self._server: tuple[subprocess.Popen[bytes], socket.socket] | None = None
        self._keys: set[int] = set()
        self._lost: list[tuple[int, int]] = []

    @property
    def period(self) -> float | None:
        """Zero where the end of a server was met on another way than through the selector."""
        return 0.0 if self._lost else None

    def start(self, key: int, connection: socket.socket) -> None:
        if not self._ask(key, connection):  # the server died since it was last heard of
            self._bury_server()
            if not self._ask(key, connection):  # so did the next: one that cannot start
                self._keys.add(key)
                self._bury_server()

    def signal(self, key: int, number: int) -> None:
        if self._server is not None and key in self._keys:
            with contextlib.suppress(ConnectionError):  # `ended` finds out and tells
                self._server[1].send(COMMAND.pack(key, number))

    def ended(self) -> list[tuple[int, int]]:
        reports: list[tuple[int, int]] = []
        while self._server is not None:
            try:
                report = self._server[1].recv(REPORT.size, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            except ConnectionError:
                report = b""
            if not report:
                self._bury_server()
                break
            reports.append(REPORT.unpack(report))
        self._keys.difference_update(key for key, _ in reports)
        reports += self._lost
        self._lost.clear()
        return reports

    def close(self) -> None:
        if self._server is not None:
            # Without this end of the socket the server ends its workers and itself.
            self._bury_server()
        self._lost.clear()

    def _ask(self, key: int, connection: socket.socket) -> bool:
        """Ask the server for a worker; return whether it could be asked."""
        try:
            message = [COMMAND.pack(key, START)]
            socket.send_fds(self._control(), message, [connection.fileno()])
        except ConnectionError:
            return False
        self._keys.add(key)
        return True

    def _control(self) -> socket.socket:
        if self._server is None:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                process = subprocess.Popen(
                    _python("forkserver", theirs.fileno(), self._preload),
                    stdin=subprocess.DEVNULL,
                    env=self._environment,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,  # out of reach of the terminal's Ctrl-C
                )
            self._server = process, ours
            self._selector.register(ours, selectors.EVENT_READ, None)
        return self._server[1]

    def _bury_server(self) -> None:
        assert self._server is not None
        process, control = self._server
        self._server = None
        with contextlib.suppress(KeyError, RuntimeError):  # the selector is closed already
            self._selector.unregister(control)
        control.close()
        try:
            code = process.wait(_LEAVE_SECONDS)
        except subprocess.TimeoutExpired:  # e.g. in the midst of a long preload
            process.kill()
            code = process.wait()
        self._lost += [(key, code) for key in self._keys]
        self._keys.clear()


class SpawnLauncher:
    """Starts a Python interpreter for each worker: where forking is not safe or not there.

    Parameters
    ----------
    environment : mapping
        Of the workers.
    """

    period: float | None = 0.1

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._workers: dict[int, tuple[subprocess.Popen[bytes], ProcessTree]] = {}

    def start(self, key: int, connection: socket.socket) -> None:
        if sys.platform == "win32":
            process = subprocess.Popen(
                _python("spawned", None), stdin=subprocess.PIPE, env=self._environment
            )
            assert process.stdin is not None
            shared = connection.share(process.pid)
            process.stdin.write(len(shared).to_bytes(8, "little") + shared)
            process.stdin.flush()
        else:
            process = subprocess.Popen(
                _python("spawned", connection.fileno()),
                stdin=subprocess.PIPE,
                env=self._environment,
                pass_fds=[connection.fileno()],
                start_new_session=True,
            )
        self._workers[key] = process, ProcessTree(process.pid)

    def signal(self, key: int, number: int) -> None:
        process, tree = self._workers.get(key, (None, None))
        if process is not None and tree is not None and process.poll() is None:
            tree.signal(number)

    def ended(self) -> list[tuple[int, int]]:
        reports = []
        for key, (process, tree) in list(self._workers.items()):
            code = process.poll()
            if code is not None:
                tree.clear()
                if process.stdin is not None:
                    process.stdin.close()
                del self._workers[key]
                reports.append((key, code))
        return reports

    def close(self) -> None:
        for number in (0, TERMINATE, KILL):
            for key in self._workers:
                if number:
                    self.signal(key, number)
            deadline = time.monotonic() + _LEAVE_SECONDS
            while self._workers and time.monotonic() < deadline:
                process = next(iter(self._workers.values()))[0]
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.0, deadline - time.monotonic()))
                self.ended()


def _python(module: str, *arguments: object) -> list[str]:
    """Return the command that calls ``main(*arguments)`` of a module of this package."""
    path = [str(entry) for entry in sys.path]
    code = (
        f"import sys; sys.path[:] = {path!r}; "
        f"from {__package__}.{module} import main; main{(*arguments,)!r}"
    )
    flags: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    return [sys.executable, *flags, "-c", code]
