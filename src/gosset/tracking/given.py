"""What callers give to a run, as it is kept: names, numbers, steps, times."""

from __future__ import annotations

import time
from typing import Any, Final

from ..exceptions import UsageError
from ..series import Number
from .fields import as_parameter

NUMBERS: Final = frozenset({float, int, bool})
LIMIT: Final = 2**63


def microseconds() -> int:
    """Return the time, in microseconds since the epoch."""
    return time.time_ns() // 1000


def checked(what: str, name: object) -> str:
    """Return the name of `what`, or raise where no store takes it."""
    from ..naming import checked_name

    return checked_name(what, name)


def as_number(name: str, value: Any) -> Number:
    """Return a number of another library as one of Python's."""
    detach = getattr(value, "detach", None)
    if detach is not None:
        value = detach()
    item = getattr(value, "item", None)
    if item is not None:
        try:
            value = item()
        except (ValueError, RuntimeError):
            shape = getattr(value, "shape", None)
            raise UsageError(
                f"metric {name!r} is not one number but has the shape {tuple(shape or ())}",
                hint="log its mean, or keep it whole with run.log_artifact()",
            ) from None
    if type(value) in NUMBERS:
        number: Number = value
        return number
    if not isinstance(value, str | bytes | bytearray):
        for convert in (int, float) if hasattr(value, "__index__") else (float,):
            try:
                return convert(value)
            except (TypeError, ValueError):
                continue
    raise UsageError(
        f"metric {name!r} is not a number but {type(value).__name__}",
        hint=f"use run.fields[{name!r}] for other values",
    )


def as_step(step: Any) -> int:
    try:
        number = int(step.__index__())
    except AttributeError:
        raise UsageError(f"the step {step!r} is no integer", hint="count from 0") from None
    if not -LIMIT <= number < LIMIT:
        raise UsageError(f"the step {number} has more than 64 bits", hint="count from 0")
    return number


def as_plain(name: str, value: Any) -> Any:
    return as_parameter(name, value)
