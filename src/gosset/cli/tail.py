"""``gosset tail``: follows a run at work."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .call import call_of
from .options import Json
from .output import emit, say
from .showing import Reference

if TYPE_CHECKING:
    from ..entities import Run
    from ..storage.base import Printed
    from ..store import Store

_LEASE = 5.0
"""Seconds between looks at whether the process of the run is still there."""

Interval = Annotated[
    float, typer.Option(min=0.05, metavar="S", help="Seconds between looks at the store.")
]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("tail")(tail)


def tail(
    context: typer.Context,
    reference: Reference = "latest",
    interval: Interval = 0.5,
    as_json: Json = False,
) -> None:
    """Follow a run: what it prints, and the last values of its metrics, until it ends."""
    from ..queries.lookup import find

    call = call_of(context)
    with call.reading() as store:
        _, run = find(store, reference, ["runs"], settings=call.settings())
        ended = _follow(store, run.id, interval, _Lines() if as_json else _Text())  # type: ignore[union-attr]
    if not as_json:
        say(f"run {ended.name}: {ended.status.label}")
    if ended.status.value not in ("complete", "pruned"):
        raise typer.Exit(1)


def _follow(store: Store, id: str, interval: float, told: _Text) -> Run:
    """Tell what is new until the run has ended, and return it as it is then."""
    from ..exceptions import NotFoundError

    seen: dict[str, tuple[int | None, float]] = {}
    printed, looked = 0, time.monotonic()
    while True:
        # The run is read first: what comes after its end is not missed.
        try:
            run: Any = store.catalog.find("runs", id)
        except NotFoundError as error:
            raise NotFoundError(f"run {id} was deleted") from error
        for piece in store.catalog.console(id, after=printed):
            told.printed(piece)
            printed = piece.number
        new = _changed(run, seen)
        if new:
            told.metrics(new)
        sys.stdout.flush()
        if run.status.ended:
            told.ended(run)
            found: Run = run
            return found
        time.sleep(interval)
        if time.monotonic() - looked > _LEASE:
            store.catalog.reap()
            looked = time.monotonic()


def _changed(
    run: Run, seen: dict[str, tuple[int | None, float]]
) -> dict[str, tuple[int | None, float]]:
    """Return the step and the last value of the metrics that have new ones."""
    now = {
        name: (None if metric.series is None else metric.series.step, metric.value)
        for name, metric in run.metrics.items()
    }
    # By their text, in which NaN is the same as before.
    new = {name: last for name, last in now.items() if repr(seen.get(name)) != repr(last)}
    seen.update(new)
    return new


class _Text:
    """Lines for people."""

    def printed(self, piece: Printed) -> None:
        from ..compare.tables import printable

        stream = sys.stderr if piece.stream == "stderr" else sys.stdout
        lines = piece.text.splitlines(keepends=True)
        stream.write("".join(f"{printable(line.rstrip())}{_end(line)}" for line in lines))
        stream.flush()

    def metrics(self, new: dict[str, tuple[int | None, float]]) -> None:
        from ..compare.tables import printable, rounded

        # Nobody follows a run for how busy its machine is; programs are told.
        new = {name: last for name, last in new.items() if not name.startswith("system/")}
        for step in dict.fromkeys(step for step, _ in new.values()):
            values = (f"{n}={rounded(value)}" for n, (at, value) in new.items() if at == step)
            emit(printable(" ".join(["" if step is None else f"[{step}]", *values]).strip()))

    def ended(self, run: Run) -> None:
        """Say nothing: the last word is a message, not a result."""


class _Lines(_Text):
    """One JSON object a line: ``metrics`` with ``steps``, ``text`` with ``stream``, ``status``."""

    def printed(self, piece: Printed) -> None:
        self._emit({"stream": piece.stream, "time": piece.time, "text": piece.text})

    def metrics(self, new: dict[str, tuple[int | None, float]]) -> None:
        from ..compare.tables import finite

        values = {n: finite(v) if isinstance(v, float) else v for n, (_, v) in new.items()}
        self._emit({"metrics": values, "steps": {n: step for n, (step, _) in new.items()}})

    def ended(self, run: Run) -> None:
        self._emit({"status": run.status.value})

    def _emit(self, document: dict[str, Any]) -> None:
        emit(json.dumps(document, allow_nan=False))


def _end(line: str) -> str:
    return "\n" if line.endswith(("\n", "\r")) else ""
