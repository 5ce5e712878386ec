"""Pages of runs, each from where the last one ended, however the store changes meanwhile."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ..entities import Run
from ..exceptions import UsageError
from ..filters import Expression
from .base import Order, Page
from .compile import Place, Query
from .read import load


def runs_page(
    connection: sa.Connection,
    *,
    where: Expression | None,
    order: Sequence[Order],
    limit: int,
    after: str | None,
) -> Page:
    """Return the next runs behind a place."""
    if limit < 1:
        raise UsageError(f"a page of {limit} runs has no end", hint="ask for 1 at least")
    place = None if after is None else _place(after)
    pks, last = Query(connection, "runs", where).page(order, limit, place)
    runs: list[Run] = load(connection, "runs", pks)
    return Page(runs, None if last is None else _token(last))


def _token(place: Place) -> str:
    part, values = place
    document = [part, [_plain(value) for value in values]]
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode()


def _plain(value: Any) -> Any:
    return {"time": value.isoformat()} if isinstance(value, datetime) else value


def _place(token: str) -> Place:
    try:
        part, values = json.loads(base64.urlsafe_b64decode(token))
        return int(part), [
            datetime.fromisoformat(value["time"]) if isinstance(value, dict) else value
            for value in values
        ]
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{token!r} is no place where a page ended") from error
