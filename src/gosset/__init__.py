"""Gosset: define an experiment in plain Python, run it anywhere, trust the comparison.

The names below are the library's face. Each is loaded when it is first used, so that
``import gosset`` costs next to nothing.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from . import datasets as datasets
    from . import fingerprint as fingerprint
    from . import metrics as metrics
    from . import splits as splits
    from .entities import ComputationStatus as ComputationStatus
    from .entities import Direction as Direction
    from .entities import Status as Status
    from .exceptions import GossetError as GossetError
    from .exceptions import NotFoundError as NotFoundError
    from .exceptions import UsageError as UsageError
    from .experiment import Experiment as Experiment
    from .fingerprint import File as File
    from .metrics import metric as metric
    from .parameters import fixed as fixed
    from .project import Project as Project
    from .results.outcome import LaunchResult as LaunchResult
    from .serializers import register as register_serializer  # noqa: F401 - the face renames it
    from .stages import Stage as Stage
    from .stages import stage as stage
    from .store import Store as Store
    from .store import open_store as open_store
    from .tracking import current_run as current_run
    from .tracking import log as log

_HOMES = {
    "ComputationStatus": "entities",
    "Direction": "entities",
    "Experiment": "experiment",
    "File": "fingerprint",
    "GossetError": "exceptions",
    "LaunchResult": "results.outcome",
    "NotFoundError": "exceptions",
    "Project": "project",
    "Stage": "stages",
    "Status": "entities",
    "Store": "store",
    "UsageError": "exceptions",
    "current_run": "tracking",
    "fixed": "parameters",
    "log": "tracking",
    "metric": "metrics",
    "open_store": "store",
    "stage": "stages",
}
_RENAMED = {"register_serializer": ("serializers", "register")}
_ROOMS = ("datasets", "fingerprint", "metrics", "splits")

__all__ = sorted([*_HOMES, *_RENAMED, *_ROOMS, "__version__"])

logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f".{name}", __name__)
    if name in _HOMES:
        value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    elif name in _RENAMED:
        room, attribute = _RENAMED[name]
        value = getattr(importlib.import_module(f".{room}", __name__), attribute)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
