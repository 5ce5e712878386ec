"""Secrets taken out of texts that are kept."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

MASK = "***"
"""Stands where a secret stood."""

_SECRET_WORDS = frozenset(
    {
        "apikey",
        "credential",
        "credentials",
        "passphrase",
        "passwd",
        "password",
        "pw",
        "pwd",
        "secret",
        "secrets",
        "token",
    }
)
"""A name that ends with one of these has a secret for its value. The last word counts, so
that ``max_tokens`` and ``tokenizer`` stay readable."""

_SECRET_KEYS = frozenset(
    {"access", "account", "api", "auth", "encryption", "private", "secret", "signing"}
)
"""What makes a secret of a name that ends with ``key``."""

_PLAIN_TOKENS = frozenset(
    {
        "bos",
        "cls",
        "end",
        "eos",
        "first",
        "image",
        "last",
        "mask",
        "next",
        "pad",
        "per",
        "sep",
        "special",
        "start",
        "stop",
        "unk",
    }
)
"""What makes a harmless one of a name that ends with ``token``, as in language models."""

_DOUBTFUL_NAME = re.compile(r"key|token|auth|secret|passw|cred|cookie|session", re.IGNORECASE)
"""Names whose value is a secret if it looks random."""

_KNOWN_SECRETS = re.compile(
    r"(?<![\w-])(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|hf_\w{20,}|npm_\w{20,}"
    r"|sk-[\w-]{16,}|xox[abeoprs]-[\w-]{10,}|A(?:KI|SI)A[0-9A-Z]{16}|AIza[\w-]{30,}"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"
)
_AUTHORISATION = re.compile(r"\b(Bearer|Authorization: *\w+) +[\w.~+/=-]{8,}")
# The looks behind keep a long word from being searched again from each of its letters.
_URL_PASSWORD = re.compile(
    r"(?P<start>(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}://[^\s/:@'\"]{0,256}:)"
    # Up to the last @ before the path; else a password that has a slash, which is no port.
    r"(?:[^\s/'\"]{0,256}|(?!\d+/)[^\s@'\"]{0,256})@",
    re.IGNORECASE,
)
_URL_USER = re.compile(r"(?P<start>(?<![a-z0-9+.-])https?://)[^\s/:@'\"]{1,256}@", re.IGNORECASE)
_VALUE = r"""(?P<value>"[^"]*"|'[^']*'|[^\s,;&"']+)"""
_OPTION = re.compile(r"(?P<start>(?<![\w.-])--(?P<name>[\w.-]+)\s+)(?!-)" + _VALUE)
_LITERAL = re.compile(
    r"""(?P<start>(?<![\w.-])["']?(?P<name>[A-Za-z_][\w.-]*)["']?\s*[=:]\s*)"""
    r"""(?P<value>"[^"\n]*"|'[^'\n]*')"""
)
_QUERY = re.compile(r"(?P<start>[?&](?P<name>[\w.-]+)=)(?P<value>[^\s&\"']+)")
_ASSIGNMENT = re.compile(
    r"""(?P<start>(?<![\w.-])-{0,2}(?P<name>[A-Za-z_][\w.-]*)["']?\s*[=:](?!//)\s*)""" + _VALUE
)


def redact(text: str) -> str:
    """Return `text` with its secrets masked.

    Masked are passwords in URLs, the values of names such as ``password``, ``token`` and
    ``api_key`` (``NAME=X``, ``NAME: X``, ``--name X``), values that look random after names
    that speak of keys, and tokens of well-known forms wherever they stand.

    Examples
    --------
    >>> redact("curl --token abc https://me:pw@lab.example/x?api_key=k&n=1")
    'curl --token *** https://me:***@lab.example/x?api_key=***&n=1'
    """
    text = redact_url(text)
    text = _KNOWN_SECRETS.sub(MASK, text)
    text = _AUTHORISATION.sub(rf"\1 {MASK}", text)
    for pattern in (_OPTION, _QUERY, _ASSIGNMENT):
        text = pattern.sub(_masked_value, text)
    return text


