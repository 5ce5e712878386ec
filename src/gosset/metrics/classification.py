"""Classification: the confusion matrix and the scores that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ..exceptions import MetricError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

ConfusionMatrix: TypeAlias = dict[str, list[Any]]
"""``labels``: the labels in order. ``counts``: row per true, column per predicted label;
with several targets one ``[[tn, fp], [fn, tp]]`` for each."""

AVERAGES = ("macro", "micro", "weighted")


def confusion_matrix(
    truth: npt.NDArray[Any], predicted: npt.NDArray[Any], labels: Sequence[object]
) -> ConfusionMatrix:
    """Count how often each label was predicted for each true label.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n_rows,) or (n_rows, n_targets)
        Labels, or indicators (0 or 1) of several targets.
    labels : sequence
        All labels in order, also such as occur nowhere; names of the targets.

    Returns
    -------
    dict
        ``labels`` and ``counts``, as nested lists: the labels travel with the counts.

    Raises
    ------
    MetricError
        A row bears a label that `labels` lacks.

    Examples
    --------
    >>> import numpy as np
    >>> confusion_matrix(np.array(["a", "b", "b"]), np.array(["a", "b", "a"]), ["a", "b", "c"])
    {'labels': ['a', 'b', 'c'], 'counts': [[1, 0, 0], [1, 1, 0], [0, 0, 0]]}
    """
    import numpy as np

    if truth.ndim == 2:
        return {"labels": list(labels), "counts": _by_target(truth, predicted)}
    position = {label: index for index, label in enumerate(labels)}
    size = len(position)
    try:
        cells = [
            position[t] * size + position[p]
            for t, p in zip(truth.tolist(), predicted.tolist(), strict=True)
        ]
    except KeyError as error:
        raise MetricError(
            f"confusion_matrix: label {error.args[0]!r} is not among the labels",
            hint=f"labels are {', '.join(map(repr, labels))}",
        ) from None
    counts = np.bincount(np.asarray(cells, np.int64), minlength=size * size)
    return {"labels": list(labels), "counts": counts.reshape(size, size).tolist()}


def _by_target(truth: npt.NDArray[Any], predicted: npt.NDArray[Any]) -> list[Any]:
    import numpy as np

    true, guessed = truth.astype(bool), predicted.astype(bool)
    hits, alarms, missed = (
        (true & guessed).sum(0),
        (~true & guessed).sum(0),
        (true & ~guessed).sum(0),
    )
    rest = len(true) - hits - alarms - missed
    return np.stack([rest, alarms, missed, hits], axis=-1).reshape(-1, 2, 2).tolist()


def accuracy(confusion_matrix: ConfusionMatrix) -> float:
    """Share of rows whose label was predicted.

    Examples
    --------
    >>> accuracy({"labels": ["a", "b"], "counts": [[3, 1], [0, 4]]})
    0.875
    """
    import numpy as np

    counts = np.asarray(confusion_matrix["counts"])
    return _share(counts.trace(), counts.sum())


def subset_accuracy(truth: npt.NDArray[Any], predicted: npt.NDArray[Any]) -> float:
    """Share of rows in which every target was predicted.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n_rows, n_targets)
    """
    return _share((truth == predicted).all(axis=1).sum(), len(truth))


def balanced_accuracy(confusion_matrix: ConfusionMatrix) -> float:
    """Mean of the recall over the labels that are true in some row.

    Examples
    --------
    >>> balanced_accuracy({"labels": ["a", "b"], "counts": [[3, 1], [0, 4]]})
    0.875
    """
    hits, _, true = _tallies(confusion_matrix)
    occurs = true > 0
    return _share((hits[occurs] / true[occurs]).sum(), occurs.sum())


def averaged(score: str, average: str, confusion_matrix: ConfusionMatrix) -> float:
    """Average precision, recall or F1 over the labels, as scikit-learn does.

    Parameters
    ----------
    score : {"precision", "recall", "f1"}
    average : {"macro", "micro", "weighted"}
        ``macro``: unweighted mean over the labels that are true or predicted in some row
        (over all targets, where there are several). ``weighted``: mean over labels by
        their number of rows. ``micro``: from the counts summed over labels.
    confusion_matrix : dict
        As of :func:`confusion_matrix`.

    Returns
    -------
    float
        A ratio without denominator counts as 0.

    Examples
    --------
    >>> averaged("recall", "macro", {"labels": ["a", "b"], "counts": [[3, 1], [0, 4]]})
    0.875
    """
    hits, guessed, true = _tallies(confusion_matrix)
    if average == "micro":
        return float(_ratio(score, hits.sum(), guessed.sum(), true.sum()))
    each = _ratio(score, hits, guessed, true)
    if average == "weighted":
        return _share((each * true).sum(), true.sum())
    several_targets = _is_by_target(confusion_matrix)
    occurs = (guessed + true > 0) | several_targets
    return _share(each[occurs].sum(), occurs.sum())


def of_class(score: str, label: object, confusion_matrix: ConfusionMatrix) -> float:
    """Return precision, recall or F1 of one label (or target).

    Examples
    --------
    >>> of_class("precision", "b", {"labels": ["a", "b"], "counts": [[3, 1], [0, 4]]})
    0.8
    """
    labels = confusion_matrix["labels"]
    if label not in labels:
        raise MetricError(
            f"{score}[{label}]: no such label", hint=f"labels are {', '.join(map(repr, labels))}"
        )
    position = labels.index(label)
    tallies = (tally[position] for tally in _tallies(confusion_matrix))
    return float(_ratio(score, *tallies))


def _is_by_target(matrix: ConfusionMatrix) -> bool:
    counts = matrix["counts"]
    return bool(counts) and isinstance(counts[0][0], list)


def _tallies(matrix: ConfusionMatrix) -> tuple[npt.NDArray[np.int64], ...]:
    """Return, per label, how often it was predicted rightly, predicted, and true."""
    import numpy as np

    counts = np.asarray(matrix["counts"], np.int64)
    if counts.ndim == 3:
        return counts[:, 1, 1], counts[:, :, 1].sum(1), counts[:, 1, :].sum(1)
    return counts.diagonal(), counts.sum(0), counts.sum(1)


def _ratio(score: str, hits: Any, guessed: Any, true: Any) -> Any:
    """Divide, with 0 where the denominator is 0."""
    import numpy as np

    above, below = {
        "precision": (hits, guessed),
        "recall": (hits, true),
        "f1": (2 * hits, guessed + true),
    }[score]
    # Nothing above without something below: a denominator of 1 makes the ratio 0.
    return above / np.maximum(below, 1)


def _share(part: Any, whole: Any) -> float:
    return float(part / whole) if whole else 0.0
