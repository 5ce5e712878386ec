"""Where the code at work comes from: what is told at once, and when the rest is looked into.

A short script does not wait for Git. What the files of the repository say is told with the
launch; the rest is looked into by a thread of a process that lives longer, and otherwise at the
end, where there is a repository to be asked.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

from ...types import JSONValue
from ..threads import begun
from .secrets import masked_source

if TYPE_CHECKING:
    from ..run import TrackedRun
    from ..writer import Writer

AFTER: Final = 1.5
"""Seconds that a process lives until its origin is looked into."""

_PATIENCE: Final = 5.0
"""Seconds that the end of the process waits for what was begun."""

_seen: set[str] = set()
_waiting: dict[str, tuple[str, str, Writer]] = {}
"""Id of each launch that is to be looked into → its script, one of its runs, who writes them."""
_thread: threading.Thread | None = None
_lock = threading.Lock()
"""Held while a thread is begun: the end of the process waits for it, or lets none begin."""
_ended = False


def at_once() -> dict[str, JSONValue]:
    """Return what the files of a repository say; nothing where there is none."""
    from ...provenance.glance import glance

    return glance(path()) or {}


def path() -> str:
    """Return the script that is at work; the current folder where there is none."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    return os.path.abspath(file) if file else os.getcwd()


def sources() -> dict[str, str]:
    """Return the source of the script, or of the cells of a notebook until now, by name."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    if file is None:
        cells = _cells()
        return {"notebook": cells} if cells else {}
    try:
        with open(file, encoding="utf-8") as script:
            return {os.path.basename(file): script.read()}
    except (OSError, UnicodeDecodeError):
        return {}


def masked(sources: dict[str, str]) -> dict[str, JSONValue]:
    """Return sources without the secrets in them."""
    return {name: masked_source(text) for name, text in sources.items()}


def expect(run: TrackedRun, writer: Writer) -> None:
    """See that the launch of a run is looked into, once."""
    launch = run.launch
    if launch is None or launch.id in _seen:
        return
    _seen.add(launch.id)
    _waiting[launch.id] = path(), run.id, writer  # at its end Python forgets the script
    writer.later(AFTER, _begin)


def at_exit() -> None:
    """Look into what is left where there is a repository; wait for what was begun."""
    global _ended
    with _lock:
        _ended = True
    if _thread is not None:
        _thread.join(_PATIENCE)
    if not _waiting:
        return
    from ...provenance.glance import repository

    if any(repository(script) is not None for script, _, _ in _waiting.values()):
        _work()


def _begin() -> None:
    global _thread
    with _lock:
        if not _ended and (_thread is None or not _thread.is_alive()):
            _thread = begun(_work, "gosset-origin")


def _work() -> None:
    from .capturing import look_into

    while _waiting:
        try:
            launch, (script, run, writer) = _waiting.popitem()
        except KeyError:  # another thread was faster
            return
        look_into(script, launch, run, writer)


def _cells() -> str:
    """Return the cells that IPython carried out, each under its number."""
    ipython = sys.modules.get("IPython")
    shell: Any = None if ipython is None else ipython.get_ipython()
    if shell is None:
        return ""
    cells = enumerate(shell.user_ns.get("In", ()))
    return "\n\n".join(f"# In[{number}]\n{text}" for number, text in cells if text)


def _forked() -> None:
    global _thread, _lock, _ended
    _thread, _lock, _ended = None, threading.Lock(), False
    _waiting.clear()  # the parent looks into its own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
