"""Which names the catalog takes, whatever they are of."""

from __future__ import annotations

import re

from .exceptions import UsageError

NAME_LENGTH = 250
"""Characters that a name in the catalog may have; PostgreSQL bounds the size of index rows."""

_ODD = re.compile("[\0\ud800-\udfff]")
"""What not every database, file or terminal takes: a zero, halves of a character."""


def checked_name(what: str, text: object) -> str:
    """Return the name of `what` as it is.

    Raises
    ------
    UsageError
        It is no text, is empty, is longer than what databases index, or holds what not
        every one of them takes.

    Examples
    --------
    >>> checked_name("a metric", "accuracy")
    'accuracy'
    """
    if not isinstance(text, str) or not text:
        raise UsageError(f"{text!r} is no name for {what}", hint="give it a text that is not empty")
    if len(text) > NAME_LENGTH:
        raise UsageError(
            f"the name of {what} has {len(text)} characters: {text[:40]!r}…",
            hint=f"at most {NAME_LENGTH} are possible",
        )
    odd = _ODD.search(text)
    if odd is not None:
        raise UsageError(f"the name {text[:40]!r} of {what} holds {odd[0]!r}", hint="leave it out")
    return text
