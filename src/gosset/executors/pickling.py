"""Pickles for values that cross between a controller and its workers."""

from __future__ import annotations

import functools
import inspect
import pickle
from collections.abc import Iterator, Mapping

import cloudpickle

PROTOCOL = 5
_DEPTH = 10


def dumps(value: object) -> bytes:
    """Pickle `value`: by plain pickle, which is fast, or by cloudpickle where it must be.

    It must be where pickle refuses (a lambda, a class made in a function), and where
    pickle would only name something that the other process cannot import: what lies in
    ``__main__``, or in a module registered with ``cloudpickle.register_pickle_by_value``.

    Raises
    ------
    Exception
        Whatever the value's own pickling raises.
    """
    try:
        data = pickle.dumps(value, PROTOCOL)
    except Exception:  # noqa: BLE001 - reducers are the user's; cloudpickle has the last word
        return bytes(cloudpickle.dumps(value, PROTOCOL))
    if b"__main__" in data or any(
        name.encode() in data for name in cloudpickle.list_registry_pickle_by_value()
    ):
        return bytes(cloudpickle.dumps(value, PROTOCOL))
    return data


def obstacle(value: object, name: str) -> str:
    """Name the innermost part of `value` that cannot be pickled.

    Parameters
    ----------
    value : object
        Something that :func:`dumps` refused.
    name : str
        What to call it.

    Examples
    --------
    >>> import threading
    >>> obstacle({"rows": [1, 2], "guard": threading.Lock()}, "payload")
    "payload['guard'] (_thread.lock)"
    """
    for _ in range(_DEPTH):
        for part_name, part in _parts(value):
            if not _picklable(part):
                name, value = name + part_name, part
                break
        else:
            break
    kind = type(value)
    return f"{name} ({kind.__module__}.{kind.__qualname__})"


def _parts(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        yield from ((f"[{key!r}]", item) for key, item in value.items())
    elif isinstance(value, list | tuple):
        yield from ((f"[{index}]", item) for index, item in enumerate(value))
    elif isinstance(value, functools.partial):
        yield from ((f"({index})", item) for index, item in enumerate(value.args))
        yield from ((f"({key}=)", item) for key, item in value.keywords.items())
        yield ".func", value.func
    elif inspect.ismethod(value):
        yield ".__self__", value.__self__
    elif inspect.isfunction(value):
        variables = inspect.getclosurevars(value)
        for names in (variables.nonlocals, variables.globals):
            yield from ((f".{key}", item) for key, item in names.items())
    else:
        slots = (slot for kind in type(value).__mro__ for slot in getattr(kind, "__slots__", ()))
        for key in (*getattr(value, "__dict__", {}), *slots):
            if hasattr(value, key):
                yield f".{key}", getattr(value, key)


def _picklable(value: object) -> bool:
    try:
        dumps(value)
    except Exception:  # noqa: BLE001 - any refusal is the answer
        return False
    return True
