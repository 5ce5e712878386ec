"""Moments whose time zone has rules or a name, and those that a change of clocks repeats."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo


def moment_parts(value: datetime | time) -> list[object] | None:
    """Return what :func:`moment` makes `value` of; None where its zone cannot be named."""
    zone = None if value.tzinfo is None else zone_parts(value.tzinfo)
    if value.tzinfo is not None and zone is None:
        return None
    plain = value.replace(tzinfo=None, fold=0)
    return [type(value).__name__, plain.isoformat(), value.fold, zone]


def moment(parts: list[Any]) -> datetime | time:
    """Return the moment of parts.

    Examples
    --------
    >>> moment(["datetime", "2026-10-25T02:30:00", 1, "Europe/Berlin"]).isoformat()
    '2026-10-25T02:30:00+01:00'
    """
    kind, text, fold, zone = parts
    made = time.fromisoformat(text) if kind == "time" else datetime.fromisoformat(text)
    return made.replace(tzinfo=None if zone is None else zone_of(zone), fold=fold)


def zone_parts(zone: tzinfo) -> object:
    """Return a zone's key, or its offset and its name; None where it has neither."""
    if type(zone) is ZoneInfo:
        return zone.key
    if type(zone) is timezone:
        offset = zone.utcoffset(None)
        named = repr(zone) not in (repr(UTC), repr(timezone(offset)))
        return [offset // timedelta(microseconds=1), zone.tzname(None) if named else None]
    return None


def zone_of(parts: Any) -> tzinfo:
    """Return the zone of parts."""
    if isinstance(parts, str):
        return ZoneInfo(parts)
    microseconds, name = parts
    offset = timedelta(microseconds=microseconds)
    if name is not None:
        return timezone(offset, name)
    return timezone(offset) if offset else UTC
