"""JSON columns: exact both ways, also for infinities, NaN, big integers and odd text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..entities import Column, Direction, ExceptionInfo, Hyperparameter, Metric
from ..series import Summary
from .values import decode, encode, encode_summary


def encode_metrics(metrics: Mapping[str, Metric]) -> str:
    """Return the metrics of a run as JSON text."""
    document = {
        name: [
            exact(m.value),
            _float(m.std),
            [float(fold) for fold in m.folds],
            m.direction,
            *([] if m.series is None else [encode_summary(m.series)]),
        ]
        for name, m in metrics.items()
    }
    return encode(document, "metrics")


def exact(value: float) -> float:
    """Return a number of any library as one of Python's; integers and bools stay what they are."""
    return value if type(value) in (int, bool) else float(value)


def decode_metrics(text: str) -> dict[str, Metric]:
    """Return what :func:`encode_metrics` was given."""
    return {
        name: Metric(
            name=name,
            value=value,
            std=std,
            folds=tuple(folds),
            direction=Direction(direction),
            series=decode_summary(value, *series) if series else None,
        )
        for name, (value, std, folds, direction, *series) in decode(text).items()
    }


def decode_summary(value: float, document: Sequence[Any]) -> Summary:
    """Return what :func:`~gosset.storage.values.encode_summary` was given."""
    count, step, time, minimum, maximum, total, numbers = document
    return Summary(
        count=count,
        step=step,
        time=time,
        last=value,
        minimum=minimum,
        maximum=maximum,
        total=math.nan if total is None else total,  # which is what SQLite has of NaN
        numbers=numbers,
    )


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)


def encode_exception(exception: ExceptionInfo | None) -> str | None:
    """Return an exception as JSON text."""
    if exception is None:
        return None
    return encode([exception.type, exception.message, exception.traceback], "an exception")


def decode_exception(text: str | None) -> ExceptionInfo | None:
    """Return what :func:`encode_exception` was given."""
    if text is None:
        return None
    kind, message, traceback = decode(text)
    return ExceptionInfo(type=kind, message=message, traceback=traceback)


def encode_hyperparameters(hyperparameters: Iterable[Hyperparameter]) -> str:
    """Return hyperparameters as JSON text."""
    return encode([[h.name, h.value, h.kind] for h in hyperparameters], "hyperparameters")


def decode_hyperparameters(text: str) -> tuple[Hyperparameter, ...]:
    """Return what :func:`encode_hyperparameters` was given."""
    return tuple(Hyperparameter(name=n, value=v, kind=k) for n, v, k in decode(text))


def encode_columns(columns: Iterable[Column]) -> str:
    """Return the columns of a dataset as JSON text."""
    rows = [[c.name, c.dtype, c.role, c.unit, c.description, list(c.labels)] for c in columns]
    return encode(rows, "columns")


def decode_columns(text: str) -> tuple[Column, ...]:
    """Return what :func:`encode_columns` was given."""
    return tuple(
        Column(name=n, dtype=d, role=r, unit=u, description=t, labels=tuple(labels))
        for n, d, r, u, t, labels in decode(text)
    )
