"""Classification: scores of probabilities and decision values."""

from __future__ import annotations

from collections.abc import Sequence
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

    With two labels the second is the positive one.
    """
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(*_ranked("roc_auc", truth, probabilities, decision, labels)))


def average_precision(
    truth: Array, probabilities: Array | None, decision: Array | None, labels: Sequence[object]
) -> float:
    """Average precision; with more than two labels the mean of one against the rest.

    With two labels the second is the positive one.
    """
    from sklearn.metrics import average_precision_score

    ranked = _ranked("average_precision", truth, probabilities, decision, labels)
    return float(average_precision_score(*ranked))


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


def _ranked(
    metric: str,
    truth: Array,
    probabilities: Array | None,
    decision: Array | None,
    labels: Sequence[object],
) -> tuple[Array, Array]:
    """Return what is true and by what the rows are ranked, both as scikit-learn takes them."""
    scores = either(metric, probabilities, decision)
    if truth.ndim == 1 and len(labels) < 3:
        return truth == labels[-1], positive(scores)
    return indicators(metric, truth, scores, labels), scores
