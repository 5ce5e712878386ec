"""Everything else, through cloudpickle; reading it can run code."""

from __future__ import annotations

import io
import itertools
import pickle
import re
import socket
import threading
import types
from collections.abc import Iterator
from typing import BinaryIO

import cloudpickle

from ..exceptions import GossetError, SerializationError
from .base import Sink

_LOCKS = (
    type(threading.Lock()),
    type(threading.RLock()),
    threading.Condition,
    threading.Semaphore,
    threading.Event,
    threading.Thread,
)
_ITERATORS: tuple[type, ...] = (
    *(type(iter(container())) for container in (list, tuple, dict, set, str, bytes)),
    *(map, filter, zip, enumerate, reversed, itertools.chain),
)
_DATABASES = ("sqlite3", "psycopg", "psycopg2", "sqlalchemy", "duckdb", "_duckdb")
_DATABASE_HANDLE = re.compile("Connection|Cursor|Engine")


class PickleSerializer:
    """Any value that cloudpickle can pickle: estimators, functions, objects of any class.

    Equal values usually have the same bytes, and an estimator fitted twice alike in one
    process does; but that is not promised. It fails for sets of strings in processes with
    other hash seeds, for classes defined in ``__main__``, and where an object is held
    twice in one value and is two equal objects in the other.
    """

    name = "pickle"
    extension = ".pickle"
    safe = False

    def takes(self, value: object) -> bool:
        """Whether `value` is not bound to this process; whether it can be pickled, only
        :meth:`dump` can tell."""
        return not unkeepable(value)

    def dump(self, value: object, file: Sink) -> None:
        """See :meth:`Serializer.dump`.

        Raises
        ------
        SerializationError
            Names the part of the value that cannot be pickled.
        """
        try:
            cloudpickle.Pickler(file, protocol=5).dump(value)
        except (GossetError, MemoryError):
            raise
        except Exception as error:
            path, part = _culprit(value)
            what = f"its part {path}, a {type(part).__name__}," if path else "it"
            raise SerializationError(
                f"a {type(value).__name__} cannot be kept: {what} cannot be pickled ({error})",
                hint=unkeepable(part) or "return the data in it instead",
            ) from error

    def load(self, file: BinaryIO) -> object:
        """See :meth:`Serializer.load`."""
        return pickle.load(file)


def unkeepable(value: object) -> str:
    """Return what to do instead of keeping a value that is bound to its process.

    Returns
    -------
    str
        Empty for all other values.

    Examples
    --------
    >>> unkeepable(n for n in [1, 2])
    'a generator is used up when it is read; return a list'
    """
    kind = type(value)
    if isinstance(value, types.GeneratorType | types.AsyncGeneratorType):
        return "a generator is used up when it is read; return a list"
    if isinstance(value, _ITERATORS):
        return "an iterator is used up when it is read; return a list"
    if isinstance(value, types.CoroutineType):
        return "a coroutine has to be awaited; return what it gives"
    if isinstance(value, io.IOBase) or isinstance(getattr(value, "file", None), io.IOBase):
        return "an open file belongs to the process that opened it; return its path or its content"
    if isinstance(value, _LOCKS):
        return "locks and threads exist in one process only; leave it out of what is returned"
    if isinstance(value, socket.socket):
        return "a connection belongs to the process that opened it; return what it was opened for"
    if kind.__module__.partition(".")[0] in _DATABASES and _DATABASE_HANDLE.search(kind.__name__):
        return "a database connection belongs to the process that opened it; return the rows"
    return ""


def _culprit(value: object) -> tuple[str, object]:
    """Return the path to the innermost part of `value` that cannot be pickled, and the part."""
    path = ""
    seen = {id(value)}
    while True:
        for step, part in _parts(value):
            if id(part) not in seen and not _can_be_pickled(part):
                seen.add(id(part))
                path, value = path + step, part
                break
        else:
            return path, value


def _parts(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield f"[{key!r}]", item
    elif isinstance(value, list | tuple | set | frozenset):
        for position, item in enumerate(value):
            yield f"[{position}]", item
    elif isinstance(value, types.FunctionType):
        names = value.__code__.co_freevars
        for name, cell in zip(names, value.__closure__ or (), strict=True):
            yield f".<{name}>", cell.cell_contents
        for name in value.__code__.co_names:
            if name in value.__globals__:
                yield f".<{name}>", value.__globals__[name]
    yield from ((f".{name}", item) for name, item in _state(value).items())


def _state(value: object) -> dict[str, object]:
    """Return the attributes that are pickled with `value`."""
    if isinstance(value, type | types.ModuleType):
        return {}
    try:
        state = value.__getstate__()
    except Exception:  # noqa: BLE001 - it is user code, and the error is known already
        return {}
    parts = state if isinstance(state, tuple) else (state,)
    return {name: item for part in parts if isinstance(part, dict) for name, item in part.items()}


def _can_be_pickled(value: object) -> bool:
    try:
        cloudpickle.dumps(value, protocol=5)
    except Exception:  # noqa: BLE001 - any error means no
        return False
    return True
