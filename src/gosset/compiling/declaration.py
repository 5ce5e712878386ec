"""What an experiment declares, checked as soon as it is declared. Nothing is done."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, Self

from ..datasets import DatasetSource, as_source
from ..displays import values
from ..exceptions import SplitError, UsageError
from ..identifiers import new_id, short_name
from ..settings import DEFAULT_PROJECT, load_settings
from ..stages import Stage
from ..types import UNSET
from ..usercode import called, declaring_file
from .checks import (
    check_dataset_names,
    check_function,
    check_without_estimator,
    config_of,
    declared_seeds,
    listed,
    name_of,
    stages_of,
    steps_of,
    told_apart,
)


class Owner(Protocol):
    """What an experiment asks of its project."""

    name: str
    store: str | None
    datasets: dict[str, DatasetSource]
    experiments: dict[str, Any]


class Declaration:
    """What an experiment says, before anything is loaded, compiled or carried out.

    Its parameters are those of :class:`gosset.Experiment`, which can also be executed.

    Attributes
    ----------
    id : str
        UUID.
    origin : Path or None
        The file in which it is declared; None in a console.
    """

    __slots__ = (
        "config",
        "dataset",
        "datasets",
        "declared_by",
        "description",
        "estimator",
        "evaluator",
        "id",
        "metrics",
        "name",
        "origin",
        "parameters",
        "preprocess",
        "project",
        "seeds",
        "splits",
        "stages",
        "steps",
        "store",
        "task",
    )

    @told_apart("an experiment")
    def __init__(
        self,
        name: str | None = None,
        *,
        project: Owner | str | None = None,
        dataset: Any = None,
        datasets: Iterable[Any] = (),
        splits: Any = UNSET,
        estimator: Any = None,
        evaluator: Callable[..., Any] | None = None,
        preprocess: Callable[..., Any] | Stage | None = None,
        stages: Iterable[Stage] | None = None,
        steps: Iterable[Callable[..., Any]] | None = None,
        parameters: Any = None,
        metrics: Iterable[Any] | None = None,
        seed: int | None = None,
        seeds: Iterable[int] | None = None,
        config: Mapping[str, Any] | None = None,
        task: str | None = None,
        description: str = "",
        store: str | None = None,
        declared_by: Callable[..., Any] | None = None,
    ) -> None:
        self.id = new_id()
        name = short_name(self.id) if name is None else name_of("an experiment", name)
        ways = [w for w in (estimator, stages, steps, declared_by) if w is not None]
        if len(ways) > 1:
            raise UsageError(
                f"experiment {name!r} says {len(ways)} ways what runs",
                hint="give one of estimator=, stages= or steps=",
            )
        if estimator is None and declared_by is None:
            check_without_estimator(name, evaluator=evaluator, preprocess=preprocess, task=task)
        if steps is not None and splits is not UNSET and splits is not None:
            raise UsageError(
                f"experiment {name!r}: steps are not carried out on folds, so splits= says nothing",
                hint="leave it out; splits= goes with estimator= or stages=",
            )
        self.name = name
        self.project = project
        self.dataset = None if dataset is None else as_source(dataset)
        self.datasets = tuple(as_source(each) for each in listed(name, "datasets", datasets))
        own = self.dataset.name if self.dataset else None
        check_dataset_names(name, [further.name for further in self.datasets], own)
        check_function(name, "evaluator", evaluator)
        check_function(name, "preprocess", preprocess)
        # A generator can be read once only, a plan and a launch both read it.
        with called(f"experiment {name!r}: splits=", SplitError):
            self.splits = list(splits) if isinstance(splits, Iterator) else splits
        self.estimator = estimator
        self.evaluator = evaluator
        self.preprocess = preprocess
        self.stages = None if stages is None else stages_of(name, stages)
        self.steps = None if steps is None else steps_of(name, steps)
        self.parameters = list(parameters) if isinstance(parameters, Iterator) else parameters
        self.metrics = None if metrics is None else listed(name, "metrics", metrics)
        self.seeds = declared_seeds(name, seed, seeds)
        self.config = config_of(name, config)
        self.task = task
        self.description = description
        self.store = store
        self.declared_by = declared_by
        self.origin: Path | None = declaring_file()
        if project is None or isinstance(project, str):
            name_of("a project", DEFAULT_PROJECT if project is None else project)
        elif not hasattr(project, "experiments"):
            raise UsageError(
                f"experiment {name!r}: project= is {project!r}",
                hint="give a gosset.Project, or the name of one",
            )
        else:
            project.experiments[name] = self
            self.store = store or project.store

    def with_steps(self, steps: object) -> Self:
        """Return the same experiment with other work: these steps."""
        other = copy.copy(self)
        other.steps = steps_of(self.name, [steps] if callable(steps) else steps)
        other.estimator = other.evaluator = other.preprocess = None
        other.stages = other.declared_by = other.metrics = other.task = None
        other.splits = UNSET
        return other

    def check_work(self) -> None:
        """Raise UsageError where the experiment does not say what is carried out."""
        if all(w is None for w in (self.estimator, self.stages, self.steps, self.declared_by)):
            raise UsageError(
                f"experiment {self.name!r} does not say what is carried out",
                hint="declare it with estimator=, stages= or steps=, or call execute(steps=[…])",
            )

    @property
    def project_name(self) -> str:
        """The project's name, also where it comes from the settings."""
        if self.project is None:
            return name_of("a project", load_settings().project or DEFAULT_PROJECT)
        return self.project if isinstance(self.project, str) else self.project.name

    def __repr__(self) -> str:
        return f"<experiment {self.project_name}/{self.name}>"

    def _repr_html_(self) -> str:
        declared = {
            "description": self.description or None,
            "dataset": self.dataset and self.dataset.name,
            "splits": self.splits,
            "parameters": self.parameters,
            "seeds": ", ".join(map(str, self.seeds)),
        }
        known = {name: value for name, value in declared.items() if value is not None}
        return values(f"experiment {self.project_name}/{self.name}", known)
