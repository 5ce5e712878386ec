"""Whatever people have at hand as a declared dataset: functions, paths, tuples, names."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..exceptions import DatasetError
from ..usercode import called as calling
from ..usercode import called_name, declaring_file
from .building import Names, Schema, data_from_arrays, data_from_frame
from .bundled import data_from_bunch, is_bunch, loader
from .data import Data
from .files import is_table, read_table
from .graphs import data_from_graph
from .sources import DatasetSource, parts_of, stem
from .values import is_a, is_frame, is_sparse

_TITLES = {
    "breast_cancer": "Breast cancer Wisconsin (diagnostic)",
    "diabetes": "Diabetes: disease progression after one year",
    "digits": "Handwritten digits, 8×8 pixels",
    "iris": "Iris plants",
    "linnerud": "Linnerud: exercise and physiology",
    "wine": "Wine recognition",
}


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
    called = called_name(function)

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
    groups: str | int | None = None,
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
    called = called_name(function)
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

    def read() -> Data:
        with calling(f"{called}()", DatasetError):
            made = function()
        return interpreted(made, schema)

    return DatasetSource(
        name or called,
        read,
        description or documented,
        f"function {getattr(function, '__module__', '')}.{called}",
        named=name is not None or called != "<lambda>",
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
        By default that of the file or function, else ``"data"``; an experiment keeps such
        data under its own name.

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
        return value if name is None else replace(value, name=name, named=True)
    if is_table(value):
        path = os.fspath(value)  # type: ignore[call-overload]
        origin = declaring_file()
        return DatasetSource(
            name or stem(path),
            lambda: data_from_frame(read_table(path, origin=origin), Schema()),
            "",
            str(path),
        )
    if isinstance(value, str):
        return from_sklearn(value, name=name)
    if not _is_data(value) and callable(value):
        return from_function(value, name=name)
    _refuse_unknown(value)
    return DatasetSource(
        name or "data",
        lambda: interpreted(value, Schema()),
        "",
        type(value).__name__,
        named=name is not None,
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
        return data_from_arrays(*parts_of(value), schema)
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
