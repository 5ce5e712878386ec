"""Public type aliases and the mark for "not given"."""

from __future__ import annotations

import enum
import os
from typing import Final, TypeAlias

JSONValue: TypeAlias = "bool | int | float | str | list[JSONValue] | dict[str, JSONValue] | None"
PathLike: TypeAlias = "str | os.PathLike[str]"


class Unset(enum.Enum):
    """The type of :data:`UNSET`, so that ``None`` can stay an ordinary value."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Final = Unset.UNSET
