"""Sources: declared datasets, loaded when asked for."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, TypeAlias

from ..exceptions import DatasetError
from ..types import PathLike
from .building import Schema, data_from_arrays, data_from_frame
from .bundled import data_from_bunch, is_bunch, loader
from .data import Data
from .files import is_table, read_csv, read_parquet, read_table
from .graphs import data_from_graph
from .values import is_a, is_frame, is_sparse

Names: TypeAlias = "str | Iterable[str] | None"


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
    """

    name: str
    read: Callable[[], Data]
    description: str = ""
    source: str = ""

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
    groups: str | None = None,
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
        Names of the target columns.
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
    groups: str | None = None,
    units: Mapping[str, str] | None = None,
    labels: Iterable[str] | None = None,
    description: str = "",
    **options: Any,
) -> DatasetSource:
    """Declare a CSV file as a dataset; text targets keep their labels.

    Parameters
    ----------
    path : path-like
        The dataset is called like the file unless `name` is given.
    target, groups, units, labels, description
        As for :func:`from_frame`.
    **options
        As for :func:`pandas.read_csv`, e.g. ``sep=";"``.
    """
    schema = Schema.declared(target=target, groups=groups, units=units, labels=labels)
    return DatasetSource(
        name or _stem(path),
        lambda: data_from_frame(read_csv(path, options), schema),
        description,
        os.fspath(path),
    )


