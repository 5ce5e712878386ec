"""The metrics that Gosset brings: one table of stages, tasks and needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..entities import Direction
from ..exceptions import MetricError, did_you_mean
from ..stages import Stage, declare
from . import classification, clustering, probability, regression


@dataclass(frozen=True, slots=True)
class KnownMetric:
    """A metric that can be asked for by name.

    Attributes
    ----------
    stage : Stage
        What computes it.
    tasks : tuple of str
        Tasks that it fits; empty where that cannot be told.
    description : str
        One line.
    needs : tuple of str
        Values of which the results must have at least one.
    """

    stage: Stage
    tasks: tuple[str, ...]
    description: str
    needs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name to ask for."""
        return self.stage.name

    @property
    def direction(self) -> Direction:
        """Which end is the good one."""
        return self.stage.direction

    @property
    def consumes(self) -> tuple[str, ...]:
        """Names of the values that it takes."""
        return tuple(self.stage.inputs.values())

    def named(self, name: str) -> KnownMetric:
        """Return the same metric under another name."""
        return replace(self, stage=self.stage.renamed(name, outputs=(name,)))


ALIASES = {
    "rmse": "root_mean_squared_error",
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "nmi": "normalized_mutual_info",
}

DEFAULTS: dict[str, tuple[str, ...]] = {
    "classification": ("accuracy", "precision", "recall", "f1"),
    "multilabel": ("accuracy", "precision", "recall", "f1"),
    "regression": (
        "total_error",
        "mean_error",
        "mean_absolute_error",
        "standard_deviation",
        "max_absolute_error",
        "min_absolute_error",
        "root_mean_squared_error",
        "r2",
    ),
    "clustering": ("silhouette", "davies_bouldin", "calinski_harabasz"),
    "transform": (),
    "outlier": (),
}
DEFAULTS["multioutput"] = DEFAULTS["regression"]

_LABELS = ("classification", "outlier")
_CLASSES = (*_LABELS, "multilabel")
_NUMBERS = ("regression", "multioutput")
_RANKED = ("probabilities", "decision")
_PER_CLASS = ("precision", "recall", "f1")


def builtin(task: str = "") -> dict[str, KnownMetric]:
    """Return the metrics that Gosset brings, by name.

    Parameters
    ----------
    task : str
        The accuracy of several labels per row is another one than that of one label.

    Returns
    -------
    dict
        Name → :class:`KnownMetric`, in the order in which they are listed.
    """
    return dict(_MULTILABEL if task == "multilabel" else _ONE_LABEL)


def per_class(name: str, labels: Sequence[object]) -> list[KnownMetric]:
    """Return the metrics of single labels that `name` asks for.

    Parameters
    ----------
    name : str
        ``"f1[setosa]"`` for one label, ``"f1_per_class"`` for all of them.
    labels : sequence
        The dataset's labels (names of the targets, where there are several).

    Returns
    -------
    list of KnownMetric
        Named ``f1[LABEL]``; empty where `name` has another form.

    Raises
    ------
    MetricError
        No label has that name, or the labels are not known.
    """
    score, bracket, rest = name.removesuffix("]").partition("[")
    everyone = name.removesuffix("_per_class")
    if name.endswith("]") and bracket and score in _PER_CLASS:
        by_text = {str(label): label for label in labels}
        if rest not in by_text:
            raise MetricError(f"{name}: no label {rest!r}", hint=did_you_mean(rest, by_text))
        return [_of_class(score, by_text[rest])]
    if name.endswith("_per_class") and everyone in _PER_CLASS:
        if not labels:
            raise MetricError(
                f"{name} needs to know the labels", hint="declare the labels of the dataset"
            )
        return [_of_class(everyone, label) for label in labels]
    return []


def per_target(name: str, targets: Sequence[object]) -> list[KnownMetric]:
    """Return the metrics of single targets, of several, that `name` asks for.

    Parameters
    ----------
    name : str
        ``"rmse[weight]"`` for one target, ``"rmse_per_target"`` for all of them.
    targets : sequence
        Names of the dataset's targets, in order.

    Returns
    -------
    list of KnownMetric
        Named ``rmse[TARGET]``; empty where `name` has another form.

    Raises
    ------
    MetricError
        No target has that name.

    Examples
    --------
    >>> [known.name for known in per_target("r2_per_target", ["width", "height"])]
    ['r2[width]', 'r2[height]']
    """
    score, bracket, rest = name.removesuffix("]").partition("[")
    one = bool(bracket) and name.endswith("]")
    score = score if one else name.removesuffix("_per_target")
    known = _ONE_LABEL.get(ALIASES.get(score, score))
    if known is None or known.tasks != _NUMBERS or not known.stage.metric or score == name:
        return []
    texts = [str(target) for target in targets]
    if one and rest not in texts:
        raise MetricError(f"{name}: no target {rest!r}", hint=did_you_mean(rest, texts))
    return [
        _of_target(known, score, position, target)
        for position, target in enumerate(texts)
        if not one or target == rest
    ]


