"""What is printed by whatever means: by Python, by compiled code, and by other programs.

Standard output and standard error of this process are led through ``tee``, a process of its own,
which shows them as before and records them. Should this process die, nothing that it printed is
lost on the way; should it hold Python's lock while it prints, nothing waits for it.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
import threading
import time
from typing import Any, Final

from ..threads import begun
from .transcript import Transcript

try:
    import fcntl
    import termios
except ImportError:  # not on Windows
    fcntl = termios = None  # type: ignore[assignment]

_NAMES: Final = {1: "stdout", 2: "stderr"}
_LOOK_EVERY: Final = 0.2
"""Seconds between looks at the record."""

_PATIENCE: Final = 0.5
"""Seconds that what was printed is waited for at the end."""

_LONGEST: Final = 1 << 23
"""Bytes of the record that are kept."""

_BLOCK: Final = 1 << 20
_ABOVE: Final = 30
"""Descriptors from here on do not get in the way of those that a new process is given."""

_tee: _Tee | None = None


def listen(transcript: Transcript) -> tuple[str, ...]:
    """Take in all that is printed; return the streams that go elsewhere and are to be hooked."""
    global _tee
    if _tee is not None and _tee.foreign:
        _tee = None  # a forked copy: the parent listens
    if _tee is None:
        _tee = _Tee.started()
    if _tee is None:
        return tuple(_NAMES.values())
    if _tee.transcripts:
        _tee.settle()
    _tee.transcripts.append(transcript)
    return tuple(name for fd, name in _NAMES.items() if not _is_over(name, fd))


def leave(transcript: Transcript) -> None:
    """Bring a transcript up to date, and listen no more for it."""
    global _tee
    if _tee is None or _tee.foreign or transcript not in _tee.transcripts:
        return
    if len(_tee.transcripts) == 1:
        last, _tee = _tee, None
        last.stop()
        return
    _tee.settle()
    _tee.transcripts.remove(transcript)


def _is_over(name: str, fd: int) -> bool:
    try:
        return bool(getattr(sys, name).fileno() == fd)
    except (AttributeError, OSError, ValueError):
        return False


class _Channel:
    """A file to which something is printed; one or two descriptors lead to it."""

    def __init__(self, fds: list[int]) -> None:
        self.stream = _NAMES[fds[0]]
        self.fds = fds
        self.shown = _high(os.dup(fds[0]))
        self.record = _high(_nameless())
        self.read, self.written = (_high(fd) for fd in _pipe(fds[0]))
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._place = 0

    def lead(self) -> None:
        """Lead what is printed to the new process."""
        for fd in self.fds:
            os.dup2(self.written, fd)
        os.close(self.read)
        os.close(self.written)

    def lead_back(self) -> None:
        """Lead it where it went before."""
        for fd in self.fds:
            os.dup2(self.shown, fd)
        os.close(self.shown)

    def news(self) -> str:
        """Return what was recorded since the last time."""
        parts = []
        while block := os.pread(self.record, _BLOCK, self._place):
            self._place += len(block)
            parts.append(self._decoder.decode(block))
        if self._place > _LONGEST and os.fstat(self.record).st_size == self._place:
            os.ftruncate(self.record, 0)
            self._place = 0
        return "".join(parts)


class _Tee:
    """The two channels, the processes behind them, and who is told of them."""

    def __init__(self, channels: list[_Channel], done: int) -> None:
        self.transcripts: list[Transcript] = []
        self._channels = channels
        self._done = done
        self._process = os.getpid()
        self._reading = threading.Lock()
        self._over = threading.Lock()
        self._over.acquire()
        self._thread: threading.Thread | None = None

    @classmethod
    def started(cls) -> _Tee | None:
        """Return one at work; None where there cannot be one."""
        # In a notebook what is printed goes to the page, by a way of its own.
        if fcntl is None or "ipykernel" in sys.modules or not _is_there("tee"):
            return None
        try:
            places = {fd: os.fstat(fd) for fd in _NAMES}
            _flush()
            same = os.path.samestat(places[1], places[2])
            channels = [_Channel(fds) for fds in ([[1, 2]] if same else [[1], [2]])]
            done, alive = (_high(fd) for fd in os.pipe())
            try:
                _spawn(channels, alive)
            finally:
                os.close(alive)
        except (OSError, NotImplementedError):
            return None
        for channel in channels:
            channel.lead()
        tee = cls(channels, done)
        tee._thread = begun(tee._work, "gosset-console")
        return tee

    @property
    def foreign(self) -> bool:
        """Whether another process, from which this one was forked, began it."""
        return self._process != os.getpid()

    def stop(self) -> None:
        """Show and record things as before; return when all was recorded that was printed."""
        self._drain()
        for channel in self._channels:
            channel.lead_back()
        self._over.release()
        if self._thread is not None:
            self._thread.join()
        # A process that this one left behind may go on to print, and keep them alive.
        _wait_for(self._done, _PATIENCE)
        self._take()
        channels, self._channels = self._channels, []
        for channel in channels:
            os.close(channel.record)
        os.close(self._done)

    def settle(self) -> None:
        """Take in what was printed until now."""
        self._drain()
        time.sleep(0.005)  # from being read to being recorded
        self._take()

    def _drain(self) -> None:
        """Return when all that was printed was read."""
        _flush()
        until = time.monotonic() + _PATIENCE
        while any(map(_is_full, (fd for c in self._channels for fd in c.fds))):
            if time.monotonic() > until:
                break
            time.sleep(0.001)

    def _work(self) -> None:
        while not self._over.acquire(timeout=_LOOK_EVERY):
            self._take()

    def _take(self) -> None:
        # A signal may have come to who is reading, and ask for the rest.
        if not self._reading.acquire(timeout=_LOOK_EVERY):
            return
        try:
            for channel in self._channels:
                text = channel.news()
                if text and self.transcripts:
                    self.transcripts[-1].write(channel.stream, text)
        finally:
            self._reading.release()


def _spawn(channels: list[_Channel], alive: int) -> None:
    """Start ``tee`` for each channel, as nobody's child.

    Signals to the process group, or to all processes of a job, must not end it before us.
    """
    script = ["trap '' HUP INT TERM QUIT"]
    actions: list[Any] = [(os.POSIX_SPAWN_DUP2, alive, 9)]
    for number, channel in enumerate(channels):
        given = 3 + 3 * number
        for at, fd in enumerate((channel.read, channel.shown, channel.record)):
            actions.append((os.POSIX_SPAWN_DUP2, fd, given + at))
        closed = " ".join(f"{fd}>&-" for fd in range(3, 9))
        script.append(
            f"tee -a /dev/fd/{given + 2} <&{given} >&{given + 1} 2>/dev/null "
            f"{closed.replace(f'{given + 2}>&-', '')} &"
        )
    process = os.posix_spawn(
        "/bin/sh",
        ["sh", "-c", "\n".join(script)],
        {"PATH": os.environ.get("PATH", os.defpath)},
        file_actions=actions,
        setsid=True,
    )
    os.waitpid(process, 0)


def _pipe(fd: int) -> tuple[int, int]:
    """Return what to read from and what to write to, a terminal in the place of a terminal."""
    if not os.isatty(fd):
        return os.pipe()
    read, written = os.openpty()
    fcntl.ioctl(written, termios.TIOCSWINSZ, fcntl.ioctl(fd, termios.TIOCGWINSZ, b"\0" * 8))
    modes = termios.tcgetattr(written)
    modes[1] &= ~termios.OPOST  # line ends are the business of the one that it is shown on
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(written, termios.TCSANOW, modes)
    return read, written


def _nameless() -> int:
    """Return a file without a name: what is recorded in it does not outlive the process."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("gosset-console")
    import tempfile

    with tempfile.TemporaryFile() as file:
        fd = os.dup(file.fileno())
    fcntl.fcntl(fd, fcntl.F_SETFL, os.O_APPEND)
    return fd


def _high(fd: int) -> int:
    """Return the same file under a number that no new process is given by mistake."""
    high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _ABOVE)
    os.close(fd)
    return high


def _flush() -> None:
    """Have Python and C print what they still hold back."""
    for name in _NAMES.values():
        with contextlib.suppress(AttributeError, OSError, ValueError):
            getattr(sys, name).flush()
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).fflush(None)


def _is_there(program: str) -> bool:
    return any(os.access(os.path.join(folder, program), os.X_OK) for folder in os.get_exec_path())


def _wait_for(fd: int, seconds: float) -> None:
    """Return when nobody writes to a pipe any more, or after some seconds."""
    import select

    poll = select.poll()
    poll.register(fd)
    poll.poll(seconds * 1000)


def _is_full(fd: int) -> bool:
    """Whether something that was printed was not read yet."""
    answer = bytearray(4)
    try:
        fcntl.ioctl(fd, termios.TIOCOUTQ if os.isatty(fd) else termios.FIONREAD, answer)
    except OSError:
        return False
    return int.from_bytes(answer, sys.byteorder) > 0
