"""All kinds of values that have an encoding, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .callables import encode_annotation, encode_callable, encode_wrapped
from .encoding import Encoder, Family, Reach
from .objects import encode_declared, encode_estimator, encode_fields
from .plain import encode_kinds, encode_plain


def encoder(reach: Reach, *first: Family) -> Encoder:
    """Return an encoder that knows every family of values, and asks others `first`."""
    return Encoder(reach, (*first, *_FAMILIES))


def _encode_numpy(out: Encoder, value: Any, where: str) -> bool:
    from .arrays import encode_numpy  # needs NumPy, which is loaded where this is called

    return encode_numpy(out, value, where)


def _encode_scipy(out: Encoder, value: Any, where: str) -> bool:
    from .arrays import encode_scipy

    return encode_scipy(out, value, where)


def _encode_pandas(out: Encoder, value: Any, where: str) -> bool:
    from .frames import encode_pandas

    return encode_pandas(out, value, where)


def _encode_arrow(out: Encoder, value: Any, where: str) -> bool:
    from .frames import encode_arrow

    return encode_arrow(out, value, where)


def _encode_polars(out: Encoder, value: Any, where: str) -> bool:
    from .frames import encode_polars

    return encode_polars(out, value, where)


_LIBRARIES: Final[dict[str, Callable[[Encoder, Any, str], bool]]] = {
    "numpy": _encode_numpy,
    "scipy": _encode_scipy,
    "pandas": _encode_pandas,
    "pyarrow": _encode_arrow,
    "polars": _encode_polars,
}


def _encode_library(out: Encoder, value: Any, where: str) -> bool:
    """Ask the libraries that the value's class and its parents come from."""
    asked = set()
    for cls in type(value).__mro__:
        top = cls.__module__.partition(".")[0]
        if top in _LIBRARIES and top not in asked:
            asked.add(top)
            if _LIBRARIES[top](out, value, where):
                return True
    return False


_FAMILIES: Final[tuple[Family, ...]] = (
    encode_plain,
    encode_callable,
    encode_declared,
    _encode_library,
    encode_kinds,
    encode_fields,
    encode_wrapped,
    encode_estimator,
    encode_annotation,
)
