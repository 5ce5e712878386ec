"""Nested values under dotted names, without losing one where two would be called the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def dotted(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with what is nested in mappings under dotted names.

    Of two with the same name, that of which it is the name in the source keeps it; the other's
    gets a prime.

    Examples
    --------
    >>> dotted({"lr": 0.1, "net": {"layers": [8, 4], "act": {}}})
    {'lr': 0.1, 'net.layers': [8, 4], 'net.act': {}}
    >>> dotted({"a": {"b": 1}, "a.b": 2})
    {"a.b'": 1, 'a.b': 2}
    """
    own = {name for name, value in values.items() if not _is_nested(value)}
    found: dict[str, Any] = {}
    for name, value in values.items():
        for inner, leaf in leaves(name, value):
            while inner in found or (inner in own and name != inner):
                inner += "'"
            found[inner] = leaf
    return found


def leaves(name: str, value: Any, *, whole: str = "") -> Iterator[tuple[str, Any]]:
    """Iterate over a value by dotted names: itself, or what is nested in it.

    Parameters
    ----------
    name : str
    value : object
    whole : str
        A mapping with this key is a value, no nesting.

    Examples
    --------
    >>> list(leaves("val", {"acc": 0.5, "img": {"_type": "image"}}, whole="_type"))
    [('val.acc', 0.5), ('val.img', {'_type': 'image'})]
    """
    if _is_nested(value) and not (whole and whole in value):
        for key, inner in value.items():
            yield from leaves(f"{name}.{key}", inner, whole=whole)
    else:
        yield name, value


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping) and len(value) > 0
