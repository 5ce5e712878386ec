"""Encodings of functions and classes, of what wraps them, and of types as annotations."""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Mapping
from typing import Any, Final

from .encoding import Encoder
from .leaves import node
from .origins import OWN, foreign_name

_DESCRIPTORS: Final = (
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
)
_CODE: Final = (type, types.FunctionType, types.ModuleType)


def _is_code(value: object) -> bool:
    return isinstance(value, _CODE) and not isinstance(value, types.GenericAlias)


def is_stage(value: object) -> bool:
    """Whether `value` is a function that this package wraps in a declaration."""
    cls = type(value)
    return cls.__module__.partition(".")[0] == OWN and hasattr(cls, "__wrapped__")


def encode_callable(out: Encoder, value: Any, where: str) -> bool:
    """Write functions, classes, modules, and what binds or wraps a function."""
    if _is_code(value) or (callable(value) and foreign_name(value)):
        out.code(value, where)
    elif is_stage(value):
        _encode_stage(out, value, where)
    elif isinstance(value, types.BuiltinFunctionType | types.MethodWrapperType):
        if isinstance(value.__self__, types.ModuleType | None):
            out.code(value, where)
        else:
            out.parts(b"bound", _attributes(value, "__self__", "__name__"), where)
    elif isinstance(value, types.MethodType):
        out.parts(b"method", _attributes(value, "__func__", "__self__"), where)
    elif isinstance(value, _DESCRIPTORS):
        out.parts(b"descriptor", _attributes(value, "__objclass__", "__name__"), where)
    elif isinstance(value, functools.partial | functools.partialmethod):
        tag = type(value).__name__.encode()
        out.parts(tag, _attributes(value, "func", "args", "keywords"), where)
    elif isinstance(value, staticmethod | classmethod):
        out.parts(type(value).__name__.encode(), _attributes(value, "__func__"), where)
    elif isinstance(value, property):
        out.parts(b"property", _attributes(value, "fget", "fset", "fdel"), where)
    elif isinstance(value, functools.cached_property):
        out.parts(b"cached_property", _attributes(value, "func"), where)
    elif isinstance(value, functools.singledispatchmethod):
        registry: Mapping[type, object] = value.dispatcher.registry
        out.parts(b"singledispatchmethod", [(".registry", dict(registry))], where)
    else:
        return False
    return True


def encode_wrapped(out: Encoder, value: Any, where: str) -> bool:
    """Write an object that stands for the function in its ``__wrapped__``."""
    if inspect.getattr_static(value, "__wrapped__", None) is None:
        return False
    items = {"__wrapped__": value.__wrapped__}
    items |= {
        name: item
        for name, item in getattr(value, "__dict__", {}).items()
        if not (name.startswith("__") and name.endswith("__"))
    }
    out.attributes(b"wrapped", value, items, where)
    return True


def encode_annotation(out: Encoder, value: Any, where: str) -> bool:
    """Write a type as annotations spell it, such as ``list[int]`` or ``int | None``."""
    origin = typing.get_origin(value)
    if origin is not None:
        arguments = typing.get_args(value)
        out.parts(b"annotation", [(".origin", origin), (".args", arguments)], where)
    elif type(value).__module__ == "typing" and isinstance(
        name := getattr(value, "__name__", getattr(value, "_name", None)), str
    ):
        out.text(b"typing", name)
    else:
        return False
    return True


def _encode_stage(out: Encoder, value: Any, where: str) -> None:
    # A declaration is no part of the code that it declares; what it depends on is.
    depends = tuple(getattr(value, "depends", ()))
    if depends:
        out.out += node(b"depends", 2)
        out.encode(depends, f"{where}.depends")
    out.encode(value.__wrapped__, where)


def _attributes(value: object, *names: str) -> list[tuple[str, object]]:
    return [(f".{name}", getattr(value, name)) for name in names]
