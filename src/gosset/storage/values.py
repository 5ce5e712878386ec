"""Values as the tables keep them. Loads no database library."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from ..exceptions import UsageError
from ..series import Number, Summary
from ..types import JSONValue
from .numbers import EXACT, as_double

HEAD_LENGTH: Final = 250
"""Characters of a text value that are indexed; PostgreSQL bounds the size of index rows."""

# Only ASCII is written, so that zero characters and lone surrogates pass any database.
_encode = json.JSONEncoder(separators=(",", ":")).encode
decode = json.JSONDecoder().decode
_EMPTY: Final[Mapping[type, str]] = {dict: "{}", list: "[]"}


def encode(value: object, what: str) -> str:
    """Return `value` as JSON text.

    Raises
    ------
    UsageError
        It is not JSON; `what` names it in the message.
    """
    if not value and type(value) in _EMPTY:  # as most are
        return _EMPTY[type(value)]
    try:
        return _encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"{what} cannot be kept as JSON: {error}") from error


def encode_summary(summary: Summary) -> list[JSONValue]:
    """Return the summary of a series as it stands beside its last value."""
    return [
        summary.count,
        summary.step,
        summary.time,
        summary.minimum,
        summary.maximum,
        summary.total,
        summary.numbers,
    ]


def whole_number(value: Number) -> str | None:
    """Return a number as JSON text where a column of doubles does not give it back as it is.

    That is whatever is no float, NaN, and zero with a sign, which no database keeps.

    Examples
    --------
    >>> whole_number(0.5), whole_number(3), whole_number(float("nan"))
    (None, '3', 'NaN')
    """
    if isinstance(value, float) and value == value and (value or math.copysign(1, value) > 0):
        return None
    return _encode(value)


def plain(text: str) -> str:
    """Return text that any database takes: what is no UTF-8, or zero, becomes an escape."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def side_row(run: int, key: str, value: JSONValue) -> dict[str, Any]:
    """Return the row of ``run_params`` or ``run_fields`` for a value (see ``schema``)."""
    row: dict[str, Any] = {"run": run, "name": key, "number": None, "text": None, "whole": None}
    if isinstance(value, str):
        row["text"] = value[:HEAD_LENGTH]
        row["whole"] = value if len(value) > HEAD_LENGTH else None
    elif isinstance(value, bool) or not isinstance(value, int | float):
        row["whole"] = encode(value, key)
    else:
        row["number"] = as_double(value)
        if row["number"] is None or (isinstance(value, int) and abs(value) >= EXACT):
            row["whole"] = encode(value, key)
    return row
