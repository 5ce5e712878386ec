"""Gosset: define an experiment in plain Python, run it anywhere, trust the comparison.

The names below are the library's face. Each is loaded when it is first used, so that
``import gosset`` costs next to nothing.
"""

from __future__ import annotations

import importlib
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
    from .tracking import finish as finish
    from .tracking import log as log
    from .tracking import start_run as start_run
    from .tracking.verbs import active_run as active_run
    from .tracking.verbs import alert as alert
    from .tracking.verbs import end_run as end_run
    from .tracking.verbs import init as init
    from .tracking.verbs import log_artifact as log_artifact
    from .tracking.verbs import log_artifacts as log_artifacts
    from .tracking.verbs import log_dict as log_dict
    from .tracking.verbs import log_figure as log_figure
    from .tracking.verbs import log_metric as log_metric
    from .tracking.verbs import log_metrics as log_metrics
    from .tracking.verbs import log_param as log_param
    from .tracking.verbs import log_params as log_params
    from .tracking.verbs import log_table as log_table
    from .tracking.verbs import log_text as log_text
    from .tracking.verbs import set_experiment as set_experiment
    from .tracking.verbs import set_tag as set_tag
    from .tracking.verbs import set_tags as set_tags

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
    "finish": "tracking",
    "stage": "stages",
    "start_run": "tracking",
}
_VERBS = (
    "active_run",
    "alert",
    "end_run",
    "init",
    "log_artifact",
    "log_artifacts",
    "log_dict",
    "log_figure",
    "log_metric",
    "log_metrics",
    "log_param",
    "log_params",
    "log_table",
    "log_text",
    "set_experiment",
    "set_tag",
    "set_tags",
)
_HOMES |= dict.fromkeys(_VERBS, "tracking.verbs")
_RENAMED = {"register_serializer": ("serializers", "register")}
_ROOMS = ("datasets", "fingerprint", "metrics", "splits")

__all__ = sorted([*_HOMES, *_RENAMED, *_ROOMS, "__version__"])


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
