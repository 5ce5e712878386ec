"""Projects: a named collection of datasets and experiments, declared in Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, overload

from .compiling.checks import name_of, told_apart
from .datasets import DatasetSource, from_function
from .displays import facts
from .exceptions import UsageError
from .experiment import Experiment
from .usercode import called_name


class Project:
    """A named collection of experiments.

    Parameters
    ----------
    name : str
        Unique in a store.
    description : str
    store : str, optional
        URL of the store to use; by default what the settings say.

    Attributes
    ----------
    datasets : dict
        Name → dataset declared here.
    experiments : dict
        Name → experiment declared here.

    Examples
    --------
    >>> project = Project("Examples")
    >>> @project.dataset(target="grade")
    ... def grades():
    ...     import pandas
    ...     return pandas.DataFrame({"hours": [1, 2, 3, 4], "grade": ["c", "b", "b", "a"]})
    >>> grades
    <dataset 'grades' of function gosset.project.grades>
    """

    @told_apart("a project")
    def __init__(self, name: str, *, description: str = "", store: str | None = None) -> None:
        self.name = name_of("a project", name)
        self.description = description
        self.store = store
        self.datasets: dict[str, DatasetSource] = {}
        self.experiments: dict[str, Experiment] = {}

    @overload
    def dataset(self, function: Callable[..., Any], /) -> DatasetSource: ...
    @overload
    def dataset(
        self,
        *,
        name: str | None = None,
        target: str | Sequence[str] | None = None,
        groups: str | None = None,
        units: Mapping[str, str] | None = None,
        description: str = "",
    ) -> Callable[[Callable[..., Any]], DatasetSource]: ...

    def dataset(self, function: Any = None, **declared: Any) -> Any:
        """Declare a function that returns data as a dataset of the project.

        The function is called when an experiment needs the data, never at declaration.

        Parameters
        ----------
        function : callable
            Without required arguments. Returns a DataFrame, ``(X, y)``, ``(X, y, groups)``,
            an array, a scikit-learn Bunch, or the path of a CSV or Parquet file.
        name : str, optional
            Instead of the function's name.
        target : str or sequence of str, optional
            Names of the target columns.
        groups : str, optional
            Name of the column that says which rows belong together.
        units : mapping, optional
            Column → unit.

        Returns
        -------
        DatasetSource
        """

        def declare(made: Callable[..., Any]) -> DatasetSource:
            source = from_function(made, **declared)
            self.datasets[source.name] = source
            return source

        return declare if function is None else declare(function)

    @overload
    def experiment(self, function: Callable[..., Any], /) -> Experiment: ...
    @overload
    def experiment(
        self, function: None = None, /, **declared: Any
    ) -> Callable[[Callable[..., Any]], Experiment]: ...

    def experiment(self, function: Any = None, /, **declared: Any) -> Any:
        """Declare an experiment by the function that makes its estimator, or is its work.

        Parameters
        ----------
        function : callable
            Returns an estimator, or a list of stages. Its name becomes the experiment's.
        **declared
            As of :class:`Experiment`.

        Returns
        -------
        Experiment or callable
            With arguments, the decorator.

        Raises
        ------
        UsageError
            As of :class:`Experiment`.
        """
        if function is not None and not callable(function):
            raise UsageError(
                f"an experiment is declared by a function, not by {function!r}",
                hint="write @project.experiment(name='…', …) above the function",
            )
        for own in ("project", "declared_by"):
            if own in declared:
                raise UsageError(
                    f"{own}= is what the decorator gives", hint="leave it out, or use Experiment"
                )

        def declare(made: Callable[..., Any]) -> Experiment:
            options = {"description": (made.__doc__ or "").strip().split("\n")[0], **declared}
            name = options.pop("name", called_name(made))
            return Experiment(name, project=self, declared_by=made, **options)

        return declare if function is None else declare(function)

    def __repr__(self) -> str:
        return f"<project {self.name}>"

    def _repr_html_(self) -> str:
        names = {"datasets": ", ".join(self.datasets), "experiments": ", ".join(self.experiments)}
        known = {"description": self.description, **names}
        return facts(f"project {self.name}", {n: v for n, v in known.items() if v})
