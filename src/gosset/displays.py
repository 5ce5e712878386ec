"""What notebooks show: small HTML that needs nothing else, with every text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape


def safe(value: object) -> str:
    r"""Return a value as text of HTML, without characters that would change the page.

    Examples
    --------
    >>> safe("<b>\u202e")
    '&lt;b&gt;\\u202e'
    """
    text = "–" if value is None else str(value)
    if not text.isprintable():
        text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return escape(text)


def facts(title: str, pairs: Mapping[str, object], *sections: str) -> str:
    """Return a heading, what is known as name and value, and further HTML.

    Values that are None are left out.

    Examples
    --------
    >>> facts("run 1", {"status": "complete", "seed": None})
    '<div><strong>run 1</strong><table><tr><th>status</th><td>complete</td></tr></table></div>'
    """
    rows = "".join(
        f"<tr><th>{safe(name)}</th><td>{safe(value)}</td></tr>"
        for name, value in pairs.items()
        if value is not None
    )
    body = f"<table>{rows}</table>" if rows else ""
    return f"<div><strong>{safe(title)}</strong>{body}{''.join(sections)}</div>"


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], note: str = "") -> str:
    """Return a table with a line beneath that says what it leaves out.

    Examples
    --------
    >>> table(["n"], [[1]], "1 of 2 runs")
    '<table><tr><th>n</th></tr><tr><td>1</td></tr></table><p>1 of 2 runs</p>'
    """
    head = "".join(f"<th>{safe(name)}</th>" for name in headers)
    body = "".join(
        "<tr>" + "".join(f"<td>{safe(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    beneath = f"<p>{safe(note)}</p>" if note else ""
    return f"<table><tr>{head}</tr>{body}</table>{beneath}"


def values(title: str, mapping: Mapping[str, object]) -> str:
    """Return named values as a section; nothing where there are none."""
    return facts(title, {name: _short(value) for name, value in mapping.items()}) if mapping else ""


_LONG = 200
"""Characters of a value that are shown."""


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONG else f"{text[:_LONG]}… ({len(text)} characters)"
