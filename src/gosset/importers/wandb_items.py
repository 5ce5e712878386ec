"""The items of wandb's records: values under a name, or under the names of a path."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from .protobuf import Message

_KEY, _NESTED_KEY, _JSON = 1, 2, 16
_NONE, _BOOLEAN, _INTEGER, _NUMBER, _TEXT, _INNER_JSON = 3, 4, 5, 6, 7, 8

Path = tuple[str, ...]

_DEEP: Final = 100

_UPDATE: Final = 1
_REMOVE: Final = 2


def items(messages: Iterable[Message]) -> Iterator[tuple[Path, Any]]:
    """Iterate over the items of a history, summary, configuration or of system metrics.

    Raises
    ------
    ValueError
        One is no JSON.
    """
    for message in messages:
        yield _path(message), _value(message)


def at_path(values: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Put a value where its path leads to.

    Examples
    --------
    >>> values = {}
    >>> at_path(values, ("val", "acc"), 0.5)
    >>> at_path(values, ("val", "loss"), 2)
    >>> values
    {'val': {'acc': 0.5, 'loss': 2}}
    """
    *way, last = path
    for name in way:
        inner = values.get(name)
        if not isinstance(inner, dict):
            inner = values[name] = {}
        values = inner
    values[last] = value


def changed(values: dict[str, Any], message: Message) -> None:
    """Change a configuration or summary as a record says.

    Raises
    ------
    ValueError
        An item is no JSON, or one is removed where none can be.
    """
    for path, value in items(message.several(_UPDATE)):
        at_path(values, path, value)
    for removed in message.several(_REMOVE):
        _remove(values, _path(removed))


def _remove(values: dict[str, Any], path: Sequence[str]) -> None:
    *way, last = path
    inner: Any = values
    for name in way:
        inner = inner.get(name, {}) if isinstance(inner, dict) else None
    if not isinstance(inner, dict):
        raise ValueError(f"it removes {'.'.join(path)!r}, which lies in what has no parts")
    inner.pop(last, None)


def _path(message: Message) -> Path:
    nested = tuple(part.decode("utf-8", "replace") for part in message.pieces(_NESTED_KEY))
    if len(nested) > _DEEP:
        raise ValueError("its parts lie too deep")
    return nested or (message.text(_KEY),)


def _value(message: Message) -> Any:
    """Return what an item says: JSON, or since wandb 0.31 one of several types."""
    if message.has(_JSON):
        return _read(message.text(_JSON))
    if message.has(_INTEGER):  # zigzag: the sign in the lowest bit
        raw = message.integer(_INTEGER) & (2**64 - 1)
        return (raw >> 1) ^ -(raw & 1)
    if message.has(_BOOLEAN):
        return bool(message.integer(_BOOLEAN))
    if message.has(_NUMBER):
        return message.double(_NUMBER)
    if message.has(_TEXT):
        return message.text(_TEXT)
    if message.has(_INNER_JSON):
        return _read(message.text(_INNER_JSON))
    return None


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("its parts lie too deep") from None
