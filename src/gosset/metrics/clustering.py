"""Clustering: how well apart the clusters lie, and how well they match a truth."""

from __future__ import annotations

from typing import Any

from ..exceptions import MetricError


def by_distance(function: str, X: Any, rows: Any, predicted: Any) -> float:
    """Score clusters by the distances between their rows.

    Parameters
    ----------
    function : str
        Name in ``sklearn.metrics``, e.g. ``"silhouette_score"``.
    X : DataFrame, ndarray or sparse array of shape (n_samples, n_features)
        The whole data.
    rows : ndarray of shape (n_rows,)
        Positions of the clustered rows in `X`.
    predicted : ndarray of shape (n_rows,)
        Their clusters.

    Returns
    -------
    float
        NaN where there are not at least two clusters and fewer clusters than rows.
    """
    import numpy as np
    from sklearn import metrics

    if not 2 <= len(np.unique(predicted)) < len(predicted):
        return float("nan")
    chosen = X.iloc[rows] if hasattr(X, "iloc") else X[rows]
    return float(getattr(metrics, function)(chosen, predicted))


def by_truth(function: str, truth: Any, predicted: Any) -> float:
    """Score clusters by how they agree with known classes.

    Raises
    ------
    MetricError
        The data has no target.
    """
    from sklearn import metrics

    if truth is None:
        raise MetricError(
            f"{function} compares clusters with known classes, and the dataset has no target"
        )
    return float(getattr(metrics, function)(truth, predicted))
