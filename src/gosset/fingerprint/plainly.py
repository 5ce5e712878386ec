"""The digest of plain JSON values, without what other values need."""

from __future__ import annotations

from collections.abc import Mapping

from blake3 import blake3

from ..types import JSONValue
from .leaves import FORMAT, bits, integer, leaf, node, text


def plain_digest(value: JSONValue | Mapping[str, JSONValue]) -> str:
    """Return what :func:`gosset.fingerprint.digest` returns for a value of JSON's types.

    Examples
    --------
    >>> from gosset.fingerprint import digest
    >>> plain_digest({"lr": 0.1, "layers": [64, 32]}) == digest({"layers": [64, 32], "lr": 0.1})
    True
    """
    return blake3(text(FORMAT) + text("value") + _encoded(value)).hexdigest()


def _encoded(value: JSONValue | Mapping[str, JSONValue]) -> bytes:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, bool):
        return b"bool:1:1" if value else b"bool:1:0"
    if isinstance(value, int):
        return integer(value)
    if isinstance(value, float):
        return leaf(b"float", bits(value))
    if value is None:
        return b"none:0:"
    if isinstance(value, Mapping):
        pairs = sorted((text(key), _encoded(item)) for key, item in value.items())
        return node(b"dict", len(pairs)) + b"".join(map(b"".join, pairs))
    return node(b"list", len(value)) + b"".join(map(_encoded, value))
