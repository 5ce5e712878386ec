"""Single values of NumPy and pandas, taken apart into what JSON has words for.

Neither library is loaded here: a value of theirs says that they are.
"""

from __future__ import annotations

import io
import sys
from typing import Any

from ..exceptions import SerializationError
from .moments import zone_of, zone_parts

_OF_THE_PLATFORM = {"q": "longlong", "Q": "ulonglong", "g": "longdouble", "G": "clongdouble"}
"""Letters of types whose width or name is the platform's → their names."""


def numpy_parts(value: Any) -> list[object] | None:
    """Return name and content of a NumPy scalar; None where the type is not exactly NumPy's."""
    numpy: Any = sys.modules["numpy"]
    if not isinstance(value, numpy.generic):
        return None
    dtype, name = value.dtype, value.dtype.name
    content: object
    if dtype.kind in "mM":
        content = int(value.view("int64"))
    elif dtype.kind == "V":
        return _void_parts(value)
    elif dtype.kind == "S":
        name, content = "bytes", bytes(value)
    elif dtype.kind == "U":
        name, content = "str", str(value)
    elif numpy.dtype(name).type is not type(value) or dtype.char in "gG":
        name = _OF_THE_PLATFORM.get(dtype.char, name)
        content = _long_content(value) if dtype.char in "gG" else int(value)
    else:
        content = value.item()
    return [name, content] if numpy.dtype(name).type is type(value) else None


def numpy_scalar(parts: list[Any]) -> object:
    """Return the NumPy scalar of parts.

    Raises
    ------
    SerializationError
        They are not those of a scalar.
    """
    import numpy as np

    name, content = parts
    if name == "void":
        from .arrays import read_array

        return read_array(io.BytesIO(content))[()]
    dtype = np.dtype(name)
    if dtype.kind in "mM":
        return np.int64(content).view(dtype)
    if dtype.kind not in "biufcSU":
        raise SerializationError(f"no NumPy scalar of type {name!r} can be read from JSON")
    if dtype.char == "G":
        made = np.zeros((), dtype)
        made.real, made.imag = map(np.longdouble, content)
        return made[()]
    return dtype.type(content)


def _long_content(value: Any) -> object:
    """Return a number wider than Python's as text, which is exact where its bytes have gaps."""
    if value.dtype.kind == "c":
        return [str(value.real), str(value.imag)]
    return str(value)


def _void_parts(value: Any) -> list[object] | None:
    from .arrays import NpySerializer, write_array

    numpy: Any = sys.modules["numpy"]
    array = numpy.asarray(value)
    if type(value) is not numpy.void or not NpySerializer().takes(array):
        return None
    buffer = io.BytesIO()
    write_array(array, buffer)
    return ["void", buffer.getvalue()]


def pandas_parts(value: Any) -> list[object] | None:
    """Return name and content of a pandas scalar; None where it is none, or has no exact form."""
    pd: Any = sys.modules["pandas"]
    if value is pd.NaT or value is pd.NA:
        return ["NaT" if value is pd.NaT else "NA"]
    parts: list[object]
    if type(value) is pd.Timestamp:
        zone = None if value.tzinfo is None else zone_parts(value.tzinfo)
        if value.tzinfo is not None and zone is None:
            return None
        parts = ["Timestamp", int(value.asm8.view("int64")), value.unit, zone]
    elif type(value) is pd.Timedelta:
        parts = ["Timedelta", int(value.asm8.view("int64")), value.unit]
    elif type(value) is pd.Period:
        parts = ["Period", value.ordinal, value.freqstr]
    elif type(value) is pd.Interval:
        parts = ["Interval", value.left, value.right, value.closed]
    else:
        return None
    return parts if repr(pandas_scalar(parts)) == repr(value) else None


def pandas_scalar(parts: list[Any]) -> object:
    """Return the pandas scalar of parts.

    Raises
    ------
    SerializationError
        They are not those of a scalar.
    """
    import numpy as np
    import pandas as pd

    name, *content = parts
    if name == "NaT":
        return pd.NaT
    if name == "NA":
        return pd.NA
    if name == "Timestamp":
        number, unit, zone = content
        made = pd.Timestamp(np.datetime64(number, unit))
        if zone is None:
            return made
        return made.tz_localize("UTC").tz_convert(zone_of(zone))
    if name == "Timedelta":
        return pd.Timedelta(np.timedelta64(*content))
    if name == "Period":
        ordinal, frequency = content
        return pd.Period(ordinal=ordinal, freq=frequency)
    if name == "Interval":
        left, right, closed = content
        return pd.Interval(left, right, closed=closed)
    raise SerializationError(f"no pandas value {name!r} can be read from JSON")
