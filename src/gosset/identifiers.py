"""Ids and the clock: the two things that no pure module may make for itself."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_lock = threading.Lock()
_last = 0


def now() -> datetime:
    """Return the current time in UTC, aware, to the microsecond.

    Examples
    --------
    >>> now().tzinfo
    datetime.timezone.utc
    """
    # Not for whoever wants an id alone: a script that tracks one number is over sooner.
    from datetime import UTC, datetime

    return datetime.now(UTC)


def new_id() -> str:
    """Return a new UUIDv7 (RFC 9562) as text.

    Ids made by one process sort in the order in which they were made: the 12 bits
    after the millisecond hold its fraction, and a tie is broken by counting on.

    Returns
    -------
    str
        36 characters in lower case.

    Examples
    --------
    >>> first, second = new_id(), new_id()
    >>> first < second, len(first), first[14]
    (True, 36, '7')
    """
    global _last
    with _lock:
        # 60 bits of time: 48 of milliseconds and 12 of their fraction.
        nanoseconds = time.time_ns()
        milliseconds, rest = divmod(nanoseconds, 1_000_000)
        ticks = (milliseconds << 12) | ((rest << 12) // 1_000_000)
        ticks = max(ticks, _last + 1)
        _last = ticks
    random = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    value = (ticks >> 12) << 80 | 0x7 << 76 | (ticks & 0xFFF) << 64 | 0b10 << 62 | random
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
