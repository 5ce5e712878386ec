"""What callers give to a run, as it is kept: names, numbers, steps, times."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from ..exceptions import UsageError
from ..naming import checked_name
from ..series import Number
from ..storage.news import Alert
from ..types import JSONValue
from .fields import BITS, as_parameter

NUMBERS: Final = frozenset({float, bool})
"""Types of numbers that are kept as they are; integers are, too, below :data:`LIMIT`."""

LIMIT: Final = 2**63


def microseconds() -> int:
    """Return the time, in microseconds since the epoch."""
    return time.time_ns() // 1000


def checked(what: str, name: object) -> str:
    """Return the name of `what`, or raise where no store takes it."""
    return _known(what, name) if type(name) is str else checked_name(what, name)


# One run after another logs the same names.
_known = lru_cache(maxsize=1024)(checked_name)


def as_number(name: str, value: Any) -> Number:
    """Return a number of another library, or a large one, as one of Python's."""
    try:
        value = _item(value)
        number = _converted(value)
    except Exception as error:  # whatever an object of another library raises
        raise UsageError(
            f"metric {name!r} gives no number: {type(error).__name__}: {error}",
            hint="log a float, an int or a bool",
        ) from error
    shape = tuple(getattr(value, "shape", None) or ())
    if number is None and shape:
        raise UsageError(
            f"metric {name!r} is not one number but has the shape {shape}",
            hint="log its mean, or keep it whole with run.log_artifact()",
        )
    if number is None:
        raise UsageError(
            f"metric {name!r} is not a number but {type(value).__name__}",
            hint=f"use run.fields[{name!r}] for other values",
        )
    if type(number) is int and number.bit_length() > BITS:
        raise UsageError(
            f"metric {name!r} is an integer of {number.bit_length()} bits",
            hint=f"at most {BITS} are kept exactly; log it as a float",
        )
    return number


def _converted(value: Any) -> Number | None:
    """Return a value as a number, exactly where it can be; None where it is none."""
    if type(value) in NUMBERS:
        number: Number = value
        return number
    if isinstance(value, str | bytes | bytearray):
        return None
    for convert in (int, float) if hasattr(value, "__index__") else (float,):
        with contextlib.suppress(TypeError, ValueError):
            return convert(value)
    return None


def _item(value: Any) -> Any:
    """Return the one number in an array or a tensor; what is none of these as it is."""
    detach = getattr(value, "detach", None)
    if detach is not None:
        value = detach()
    item = getattr(value, "item", None)
    if item is None:
        return value
    try:
        # What is masked has no number, though something stands in its place.
        return math.nan if getattr(value, "mask", False) else item()
    except (ValueError, RuntimeError):
        if getattr(value, "shape", ()):
            return value
        raise


def as_step(step: Any) -> int:
    try:
        number = int(step.__index__())
    except (AttributeError, TypeError):
        raise UsageError(f"the step {step!r} is no integer", hint="count from 0") from None
    if not -LIMIT <= number < LIMIT:
        raise UsageError("a step has more than 64 bits", hint="count from 0")
    return number


def as_seed(seed: Any) -> int | None:
    """Return a seed as one of Python's integers; none as it is."""
    if seed is None:
        return None
    index = getattr(seed, "__index__", None)
    number = -1 if index is None or isinstance(seed, bool) else int(index())
    if not 0 <= number < LIMIT:
        raise UsageError(
            f"{seed!r} is no seed", hint="a seed is a whole number from 0 to 2**63 - 1"
        )
    return number


def as_text(what: str, text: Any) -> str:
    if not isinstance(text, str):
        raise UsageError(f"{what} is no text but {type(text).__name__}", hint="use str()")
    return text


def as_mapping(what: str, values: Any) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        raise UsageError(
            f"{what} are no mapping but {type(values).__name__}", hint="write {name: value}"
        )
    return values


def as_tags(tags: Any) -> list[str]:
    """Return tags as they are kept; those of a mapping as ``key=value``.

    Raises
    ------
    UsageError
        It is one text, or holds what is none.
    """
    if isinstance(tags, Mapping):
        tags = [f"{checked('a tag', key)}={value}" for key, value in tags.items()]
    if isinstance(tags, str | bytes) or not isinstance(tags, Iterable):
        raise UsageError(f"tags={tags!r} is no list of texts", hint=f"write tags=[{tags!r}]")
    return [checked("a tag", tag) for tag in tags]


def given_step(value: Any, step: int | None) -> int | None:
    """Return the step of ``log(metrics, value, step)``, where `metrics` is a mapping.

    Raises
    ------
    UsageError
        Both are given: one of them would be lost.
    """
    if value is not None and step is not None:
        raise UsageError(
            f"log() was given {value!r} and the step {step!r}", hint="log({…}, step=3)"
        )
    return step if value is None else value


def as_plain(name: str, value: Any) -> Any:
    return as_parameter(name, value)


def as_parameters(params: Any) -> dict[str, JSONValue]:
    """Return parameters as they are kept."""
    given = as_mapping("parameters", params)
    return {checked("a parameter", name): as_parameter(name, v) for name, v in given.items()}


def as_config(config: Any) -> dict[str, JSONValue]:
    """Return the values of a configuration as they are kept."""
    given = as_mapping("configured values", config)
    return {str(name): as_parameter(str(name), value) for name, value in given.items()}


def alert_of(title: str, text: str, level: str) -> Alert:
    for what, given in (("level", level), ("title", title), ("text", text)):
        as_text(f"the {what} of an alert", given)
    return Alert(microseconds(), level, title, text)


def reached(metrics: Iterable[str], step: int | None, last: Mapping[str, int]) -> dict[str, int]:
    """Return the step that each metric is logged at, after its last; or raise where it is before."""
    found = {name: last[name] + 1 if step is None else step for name in metrics}
    for name, at in found.items():
        if at < last[name]:
            raise UsageError(
                f"step {step} of {name!r} goes back behind {last[name]}",
                hint="start the run without monotonic=True to log in any order",
            )
    return found