def from_parquet(
    path: PathLike,
    *,
    name: str | None = None,
    target: Names = None,
    groups: str | None = None,
    units: Mapping[str, str] | None = None,
    labels: Iterable[str] | None = None,
    description: str = "",
    **options: Any,
) -> DatasetSource:
    """Declare a Parquet file as a dataset.

    Parameters
    ----------
    path : path-like
        The dataset is called like the file unless `name` is given.
    target, groups, units, labels, description
        As for :func:`from_frame`.
    **options
        As for :func:`pandas.read_parquet`, e.g. ``columns=[…]``.
    """
    schema = Schema.declared(target=target, groups=groups, units=units, labels=labels)
    return DatasetSource(
        name or _stem(path),
        lambda: data_from_frame(read_parquet(path, options), schema),
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
    X, y, groups = _xy(parts)
    return from_arrays(
        X, y, groups=groups, name=name, target=target, units=units, labels=labels,
        description=description,
    )  # fmt: skip


def from_sklearn(
    dataset: str | Callable[..., Any], *, name: str | None = None, **options: Any
) -> DatasetSource:
    """Declare one of scikit-learn's data sets.

    Parameters
    ----------
    dataset : str or callable
        ``"iris"``, ``"load_iris"`` or ``sklearn.datasets.load_iris``.
    name : str, optional
        By default the loader's without ``load_``.
    **options
        For the loader, e.g. ``n_class=5``.

    Raises
    ------
    DatasetError
        scikit-learn has none of that name.

    Examples
    --------
    >>> from_sklearn("iris").load().labels
    ('setosa', 'versicolor', 'virginica')
    """
    function = loader(dataset) if isinstance(dataset, str) else dataset
    called = getattr(function, "__name__", type(function).__name__)

    def read() -> Data:
        found = function(**options)
        if not is_bunch(found):
            return interpreted(found, Schema())
        return data_from_bunch(found, Schema(), loaded_by=called)

    short = called.removeprefix("load_").removeprefix("fetch_")
    title = _TITLES.get(short, "")
    return DatasetSource(name or short, read, title, f"sklearn.datasets.{called}")


def from_function(
    function: Callable[[], Any],
    *,
    name: str | None = None,
    target: Names = None,
    groups: str | None = None,
    units: Mapping[str, str] | None = None,
    labels: Iterable[str] | None = None,
    description: str = "",
) -> DatasetSource:
    """Declare what a function returns as a dataset.

    Parameters
    ----------
    function : callable
        Without arguments. It may return whatever :func:`as_source` takes.
    name : str, optional
        By default the function's.
    target, groups, units, labels
        As for :func:`from_frame`; of arrays the names of targets and groups.
    description : str
        By default the first line of the function's docstring.

    Raises
    ------
    DatasetError
        The function takes arguments.
    """
    called = getattr(function, "__name__", type(function).__name__)
    for argument in inspect.signature(function).parameters.values():
        if argument.default is argument.empty and argument.kind not in (
            argument.VAR_POSITIONAL,
            argument.VAR_KEYWORD,
        ):
            raise DatasetError(
                f"dataset function {called!r} has the argument {argument.name!r}",
                hint="give it a default: a dataset is loaded without arguments",
            )
    schema = Schema.declared(target=target, groups=groups, units=units, labels=labels)
    documented = (inspect.getdoc(function) or "").partition("\n")[0]
    return DatasetSource(
        name or called,
        lambda: interpreted(function(), schema),
        description or documented,
        f"function {getattr(function, '__module__', '')}.{called}",
    )


def as_source(value: object, name: str | None = None) -> DatasetSource:
    """Return `value` as a declared dataset, whatever it is.

    Parameters
    ----------
    value : object
        A source or loaded :class:`Data`; a DataFrame; an array; ``(X, y)`` or
        ``(X, y, groups)``; what scikit-learn's loaders return, or the name of one; the path
        of a CSV or Parquet file; a networkx graph; or a function that returns any of these.
    name : str, optional
        By default that of the file or function, else ``"data"``.

    Raises
    ------
    DatasetError
        It is none of these.

    Examples
    --------
    >>> as_source("iris")
    <dataset 'iris' of sklearn.datasets.load_iris>
    >>> as_source(([[1], [2]], [0, 1]), name="tiny").load()
    <data: 2 rows, 1 feature, target 'target'>
    """
    if isinstance(value, DatasetSource):
        return value if name is None else replace(value, name=name)
    if is_table(value):
        path = os.fspath(value)  # type: ignore[call-overload]
        return DatasetSource(
            name or _stem(path), lambda: interpreted(path, Schema()), "", str(path)
        )
    if isinstance(value, str):
        return from_sklearn(value, name=name)
    if not _is_data(value) and callable(value):
        return from_function(value, name=name)
    _refuse_unknown(value)
    return DatasetSource(
        name or "data", lambda: interpreted(value, Schema()), "", type(value).__name__
    )


def interpreted(value: Any, schema: Schema) -> Data:
    """Return `value`, anything that :func:`as_source` takes but a function, as data."""
    if isinstance(value, DatasetSource | Data):
        if schema != Schema():
            raise DatasetError(
                f"a {type(value).__name__} says itself what its targets are",
                hint="drop target=, groups=, units= and labels=",
            )
        return value if isinstance(value, Data) else value.read()
    if is_table(value):
        return data_from_frame(read_table(value), schema)
    if isinstance(value, str):
        return from_sklearn(value).read()
    _refuse_unknown(value)
    if is_bunch(value):
        return data_from_bunch(value, schema)
    if is_a(value, "networkx.Graph"):
        return data_from_graph(value, schema)
    if isinstance(value, tuple):
        return data_from_arrays(*_xy(value), schema)
    if not is_frame(value) and hasattr(value, "to_pandas"):
        value = value.to_pandas()
    return data_from_arrays(value, None, None, schema)


def _is_data(value: object) -> bool:
    return (
        isinstance(value, Data | tuple | list)
        or is_bunch(value)
        or is_sparse(value)
        or is_a(value, "networkx.Graph")
        or any(hasattr(value, name) for name in ("__array__", "to_pandas"))
    )


def _refuse_unknown(value: object) -> None:
    if isinstance(value, str | os.PathLike):
        raise DatasetError(f"{str(value)!r} is no CSV or Parquet file", hint="use from_csv(path)")
    if not _is_data(value):
        raise DatasetError(
            f"a {type(value).__name__} is no dataset",
            hint="give a DataFrame, arrays, (X, y), a path, or a function that returns one",
        )


def _xy(parts: tuple[Any, ...]) -> tuple[Any, Any, Any]:
    if len(parts) not in (2, 3):
        raise DatasetError(
            f"a tuple of {len(parts)} is no dataset", hint="give (X, y) or (X, y, groups)"
        )
    return parts[0], parts[1], parts[2] if len(parts) == 3 else None


def _stem(path: PathLike) -> str:
    return PurePath(path).name.partition(".")[0]


_TITLES = {
    "breast_cancer": "Breast cancer Wisconsin (diagnostic)",
    "diabetes": "Diabetes: disease progression after one year",
    "digits": "Handwritten digits, 8×8 pixels",
    "iris": "Iris plants",
    "linnerud": "Linnerud: exercise and physiology",
    "wine": "Wine recognition",
}


def load_breast_cancer() -> DatasetSource:
    """Declare scikit-learn's breast cancer data: 569 rows, 30 features, 2 classes."""
    return from_sklearn("load_breast_cancer")


def load_diabetes() -> DatasetSource:
    """Declare scikit-learn's diabetes data: 442 rows, 10 features, a number to predict."""
    return from_sklearn("load_diabetes")


def load_digits() -> DatasetSource:
    """Declare scikit-learn's digits: 1797 rows, 64 pixels, 10 classes."""
    return from_sklearn("load_digits")


def load_iris() -> DatasetSource:
    """Declare scikit-learn's iris data: 150 rows, 4 features in cm, 3 classes."""
    return from_sklearn("load_iris")


def load_linnerud() -> DatasetSource:
    """Declare scikit-learn's Linnerud data: 20 rows, 3 features, 3 numbers to predict."""
    return from_sklearn("load_linnerud")


def load_wine() -> DatasetSource:
    """Declare scikit-learn's wine data: 178 rows, 13 features, 3 classes."""
    return from_sklearn("load_wine")
