"""Public type aliases and the mark for "not given"."""

from __future__ import annotations

import enum
import os
from collections.abc import Mapping
from typing import Final, TypeAlias

JSONValue: TypeAlias = "bool | int | float | str | list[JSONValue] | dict[str, JSONValue] | None"
PathLike: TypeAlias = "str | os.PathLike[str]"
ParameterSet: TypeAlias = "Mapping[str, object]"
"""Dotted parameter name → value, e.g. ``{"SVC.C": 0.1}``."""


class Unset(enum.Enum):
    """The type of :data:`UNSET`, so that ``None`` can stay an ordinary value."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Final = Unset.UNSET
