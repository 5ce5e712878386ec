"""Reading filters: recursive descent, one token ahead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NoReturn

from ..exceptions import FilterError
from .expressions import (
    CONSTANTS,
    KEYWORDS,
    PART,
    QUOTED,
    And,
    Comparison,
    Contains,
    Expression,
    In,
    IsNone,
    Like,
    Name,
    Not,
    Or,
    Value,
)

MAX_DEPTH: Final = 50
MAX_TERMS: Final = 400
MAX_VALUES: Final = 10_000

_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

_TOKEN = re.compile(
    rf"""\s*(?:
      (?P<string>'(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*")
    | (?P<number>[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf)(?![\w.`]))
    | (?P<name>(?:(?![0-9]){PART}|{QUOTED})(?:\.(?:{PART}|{QUOTED}))*)
    | (?P<symbol>==|!=|<=|>=|<|>|\(|\)|\[|\]|,)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"'}


def parse(text: str) -> Expression:
    """Read a filter.

    Parameters
    ----------
    text : str
        E.g. ``"0.1 < params.lr <= 1 and metrics.train/accuracy > 0.9"``.

    Returns
    -------
    Expression

    Raises
    ------
    FilterError
        It is no filter; the message names the column and what stands there.

    Examples
    --------
    >>> expression = parse("0.1 < params.SVC.C and 'draft' not in tags")
    >>> print(expression)
    params.SVC.C > 0.1 and 'draft' not in tags
    >>> [str(name) for name in expression.names()]
    ['params.SVC.C', 'tags']
    >>> parse("status = 'complete'")
    Traceback (most recent call last):
    gosset.exceptions.FilterError: filter "status = 'complete'", column 8: unexpected '='; use '==' to compare
    """
    parser = _Parser(text)
    expression = parser.expression()
    if parser.token.kind != "end":
        parser.fail(
            f"expected 'and', 'or' or the end, found {parser.token.text!r}",
            "words of the grammar are in lower case"
            if parser.token.text.lower() in KEYWORDS
            else "",
        )
    return expression


def parse_name(text: str) -> Name:
    """Read a name that stands alone, as the term of a sort.

    Because nothing follows it, what stands behind the first dot may also be the plain key
    of a parameter or metric, without the backticks that a filter would need.

    Raises
    ------
    FilterError
        The text is empty, or no name at all.

    Examples
    --------
    >>> parse_name("params.`my step`.C") == parse_name("params.my step.C")
    False
    >>> parse_name("params.`my step`.C").rest == parse_name("params.my step.C").rest
    True
    """
    match = _TOKEN.fullmatch(text.strip())
    if match and match["name"] is not None:
        return _name(match["name"])
    head, dot, rest = text.strip().partition(".")
    if not re.fullmatch(PART, head) or (dot and not rest):
        raise FilterError(f"{text!r} is not a name", hint="e.g. metrics.accuracy")
    return Name((head, rest) if dot else (head,))


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int


def _tokens(text: str) -> Iterator[_Token]:
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            start = position + len(text[position:]) - len(text[position:].lstrip())
            _refuse(text, start)
        kind = str(match.lastgroup)
        token = match[kind]
        if kind == "name" and (token in KEYWORDS or token in CONSTANTS):
            kind = "value" if token in CONSTANTS else "keyword"
        yield _Token(kind, token, match.start(match.lastgroup or 0))
        position = match.end()
    yield _Token("end", "the end", len(text))


_SHOWN = 200
"""Characters of a filter that are repeated in a message."""


def _refuse(text: str, start: int) -> NoReturn:
    character = text[start]
    hints = {
        "=": "use '==' to compare",
        "&": "use 'and'",
        "|": "use 'or'",
        "!": "use 'not'",
        "'": "the string is not closed",
        '"': "the string is not closed",
        "`": "the name is not closed",
    }
    hint = hints.get(character, "put names with unusual characters in `backticks`")
    if character.isdecimal():
        hint = "this is no number"
    raise _error(text, start, f"unexpected {character!r}", hint)


def _error(text: str, start: int, message: str, hint: str = "") -> FilterError:
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return FilterError(f"filter {shown!r}, column {start + 1}: {message}", hint=hint)


class _Parser:
    """Recursive descent over the tokens, one token ahead."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.token = next(self.tokens)
        self.depth = 0
        self.terms = 0

    def fail(self, message: str, hint: str = "") -> NoReturn:
        raise _error(self.text, self.token.start, message, hint)

    def advance(self) -> _Token:
        token, self.token = self.token, next(self.tokens, self.token)
        return token

    def accept(self, *texts: str) -> str | None:
        if self.token.kind in ("keyword", "symbol") and self.token.text in texts:
            return self.advance().text
        return None

    def expect(self, *texts: str) -> str:
        found = self.accept(*texts)
        if found is None:
            self.fail(f"expected {' or '.join(map(repr, texts))}, found {self.token.text!r}")
        return found

    def expression(self) -> Expression:
        terms = [self.conjunction()]
        while self.accept("or"):
            terms.append(self.conjunction())
        return terms[0] if len(terms) == 1 else Or(tuple(terms))

    def conjunction(self) -> Expression:
        terms = [self.negation()]
        while self.accept("and"):
            terms.append(self.negation())
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def negation(self) -> Expression:
        # The limits keep the tree below what a database takes in one statement.
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(f"nested deeper than {MAX_DEPTH} levels")
        result: Expression
        if self.accept("not"):
            result = Not(self.negation())
        elif self.accept("("):
            result = self.expression()
            self.expect(")")
        else:
            result = self.comparison()
        self.depth -= 1
        return result

    def comparison(self) -> Expression:
        self.terms += 1
        if self.terms > MAX_TERMS:
            self.fail(f"more than {MAX_TERMS} comparisons", "use 'in' with a list of values")
        left = self.operand()
        negated = self.accept("not") is not None
        word = self.expect("in", "like", "ilike") if negated else self.accept(*_WORDS)
        if word is None:
            return self.chain(left)
        result: Expression
        if word == "in":
            result = self.membership(left)
        elif not isinstance(left, Name):
            self.fail(f"the left of '{word}' must be a name")
        elif word == "is":
            negated = self.accept("not") is not None
            if self.token.text != "None" or self.advance().kind != "value":
                self.fail(f"expected 'None', found {self.token.text!r}")
            result = IsNone(left)
        else:
            pattern = self.value()
            if not isinstance(pattern, str):
                self.fail(f"the right of '{word}' must be a string")
            result = Like(left, pattern, folded=word == "ilike")
        return Not(result) if negated else result

    def chain(self, left: Name | Value) -> Expression:
        terms: list[Expression] = []
        while self.token.text in _MIRRORED and self.token.kind == "symbol":
            operator = self.advance().text
            if isinstance(left, Name) and self.token.kind == "name":
                self.fail("one side of a comparison must be a value", "put text in quotes")
            right = self.operand()
            terms.append(self.compared(left, operator, right))
            left = right
        if not terms:
            hint = "e.g. cached == True" if isinstance(left, Name) else ""
            self.fail(f"expected a comparison, found {self.token.text!r}", hint)
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def compared(self, left: Name | Value, operator: str, right: Name | Value) -> Expression:
        if isinstance(right, Name):
            left, operator, right = right, _MIRRORED[operator], left
        if not isinstance(left, Name) or isinstance(right, Name):
            self.fail("one side of a comparison must be a name")
        if right is not None:
            return Comparison(left, operator, right)
        if operator not in ("==", "!="):
            self.fail(f"None cannot be compared by {operator!r}", "use 'is None'")
        return IsNone(left) if operator == "==" else Not(IsNone(left))

    def membership(self, left: Name | Value) -> Expression:
        if not isinstance(left, Name):
            if self.token.kind != "name":
                self.fail(f"expected a name, found {self.token.text!r}", "e.g. 'draft' in tags")
            return Contains(_name(self.advance().text), left)
        closing = {"(": ")", "[": "]"}[self.expect("(", "[")]
        values: list[Value] = []
        while not self.accept(closing):
            values.append(self.value())
            if len(values) > MAX_VALUES:
                self.fail(f"more than {MAX_VALUES} values in a list")
            if self.token.text != closing:
                self.expect(",", closing)
        return In(left, tuple(values))

    def operand(self) -> Name | Value:
        return _name(self.advance().text) if self.token.kind == "name" else self.value()

    def value(self) -> Value:
        token = self.token
        if token.kind == "value":
            return CONSTANTS[self.advance().text]
        if token.kind == "number":
            try:
                number: Value = int(token.text)
            except ValueError:
                if token.text.lstrip("+-").isdigit():
                    self.fail("the number has too many digits")
                number = float(token.text)
            self.advance()
            return number
        if token.kind == "string":
            return _unescape(self.advance().text[1:-1])
        self.fail(f"expected a name or a value, found {token.text!r}")


_WORDS = ("in", "like", "ilike", "is")


def _name(text: str) -> Name:
    parts = re.findall(rf"{QUOTED}|{PART}", text)
    return Name(tuple(p[1:-1].replace("``", "`") if p[0] == "`" else p for p in parts))


def _unescape(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        escape = match[1]
        if len(escape) > 1:
            return chr(int(escape[1:], 16))
        # As in Python, an escape without a meaning stays: 'a\%' needs no doubling.
        return _ESCAPES.get(escape, match[0])

    return _ESCAPE.sub(plain, text)
