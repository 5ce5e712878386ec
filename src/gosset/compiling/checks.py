"""Checks of what an experiment declares, made as soon as it is declared."""

from __future__ import annotations

import functools
import inspect
import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any, ParamSpec

from ..exceptions import ParameterError, UsageError, did_you_mean
from ..fingerprint import digest
from ..naming import checked_name
from ..stages import RUN_WORDS, Stage

P = ParamSpec("P")
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Control characters and line breaks."""


def told_apart(what: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Have a constructor tell arguments that it does not take in Gosset's words.

    Parameters
    ----------
    what : str
        What it makes, e.g. ``"an experiment"``.
    """

    def decorate(init: Callable[P, None]) -> Callable[P, None]:
        signature = inspect.signature(init)

        @functools.wraps(init)
        def checked(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                signature.bind(*args, **kwargs)
            except TypeError:
                raise _unlike(what, list(signature.parameters)[1:], args[1:], kwargs) from None
            init(*args, **kwargs)

        return checked

    return decorate


def _unlike(
    what: str, options: list[str], given: Sequence[object], named: Collection[str]
) -> UsageError:
    for option in named:
        if option not in options:
            return UsageError(
                f"{what} has no option {option!r}", hint=did_you_mean(option, options)
            )
    if given and ("name" in named or len(given) > 1):
        odd = given[0] if "name" in named else given[1]
        return UsageError(
            f"{what} was given {_shown(odd)} without a word for what it is",
            hint=f"only the name stands alone, write OPTION=… for all else: {', '.join(options[1:6])}, …",
        )
    return UsageError(f"{what} needs a name", hint="give it as the first argument")


def name_of(what: str, name: object) -> str:
    """Return the name of a project or an experiment.

    References are written with them, ``PROJECT/EXPERIMENT#NUMBER`` and
    ``FILE::EXPERIMENT``, so that they hold no part of a reference.

    Raises
    ------
    UsageError
        It is no text or empty, could be taken for another reference, or the catalog cannot
        keep it.

    Examples
    --------
    >>> name_of("an experiment", "[red] 🎉")
    '[red] 🎉'
    >>> name_of("an experiment", "a#1")
    Traceback (most recent call last):
        ...
    gosset.exceptions.UsageError: the name 'a#1' of an experiment holds '#', ...
    """
    if not isinstance(name, str) or not name.strip():
        raise UsageError(
            f"{what} needs a name, which {name!r} is not", hint="give a text that is not empty"
        )
    checked_name(what, name)
    the_name = f"the name {name[:40]!r} of {what}"
    for mark in ("#", "/", "::"):
        if mark in name:
            raise UsageError(
                f"{the_name} holds {mark!r}, which stands between the parts of a reference",
                hint=f"write e.g. {name.replace(mark, '-')[:40]!r}",
            )
    plain = _BREAKS.sub(" ", name).strip()
    if plain != name:
        raise UsageError(
            f"{the_name} holds a line break or begins or ends with a space",
            hint=f"write e.g. {plain[:40]!r}",
        )
    if name == "latest" or name.isdecimal():
        raise UsageError(
            f"{the_name} is a reference to {'the newest' if name == 'latest' else 'a number'}",
            hint=f"add a word, e.g. {what.split()[-1] + '-' + name[:40]!r}",
        )
    return name


def listed(experiment: str, option: str, values: object) -> list[Any]:
    """Return what an option lists.

    Raises
    ------
    UsageError
        It is one thing instead of a list of things.
    """
    if isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping):
        return list(values)
    raise UsageError(
        f"experiment {experiment!r}: {option}= is {_shown(values)}",
        hint=f"give a list, {option}=[…]",
    )


def stages_of(experiment: str, stages: object) -> list[Stage]:
    """Return the stages of an experiment; there is at least one."""
    declared = _some(experiment, "stages", stages)
    for each in declared:
        if not isinstance(each, Stage):
            raise UsageError(
                f"experiment {experiment!r}: {_shown(each)} is no stage",
                hint="declare it with @gosset.stage",
            )
    return declared


def steps_of(experiment: str, steps: object) -> list[Callable[..., Any]]:
    """Return the steps of an experiment, each of which takes the run; there is at least one."""
    declared = _some(experiment, "steps", steps)
    for each in declared:
        hint = "a step is a function of the run: def train(run)"
        if not callable(each):
            raise UsageError(f"experiment {experiment!r}: {_shown(each)} is no step", hint=hint)
        try:
            signature = inspect.signature(each)
        except ValueError:  # some functions written in C do not tell
            continue
        try:
            signature.bind("run")
        except TypeError:
            raise UsageError(
                f"experiment {experiment!r}: {_shown(each)} takes {signature}, not the run alone",
                hint=hint,
            ) from None
    return declared


