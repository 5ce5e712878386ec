"""Encodings of objects that say what they are: declared, with fields, or as estimators do."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from ..exceptions import FingerprintError
from .encoding import Encoder

IDENTITY_METHOD = "__gosset_identity__"

_registered: dict[type, Callable[[Any], object]] = {}


def register(kind: type, function: Callable[[Any], object]) -> None:
    """Declare what tells values of a type apart.

    Parameters
    ----------
    kind : type
        Its instances, and those of its children, get their identity from `function`.
    function : callable
        Takes the value and returns any value that can be digested: whatever two values
        must have in common to give the same results. The class counts as well, so it
        need not be repeated. A later registration for the same type replaces an earlier.

    Raises
    ------
    FingerprintError
        `kind` is not a class, or is one of Python's own, or `function` cannot be called.

    Examples
    --------
    >>> class Tokenizer:
    ...     def __init__(self, language):
    ...         self.language = language
    >>> register(Tokenizer, lambda tokenizer: tokenizer.language)
    """
    if not isinstance(kind, type):
        raise FingerprintError(f"{kind!r} is not a class", hint="register(type, function)")
    if kind.__module__ == "builtins":
        raise FingerprintError(
            f"the identity of {kind.__qualname__} is fixed", hint="register a class of your own"
        )
    if not callable(function):
        raise FingerprintError(
            f"what tells instances of {kind.__qualname__} apart must be a function",
            hint="register(type, function)",
        )
    _registered[kind] = function


def encode_declared(out: Encoder, value: Any, where: str) -> bool:
    """Write an object whose class declares or whose type was registered with an identity."""
    method = _identity_method(type(value))
    if method is None:
        return False
    out.attributes(b"declared", value, {"identity": method(value)}, where)
    return True


def is_declared(value: object) -> bool:
    """Whether an object's class declares its identity, or its type was registered with one."""
    return _identity_method(type(value)) is not None


def _identity_method(cls: type) -> Callable[[Any], object] | None:
    method: Callable[[Any], object] | None = getattr(cls, IDENTITY_METHOD, None)
    if method is None:
        method = next((_registered[kind] for kind in cls.__mro__ if kind in _registered), None)
    return method


def encode_fields(out: Encoder, value: Any, where: str) -> bool:
    """Write an instance of a class with declared fields: dataclass, attrs or pydantic."""
    names = field_names(type(value))
    if names is None:
        return False
    missing = [name for name in names if not hasattr(value, name)]
    if missing:
        out.unknown(value, where, f"has no value in its field {missing[0]!r}")
    else:
        out.attributes(b"fields", value, {name: getattr(value, name) for name in names}, where)
    return True


def field_names(cls: type) -> tuple[str, ...] | None:
    """Return the names of a class's declared fields, or None where it declares none."""
    if dataclasses.is_dataclass(cls):
        return tuple(field.name for field in dataclasses.fields(cls))
    if (attributes := getattr(cls, "__attrs_attrs__", None)) is not None:
        return tuple(attribute.name for attribute in attributes)
    if (fields := getattr(cls, "__pydantic_fields__", None)) is not None:
        return tuple(fields)
    return None


def encode_estimator(out: Encoder, value: Any, where: str) -> bool:
    """Write what speaks scikit-learn's interfaces: estimators, splitters and scorers.

    An estimator is its class and parameters: what it learned is no part of it.
    """
    cls = type(value)
    if callable(getattr(cls, "get_params", None)):
        try:
            params = _params(value)
        except (AttributeError, RuntimeError) as error:  # what scikit-learn says of a bad class
            out.unknown(value, where, f"cannot give its parameters ({type(error).__name__})")
        else:
            out.attributes(b"estimator", value, params, where)
    elif callable(getattr(cls, "split", None)) and callable(getattr(cls, "get_n_splits", None)):
        out.attributes(b"splitter", value, vars(value), where)
    elif hasattr(value, "_score_func") and hasattr(value, "_kwargs"):
        names = ("_score_func", "_sign", "_kwargs", "_response_method")
        items = {name: getattr(value, name) for name in names if hasattr(value, name)}
        out.attributes(b"scorer", value, items, where)
    else:
        return False
    return True


def estimator_params(value: object) -> Mapping[str, object]:
    """Return the parameters of what speaks scikit-learn's interface; none of all else.

    Examples
    --------
    >>> estimator_params(1)
    {}
    """
    if not callable(getattr(type(value), "get_params", None)):
        return {}
    try:
        params = _params(value)
    except Exception:  # noqa: BLE001 - a method of this name with a meaning of its own
        return {}
    return params if isinstance(params, Mapping) else {}


def _params(value: Any) -> Any:
    deep = "deep" in inspect.signature(type(value).get_params).parameters
    return value.get_params(deep=False) if deep else value.get_params()
