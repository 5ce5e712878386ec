"""Messages over a stream socket: a byte that says what it is, eight of length, the body."""

from __future__ import annotations

import socket
import struct
from collections import deque
from enum import IntEnum

_HEADER = struct.Struct("<BQ")
_CHUNK = 1 << 18


class Kind(IntEnum):
    """What a message is."""

    CONTEXT = 0
    """To a worker, first: a pickled ``worker.Context``."""
    TASK = 1
    """To a worker: a pickled payload."""
    READY = 2
    """From a worker, once: its process id, pickled."""
    BROKEN = 3
    """From a worker instead of READY: the pickled ``ExceptionInfo`` of its setup."""
    MESSAGE = 4
    """From a worker: a pickled message of the task at hand."""
    DONE = 5
    """From a worker, which is free again: the pickled result."""
    FAILED = 6
    """From a worker, which is free again: the pickled ``ExceptionInfo``."""


class Channel:
    """The controller's end: never blocks, so that no worker can hold up the others.

    Parameters
    ----------
    connection : socket.socket
        Taken over: made non-blocking, and closed by :meth:`close`.

    Attributes
    ----------
    ended : bool
        The other end is closed, and all that it had sent was received.
    """

    __slots__ = ("_incoming", "_outgoing", "_scratch", "_socket", "ended")

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._incoming = bytearray()
        self._outgoing: deque[memoryview] = deque()
        self._scratch = memoryview(bytearray(_CHUNK))
        self.ended = False

    def fileno(self) -> int:
        """Return the socket's descriptor, for selectors."""
        return self._socket.fileno()

    def send(self, kind: Kind, body: bytes) -> bool:
        """Queue a message and write what the socket takes at once; see :meth:`flush`."""
        header = _HEADER.pack(kind, len(body))
        if len(body) <= _CHUNK:
            self._outgoing.append(memoryview(header + body))
        else:  # not worth a copy
            self._outgoing.append(memoryview(header))
            self._outgoing.append(memoryview(body))
        return self.flush()

    def flush(self) -> bool:
        """Write what the socket takes; return whether nothing is left to write.

        Raises
        ------
        OSError
            The other end is closed.
        """
        outgoing = self._outgoing
        while outgoing:
            view = outgoing[0]
            try:
                sent = self._socket.send(view)
            except BlockingIOError:
                return False
            if sent == len(view):
                outgoing.popleft()
            else:
                outgoing[0] = view[sent:]
        return True

    def receive(self) -> list[tuple[int, bytes]] | None:
        """Read one chunk; return the messages it completes, None if there was nothing to read."""
        try:
            size = self._socket.recv_into(self._scratch)
        except BlockingIOError:
            return None
        except ConnectionError:  # it died with unread messages in its own socket
            size = 0
        if size == 0:
            self.ended = True
            return None
        self._incoming += self._scratch[:size]
        return self._complete()

    def _complete(self) -> list[tuple[int, bytes]]:
        messages = []
        start, available = 0, len(self._incoming)
        with memoryview(self._incoming) as view:
            while available - start >= _HEADER.size:
                kind, size = _HEADER.unpack_from(view, start)
                end = start + _HEADER.size + size
                if end > available:
                    break
                messages.append((kind, bytes(view[start + _HEADER.size : end])))
                start = end
        del self._incoming[:start]
        return messages

    def close(self) -> None:
        """Close the socket, which an idle worker takes as the sign to leave."""
        self._socket.close()


class Stream:
    """A worker's end: blocks until a message is whole or written."""

    __slots__ = ("_file", "_socket")

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._file = connection.makefile("rb")

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def read(self) -> bytes | None:
        """Return the body of the next message, or None when the controller is gone."""
        try:
            header = self._file.read(_HEADER.size)
            if len(header) < _HEADER.size:
                return None
            size = _HEADER.unpack(header)[1]
            body = self._file.read(size)
        except ConnectionError:
            return None
        return body if len(body) == size else None

    def write(self, kind: Kind, body: bytes) -> None:
        """Send one message."""
        header = _HEADER.pack(kind, len(body))
        if len(body) <= _CHUNK:
            self._socket.sendall(header + body)
        else:
            self._socket.sendall(header)
            self._socket.sendall(body)
