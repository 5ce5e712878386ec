"""The user's own code: which lines of a traceback are it, and its errors in Gosset's words."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .exceptions import GossetError, UsageError

PACKAGE = Path(__file__).parent
"""The folder of this package."""

_LIBRARIES = (PACKAGE, Path(traceback.__file__).parent)
"""Where Gosset and Python's own modules lie."""


@contextmanager
def called(what: str, kind: type[GossetError] = UsageError, *, hint: str = "") -> Iterator[None]:
    """Tell what a function of the user raises as an error of `kind`, with the line.

    Parameters
    ----------
    what : str
        What is called, to begin the message with.
    kind : type of GossetError
    hint : str
        The mend, where no line of the user's is to blame.

    Examples
    --------
    >>> with called("the function 'iris'"):
    ...     open("/no/such/file")
    Traceback (most recent call last):
        ...
    gosset.exceptions.UsageError: the function 'iris' raises FileNotFoundError: ...
    """
    try:
        yield
    except GossetError:
        raise
    except Exception as error:
        where = user_line(error)
        raise kind(
            f"{what} raises {told(error)}", hint=f"see {where}" if where else hint
        ) from error


def called_name(function: object) -> str:
    """Return the name of a function, or of the kind of whatever else can be called.

    Examples
    --------
    >>> from functools import partial
    >>> called_name(len), called_name(partial(len))
    ('len', 'partial')
    """
    return str(getattr(function, "__name__", type(function).__name__))


def told(error: BaseException) -> str:
    r"""Return class and message of an error on one line.

    Examples
    --------
    >>> told(ValueError("two\nlines")), told(SystemExit())
    ('ValueError: two lines', 'SystemExit')
    """
    said = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def declaring_file() -> Path | None:
    """Return the file of the user's whose line called Gosset; None in a console."""
    frame = inspect.currentframe()
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        if PACKAGE not in file.parents:
            return file.resolve() if file.exists() else None
        frame = frame.f_back
    return None


def user_line(error: BaseException) -> str:
    """Return ``FILE:LINE`` of the innermost line of the user's own code under an error.

    Lines of Gosset, of installed packages and of Python itself are passed over; empty
    where there are no others.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}" if error.lineno else error.filename
    frames = [(f.filename, f.lineno) for f in traceback.extract_tb(error.__traceback__)]
    own = [f"{name}:{line}" for name, line in frames if is_user_file(name)]
    return own[-1] if own else ""


def is_user_file(name: str) -> bool:
    """Whether a file in a traceback is the user's own.

    Examples
    --------
    >>> is_user_file(__file__), is_user_file("<frozen importlib>"), is_user_file("/home/me/fit.py")
    (False, False, True)
    """
    path = Path(name)
    # Not by sys.prefix: a virtual environment may well lie around the user's own files.
    foreign = not {"site-packages", "dist-packages"}.isdisjoint(path.parts)
    return not (foreign or name.startswith("<") or any(map(path.is_relative_to, _LIBRARIES)))