def redact_url(text: str) -> str:
    """Return `text` with the passwords in its URLs masked; over HTTP also a lone user name.

    Examples
    --------
    >>> redact_url("postgresql://me:secret@host/lab"), redact_url("https://token@host/x.git")
    ('postgresql://me:***@host/lab', 'https://***@host/x.git')
    """
    text = _URL_PASSWORD.sub(rf"\g<start>{MASK}@", text)
    return _URL_USER.sub(rf"\g<start>{MASK}@", text)


def redact_arguments(arguments: Sequence[str]) -> list[str]:
    """Return the arguments of a command with their secrets masked.

    Unlike :func:`redact` this knows where an argument ends, whatever it holds.

    Examples
    --------
    >>> redact_arguments(["train.py", "--password", "two words", "--lr=0.1", "API_KEY=a b"])
    ['train.py', '--password', '***', '--lr=0.1', 'API_KEY=***']
    """
    redacted: list[str] = []
    name_before = ""
    for argument in arguments:
        name, equals, value = argument.partition("=")
        bare = name.lstrip("-")
        if name_before and not argument.startswith("-") and _is_secret(name_before, argument):
            redacted.append(MASK)
        elif equals and re.fullmatch(r"[\w.-]+", bare) and _is_secret(bare, value):
            redacted.append(f"{name}={MASK}")
        else:
            redacted.append(redact(argument))
        name_before = bare if argument.startswith("--") and not equals else ""
    return redacted


def redact_forms(text: str) -> str:
    """Return `text` with tokens of well-known forms and the passwords in URLs masked.

    What stands behind names is left as it is: ``the last token: the`` is no secret of a log.

    Examples
    --------
    >>> redact_forms("the last token: the; sk-0123456789abcdefgh")
    'the last token: the; ***'
    """
    text = _KNOWN_SECRETS.sub(MASK, redact_url(text))
    return _AUTHORISATION.sub(rf"\1 {MASK}", text)


def redact_source(text: str) -> str:
    """Return source code with the secrets in it masked: those of literals.

    Examples
    --------
    >>> redact_source("token = tokens[0]; api_key = 'k3y'; f(password='p w')")
    "token = tokens[0]; api_key = '***'; f(password='***')"
    """
    return _LITERAL.sub(_masked_value, redact_forms(text))


def redact_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON document with the secrets in it masked, by their names and their forms.

    Examples
    --------
    >>> redact_values({"lr": 0.1, "db": {"password": "x", "url": "postgresql://me:pw@host/lab"}})
    {'lr': 0.1, 'db': {'password': '***', 'url': 'postgresql://me:***@host/lab'}}
    """
    return {name: _redacted_value(str(name), value) for name, value in values.items()}


def _redacted_value(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return MASK if _is_secret(name, value) else redact_forms(value)
    if isinstance(value, Mapping):
        return redact_values(value)
    if isinstance(value, list):
        return [_redacted_value(name, item) for item in value]
    return value


def _masked_value(match: re.Match[str]) -> str:
    value = match["value"]
    quote = value[0] if value[0] in "\"'" else ""
    bare = value.strip(quote) if quote else value
    if bare == MASK or not _is_secret(match["name"], bare):
        return match.group()
    return f"{match['start']}{quote}{MASK}{quote}"


def _is_secret(name: str, value: str) -> bool:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-_.]+", " ", name)
    *_, before, last = ["", "", *spaced.lower().split()]
    if last == "key" and before in _SECRET_KEYS:
        return bool(value)
    if last in _SECRET_WORDS and not (last == "token" and before in _PLAIN_TOKENS):
        return bool(value)
    return bool(_DOUBTFUL_NAME.search(name)) and _looks_random(value)


def _looks_random(value: str) -> bool:
    """Tell a key from a word: long, of letters and digits mixed, hardly a letter twice."""
    if len(value) < 20 or not re.fullmatch(r"[\w.~+=-]+", value):
        return False
    if not (re.search(r"[A-Za-z]", value) and re.search(r"\d", value)):
        return False
    shares = [count / len(value) for count in Counter(value).values()]
    return -sum(share * math.log2(share) for share in shares) > 3.3
