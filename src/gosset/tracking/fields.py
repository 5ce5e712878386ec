"""The fields of a run at work: what is set is checked, copied and told at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ..naming import checked_name
from ..storage.news import Kept, field_place
from ..types import JSONValue
from .telemetry.secrets import masked_values
from .values import OpenValues, Values

if TYPE_CHECKING:
    from ..entities import ArtifactRef
    from .artifacts import Keeper

LARGE: Final = 1 << 16
"""Characters of JSON from which a value lies in an artifact."""

_DEEP: Final = 100
BITS: Final = 2000

Tell = Callable[[str, Any], None]


class Fields(OpenValues):
    """Fields of a run, which take values of any kind that can be read without running code.

    Parameters
    ----------
    tell : callable
        Takes ``"field"``, and the arguments of :func:`gather`.
    keeper : callable
        Returns what keeps these.
    """

    __slots__ = ("_keeper", "_tell")

    def __init__(
        self, tell: Tell, keeper: Callable[[], Keeper], values: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(values or {})
        object.__setattr__(self, "_tell", tell)
        object.__setattr__(self, "_keeper", keeper)

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        self._tell("field", (name, *self._taken(checked_name("a field", name), value)))
        self._values[name] = value

    def update(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> None:
        """Set several fields."""
        for name, value in {**(values or {}), **named}.items():
            self[name] = value

    def __reduce__(self) -> tuple[Any, ...]:
        return OpenValues, (dict(self),)

    def _taken(self, name: str, value: Any) -> tuple[JSONValue, list[Kept]]:
        if is_plain(value):
            if not isinstance(value, str | list | dict):
                return value, []
            text = value if isinstance(value, str) else json.dumps(value)
            if len(text) <= LARGE:
                # A copy of its own: the caller may go on changing it.
                return (value if isinstance(value, str) else json.loads(text)), []
        from ..artifacts.fields import take_apart

        plain, refs = take_apart(value, field_place(name), self._keeper().keep)
        return plain, [as_kept(ref) for ref in refs]


def as_parameter(name: str, value: Any) -> JSONValue:
    """Return what is kept of a parameter: plain JSON, numbers of NumPy as those of Python.

    Raises
    ------
    UsageError
        It has no form in JSON; the message says which part.
    """
    if is_plain(value):
        return value  # type: ignore[no-any-return]
    from ..exceptions import SerializationError, UsageError
    from ..serializers.views import plain_form

    try:
        return plain_form(value)
    except SerializationError as error:
        raise UsageError(f"{name!r} cannot be kept as a parameter: {error.message}") from error


class Config(Values):
    """What is fixed in a run at work. More can be added; what is there stays as it is.

    Parameters
    ----------
    tell : callable
        Takes ``"config"`` and what is new.
    """

    __slots__ = ("_tell",)

    def __init__(self, tell: Tell, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        object.__setattr__(self, "_tell", tell)

    def update(self, values: Mapping[str, Any], allow_val_change: bool = False) -> None:
        """Add values.

        Raises
        ------
        UsageError
            One is there with another value, and `allow_val_change` is not given.
        """
        from ..exceptions import UsageError

        plain = {str(name): as_parameter(str(name), value) for name, value in values.items()}
        for name, value in values.items():
            if name in self._values and self._values[name] != value and not allow_val_change:
                raise UsageError(
                    f"{name!r} of the configuration is {self._values[name]!r} already",
                    hint="what varies is a parameter: run.log_params()",
                )
        self._tell("config", plain)
        self._values.update(values)

    def __setattr__(self, name: str, value: Any) -> None:
        self.update({name: value})

    def __setitem__(self, name: str, value: Any) -> None:
        self.update({name: value})

    def __reduce__(self) -> tuple[Any, ...]:
        return Values, (self._values,)


def gather_tags(gathered: dict[str, Any], kind: str, tags: Sequence[str]) -> None:
    """Add tags, or ones to be taken away, to what news say; of each the last word counts."""
    other = "untags" if kind == "tags" else "tags"
    gathered[other] = [tag for tag in gathered.get(other, ()) if tag not in tags]
    gathered.setdefault(kind, []).extend(tags)


def gather(gathered: dict[str, Any], name: str, plain: JSONValue, kept: Sequence[Kept]) -> None:
    """Add a field to what news say; what they say of a former value of it goes."""
    fields = gathered.setdefault("fields", {})
    artifacts = gathered.setdefault("artifacts", [])
    if name in fields:
        place = field_place(name)
        artifacts[:] = [other for other in artifacts if not other.name.startswith(place)]
    fields[name] = plain
    artifacts.extend(kept)


def gathered(sayings: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return what was said, by kind: of mappings the last value of a name counts."""
    found: dict[str, Any] = {}
    for kind, what in sayings:
        if kind in ("params", "config"):
            what = masked_values(what)
        if kind == "field":
            gather(found, *what)
        elif kind in ("tags", "untags"):
            gather_tags(found, kind, what)
        elif isinstance(what, Mapping):
            found.setdefault(kind, {}).update(what)
        elif isinstance(what, list):
            found.setdefault(kind, []).extend(what)
        else:
            found[kind] = what
    return found


def as_kept(ref: ArtifactRef) -> Kept:
    """Return what the news say of an artifact."""
    return Kept(ref.name, ref.format, ref.digest, ref.size, ref.inline)


def is_plain(value: Any, depth: int = 0) -> bool:
    """Whether JSON gives `value` back as it is, in value and in type.

    Examples
    --------
    >>> is_plain({"layers": [64, 32], "dropout": None}), is_plain((64, 32)), is_plain({1: 2})
    (True, False, False)
    """
    kind = type(value)
    if kind in (float, bool, str) or value is None:
        return True
    if kind is int:
        return bool(value.bit_length() <= BITS)
    if depth > _DEEP:
        return False
    if kind is list:
        return all(is_plain(item, depth + 1) for item in value)
    if kind is dict:
        return all(type(key) is str for key in value) and all(
            is_plain(item, depth + 1) for item in value.values()
        )
    return False
