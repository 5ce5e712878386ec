"""A table of plain values, and the forms in which it can be written."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ..types import JSONValue

if TYPE_CHECKING:
    import rich.table


class Null:
    """None as a value, in a table where None itself says that there is no value."""

    def __str__(self) -> str:
        return "None"


NULL = Null()

Cell: TypeAlias = "bool | int | float | str | Null | None"
"""A plain value in a table; None: there is none."""

NARROW = 24
"""Characters up to which a cell stays on one line, however narrow the terminal is."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "–": "--",
    "★": r"$\star$",
}


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows of plain values.

    Attributes
    ----------
    columns : tuple of str
    rows : tuple of tuple
        Each as long as `columns`.
    measured : tuple of str
        Columns of means, which have columns ``NAME_std`` and ``NAME_n`` beside them. CSV
        and JSON give all three, in full; the forms for people show ``mean ± std``, rounded
        to four decimals.
    best : int or None
        Position of the row that is marked in the forms for people.

    Examples
    --------
    >>> table = Table(("C", "score", "score_std", "score_n"), ((0.1, 0.93, 0.02, 5),), ("score",))
    >>> print(table.to_text())
    C    score
    0.1  0.9300 ± 0.0200
    >>> print(table.to_csv(), end="")
    C,score,score_std,score_n
    0.1,0.93,0.02,5
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    measured: tuple[str, ...] = ()
    best: int | None = None

    # -- for programs

    def to_dicts(self) -> list[dict[str, Cell]]:
        """Return one dictionary for each row."""
        plain = [[None if isinstance(cell, Null) else cell for cell in row] for row in self.rows]
        return [dict(zip(self.columns, row, strict=True)) for row in plain]

    def to_json(self) -> str:
        """Return a JSON array of the rows; what is not finite is text (``"NaN"``)."""
        return json.dumps(self.to_plain(), ensure_ascii=False)

    def to_plain(self) -> list[JSONValue]:
        """Return the rows as JSON values."""
        return [{name: _plain(cell) for name, cell in row.items()} for row in self.to_dicts()]

    def to_csv(self) -> str:
        """Return the table as CSV with a header; missing values are empty."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([["" if cell is None else cell for cell in row] for row in self.rows])
        return file.getvalue()

    # -- for people

    def to_text(self) -> str:
        """Return aligned plain text in full width: nothing is cut off."""
        return aligned([self.headers(), *self.shown()])

    def to_markdown(self) -> str:
        """Return a Markdown table."""
        numeric = self._numeric()
        rule = ["---:" if right else "---" for right in numeric]
        lines = [[_markdown(text) for text in line] for line in (self.headers(), *self.shown())]
        return "".join(f"| {' | '.join(line)} |\n" for line in (lines[0], rule, *lines[1:]))

    def to_latex(self) -> str:
        r"""Return a LaTeX ``tabular`` with the rules of the booktabs package.

        Every character that LaTeX would take for a command is escaped.
        """
        spec = "".join("r" if right else "l" for right in self._numeric())
        lines = [[_latex(text) for text in line] for line in (self.headers(), *self.shown())]
        head, *body = (" & ".join(line) + " \\\\\n" for line in lines)
        return (
            f"\\begin{{tabular}}{{{spec}}}\n\\toprule\n{head}\\midrule\n{''.join(body)}"
            "\\bottomrule\n\\end{tabular}\n"
        )

    def to_rich(self) -> rich.table.Table:
        """Return the table for a terminal: long cells are folded, none is cut off."""
        from rich import box
        from rich.table import Table as RichTable
        from rich.text import Text

        lines = self.shown()
        drawn = RichTable(box=box.SIMPLE_HEAD, pad_edge=False)
        for position, (header, right) in enumerate(
            zip(self.headers(), self._numeric(), strict=True)
        ):
            widest = max(len(printable(line[position])) for line in [self.headers(), *lines])
            drawn.add_column(
                Text(printable(header)),
                justify="right" if right else "left",
                overflow="fold",
                min_width=min(widest, NARROW),
            )
        for number, line in enumerate(lines):
            style = "bold green" if number == self.best else None
            # Text objects, because a str would be read as markup.
            drawn.add_row(*(Text(printable(text)) for text in line), style=style)
        return drawn

    def headers(self) -> list[str]:
        """Return the names of the columns that people see."""
        marked = [""] if self.best is not None else []
        return [*marked, *(self.columns[position] for position in self._visible())]

    def shown(self) -> list[list[str]]:
        """Return the cells that people see, as text."""
        return [self._line(number, row) for number, row in enumerate(self.rows)]

    def _line(self, number: int, row: tuple[Cell, ...]) -> list[str]:
        marked = ["★" if number == self.best else ""] if self.best is not None else []
        return [*marked, *(self._text(row, position) for position in self._visible())]

    def _text(self, row: tuple[Cell, ...], position: int) -> str:
        name, cell = self.columns[position], row[position]
        if name not in self.measured:
            return _shown(cell)
        std = row[self.columns.index(f"{name}_std")]
        mean = rounded(cell)
        return mean if std is None else f"{mean} ± {rounded(std)}"

    def _visible(self) -> list[int]:
        hidden = {f"{name}{end}" for name in self.measured for end in ("_std", "_n")}
        return [p for p, name in enumerate(self.columns) if name not in hidden]

    def _numeric(self) -> list[bool]:
        """Return for each column that people see whether it holds numbers."""
        marked = [False] if self.best is not None else []
        return [*marked, *(_all_numbers([row[p] for row in self.rows]) for p in self._visible())]


def as_cell(value: JSONValue) -> Cell:
    """Return a JSON value as a cell: what has parts becomes text.

    Examples
    --------
    >>> as_cell(0.5), as_cell([1, 2])
    (0.5, '[1, 2]')
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return json.dumps(value, ensure_ascii=False)


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Return lines of cells as text in columns, without what would break the columns.

    Examples
    --------
    >>> print(aligned([["name", "runs"], ["iris", "9"]]))
    name  runs
    iris  9
    """
    safe = [[printable(text) for text in line] for line in lines]
    widths = [max(map(len, column)) for column in zip(*safe, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in safe
    )


def printable(text: str) -> str:
    r"""Return `text` on one line, without characters that would steer a terminal.

    Examples
    --------
    >>> printable("two\nlines \x1b[31mred")
    'two\\nlines \\x1b[31mred'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _all_numbers(cells: Sequence[Cell]) -> bool:
    given = [cell for cell in cells if cell is not None]
    return bool(given) and all(
        isinstance(cell, int | float) and not isinstance(cell, bool) for cell in given
    )


def _shown(cell: Cell) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, str):
        # A digest is known by its beginning; CSV and JSON have the whole.
        return _DIGEST.sub(lambda found: found[0][:8], cell)
    return str(cell)


def rounded(cell: Cell) -> str:
    """Return a measured number as tables show it.

    Examples
    --------
    >>> rounded(0.93333333), rounded(0.00001234)
    ('0.9333', '1.2340e-05')
    """
    if not isinstance(cell, int | float) or isinstance(cell, bool):
        return _shown(cell)
    number = float(cell)
    if number == 0 or 0.001 <= abs(number) < 1e6 or not math.isfinite(number):
        return f"{number:.4f}"
    return f"{number:.4e}"


def _plain(cell: Cell) -> JSONValue:
    if isinstance(cell, Null):
        return None
    return finite(cell) if isinstance(cell, float) else cell


def finite(number: float) -> JSONValue:
    """Return a number as JSON, which knows no NaN and no infinity: they become text.

    Examples
    --------
    >>> finite(0.5), finite(float("-inf"))
    (0.5, '-Infinity')
    """
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _markdown(text: str) -> str:
    return re.sub(r"([\\`*_|<>\[\]])", r"\\\1", printable(text))


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in printable(text))
