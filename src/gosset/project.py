"""Projects: a named collection of datasets and experiments, declared in Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, overload

from .compiling.checks import name_of
from .datasets import DatasetSource, from_function
from .displays import facts
from .experiment import Experiment


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

    def experiment(self, **declared: Any) -> Callable[[Callable[..., Any]], Experiment]:
        """Declare an experiment by the function that makes its estimator, or is its work.

        Parameters
        ----------
        **declared
            As of :class:`Experiment`.

        Returns
        -------
        callable
            The decorator: the function's name becomes the experiment. The function
            returns an estimator, or a list of stages.
        """

        def declare(function: Callable[..., Any]) -> Experiment:
            declared.setdefault("description", (function.__doc__ or "").strip().split("\n")[0])
            name = declared.pop("name", function.__name__)
            return Experiment(name, project=self, declared_by=function, **declared)

        return declare

    def __repr__(self) -> str:
        return f"<project {self.name}>"

    def _repr_html_(self) -> str:
        names = {"datasets": ", ".join(self.datasets), "experiments": ", ".join(self.experiments)}
        known = {"description": self.description, **names}
        return facts(f"project {self.name}", {n: v for n, v in known.items() if v})
