"""Fields of runs: plain JSON to be listed and searched, and beside it the exact value.

What JSON has words for is its own exact value. For any other there is an artifact called
``fields['NAME']``: tagged JSON, or where the value is an array or a frame, that itself.
Arrays and frames inside tagged JSON are artifacts of their own, to which it refers.
"""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from ..entities import ArtifactRef
from ..exceptions import SerializationError, UsageError
from ..serializers import serializers
from ..serializers.json import Place, decode, encode
from ..serializers.pickles import unkeepable
from ..serializers.plain import BytesSerializer, TextSerializer
from ..serializers.views import view
from ..types import JSONValue
from .base import ArtifactStore
from .values import load, read

LARGE: Final = 1 << 16
"""Characters of JSON from which a value lies in an artifact, so that lists stay quick."""

_DRAWN: Final = frozenset({"figure", "vega-lite", "plotly"})
"""Formats that give back a picture of what they took."""

Keep = Callable[[Any, str, str], ArtifactRef]
"""Keeps a value under a name in a format."""


def take_apart(value: Any, place: str, keep: Keep) -> tuple[JSONValue, list[ArtifactRef]]:
    """Return the plain form of a field's value, and the artifacts that its exact value needs.

    Parameters
    ----------
    value : object
    place : str
        Name of the artifact for the whole: ``fields['NAME']``.
    keep : callable

    Raises
    ------
    UsageError
        A part cannot be kept; the message says where it stands.
    """
    kept: list[ArtifactRef] = []
    names: set[str] = set()

    def apart(part: Any, where: Place) -> JSONValue:
        name = place + "".join(where)
        while name in names:  # two keys that are not equal may look alike, as NaNs do
            name += "'"
        names.add(name)
        kept.append(keep(part, name, _format(part, name)))
        return {"$artifact": _reference(kept[-1])}

    if isinstance(value, str | bytes) and len(value) > LARGE:
        for serializer in (TextSerializer(), BytesSerializer()):
            if serializer.takes(value):
                kept.append(keep(value, place, serializer.name))
                return _reference(kept[-1]), kept
    try:
        encoded = encode(value, apart)
    except SerializationError as error:
        raise UsageError(f"{place}: {error.message}", hint=error.hint) from error
    if not (kept and kept[-1].name == place):
        text = json.dumps(encoded, separators=(",", ":"))
        written = keep(text.encode(), place, "bytes")
        kept.append(dataclasses.replace(written, format="json"))
        if len(text) <= LARGE:
            return view(encoded), kept
    return _reference(kept[-1]), kept


def put_together(
    ref: ArtifactRef, others: Iterable[ArtifactRef], artifacts: ArtifactStore
) -> object:
    """Return the exact value of a field.

    Parameters
    ----------
    ref : ArtifactRef
        Of the whole.
    others : iterable of ArtifactRef
        All of the run.
    artifacts : ArtifactStore

    Raises
    ------
    ArtifactMissingError, ArtifactDamagedError, SerializationError
    """
    if ref.format != "json":
        return load(ref, artifacts)
    parts = {other.digest: other for other in others}

    def part(reference: Mapping[str, Any]) -> object:
        found = parts.get(reference["digest"]) or ArtifactRef(name=ref.name, **reference)
        return load(found, artifacts)

    return decode(json.loads(read(ref, artifacts)), {"$artifact": part})


def _format(part: Any, name: str) -> str:
    for serializer in serializers():
        if serializer.safe and serializer.name not in _DRAWN and serializer.takes(part):
            return serializer.name
    kind = type(part).__name__
    article = "an" if kind[:1].lower() in "aeiou" else "a"
    raise UsageError(f"{name}: {article} {kind} cannot be kept", hint=_mend(part))


def _mend(part: Any) -> str:
    if isinstance(part, enum.Enum):
        return "its name or its value can"
    if isinstance(part, tuple) and hasattr(part, "_asdict"):
        return "what its _asdict() gives can"
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        return "what dataclasses.asdict() gives can"
    if hasattr(part, "detach") and hasattr(part, "numpy"):
        return "what its detach().cpu().numpy() gives can"
    if getattr(getattr(part, "dtype", None), "hasobject", False):
        return "an array of Python objects would need code to be read; use a list"
    hint = unkeepable(part).replace("returned", "kept").replace("return", "keep")
    return hint or "log_artifact() pickles it"


def _reference(ref: ArtifactRef) -> dict[str, JSONValue]:
    return {"format": ref.format, "digest": ref.digest, "size": ref.size}
