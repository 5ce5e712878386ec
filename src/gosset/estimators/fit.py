"""Fits an estimator on the training rows of a fold."""

from __future__ import annotations

from typing import Any

from ..provenance.seeds import seeded
from .configure import copied
from .rows import part_positions, take, target


def fit(X: Any, y: Any, fold: Any, seed: int, *, estimator: Any) -> Any:
    """Return a copy of `estimator`, fitted on the training rows alone.

    Parameters
    ----------
    X : DataFrame, ndarray, sparse array or list, of n_samples rows
        The features of the whole dataset.
    y : Series, DataFrame, ndarray, list or None
        The target(s); None for estimators that need none.
    fold : Fold or None
        Whose ``train`` rows are used; None: all rows.
    seed : int
        The shared random generators are seeded with it while the fit lasts, so that an
        estimator with ``random_state=None`` is reproducible.
    estimator : object
        With ``fit``. It is left as it is.

    Returns
    -------
    object
        The fitted copy.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyRegressor
    >>> X, y = np.zeros((3, 1)), np.array([1.0, 2.0, 6.0])
    >>> fit(X, y, None, 0, estimator=DummyRegressor()).predict(X[:1]).tolist()
    [3.0]
    """
    model = copied(estimator)
    train = part_positions(fold, X)["train"]
    features = take(X, train)
    with seeded(seed):
        fitted = model.fit(features) if y is None else model.fit(features, take(target(y), train))
    # Some libraries return nothing from fit, or an object of another kind.
    return model if fitted is None else fitted
