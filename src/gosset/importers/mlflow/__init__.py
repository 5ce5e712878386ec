"""Reads what MLflow wrote: a folder ``mlruns``, or a database such as ``mlflow.db``."""

from __future__ import annotations

from pathlib import Path

from ...exceptions import NotFoundError, StoreVersionError, UsageError
from ..base import Source
from . import database, files

_USUAL = ("mlruns", "mlflow.db")
"""What MLflow calls its stores unless told otherwise."""


def recognises(path: Path) -> bool:
    """Whether MLflow wrote what lies at the path."""
    return bool(_stores(path))


def read(path: Path) -> Source:
    """Return what lies at the path: a store, or a folder with one store under its usual name."""
    if not path.exists():
        raise NotFoundError(f"there is no {path}")
    stores = _stores(path)
    if len(stores) > 1:
        raise UsageError(
            f"{path} has several stores of MLflow",
            hint=f"take over one after the other, e.g. {stores[0]}",
        )
    if not stores:
        if path.is_file():
            database.check(path)
        raise StoreVersionError(
            f"{path} is no store of MLflow", hint="name its folder mlruns or its mlflow.db"
        )
    [store] = stores
    root = path if path.is_dir() else path.absolute().parent
    return files.read(store, root) if store.is_dir() else database.read(store, root)


def _stores(path: Path) -> list[Path]:
    within = [path / name for name in _USUAL]
    candidates = [path] if _is_store(path) else within
    return [candidate for candidate in candidates if _is_store(candidate)]


def _is_store(path: Path) -> bool:
    return files.recognises(path) if path.is_dir() else database.recognises(path)
