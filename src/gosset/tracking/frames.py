"""News as bytes: framed, so that a piece that was cut off is known, and read back as they were."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Iterator
from typing import IO, Any, Final

from ..series import Chunk, Summary
from ..storage.news import Alert, Beginning, Captured, Ending, Gap, Kept, News, Opening

_HEAD: Final = struct.Struct("<II")
"""Length and CRC-32 of what follows."""


def frame(news: News) -> bytes:
    """Return news as one frame."""
    body = json.dumps(_document(news), default=_packed).encode()
    return _HEAD.pack(len(body), zlib.crc32(body)) + body


def frames(file: IO[bytes]) -> Iterator[tuple[News, int]]:
    """Iterate over the frames of a file from where it stands, up to one that was not finished.

    Each comes with the position of its end.
    """
    position = file.tell()
    while len(head := file.read(_HEAD.size)) == _HEAD.size:
        length, check = _HEAD.unpack(head)
        body = file.read(length)
        if len(body) < length or zlib.crc32(body) != check:
            return
        position += _HEAD.size + length
        yield _news(json.loads(body, object_hook=_unpacked)), position


def _document(value: Any) -> Any:
    """Return named tuples as mappings, all the way down."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        if _is_tag(value):  # somebody's own: told from ours by one more sign
            [(key, item)] = value.items()
            return {f"${key}": _document(item)}
        return {key: _document(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_document(item) for item in value]
    return value


def _packed(value: object) -> object:
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    raise TypeError(f"{type(value).__name__} is no part of news")


def _unpacked(document: dict[str, Any]) -> Any:
    if not _is_tag(document):
        return document
    [(key, item)] = document.items()
    return base64.b64decode(item) if key == "$bytes" else {key[1:]: item}


def _is_tag(document: dict[str, Any]) -> bool:
    """Whether a mapping could be taken for bytes: ``{"$bytes": …}``, with any number of signs."""
    if len(document) != 1:
        return False
    key = next(iter(document))
    return key.startswith("$") and key.lstrip("$") == "bytes"


def _news(document: dict[str, Any]) -> News:
    begins, ends = document["begins"], document["ends"]
    # What was put aside by an earlier version knows no gaps.
    gap, captured = document.get("gap"), document.get("captured")
    return News(
        **document
        | {
            "begins": begins and Beginning(**begins | {"launch": Opening(**begins["launch"])}),
            "points": [
                (name, number, Chunk(**chunk)) for name, number, chunk in document["points"]
            ],
            "summaries": {name: Summary(**s) for name, s in document["summaries"].items()},
            "artifacts": [Kept(**kept) for kept in document["artifacts"]],
            "console": [tuple(piece) for piece in document["console"]],
            "alerts": [Alert(**alert) for alert in document["alerts"]],
            "gap": gap and Gap(**gap),
            "captured": captured
            and Captured(
                **captured | {"artifacts": [Kept(**kept) for kept in captured["artifacts"]]}
            ),
            "ends": ends
            and Ending(**ends | {"exception": ends["exception"] and tuple(ends["exception"])}),
        }
    )
