"""Filter expressions: what is read, how it is printed, and how errors are told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gosset.exceptions import FilterError
from gosset.filters import (
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
    parse,
    parse_name,
)
from gosset.store import open_store


def name(*parts: str) -> Name:
    return Name(parts)


LR = name("params", "lr")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("params.lr > 0.1", Comparison(LR, ">", 0.1)),
        ("0.1 < params.lr", Comparison(LR, ">", 0.1)),
        ("params.SVC.C >= -1e-3", Comparison(name("params", "SVC", "C"), ">=", -0.001)),
        ("metrics.train/accuracy<1", Comparison(name("metrics", "train/accuracy"), "<", 1)),
        ("params.`my step`.C == 1", Comparison(name("params", "my step", "C"), "==", 1)),
        ("params.`a``b` == 1", Comparison(name("params", "a`b"), "==", 1)),
        ("params.layers.0.units == 8", Comparison(name("params", "layers", "0", "units"), "==", 8)),
        ("metrics.hits@5 != 0", Comparison(name("metrics", "hits@5"), "!=", 0)),
        ("status == 'it\\'s'", Comparison(name("status"), "==", "it's")),
        ('status == "a\\nb\\u00e4\\x41"', Comparison(name("status"), "==", "a\nbäA")),
        ("cached == True", Comparison(name("cached"), "==", True)),
        ("seed < inf", Comparison(name("seed"), "<", float("inf"))),
        ("seed > -inf", Comparison(name("seed"), ">", float("-inf"))),
        ("seed == None", IsNone(name("seed"))),
        ("seed != None", Not(IsNone(name("seed")))),
        ("seed is not None", Not(IsNone(name("seed")))),
        ("status in ('a', \"b\",)", In(name("status"), ("a", "b"))),
        ("seed not in [1, None, 2.5]", Not(In(name("seed"), (1, None, 2.5)))),
        ("seed in ()", In(name("seed"), ())),
        ("'draft' in tags", Contains(name("tags"), "draft")),
        ("'draft' not in tags", Not(Contains(name("tags"), "draft"))),
        ("name like 'a\\%%'", Like(name("name"), "a\\%%")),
        ("name not ilike 'A_'", Not(Like(name("name"), "A_", folded=True))),
    ],
)
def test_one_comparison(text: str, expected: Expression) -> None:
    assert parse(text) == expected


def test_a_chain_is_all_of_its_comparisons() -> None:
    assert parse("0.1 < params.lr <= 1") == And((Comparison(LR, ">", 0.1), Comparison(LR, "<=", 1)))


def test_not_binds_tighter_than_and_and_and_tighter_than_or() -> None:
    a, b, c = (Comparison(name(letter), "==", 1) for letter in "abc")
    assert parse("not a == 1 and b == 1 or c == 1") == Or((And((Not(a), b)), c))
    assert parse("not (a == 1 and (b == 1 or c == 1))") == Not(And((a, Or((b, c)))))


def test_the_same_literals_keep_their_types() -> None:
    values = [parse(f"seed == {text}").value for text in ("1", "1.0", "True", "'1'")]  # type: ignore[attr-defined]
    assert [type(value) for value in values] == [int, float, bool, str]


def test_integers_of_any_size_are_exact() -> None:
    assert parse(f"params.n == {2**200}").value == 2**200  # type: ignore[attr-defined]


def test_names_are_told_in_order() -> None:
    expression = parse("a == 1 and (b in (1) or not c is None) and 'x' in tags and d like ''")
    assert [str(each) for each in expression.names()] == ["a", "b", "c", "tags", "d"]


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("status = 'complete'", 8, "use '=='"),
        ("", 1, "found 'the end'"),
        ("a == 1 and", 11, "found 'the end'"),
        ("a == b", 6, "put text in quotes"),
        ("1 == 2", 7, "must be a name"),
        ("cached", 7, "cached == True"),
        ("a == 1 AND b == 2", 8, "lower case"),
        ("a == 1 & b == 2", 8, "use 'and'"),
        ("a == 'x", 6, "not closed"),
        ("a.`x == 1", 2, "unexpected '.'"),
        ("a == 1_000", 6, "no number"),
        ("(a == 1", 8, "expected ')'"),
        ("a in 1", 6, "expected '(' or '['"),
        ("a in (1 2)", 9, "expected ',' or ')'"),
        ("a like 3", 9, "must be a string"),
        ("a is 3", 6, "expected 'None'"),
        ("a < None", 9, "use 'is None'"),
        ("'x' in 'y'", 8, "expected a name"),
        ("'x' like 'y'", 10, "must be a name"),
        ("a == __import__('os')", 6, "put text in quotes"),
        ("a == 1; drop table runs", 7, "unexpected ';'"),
        ("(" * 60, 51, "nested deeper"),
        ("not " * 60 + "a == 1", 201, "nested deeper"),
        (" or ".join(["a == 1"] * 401), 4001, "more than 400"),
        ("a == " + "9" * 5000, 6, "too many digits"),
    ],
)
def test_errors_point_at_the_column_and_name_the_mend(text: str, column: int, words: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    message = str(caught.value)
    assert f"column {column}:" in message
    assert words in message
    assert "\n" not in message


def test_a_sort_term_may_be_a_key_without_backticks() -> None:
    assert parse_name("params.my step.C").rest == "my step.C"
    assert parse_name("params.`my step`.C").rest == "my step.C"
    assert parse_name("status") == name("status")
    for text in ("", ".", "params.", "a b", "x; y"):
        with pytest.raises(FilterError, match="not a name"):
            parse_name(text)


_names = st.lists(st.text(max_size=6), min_size=1, max_size=3).map(lambda p: Name(tuple(p)))
_texts = st.text(max_size=8)
_numbers = st.integers() | st.floats(allow_nan=False)
_operators = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
_values = st.booleans() | _numbers | _texts
_leaves = (
    st.builds(Comparison, _names, _operators, _values)
    | st.builds(In, _names, st.lists(_values | st.none(), max_size=3).map(tuple))
    | st.builds(Contains, _names, _values)
    | st.builds(Like, _names, _texts, st.booleans())
    | st.builds(IsNone, _names)
)
_expressions = st.recursive(
    _leaves,
    lambda children: (
        st.builds(Not, children)
        | st.builds(And, st.lists(children, min_size=2, max_size=3).map(tuple))
        | st.builds(Or, st.lists(children, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=8,
)


@given(_expressions)
def test_what_is_printed_parses_back_to_the_same(expression: Expression) -> None:
    assert parse(str(expression)) == expression
    assert repr(parse(str(expression))) == repr(expression)


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        expression = parse(text)
    except FilterError:
        return
    assert parse(str(expression)) == expression


PAGE = Path(__file__).parents[2] / "docs" / "reference" / "filters.md"
EXAMPLES = [
    line
    for block in re.findall(r"^```filter\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    for line in block.splitlines()
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_reference_can_be_asked_of_a_store(example: str) -> None:
    assert parse(str(parse(example))) == parse(example)
    with open_store("memory://") as store:
        assert store.runs(example) == []


def test_true_and_false_may_be_written_as_in_json() -> None:
    assert parse("cached == true") == parse("cached == True")
    assert parse("cached != false") == parse("cached != False")
    assert str(parse("cached == true")) == "cached == True"
    assert str(Name(("true",))) == "`true`"
