"""Regression: the errors of the rows and the scores that follow from them.

The error of a row is ``truth - predicted``. With several targets a score is computed for
each and the unweighted mean over the targets is taken, as scikit-learn does; the total,
the largest and the smallest error are over all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


def errors(truth: npt.NDArray[Any], predicted: npt.NDArray[Any]) -> Floats:
    """Return ``truth - predicted``, in the unit of the target.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n_rows,) or (n_rows, n_targets)

    Returns
    -------
    ndarray of float64, of the same shape

    Examples
    --------
    >>> import numpy as np
    >>> errors(np.array([1, 2]), np.array([0.5, 4])).tolist()
    [0.5, -2.0]
    """
    import numpy as np

    return np.subtract(truth, predicted, dtype=np.float64)  # type: ignore[no-any-return]


def of_target(score: Callable[..., float], position: int, /, **values: npt.NDArray[Any]) -> float:
    """Return a score of one of several targets.

    Examples
    --------
    >>> import numpy as np
    >>> of_target(mean_error, 1, errors=np.array([[1.0, 2.0], [3.0, 6.0]]))
    4.0
    """
    return score(**{name: value[:, position] for name, value in values.items()})


def total_error(errors: Floats) -> float:
    """Sum of the errors."""
    return float(errors.sum())


def mean_error(errors: Floats) -> float:
    """Mean of the errors: the bias of the predictions, positive where they are too low."""
    return float(errors.mean())


def mean_absolute_error(errors: Floats) -> float:
    """Mean of the absolute errors."""
    return float(abs(errors).mean())


def standard_deviation(errors: Floats) -> float:
    """Standard deviation of the errors (``ddof=0``)."""
    return float(errors.std(axis=0).mean())


def max_absolute_error(errors: Floats) -> float:
    """Largest absolute error."""
    return float(abs(errors).max())


def min_absolute_error(errors: Floats) -> float:
    """Smallest absolute error."""
    return float(abs(errors).min())


def mean_squared_error(errors: Floats) -> float:
    """Mean of the squared errors."""
    return float((errors * errors).mean())


def root_mean_squared_error(errors: Floats) -> float:
    """Square root of the mean squared error, in the unit of the target.

    With several targets it is the mean of their own, not the root of the mean over all.

    Examples
    --------
    >>> import numpy as np
    >>> root_mean_squared_error(np.array([[3.0, 1.0], [-3.0, 1.0]]))
    2.0
    """
    return float(((errors * errors).mean(axis=0) ** 0.5).mean())


def r2(truth: npt.NDArray[Any], errors: Floats) -> float:
    """Share of the variance of the truth that is explained, 1 at best.

    A target that does not vary gives 1 where every prediction is exact, else 0; fewer
    than two rows give NaN.

    Examples
    --------
    >>> import numpy as np
    >>> r2(np.array([1.0, 2.0, 3.0]), np.array([0.0, 0.0, 1.0]))
    0.5
    """
    import numpy as np

    if len(truth) < 2:
        return float("nan")
    left = np.atleast_1d((errors * errors).sum(axis=0))
    spread = np.atleast_1d(((truth - truth.mean(axis=0)) ** 2).sum(axis=0))
    varies = spread > 0
    explained = np.where(varies, 1 - left / np.where(varies, spread, 1), left == 0)
    return float(explained.mean())
