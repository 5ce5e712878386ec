"""JSON columns: exact both ways, also for infinities, NaN, big integers and odd text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from ..entities import Column, Direction, ExceptionInfo, Hyperparameter, Metric
from ..exceptions import UsageError

# Only ASCII is written, so that zero characters and lone surrogates pass any database.
_encode = json.JSONEncoder(separators=(",", ":")).encode
decode = json.JSONDecoder().decode


def encode(value: object, what: str) -> str:
    """Return `value` as JSON text.

    Raises
    ------
    UsageError
        It is not JSON; `what` names it in the message.
    """
    try:
        return _encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"{what} cannot be kept as JSON: {error}") from error


def encode_metrics(metrics: Mapping[str, Metric]) -> str:
    """Return the metrics of a run as JSON text."""
    document = {
        name: [float(m.value), _float(m.std), [float(fold) for fold in m.folds], m.direction]
        for name, m in metrics.items()
    }
    return encode(document, "metrics")


def decode_metrics(text: str) -> dict[str, Metric]:
    """Return what :func:`encode_metrics` was given."""
    return {
        name: Metric(
            name=name, value=value, std=std, folds=tuple(folds), direction=Direction(direction)
        )
        for name, (value, std, folds, direction) in decode(text).items()
    }


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)


def encode_exception(exception: ExceptionInfo | None) -> str | None:
    """Return an exception as JSON text."""
    if exception is None:
        return None
    return _encode([exception.type, exception.message, exception.traceback])


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
