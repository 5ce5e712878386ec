"""Tables of plain values in every form."""

from __future__ import annotations

import csv
import io
import json
import math

import pytest

from gosset.compare import Table
from gosset.compare.tables import printable

TABLE = Table(
    ("name", "C", "score", "score_std", "score_n"),
    (("a_b & 50%", 0.1, 0.93333333, 0.0471, 5), ("plain", None, 0.00001234, None, 1)),
    ("score",),
    best=0,
)


def test_csv_and_json_have_every_digit() -> None:
    rows = list(csv.DictReader(io.StringIO(TABLE.to_csv())))
    assert [row["score"] for row in rows] == ["0.93333333", "1.234e-05"]
    assert rows[1]["C"] == rows[1]["score_std"] == ""
    assert json.loads(TABLE.to_json())[0] == {
        "name": "a_b & 50%",
        "C": 0.1,
        "score": 0.93333333,
        "score_std": 0.0471,
        "score_n": 5,
    }


def test_the_forms_for_people_show_the_same_rounded_numbers() -> None:
    for text in (TABLE.to_text(), TABLE.to_markdown(), TABLE.to_latex().replace(r"$\pm$", "±")):
        assert "0.9333 ± 0.0471" in text
        assert "1.2340e-05" in text
        assert "score_std" not in text.replace("\\", "")


def test_latex_is_booktabs_with_everything_escaped() -> None:
    lines = TABLE.to_latex().splitlines()
    assert lines[0] == r"\begin{tabular}{llrr}"
    assert (lines[1], lines[3], lines[-2]) == (r"\toprule", r"\midrule", r"\bottomrule")
    assert lines[4] == r"$\star$ & a\_b \& 50\% & 0.1 & 0.9333 $\pm$ 0.0471 \\"
    odd = Table(("x",), (("\\ $ # { } ~ ^ < |",),)).to_latex()
    assert (
        r"\textbackslash{} \$ \# \{ \} \textasciitilde{} \textasciicircum{} \textless{} "
        r"\textbar{} \\" in odd
    )


def test_markdown_keeps_its_columns_whatever_the_cells_hold() -> None:
    text = Table(("a|b",), (("two\nlines | *bold*",),)).to_markdown()
    assert text.splitlines() == [r"| a\|b |", "| --- |", r"| two\\nlines \| \*bold\* |"]


def test_text_cuts_nothing_off_and_a_terminal_gets_no_markup() -> None:
    from rich.console import Console

    long = "x" * 300
    table = Table(("[red]name[/red]",), ((f"[bold]{long}",),))
    assert long in table.to_text()
    console = Console(width=60, file=io.StringIO(), force_terminal=True, color_system=None)
    console.print(table.to_rich())
    drawn = console.file.getvalue()  # type: ignore[attr-defined]
    assert "[red]name[/red]" in drawn
    assert drawn.count("x") == 300
    assert "…" not in drawn


def test_what_is_not_finite_is_text_in_json() -> None:
    rows = json.loads(Table(("x",), ((math.nan,), (-math.inf,))).to_json())
    assert rows == [{"x": "NaN"}, {"x": "-Infinity"}]


def test_a_digest_is_short_for_people_and_whole_for_programs() -> None:
    table = Table(("digest",), (("ab" * 32,),))
    assert table.to_text().splitlines()[1] == "abababab"
    assert "ab" * 32 in table.to_csv()


@pytest.mark.parametrize("text", ["\x1b[2J", "a\rb", "‮reversed"])
def test_text_cannot_steer_a_terminal(text: str) -> None:
    assert printable(text).isprintable()
