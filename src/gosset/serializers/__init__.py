"""Serializers: one for each kind of value, tried in order until one takes it."""

from __future__ import annotations

from ..exceptions import NotFoundError, SerializationError, UsageError, did_you_mean
from .arrays import NpySerializer, SparseSerializer
from .base import Serializer as Serializer
from .base import Sink as Sink
from .charts import ChartSerializer
from .figures import FigureSerializer
from .files import ArchiveSerializer, FileSerializer
from .frames import ParquetSerializer
from .json import JsonSerializer
from .pickles import PickleSerializer, unkeepable
from .plain import BytesSerializer, TextSerializer
from .tables import ArrowSerializer, PolarsSerializer

__all__ = ["Serializer", "Sink", "choose", "get", "register", "serializers"]

_registered: list[Serializer] = [
    TextSerializer(),
    BytesSerializer(),
    JsonSerializer(),
    NpySerializer(),
    ParquetSerializer(),
    ArrowSerializer(),
    PolarsSerializer(),
    SparseSerializer(),
    FigureSerializer(),
    ChartSerializer("vega-lite", "altair", "TopLevelMixin"),
    ChartSerializer("plotly", "plotly.graph_objs", "Figure"),
    FileSerializer(),
    ArchiveSerializer(),
    PickleSerializer(),
]


def choose(value: object, format: str | None = None, where: str = "") -> Serializer:
    """Return the serializer for a value.

    Parameters
    ----------
    value : object
    format : str, optional
        A serializer's name; by default the first that takes the value.
    where : str, optional
        Whose value it is, for messages, e.g. ``"stage 'trained', output 'model'"``.

    Raises
    ------
    SerializationError
        No serializer takes the value, or `format` does not.
    NotFoundError
        There is no such format.

    Examples
    --------
    >>> choose([1, 2]).name, choose("words").name, choose("words", format="json").name
    ('json', 'text', 'json')
    """
    prefix = f"{where}: " if where else ""
    if format is not None:
        serializer = get(format)
        if serializer.takes(value):
            return serializer
        raise SerializationError(
            f"{prefix}a {type(value).__name__} cannot be kept as {format} and come back the same",
            hint=unkeepable(value) or f"format={choose(value, where=where).name!r} takes it",
        )
    for serializer in _registered:
        if serializer.takes(value):
            return serializer
    raise SerializationError(
        f"{prefix}a {type(value).__name__} cannot be kept", hint=unkeepable(value)
    )


def get(name: str) -> Serializer:
    """Return the serializer of that name.

    Raises
    ------
    NotFoundError

    Examples
    --------
    >>> get("npy").extension
    '.npy'
    """
    for serializer in _registered:
        if serializer.name == name:
            return serializer
    raise NotFoundError(
        f"no format is called {name!r}",
        hint=did_you_mean(name, [serializer.name for serializer in _registered]),
    )


def register(serializer: Serializer, before: str | None = None) -> None:
    """Add a serializer, in this process and in those forked from it.

    Call it at the top of the module that defines the stages: workers import that too.
    The same class, registered again, takes the place of its former self.

    Parameters
    ----------
    serializer : Serializer
    before : str, optional
        Name of the one to stand before; by default it is asked first of all.

    Raises
    ------
    UsageError
        Another serializer has that name.
    NotFoundError
        There is none called `before`.
    """
    names = [other.name for other in _registered]
    if serializer.name in names:
        position = names.index(serializer.name)
        if not _same_class(_registered[position], serializer):
            raise UsageError(
                f"there is a serializer called {serializer.name!r} already",
                hint="what is kept under that name could no longer be read; take another name",
            )
        _registered[position] = serializer
        return
    _registered.insert(names.index(get(before).name) if before else 0, serializer)


def serializers() -> tuple[Serializer, ...]:
    """Return all serializers in the order in which they are asked.

    Examples
    --------
    >>> [serializer.name for serializer in serializers() if not serializer.safe]
    ['pickle']
    """
    return tuple(_registered)


def _same_class(one: Serializer, other: Serializer) -> bool:
    first, second = type(one), type(other)
    return (first.__module__, first.__qualname__) == (second.__module__, second.__qualname__)
