"""The verbs of a run as functions, for code that was not handed the run.

Each does what the method of the same name does of the run that the calling code works for.
Scripts written for other trackers find their verbs here, where they mean the same; where one
would mean something else, Gosset has none of its name.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from ..exceptions import UsageError
from ..naming import checked_name
from . import context

if TYPE_CHECKING:
    from .run import TrackedRun

_STATUSES: Final = {"FINISHED": "complete", "FAILED": "failed", "KILLED": "stopped"}


def init(
    project: str | None = None,
    *,
    name: str | None = None,
    config: Any = None,
    tags: Iterable[str] = (),
    notes: str = "",
    id: str | None = None,
    resume: str | bool | None = None,
) -> TrackedRun:
    """Start a run: ``start_run(project=…, name=…, config=…, tags=…, notes=…)``.

    Parameters
    ----------
    config : mapping or object with attributes
        What is fixed; also what an ``argparse`` parser gave.
    id, resume : str, bool
        ``resume="must"`` goes on with the run `id`: ``start_run(resume=id)``. Without `id`,
        `resume` is that of :func:`start_run`.

    Raises
    ------
    UsageError
        An `id` for a new run: these are made by Gosset.
    """
    from .starting import start_run

    if id is not None:
        if resume not in ("must", True):
            raise UsageError(
                "the id of a new run cannot be chosen",
                hint="give it a name=, or resume='must' to go on with a run that is there",
            )
        resume = id
    elif resume in ("never", "allow"):
        resume = None
    values = config if isinstance(config, Mapping) or config is None else vars(config)
    return start_run(
        project=project, name=name, config=values, tags=tags, notes=notes, resume=resume
    )


def active_run() -> Any:
    """Return ``current_run()``, or None where no run is active."""
    try:
        return context.current_run()
    except UsageError:
        return None


def end_run(status: str = "FINISHED") -> None:
    """End the active run, if there is one: ``finish("complete")``.

    Parameters
    ----------
    status : str
        ``FINISHED``, ``FAILED``, ``KILLED``, or a word that ``finish`` takes.
    """
    run = active_run()
    if run is not None:
        _do(run, "finish")(_STATUSES.get(status, status))


def set_experiment(name: str) -> None:
    """Make an experiment the active one of this process and of those that it starts.

    Runs that are started from now on without an experiment belong to it:
    ``start_run(experiment=name)``.
    """
    os.environ["GOSSET_EXPERIMENT"] = checked_name("an experiment", name)


def log_metric(key: str, value: Any, step: int | None = None) -> None:
    """Log one number: ``run.log({key: value}, step=step)``."""
    context.current_run().log({key: value}, step=step)


def log_metrics(metrics: Mapping[str, Any], step: int | None = None) -> None:
    """Log numbers by name: ``run.log(metrics, step=step)``."""
    context.current_run().log(metrics, step=step)


def log_param(key: str, value: Any) -> None:
    """Add a parameter: ``run.log_params({key: value})``."""
    _verb("log_params")({key: value})


def log_params(params: Mapping[str, Any]) -> None:
    """Add parameters: ``run.log_params(params)``."""
    _verb("log_params")(params)


def set_tag(key: str, value: Any = None) -> None:
    """Add the tag ``key``, or ``key=value`` in the place of another value: ``run.set_tag(…)``."""
    _verb("set_tag")(key, value)


def set_tags(*tags: Any) -> None:
    """Add tags; those of a mapping as ``key=value``: ``run.set_tags(*tags)``."""
    context.current_run().set_tags(*tags)


def log_artifact(value: Any, name: str | None = None, **options: Any) -> None:
    """Keep a value, a file or a folder: ``run.log_artifact(value, name)``.

    The second argument is the artifact's name, not a folder that it goes to.
    """
    _verb("log_artifact")(value, name, **options)


def log_artifacts(folder: str | os.PathLike[str], prefix: str = "") -> None:
    """Keep each file of a folder by itself: ``run.log_artifacts(folder, prefix)``."""
    _verb("log_artifacts")(folder, prefix)


def log_text(text: str, name: str) -> None:
    """Keep a text: ``run.log_text(text, name)``."""
    _verb("log_text")(text, name)


def log_dict(dictionary: Any, name: str) -> None:
    """Keep a dict or a list as JSON: ``run.log_dict(dictionary, name)``."""
    _verb("log_dict")(dictionary, name)


def log_table(name: Any, table: Any) -> None:
    """Keep a table: ``run.log_table(name, table)``, in either order."""
    _verb("log_table")(name, table)


def log_figure(name: Any, figure: Any) -> None:
    """Keep a figure: ``run.log_figure(name, figure)``, in either order."""
    _verb("log_figure")(name, figure)


def alert(title: str, text: str = "", level: str = "warning") -> None:
    """Tell something that wants to be seen: ``run.alert(title, text, level)``."""
    _verb("alert")(title, text, level)


def _verb(name: str) -> Any:
    return _do(context.current_run(), name)


def _do(run: Any, name: str) -> Any:
    found = getattr(type(run), name, None)
    if found is None:
        raise UsageError(
            f"{name}() is not for code inside a stage",
            hint="log numbers with log(), set run.fields, or return the value as an output",
        )
    return getattr(run, name)
