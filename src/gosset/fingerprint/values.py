"""Digests of values: the same for equal values, in every process, and for no others."""

from __future__ import annotations

import operator
from typing import Any

from blake3 import blake3

from ..exceptions import FingerprintError
from .code import Code, code_identity, code_in_value
from .families import encoder
from .leaves import FORMAT, integer, text


def digest(value: object, *, where: str = "") -> str:
    """Return the digest of a value.

    Parameters
    ----------
    value : object
        Plain Python data, arrays, frames, functions, classes, estimators, and whatever
        has a ``__gosset_identity__`` method or a registered type.
    where : str
        What the value is called in messages, e.g. ``"parameters['model']"``.

    Returns
    -------
    str
        BLAKE3 of the value's canonical encoding, 64 hexadecimal digits.

    Raises
    ------
    FingerprintError
        The value, or a part of it, is of a kind whose identity cannot be told, or it
        contains itself.

    Notes
    -----
    Types count: ``1``, ``1.0``, ``True`` and ``"1"`` differ, as do a list and a tuple of the
    same items. The order in which a dictionary or a set was filled does not count.
    ``0.0`` and ``-0.0`` differ; NaN is equal to itself. Arrays count by dtype, shape and
    content, not by their layout in memory, and so do frames. Functions and classes count
    by their code, see :func:`code_digest`.

    Examples
    --------
    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    >>> digest(1) == digest(1.0)
    False
    >>> digest({"callback": object()}, where="params")
    Traceback (most recent call last):
    gosset.exceptions.FingerprintError: cannot tell the identity of params['callback'], ...
    """
    where = where or "value"
    out = encoder(_Strict())
    try:
        out.encode(value, where)
    except RecursionError as error:
        raise FingerprintError(f"{where} is nested too deeply", hint="flatten it") from error
    return blake3(text(FORMAT) + text("value") + out.out).hexdigest()


class _Strict:
    """Takes code by its digest and refuses unknown values."""

    def code(self, value: object, where: str) -> str:
        return code_identity(value)

    def unknown(self, value: Any, where: str, reason: str) -> str:
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        raise FingerprintError(
            f"cannot tell the identity of {where}, which {reason}"
            if reason
            else f"cannot tell the identity of {where}, a {kind}",
            hint="give its class a method __gosset_identity__ that returns what tells its "
            "instances apart, or call gosset.fingerprint.register(type, function)",
        )


def codes_in(value: object) -> list[Code]:
    """Return the code of the user's own that a value holds: functions, classes, estimators.

    Examples
    --------
    >>> codes_in({"func": len, "n": 3})  # not the user's own
    []
    """
    reach = _Collecting()
    if not isinstance(value, str | int | float | None):
        encoder(reach).encode(value, "value")
    return reach.found


class _Collecting(_Strict):
    """Remembers the code that it met."""

    def __init__(self) -> None:
        self.found: list[Code] = []

    def code(self, value: object, where: str) -> str:
        code = code_in_value(value)
        if code.sources:
            self.found.append(code)
        return code.digest


def combine(*parts: str) -> str:
    """Return the digest of several texts, in order.

    Examples
    --------
    >>> combine("ab", "c") == combine("a", "bc")
    False
    """
    encoded = b"".join(map(text, (FORMAT, "combine", *parts)))
    return blake3(encoded).hexdigest()


def derive_seed(seed: int, *labels: str | int) -> int:
    """Return a child seed: a pure function of a seed and of what it is for.

    Children of one seed, and of different seeds, are as good as independent: each is
    the first four bytes, in big-endian order, of a BLAKE3 digest over the seed and the
    labels, in which ``1`` and ``"1"`` differ.

    Parameters
    ----------
    seed : int
        Of any size and sign.
    *labels : str or int
        What the child is for, e.g. ``"split", 3``.

    Returns
    -------
    int
        From 0 to 2**32 - 1, which is what NumPy's and scikit-learn's seeds may be.

    Raises
    ------
    FingerprintError
        A label is neither a text nor an integer, or the seed is no integer.

    Examples
    --------
    >>> derive_seed(1, "split", 0) == derive_seed(1, "split", 0)
    True
    >>> derive_seed(1, "split", 0) == derive_seed(1, "split", 1)
    False
    """
    encoded = text(FORMAT) + text("seed") + _index(seed)
    for label in labels:
        encoded += text(label) if isinstance(label, str) else _index(label)
    return int.from_bytes(blake3(encoded).digest(length=4), "big")


def _index(value: int) -> bytes:
    try:
        return integer(operator.index(value))
    except TypeError as error:
        raise FingerprintError(
            f"{value!r} is no integer", hint="seeds are derived from integers and texts"
        ) from error
