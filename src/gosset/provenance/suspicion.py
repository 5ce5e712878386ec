"""Whether there may be a secret at all: told by plain looks, without what finds it.

What finds secrets takes longer to load than a short script to do its work; most of what is
kept holds nothing that even looks like one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_WORDS: Final = (
    "key", "token", "auth", "secret", "passw", "passphrase", "pwd", "pw", "cred", "cookie",
    "session", "bearer",
)  # fmt: skip
"""What the names of secrets have in them."""

_FORMS: Final = (
    "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "hf_", "npm_", "sk-", "xox",
    "AKIA", "ASIA", "AIza", "eyJ", "Bearer", "Authorization",
)  # fmt: skip
"""What tokens of well-known forms have in them."""

_ENDINGS: Final = (
    "apikey", "credential", "credentials", "passphrase", "passwd", "password", "pw", "pwd",
    "secret", "secrets", "token",
)  # fmt: skip
_SHORTEST: Final = 8
"""Characters of a value that is known wherever it stands; a shorter one may be any word."""


def suspicious(text: str) -> bool:
    """Whether ``redact`` may find a secret in `text`.

    Examples
    --------
    >>> suspicious("train.py --lr 0.1"), suspicious("train.py --token abc")
    (False, True)
    """
    lower = text.lower()
    return any(word in lower for word in _WORDS) or has_form(text)


def has_form(text: str) -> bool:
    """Whether a token of a well-known form, or a URL with a password, may stand in `text`.

    Examples
    --------
    >>> has_form("the last token: 7"), has_form("https://me:pw@lab.example")
    (False, True)
    """
    return any(form in text for form in _FORMS) or ("://" in text and "@" in text)


def suspicious_values(values: Any) -> bool:
    """Whether there may be a secret among the values of a JSON document, or by a name in it.

    Examples
    --------
    >>> suspicious_values({"lr": 0.1, "layers": [64, 32]}), suspicious_values({"api_key": "x"})
    (False, True)
    """
    if isinstance(values, str):
        return has_form(values)
    if isinstance(values, Mapping):
        return any(suspicious(str(n)) or suspicious_values(v) for n, v in values.items())
    return isinstance(values, list) and any(map(suspicious_values, values))


def known_secrets(environ: Mapping[str, str]) -> list[str]:
    """Return the values of variables whose names say that they are secret, the longest first.

    Examples
    --------
    >>> known_secrets({"WANDB_API_KEY": "0123456789", "SORT_KEY": "name", "PWD": "/home/me/lab"})
    ['0123456789']
    """
    found = {v for name, v in environ.items() if len(v) >= _SHORTEST and _is_secret(name, v)}
    return sorted(found, key=len, reverse=True)


def _is_secret(name: str, value: str) -> bool:
    last = name.lower().rpartition("_")[2]
    if last == "key":
        return any(map(str.isdigit, value))  # else it may be a word
    return last in _ENDINGS and name not in ("PWD", "OLDPWD")
