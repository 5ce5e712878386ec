"""What of a class is its code: bases, members and declared fields."""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
from typing import Any, Final

from .encoding import Encoder
from .objects import field_names
from .scalars import LEAVES

_FIELD_ATTRIBUTES: Final = (
    *("default", "default_factory", "init", "compare", "kw_only", "converter", "validator"),
    *("annotation", "alias", "metadata"),
)
_SKIPPED: Final = frozenset(
    {
        *("__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__annotations__"),
        *("__annotate__", "__annotate_func__", "__annotations_cache__", "__firstlineno__"),
        *("__static_attributes__", "__match_args__", "__abstractmethods__", "_abc_impl"),
        *("__parameters__", "__orig_bases__", "__signature__", "__conditional_annotations__"),
    }
)
_CODE: Final = (
    *(type, types.FunctionType, staticmethod, classmethod, property),
    *(functools.partial, functools.partialmethod, functools.cached_property),
    functools.singledispatchmethod,
)


def encode_class(out: Encoder, cls: type) -> None:
    """Write a class of the user's: its code through ``out.code``, its constants by value."""
    bases = tuple(base for base in cls.__bases__ if base is not object)
    out.encode(bases, "bases")
    if type(cls) is not type:
        out.code(type(cls), "metaclass")
    if issubclass(cls, enum.Enum):
        members = [(name, member.value) for name, member in cls.__members__.items()]
        out.encode(members, "members")
    names = field_names(cls)
    if names is not None:
        out.encode([_field(cls, name) for name in names], "fields")
    if (params := cls.__dict__.get("__dataclass_params__")) is not None:
        out.encode({name: getattr(params, name) for name in params.__slots__}, "dataclass")
    for name in sorted(vars(cls)):
        value = vars(cls)[name]
        if not _skipped(cls, name, value, generated=names is not None):
            out.text(b"member", name)
            out.encode(value, f".{name}")


def _field(cls: type, name: str) -> tuple[str, dict[str, object]]:
    if dataclasses.is_dataclass(cls):
        # A dataclass's metadata is for others to read, its type for people.
        field: Any = cls.__dataclass_fields__[name]
    elif (fields := getattr(cls, "__pydantic_fields__", None)) is not None:
        field = fields[name]
    else:
        field = next(a for a in cls.__attrs_attrs__ if a.name == name)  # type: ignore[attr-defined]
    items = {key: getattr(field, key, None) for key in _FIELD_ATTRIBUTES}
    return name, {key: None if v is dataclasses.MISSING else v for key, v in items.items()}


def _skipped(cls: type, name: str, value: object, *, generated: bool) -> bool:
    if name in _SKIPPED or isinstance(
        value, types.MemberDescriptorType | types.GetSetDescriptorType
    ):
        return True
    if isinstance(value, types.FunctionType):
        # Methods that a decorator writes from the fields say nothing that these do not.
        return generated and value.__code__.co_filename.startswith("<")
    if issubclass(cls, enum.Enum) and (name.startswith("_") or name in cls.__members__):
        return not isinstance(value, _CODE)
    special = name.startswith("__") and name.endswith("__") and name != "__slots__"
    return special and not isinstance(value, _CODE) and type(value) not in LEAVES
