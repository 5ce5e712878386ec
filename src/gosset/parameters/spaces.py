"""Parameter spaces: from what people write to the list of parameter sets to run.

A *space* maps names to alternatives; its Cartesian product is a list of *sets*, each of
which maps dotted names to one value. Nesting is a way of writing dotted names::

    {"SVC": {"C": [0.1, 1.0]}, "PCA.n_components": 2}

Lists, tuples, ranges, arrays and iterators hold alternatives; anything else is one value.
:func:`fixed` makes one value of a list or a mapping.
"""

from __future__ import annotations

import dataclasses
import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from ..exceptions import ParameterError
from ..fingerprint import digest
from .values import Fixed, numpy_array

Parameters: TypeAlias = "Mapping[str, object] | Iterable[object] | Callable[[], object] | None"
"""What :func:`expand` takes, besides instances of dataclasses."""

_logger = logging.getLogger(__name__)


def flatten(parameters: Mapping[str, object]) -> dict[str, object]:
    """Write nested parameters under dotted names.

    Parameters
    ----------
    parameters : mapping
        Names, dotted or not, to values; a mapping among the values is structure unless
        it is wrapped by :func:`fixed`.

    Returns
    -------
    dict
        Dotted name → value, in the order in which they were written.

    Raises
    ------
    ParameterError
        A name is not a text, has an empty part, or is given twice.

    Examples
    --------
    >>> flatten({"SVC": {"C": [0.1, 1.0]}, "PCA.n_components": 2})
    {'SVC.C': [0.1, 1.0], 'PCA.n_components': 2}
    """
    flat: dict[str, object] = {}
    for name, value in _pairs(parameters, ""):
        if name in flat:
            raise ParameterError(f"parameter {name!r} is given twice", hint="write it once")
        flat[name] = value
    return flat


def grid(space: Mapping[str, object]) -> list[dict[str, object]]:
    """Return the Cartesian product of a space.

    Parameters
    ----------
    space : mapping
        Names to alternatives (list, tuple, range, array, iterator) or to a single value;
        nested as for :func:`flatten`. The rows of an array with several dimensions are
        its alternatives, as lists.

    Returns
    -------
    list of dict
        One set for each combination: names in declared order, the last one changes fastest.

    Raises
    ------
    ParameterError
        A name has no alternatives, or a set, which has no order.

    Examples
    --------
    >>> grid({"C": [1, 2], "kernel": "rbf", "degree": range(2, 4)})  # doctest: +ELLIPSIS
    [{'C': 1, 'kernel': 'rbf', 'degree': 2}, {'C': 1, 'kernel': 'rbf', 'degree': 3}, ...]
    """
    alternatives = {name: _alternatives(name, value) for name, value in flatten(space).items()}
    product = itertools.product(*alternatives.values())
    return [dict(zip(alternatives, values, strict=True)) for values in product]


def expand(parameters: Parameters | object) -> list[dict[str, object]]:
    """Return the parameter sets that `parameters` stands for, each of them once.

    Parameters
    ----------
    parameters : None, mapping, dataclass instance, iterable or callable
        - None: one empty set.
        - A mapping: its :func:`grid`.
        - A dataclass instance: one set, its fields taken as they are.
        - An iterable (also a generator) of mappings or dataclass instances: each is one
          set, its values taken as they are, so that a list is a value.
        - A callable without arguments: what it returns, understood in the same way.

    Returns
    -------
    list of dict
        Dotted name → value. A set that occurs again is dropped, which is logged.

    Raises
    ------
    ParameterError
        Names or values that cannot be used, or no set at all.
    FingerprintError
        A value whose identity cannot be told.

    Examples
    --------
    >>> expand({"SVC": {"C": [1, 2]}})
    [{'SVC.C': 1}, {'SVC.C': 2}]
    >>> expand({"C": c + 1, "layers": [64, 32]} for c in range(2))
    [{'C': 1, 'layers': [64, 32]}, {'C': 2, 'layers': [64, 32]}]
    """
    if parameters is None:
        return [{}]
    if isinstance(parameters, Mapping):
        return _distinct(grid(parameters))
    if _is_dataclass_instance(parameters):
        return [_taken_as_is(parameters)]
    if callable(parameters):
        return expand(parameters())
    if isinstance(parameters, Iterable) and not isinstance(parameters, str | bytes):
        sets = [_one_set(number, item) for number, item in enumerate(parameters)]
        if not sets:
            raise ParameterError(
                "the parameters hold no parameter set", hint="use None for no parameters"
            )
        return _distinct(sets)
    raise ParameterError(
        f"parameters cannot be given as {type(parameters).__name__}",
        hint="use a mapping, an iterable of mappings, or a function that returns one",
    )


