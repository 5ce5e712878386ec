"""Every error that Gosset raises on purpose, in one tree.

::

    GossetError                    catch this to catch them all
    ├── UsageError (ValueError)    the call was wrong: exit code 2
    │   ├── ParameterError         a parameter that nothing takes, or a bad value
    │   ├── PipelineError          stages that do not fit together
    │   ├── FilterError            a filter expression that cannot be read
    │   ├── MetricError            a metric that is unknown or cannot be computed
    │   ├── DatasetError           data that cannot be used as declared
    │   ├── SplitError             folds that overlap, are empty or out of range
    │   ├── SettingsError          a configuration value that cannot be used
    │   └── MissingExtraError      an optional dependency that is not installed
    ├── NotFoundError (KeyError)   nothing has that name or id: exit code 2
    ├── FingerprintError (TypeError)  a value whose identity Gosset cannot tell
    ├── SerializationError (TypeError)  a value that no serializer takes
    ├── StorageError               the catalog could not be read or written
    │   ├── StoreVersionError      the store was made by another version
    │   └── StoreReadOnlyError     the store cannot be written
    ├── ArtifactError              bytes that cannot be kept or had
    │   ├── ArtifactMissingError   no bytes under that digest
    │   └── ArtifactDamagedError   bytes that no longer match their digest
    └── ExecutionError             work that failed: exit code 1
        ├── StageError             a stage broke its declaration
        ├── WorkerLostError        a worker process died under its task
        └── TimeLimitError         a task ran past its time limit

The message of each names the thing and, in ``hint``, the mend. Errors of the
drivers beneath (SQLAlchemy, the operating system) are wrapped at the border and
stay reachable as ``__cause__``.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable


class GossetError(Exception):
    """Base of all errors raised by Gosset.

    Parameters
    ----------
    message : str
        What is wrong, naming the thing.
    hint : str, optional
        How to mend it.

    Examples
    --------
    >>> error = GossetError("no project 'Exmples'", hint="did you mean 'Examples'?")
    >>> print(error)
    no project 'Exmples'; did you mean 'Examples'?
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process borders; the default would drop the keyword.
        return _rebuild, (type(self), self.message, self.hint)


def _rebuild(kind: type[GossetError], message: str, hint: str) -> GossetError:
    return kind(message, hint=hint)


class UsageError(GossetError, ValueError):
    """The call was wrong: an option, a name or a value that cannot be used."""


class ParameterError(UsageError):
    """A parameter that no stage takes, or a value that it cannot have."""


class PipelineError(UsageError):
    """Stages that do not fit together: a cycle, a missing name, a duplicate."""


class FilterError(UsageError):
    """A filter expression that cannot be read."""


class MetricError(UsageError):
    """A metric that is unknown, or that these results cannot give."""


class DatasetError(UsageError):
    """Data that cannot be used as declared."""


class SplitError(UsageError):
    """Folds that overlap, are empty, or name rows that are not there."""


class SettingsError(UsageError):
    """A configuration file or value that cannot be used."""


class MissingExtraError(UsageError, ImportError):
    """An optional dependency that is not installed."""


class NotFoundError(GossetError, KeyError):
    """Nothing in the store has that name or id."""


class FingerprintError(GossetError, TypeError):
    """A value whose identity cannot be told, so that a cache key would be a guess."""


class SerializationError(GossetError, TypeError):
    """A value that no serializer takes, or bytes that one cannot read."""


class StorageError(GossetError):
    """The catalog could not be read or written."""


class StoreVersionError(StorageError):
    """The store was made by a newer version of Gosset, or is not a store."""


class StoreReadOnlyError(StorageError):
    """The store, or the folder it lies in, cannot be written."""


class ArtifactError(GossetError):
    """Bytes that cannot be kept or had."""


class ArtifactMissingError(ArtifactError):
    """No bytes are kept under that digest."""


class ArtifactDamagedError(ArtifactError):
    """The bytes kept under a digest no longer match it."""


class ExecutionError(GossetError):
    """Work that failed."""


class StageError(ExecutionError):
    """A stage broke its declaration, e.g. in the number of its outputs."""


class WorkerLostError(ExecutionError):
    """A worker process died under its task."""


class TimeLimitError(ExecutionError):
    """A task ran past its time limit."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint for a misspelled name.

    Parameters
    ----------
    name : str
        What was written.
    known : iterable of str
        What could have been meant.

    Returns
    -------
    str
        ``"did you mean 'x'?"``, else the known names, else an empty string.

    Examples
    --------
    >>> did_you_mean("acuracy", ["accuracy", "f1"])
    "did you mean 'accuracy'?"
    >>> did_you_mean("zzz", ["accuracy", "f1"])
    "known are 'accuracy', 'f1'"
    """
    names = sorted(set(known))
    import difflib

    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if not close:
        folded = {known_name.casefold(): known_name for known_name in names}
        close = [folded[name.casefold()]] if name.casefold() in folded else []
    if close:
        return f"did you mean {close[0]!r}?"
    shown = ", ".join(map(repr, names[:12])) + (", …" if len(names) > 12 else "")
    return f"known are {shown}" if names else ""


def require(module: str, extra: str, purpose: str) -> None:
    """Raise unless an optional dependency is installed; nothing is imported.

    Parameters
    ----------
    module : str
        What is about to be imported, e.g. ``"pandas"``.
    extra : str
        The extra of Gosset that brings it, e.g. ``"frames"``.
    purpose : str
        What needs it, to begin the message with.

    Raises
    ------
    MissingExtraError
        It is not installed.

    Examples
    --------
    >>> require("no_such_module", "frames", "reading a CSV file")
    Traceback (most recent call last):
        ...
    gosset.exceptions.MissingExtraError: reading a CSV file needs no_such_module; pip install 'gosset[frames]'
    """
    if importlib.util.find_spec(module) is None:
        raise MissingExtraError(f"{purpose} needs {module}", hint=f"pip install 'gosset[{extra}]'")
