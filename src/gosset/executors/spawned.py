"""The start of a worker that is an interpreter of its own."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading

from .worker import work


def main(descriptor: int | None) -> None:
    """Run a worker that ends when its standard input does, because that is the controller.

    Parameters
    ----------
    descriptor : int or None
        Of the inherited socket. None (Windows): a shared socket is described on standard
        input, eight bytes of length and the description.
    """
    lifeline = os.dup(0)
    if sys.platform == "win32":
        size = int.from_bytes(os.read(lifeline, 8), "little")
        connection = socket.fromshare(os.read(lifeline, size))
    else:
        assert descriptor is not None
        connection = socket.socket(fileno=descriptor)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # tasks read nothing, and hold no copy of the lifeline
    os.close(nothing)
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    work(connection)


def _end_with(lifeline: int) -> None:
    os.read(lifeline, 1)
    if sys.platform == "win32":
        os._exit(1)
    else:
        os.killpg(0, signal.SIGKILL)