def override(parameters: Parameters | object, given: Mapping[str, object]) -> Parameters | object:
    """Return `parameters` with other alternatives for some names.

    Parameters
    ----------
    parameters
        As for :func:`expand`.
    given : mapping
        Names to alternatives, as for :func:`grid`; names that were not there are added.

    Returns
    -------
    Parameters
        A mapping where `parameters` is one, else a list of sets.

    Examples
    --------
    >>> override({"SVC": {"C": [1, 2]}, "seed": 3}, {"SVC.C": [5]})
    {'SVC.C': [5], 'seed': 3}
    >>> override([{"C": 1, "k": 1}, {"C": 2, "k": 2}], {"k": [7, 8]})[:2]
    [{'C': 1, 'k': 7}, {'C': 1, 'k': 8}]
    """
    if not given:
        return parameters
    if parameters is None or isinstance(parameters, Mapping):
        return {**flatten(parameters or {}), **flatten(given)}
    return [{**params, **other} for params in expand(parameters) for other in grid(given)]


def group_digest(params: Mapping[str, object]) -> str:
    """Return the identity of a parameter set: equal where names and values are.

    Parameters
    ----------
    params : mapping
        Dotted name → value, without the seed. The order of names does not matter.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    FingerprintError
        A value whose identity cannot be told.
    """
    return digest(dict(params), where="parameters")


def _pairs(parameters: Mapping[str, object], prefix: str) -> Iterator[tuple[str, object]]:
    for name, value in parameters.items():
        if not isinstance(name, str):
            raise ParameterError(
                f"a parameter is named {name!r}", hint="names are texts, such as 'SVC.C'"
            )
        if not all(part.strip() for part in name.split(".")):
            raise ParameterError(
                f"the parameter name {prefix + name!r} has an empty part",
                hint="write STEP.PARAMETER",
            )
        if isinstance(value, Mapping):
            yield from _pairs(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _alternatives(name: str, value: object) -> list[object]:
    if isinstance(value, set | frozenset):
        raise ParameterError(
            f"parameter {name!r} is given as a set, which has no order",
            hint="use a list for alternatives, or fixed(…) for one value",
        )
    array = numpy_array(value)
    values: Iterable[object]
    if isinstance(value, list | tuple | range | Iterator):
        values = value
    elif array is not None and array.ndim:
        values = array.tolist()
    else:
        values = [value]
    found = [item.value if isinstance(item, Fixed) else item for item in values]
    if not found:
        raise ParameterError(
            f"parameter {name!r} has no alternatives", hint="give it a value, or leave it out"
        )
    return found


def _one_set(number: int, item: object) -> dict[str, object]:
    if isinstance(item, Mapping) or _is_dataclass_instance(item):
        return _taken_as_is(item)
    raise ParameterError(
        f"parameter set {number} is {type(item).__name__}",
        hint="each set is a mapping from names to values",
    )


def _taken_as_is(item: Any) -> dict[str, object]:
    mapping = item if isinstance(item, Mapping) else _fields(item)
    return {
        name: value.value if isinstance(value, Fixed) else value
        for name, value in flatten(mapping).items()
    }


def _fields(instance: Any) -> dict[str, object]:
    """Read a dataclass instance, and those nested in it, as mappings; values are not copied."""
    values = {field.name: getattr(instance, field.name) for field in dataclasses.fields(instance)}
    return {
        name: _fields(value) if _is_dataclass_instance(value) else value
        for name, value in values.items()
    }


def _distinct(sets: list[dict[str, object]]) -> list[dict[str, object]]:
    kept: dict[str, dict[str, object]] = {}
    for params in sets:
        kept.setdefault(group_digest(params), params)
    dropped = len(sets) - len(kept)
    if dropped:
        _logger.warning(
            "dropped %d of %d parameter sets, because they occur twice", dropped, len(sets)
        )
    return list(kept.values())


def _is_dataclass_instance(value: object) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type | Fixed)
