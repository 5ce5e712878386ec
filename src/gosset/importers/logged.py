"""What a run logged at its steps: numbers become series, all else lists that say the step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from ..exceptions import StorageError
from ..series import Points

_NUMBERS: Final = (float, int, bool)
_EXACT: Final = 2**53
"""Up to here every integer is a float."""
_CALENDAR: Final = range(-62_135_596_800_000_000, 253_402_300_800_000_000)
"""Microseconds since the epoch of the years 1 to 9999."""

_NOT_FINITE: Final = {
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}


def as_number(value: Any) -> Any:
    """Return a number that its tracker had to write as text; anything else as it is.

    Examples
    --------
    >>> as_number("-Infinity"), as_number("Inf"), as_number(1)
    (-inf, 'Inf', 1)
    """
    return _NOT_FINITE.get(value, value) if isinstance(value, str) else value


def as_numbers(value: Any) -> Any:
    """Return a value of JSON with the numbers in it that were written as text.

    Examples
    --------
    >>> as_numbers({"a": ["Infinity", "b"]})
    {'a': [inf, 'b']}
    """
    if isinstance(value, dict):
        return {key: as_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_numbers(inner) for inner in value]
    return as_number(value)


def micros(seconds: Any) -> int:
    """Return a moment in microseconds since the epoch.

    Raises
    ------
    StorageError
        It is none: no number, or beyond what the calendar has.

    Examples
    --------
    >>> micros(1.5)
    1500000
    >>> micros("soon")
    Traceback (most recent call last):
    gosset.exceptions.StorageError: a time of the run is 'soon', which is none
    """
    if type(seconds) in (int, float) and abs(seconds) < math.inf:
        return moment(round(seconds * 1_000_000))
    raise StorageError(f"a time of the run is {repr(seconds)[:40]}, which is none")


def moment(micros: int) -> int:
    """Return a moment in microseconds if the calendar has it.

    Raises
    ------
    StorageError
        It does not.
    """
    if micros not in _CALENDAR:
        raise StorageError("a time of the run is beyond what the calendar has")
    return micros


class Logged:
    """Takes what was logged, in its order.

    Attributes
    ----------
    metrics : dict
        Name → points.
    others : dict
        Name → what is no number: a list of ``{"step", "time", "value"}``, the time in
        microseconds.

    Examples
    --------
    >>> logged = Logged()
    >>> logged.add("loss", 0.5, 3, 1_000)
    >>> logged.add("said", "good", 3, 1_000)
    >>> logged.metrics, logged.artifacts({})
    ({'loss': Points([3], [0.5], [1000])}, {'said.json': [{'step': 3, 'time': 1000, 'value': 'good'}]})
    """

    def __init__(self) -> None:
        self.metrics: dict[str, Points] = {}
        self.others: dict[str, list[dict[str, Any]]] = {}

    def add(self, name: str, value: Any, step: int, time: int) -> None:
        """Take a value."""
        if type(value) in _NUMBERS:
            points = self.metrics.get(name)
            if points is None:
                points = self.metrics[name] = Points()
            points.steps.append(step)
            points.values.append(value)
            points.times.append(time)
        else:
            said = {"step": step, "time": time, "value": value}
            self.others.setdefault(name, []).append(said)

    def even_out(self) -> None:
        """Make the integers floats in series that have both, as far as they stay the same.

        A tracker that writes 1.0 as ``1`` did not mean two kinds of numbers.
        """
        for points in self.metrics.values():
            kinds = set(map(type, points.values))
            whole = [value for value in points.values if type(value) is int]
            if kinds == {int, float} and all(abs(value) <= _EXACT for value in whole):
                points.values[:] = map(float, points.values)

    def artifacts(self, files: Mapping[str, Path]) -> dict[str, Any]:
        """Return what is no number as values for artifacts called after it, and files.

        Examples
        --------
        >>> logged = Logged()
        >>> logged.add("said", "good", 3, 1_000)
        >>> sorted(logged.artifacts({"said.json": Path("said.json")}))
        ['logged/said.json', 'said.json']
        """
        found: dict[str, Any] = dict(files)
        for name, said in self.others.items():
            its_name = f"{name}.json"
            while its_name in found:
                its_name = f"logged/{its_name}"
            found[its_name] = said
        return found


def inside(place: str) -> bool:
    """Whether a path that a source names stays within the folder that it is relative to.

    Examples
    --------
    >>> inside("media/a.png"), inside("../a.png"), inside("/etc/passwd")
    (True, False, False)
    """
    path = PurePosixPath(place)
    return not path.is_absolute() and ".." not in path.parts
