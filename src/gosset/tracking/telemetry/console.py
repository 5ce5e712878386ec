"""What the code prints: taken in on its way to where it is shown, for the run that is at work.

By default as Python sees it: ``write`` of ``sys.stdout`` and ``sys.stderr`` also tells the run of
the calling code, which costs next to nothing. What compiled code and other programs print goes
past Python; :mod:`.descriptors` takes that in, too, where it is asked for.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any, Final

from .. import context
from .transcript import Transcript

if TYPE_CHECKING:
    from ..run import TrackedRun

STREAMS: Final = ("stdout", "stderr")

_hooks: list[_Hook] = []
_cells_watched = False


class _Hook:
    """Stands in the place of the ``write`` of a stream."""

    def __init__(self, name: str, stream: Any) -> None:
        self.stream = stream
        self.live = True
        self.name = name
        self._write = stream.write
        self._own = getattr(stream, "__dict__", {}).get("write")
        stream.write = self

    def __call__(self, text: str, /) -> Any:
        written = self._write(text)
        if self.live:
            _tell(self.name, text)
        return written

    def leave(self) -> None:
        """Put back what was there, unless somebody else listens behind us."""
        self.live = False
        if self.stream.write is not self:
            return
        if self._own is None:
            del self.stream.write
        else:
            self.stream.write = self._own


def listen(run: TrackedRun, *, everything: bool) -> Transcript:
    """Keep with a run what is printed from now on.

    Parameters
    ----------
    run : TrackedRun
    everything : bool
        Also what compiled code and other programs print.
    """
    transcript = Transcript(run.awake)
    names: tuple[str, ...] = STREAMS
    if everything:
        from . import descriptors

        names = descriptors.listen(transcript)
    for name in names:
        _hook(name)
    return transcript


def leave(run: TrackedRun, transcript: Transcript) -> None:
    """Take in what a run has printed until now; go on for others alone."""
    descriptors = sys.modules.get(f"{__package__}.descriptors")
    if descriptors is not None:
        descriptors.leave(transcript)
    if not any(other.transcript for other in context._started if other is not run):
        _unhook()


def _hook(name: str) -> None:
    stream = getattr(sys, name, None)
    if stream is None or any(stream is hook.stream for hook in _hooks):
        return
    with contextlib.suppress(AttributeError, TypeError):  # a stream that lets nobody listen
        _hooks.append(_Hook(name, stream))
    if "IPython" in sys.modules:
        _watch_cells()


def _unhook() -> None:
    while _hooks:
        _hooks.pop().leave()


def _watch_cells() -> None:
    """Listen anew in each cell: at the end of one IPython puts ``write`` back as it was before."""
    global _cells_watched
    shell = sys.modules["IPython"].get_ipython()
    if shell is not None and not _cells_watched:
        shell.events.register("pre_run_cell", _renew)
        _cells_watched = True


def _renew(info: object) -> None:
    streams = [getattr(sys, name, None) for name in STREAMS]
    for hook in _hooks[:]:
        if hook.stream.write is not hook and any(hook.stream is stream for stream in streams):
            hook.live = False
            _hooks.remove(hook)
            _hook(hook.name)


def _tell(name: str, text: str) -> None:
    run = context._innermost()
    transcript = getattr(run, "transcript", None)
    if transcript is None:
        for run in reversed(context._started):
            if run.transcript is not None:
                transcript = run.transcript
                break
    if transcript is not None and type(text) is str:
        transcript.write(name, text)
