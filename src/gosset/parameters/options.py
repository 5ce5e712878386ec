"""Parameters as people write them on a command line: ``NAME=VALUE[,VALUE…]``."""

from __future__ import annotations

import ast
import json
import math
import re

from ..exceptions import ParameterError

_WORDS = {
    "True": True,
    "False": False,
    "None": None,
    "inf": math.inf,
    "-inf": -math.inf,
    "nan": math.nan,
}
_RANGE = re.compile(r"([+-]?\d+):([+-]?\d+)(?::([+-]?\d+))?")
_NUMBERS_WITH_COLONS = re.compile(r"[+-]?[\d.]+(?:e[+-]?\d+)?(?::[+-]?[\d.]+(?:e[+-]?\d+)?)+", re.I)
_DECIMAL = re.compile(r"[+-]?(?!0\d)(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_CLOSING = {"[": "]", "(": ")", "{": "}"}


def parse_option(text: str) -> tuple[str, list[object]]:
    """Read ``NAME=VALUE[,VALUE…]``.

    Parameters
    ----------
    text : str
        Values are separated by commas outside quotes and brackets. Each of them is

        - a JSON or Python literal: ``3``, ``1e-3``, ``true``, ``None``, ``"a, b"``,
          ``[64, 32]`` (one value that is a list); also ``inf``, ``-inf``, ``nan``;
        - a range of whole numbers, *both ends included*: ``1:4`` is 1, 2, 3, 4 and
          ``10:0:-5`` is 10, 5, 0;
        - else text, as it stands: ``rbf``, also ``none``, which is an option of its own in some
          libraries and never ``None``. Quotes make text of what looks otherwise: ``'1:4'``.

    Returns
    -------
    name : str
    values : list
        Its alternatives, in the order in which they were written.

    Raises
    ------
    ParameterError
        No name, no value, a bracket or quote that does not close, an empty range.

    Examples
    --------
    >>> parse_option("SVC.C=0.1,0.5")
    ('SVC.C', [0.1, 0.5])
    >>> parse_option("layers=[64,32],[128]")
    ('layers', [[64, 32], [128]])
    >>> parse_option("seed=1:3")
    ('seed', [1, 2, 3])
    """
    name, equals, rest = text.partition("=")
    name = name.strip()
    if not equals or not name:
        raise ParameterError(
            f"the parameter option {text!r} has no {'value' if name else 'name'}",
            hint="write NAME=VALUE[,VALUE…]",
        )
    values: list[object] = []
    for piece in _pieces(name, rest):
        values.extend(_read(name, piece))
    return name, values


def _pieces(name: str, text: str) -> list[str]:
    """Split at the commas that stand outside quotes and brackets."""
    pieces = [""]
    closing: list[str] = []
    escaped = False
    for character in text:
        quoted = bool(closing) and closing[-1] in "'\""
        if escaped or (quoted and character == "\\"):
            escaped = not escaped
        elif closing and character == closing[-1]:
            closing.pop()
        elif not quoted and character in _CLOSING:
            closing.append(_CLOSING[character])
        elif character in "'\"" and not quoted and (closing or not pieces[-1].strip()):
            # In the middle of a word an apostrophe is only that.
            closing.append(character)
        if character == "," and not closing:
            pieces.append("")
        else:
            pieces[-1] += character
    if closing:
        raise ParameterError(
            f"parameter {name!r} has the value {text!r}, which lacks a closing {closing[-1]}"
        )
    return pieces


def _read(name: str, piece: str) -> list[object]:
    text = piece.strip()
    if not text:
        raise ParameterError(
            f"parameter {name!r} has an empty value", hint=f"write {name}='' for an empty text"
        )
    if match := _RANGE.fullmatch(text):
        return _range(name, text, *(int(part or 1) for part in match.groups()))
    if _NUMBERS_WITH_COLONS.fullmatch(text):
        raise ParameterError(
            f"parameter {name!r} has the range {text!r}",
            hint="ranges are START:STOP[:STEP] in whole numbers; put quotes around a text",
        )
    return [_literal(name, text)]


def _range(name: str, text: str, start: int, stop: int, step: int) -> list[object]:
    values = range(start, stop + (1 if step > 0 else -1), step) if step else ()
    if not values:
        raise ParameterError(
            f"parameter {name!r} has the range {text!r}, which is empty",
            hint="ranges are START:STOP[:STEP], both ends included",
        )
    return list(values)


def _literal(name: str, text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    try:
        value: object = json.loads(text)
    except ValueError:
        pass
    else:
        return value
    if _DECIMAL.fullmatch(text):
        return float(text) if any(mark in text for mark in ".eE") else int(text)
    if text[0] not in "'\"[({":
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError) as error:
        raise ParameterError(
            f"parameter {name!r} has the value {text}, which cannot be read",
            hint="inside brackets, put quotes around texts",
        ) from error
    return value
