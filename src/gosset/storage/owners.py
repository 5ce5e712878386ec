"""Who works on a launch: whether its process lives."""

from __future__ import annotations

import os


def alive(pid: int) -> bool:
    """Whether a process of this host has this number.

    Examples
    --------
    >>> alive(os.getpid())
    True
    """
    if pid <= 0:
        return True  # of it nothing was said
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        # Somebody else's process; a number out of range says nothing.
        return True
    return True
