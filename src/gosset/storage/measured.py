"""Metrics of many runs as columns: of few runs read run by run, of many name by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ..filters import METRIC_PARTS, Name
from .answers import Questions
from .arrays import Values, array_of, decoded
from .chunking import CHUNK, chunks
from .values import decode

if TYPE_CHECKING:
    import numpy as np

_INTEGERS: Final = ("count",)
_MANY: Final = 20
"""Runs for each name from which on it is quicker to read all values of a name at once."""

PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "last": ("value",),
    "std": ("std",),
    "min": ("minimum",),
    "max": ("maximum",),
    "mean": ("total", "numbers"),
    "count": ("count",),
}
"""Each of :data:`gosset.filters.METRIC_PARTS` → its column, and by what it is divided."""

# From one name to the next, along the index.
NAMES: Final = """
WITH RECURSIVE leap(name) AS (
    SELECT min(name) FROM run_metrics
    UNION ALL
    SELECT (SELECT min(m.name) FROM run_metrics AS m WHERE m.name > leap.name)
    FROM leap WHERE leap.name IS NOT NULL
)
SELECT name FROM leap WHERE name IS NOT NULL
"""

# ``name || ''``: along the table itself, for the index of the names would be left for each row.
SPREAD: Final = "SELECT name || '' FROM run_metrics WHERE std IS NOT NULL GROUP BY name || ''"

EXACT: Final = "SELECT name, run, whole FROM run_metrics WHERE whole IS NOT NULL"
EXACT_OF: Final = f"{EXACT} AND name || '' IN :names"


def metrics(
    questions: Questions,
    pks: Sequence[int],
    wanted: Iterable[tuple[str, str]] | None,
    *,
    every: bool = False,
) -> dict[str, Values]:
    """Return the columns of metrics of runs, by name.

    Parameters
    ----------
    wanted : iterable of (key, part), optional
        See :data:`PARTS`. By default of each metric that occurs the last value, and the
        standard deviation where it has one.
    every : bool
        These are all runs of the store.
    """
    pairs = None if wanted is None else list(dict.fromkeys(wanted))
    if not pks or pairs == []:
        return {}
    keys = [key for (key,) in questions.all(NAMES, {})] if pairs is None else []
    if len(pks) <= CHUNK and not (every and len(keys) * _MANY < len(pks)):
        return _by_run(questions, pks, pairs)
    if pairs is None:
        spread = {key for (key,) in questions.all(SPREAD, {})}
        parts = [(key, part) for key in keys for part in ("last", "std")]
        pairs = [(key, part) for key, part in parts if part == "last" or key in spread]
    places = _Places(pks)
    exact = _exact(questions, places, {key for key, part in pairs if part == "last"})
    found = {}
    for key, part in pairs:
        values = _by_name(questions, places, key, part, exact.get(key))
        if values is not None:
            found[metric_name(key, part)] = values
    return found


def _by_run(
    questions: Questions, pks: Sequence[int], pairs: list[tuple[str, str]] | None
) -> dict[str, Values]:
    positions = {pk: position for position, pk in enumerate(pks)}
    parts = ["last", "std"] if pairs is None else list(dict.fromkeys(part for _, part in pairs))
    columns = ", ".join(map(_column, parts))
    sql = f"SELECT run, name, whole, {columns} FROM run_metrics WHERE run IN :pks"
    of_names: dict[str, list[str]] = {}
    if pairs is not None and len(pairs) <= CHUNK:
        sql += " AND name IN :names"
        of_names = {"names": list({key for key, _ in pairs})}
    cells: dict[tuple[str, str], list[Any]] = {}
    for chunk in chunks(pks):
        for run, key, whole, *values in questions.among(sql, pks=chunk, **of_names):
            for part, value in zip(parts, values, strict=True):
                if part == "last":
                    value = decode(whole) if whole is not None else value
                    value = float("nan") if value is None else value
                elif value is None:
                    continue
                at = (key, part)
                if at not in cells:
                    cells[at] = [None] * len(pks)
                cells[at][positions[run]] = value
    chosen = sorted(cells, key=lambda at: (at[0], METRIC_PARTS.index(at[1])))
    return {
        metric_name(*pair): array_of(cells[pair])
        for pair in (chosen if pairs is None else pairs)
        if pair in cells
    }


def _column(part: str) -> str:
    column, *divisor = PARTS[part]
    return f"{column} / nullif({divisor[0]}, 0)" if divisor else column


class _Places:
    """Where each run stands among those that were asked for."""

    def __init__(self, pks: Sequence[int]) -> None:
        import numpy as np

        self.count = len(pks)
        given = np.array(pks, np.int64)
        # One place for each key there is, and a last one for all those above.
        self._places = np.full(int(given.max()) + 2, -1)
        self._places[given] = np.arange(self.count)

    def of(self, runs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions of those that are among them, and which these are."""
        places = self._places[runs.clip(max=len(self._places) - 1)]
        known = places >= 0
        return places[known], known


def _by_name(
    questions: Questions,
    places: _Places,
    key: str,
    part: str,
    exact: Mapping[int, Any] | None,
) -> Values | None:
    import numpy as np

    runs, numbers = questions.pairs(
        "run", _column(part), "run_metrics WHERE name = :name", {"name": key}
    )
    at, known = places.of(runs)
    values = np.full(places.count, np.nan)
    there = np.zeros(places.count, bool)
    values[at], there[at] = numbers[known], True
    if exact:
        there[list(exact)] = True
        if any(type(value) is not float for value in exact.values()):
            mixed = values.astype(object)
            mixed[~there] = None
            mixed[list(exact)] = list(exact.values())
            return array_of(mixed.tolist())
        values[list(exact)] = list(exact.values())
    if not there.any():
        return None
    if part in _INTEGERS:
        values = np.where(there, values, 0).astype(np.int64)
    return Values(values, None if there.all() else ~there)


def _exact(questions: Questions, places: _Places, keys: set[str]) -> dict[str, dict[int, Any]]:
    """Return key → position → value, of what a column of doubles does not give back."""
    import numpy as np

    if not keys:
        return {}
    few = len(keys) <= CHUNK
    rows = questions.among(EXACT_OF, names=list(keys)) if few else questions.all(EXACT, {})
    if not rows:
        return {}
    at, known = places.of(np.array([row[1] for row in rows], np.int64))
    values = decoded([row[2] for row in rows])
    kept = [index for index, is_known in enumerate(known.tolist()) if is_known]
    found: dict[str, dict[int, Any]] = {}
    for index, position in zip(kept, at.tolist(), strict=True):
        found.setdefault(rows[index][0], {})[position] = values[index]
    return found


def metric_name(key: str, part: str) -> str:
    """Return the name of a column, as filters write it."""
    name = str(name_of("metrics", key))
    return name if part == "last" else f"{name}.{part}"


def metric_readings(name: Name) -> Iterator[tuple[str, str]]:
    """Iterate over what a name of a metric may mean: key and part, the first that occurs.

    ``metrics.loss.min`` is the minimum of ``loss``, where there is such a metric; one that is
    itself called ``loss.min`` is always meant by ``metrics.`loss.min```.
    """
    *head, last = name.parts[1:]
    if head and last in METRIC_PARTS:
        yield ".".join(head), last
    yield name.rest, "last"


def name_of(head: str, key: str) -> Name:
    """Return the name of a parameter, metric or field as filters mean it."""
    parts = key.split(".")
    if head == "metrics" and len(parts) > 1 and parts[-1] in METRIC_PARTS:
        return Name((head, key))
    return Name((head, *parts))
