"""Classification: scores of probabilities and decision values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..exceptions import MetricError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[Any]


def roc_auc(
    truth: Array, probabilities: Array | None, decision: Array | None, labels: Sequence[object]
) -> float:
    """Area under the ROC curve; with more than two labels the mean of one against the rest.

    With two labels the second is the positive one. NaN where a label is true in no row or
    in all of them.

    Examples
    --------
    >>> import numpy as np
    >>> roc_auc(np.array([0, 1, 0, 1]), None, np.array([0.1, 0.2, 0.3, 0.4]), [0, 1])
    0.75
    """
    return _mean_over_labels(_area, "roc_auc", truth, probabilities, decision, labels)


def average_precision(
    truth: Array, probabilities: Array | None, decision: Array | None, labels: Sequence[object]
) -> float:
    """Average precision; with more than two labels the mean of one against the rest.

    With two labels the second is the positive one. A label that is true in no row
    counts as 0.
    """
    return _mean_over_labels(
        _precision_over_recall, "average_precision", truth, probabilities, decision, labels
    )


def log_loss(truth: Array, probabilities: Array | None, labels: Sequence[object]) -> float:
    """Mean of the negative logarithm of the probability given to the true label.

    Examples
    --------
    >>> import numpy as np
    >>> round(log_loss(np.array([0, 1]), np.array([[0.5, 0.5], [0.5, 0.5]]), [0, 1]), 6)
    0.693147
    """
    import numpy as np

    table = needed("log_loss", probabilities)
    true = indicators("log_loss", truth, table, labels)
    tiny = np.finfo(table.dtype).eps
    given = np.clip(table, tiny, 1 - tiny)[true.astype(bool)]
    return float(-np.log(given).mean())


def brier(truth: Array, probabilities: Array | None, labels: Sequence[object]) -> float:
    """Mean squared distance of the probabilities from the truth.

    With two labels of the second label's probability alone (between 0 and 1), with more
    summed over the labels (between 0 and 2), as scikit-learn scales it.

    Examples
    --------
    >>> import numpy as np
    >>> brier(np.array([0, 1]), np.array([[0.5, 0.5], [0.5, 0.5]]), [0, 1])
    0.25
    """
    table = needed("brier", probabilities)
    distance = (table - indicators("brier", truth, table, labels)) ** 2
    return float(distance.sum(axis=1).mean()) / (2 if len(labels) == 2 else 1)


def needed(metric: str, probabilities: Array | None) -> Array:
    """Return `probabilities`.

    Raises
    ------
    MetricError
        There are none; the message names the metric.
    """
    if probabilities is None:
        raise MetricError(
            f"{metric} needs probabilities, and the results have none",
            hint="use an estimator with predict_proba, or a metric of the predictions",
        )
    return probabilities


def either(metric: str, probabilities: Array | None, decision: Array | None) -> Array:
    """Return the probabilities, else the decision values.

    Raises
    ------
    MetricError
        There are neither.
    """
    scores = decision if probabilities is None else probabilities
    if scores is None:
        raise MetricError(
            f"{metric} needs probabilities or decision values, and the results have neither",
            hint="use an estimator with predict_proba or decision_function",
        )
    return scores


def positive(scores: Array) -> Array:
    """Return the scores of the second of two labels, of shape (n_rows,)."""
    return scores[:, 1] if scores.ndim == 2 else scores


def indicators(
    metric: str, truth: Array, scores: Array, labels: Sequence[object]
) -> npt.NDArray[np.int64]:
    """Return 1 where a row bears a label, else 0, in the columns of `scores`.

    Raises
    ------
    MetricError
        `scores` has not one column for each label.
    """
    import numpy as np

    if scores.shape != (len(truth), len(labels)):
        raise MetricError(
            f"{metric} needs one column of scores for each of {len(labels)} labels, "
            f"and the results have the shape {scores.shape}"
        )
    if truth.ndim == 2:
        return truth.astype(np.int64)
    return np.stack([truth == label for label in labels], axis=1).astype(np.int64)


def _mean_over_labels(
    score: Callable[[Array, Array], float],
    metric: str,
    truth: Array,
    probabilities: Array | None,
    decision: Array | None,
    labels: Sequence[object],
) -> float:
    """Return the mean of what each label's rows and scores give, or the positive label's."""
    scores = either(metric, probabilities, decision)
    if truth.ndim == 1 and len(labels) < 3:
        return score(truth == labels[-1], positive(scores))
    true = indicators(metric, truth, scores, labels).astype(bool)
    return sum(score(true[:, at], scores[:, at]) for at in range(len(labels))) / len(labels)


def _area(true: Array, scores: Array) -> float:
    """Return the share of pairs of a true and another row that the scores put in order."""
    import numpy as np

    positives = int(true.sum())
    pairs = positives * (len(true) - positives)
    if not pairs:
        return float("nan")
    _, place, tied = np.unique(scores, return_inverse=True, return_counts=True)
    # Rows of equal score share the mean of their ranks, so a tie counts as half a pair.
    ranks = np.cumsum(tied) - (tied - 1) / 2
    return float((ranks[place][true].sum() - positives * (positives + 1) / 2) / pairs)


def _precision_over_recall(true: Array, scores: Array) -> float:
    """Return the mean of the precision over the thresholds, by the recall each adds."""
    import numpy as np

    positives = int(true.sum())
    if not positives:
        return 0.0
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(true[order])
    # Rows of equal score pass a threshold together.
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    added = np.diff(hits[last], prepend=0) / positives
    return float((added * hits[last] / (last + 1)).sum())
