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


def derived_id(*parts: str) -> str:
    """Return the UUIDv8 (RFC 9562) that follows from texts: the same ones give the same id.

    For what has an identity elsewhere, so that taking it over again finds what is there.

    Examples
    --------
    >>> derived_id("mlflow", "a1b2") == derived_id("mlflow", "a1b2") != derived_id("mlflowa1b2")
    True
    >>> derived_id("mlflow", "a1b2")[14]
    '8'
    """
    from blake3 import blake3

    hashed = blake3(b"gosset-id/1")
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        hashed.update(len(data).to_bytes(8, "big") + data)
    value = int.from_bytes(hashed.digest(length=16), "big")
    value = value & ~(0xF << 76) & ~(0b11 << 62) | 0x8 << 76 | 0b10 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Those that nobody takes for another."""


def short_name(id_: str) -> str:
    """Return the name of what was given none: six characters of its id's random part.

    Examples
    --------
    >>> short_name("019aa6c1-9e3e-7c7a-8b1d-5d0a4c3f2e1b")
    'ksbbzd'
    """
    number = int(id_.replace("-", ""), 16)
    letters = []
    for _ in range(6):
        number, at = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[at])
    return "".join(letters)
