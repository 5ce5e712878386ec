"""Which names the catalog takes."""

from __future__ import annotations

import pytest

from gosset.exceptions import UsageError
from gosset.naming import NAME_LENGTH, checked_name


@pytest.mark.parametrize("name", ["accuracy", "[red] ../🎉", " ", "x" * NAME_LENGTH])
def test_a_name_may_be_any_text_of_a_length_that_can_be_indexed(name: str) -> None:
    assert checked_name("a metric", name) == name


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "'' is no name for a metric"),
        (3, "3 is no name for a metric"),
        ("x" * (NAME_LENGTH + 1), f"has {NAME_LENGTH + 1} characters"),
        ("a\0b", r"holds '\x00'"),
        ("half \ud83c", r"holds '\ud83c'"),
    ],
)
def test_what_no_database_could_keep_is_refused_by_what_is_wrong_with_it(
    name: object, told: str
) -> None:
    with pytest.raises(UsageError) as raised:
        checked_name("a metric", name)
    assert told in raised.value.message
    assert raised.value.hint
