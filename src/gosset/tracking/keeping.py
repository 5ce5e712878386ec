"""What a run keeps beside its numbers: artifacts, by name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exceptions import UsageError
from ..naming import checked_name
from .fields import Fields, as_kept

if TYPE_CHECKING:
    from .artifacts import Keeper


class Keeping:
    """The verbs of a run that keep artifacts.

    Values are copied before the call returns, and may be changed afterwards. Trouble with the
    store raises nothing: their bytes are kept nearby until it can be written.
    """

    __slots__ = ("fields", "tags")

    fields: Fields
    tags: tuple[str, ...]

    def log_artifact(
        self,
        value: Any,
        name: str | None = None,
        *,
        format: str | None = None,
        include: str | Iterable[str] = (),
        exclude: str | Iterable[str] = (),
    ) -> None:
        """Keep a value, a file or a folder. One of the same name is replaced.

        Parameters
        ----------
        value : object
            A path (a text is one, too) is a file, whose bytes are kept unchanged, or a
            folder, which becomes an archive. Any other value goes through the serializers.
        name : str, optional
            By default that of the file or folder.
        format : str, optional
            A serializer's name; by default the first that takes the value. What is kept as
            ``"pickle"`` is read by ``store.artifact(…, trust=True)`` alone.
        include, exclude : str or iterable of str
            Of a folder: patterns of paths below it, such as ``"*.py"`` or ``"data/**/*.csv"``.

        Raises
        ------
        UsageError
            No serializer takes the value; or there is no such file.

        Examples
        --------
        >>> import gosset as gs
        >>> with gs.start_run("baseline", store="memory://") as run:
        ...     run.log_artifact({"C": (1, 10)}, "grid")
        ...     run.log_artifact("missing.pt")
        Traceback (most recent call last):
        gosset.exceptions.UsageError: there is no file 'missing.pt'; a text is kept by log_text()
        """
        if isinstance(value, str | Path):
            path = Path(value)
            name = _name(path.resolve().name if name is None else name)
            value = _at(path, include, exclude)
        elif name is None:
            raise UsageError(
                f"a {type(value).__name__} has no name", hint="log_artifact(value, 'name')"
            )
        elif include or exclude:
            raise UsageError("include and exclude are for folders")
        self._keep(value, _name(name), format)

    def log_artifacts(self, folder: str | os.PathLike[str], prefix: str = "") -> None:
        """Keep each file of a folder as an artifact of its own: ``PREFIX/PATH/BELOW/IT``."""
        from ..serializers.files import File, Folder

        for below, path in Folder(folder).files():
            if path.is_file():
                self._keep(File.at(path), _name(f"{prefix}/{below}" if prefix else below), None)

    def log_text(self, text: str, name: str) -> None:
        """Keep a text."""
        if not isinstance(text, str):
            raise UsageError(f"{name!r} is no text but a {type(text).__name__}")
        self._keep(text, _name(name), None)

    def log_dict(self, dictionary: Mapping[str, Any] | Sequence[Any], name: str) -> None:
        """Keep a dict, or a list, as JSON."""
        self._keep(dictionary, _name(name), "json")

    def log_table(self, name: Any, table: Any) -> None:
        """Keep a table; the two arguments may come in either order.

        Parameters
        ----------
        name : str
        table : frame or rows
            A DataFrame of pandas or Polars, a table of pyarrow; or a list of mappings, one
            for each row; or a mapping of columns. It comes back as it is given.

        Raises
        ------
        UsageError
            It is no table, or a column is longer than another.
        """
        name, table = _in_order(name, table, "table")
        if isinstance(table, Mapping):
            _check_columns(name, table)
        elif isinstance(table, list | tuple):
            if not all(isinstance(row, Mapping) for row in table):
                raise UsageError(
                    f"the rows of table {name!r} are no mappings", hint="{column: value}"
                )
        elif not hasattr(table, "columns"):
            raise UsageError(f"{name!r} is no table but a {type(table).__name__}")
        self._keep(table, name, None)

    def log_figure(self, name: Any, figure: Any) -> None:
        """Keep a figure of Matplotlib, Altair or Plotly; arguments may come in either order.

        Raises
        ------
        UsageError
            It is none.
        """
        from ..serializers import serializers

        name, figure = _in_order(name, figure, "figure")
        if not hasattr(figure, "savefig") and callable(getattr(figure, "get_figure", None)):
            figure = figure.get_figure()  # axes were given
        drawn = [s for s in serializers() if s.name in ("figure", "vega-lite", "plotly")]
        found = next((s for s in drawn if s.takes(figure)), None)
        if found is None:
            raise UsageError(
                f"{name!r} is no figure but a {type(figure).__name__}",
                hint="use one of Matplotlib, Altair or Plotly, or log_artifact() for a file",
            )
        self._keep(figure, name, found.name)

    def set_tag(self, key: str, value: Any = None) -> None:
        """Add the tag ``key``; or ``key=value``, in the place of another value of that key."""
        if value is None:
            self.set_tags(key)
            return
        tag = checked_name("a tag", f"{checked_name('a tag', key)}={value}")
        former = [t for t in self.tags if t.startswith(f"{key}=") and t != tag]
        if former:
            self._tagged(t for t in self.tags if t not in former)
            self._say("untags", former)
        self.set_tags(tag)

    @property
    def summary(self) -> Fields:
        """What the run came to: ``run.fields``."""
        return self.fields

    def _keep(self, value: Any, name: str, format: str | None) -> None:
        self._say("artifacts", [as_kept(self._keeper().keep(value, name, format))])

    def set_tags(self, *tags: Any) -> None:
        """Add tags; those of a mapping as ``key=value``, see :meth:`set_tag`."""
        for given in tags:
            if isinstance(given, Mapping):
                for key, value in given.items():
                    self.set_tag(key, value)
        new = [checked_name("a tag", tag) for tag in tags if not isinstance(tag, Mapping)]
        self._tagged(dict.fromkeys((*self.tags, *new)))
        self._say("tags", new)

    def _tagged(self, tags: Iterable[str]) -> None:
        object.__setattr__(self, "tags", tuple(tags))  # which nobody else sets

    def _say(self, kind: str, what: Any) -> None:
        raise NotImplementedError

    def _keeper(self) -> Keeper:
        raise NotImplementedError


def _at(path: Path, include: str | Iterable[str], exclude: str | Iterable[str]) -> Any:
    from ..serializers.files import File, Folder

    if path.is_dir():
        return Folder(path, include=_patterns(include), exclude=_patterns(exclude))
    if not path.is_file():
        raise UsageError(f"there is no file {str(path)!r}", hint="a text is kept by log_text()")
    if include or exclude:
        raise UsageError("include and exclude are for folders")
    return File.at(path)


def _patterns(given: str | Iterable[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _name(name: object) -> str:
    checked = checked_name("an artifact", name)
    if checked.startswith("fields["):
        raise UsageError(
            f"{checked!r} names the value of a field", hint="set run.fields, or rename"
        )
    return checked


def _in_order(name: Any, value: Any, what: str) -> tuple[str, Any]:
    if not isinstance(name, str):
        name, value = value, name
    if not isinstance(name, str) or isinstance(value, str):
        raise UsageError(f"a {what} needs a name", hint=f"log_{what}('name', {what})")
    return _name(name), value


def _check_columns(name: str, columns: Mapping[str, Any]) -> None:
    try:
        lengths = {str(column): len(values) for column, values in columns.items()}
    except TypeError:
        raise UsageError(f"table {name!r} is a mapping of what are no columns") from None
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{column!r}: {length}" for column, length in lengths.items())
        raise UsageError(f"the columns of table {name!r} have different lengths: {told}")
