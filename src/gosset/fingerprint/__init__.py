"""What makes two values, or two versions of code, the same.

Loaded piece by piece: who needs the digest of a few numbers need not wait for what reads code.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .code import Code as Code
    from .code import code_digest as code_digest
    from .files import File as File
    from .files import Planned as Planned
    from .files import files_in as files_in
    from .leaves import FORMAT as FORMAT
    from .names import dynamic_ways as dynamic_ways
    from .objects import register as register
    from .values import codes_in as codes_in
    from .values import combine as combine
    from .values import derive_seed as derive_seed
    from .values import digest as digest

_HOMES = {
    "Code": "code",
    "FORMAT": "leaves",
    "File": "files",
    "Planned": "files",
    "code_digest": "code",
    "codes_in": "values",
    "combine": "values",
    "derive_seed": "values",
    "digest": "values",
    "dynamic_ways": "names",
    "files_in": "files",
    "register": "objects",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value
