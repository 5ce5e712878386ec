"""What the code prints: taken in on its way to where it is shown, for the run that is at work.

By default as Python sees it: ``write`` of ``sys.stdout`` and ``sys.stderr`` also tells the run of
the calling code, which costs next to nothing. What compiled code and other programs print goes
past Python; :mod:`.descriptors` takes that in, too, where it is asked for.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from .. import context
from .transcript import Transcript

if TYPE_CHECKING:
    from ..run import TrackedRun

STREAMS: Final = ("stdout", "stderr")

_hooked: list[tuple[Any, Callable[[str], Any], Any]] = []
"""Streams, what stands in the place of their ``write``, and what they had of their own before."""


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
    if stream is None or any(stream is other for other, _, _ in _hooked):
        return
    write = stream.write

    def told(text: str, /) -> Any:
        written = write(text)
        _tell(name, text)
        return written

    own = getattr(stream, "__dict__", {}).get("write")
    with contextlib.suppress(AttributeError, TypeError):  # a stream that lets nobody listen
        stream.write = told
        _hooked.append((stream, told, own))


def _unhook() -> None:
    while _hooked:
        stream, told, own = _hooked.pop()
        if getattr(stream, "__dict__", {}).get("write") is not told:
            continue  # somebody else listens behind us
        if own is None:
            del stream.write
        else:
            stream.write = own


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
