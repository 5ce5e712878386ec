"""Sources: declared datasets, loaded when asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from ..exceptions import DatasetError
from ..types import PathLike
from ..usercode import declaring_file
from .building import Names, Schema, data_from_arrays, data_from_frame
from .data import Data
from .files import read_csv, read_parquet
from .values import is_frame


@dataclass(frozen=True, slots=True, eq=False)
class DatasetSource:
    """A declared dataset: a name, and how to come by the data.

    Attributes
    ----------
    name : str
        Under which the store keeps its versions.
    read : callable
        Gives the data; called by :meth:`load`, each time anew.
    description : str
    source : str
        Where the data come from, for people: a path, a function, a library.
    named : bool
        False: nobody gave a name, and the store keeps it under the experiment's.
    """

    name: str
    read: Callable[[], Data]
    description: str = ""
    source: str = ""
    named: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise DatasetError(f"{self.name!r} is no name for a dataset", hint="use name='…'")

    def load(self) -> Data:
        """Return the data.

        Raises
        ------
        DatasetError
            They cannot be used as declared; the message names dataset and source.
        """
        try:
            return self.read()
        except DatasetError as error:
            of = f" ({self.source})" if self.source and self.source not in error.message else ""
            message = f"dataset {self.name!r}{of}: {error.message}"
            raise DatasetError(message, hint=error.hint) from error

    def __repr__(self) -> str:
        return f"<dataset {self.name!r}{f' of {self.source}' if self.source else ''}>"


def from_frame(
    frame: Any,
    *,
    name: str,
    target: Names = None,
    groups: str | int | None = None,
    units: Mapping[str, str] | None = None,
    labels: Iterable[str] | None = None,
    description: str = "",
) -> DatasetSource:
    """Declare a DataFrame (of pandas, or anything with ``to_pandas``) as a dataset.

    Parameters
    ----------
    frame : DataFrame
        Targets and groups are columns of it, anywhere.
    name : str
        Of the dataset.
    target : str or iterable of str, optional
        Names of the target columns; a column that is numbered goes by its number, too.
    groups : str, optional
        Name of the column that says which rows belong together.
    units : mapping, optional
        Column → unit.
    labels : iterable of str, optional
        Class names of a target that is coded from 0.
    description : str

    Returns
    -------
    DatasetSource
        Whether the columns are as declared is found when it is loaded.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"species": ["a", "b"], "length": [1.5, 2.0]})
    >>> flowers = from_frame(frame, name="flowers", target="species", units={"length": "cm"})
    >>> flowers.load()
    <data: 2 rows, 1 feature, target 'species'>
    """
    schema = Schema.declared(target=target, groups=groups, units=units, labels=labels)
    kept = frame if is_frame(frame) else frame.to_pandas()
    return DatasetSource(name, lambda: data_from_frame(kept, schema), description, "a DataFrame")


def from_csv(
    path: PathLike,
    *,
    name: str | None = None,
    target: Names = None,
    groups: str | int | None = None,
    units: Mapping[str, str] | None = None,
    labels: Iterable[str] | None = None,
    description: str = "",
    **options: Any,
) -> DatasetSource:
    """Declare a CSV file as a dataset; text targets keep their labels.

    Parameters
    ----------
    path : path-like
        The dataset is called like the file unless `name` is given. A relative path starts
        from the current folder.
    target, groups, units, labels, description
        As for :func:`from_frame`.
    **options
        As for :func:`pandas.read_csv`, e.g. ``sep=";"``.
    """
    schema = Schema.declared(target=target, groups=groups, units=units, labels=labels)
    origin = declaring_file()
    return DatasetSource(
        name or stem(path),
        lambda: data_from_frame(read_csv(path, options, origin), schema),
        description,
        os.fspath(path),
    )


def from_parquet(
    path: PathLike,
    *,
    name: str | None = None,
    target: Names = None,
    groups: str | int | None = None,
    units: Mapping[str, str] | None = None,
    labels: Iterable[str] | None = None,
    description: str = "",
    **options: Any,
) -> DatasetSource:
    """Declare a Parquet file as a dataset.

    Parameters
    ----------
    path : path-like
        The dataset is called like the file unless `name` is given. A relative path starts
        from the current folder.
    target, groups, units, labels, description
        As for :func:`from_frame`.
    **options
        As for :func:`pandas.read_parquet`, e.g. ``columns=[…]``.
    """
    schema = Schema.declared(target=target, groups=groups, units=units, labels=labels)
    origin = declaring_file()
    return DatasetSource(
        name or stem(path),
        lambda: data_from_frame(read_parquet(path, options, origin), schema),
        description,
        os.fspath(path),
    )


def from_arrays(
    X: Any,
    y: Any = None,
    *,
    name: str,
    columns: Iterable[str] | None = None,
    target: Names = None,
    groups: Any = None,
    units: Mapping[str, str] | None = None,
    labels: Iterable[str] | None = None,
    description: str = "",
) -> DatasetSource:
    """Declare arrays as a dataset.

    Parameters
    ----------
    X : array-like, sparse matrix or DataFrame, shape (rows, …)
        Features, of any number of dimensions. They come out as the type they went in.
    y : array-like, shape (rows,) or (rows, targets), optional
    name : str
        Of the dataset.
    columns : iterable of str, optional
        Names of the columns of `X`; by default ``x0``, ``x1``, …
    target : str or iterable of str, optional
        Names of the targets in `y`; without `y`, columns of `X` that are taken out of it.
    groups : array-like, shape (rows,), optional
        Which rows belong together.
    units, labels, description
        As for :func:`from_frame`.

    Examples
    --------
    >>> table = [[5.1, 0.2, 0], [7.0, 1.4, 1]]
    >>> source = from_arrays(
    ...     table, name="two", columns=["sepal", "petal", "kind"], target="kind", labels="ab"
    ... )
    >>> source.load().X.tolist(), source.load().labels
    ([[5.1, 0.2], [7.0, 1.4]], ('a', 'b'))
    """
    schema = Schema.declared(target=target, columns=columns, units=units, labels=labels)
    return DatasetSource(
        name, lambda: data_from_arrays(X, y, groups, schema), description, "arrays"
    )


def from_xy(
    parts: tuple[Any, ...],
    *,
    name: str,
    target: Names = None,
    units: Mapping[str, str] | None = None,
    labels: Iterable[str] | None = None,
    description: str = "",
) -> DatasetSource:
    """Declare a tuple ``(X, y)`` or ``(X, y, groups)`` as a dataset; see :func:`from_arrays`."""
    X, y, groups = parts_of(parts)
    return from_arrays(
        X, y, groups=groups, name=name, target=target, units=units, labels=labels,
        description=description,
    )  # fmt: skip


def parts_of(parts: tuple[Any, ...]) -> tuple[Any, Any, Any]:
    """Return X, y and groups of a tuple of two or three."""
    if len(parts) not in (2, 3):
        raise DatasetError(
            f"a tuple of {len(parts)} is no dataset", hint="give (X, y) or (X, y, groups)"
        )
    return parts[0], parts[1], parts[2] if len(parts) == 3 else None


def stem(path: PathLike) -> str:
    """Return the name of a file without folders and endings."""
    return PurePath(path).name.partition(".")[0]
