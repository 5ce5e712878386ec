"""Finds metrics by name, stage or function, with every stage that they need."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from ..entities import Direction
from ..exceptions import MetricError, MissingExtraError, did_you_mean
from ..stages import Stage
from .builtin import ALIASES, DEFAULTS, KnownMetric, builtin, per_class, per_target
from .declaration import metric
from .results import PARTS, check_task
from .views import in_part, results_views

Asked: TypeAlias = "str | Stage | Callable[..., Any]"
"""A metric by name, as a stage, as a function, or as a scorer of scikit-learn."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """Metrics that were asked for, and what it takes to compute them.

    Attributes
    ----------
    metrics : tuple of str
        Names of the outputs that were asked for, in order.
    stages : tuple of Stage
        All stages that the metrics need beyond the pipeline's own, views among them, each
        after the ones that it needs.
    directions : mapping
        Name of an output that was asked for → which end is the good one.
    """

    metrics: tuple[str, ...]
    stages: tuple[Stage, ...]
    directions: Mapping[str, Direction]


def resolve(
    metrics: Asked | Iterable[Asked],
    task: str = "",
    *,
    parts: Sequence[str] = ("test",),
    labels: Sequence[object] = (),
    provided: Collection[str] = (),
    lacking: Collection[str] = (),
) -> Resolved:
    """Return the stages that compute the metrics asked for, and no others.

    Parameters
    ----------
    metrics : str, Stage, callable, or iterable of them
        Names may bear a part (``"train/accuracy"``), be one label's (``"f1[setosa]"``,
        ``"f1_per_class"``) or one target's (``"rmse[weight]"``, ``"rmse_per_target"``), a
        task's (``"classification"``: its default metrics), a scorer's
        (``"neg_mean_squared_error"``) or a function's of ``sklearn.metrics``.
    task : str
        One of the tasks, to tell metrics that do not fit; empty: not checked.
    parts : sequence of {"train", "validation", "test"}
        Of which parts of the fold the metrics are taken.
    labels : sequence
        Labels that the dataset declares, in order.
    provided : collection of str
        Outputs of the pipeline: they come before metrics of the same name, and may be
        asked for themselves.
    lacking : collection of str
        Values that the results will not have, e.g. ``"probabilities"``.

    Returns
    -------
    Resolved

    Raises
    ------
    MetricError
        A metric is unknown, does not fit the task, or needs what is lacking.

    Examples
    --------
    >>> found = resolve("accuracy", "classification")
    >>> [stage.name for stage in found.stages]
    ['truth', 'predicted', 'labels', 'confusion_matrix', 'accuracy']
    >>> resolve("train/r2").metrics
    ('train/r2',)
    """
    if task:
        check_task(task)
    given = [metrics] if isinstance(metrics, str) or callable(metrics) else metrics
    asked = [each if isinstance(each, str) else _declared(each) for each in given]
    own: dict[str, Stage] = {}
    for each in asked:
        if isinstance(each, Stage) and own.setdefault(each.name, each).function != each.function:
            raise MetricError(f"two metrics are named {each.name!r}", hint="give one another name")
    closure = _Closure(task, labels, frozenset(provided), own)
    outputs: dict[str, Direction] = {}
    for each in asked:
        part, name = _split_part(each) if isinstance(each, str) else ("", each.name)
        if isinstance(each, str) and name in provided:
            outputs[name] = Direction.NONE
            continue
        for known in _find(name, task, labels, own):
            _check_fits(known, task, lacking)
            for of_part in (part,) if part else parts:
                names = closure.add(known.stage, of_part)
                outputs |= dict.fromkeys(names, known.direction)
    return Resolved(tuple(outputs), tuple(closure.stages.values()), outputs)


def defaults(task: str) -> tuple[str, ...]:
    """Return the names of the metrics that are computed when none are named.

    Examples
    --------
    >>> defaults("classification")
    ('accuracy', 'precision', 'recall', 'f1')
    """
    return DEFAULTS[check_task(task)]


def available(task: str = "", *, scikit_learn: bool = True) -> list[KnownMetric]:
    """Return the metrics that can be asked for by name.

    Parameters
    ----------
    task : str
        Only those that fit; empty: all.
    scikit_learn : bool
        Also those of scikit-learn, where it is installed.

    Returns
    -------
    list of KnownMetric
        With ``name``, ``direction``, ``consumes`` and ``description``.

    Examples
    --------
    >>> [known.name for known in available("clustering", scikit_learn=False)][:2]
    ['silhouette', 'davies_bouldin']
    """
    found = builtin(check_task(task) if task else "")
    for name in _library_names() if scikit_learn else ():
        known = None if name in found else _from_library(name)
        if known is not None:
            found[name] = known
    return [known for known in found.values() if not task or task in known.tasks]


class _Closure:
    """Gathers stages with all that they need, for one part after the other."""

    def __init__(
        self,
        task: str,
        labels: Sequence[object],
        provided: frozenset[str],
        own: Mapping[str, Stage],
    ) -> None:
        self.stages: dict[str, Stage] = {}
        self.provided = provided
        self.sources = {name: known.stage for name, known in builtin(task).items()}
        self.sources |= {output: stage for stage in own.values() for output in stage.outputs}
        self.views = {
            part: {look.name: look for look in results_views(part, labels=labels)} for part in PARTS
        }

    def add(self, stage: Stage, part: str) -> tuple[str, ...]:
        """Add `stage` and its needs, and return the names of its outputs in `part`."""
        return self._add(stage, part, ())

    def _add(self, stage: Stage, part: str, above: tuple[str, ...]) -> tuple[str, ...]:
        if stage.name in above:
            raise MetricError(f"metrics need each other: {' → '.join([*above, stage.name])}")
        inputs: dict[str, str] = {}
        for argument, name in stage.inputs.items():
            inputs[argument] = self._source(name, part, (*above, stage.name))
        # What takes nothing from the rows of a part is one and the same for all parts.
        if inputs == stage.inputs:
            part = "test"
        name = in_part(stage.name, part)
        outputs = tuple(in_part(output, part) for output in stage.outputs)
        self.stages.setdefault(name, replace(stage, name=name, inputs=inputs, outputs=outputs))
        return outputs

    def _source(self, name: str, part: str, above: tuple[str, ...]) -> str:
        """Return the name under which `name` is had in `part`, adding what makes it."""
        if name in self.provided:
            return name
        in_this = in_part(name, part)
        if in_this in self.views[part]:
            self.stages.setdefault(in_this, self.views[part][in_this])
            return in_this
        if name in self.sources:
            stage = self.sources[name]
            outputs = self._add(stage, part, above)
            return outputs[stage.outputs.index(name)]
        return name


def _declared(asked: Stage | Callable[..., Any]) -> Stage:
    """Return the stage behind a metric that was not asked for by name."""
    if isinstance(asked, Stage):
        # A stage that was asked for as a metric is one, however it was declared.
        return asked if asked.metric else replace(asked, metric=True, light=True)
    if hasattr(asked, "_score_func"):
        from .scikit_learn import from_scorer

        return from_scorer(asked).stage
    if getattr(asked, "__module__", "").startswith("sklearn.metrics"):
        from .scikit_learn import from_function, is_function

        if is_function(asked):
            return from_function(asked, asked.__name__).stage
    if not callable(asked):
        raise MetricError(
            f"a metric is a name, a stage or a function, not {asked!r}",
            hint="gosset metrics list shows the names",
        )
    if getattr(asked, "__name__", "<lambda>") == "<lambda>":
        raise MetricError(
            "a metric without a name", hint="define it with def, or use @metric(name=…)"
        )
    return metric(asked)


def _split_part(asked: str) -> tuple[str, str]:
    part, slash, name = asked.partition("/")
    return (part, name) if slash and part in PARTS else ("", asked)


def _find(
    asked: str, task: str, labels: Sequence[object], own: Mapping[str, Stage]
) -> list[KnownMetric]:
    if asked in own:
        return [KnownMetric(own[asked], (), "")]
    table = builtin(task)
    if asked in table:
        return [table[asked]]
    if asked in DEFAULTS:
        return [table[name] for name in DEFAULTS[asked]]
    if asked in ALIASES:
        return [table[ALIASES[asked]].named(asked)]
    found = per_target(asked, labels) if task == "multioutput" else per_class(asked, labels)
    if found:
        return found
    known = _from_library(asked)
    if known is None:
        names = [*table, *ALIASES, *_library_names()]
        raise MetricError(f"no metric {asked!r}", hint=did_you_mean(asked, names))
    return [known]


def _check_fits(known: KnownMetric, task: str, lacking: Collection[str]) -> None:
    if task and known.tasks and task not in known.tasks:
        fitting = ", ".join(DEFAULTS[task]) or "a metric of your own"
        raise MetricError(
            f"{known.name} is a metric of {' and '.join(known.tasks)}, not of {task}",
            hint=f"for {task} use {fitting}",
        )
    if known.needs and set(known.needs) <= set(lacking):
        raise MetricError(
            f"{known.name} needs {' or '.join(known.needs)}, which the estimator does not give"
        )


@functools.cache
def _library_names() -> tuple[str, ...]:
    try:
        from . import scikit_learn
    except ImportError:
        return ()
    return tuple(scikit_learn.names())


def _from_library(name: str) -> KnownMetric | None:
    try:
        from . import scikit_learn
    except ImportError as error:
        raise MissingExtraError(
            f"no metric {name!r} is built in, and scikit-learn is not installed",
            hint="pip install 'gosset[sklearn]'",
        ) from error
    return scikit_learn.from_name(name)