def declared_seeds(experiment: str, seed: object, seeds: object) -> list[int]:
    """Return the seeds that an experiment declares: those in `seeds`, else `seed`, else 0.

    Raises
    ------
    UsageError
        Both are given, `seeds` is a single one, or one of them is no seed.
    """
    if seeds is None:
        return seeds_of(experiment, 0 if seed is None else seed)
    if seed is not None:
        raise UsageError(
            f"experiment {experiment!r}: both seed= and seeds= are given", hint="give one of them"
        )
    if isinstance(seeds, Integral):
        raise UsageError(
            f"experiment {experiment!r}: seeds={seeds} may mean one seed or several",
            hint=f"write seed={seeds} for the one, seeds=range({seeds}) for as many",
        )
    return seeds_of(experiment, seeds)


def seeds_of(experiment: str, chosen: object) -> list[int]:
    """Return what is chosen, one seed or several, as a list of seeds."""
    if not isinstance(chosen, Iterable) or isinstance(chosen, str):
        chosen = [chosen]
    values = [_seed(experiment, each) for each in chosen]
    if not values:
        raise UsageError(f"experiment {experiment!r}: no seeds", hint="give one, e.g. seeds=[0]")
    twice = next((value for value in values if values.count(value) > 1), None)
    if twice is not None:
        raise UsageError(
            f"experiment {experiment!r}: seed {twice} is there twice", hint="give each seed once"
        )
    return values


def config_of(experiment: str, config: object) -> dict[str, Any]:
    """Return what is fixed in an experiment."""
    if config is None or isinstance(config, Mapping):
        fixed = dict(config or {})
        digest(fixed, where="config")  # what has no identity cannot be part of a cache key
        return fixed
    raise UsageError(
        f"experiment {experiment!r}: config= is {_shown(config)}",
        hint="give a mapping from names to values",
    )


def check_function(experiment: str, option: str, value: object) -> None:
    """Raise unless an option that is a function, where it is given, can be called."""
    if value is not None and not callable(value):
        raise UsageError(
            f"experiment {experiment!r}: {option}= is {_shown(value)}", hint="give a function"
        )


def check_without_estimator(experiment: str, **options: object) -> None:
    """Raise where an option that only an estimator has is given to stages or steps."""
    for option, value in options.items():
        if value is not None:
            raise UsageError(
                f"experiment {experiment!r}: {option}= goes with estimator=, and there is none",
                hint="make it a stage or a step of its own",
            )


def check_dataset_names(experiment: str, names: Collection[str], own: str | None) -> None:
    """Raise unless the further datasets of an experiment can be told apart by their names."""
    taken = [*RUN_WORDS, "X", "y", "groups", "data", *([own] if own else [])]
    for name in names:
        if list(names).count(name) > 1 or name in taken:
            raise UsageError(
                f"experiment {experiment!r}: the name {name!r} of a dataset is taken",
                hint="give the dataset another one with name='…'",
            )


def check_varied(experiment: str, varied: Iterable[str], declared: Collection[str]) -> None:
    """Raise for a varied name that is not declared, where any name is.

    Steps read what they like from ``run.params``, so that only the declaration tells a
    misspelled name.
    """
    for name in varied if declared else ():
        if name not in declared:
            raise ParameterError(
                f"experiment {experiment!r} declares no parameter {name!r}",
                hint=did_you_mean(name, declared),
            )


def _seed(experiment: str, value: object) -> int:
    try:
        # Integers of NumPy are as good as Python's; booleans are integers by accident only.
        seed = -1 if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        seed = -1
    if not 0 <= seed < 2**32:
        raise UsageError(
            f"experiment {experiment!r}: {value!r} is no seed",
            hint="a seed is a whole number from 0 to 2**32 - 1",
        )
    return seed


def _some(experiment: str, option: str, values: object) -> list[Any]:
    declared = listed(experiment, option, values)
    if not declared:
        raise UsageError(f"experiment {experiment!r}: {option}= is empty", hint="give at least one")
    return declared


def _shown(value: object) -> str:
    name = getattr(value, "__name__", None)
    if isinstance(name, str):
        return f"{type(value).__name__} {name!r}"
    return repr(value) if isinstance(value, str | int | float) else f"a {type(value).__name__}"
