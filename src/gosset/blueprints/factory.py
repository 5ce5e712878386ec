"""Functions that make an estimator: their own arguments are parameters to vary."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..entities import Hyperparameter
from ..estimators import as_json, kind_of, parameter_names, takes
from ..exceptions import ParameterError, did_you_mean
from ..fingerprint import digest
from ..usercode import called_name


@dataclass(frozen=True, slots=True)
class Factory:
    """A function that makes the estimator of an experiment.

    Attributes
    ----------
    function : callable
        The user's, whose code belongs to the code version.
    make : callable
        Argument → value of `function`, to the estimator that it makes of them.
    """

    function: Callable[..., Any]
    make: Callable[[Mapping[str, object]], Any]
    _made: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def name(self) -> str:
        """What the function is called."""
        return called_name(self.function)

    def made(self, arguments: Mapping[str, object]) -> Any:
        """Return the estimator under `arguments`, made once for equal ones."""
        key = digest(dict(arguments), where=f"arguments of {self.name}()")
        if key not in self._made:
            self._made[key] = self.make(arguments)
        return self._made[key]

    def divide(
        self, params: Mapping[str, object], taken: Collection[str] = ()
    ) -> tuple[dict[str, object], dict[str, object]]:
        """Return the function's own arguments among `params`, and the rest.

        An argument is named plainly or after the function, ``make.C``; `taken` are names
        that stages know.

        Raises
        ------
        ParameterError
            Two names of one argument, or a name that the estimator or a stage takes as well.
        """
        named = {spelled: a for a in arguments_of(self.function) for spelled in self._spellings(a)}
        own = [name for name in params if name in named]
        arguments = {named[name]: params[name] for name in own}
        if len(arguments) < len(own):
            raise ParameterError(
                f"{', '.join(map(repr, own))}: two of them are the same argument of {self.name}()",
                hint="give one of them",
            )
        for name in own:
            self._check(name, named[name], self.made(arguments), taken)
        return arguments, {name: value for name, value in params.items() if name not in named}

    def check_names(self, names: Iterable[str], estimator: object) -> None:
        """Raise for a name that neither the function nor the estimator that it makes knows."""
        own = [spelled for a in arguments_of(self.function) for spelled in self._spellings(a)]
        for name in names if own else ():
            if not takes(estimator, name):
                raise ParameterError(
                    f"neither {self.name}() nor the {type(estimator).__name__} that it makes "
                    f"has a parameter {name!r}",
                    hint=did_you_mean(name, [*own, *parameter_names(estimator)]),
                )

    def hyperparameters(self, arguments: Mapping[str, object]) -> tuple[Hyperparameter, ...]:
        """Return the effective arguments."""
        return tuple(
            Hyperparameter(name=f"{self.name}.{name}", value=as_json(value), kind=kind_of(name))
            for name, value in {**arguments_of(self.function), **arguments}.items()
        )

    def _spellings(self, argument: str) -> tuple[str, str]:
        return argument, f"{self.name}.{argument}"

    def _check(self, name: str, argument: str, estimator: Any, taken: Collection[str]) -> None:
        if not takes(estimator, name) and name not in taken:
            return
        kind = type(estimator).__name__ if takes(estimator, name) else "STAGE"
        hint = f"write '{self.name}.{argument}' or '{kind}.{argument}'"
        raise ParameterError(
            f"{name!r} is an argument of {self.name}() and a parameter of "
            + ("a stage" if kind == "STAGE" else f"the {kind} that it makes"),
            hint=hint if name == argument else f"give {self.name}() another name",
        )


def check_unvaried(function: Callable[..., Any], params: Mapping[str, object]) -> None:
    """Raise where `params` vary an argument of a function that makes stages.

    Raises
    ------
    ParameterError
    """
    name = called_name(function)
    for argument in arguments_of(function):
        if argument in params or f"{name}.{argument}" in params:
            raise ParameterError(
                f"{argument!r} is an argument of {name}(), which makes stages only once",
                hint=f"make it an argument of a stage instead: STAGE.{argument}",
            )


def arguments_of(function: Callable[..., Any]) -> dict[str, object]:
    """Return the arguments of a factory that can be varied, with their defaults.

    Those of a class are the parameters of the estimators that it makes.

    Examples
    --------
    >>> def make(C=1.0): ...
    >>> arguments_of(make), arguments_of(dict)
    ({'C': 1.0}, {})
    """
    innermost: Any = function
    while isinstance(innermost, functools.partial):
        innermost = innermost.func
    if isinstance(innermost, type):
        return {}
    return {
        argument.name: argument.default
        for argument in inspect.signature(function).parameters.values()
        if argument.kind in (argument.POSITIONAL_OR_KEYWORD, argument.KEYWORD_ONLY)
        and argument.default is not argument.empty
    }
