"""Takes rows of data by position, whatever holds the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Positions = npt.NDArray[np.int64]


def take(values: Any, positions: Positions) -> Any:
    """Return the rows at `positions`, in their order.

    Parameters
    ----------
    values : DataFrame, Series, ndarray, sparse matrix or array, list
    positions : ndarray of int64

    Examples
    --------
    >>> import numpy as np
    >>> take(["a", "b", "c"], np.array([2, 0]))
    ['c', 'a']
    """
    if hasattr(values, "iloc"):
        return values.iloc[positions]
    if isinstance(values, list | tuple):
        return [values[position] for position in positions]
    if hasattr(values, "tocsr"):
        # Only the row-wise sparse formats can be indexed by rows.
        return values.tocsr()[positions]
    return values[positions]


def count(values: Any) -> int:
    """Return the number of rows."""
    return values.shape[0] if hasattr(values, "shape") else len(values)


def target(y: Any) -> Any:
    """Return `y` without its second dimension where that holds one column alone."""
    if getattr(y, "ndim", 1) == 2 and y.shape[1] == 1:
        return y.iloc[:, 0] if hasattr(y, "iloc") else y[:, 0]
    return y


def part_positions(fold: Any, X: Any) -> dict[str, Positions]:
    """Return the part's name → positions of its rows; without a fold all rows train."""
    import numpy as np

    if fold is None:
        return {"train": np.arange(count(X))}
    parts = {"train": fold.train, "validation": fold.validation, "test": fold.test}
    return {name: np.asarray(rows, np.int64) for name, rows in parts.items() if len(rows)}
