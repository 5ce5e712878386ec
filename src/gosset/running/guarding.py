"""Values that several stages share, safe from being changed in place by one of them.

A cache key says what a stage was given. It would lie if an earlier stage had changed that in
the memory of the worker.
"""

from __future__ import annotations

import copy
import sys
from typing import Any

_PACKAGE = __name__.partition(".")[0]


def guarded(value: Any) -> Any:
    """Return `value` such that changing it in place cannot change it for others.

    Parameters
    ----------
    value : object
        An array comes back as a view that cannot be written. Whatever could be changed
        comes back as a copy, where it is a frame, a sparse matrix or a container of Python.
        All else is returned as it is.

    Examples
    --------
    >>> layers = [64, 32]
    >>> guarded(layers).append(16)
    >>> layers
    [64, 32]
    """
    # What is not loaded cannot be the type of anything.
    numpy, pandas, sparse, data = map(
        sys.modules.get, ("numpy", "pandas", "scipy.sparse", f"{_PACKAGE}.datasets.data")
    )
    if numpy is not None and isinstance(value, numpy.ndarray):
        value = value.view()
        value.flags.writeable = False
        return value
    if pandas is not None and isinstance(value, pandas.DataFrame | pandas.Series):
        # Copy-on-write isolates a shallow copy; before pandas 3 it takes a deep one.
        return value.copy(deep=int(pandas.__version__.split(".")[0]) < 3)
    if sparse is not None and sparse.issparse(value):
        # Not a view that cannot be written: SciPy itself sorts indices in place.
        return value.copy()
    if data is not None and isinstance(value, data.Data):
        return data.Data({k: guarded(part) for k, part in value.content.items()}, value.columns)
    return copy.deepcopy(value) if isinstance(value, list | dict | set) else value
