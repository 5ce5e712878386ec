"""What was measured as tables in Markdown."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

WRITING = ("start", "10x100", "10k", "100k", "arrays", "1000x10")
Results = dict[str, Any]


def markdown(results: Results) -> str:
    """Return all tables of a comparison."""
    cases = [case for case in WRITING if case in results["cells"]]
    parts = [_machine(results)]
    if cases:
        parts += [
            "### Writing\n\nMilliseconds, medians.",
            _table(results, cases, "write"),
            _ratios(results, cases, "write"),
            "### Reading all of it back\n\nMilliseconds, medians.",
            _table(results, cases, "read"),
            _ratios(results, cases, "read"),
            "### On disk\n\nMiB.",
            _table(results, cases, "disk", digits=1),
        ]
    if "start" in cases:
        parts += [
            "### Around the clock of *start*\n\n"
            "Milliseconds: the whole process that writes, from the start of the interpreter to "
            "its end; and the imports before reading.",
            _around(results),
        ]
    if "killed" in results["cells"] or "killed-later" in results["cells"]:
        parts += ["### What survives\n\nValues of 1500 that are found afterwards.", _kept(results)]
    return "\n\n".join(part for part in parts if part)


def lines(found: Results) -> str:
    """Return the lines of ``limits.py`` as a table."""
    head = "| | Gosset | beside | ratio | aim |"
    rows = [head, "|---|---:|---:|---:|---:|"]
    for line in found.values():
        unit = "µs" if line["unit"] == "us" else "ms"
        theirs = "" if line["theirs"] is None else f"{line['theirs']:,.1f} {unit}"
        ratio = "" if line["theirs"] is None else f"{line['found']:.2f}"
        sign = "≥" if line["at_least"] else "≤"
        aim = f"{sign} {line['aim']:g}{'' if line['theirs'] else ' ' + unit}" if line["aim"] else ""
        missed = "" if line["good"] else " **missed**"
        rows.append(
            f"| {line['title'].replace('|', 'beside')} | {line['ours']:,.1f} {unit} | {theirs} "
            f"| {ratio} | {aim}{missed} |"
        )
    return "\n".join(rows)


def bring(path: Path, mark: str, text: str) -> None:
    """Put `text` between the two marks of a page."""
    begin, end = f"<!-- {mark} -->", f"<!-- end of {mark} -->"
    page = path.read_text(encoding="utf-8")
    head, _, rest = page.partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        raise ValueError(f"{path} has no marks {begin!r} and {end!r}")
    path.write_text(f"{head}{begin}\n\n{text}\n\n{end}{tail}", encoding="utf-8")


def _machine(results: Results) -> str:
    versions = ", ".join(f"{peer} {version}" for peer, version in results["versions"].items())
    return (
        f"Measured {results['when'][:10]} on {results['machine']}; Python {results['python']}; "
        f"{versions}. Medians of {results['repeats']} repeats; load {results['load']:.1f}. "
        f"A cell that took more than {results['limit']:g} s was cut."
    )


def _median(results: Results, case: str, row: str, what: str) -> float | str:
    """Return the median of a cell, or why there is none."""
    found = results["cells"][case][row]
    wrong = next((each["wrong"] for each in found if each["wrong"]), "")
    if wrong and what in ("read", "loading", "disk"):
        return "–"
    if wrong:
        return "cut" if wrong == "cut" else "wrong"
    values = [each[what] for each in found if each[what] is not None]
    return statistics.median(values) if values else "–"


def _table(results: Results, cases: list[str], what: str, digits: int = 0) -> str:
    def cell(case: str, row: str) -> str:
        value = _median(results, case, row, what)
        if value == "cut":
            return f"> {results['limit'] * 1000:,.0f}"
        return value if isinstance(value, str) else f"{value:,.{_digits(value, digits)}f}"

    return _rows(results, cases, cell)


def _around(results: Results) -> str:
    lines = ["| | whole process | imports to read |", "|---|---:|---:|"]
    for row in results["cells"]["start"]:
        both = (_median(results, "start", row, what) for what in ("process", "loading"))
        cells = (v if isinstance(v, str) else f"{v:,.0f}" for v in both)
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _digits(value: float, digits: int) -> int:
    return max(digits, 1 if value < 10 else 0)


def _ratios(results: Results, cases: list[str], what: str) -> str:
    def cell(case: str, row: str) -> str:
        ours, value = (_median(results, case, each, what) for each in ("gosset", row))
        if isinstance(ours, str):
            return "–"
        if value == "cut":
            return f"> {results['limit'] * 1000 / ours:,.0f}"
        return value if isinstance(value, str) else _ratio(value / ours)

    some = next(iter(results["cells"].values()))
    if "gosset" not in some or len(some) == 1:
        return ""
    return "Times as long as Gosset; in bold where Gosset takes longer.\n\n" + _rows(
        results, cases, cell
    )


def _ratio(ratio: float) -> str:
    """Return a ratio; less than one, where Gosset is behind, in bold."""
    text = f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.2g}" if ratio >= 1 else f"{ratio:.2f}"
    return text if ratio >= 1 else f"**{text}**"


def _rows(results: Results, cases: list[str], cell: Any) -> str:
    lines = ["| | " + " | ".join(cases) + " |", "|---|" + "---:|" * len(cases)]
    for row in next(iter(results["cells"].values())):
        lines.append(f"| {row} | " + " | ".join(cell(case, row) for case in cases) + " |")
    return "\n".join(lines)


def _kept(results: Results) -> str:
    cases = [case for case in ("killed", "killed-later") if case in results["cells"]]
    told = {"killed": "killed at once", "killed-later": "killed 2 s later"}
    head = "| | " + " | ".join(told[case] for case in cases) + " | lost in a power cut |"
    lines = [head, "|---|" + "---:|" * len(cases) + "---|"]
    for row in results["power"]:
        kept = (str(_median(results, case, row, "kept")).removesuffix(".0") for case in cases)
        lines.append(f"| {row} | " + " | ".join(kept) + f" | {results['power'][row]} |")
    return "\n".join(lines)
