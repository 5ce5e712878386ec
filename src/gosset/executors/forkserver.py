"""The process that forks workers on request, watches over them, and ends with the controller.

Linux only. It stays small and without threads, so that forking it is quick and safe, and
has imported what workers need. Being the workers' parent it learns at once of their end,
can signal them without mistaking a recycled process number for one of them, and outlives
a killed controller just long enough to end them.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import selectors
import signal
import socket
import struct
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence

from .trees import KILL, TERMINATE, ProcessTree
from .worker import work

COMMAND = struct.Struct("<qq")
"""Controller to server: a worker's key, and a signal for it, or START with its socket."""
REPORT = struct.Struct("<qq")
"""Server to controller: a worker's key, and the exit code by which it ended."""
START = 0

_LEAVE_SECONDS = 0.3
"""How long idle workers may take to leave by themselves."""
_GRACE_SECONDS = 0.1
"""How long SIGTERM may take before SIGKILL follows."""
_PR_SET_PDEATHSIG = 1


def main(descriptor: int, preload: Sequence[str]) -> None:
    """Run the server and, in each process that it forks, a worker.

    Parameters
    ----------
    descriptor : int
        Of the control socket (``AF_UNIX``, ``SOCK_SEQPACKET``).
    preload : sequence of str
        Modules to import first; those that cannot be imported are left to whoever
        needs them.
    """
    signal.signal(signal.SIGINT, lambda *_: None)
    for name in preload:
        with contextlib.suppress(Exception, SystemExit):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # what is shared by fork stays shared when a worker collects garbage
    die_with_parent = _death_signal()
    # All that the server holds open is closed where this block ends: in it and in a worker.
    with socket.socket(fileno=descriptor) as control, _child_ends() as ended:
        connection = _Server(control, ended).serve()
    if connection is not None:
        _become_worker(die_with_parent)
        work(connection)


class _Server:
    """Forks a worker at each request and tells how each ended.

    Parameters
    ----------
    control : socket.socket
        To the controller.
    ended : socket.socket
        Readable when a child ended.
    """

    def __init__(self, control: socket.socket, ended: socket.socket) -> None:
        self._control = control
        self._ended = ended
        self._trees: dict[int, ProcessTree] = {}

    def serve(self) -> socket.socket | None:
        """Serve until the controller is gone; return in each worker its socket."""
        with selectors.DefaultSelector() as selector, _process_end(os.getppid()) as controller:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(self._ended, selectors.EVENT_READ)
            for descriptor in controller:
                selector.register(descriptor, selectors.EVENT_READ)
            while True:
                ready = {entry.fileobj for entry, _ in selector.select()}
                if self._ended in ready:
                    for key, code in self._reap():
                        self._report(key, code)
                if self._control in ready:
                    try:
                        message, descriptors, _, _ = socket.recv_fds(self._control, COMMAND.size, 1)
                    except ConnectionError:
                        break
                    if not message:
                        break
                    key, number = COMMAND.unpack(message)
                    connection = self._obey(key, number, descriptors)
                    if connection is not None:
                        return connection
                elif not ready.isdisjoint(controller):
                    break
        self._end_all()
        return None

    def _obey(self, key: int, number: int, descriptors: list[int]) -> socket.socket | None:
        """Fork or signal a worker; return in the forked process its socket."""
        if number != START:
            if key in self._trees:
                self._trees[key].signal(number)
            return None
        connection = socket.socket(fileno=descriptors[0])
        try:
            pid = _fork()
        except OSError:  # no more processes or memory
            self._report(key, os.EX_OSERR)
        else:
            if pid == 0:
                return connection
            self._trees[key] = ProcessTree(pid)
        connection.close()
        return None

    def _report(self, key: int, code: int) -> None:
        with contextlib.suppress(ConnectionError):  # its end is seen when it is read from
            self._control.send(REPORT.pack(key, code))

    def _reap(self) -> Iterator[tuple[int, int]]:
        """Bury the dead, together with what they left behind; give their exit codes."""
        self._ended.recv(4096)
        keys = {tree.pid: key for key, tree in self._trees.items()}
        while keys:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if found is None:
                return
            key = keys.pop(found.si_pid, None)
            if key is not None:
                self._trees.pop(key).clear()
            _, status = os.waitpid(found.si_pid, 0)
            if key is not None:
                yield key, os.waitstatus_to_exitcode(status)

    def _end_all(self) -> None:
        """Wait until all workers have left, and remind them with growing force."""
        for number, seconds in ((0, _LEAVE_SECONDS), (TERMINATE, _GRACE_SECONDS), (KILL, 1.0)):
            for tree in self._trees.values():
                tree.signal(number)  # 0 reaches nobody but notes who is there
            deadline = time.monotonic() + seconds
            while self._trees and (left := deadline - time.monotonic()) > 0:
                if select.select([self._ended], [], [], left)[0]:
                    list(self._reap())


def _fork() -> int:
    with warnings.catch_warnings():
        # From Python 3.12 on, a warning where a preloaded library keeps threads of its own.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


@contextlib.contextmanager
def _child_ends() -> Iterator[socket.socket]:
    """Give a socket that becomes readable when a child ends."""
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        previous = signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, previous)


@contextlib.contextmanager
def _process_end(pid: int) -> Iterator[tuple[int, ...]]:
    """Give a descriptor that becomes readable when process `pid` ends; none on old kernels."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        yield ()
        return
    try:
        yield (descriptor,)
    finally:
        os.close(descriptor)


def _death_signal() -> Callable[[], None]:
    """Return what makes the kernel end the calling child when this process ends."""
    import ctypes  # here, because the controller imports this module too

    prctl = ctypes.CDLL(None).prctl  # looked up before any fork
    server = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, KILL, 0, 0, 0)
        if os.getppid() != server:  # it ended before the kernel knew
            os._exit(1)

    return ask


def _become_worker(die_with_parent: Callable[[], None]) -> None:
    os.setsid()  # its own group, so that it can be ended together with what it starts
    die_with_parent()
    gc.unfreeze()
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()  # or all workers would draw the same numbers
