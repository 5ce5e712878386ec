"""Secrets taken out of what a run says, before anything is written."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ...provenance.suspicion import has_form, known_secrets, suspicious, suspicious_values

_MASK: Final = "***"
_SHORTEST: Final = 8
_PLAIN: Final = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,+@%"
)

_known: list[str] | None = None
"""Values that were seen to be secret: they are masked wherever they stand."""


def masked_values(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return parameters or a configuration without the secrets in them, which are remembered."""
    if not suspicious_values(values):
        return values
    from ...provenance.redaction import redact_values

    masked = redact_values(values)
    _remember_masked(values, masked)
    return masked


def masked_command(arguments: Sequence[str]) -> str:
    """Return a command line as one would type it, without the secrets in it.

    Examples
    --------
    >>> masked_command(["train.py", "--lr", "0.1", "--token", "abc"])
    'train.py --lr 0.1 --token ***'
    """
    if suspicious(" ".join(arguments)):
        from ...provenance.redaction import redact_arguments

        masked = redact_arguments(arguments)
        for argument, without in zip(arguments, masked, strict=True):
            if argument != without:
                _remember(argument if without == _MASK else argument.partition("=")[2])
        arguments = masked
    return " ".join(map(_quoted, arguments))


def masked_source(text: str) -> str:
    """Return source code without the secrets in it."""
    if suspicious(text):
        from ...provenance.redaction import redact_source

        text = redact_source(text)
    return _without_known(text)


def masked_text(text: str) -> str:
    """Return what was printed, or said of an exception, without the secrets in it."""
    if has_form(text):
        from ...provenance.redaction import redact_forms

        text = redact_forms(text)
    return _without_known(text)


def holds_secret(data: bytes) -> bool:
    """Whether bytes hold a value that is known to be secret."""
    return any(secret.encode(errors="surrogateescape") in data for secret in _secrets())


def _without_known(text: str) -> str:
    for secret in _secrets():
        if secret in text:
            text = text.replace(secret, _MASK)
    return text


def _secrets() -> list[str]:
    global _known
    if _known is None:
        _known = known_secrets(os.environ)
        masked_command(sys.argv)
    return _known


def _remember(value: str) -> None:
    secrets = _secrets()
    if len(value) >= _SHORTEST and value not in secrets:
        secrets.append(value)
        secrets.sort(key=len, reverse=True)


def _remember_masked(values: Any, masked: Any) -> None:
    if isinstance(values, Mapping):
        for name, value in values.items():
            _remember_masked(value, masked[name])
    elif isinstance(values, list):
        for value, without in zip(values, masked, strict=True):
            _remember_masked(value, without)
    elif masked == _MASK and isinstance(values, str):
        _remember(values)


def _quoted(argument: str) -> str:
    if argument == _MASK or (argument and _PLAIN.issuperset(argument)):
        return argument
    import shlex

    return shlex.quote(argument)