def _of_target(known: KnownMetric, score: str, position: int, target: str) -> KnownMetric:
    function = partial(regression.of_target, known.stage.function, position)
    stage = replace(known.named(f"{score}[{target}]").stage, function=function)
    return replace(known, stage=stage, description=f"{known.description}, of the target {target}")


def _of_class(score: str, label: object) -> KnownMetric:
    function = partial(classification.of_class, score, label)
    return _known(
        function, _CLASSES, f"{score}[{label}]", "maximize", f"{score.title()} of the label {label}"
    )


def _known(
    function: Callable[..., Any],
    tasks: tuple[str, ...],
    name: str | None = None,
    direction: str = "none",
    description: str = "",
    needs: tuple[str, ...] = (),
    metric: bool = True,
) -> KnownMetric:
    stage = declare(function, name=name, metric=metric, light=True, direction=direction)
    line = description or (function.__doc__ or "").strip().splitlines()[0].rstrip(".")
    return KnownMetric(stage, tasks, line, needs)


def _averages() -> Iterable[KnownMetric]:
    for score in _PER_CLASS:
        for name, average in [
            (score, "macro"),
            *((f"{score}_{average}", average) for average in classification.AVERAGES),
        ]:
            function = partial(classification.averaged, score, average)
            line = f"{score.title()}, {average} average over the labels"
            yield _known(function, _CLASSES, name, "maximize", line)


def _clusterings() -> Iterable[KnownMetric]:
    tasks = ("clustering",)
    for name, function, direction, line in [
        ("silhouette", "silhouette_score", "maximize", "Mean silhouette of the rows"),
        ("davies_bouldin", "davies_bouldin_score", "minimize", "Mean likeness of near clusters"),
        (
            "calinski_harabasz",
            "calinski_harabasz_score",
            "maximize",
            "Ratio of the spread between clusters to that within",
        ),
    ]:
        body = partial(clustering.by_distance, function)
        yield _known(body, tasks, name, direction, line)
    for name, function, line in [
        ("adjusted_rand", "adjusted_rand_score", "Pairs on which clusters and truth agree"),
        (
            "normalized_mutual_info",
            "normalized_mutual_info_score",
            "Information that clusters and truth share",
        ),
    ]:
        yield _known(partial(clustering.by_truth, function), tasks, name, "maximize", line)


def _regressions() -> Iterable[KnownMetric]:
    yield _known(regression.errors, _NUMBERS, metric=False)
    scores: list[tuple[Callable[..., float], str]] = [
        (regression.total_error, "none"),
        (regression.mean_error, "none"),
        (regression.mean_absolute_error, "minimize"),
        (regression.standard_deviation, "minimize"),
        (regression.max_absolute_error, "minimize"),
        (regression.min_absolute_error, "minimize"),
        (regression.mean_squared_error, "minimize"),
        (regression.root_mean_squared_error, "minimize"),
        (regression.r2, "maximize"),
    ]
    for function, direction in scores:
        yield _known(function, _NUMBERS, direction=direction)


def _rankings() -> Iterable[KnownMetric]:
    yield _known(probability.roc_auc, _CLASSES, direction="maximize", needs=_RANKED)
    yield _known(probability.average_precision, _CLASSES, direction="maximize", needs=_RANKED)
    given = ("probabilities",)
    one_label = ("classification",)
    yield _known(probability.log_loss, one_label, direction="minimize", needs=given)
    yield _known(probability.brier, one_label, direction="minimize", needs=given)


def _table(*metrics: KnownMetric) -> dict[str, KnownMetric]:
    everyone = [*metrics, *_averages(), *_rankings(), *_regressions(), *_clusterings()]
    return {known.name: known for known in everyone}


_MATRIX = _known(classification.confusion_matrix, _CLASSES, metric=False)
_ONE_LABEL = _table(
    _MATRIX,
    _known(classification.accuracy, _LABELS, direction="maximize"),
    _known(classification.balanced_accuracy, _LABELS, direction="maximize"),
)
_MULTILABEL = _table(
    _MATRIX,
    _known(classification.subset_accuracy, ("multilabel",), "accuracy", "maximize"),
)
