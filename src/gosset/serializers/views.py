"""What tagged JSON says to somebody who wants no types: plain JSON, to be listed and searched."""

from __future__ import annotations

from typing import Any

from ..types import JSONValue


def plain_form(value: object) -> JSONValue:
    """Return a value that :func:`~gosset.serializers.json.encode` takes as plain JSON.

    Examples
    --------
    >>> from datetime import date
    >>> plain_form([date(2026, 1, 2), (1, 2)])
    ['2026-01-02', [1, 2]]
    """
    from .json import encode

    return view(encode(value))


def view(encoded: JSONValue) -> JSONValue:
    """Return what :func:`~gosset.serializers.json.encode` gave, without its tags.

    A scalar of NumPy becomes a number, a tuple or a set a list, a moment or a path text, a
    duration its seconds, and what lies in an artifact the reference to it.

    Examples
    --------
    >>> view({"score": {"$numpy": ["float32", 0.5]}, "shape": {"$tuple": [2, 3]}})
    {'score': 0.5, 'shape': [2, 3]}
    >>> view({"$dict": [[1, "a"], [{"$tuple": [2, 3]}, "b"]]})
    {'1': 'a', '[2, 3]': 'b'}
    """
    if isinstance(encoded, list):
        return [view(item) for item in encoded]
    if not isinstance(encoded, dict):
        return encoded
    tag = next(iter(encoded)) if len(encoded) == 1 else ""
    if not tag.startswith("$"):
        return {key: view(item) for key, item in encoded.items()}
    return _without(tag, encoded[tag])


def _without(tag: str, parts: Any) -> JSONValue:
    if tag == "$artifact":
        return dict(parts)
    if tag in ("$dict", "$ordered"):
        return _pairs([(view(key), view(item)) for key, item in parts])
    if tag == "$float":
        return float(parts)
    if tag == "$str":
        from .json import decode

        return str(decode({tag: parts})).encode("utf-8", "backslashreplace").decode()
    if tag == "$timedelta":
        days, seconds, microseconds = parts
        return float(days * 86400 + seconds + microseconds / 1e6)
    if tag == "$fraction":
        return "/".join(map(str, parts))
    if tag in ("$numpy", "$pandas", "$moment", "$complex"):
        return _of_library(tag, parts)
    return view(parts)


def _pairs(pairs: list[tuple[JSONValue, JSONValue]]) -> JSONValue:
    named = {key if isinstance(key, str) else str(key): item for key, item in pairs}
    return named if len(named) == len(pairs) else [list(pair) for pair in pairs]


def _of_library(tag: str, parts: Any) -> JSONValue:
    """Return a number where it is one, else the text that Python shows of it."""
    from .json import decode

    if (
        tag == "$numpy"
        and isinstance(parts[1], bool | int | float | str)
        and "time" not in parts[0]
    ):
        return view(parts[1])
    if tag == "$numpy" and isinstance(parts[1], dict) and "$float" in parts[1]:
        return view(parts[1])
    value: Any = decode({tag: parts})
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
