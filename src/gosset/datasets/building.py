"""From values that people have to checked data with a schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from ..entities import Column
from ..exceptions import DatasetError, did_you_mean
from .data import Data
from .values import (
    Array,
    as_array,
    column_values,
    is_a,
    is_frame,
    is_sparse,
    plain,
    refuse_missing,
    refuse_odd,
)

Names: TypeAlias = "str | int | Iterable[str | int] | None"
"""Columns: one, several or none. A frame may number its columns."""

WIDEST = 4096
"""Features of an array up to which each gets a column without having been named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What a declaration says of the columns.

    Attributes
    ----------
    target : tuple of str
        Names of the targets.
    groups : str or None
        Name of the column with the groups.
    columns : tuple of str
        Names of the features of an array; empty when not given.
    units : mapping
        Column → unit.
    labels : tuple of str
        Class names of a single coded target, in the order of the codes.
    """

    target: tuple[str, ...] = ()
    groups: str | None = None
    columns: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()

    @classmethod
    def declared(
        cls,
        *,
        target: Names = None,
        groups: str | int | None = None,
        columns: Iterable[str | int] | None = None,
        units: Mapping[str, str] | None = None,
        labels: Iterable[str] | None = None,
    ) -> Schema:
        """Return the schema that the arguments of a declaration say.

        Columns go by text: ``target=2`` is the column ``"2"``.

        Raises
        ------
        DatasetError
            An argument is of another kind.
        """
        if groups is not None and not _is_name(groups):
            raise DatasetError(
                f"groups={type(groups).__name__}", hint="name the column that holds the groups"
            )
        if units is not None and not isinstance(units, Mapping):
            raise DatasetError(
                f"units={type(units).__name__}", hint="give a mapping from columns to units"
            )
        return cls(
            target=(str(target),) if _is_name(target) else _listed("target", target),
            groups=None if groups is None else str(groups),
            columns=_listed("columns", columns),
            units={str(name): unit for name, unit in (units or {}).items()},
            labels=_listed("labels", labels),
        )


def _is_name(value: object) -> bool:
    return isinstance(value, str | int | np.integer) and not isinstance(value, bool)


def _listed(option: str, names: object) -> tuple[str, ...]:
    if names is None:
        return ()
    if not isinstance(names, Iterable):
        raise DatasetError(f"{option}={names!r}"[:80], hint="give a name, or a list of names")
    return tuple(map(str, names))


def data_from_frame(frame: Any, schema: Schema) -> Data:
    """Return a DataFrame with its targets in it as data.

    Raises
    ------
    DatasetError
        No rows or features, a column twice, a target that is not there or has gaps.
    """
    frame = _with_text_names(frame)
    names = list(frame.columns)
    roles = dict.fromkeys(names, "feature")
    _known("target", schema.target, names)
    roles |= dict.fromkeys(schema.target, "target")
    if schema.groups is not None:
        _known("groups", (schema.groups,), names)
        if schema.groups in schema.target:
            raise DatasetError(f"column {schema.groups!r} is both target and groups")
        roles[schema.groups] = "group"
    columns = []
    for name, role in roles.items():
        column = frame[name]
        labels: tuple[str, ...] = ()
        if role != "feature":
            refuse_missing(column, name, role)
            values = column_values(column)
            refuse_odd(values, name, role)
            if role == "target":
                labels = _labels(values, name, schema) or _categories(column)
        columns.append(Column(name=name, dtype=str(column.dtype), role=role, labels=labels))
    return _finished({"frame": frame}, columns, len(frame), schema)


def data_from_arrays(X: Any, y: Any, groups: Any, schema: Schema) -> Data:
    """Return features, targets and groups as data.

    Raises
    ------
    DatasetError
        No rows or features, lengths or names that do not fit, a target with gaps.
    """
    X = _features(X)
    if is_frame(X) and y is None and groups is None:
        return data_from_frame(X, schema)
    if y is None and schema.target:
        X, y, schema = _target_taken_out(X, schema)
    if groups is None and schema.groups:
        raise DatasetError(
            f"groups {schema.groups!r}, but only X and y",
            hint="give (X, y, groups), or a DataFrame",
        )
    names = _feature_names(X, schema)
    content: dict[str, Any] = {"X": X}
    types = (str(d) for d in X.dtypes) if is_frame(X) else [_dtype(X, names)] * len(names)
    columns = [Column(name=n, dtype=d) for n, d in zip(names, types, strict=True)]
    for part, value in (("y", y), ("groups", groups)):
        if value is not None:
            content[part], found = _part(part, value, X.shape[0], schema)
            columns += found
    return _finished(content, columns, X.shape[0], schema)


def _part(part: str, value: Any, rows: int, schema: Schema) -> tuple[Array, list[Column]]:
    """Return targets or groups beside X as an array, and their columns."""
    role = "target" if part == "y" else "group"
    declared = schema.target if part == "y" else (schema.groups,) if schema.groups else ()
    values, names = _held(value, role, declared)
    if len(values) != rows:
        raise DatasetError(
            f"{len(values)} {part} for {rows} rows of X", hint="give one for each row, in order"
        )
    if part == "groups":
        labels: tuple[str, ...] = ()
    else:
        if schema.labels and values.dtype.kind == "f":
            codes = values.astype(np.int64)  # codes that came in one array with measurements
            values = codes if np.array_equal(codes, values) else values
        labels = _labels(values, names[0], schema) or _categories(value)
    dtype = str(values.dtype)
    return values, [Column(name=n, dtype=dtype, role=role, labels=labels) for n in names]


def _finished(
    content: Mapping[str, Any], columns: Sequence[Column], rows: int, schema: Schema
) -> Data:
    names = [column.name for column in columns]
    _refuse_twice(names)
    if not rows:
        raise DatasetError(
            "the dataset is empty: it has no rows", hint="look at how it is read or filtered"
        )
    if not any(column.role == "feature" for column in columns):
        raise DatasetError("the dataset has no features", hint="leave a column that is no target")
    _known("units", schema.units, names)
    if schema.labels and not any(column.labels for column in columns):
        raise DatasetError("labels for a dataset without a target", hint="declare target=…")
    with_units = (replace(c, unit=schema.units.get(c.name, "")) for c in columns)
    return Data(content, tuple(with_units))


def _with_text_names(frame: Any) -> Any:
    if frame.columns.nlevels > 1:
        raise DatasetError(
            f"the column names have {frame.columns.nlevels} levels",
            hint="join them into one, e.g. frame.columns.map('.'.join)",
        )
    names = [str(name) for name in frame.columns]
    _refuse_twice(names)
    if all(isinstance(name, str) for name in frame.columns):
        return frame
    renamed = frame.copy(deep=False)
    renamed.columns = names
    return renamed


def _refuse_twice(names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DatasetError(f"column {name!r} is there twice", hint="rename one of them")
        seen.add(name)


def _known(what: str, names: Iterable[str], columns: Iterable[str]) -> None:
    for name in names:
        if name not in columns:
            raise DatasetError(f"{what}: no column {name!r}", hint=did_you_mean(name, columns))


def _features(X: Any) -> Any:
    if is_frame(X):
        return _with_text_names(X)
    if is_a(X, "pandas.Series"):
        return X.to_frame(X.name if X.name is not None else "x0")
    if is_sparse(X):
        return X.tocsr()  # rows are taken by number, which most other layouts cannot
    if isinstance(X, np.ma.MaskedArray):
        raise DatasetError("X is a masked array", hint="fill it in: X.filled(numpy.nan)")
    try:
        array = as_array(X)
    except ValueError as error:
        raise DatasetError(
            "X is a list whose rows have different lengths", hint="give an array or a DataFrame"
        ) from error
    if array.ndim == 0 or array.dtype.names:
        kind = f"a {type(X).__name__}" if array.ndim == 0 else "a structured array"
        raise DatasetError(f"X is {kind}", hint="give an array with one row per case, or a frame")
    if array.dtype.kind == "T" or (array.dtype == object and array.ndim > 1):
        array = plain(array)
    if array.dtype == object and not all(isinstance(value, str) for value in array.flat):
        raise DatasetError(
            "X mixes texts, numbers or other objects in one array",
            hint="give a DataFrame, where each column has a type of its own",
        )
    # Documents stay Python strings, because a fixed width would cost too much.
    return array if array.dtype != object else np.array([str(v) for v in array], dtype=object)


def _target_taken_out(X: Any, schema: Schema) -> tuple[Any, Any, Schema]:
    if is_frame(X):
        names = tuple(X.columns)
    else:
        names = schema.columns
        if X.ndim != 2 or len(names) != X.shape[1]:
            raise DatasetError(
                f"target {schema.target[0]!r}, but y is missing",
                hint="give y, or name all columns of X with columns=[…]",
            )
    _known("target", schema.target, names)
    if is_frame(X):
        return X.drop(columns=list(schema.target)), X[list(schema.target)], schema
    at = [names.index(name) for name in schema.target]
    others = [i for i in range(len(names)) if i not in at]
    kept = replace(schema, columns=tuple(names[i] for i in others))
    y = X[:, at].toarray() if is_sparse(X) else X[:, at]
    return X[:, others], y, kept


def _feature_names(X: Any, schema: Schema) -> tuple[str, ...]:
    if is_frame(X):
        return tuple(X.columns)
    width = int(np.prod(X.shape[1:])) if X.ndim > 1 else 1
    if not width:
        raise DatasetError("the dataset has no features", hint=f"X has the shape {X.shape}")
    if schema.columns:
        if len(schema.columns) != width:
            raise DatasetError(
                f"{len(schema.columns)} column names for {width} features",
                hint="name each feature once, in order",
            )
        return schema.columns
    if X.ndim > 2 or is_sparse(X) or width > WIDEST:
        return ("X",)
    return tuple(f"x{position}" for position in range(width))


def _dtype(X: Any, names: Sequence[str]) -> str:
    if len(names) == 1 and X.ndim > 1 and X.shape[1:] != (1,):
        return f"{X.dtype}[{', '.join(map(str, X.shape[1:]))}]"
    return str(X.dtype)


def _held(value: Any, role: str, declared: Sequence[str]) -> tuple[Array, tuple[str, ...]]:
    """Return targets or groups as an array, one-dimensional if single, and their names."""
    default = "target" if role == "target" else "groups"
    if is_a(value, "pandas.Series"):
        value = value.to_frame(default if value.name is None else value.name)
    if is_frame(value):
        value = _with_text_names(value)
        found = tuple(value.columns)
        series = [value[name] for name in found]
        for name, column in zip(declared or found, series, strict=False):
            refuse_missing(column, name, role)
        parts = [column_values(column) for column in series]
        values = parts[0] if len(parts) == 1 else np.stack(parts, axis=1)
    else:
        values = as_array(value.toarray() if is_sparse(value) else value)
        if values.ndim == 2 and values.shape[1] == 1:
            values = values.ravel()
        single = values.ndim == 1
        found = (default,) if single else tuple(f"{default}{i}" for i in range(values.shape[-1]))
    if values.ndim not in (1, 2):
        raise DatasetError(f"the {default} has the shape {values.shape}", hint="give one per row")
    if declared and len(declared) != len(found):
        raise DatasetError(
            f"{len(declared)} names for {len(found)} {default} columns", hint="name each once"
        )
    names = tuple(declared) or found
    for name, column in zip(names, values.reshape(len(values), len(names)).T, strict=True):
        refuse_missing(column, name, role)
    values = plain(values)
    refuse_odd(values.ravel(), ", ".join(names), role)
    return values, names


def _labels(values: Array, name: str, schema: Schema) -> tuple[str, ...]:
    """Return the declared class names, once the codes are known to fit them."""
    if not schema.labels:
        return ()
    if len(schema.target) > 1 or values.ndim > 1:
        raise DatasetError("labels for several targets", hint="declare a single target")
    if values.dtype.kind not in "iub":
        raise DatasetError(
            f"target {name!r} has labels, but holds {values.dtype} and not codes",
            hint="drop labels=: text keeps its own",
        )
    outside = (values < 0) | (values.astype(np.int64) >= len(schema.labels))
    if outside.any():
        row = int(outside.argmax())
        raise DatasetError(
            f"target {name!r} has the code {values[row]} in row {row},"
            f" but {len(schema.labels)} labels",
            hint="code the classes from 0, or give the names as text",
        )
    return schema.labels


def _categories(column: Any) -> tuple[str, ...]:
    """Return the categories of a column, where they are names."""
    categories = getattr(getattr(column, "dtype", None), "categories", None)
    if categories is None or not all(isinstance(label, str) for label in categories):
        return ()
    return tuple(categories)
