"""Numbers for what comes from another store: kept where nothing has them, else given anew."""

from __future__ import annotations

from collections.abc import Collection, Iterable


def numbered(wanted: Iterable[int], taken: Collection[int], last: int) -> tuple[list[int], int]:
    """Return a number for each that is wanted, and the highest that was ever given.

    Parameters
    ----------
    wanted : iterable of int
        What they have in the other store.
    taken : collection of int
        Those of `wanted` that are used here.
    last : int
        The highest that was ever given here.

    Examples
    --------
    >>> numbered([1, 2, 7], {1}, 4)
    ([8, 2, 7], 8)
    """
    wanted = list(wanted)
    used = set(taken)
    given: list[int | None] = []
    for number in wanted:
        given.append(None if number in used else number)
        used.add(number)
        last = max(last, given[-1] or 0)
    found = []
    for number_or_none in given:
        if number_or_none is None:
            last += 1
        found.append(last if number_or_none is None else number_or_none)
    return found, last
