"""What a worker process does: set up once, then carry out task after task."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import pickle
import signal
import socket
import sys
import threading
from dataclasses import dataclass

from ..exceptions import SerializationError, UsageError
from ..importing import leave_folders_clean
from .base import Handler, Send, Setup
from .channel import Kind, Stream
from .failures import describe_exception
from .pickling import PROTOCOL, dumps, obstacle

unpickling = threading.Event()
"""Set in a worker while it imports what was sent to it: a module that starts workers when it
is imported would start them in workers of workers of workers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a worker takes over from the controller before its setup.

    Attributes
    ----------
    path : tuple of str
        ``sys.path``.
    folder : str or None
        The current folder, None where it was removed.
    arguments : tuple of str
        ``sys.argv``.
    setup : bytes
        The pickled ``Setup``.
    """

    path: tuple[str, ...]
    folder: str | None
    arguments: tuple[str, ...]
    setup: bytes


def work(connection: socket.socket) -> None:
    """Carry out the tasks that come over `connection` until its other end is closed."""
    # A handler that does nothing, not SIG_IGN, which the programs that a task starts
    # would inherit. Whether Ctrl-C ends a task is for the controller to say.
    signal.signal(signal.SIGINT, lambda *_: None)
    if sys.stderr is not None:
        faulthandler.enable()  # a crash in native code then says where
    with contextlib.suppress(ConnectionError), Stream(connection) as stream:
        _work(stream)


def _work(stream: Stream) -> None:
    context = stream.read()
    if context is None:
        return
    try:
        handler = _set_up(pickle.loads(context))
    except BaseException as error:  # noqa: BLE001 - becomes the outcome of a task
        stream.write(Kind.BROKEN, _described(error))
        return
    stream.write(Kind.READY, pickle.dumps(os.getpid(), PROTOCOL))
    desk = _Desk(handler, stream)
    while (payload := stream.read()) is not None:
        desk.carry_out(payload)


def _set_up(context: Context) -> Handler:
    sys.path[:] = context.path
    sys.argv[:] = context.arguments
    leave_folders_clean()
    if context.folder is not None:
        os.chdir(context.folder)
    setup: Setup = _unpickled(context.setup)  # type: ignore[assignment]
    return setup()


def _unpickled(data: bytes) -> object:
    unpickling.set()
    try:
        return pickle.loads(data)
    finally:
        unpickling.clear()


class _Desk:
    """Carries out one task after the other and sends what comes of it."""

    def __init__(self, handler: Handler, stream: Stream) -> None:
        self._handler = handler
        self._stream = stream
        self._lock = threading.Lock()
        self._turn = 0

    def carry_out(self, payload: bytes) -> None:
        try:
            kind, body = Kind.DONE, _result(self._handler(_unpickled(payload), self._sender()))
        except BaseException as error:  # noqa: BLE001 - also SystemExit: it is the task's end only
            kind, body = Kind.FAILED, _described(error)
        with self._lock:
            self._turn += 1
            self._stream.write(kind, body)

    def _sender(self) -> Send:
        turn = self._turn

        def send(content: object) -> None:
            body = _pickled(content, "message")
            with self._lock:
                if turn != self._turn:
                    raise UsageError("a message was sent after its task had ended")
                self._stream.write(Kind.MESSAGE, body)

        return send


def _result(value: object) -> bytes:
    return _pickled(value, "result")


def _pickled(value: object, name: str) -> bytes:
    try:
        return dumps(value)
    except Exception as error:
        raise SerializationError(
            f"the {name} cannot be sent from its worker: "
            f"{obstacle(value, name)} cannot be pickled ({error})"
        ) from error


def _described(error: BaseException) -> bytes:
    return pickle.dumps(describe_exception(error, skip=1), PROTOCOL)
