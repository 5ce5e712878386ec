"""Looks into code version and environment of a launch, and has them written with it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ...provenance.capture import capture
from ...provenance.glance import glance
from ...settings import sqlite_path
from ...storage.news import Captured, Kept, News
from ...types import JSONValue
from .secrets import holds_secret

if TYPE_CHECKING:
    from ..artifacts import Keeper
    from ..writer import Writer


def look_into(path: str, launch: str, run: str, writer: Writer) -> None:
    """Capture provenance and environment of a launch, one of whose runs is given.

    Trouble becomes a note: the work that is tracked is worth more than what is known of it.
    """
    if _is_gone(writer.store):
        return
    keeper = _Keeping(writer)
    try:
        provenance, environment = capture(Path(path), keeper, secret=holds_secret)
        keeper.settle()
        captured = Captured(
            launch, provenance, _kept(provenance), environment.digest, environment.content
        )
    except Exception as error:  # noqa: BLE001 - told with the launch
        notes: list[JSONValue] = [f"could not be looked into: {type(error).__name__}: {error}"]
        captured = Captured(launch, {**(glance(path) or {}), "notes": notes})
    if _is_gone(writer.store):
        return
    number = int.from_bytes(os.urandom(8), "big") >> 1
    writer.say(News(run=run, writer=number, number=1, captured=captured))


def _is_gone(store: str) -> bool:
    """Whether a store was taken away: nobody will ask where its runs came from."""
    file = sqlite_path(store)
    return file is not None and not file.exists()


class _Keeping:
    """Keeps bytes where the artifacts of the runs are kept; loaded where there are any."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._keeper: Keeper | None = None

    def put(self, data: bytes, /) -> str:
        if self._keeper is None:
            from ..artifacts import keeper_of

            self._keeper = keeper_of(self._writer.store, strict=self._writer.strict)
        return self._keeper.put(data)

    def settle(self) -> None:
        if self._keeper is not None:
            self._keeper.settle()


def _kept(provenance: Mapping[str, JSONValue]) -> list[Kept]:
    """Return the artifacts that are named there."""
    untracked = provenance.get("untracked")
    named = [provenance.get("diff"), *(untracked if isinstance(untracked, list) else ())]
    return [
        Kept(str(each["name"]), str(each["format"]), str(each["digest"]), int(str(each["size"])))
        for each in named
        if isinstance(each, Mapping) and "digest" in each
    ]
