"""Named values of a run, as attributes and as items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

_SHOWN: Final = 20
"""How many names an error lists."""


class Late:
    """A value that is read when it is asked for."""

    __slots__ = ("read",)

    def __init__(self, read: Callable[[], Any]) -> None:
        self.read = read


class Values:
    """Named values that read as attributes and as items; unknown names are errors.

    Examples
    --------
    >>> values = Values({"lr": 0.1, "SVC.C": 1.0})
    >>> values.lr, values["SVC.C"], "lr" in values
    (0.1, 1.0, True)
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_values", dict(values))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            known = ", ".join(list(self._values)[:_SHOWN]) or "none"
            known += ", …" if len(self._values) > _SHOWN else ""
            raise AttributeError(f"no value {name!r}; known: {known}") from None

    def __getitem__(self, name: str) -> Any:
        value = self._values[name]
        if type(value) is Late:
            value = self._values[name] = value.read()
        return value

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def keys(self) -> Any:
        """Return the names; with ``[]`` this makes it a mapping for ``dict(…)`` and ``**``."""
        return self._values.keys()

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{name!r} cannot be set: these values were given")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)


class OpenValues(Values):
    """Named values that can be set, too."""

    __slots__ = ()

    def __setattr__(self, name: str, value: Any) -> None:
        self._values[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        self._values[name] = value

    def __delattr__(self, name: str) -> None:
        del self._values[name]
